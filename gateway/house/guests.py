"""How guests come into a room, change, move and leave it, with sharers and stale guests.

The guest who has been in a room longest is the one its phone shows. `shared` is always the PMS's
word about a room: True: others are in it, False: nobody else, None: it says nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.house.book import Book
from gateway.house.states import Guest
from gateway.house.values import (
    MAX_EXPECTED,
    Remark,
    Room,
    anybody,
    is_another,
    joined,
    key_of,
    swapped,
    told_of,
)
from protocols.facts import GuestDetails


@dataclass(frozen=True, slots=True)
class Lifted:
    """A guest on his way from one room to another.

    guest   as known before the move
    room    his old room, when nobody stayed behind: its stay goes with him
    """

    guest: Guest | None
    room: Room | None = None


class Guests:
    """The guests of one hotel, in its book. `wall` is always the hotel's time, without a zone."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def arrive(
        self, number: str, key: str, details: GuestDetails, shared: bool | None, wall: datetime
    ) -> None:
        """A guest is in this room, by the PMS's word: new, told again, or come from another one."""
        if self._moved_without_a_word(number, key, details, shared, wall):
            return
        room = self._book.room(number)
        known = room.find(key)
        if known is not None and is_another(known, details):
            # A PMS without reservations: another name is another guest.
            self._book.remarks.append(Remark.STALE_GUESTS)
            self._book.check_out(number, room)
            room, known = self._book.room(number), None
        guest = told_of(known or self._expected(room, key, wall), details)
        if known is None:
            self._join(number, guest, shared)
            return
        guests = swapped(room.guests, guest)
        if shared is False and room.without(key):
            self._book.remarks.append(Remark.STALE_GUESTS)
            guests, room = (guest,), replace(room, adopts=False)
        self._book.put(number, room.with_guests(guests))

    def _join(
        self, number: str, guest: Guest, shared: bool | None, lifted: Room | None = None
    ) -> None:
        """A guest comes into a room, and brings the stay of his old one, if he left nobody there.

        shared  the PMS's word about this room: False empties it first
        """
        room = self._book.room(number)
        if shared is False and room.guests:
            self._book.remarks.append(Remark.STALE_GUESTS)
            self._book.check_out(number, room)
            room = self._book.room(number)
        brought = lifted.wake_ups if lifted is not None else ()
        wake_ups = tuple(sorted({*room.wake_ups, *brought}))
        adopts = shared is True and room.is_unheard
        if room.guests:
            room = room.with_guests(joined(room.guests, guest))
            self._book.put(number, replace(room, wake_ups=wake_ups))
        elif lifted is not None and lifted.stay is not None and not adopts:
            stay = replace(
                lifted.with_guests((guest,)),
                said=room.said,
                left=room.left,
                vacated=room.vacated,
                wake_ups=wake_ups,
                status=room.status,
                status_said=room.status_said,
                departures=room.departures,
            )
            self._book.put(number, stay)
        else:
            room = replace(room, adopts=adopts, wake_ups=wake_ups)
            self._book.check_in(number, (guest,), room)

    def change(self, number: str, key: str, details: GuestDetails, wall: datetime) -> None:
        """There is news of a guest of this room; he may not be in yet."""
        if self._moved_without_a_word(number, key, details, None, wall):
            return
        room = self._book.room(number)
        known = room.find(key)
        guest = told_of(known or self._expected(room, key, wall), details)
        if known is not None:
            self._book.put(number, room.with_guests(swapped(room.guests, guest)))
        elif room.guests:
            self._book.put(number, room.with_guests(joined(room.guests, guest)))
        else:
            self._book.remarks.append(Remark.ROOM_NOT_IN)
            expected = tuple(each for each in room.expected if each.key != key)
            self._book.put(number, replace(room, expected=(*expected, guest)[-MAX_EXPECTED:]))

    def _moved_without_a_word(
        self, number: str, key: str, details: GuestDetails, shared: bool | None, wall: datetime
    ) -> bool:
        """A guest of another room turns up here: a move; his old room by our own count."""
        home = self._book.home.get(key)
        if home is None or home == number:
            return False
        self._book.remarks.append(Remark.IMPLICIT_MOVE)
        lifted = self.lift(home, key, None, wall)
        left = self._book.room(home)
        moved_on = (*left.moved_on, key)[-MAX_EXPECTED:]
        self._book.put(home, replace(left, moved_on=moved_on))
        self.place(number, lifted, key, details, shared, wall)
        return True

    def lift(self, number: str, key: str, shared: bool | None, wall: datetime) -> Lifted:
        """A guest leaves a room for another one; the last one takes the stay along.

        shared  the PMS's word about this room
        """
        room = self._book.room(number)
        guest = room.find(key)
        staying = self._by_flag(number, room, anybody(room.without(key)), shared)
        if staying:
            self._book.put(number, room.with_guests(staying))
        elif shared and room.is_unheard:
            self._keep_in(number, room, wall)
        else:
            self._book.check_out(number, room)
            return Lifted(guest, room)
        return Lifted(guest)

    def place(
        self,
        number: str,
        lifted: Lifted,
        key: str,
        details: GuestDetails,
        shared: bool | None,
        wall: datetime,
    ) -> None:
        """A guest on his way arrives; `shared`: the PMS's word about this room."""
        room = self._book.room(number)
        guest = told_of(lifted.guest or self._expected(room, key, wall), details)
        if self._is_anothers(lifted, guest):
            lifted = Lifted(guest)
        if guest.reservation is None:
            guest = replace(guest, key=key_of(None, number))
            resident = room.find(guest.key)
            if resident is not None and not resident.is_nobody:
                return  # a room has one guest without a number, and keeps him
        self._join(number, guest, shared, lifted.room)

    @staticmethod
    def _is_anothers(lifted: Lifted, guest: Guest) -> bool:
        """The old room shows somebody who is surely not this guest, by number and by name: its
        mailbox must not come along.
        """
        shown = lifted.room.shown if lifted.room is not None else None
        return (
            shown is not None
            and lifted.guest is None
            and None not in (shown.reservation, guest.reservation)
            and shown.name.casefold() != guest.name.casefold()
        )

    def leave(self, number: str, key: str | None, shared: bool | None, wall: datetime) -> None:
        """One guest leaves, or (key None) everybody unless the flag says that some stay."""
        room = self._book.room(number)
        if key is None:
            staying = room.without(key_of(None, number)) if shared else ()
        else:
            if room.find(key) is None:
                self._book.remarks.append(Remark.UNKNOWN_GUEST)
            staying = anybody(room.without(key))
        staying = self._by_flag(number, room, staying, shared)
        if staying:
            self._book.put(number, room.with_guests(staying))
        elif shared and room.shown is None:
            self._keep_in(number, room, wall)
        elif room.guests or not room.out:
            self._book.check_out(number, room)

    def _keep_in(self, number: str, room: Room, wall: datetime) -> None:
        """The PBX may show a guest from before our time: by the PMS's word, somebody is in."""
        self._book.remarks.append(Remark.SHARE_FLAG)
        nobody = Guest(key=key_of(None, number), came=wall)
        self._book.check_in(number, (nobody,), replace(room, adopts=room.is_unheard))

    def _by_flag(
        self, number: str, room: Room, staying: tuple[Guest, ...], shared: bool | None
    ) -> tuple[Guest, ...]:
        """Who stays behind in a room, when the PMS's share flag has its word."""
        if shared is False and staying:
            self._book.remarks.append(Remark.SHARE_FLAG)
            return ()
        if shared is True and not staying and room.shown is not None:
            self._book.remarks.append(Remark.SHARE_FLAG)
            return (Guest(key=key_of(None, number), came=room.shown.came),)
        return staying

    def key_in(self, reservation: str | None, number: str) -> str:
        """The key a record means: without a number, the only guest of the room."""
        guests = self._book.room(number).guests
        if reservation is None and len(guests) == 1:
            return guests[0].key
        return key_of(reservation, number)

    def place_of(self, guest: Guest) -> int:
        """0: the displayed one of his room."""
        guests = self._book.rooms[self._book.home[guest.key]].guests
        return next(place for place, each in enumerate(guests) if each.key == guest.key)

    @staticmethod
    def _expected(room: Room, key: str, wall: datetime) -> Guest:
        known = next((guest for guest in room.expected if guest.key == key), None)
        return replace(known, came=wall) if known else Guest(key=key, came=wall)
