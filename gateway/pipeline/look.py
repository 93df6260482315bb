"""A look at the PBX: its list of rooms becomes the actual states, and says where it differs. Pure.

Whoever the list shows is taken for a stay: the one that the room was last known to have, else the
one that it should have, else one that should be elsewhere, else a stranger.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from gateway.drivers.base import ShownRoom
from gateway.house.states import NOTHING_HEARD, STRANGER, Actual, Desired, Guest, States
from gateway.pipeline.plan import OUT, is_out, is_strangers

BRAKE_SHARE: Final = 5
BRAKE_ROOMS: Final = 10
"""A comparison that would check out more than one in five of the rooms that are in, and more than
ten, is our misunderstanding of the list, or an old backup on the PBX."""


class Judge(Protocol):
    """The part of a driver that knows what a listed room shows."""

    def tags_of(self, guest: Guest, stay: int | None) -> dict[str, str]: ...

    def is_ours(
        self, row: ShownRoom, tags: Mapping[str, str], *, was_told: bool = False
    ) -> bool: ...

    def shown_tags(self, row: ShownRoom, tags: Mapping[str, str]) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class Drift:
    """A room in which the PBX differs from the PMS.

    kind    out: the PBX shows nobody; in: it shows somebody although the room is out; stranger:
            it shows somebody else; details: our guest, but otherwise; unlisted: it has no such
            room; unnamed: it shows somebody in a room of which the PMS never said who is in it
    tags    for details: in what, in the PBX's words
    """

    room: str
    kind: str
    tags: tuple[str, ...] = ()


def settle(
    desired: States[Desired],
    actual: States[Actual],
    listed: Iterable[ShownRoom],
    judge: Judge,
    begun: Mapping[str, Actual] | None = None,
) -> dict[str, Actual]:
    """What is actual in each listed room, by the list and by what was known before.

    begun   of rooms for which a call was begun: what is actual if it was done
    """
    rows = {row.address: row for row in listed}
    settled: dict[str, Actual] = {}
    taken: set[int] = set()
    for room, row in rows.items():
        have, then = actual.get(room), (begun or {}).get(room)
        if not row.is_in:
            is_known_out = have is not None and have.stay is None
            settled[room] = have if is_known_out and have else is_out(have or OUT, in_doubt=False)
            continue
        state = _told(row, have, judge) or _told(row, then, judge)
        state = state or _meant(row, desired.get(room, NOTHING_HEARD), have, judge)
        if state is not None and state.stay not in taken:
            assert state.stay is not None  # somebody is in
            taken.add(state.stay)
            settled[room] = state
    elsewhere = _by_account(desired, taken, judge)
    for room, row in rows.items():
        if room in settled:
            continue
        have = actual.get(room, OUT)
        found = elsewhere(row)
        if found is None:
            settled[room] = is_strangers(have, judge.shown_tags(row, {}))
            continue
        # Moved on the PBX, or by a call of ours whose reply was lost: what he had came with him.
        before = actual.room_of(found.stay)
        state = _told(row, actual[before], judge) if before is not None else None
        state = state or _new(row, found, judge)
        settled[room] = replace(state, status_said=have.status_said)
    return settled


def _told(row: ShownRoom, known: Actual | None, judge: Judge) -> Actual | None:
    """The list shows the guest who was told to this room: a tag that it does not contradict is as
    it was told. None: it shows somebody else.
    """
    if known is None or known.tags is None or known.stay in (None, STRANGER):
        return None
    if not judge.is_ours(row, known.tags, was_told=True):
        return None
    tags = judge.shown_tags(row, known.tags)
    return known if tags == known.tags else replace(known, tags=tags)


def _meant(row: ShownRoom, want: Desired, have: Actual | None, judge: Judge) -> Actual | None:
    """The list shows somebody of the stay that the room should have. None: it does not."""
    is_ours = any(judge.is_ours(row, judge.tags_of(each, want.stay)) for each in want.residents)
    if not (is_ours or want.adopts):
        return None
    state = _new(row, want, judge)
    if have is not None and have.stay == want.stay:
        return replace(have, tags=state.tags)
    return replace(state, status_said=(have or OUT).status_said)


def _new(row: ShownRoom, want: Desired, judge: Judge) -> Actual:
    """A stay of which we never told this room: what the list does not say of it is told once."""
    ours = judge.tags_of(want.guest, want.stay) if want.guest is not None else {}
    listed = judge.shown_tags(row, {})
    return Actual(
        stay=want.stay,
        tags={tag: text for tag, text in judge.shown_tags(row, ours).items() if listed.get(tag)},
        wake_up_said=want.wake_up_said,
        dnd_said=want.dnd_said,
        class_said=want.class_said,
    )


def _by_account(
    desired: States[Desired], taken: Collection[int], judge: Judge
) -> Callable[[ShownRoom], Desired | None]:
    """Finds the stay of a listed guest who should be elsewhere. A name alone is not enough."""
    by_account = {
        account: want
        for want in desired.values()
        if want.stay is not None and want.stay not in taken
        for guest in want.residents
        if (account := judge.tags_of(guest, want.stay).get("account"))
    }

    def find(row: ShownRoom) -> Desired | None:
        want = by_account.get(row.account)
        if want is None or want.stay is None or want.stay in seen:
            return None
        seen.add(want.stay)
        return want

    seen: set[int] = set()
    return find


def drifts(
    desired: States[Desired],
    settled: Mapping[str, Actual],
    judge: Judge,
    *,
    waiting: Collection[str] = (),
) -> list[Drift]:
    """All rooms that differ, in the order of their numbers; not those that wait to be told."""
    found = [
        _drift(room, want, settled.get(room), judge)
        for room, want in desired.items()
        if room not in waiting
    ]
    found += [
        Drift(room, "unnamed")
        for room, have in settled.items()
        if have.stay == STRANGER and not desired.get(room, NOTHING_HEARD).is_heard
    ]
    return sorted((drift for drift in found if drift), key=lambda drift: drift.room)


def _drift(room: str, want: Desired, have: Actual | None, judge: Judge) -> Drift | None:
    if not want.is_heard:
        return None
    if want.guest is None:
        return Drift(room, "in") if have is not None and have.stay is not None else None
    if have is None:
        return Drift(room, "unlisted")
    if have.stay is None:
        return Drift(room, "out")
    if have.stay != want.stay:
        return Drift(room, "stranger")
    ours, shown = judge.tags_of(want.guest, want.stay), have.tags or {}
    if want.adopts and not want.guest.is_nobody and shown.get("account") != ours["account"]:
        return None
    wrong = tuple(tag for tag, text in ours.items() if shown.get(tag, "") != text)
    return Drift(room, "details", wrong) if wrong else None


def would_throw_out(drifts: Iterable[Drift], settled: Mapping[str, Actual]) -> bool:
    """Whether to cure these would check out more rooms than one can believe in."""
    thrown_out = sum(drift.kind in ("in", "stranger") for drift in drifts)
    are_in = sum(have.stay is not None for have in settled.values())
    return thrown_out > BRAKE_ROOMS and thrown_out * BRAKE_SHARE > are_in
