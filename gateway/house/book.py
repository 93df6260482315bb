"""The rooms in memory, never ahead of the disk: a change can be taken back until it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.house.states import Guest
from gateway.house.values import NEW_ROOM, Ledger, Remark, Room, Told


@dataclass(slots=True)
class Book:
    """All rooms of one hotel by their address, and where each guest is.

    home        guest's key -> the room he is in
    said        guest's key -> the room a running resync puts him in
    called      rooms with wake-ups
    touched     rooms written since they were last read
    remarks     what did not fit since they were last read
    mentioned   keys of guests of whom the running resync has spoken; only in memory, because a
                resync does not outlive a restart, and so a room that has not changed is not written
    """

    rooms: dict[str, Room] = field(default_factory=dict)
    ledger: Ledger = Ledger()
    home: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    remarks: list[Remark] = field(default_factory=list)
    mentioned: set[str] = field(default_factory=set)
    _rooms_before: dict[str, Room | None] = field(default_factory=dict)
    _ledger_before: Ledger | None = None
    _mentioned_before: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, room in self.rooms.items():
            self._index(number, NEW_ROOM, room)

    def room(self, number: str) -> Room:
        """A room; one we never heard of is new."""
        return self.rooms.get(number, NEW_ROOM)

    def put(self, number: str, room: Room) -> None:
        """Write a room."""
        before = self.rooms.get(number)
        if room == before:
            return
        self._rooms_before.setdefault(number, before)
        self.touched.add(number)
        self.rooms[number] = room
        self._index(number, before or NEW_ROOM, room)

    def check_in(self, number: str, guests: tuple[Guest, ...], room: Room) -> None:
        """A new stay begins in this room, with its wake-ups and what a resync says of it."""
        stay = self.ledger.stays + 1
        self.write(replace(self.ledger, stays=stay))
        self.put(
            number,
            replace(
                _emptied(room),
                stay=stay,
                guests=guests,
                adopts=room.adopts,
                out=False,
                vacated=False,
                wake_ups=room.wake_ups,
                wake_up_said=room.wake_up_said,
            ),
        )

    def check_out(self, number: str, room: Room) -> None:
        """The stay is over: name, mailbox, wake-ups and do-not-disturb with it."""
        self.put(number, _emptied(room))

    def told(self) -> Told:
        """What has happened since the last time, and forget it."""
        told = Told(tuple(self.remarks), frozenset(self.touched))
        self.remarks.clear()
        self.touched.clear()
        return told

    def write(self, ledger: Ledger) -> None:
        """Write what is known beside the rooms."""
        if self._ledger_before is None:
            self._ledger_before = self.ledger
        self.ledger = ledger

    def mention(self, key: str, *, is_mentioned: bool = True) -> None:
        """The running resync has (or has not) spoken of this guest."""
        self._mentioned_before.setdefault(key, key in self.mentioned)
        if is_mentioned:
            self.mentioned.add(key)
        else:
            self.mentioned.discard(key)

    def changed_rooms(self) -> Mapping[str, Room]:
        """The rooms that differ from the last commit."""
        return {
            number: self.rooms[number]
            for number, before in self._rooms_before.items()
            if self.rooms[number] != before
        }

    def before(self, number: str) -> Room:
        """A room as of the last commit."""
        return self._rooms_before.get(number, self.room(number)) or NEW_ROOM

    def changed_ledger(self) -> Ledger | None:
        """The ledger, if it differs from the last commit."""
        if self._ledger_before is None or self._ledger_before == self.ledger:
            return None
        return self.ledger

    def changed_mentions(self) -> Mapping[str, bool]:
        """Of whom the running resync has spoken (or not) since the last commit; never on disk."""
        return {key: key in self.mentioned for key in self._mentioned_before}

    def commit(self) -> None:
        """Everything since the last commit is on disk."""
        self._rooms_before.clear()
        self._ledger_before = None
        self._mentioned_before.clear()

    def adopt(
        self, rooms: Mapping[str, Room], ledger: Ledger | None, mentions: Mapping[str, bool]
    ) -> None:
        """A change that was taken back turned out to be on disk: it is made again."""
        for number, room in rooms.items():
            self.put(number, room)
        if ledger is not None:
            self.write(ledger)
        for key, is_mentioned in mentions.items():
            self.mention(key, is_mentioned=is_mentioned)
        self.told()
        self.commit()

    def rollback(self) -> None:
        """Nothing since the last commit is on disk: forget it here too."""
        for number, before in self._rooms_before.items():
            self._index(number, self.rooms[number], before or NEW_ROOM)
            if before is None:
                del self.rooms[number]
            else:
                self.rooms[number] = before
        if self._ledger_before is not None:
            self.ledger = self._ledger_before
        for key, was_mentioned in tuple(self._mentioned_before.items()):
            self.mention(key, is_mentioned=was_mentioned)
        self.touched.clear()
        self.remarks.clear()
        self.commit()

    def _index(self, number: str, before: Room, room: Room) -> None:
        for guest in before.guests:
            if self.home.get(guest.key) == number:
                del self.home[guest.key]
        for guest in before.said:
            if self.said.get(guest.key) == number:
                del self.said[guest.key]
        self.home.update((guest.key, number) for guest in room.guests)
        for guest in before.guests:
            if guest.key in self.mentioned and guest.key not in self.home:
                self.mention(guest.key, is_mentioned=False)
        self.said.update((guest.key, number) for guest in room.said)
        if room.wake_ups:
            self.called.add(number)
        else:
            self.called.discard(number)


def _emptied(room: Room) -> Room:
    """Nobody is in; what a running resync says of the room stays, and so does its status."""
    return Room(
        out=True,
        said=room.said,
        left=room.left,
        vacated=room.vacated,
        status=room.status,
        status_said=room.status_said,
        departures=room.departures + (room.stay is not None),
    )
