"""Check-outs that may turn out to be moves, for a PMS without a record for a move."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.house.book import Book
from gateway.house.guests import Guests
from gateway.house.values import Departure
from protocols.facts import (
    Fact,
    GuestArrived,
    GuestChanged,
    GuestLeft,
    GuestMoved,
    ResyncBegan,
    ResyncEnded,
    ResyncVoided,
)


class Departures:
    """Departures that wait whether the guest turns up in another room.

    within_s    for how long; 0: none waits
    """

    def __init__(self, book: Book, guests: Guests, within_s: float) -> None:
        self._book = book
        self._guests = guests
        self._within_s = within_s

    def waits(self, fact: GuestLeft, now: datetime) -> bool:
        """Whether this guest's departure waits now."""
        known = self._book.room(fact.room).find(fact.reservation or "")
        if self._within_s <= 0 or known is None:
            return False
        departure = Departure(
            # In UTC: an hour that comes twice must not make it wait for both.
            due=now.astimezone(UTC) + timedelta(seconds=self._within_s),
            room=fact.room,
            reservation=known.key,
            # That others stay was true when it was said, and may not be when it is due.
            shared=None if fact.shared else fact.shared,
        )
        self._expect((*self._book.ledger.departures, departure))
        return True

    def tick(self, now: datetime) -> None:
        """Let those happen that have waited long enough."""
        # One that seems to wait longer has only seen the clock jump back.
        longest = timedelta(seconds=self._within_s)
        wall = now.replace(tzinfo=None)
        self.release(lambda each: each.due <= now or each.due > now + longest, wall)

    def deadlines(self) -> list[datetime]:
        """When each of them is due."""
        return [departure.due for departure in self._book.ledger.departures]

    def release_before(self, fact: Fact, wall: datetime) -> None:
        """Let waiting departures happen that this fact cannot turn into moves."""
        match fact:
            case GuestArrived(in_resync=True):
                self.release(
                    lambda departure: (
                        departure.room == fact.room or departure.reservation == fact.reservation
                    ),
                    wall,
                )
            case GuestArrived():
                moving = [
                    each
                    for each in self._book.ledger.departures
                    if each.reservation == fact.reservation and each.room != fact.room
                ]
                self._expect(
                    tuple(each for each in self._book.ledger.departures if each not in moving)
                )
                # Who left the old room before him has left it when he moves: the last one takes
                # the stay along.
                rooms = {fact.room, *(each.room for each in moving)}
                self.release(
                    lambda each: (
                        each.room in rooms and (each.room == fact.room or each.due <= moving[0].due)
                    ),
                    wall,
                )
            case GuestLeft(in_resync=False):
                room = self._book.room(fact.room)
                if fact.reservation is None or room.find(fact.reservation) is None:
                    self.release(lambda departure: departure.room == fact.room, wall)
            case GuestChanged():
                self.release(lambda departure: departure.room == fact.room, wall)
            case GuestMoved():
                touched = (fact.room, fact.old_room)
                self.release(lambda departure: departure.room in touched, wall)
            case ResyncBegan() | ResyncEnded() | ResyncVoided():
                self.release(lambda _: True, wall)
            case _:
                pass  # equipment, wake-ups and marks do not care who is about to leave

    def release(self, is_due: Callable[[Departure], bool], wall: datetime) -> None:
        """Let some of them happen now."""
        due = [departure for departure in self._book.ledger.departures if is_due(departure)]
        self._expect(tuple(each for each in self._book.ledger.departures if each not in due))
        for departure in due:
            self._guests.leave(departure.room, departure.reservation, departure.shared, wall)

    def _expect(self, departures: tuple[Departure, ...]) -> None:
        if departures != self._book.ledger.departures:
            self._book.write(replace(self._book.ledger, departures=departures))
