"""The outbox: what each room of the UCM should show, what it was last known to show, and in which
order those that differ are told. In memory; the caller that changes it hands it to the store.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heappop, heappush

from gateway.house import Actual, Desired, Guest, Room, States
from gateway.house.states import NOT_KNOWN, NOTHING_HEARD, STRANGER
from gateway.pipeline.plan import Hotel, done, next_call
from gateway.pipeline.step import (
    DROPPED,
    PARKED,
    TOLD,
    WAITING,
    RoomView,
    Step,
    Trouble,
    fingerprint,
    step_from_json,
    step_to_json,
)
from gateway.store import RoomRow, Told
from gateway.store.text import from_json, to_json


@dataclass(slots=True)
class Entry:
    """One room of the UCM beside its two states.

    record, since, background   see RoomRow
    held        why it must wait for something else than the UCM; empty: it need not
    """

    record: str = ""
    since: float = 0.0
    background: bool = False
    trouble: Trouble | None = None
    held: str = ""


@dataclass(slots=True)
class Outbox:
    """All rooms of one UCM.

    tags_of             see Driver.tags_of
    wall                the hotel's time, without a zone
    longest_pause_s     no room was ever told to wait longer: one that seems to has only seen the
                        clock jump back
    strangers           rooms that show a stranger and of which the PMS has spoken since the UCM's
                        list was read: perhaps it spoke of him
    pending             by room: a call that was begun, and its outcome is not known
    """

    tags_of: Callable[[Guest, int | None], dict[str, str]]
    wall: Callable[[], datetime]
    longest_pause_s: float = 7200.0
    desired: States[Desired] = field(default_factory=States)
    actual: States[Actual] = field(default_factory=States)
    entries: dict[str, Entry] = field(default_factory=dict)
    pending: dict[str, Step] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)
    _waiting: set[str] = field(default_factory=set)
    _parked: set[str] = field(default_factory=set)
    _ready: list[tuple[bool, bool, float, str]] = field(default_factory=list)
    _later: dict[str, float] = field(default_factory=dict)

    def restore(self, rooms: Mapping[str, Room], rows: Iterable[RoomRow]) -> list[str]:
        """What the store knew at the last stop. Returns the rooms of whose state at the UCM
        nothing could be understood: nothing is known of them then.
        """
        damaged = []
        for number, room in rooms.items():
            self.desired[number] = room.desired()
        for row in rows:
            entry = Entry(row.record, row.since, row.background)
            try:
                if row.actual:
                    self.actual[row.room] = from_json(Actual, row.actual)
                if row.trouble:
                    entry.trouble = from_json(Trouble, row.trouble)
                if row.pending:
                    self.pending[row.room] = step_from_json(row.pending)
            except (ValueError, KeyError, TypeError):
                damaged.append(row.room)
            self.entries[row.room] = entry
        self.look_again()
        for waiting in self._waiting:
            self._doubt(waiting)
        return damaged

    # --- What the PMS side says ---

    def cause(
        self, room: str, record: str, at: float, *, background: bool
    ) -> tuple[str, float, bool]:
        """What is stored beside a change of this room: record, since, background."""
        entry = self.entries.get(room)
        if entry is None or room not in self._waiting:
            return record, at, background
        return record, entry.since, background and entry.background

    def heard(
        self, room: str, desired: Desired, cause: tuple[str, float, bool] | None = None
    ) -> None:
        """The room should show this from now on; it is on disk."""
        entry = self.entries.setdefault(room, Entry())
        if cause is not None:
            entry.record, entry.since, entry.background = cause
        entry.held = ""
        self.desired[room] = desired
        have = self.actual.get(room)
        if have is not None and have.stay == STRANGER:
            self.strangers.add(room)
        self._file(room)

    # --- What the UCM side says ---

    @property
    def hotel(self) -> Hotel:
        """What the plan looks at now."""
        return Hotel(self.desired, self.actual, self._tags, self.wall(), self._parked)

    def next(self, now: float) -> str | None:
        """The room to be told next: changed by a live record before changed by a resync, never
        refused before refused, then the oldest. None: nothing is due.
        """
        for room, due_at in tuple(self._later.items()):
            if self._is_due(due_at, now):
                del self._later[room]
                self._queue(room)
        while self._ready:
            first = self._ready[0]
            room = first[-1]
            if first == self._key(room):
                return room
            heappop(self._ready)
        return None

    def step(self, room: str) -> Step | None:
        """The next call for this room; None: it shows what it should."""
        hotel = self.hotel
        call = next_call(hotel, room)
        if call is None:
            return None
        have = self.actual.get(call.room)
        return Step(call, done(hotel, call), was_out=have is not None and have.stay is None)

    def pending_before(self, step: Step) -> Step | None:
        """A call whose outcome must be known before this step: it is about one of its rooms, or
        about a stay that may be in another room by now. None: there is none.
        """
        for room, pending in self.pending.items():
            if room in step.rooms or not pending.stays.isdisjoint(step.stays):
                return pending
        return None

    def due_at(self, step: Step, now: float) -> float | None:
        """When the rooms of this call may be called for; None: now."""
        troubles = (self.trouble(room) for room in step.rooms)
        later = [each.due_at for each in troubles if each and not self._is_due(each.due_at, now)]
        return max(later, default=None)

    def put_off(self, room: str, due_at: float) -> None:
        """Not before this moment: a room that this one needs waits for it."""
        self._later[room] = due_at

    def hold(self, room: str, why: str) -> None:
        """Not before `look_again`, or a word of the PMS."""
        self.entries[room].held = why
        self._file(room)

    def now_is(self, actual: Mapping[str, Actual]) -> None:
        """These rooms show this now; what went wrong with them before is over."""
        for room, state in actual.items():
            entry = self.entries.setdefault(room, Entry())
            entry.trouble = None
            self.pending.pop(room, None)
            self.actual[room] = state
        for room in actual:
            self._file(room)

    def settle(self, actual: Mapping[str, Actual], *, since: float) -> None:
        """The UCM's list shows these rooms so; what it refused of them still counts."""
        for room, state in actual.items():
            self.entries.setdefault(room, Entry())
            self.actual[room] = state
            if self.pending.pop(room, None) is not None:
                self._doubt(room)
        for room in actual:
            was_waiting = room in self._waiting
            self._file(room)
            entry = self.entries[room]
            if room in self._waiting and not was_waiting:  # the UCM has changed, not the PMS
                entry.record, entry.since, entry.background = "", since, True
                self._file(room)
            elif room not in self._waiting and room not in self._parked:
                entry.trouble = None

    def unclear(self, step: Step) -> None:
        """This call is begun: until its outcome is known nothing else is said of its rooms."""
        for room in step.rooms:
            self.entries.setdefault(room, Entry())
            self.pending[room] = step
            self._file(room)

    def clear(self, step: Step) -> None:
        """This call was not done."""
        for room in step.rooms:
            self.pending.pop(room, None)
            self._file(room)

    def forget(self, step: Step) -> None:
        """Whether this call was done will never be known: nothing is known of its rooms."""
        for room in step.rooms:
            self.actual.pop(room, None)
        self.clear(step)

    def went_wrong(
        self, room: str, state: str, why: str, *, attempts: int = 0, due_at: float = 0.0
    ) -> None:
        """The UCM refused this room, or an operator gave it up."""
        entry = self.entries.setdefault(room, Entry())
        of = fingerprint(self.desired.get(room, NOTHING_HEARD))
        entry.trouble = Trouble(of=of, state=state, why=why, attempts=attempts, due_at=due_at)
        self._file(room)

    def retry(self, room: str) -> None:
        """What was refused is tried again."""
        self.entries[room].trouble = None
        self._file(room)

    def look_at(self, room: str) -> None:
        """What the room needs may have changed with the time."""
        self._file(room)

    def look_again(self) -> None:
        """Nothing is held any more, and what waits is what differs now."""
        for room, entry in self.entries.items():
            entry.held = ""
            self._file(room)

    def trouble(self, room: str) -> Trouble | None:
        """What went wrong with the room, as long as the PMS has said nothing new of it: what it
        should show has the fingerprint of then. So a parked room comes back by itself.
        """
        entry = self.entries.get(room)
        if entry is None or entry.trouble is None:
            return None
        is_same = entry.trouble.of == fingerprint(self.desired.get(room, NOTHING_HEARD))
        return entry.trouble if is_same else None

    def refusals(self, room: str) -> int:
        """How often the UCM has refused what the room should show now."""
        trouble = self.trouble(room)
        return 0 if trouble is None else trouble.attempts

    # --- What others see ---

    @property
    def waiting(self) -> Collection[str]:
        """Rooms that the UCM has to be told of."""
        return self._waiting

    @property
    def left_alone(self) -> Collection[str]:
        """Rooms that are parked or dropped."""
        return self._parked

    @property
    def parked(self) -> Collection[str]:
        """Rooms that a human has to look at."""
        return [
            room
            for room in self._parked
            if (trouble := self.trouble(room)) is not None
            and trouble.state == PARKED
            and self.step(room) is not None
        ]

    def oldest_waiting(self) -> float | None:
        """Since when the room waits that has waited longest."""
        return min((self.entries[room].since for room in self._waiting), default=None)

    def view(self, room: str) -> RoomView | None:
        """One room for an operator; None: nothing was ever heard of it."""
        entry = self.entries.get(room)
        return None if entry is None else self._view(room, entry)

    def _view(self, room: str, entry: Entry) -> RoomView:
        trouble = self.trouble(room)
        step = self.step(room)
        state = TOLD
        if trouble is not None and trouble.state != WAITING:
            state = trouble.state if step is not None or trouble.state == DROPPED else TOLD
        elif room in self._waiting:
            state = WAITING
        is_open = state in (WAITING, PARKED)
        return RoomView(
            room=room,
            state=state,
            desired=self.desired.get(room, NOTHING_HEARD),
            actual=self.actual.get(room),
            call=step.call if step is not None else None,
            since=entry.since if is_open else None,
            attempts=self.refusals(room),
            due_at=trouble.due_at if trouble is not None and state == WAITING else None,
            why=entry.held or (trouble.why if trouble is not None and state != TOLD else ""),
            record=entry.record,
        )

    def views(self, states: Collection[str]) -> Iterator[RoomView]:
        """Rooms in these states, those that have waited longest first."""
        views = (self._view(room, entry) for room, entry in self.entries.items())
        found = [view for view in views if view.state in states]
        yield from sorted(found, key=lambda view: (view.since or 0.0, view.room))

    # --- Rows of the store ---

    def told(self, rooms: Iterable[str]) -> list[Told]:
        """The UCM side of these rooms, as it is stored."""
        return [self._told(room) for room in rooms]

    def _told(self, room: str) -> Told:
        entry = self.entries.setdefault(room, Entry())
        have = self.actual.get(room)
        return Told(
            room=room,
            actual="" if have is None else to_json(have),
            trouble="" if entry.trouble is None else to_json(entry.trouble),
            pending=step_to_json(self.pending[room]) if room in self.pending else "",
        )

    # --- Inside ---

    def _doubt(self, room: str) -> None:
        """A call for this room may have been done, and the list does not show all: what was on its
        way (wake-up, do-not-disturb, status) must be told again.
        """
        want, have = self.desired.get(room, NOTHING_HEARD), self.actual.get(room)
        if have is not None:
            wake_up, dnd, status = (
                did if did == said else NOT_KNOWN
                for did, said in (
                    (have.wake_up_said, want.wake_up_said),
                    (have.dnd_said, want.dnd_said),
                    (have.status_said, want.status_said),
                )
            )
            self.actual[room] = replace(
                have, wake_up_said=wake_up, dnd_said=dnd, status_said=status
            )

    def _file(self, room: str) -> None:
        """Put the room where it belongs by now: ready, later, parked, or nowhere."""
        entry = self.entries[room]
        trouble = self.trouble(room)
        self._waiting.discard(room)
        self._parked.discard(room)
        self._later.pop(room, None)
        if trouble is not None and trouble.state != WAITING:
            self._parked.add(room)
        elif room in self.pending or next_call(self.hotel, room) is not None:
            self._waiting.add(room)
            if trouble is not None and trouble.due_at:
                self._later[room] = trouble.due_at
            elif not entry.held:
                self._queue(room)

    def _queue(self, room: str) -> None:
        """Put the room among those that are ready. A key that no longer holds stays until `next`
        comes to it; while the UCM is away `next` is not called, so they are swept out here.
        """
        key = self._key(room)
        if key is not None:
            heappush(self._ready, key)
        if len(self._ready) > 2 * len(self.entries):
            keys = (self._key(each) for each in self._waiting)
            self._ready = sorted(key for key in keys if key is not None)

    def _key(self, room: str) -> tuple[bool, bool, float, str] | None:
        """Where the room stands among those that are ready; None: it is not ready."""
        entry = self.entries[room]
        if room not in self._waiting or room in self._later or entry.held:
            return None
        trouble = entry.trouble
        return (entry.background, bool(trouble and trouble.attempts), entry.since, room)

    def _is_due(self, due_at: float, now: float) -> bool:
        return due_at <= now or due_at > now + self.longest_pause_s

    def _tags(self, want: Desired) -> dict[str, str]:
        assert want.guest is not None  # the plan asks for a room with a guest
        return self.tags_of(want.guest, want.stay)
