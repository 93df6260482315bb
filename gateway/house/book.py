"""The rooms in memory, never ahead of the disk: a change can be taken back until it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.house.values import NEW_ROOM, Ledger, Room


@dataclass(slots=True)
class Book:
    """All rooms of one hotel by their address, and where each guest is.

    home        guest's key -> the room he is in
    said        guest's key -> the room a running resync puts him in
    crowded     rooms with more than one wake-up to come
    touched     rooms written since somebody last looked
    mentioned   keys of guests of whom the running resync has spoken; only in memory, because a
                resync does not outlive a restart, and so a room that has not changed is not written
    """

    rooms: dict[str, Room] = field(default_factory=dict)
    ledger: Ledger = Ledger()
    home: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    crowded: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
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

    def changed_ledger(self) -> Ledger | None:
        """The ledger, if it differs from the last commit."""
        if self._ledger_before is None or self._ledger_before == self.ledger:
            return None
        return self.ledger

    def changed_mentions(self) -> Mapping[str, bool]:
        """Of whom the running resync has spoken (or not) since the last commit."""
        return {key: key in self.mentioned for key in self._mentioned_before}

    def commit(self) -> None:
        """Everything since the last commit is on disk."""
        self._rooms_before.clear()
        self._ledger_before = None
        self._mentioned_before.clear()

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
        if len(room.wake_ups) > 1:
            self.crowded.add(number)
        else:
            self.crowded.discard(number)
