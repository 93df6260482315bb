"""Arrivals of a PMS that says first that somebody comes, and then who.

If the room is taken, only the name can tell whether it is somebody else: the same name, and
nothing has happened; another one, or none in time, and the last guest's mailbox must go. What waits
is in the ledger, so a restart in between forgets nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.house.book import Book
from gateway.house.guests import Guests
from gateway.house.values import Arrival, Remark, key_of, told_of
from protocols.facts import GuestArrived, GuestDetails, GuestLeft, GuestNamed, RoomEquipped

NAMED_WITHIN: Final = timedelta(seconds=10)
"""The name follows the check-in at once; on a slow line, after a collision or two."""


class Arrivals:
    """What waits for its name."""

    def __init__(self, book: Book, guests: Guests) -> None:
        self._book = book
        self._guests = guests

    def begin(self, fact: GuestArrived, now: datetime) -> bool:
        """Somebody comes into this room. True: it is taken, and his name decides who he is."""
        room = self._book.room(fact.room)
        is_taken = room.shown is not None
        if not is_taken and not any(each.name for each in room.expected):
            return False
        arrival = Arrival(
            # In UTC: an hour that comes twice must not make it wait for both.
            due=now.astimezone(UTC) + NAMED_WITHIN,
            room=fact.room,
            in_resync=fact.in_resync,
            is_in=not is_taken,  # under the name that was said before, unless another one follows
        )
        self._expect((*self._without(fact.room), arrival))
        return is_taken

    def named(self, fact: GuestNamed, wall: datetime) -> None:
        """The name that stands on the phone of this room."""
        key, details = key_of(None, fact.room), GuestDetails(name=fact.name)
        shown = self._book.room(fact.room).shown
        waiting = self._of(fact.room)
        self._expect(self._without(fact.room))
        is_same = shown is not None and shown.name.casefold() == fact.name.casefold()
        is_respelt = is_same and shown is not None and shown.name != fact.name
        if self._said(fact.room, details):
            return
        if waiting is not None and not waiting.is_in and not is_same:
            self._anew(waiting, details, wall)
        elif shown is None or not shown.name or not fact.adds or is_respelt or waiting is not None:
            self._guests.change(fact.room, key, details, wall)
        elif not is_same:
            self._book.remarks.append(Remark.SHARER_WITHOUT_NUMBER)

    def equipped(self, fact: RoomEquipped) -> None:
        """What is set for the room belongs to him who comes."""
        waiting = self._of(fact.room)
        if fact.class_of_service:
            self._said(fact.room, GuestDetails(class_of_service=fact.class_of_service))
        if waiting is not None and fact.class_of_service:
            news = replace(waiting, class_of_service=fact.class_of_service)
            self._expect((*self._without(fact.room), news))

    def _said(self, number: str, details: GuestDetails) -> bool:
        """News of a guest whom the running resync puts into a room of which we have never heard:
        he comes at its end. False: there is none.
        """
        room, key = self._book.room(number), key_of(None, number)
        if all(each.key != key for each in room.said):
            return False
        said = tuple(told_of(each, details) if each.key == key else each for each in room.said)
        self._book.put(number, replace(room, said=said))
        return True

    def left(self, fact: GuestLeft) -> None:
        """Nobody comes any more."""
        self._expect(self._without(fact.room))

    def tick(self, now: datetime, wall: datetime) -> None:
        """Who was not named in time has no name."""
        # One that seems to wait longer has only seen the clock jump back.
        self._release(lambda each: each.due <= now or each.due > now + NAMED_WITHIN, wall)

    def deadlines(self) -> list[datetime]:
        """When each of them is due."""
        return [arrival.due for arrival in self._book.ledger.arrivals]

    def _release(self, is_due: Callable[[Arrival], bool], wall: datetime) -> None:
        due = [each for each in self._book.ledger.arrivals if is_due(each)]
        self._expect(tuple(each for each in self._book.ledger.arrivals if each not in due))
        for arrival in due:
            if (
                not arrival.in_resync and not arrival.is_in
            ):  # a resync without names says that somebody is in: he is
                self._anew(arrival, GuestDetails(), wall)

    def _anew(self, arrival: Arrival, details: GuestDetails, wall: datetime) -> None:
        self._book.check_out(arrival.room, self._book.room(arrival.room))
        if arrival.class_of_service is not None:
            details = replace(details, class_of_service=arrival.class_of_service)
        self._guests.arrive(arrival.room, key_of(None, arrival.room), details, None, wall)

    def _of(self, room: str) -> Arrival | None:
        return next((each for each in self._book.ledger.arrivals if each.room == room), None)

    def _without(self, room: str) -> tuple[Arrival, ...]:
        return tuple(each for each in self._book.ledger.arrivals if each.room != room)

    def _expect(self, arrivals: tuple[Arrival, ...]) -> None:
        if arrivals != self._book.ledger.arrivals:
            self._book.write(replace(self._book.ledger, arrivals=arrivals))
