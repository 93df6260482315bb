"""Resync: what the PMS says of every room, held against what we know.

What fits is taken at once. What is in conflict (a guest known elsewhere, a room known as somebody
else's, a room said to be vacant) waits until everything has been told: only then is it clear who
moved, who left, and whose mailbox must go.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.house.book import Book
from gateway.house.guests import Guests
from gateway.house.states import Guest
from gateway.house.values import details_of, is_another, told_of
from protocols.facts import GuestArrived, GuestLeft


@dataclass(slots=True)
class Resync:
    """The running resync of a hotel, if there is one."""

    _book: Book
    _guests: Guests
    _in_part: set[str] = field(default_factory=set)
    """Rooms of which a part is said to be empty; see GuestLeft."""

    @property
    def is_running(self) -> bool:
        """Between DS and DE."""
        return self._book.ledger.in_resync

    def begin(self) -> None:
        """DS: from here on every room is told."""
        self._in_part.clear()
        ledger = self._book.ledger
        self._book.write(replace(ledger, in_resync=True, resync=ledger.resync + 1))
        for key in tuple(self._book.mentioned):
            self._book.mention(key, is_mentioned=False)

    def fits(self, fact: GuestArrived, key: str, wall: datetime) -> bool:
        """Whether this guest of the resync is no conflict: then the house takes him as news.

        Else he is noted as said to be in the room, until `settle`.
        """
        room = self._book.room(fact.room)
        home = self._book.home.get(key)
        if self._book.said.get(key) not in (None, fact.room):
            self.unsay(key)  # the last word counts
            room = self._book.room(fact.room)
        room = replace(room, vacated=False)
        # A guest who is said to be here already came first, although he waits for the end.
        # A room we never heard of may have guests of whom the PMS has not spoken yet.
        is_free = room.out and all(each.key == key for each in room.said)
        resident = room.find(key)
        is_news = resident is None or not is_another(resident, fact.details)
        if (home == fact.room and is_news) or (home is None and is_free):
            self.unsay(key)
            return True
        # In conflict with what we know: who is gone is clear only when everything is told.
        known = next((each for each in room.said if each.key == key), None)
        if known is None and home is not None:
            known = self._book.rooms[home].find(key)
        if known is not None and is_another(known, fact.details):
            known = None
        guest = told_of(known or Guest(key=key, came=wall), fact.details)
        said = tuple(each for each in room.said if each.key != key)
        self._book.put(fact.room, replace(room, said=(*said, guest)))
        return False

    def leave(self, fact: GuestLeft) -> None:
        """A guest, or (without a reservation) everybody, is said to be out."""
        room = self._book.room(fact.room)
        if fact.reservation is not None:
            self.unsay(fact.reservation)
            if room.find(fact.reservation) is not None:
                self._book.mention(fact.reservation, is_mentioned=False)
                left = (*(key for key in room.left if key != fact.reservation), fact.reservation)
                self._book.put(fact.room, replace(self._book.room(fact.room), left=left))
            return
        if fact.in_part:
            self._in_part.add(fact.room)
            return
        self.forget_said(fact.room)
        if room.shown is not None:
            for guest in room.guests:
                self._book.mention(guest.key, is_mentioned=False)
            self._book.put(fact.room, replace(self._book.room(fact.room), vacated=True))
        else:
            self._book.put(fact.room, replace(self._book.room(fact.room), out=True))

    def _said(self) -> list[tuple[str, Guest]]:
        """Rooms and the guests who are said to be in them, in conflict with what we know."""
        return [(number, guest) for number, room in self._book.rooms.items() for guest in room.said]

    def _gone(self, *, sweep: bool) -> list[tuple[str, Guest]]:
        """Rooms and the guests who have left them, and are not said to be in another one.

        sweep   everything was told: who was not mentioned and whose room somebody else was
                said to have is gone
        """
        mentioned = self._book.mentioned
        gone = []
        for number, room in self._book.rooms.items():
            spoken_for = (
                bool(room.said)
                or number in self._in_part  # who is mentioned is in another part of it
                or any(guest.key in mentioned for guest in room.guests)
            )
            gone += [
                (number, guest)
                for guest in room.guests
                if guest.key not in self._book.said
                and (
                    guest.key in room.left
                    or room.vacated
                    or (sweep and spoken_for and guest.key not in mentioned)
                )
            ]
        return gone

    def _end(self) -> None:
        """Nothing of what was said waits any more."""
        for number, room in tuple(self._book.rooms.items()):
            if room.said or room.vacated or room.left:
                self._book.put(number, replace(room, said=(), left=(), vacated=False))
        self._book.write(replace(self._book.ledger, in_resync=False))

    def settle(self, wall: datetime, *, sweep: bool) -> None:
        """Make the house what the resync said: who is gone leaves, who moved is lifted out of his
        old room and placed in the new one, who is new arrives; in this order, so that nobody
        finds his room still taken by somebody who has left it.
        """
        gone, said = self._gone(sweep=sweep), self._said()
        self._end()
        for number, guest in gone:
            self._guests.leave(number, guest.key, None, wall)
        movers = [
            (number, guest)
            for number, guest in said
            if self._book.home.get(guest.key) not in (None, number)
        ]

        def place_of(mover: tuple[str, Guest]) -> int:
            return self._guests.place_of(mover[1])

        # The displayed guest of a room goes last, and so takes the stay along.
        lifted = {
            guest.key: self._guests.lift(self._book.home[guest.key], guest.key, None, wall)
            for _, guest in sorted(movers, key=place_of, reverse=True)
        }
        # Who brings a stay comes first: those who move in with him then join it.
        for number, guest in sorted(movers, key=lambda mover: lifted[mover[1].key].room is None):
            details = details_of(guest)
            self._guests.place(number, lifted[guest.key], guest.key, details, None, wall)
        for number, guest in said:
            if guest.key not in lifted:
                self._guests.arrive(number, guest.key, details_of(guest), None, wall)
        came: dict[str, list[str]] = {}
        for number, guest in said:
            came.setdefault(number, []).append(guest.key)
        for number, keys in came.items():  # those who came have come in the order of the PMS
            room = self._book.room(number)
            order = {key: place for place, key in enumerate(keys)}
            shown = sorted(room.guests, key=lambda guest: order.get(guest.key, -1))
            self._book.put(number, replace(room, guests=tuple(shown)))

    def settle_one(self, key: str, wall: datetime) -> None:
        """News about a guest whom the resync put somewhere: put him there first."""
        if key in self._book.said:
            number = self._book.said[key]
            guest = next(each for each in self._book.rooms[number].said if each.key == key)
            self.unsay(key)
            self._guests.arrive(number, key, details_of(guest), None, wall)

    def sight(self, key: str) -> None:
        """This guest was mentioned while a resync runs."""
        home = self._book.home.get(key)
        if self.is_running and home is not None:
            self._book.mention(key)
            room = self._book.rooms[home]
            left = tuple(each for each in room.left if each != key)
            self._book.put(home, replace(room, left=left, vacated=False))

    def unsay(self, key: str) -> None:
        """What was said of this guest does not count any more."""
        number = self._book.said.get(key)
        if number is not None:
            room = self._book.rooms[number]
            said = tuple(guest for guest in room.said if guest.key != key)
            self._book.put(number, replace(room, said=said))

    def forget_said(self, number: str) -> None:
        """What was said of this room does not count any more."""
        if self._book.room(number).said:
            self._book.put(number, replace(self._book.room(number), said=()))
