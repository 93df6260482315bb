"""Reconciliation: the house against the PBX's list of rooms, and the fewest calls between them.

It reads what the PBX shows while no call is in flight, and compares only rooms in which nothing
still waits to be delivered. A list that lacks a room says nothing about that room's guest.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.clock import Clock
from gateway.drivers.base import ShownRoom
from gateway.events import CheckIn, CheckOut, Guest, GuestEvent, Update, WakeUp
from gateway.house import House, Room
from gateway.intake import Intake
from gateway.logs import logger
from gateway.metrics import Metrics


class Judge(Protocol):
    """The part of a driver that knows what a listed room shows."""

    def differences(self, room: ShownRoom, guest: Guest) -> tuple[str, ...] | None: ...


@dataclass(frozen=True, slots=True)
class Drift:
    """A room in which the PBX differs from the PMS.

    kind    out: the PBX shows nobody; in: it shows somebody although the room is out; stranger:
            it shows somebody else; details: our guest, but otherwise; unlisted: it has no such room
    tags    for details: in what, in the PBX's words
    """

    room: str
    kind: str
    tags: tuple[str, ...] = ()


def compare(
    rooms: Mapping[str, Room],
    listed: Sequence[ShownRoom],
    judge: Judge,
    *,
    waiting: Collection[str] = (),
) -> list[Drift]:
    """All rooms that differ, in the order of their numbers. Pure."""
    shown = {row.address: row for row in listed}
    return [
        drift
        for number, room in sorted(rooms.items())
        if number not in waiting and (drift := _drift(number, room, shown.get(number), judge))
    ]


def _drift(number: str, room: Room, row: ShownRoom | None, judge: Judge) -> Drift | None:
    guest = room.shown
    if guest is None:
        is_stale = room.is_known_out and row is not None and row.is_in
        return Drift(number, "in") if is_stale else None
    if row is None:
        return Drift(number, "unlisted")
    if not row.is_in:
        return Drift(number, "out")
    tags = judge.differences(row, guest)
    if tags is None:
        # A sharer whom the room does have is nobody whose mailbox must go.
        lives_here = any(judge.differences(row, other) is not None for other in room.guests[1:])
        return Drift(number, "details", ("account",)) if lives_here else Drift(number, "stranger")
    return Drift(number, "details", tags) if tags else None


def cure(drift: Drift, room: Room, clock: Clock) -> list[GuestEvent]:
    """What the PBX must be told so that the room is right; nothing for a room that it lacks."""
    guest = room.shown
    if drift.kind == "in":
        return [CheckOut(room=drift.room)]
    if guest is None or drift.kind == "unlisted":
        return []
    if drift.kind == "details":
        return [Update(room=drift.room, guest=guest)]
    cure: list[GuestEvent] = [CheckOut(room=drift.room)] if drift.kind == "stranger" else []
    cure.append(CheckIn(room=drift.room, guest=guest))
    if room.told is not None and room.told > clock.stamp():  # it went with the guest
        cure.append(WakeUp(room=drift.room, at=room.told))
    return cure


@dataclass(slots=True)
class Reconciler:
    """Compares when it is wanted and at least every `interval_s`.

    heals       put what cures a drift into the outbox; else drifts are only shown
    drifts      of the last comparison; None: there was none yet
    """

    intake: Intake
    judge: Judge
    clock: Clock
    metrics: Metrics
    interval_s: float
    heals: bool = True
    drifts: tuple[Drift, ...] | None = None
    _due_at: float = float("-inf")
    _resync: int = 0
    _cured: dict[str, Drift] = field(default_factory=dict)

    def want(self, *, anew: bool = False) -> None:
        """Compare as soon as nothing is due. `anew`: what was cured before may need it again."""
        self._due_at = self.clock.now()
        if anew:
            self._cured.clear()

    def is_due(self, *, idle: bool) -> bool:
        """Whether to compare now; `idle`: nothing is to be delivered at this moment."""
        ledger = self.intake.house.ledger
        if ledger.in_resync:
            return False
        if ledger.resync != self._resync:
            self._resync = ledger.resync
            self.want()
        late_s = self.clock.now() - self._due_at
        return late_s >= 0 and (idle or late_s >= self.interval_s)

    def due_in(self) -> float:
        """Seconds until the next comparison; not more than 0: it waits for its moment."""
        return self._due_at - self.clock.now()

    def later(self) -> None:
        """There is no list now, or none at all: at the next interval."""
        self._due_at = self.clock.now() + self.interval_s

    async def reconcile(self, listed: Sequence[ShownRoom]) -> None:
        """Take a list that was read just now, with no call in flight. Raises StorageFailed."""

        before = self.drifts
        fresh: list[Drift] = []

        def events_of(house: House, waiting: frozenset[str]) -> list[GuestEvent]:
            self.drifts = tuple(compare(house.rooms, listed, self.judge, waiting=waiting))
            # A cure that did not take is not tried again until the room was right meanwhile.
            still = {drift.room: drift for drift in self.drifts}
            self._cured = {
                room: drift
                for room, drift in self._cured.items()
                if still.get(room) == drift or room in waiting
            }
            if not self.heals:
                return []
            fresh.extend(drift for drift in self.drifts if drift.room not in self._cured)
            return [
                event
                for drift in fresh
                for event in cure(drift, house.rooms[drift.room], self.clock)
            ]

        healed = await self.intake.reconcile(events_of)
        self._cured.update((drift.room, drift) for drift in fresh)  # stored, so it will be tried
        self.later()
        drifts = self.drifts or ()
        self.metrics.rooms_drifted.set(len(drifts))
        if drifts and drifts != before:  # told once, not every quarter of an hour
            kinds = sorted({drift.kind for drift in drifts})
            logger().warning(
                "rooms_drifted", rooms=len(drifts), kinds=",".join(kinds), calls=healed,
                do="pms-gateway rooms --diff shows them",
            )  # fmt: skip
