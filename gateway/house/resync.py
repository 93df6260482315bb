"""Resync: what the PMS says of every room, held against what we know.

What fits is taken at once. What is in conflict (a guest known elsewhere, a room known as somebody
else's, a room said to be vacant) waits until everything has been told: only then is it clear who
moved, who left, and whose mailbox must go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.events import Guest, Move, Update
from gateway.house.book import Book
from gateway.house.display import Display
from gateway.house.values import differs, told_of
from protocols.facts import GuestArrived, GuestLeft


@dataclass(slots=True)
class Resync:
    """The running resync of a hotel, if there is one."""

    _book: Book
    _display: Display
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
        is_free = room.shown is None and all(each.key == key for each in room.said)
        if home == fact.room or (home is None and is_free):
            self.unsay(key)
            return True
        # In conflict with what we know: who is gone is clear only when everything is told.
        known = next((each for each in room.said if each.key == key), None)
        if known is None and home is not None:
            known = self._book.rooms[home].find(key)
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
        elif not room.is_known_out:
            self._book.put(fact.room, replace(self._book.room(fact.room), empty=True))

    def settle(self, *, sweep: bool) -> None:
        """Make the house what the resync said, with the smallest set of events.

        sweep   everything was told: who was not mentioned and whose room somebody else was
                said to have is gone
        """
        mentioned = self._book.mentioned
        before = dict(self._book.rooms)
        after: dict[str, list[Guest]] = {}
        for number, room in before.items():
            spoken_for = (
                bool(room.said)
                or number in self._in_part  # who is mentioned is in another part of it
                or any(guest.key in mentioned for guest in room.guests)
            )
            after[number] = [
                guest
                for guest in room.guests
                if guest.key not in self._book.said
                and guest.key not in room.left
                and not room.vacated
                and not (sweep and spoken_for and guest.key not in mentioned)
            ]
        for number, room in before.items():
            if room.said and all(guest.is_nobody for guest in after[number]):
                after[number] = []
            after[number] += room.said
        touched = {
            number: tuple(guests)
            for number, guests in after.items()
            if tuple(guests) != before[number].guests
        }
        self._move(touched)
        for number, guests in touched.items():
            shown = self._book.room(number).shown
            if shown is not None and (not guests or guests[0].key != shown.key):
                self._display.check_out(number, self._book.room(number))
        for number, guests in touched.items():
            room = self._book.room(number)
            if guests and room.shown is None:
                who_stays = {guest.key for guest in before[number].guests} & {
                    guest.key for guest in guests
                }
                if who_stays:  # a check-out took their wake-ups from the PBX: they are told again
                    room = replace(room, wake_ups=before[number].wake_ups)
                self._display.check_in(number, guests, wake_ups_of=room)
            elif guests:
                self._display.show(number, room, guests)
        for number, room in tuple(self._book.rooms.items()):
            if room.said or room.vacated or room.left:
                self._book.put(number, replace(room, said=(), left=(), vacated=False))
        self._book.write(replace(self._book.ledger, in_resync=False))

    def _move(self, touched: Mapping[str, tuple[Guest, ...]]) -> None:
        """Emit the moves among the differences: displayed before, displayed after, way free."""
        waiting = dict(touched)
        progress = True
        while progress:
            progress = False
            for number, guests in tuple(waiting.items()):
                if not guests or self._book.room(number).shown is not None:
                    continue
                key = guests[0].key
                source = self._book.home.get(key)
                if source is None or source == number:
                    continue
                old = self._book.room(source)
                stay = {guest.key for guest in touched.get(source, old.guests)}
                if (
                    old.shown is None
                    or old.shown.key != key
                    or stay & {guest.key for guest in old.guests}
                ):
                    continue
                emptied = replace(self._book.room(source), guests=(), wake_ups=(), told=None)
                self._book.put(source, replace(emptied, told_out=True))
                new = self._book.room(number)
                self._book.put(
                    number,
                    replace(
                        new,
                        guests=guests,
                        wake_ups=tuple(sorted({*new.wake_ups, *old.wake_ups})),
                        told=old.told,
                        told_out=False,
                    ),
                )
                self._display.events.append(Move(room=number, from_room=source, guest=guests[0]))
                if differs(old.shown, guests[0]):
                    self._display.events.append(Update(room=number, guest=guests[0], was=old.shown))
                del waiting[number]
                progress = True

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
