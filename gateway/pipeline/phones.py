"""The phones in the rooms: beside the UCM, never before it and never in its way.

Each phone is brought from what it holds to what it should hold, step by step, as long as it takes;
four at once at the most. One that is off is tried again, ever more rarely, and never takes the turn
of one that is there; one that refuses our login is not tried again until somebody says so, as it
would lock itself.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeVar

from gateway.clock import Clock
from gateway.drivers.gxv import (
    Account,
    Entry,
    Identity,
    LoginRefused,
    PhoneAway,
    PhoneFailed,
)
from gateway.house.states import NOTHING_HEARD
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.phone_step import (
    Holds,
    PhoneStep,
    Wanted,
    Wishes,
    after,
    first_seen,
    read_holds,
)
from gateway.store import LevelRow, StorageFailed, Store, StoreWorker

T = TypeVar("T")

KIND: Final = "phone"
"""Of the rows of the store that say what a phone holds."""
AT_ONCE: Final = 4
FOR_THOSE_AWAY: Final = 2
"""How many of them may wait for a phone that did not answer last time: after a power cut, three
hundred that are off are tried beside the ones that are on, and not before them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds.

    look        between looks at what there is to do
    ask         how often one that has nothing to do is asked whether it is registered
    first_pause, longest_pause      of one that does not answer
    """

    look: float = 2.0
    ask: float = 900.0
    first_pause: float = 30.0
    longest_pause: float = 600.0


class RoomPhone(Protocol):
    """One phone; see `drivers.gxv.Phone`."""

    @property
    def api(self) -> str: ...
    @property
    def refused(self) -> str: ...
    def try_again(self) -> None: ...
    async def wipe(self) -> int: ...
    async def write_directory(self, entries: Sequence[Entry]) -> int: ...
    async def set_language(self, language: str) -> None: ...
    async def accounts(self) -> list[Account]: ...
    async def identity(self) -> Identity: ...
    async def reboot(self) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneView:
    """One phone, for people.

    step        what is to be done; empty: nothing
    trouble     why it is not done yet, and what to do; empty: it was not tried
    since       since when there is something to do (seconds since 1970); None: there is not
    is_refused  its login is not tried any more
    is_there    it answered when it was last asked; None: not asked yet
    """

    room: str
    address: str
    identity: Identity
    is_there: bool | None
    is_registered: bool | None
    step: str
    trouble: str
    since: float | None
    is_refused: bool = False

    @property
    def state(self) -> str:
        """In a word: behind, off, unregistered, well, or unknown: it was not asked yet."""
        if self.step:
            return "behind"
        if self.is_there is None:
            return "unknown"
        if not self.is_there:
            return "off"
        return "unregistered" if self.is_registered is False else "well"


def holds_in(rows: Iterable[LevelRow]) -> dict[str, Holds]:
    """What each phone held when it was last stored, by its room."""
    found = {}
    for row in rows:
        if row.kind == KIND:
            with suppress(ValueError):  # then it is as if it were new
                found[row.room] = read_holds(row.seen)
    return found


@dataclass(slots=True)
class _Known:
    """What is known of one phone beside what it holds."""

    address: str
    phone: RoomPhone
    identity: Identity = field(default_factory=Identity)
    is_there: bool | None = None
    is_registered: bool | None = None
    trouble: str = ""
    failed_at: PhoneStep | None = None
    since: float | None = None
    due_at: float = 0.0
    pause_s: float = 0.0
    ask_at: float = 0.0
    is_busy: bool = False


@dataclass(slots=True)
class Phones:
    """All phones of a house.

    phones      address and phone of each room, by the UCM's number of the room
    wishes      of the site
    directory   the hotel's numbers
    """

    phones: Mapping[str, tuple[str, RoomPhone]]
    outbox: Outbox
    store: StoreWorker
    clock: Clock
    metrics: Metrics
    wishes: Wishes = Wishes()
    directory: Sequence[Entry] = ()
    pace: Pace = Pace()
    _known: dict[str, _Known] = field(default_factory=dict)
    _holds: dict[str, Holds] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known = {room: _Known(*each) for room, each in self.phones.items()}

    async def _restore(self) -> None:
        """What the phones held when it was last stored."""
        while True:
            try:
                rows = await self.store(Store.levels)
            except StorageFailed:
                await self.clock.sleep(self.pace.first_pause)
                continue
            self._holds = holds_in(rows)
            return

    async def run(self) -> None:
        """For ever."""
        await self._restore()
        async with asyncio.TaskGroup() as group:
            for number in range(AT_ONCE):
                group.create_task(self._serve(takes_those_away=number < FOR_THOSE_AWAY))
            while True:
                self._look()
                await self.clock.sleep(self.pace.look)

    async def _serve(self, *, takes_those_away: bool) -> None:
        """One phone after another, for ever."""
        while True:
            if (room := self._next(takes_those_away=takes_those_away)) is None:
                await self.clock.sleep(self.pace.look)
            else:
                await self._turn(room, self._known[room])

    def _next(self, *, takes_those_away: bool) -> str | None:
        """The phone that needs us most: one with something to do before one that is only asked,
        one that is there before one that may not be, and who is due longest. None: nobody.
        """
        now = self.clock.now()
        due = [
            (self._step(room) is None, not known.is_there, known.due_at, room)
            for room, known in self._known.items()
            if not known.is_busy
            and (takes_those_away or known.is_there is not False)
            and self._is_due(room, known, now)
        ]
        return min(due)[-1] if due else None

    async def close(self) -> None:
        """Let go of the connections."""
        for known in self._known.values():
            await known.phone.close()

    # --- For an operator ---

    def views(self) -> list[PhoneView]:
        """Every phone, in the order of the rooms."""
        return [self._view(room, known) for room, known in sorted(self._known.items())]

    async def wipe(self, room: str) -> int:
        """Delete the contacts of a phone now, whoever is in. Returns how many there were. Raises
        KeyError for a room without a phone, and PhoneFailed.
        """
        known = self._known[room]
        known.phone.try_again()
        count = await self._tried(known, known.phone.wipe())
        holds = self._holds.get(room, Holds())
        await self._keep(room, replace(holds, directory="", api=known.phone.api))
        return count

    async def reboot(self, room: str) -> None:
        """Restart a phone. Raises KeyError and PhoneFailed."""
        known = self._known[room]
        known.phone.try_again()
        await self._tried(known, known.phone.reboot())

    def retry(self, room: str) -> None:
        """Try a phone again at once, its login too. Raises KeyError."""
        known = self._known[room]
        known.phone.try_again()
        known.due_at = known.ask_at = 0.0
        known.pause_s = 0.0

    # --- One phone ---

    def _wanted(self, room: str) -> Wanted | None:
        return self.wishes.wanted(self.outbox.desired.get(room, NOTHING_HEARD))

    def _step(self, room: str) -> PhoneStep | None:
        desired = self.outbox.desired.get(room, NOTHING_HEARD)
        return self.wishes.step(desired, self._holds.get(room))

    def _is_due(self, room: str, known: _Known, now: float) -> bool:
        step = self._step(room)
        is_new = room not in self._holds and self._wanted(room) is not None
        if known.phone.refused:
            return False
        if now < known.due_at:  # what is to be deleted does not wait for the pause of another step
            return step is PhoneStep.WIPE and known.failed_at is not step
        return is_new or step is not None or now >= known.ask_at

    async def _turn(self, room: str, known: _Known) -> None:
        """Everything that is to be done to one phone now."""
        known.is_busy = True
        try:
            await self._see_first(room)
            while (step := self._step(room)) is not None:
                await self._do(step, room, known)
            if self.clock.now() >= known.ask_at:
                await self._ask(known)
            self._well(room, known)
        except StorageFailed:
            known.due_at = self.clock.now() + self.pace.first_pause
        except PhoneFailed as failed:
            self._failed(room, known, failed)
        except Exception as fault:  # noqa: BLE001  # of one phone: the others and the UCM go on
            self._failed(
                room, known, PhoneFailed(f"our own fault ({type(fault).__name__}): report it")
            )
        finally:
            known.is_busy = False

    async def _see_first(self, room: str) -> None:
        """Store how a phone that is new to us was found."""
        wanted = self._wanted(room)
        if wanted is not None and room not in self._holds:
            await self._keep(room, first_seen(wanted))

    async def _do(self, step: PhoneStep, room: str, known: _Known) -> None:
        wanted = self._wanted(room)
        assert wanted is not None  # there is no step else
        match step:
            case PhoneStep.WIPE:
                await self._tried(known, known.phone.wipe())
            case PhoneStep.DIRECTORY:
                await self._tried(known, known.phone.write_directory(self.directory))
            case PhoneStep.LANGUAGE:
                await self._tried(known, known.phone.set_language(wanted.language))
        holds = self._holds[room]  # of now: an operator may have wiped it meanwhile
        await self._keep(room, replace(after(step, wanted, holds), api=known.phone.api))
        logger().info("phone_done", room=room, step=step.value)

    async def _ask(self, known: _Known) -> None:
        accounts = await self._tried(known, known.phone.accounts())
        known.is_registered = any(each.is_registered for each in accounts)
        known.identity = await self._tried(known, known.phone.identity())
        known.ask_at = self.clock.now() + self.pace.ask

    @staticmethod
    async def _tried(known: _Known, asked: Awaitable[T]) -> T:
        """What it says; whether it is there is noted."""
        try:
            told = await asked
        except PhoneAway:
            known.is_there, known.is_registered = False, None
            raise
        known.is_there = True
        return told

    async def _keep(self, room: str, holds: Holds) -> None:
        row = LevelRow(kind=KIND, room=room, seen=holds.as_json(), at=self.clock.epoch())
        await self.store(Store.put_levels, [row], [])
        self._holds[room] = holds

    def _well(self, room: str, known: _Known) -> None:
        if known.trouble:
            logger().info("phone_well", room=room)
        known.trouble, known.failed_at, known.pause_s = "", None, 0.0

    def _failed(self, room: str, known: _Known, failed: PhoneFailed) -> None:
        if str(failed) != known.trouble:
            kind = "phone_behind" if self._step(room) else "phone_away"
            kind = "phone_refuses" if isinstance(failed, LoginRefused) else kind
            logger().warning(kind, room=room, address=known.address, why=str(failed))
        known.trouble, known.failed_at = str(failed), self._step(room)
        longer = max(self.pace.first_pause, 2 * known.pause_s)
        known.pause_s = min(self.pace.longest_pause, longer)
        known.due_at = self.clock.now() + known.pause_s

    def _view(self, room: str, known: _Known) -> PhoneView:
        step = self._step(room)
        # What a phone says of one step says nothing of another; that it is off does.
        is_told = known.is_there is False or step is known.failed_at
        return PhoneView(
            room=room, address=known.address, identity=known.identity, is_there=known.is_there,
            is_registered=known.is_registered, step=step.value if step else "",
            trouble=known.phone.refused or (known.trouble if is_told else ""),
            since=known.since if step else None, is_refused=bool(known.phone.refused),
        )  # fmt: skip

    def _look(self) -> None:
        """Note down since when there is something to do, and count."""
        for room, known in self._known.items():
            is_behind = self._step(room) is not None
            known.since = (known.since or self.clock.epoch()) if is_behind else None
        every = self.views()
        counts = {
            "reachable": sum(bool(each.is_there) for each in every),
            "registered": sum(bool(each.is_registered) for each in every),
            "behind": sum(bool(each.step) for each in every),
        }
        for state, count in counts.items():
            self.metrics.phones.labels(state).set(count)
