"""What the phones show: every way to change it writes the room and tells the PBX."""

from dataclasses import dataclass, field, replace

from gateway.events import CheckIn, CheckOut, Guest, GuestEvent, Update
from gateway.house.book import Book
from gateway.house.values import NEW_ROOM, Remark, Room, Told, differs


@dataclass(slots=True)
class Display:
    """The rooms, and what they came to since the last fact."""

    book: Book
    events: list[GuestEvent] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def check_in(
        self, number: str, guests: tuple[Guest, ...], *, wake_ups_of: Room | None = None
    ) -> None:
        """The room was out; `wake_ups_of`: the room whose wake-ups it keeps."""
        kept = wake_ups_of or NEW_ROOM
        self.book.put(
            number, Room(guests=guests, wake_ups=kept.wake_ups, told=kept.told, said=kept.said)
        )
        self.events.append(CheckIn(room=number, guest=guests[0]))

    def check_out(self, number: str, room: Room) -> None:
        """Nobody is in; a running resync's words about the room stay."""
        self.book.put(number, Room(said=room.said, vacated=room.vacated, told_out=True))
        self.events.append(CheckOut(room=number))

    def show(self, number: str, room: Room, guests: tuple[Guest, ...]) -> None:
        """The room stays in, with these guests."""
        after = replace(room, guests=guests)
        self.book.put(number, after)
        self.tell_difference(number, room, after)

    def tell_difference(self, number: str, before: Room, after: Room) -> None:
        """Tell the PBX when another guest, or the same one otherwise, is displayed."""
        was, shown = before.shown, after.shown
        if was is not None and shown is not None and differs(was, shown):
            self.events.append(Update(room=number, guest=shown, was=was))

    def told(self) -> Told:
        """What has happened since the last time, and forget it."""
        told = Told(tuple(self.events), tuple(self.remarks), frozenset(self.book.touched))
        self.forget()
        return told

    def forget(self) -> None:
        """Nobody will be told: the fact broke off half-way."""
        self.events.clear()
        self.remarks.clear()
        self.book.touched.clear()
