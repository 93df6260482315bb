"""The house: who is in which room, in which order. Facts in, rooms out.

A pure state machine over values, the same for every dialect and every PBX. How a guest comes,
moves and leaves is in `guests`, a resync in `resync`, the moves of a PMS that has no record for
them in `departures`; `book` has the rooms in memory, never ahead of the disk. What all this means
for a phone is `Room.desired`.

The house only moves forward by `apply` and `tick`; `commit` or `rollback` follows each batch.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import assert_never

from gateway.house.arrivals import Arrivals
from gateway.house.book import Book
from gateway.house.departures import Departures
from gateway.house.guests import Guests
from gateway.house.resync import Resync
from gateway.house.values import (
    Ledger,
    Remark,
    Room,
    Told,
    key_of,
)
from gateway.house.wake_ups import WakeUps
from protocols.facts import (
    Fact,
    GuestArrived,
    GuestChanged,
    GuestLeft,
    GuestMoved,
    GuestNamed,
    NightAudit,
    ResyncBegan,
    ResyncEnded,
    ResyncVoided,
    RoomEquipped,
    WakeUpCleared,
    WakeUpOrdered,
)


class House:
    """All rooms of one hotel.

    zone            the hotel's time zone
    infer_moves_s   for a PMS without moves: how long a check-out waits for a check-in of the
                    same reservation in another room; 0: not at all
    rooms, ledger   what the store knew at the last stop
    """

    def __init__(
        self,
        *,
        zone: tzinfo = UTC,
        infer_moves_s: float = 0.0,
        rooms: dict[str, Room] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.zone = zone
        self.book = Book(rooms=rooms or {}, ledger=ledger or Ledger())
        self._wake_ups = WakeUps(self.book)
        self._guests = Guests(self.book)
        self._arrivals = Arrivals(self.book, self._guests)
        self._departures = Departures(self.book, self._guests, infer_moves_s)
        self._resync = Resync(self.book, self._guests)
        self._ticked: datetime | None = None

    # --- The way in ---

    def apply(self, fact: Fact, now: datetime) -> Told:
        """Take one fact; `now` is aware, in the hotel's zone."""
        wall = now.replace(tzinfo=None)
        self._departures.release_before(fact, wall)
        match fact:
            case GuestArrived(anew=True) if self._arrivals.begin(fact, now):
                self._resync.sight(key_of(None, fact.room))
            case GuestNamed():
                self._arrivals.named(fact, wall)
                self._resync.sight(key_of(None, fact.room))
            case GuestArrived(in_resync=True) if self._resync.is_running:
                key = key_of(fact.reservation, fact.room)
                if self._resync.fits(fact, key, wall):
                    self._guests.arrive(fact.room, key, fact.details, None, wall)
                    self._resync.sight(key)
            case GuestArrived():
                key = key_of(fact.reservation, fact.room)
                self._resync.settle_one(key, wall)
                # A room told in a resync whose start we missed: its flag empties nothing.
                shared = None if fact.in_resync else fact.shared
                if shared is False:
                    self._resync.forget_said(fact.room)
                self._guests.arrive(fact.room, key, fact.details, shared, wall)
                self._resync.sight(key)
            case GuestLeft(in_resync=True) if self._resync.is_running:
                self._arrivals.left(fact)
                self._resync.leave(fact)
            case GuestLeft():
                self._arrivals.left(fact)
                self._left(fact, now, wall)
            case GuestMoved():
                self._moved(fact, wall)
            case GuestChanged():
                key = self._guests.key_in(fact.reservation, fact.room)
                self._resync.settle_one(key, wall)
                self._guests.change(fact.room, key, fact.details, wall)
                self._resync.sight(key)
            case RoomEquipped():
                self._equip(fact)
                self._arrivals.equipped(fact)
            case WakeUpOrdered():
                self._wake_ups.order(fact.room, fact.at, now)
            case WakeUpCleared():
                self._wake_ups.clear(fact.room, fact.at, now)
            case ResyncBegan():
                if self._resync.is_running:
                    self._resync.settle(wall, sweep=False)
                self._resync.begin()
            case ResyncEnded():
                if self._resync.is_running:
                    self._resync.settle(wall, sweep=True)
                else:
                    self.book.remarks.append(Remark.NO_RESYNC)
            case ResyncVoided():
                if self._resync.is_running:
                    self.book.remarks.append(Remark.RESYNC_VOIDED)
                    self._resync.settle(wall, sweep=False)
            case NightAudit(running=running):
                self.book.write(replace(self.book.ledger, night_audit=running))
            case _:
                assert_never(fact)
        return self.book.told()

    def tick(self, now: datetime) -> Told:
        """What has become due by `now`: departures that no arrival followed, next wake-ups."""
        wall = now.replace(tzinfo=None)
        self._departures.tick(now)
        self._arrivals.tick(now, wall)
        rung = self._wake_ups.ring(self._since(wall), wall)
        self._ticked = wall
        return replace(self.book.told(), rung=tuple(rung))

    def deadline(self, now: datetime) -> datetime | None:
        """When `tick` has something to do; aware, in the hotel's zone."""
        wall = now.replace(tzinfo=None)
        if self._ticked is not None and wall < self._ticked:
            return now  # the clock has jumped back: another wake-up may be the next by now
        wake_ups = self._wake_ups.deadlines(self.zone, self._since(wall))
        waiting = self._departures.deadlines() + self._arrivals.deadlines()
        return min(waiting + wake_ups, default=None)

    def _since(self, wall: datetime) -> datetime:
        """When was the last tick? At a start: what has rung of late is looked at too."""
        return self._ticked or wall - timedelta(hours=1)

    def forget(self, before: datetime) -> None:
        """Let go of guests announced before this moment (hotel time) who never came."""
        for number, room in tuple(self.rooms.items()):
            expected = tuple(each for each in room.expected if each.came >= before)
            self.book.put(number, replace(room, expected=expected))

    @property
    def rooms(self) -> Mapping[str, Room]:
        """All rooms we have heard of, by their address."""
        return self.book.rooms

    @property
    def ledger(self) -> Ledger:
        """What is known beside the rooms."""
        return self.book.ledger

    # --- Guests move ---

    def _moved(self, fact: GuestMoved, wall: datetime) -> None:
        key = self._guests.key_in(fact.reservation, fact.old_room)
        self._resync.settle_one(key, wall)
        home = self.book.home.get(key)
        nobody_moves = (
            fact.reservation is None
            and self.book.room(fact.old_room).shown is None
            and self.book.room(fact.room).shown is not None
        )
        if home == fact.room or nobody_moves:
            # Told again, or after an arrival that already moved him: nothing moves twice.
            key = self._guests.key_in(fact.reservation, fact.room)
            self._guests.change(fact.room, key, fact.details, wall)
        else:
            lifted = self._guests.lift(fact.old_room, key, fact.old_room_shared, wall)
            if home is not None and home != fact.old_room:
                # He was in the old room without our knowing, and brought there what he has.
                self.book.remarks.append(Remark.IMPLICIT_MOVE)
                lifted = self._guests.lift(home, key, None, wall)
            self._guests.place(fact.room, lifted, key, fact.details, fact.shared, wall)
        self._resync.sight(key if fact.reservation else key_of(None, fact.room))

    # --- Guests leave ---

    def _left(self, fact: GuestLeft, now: datetime, wall: datetime) -> None:
        key = self._guests.key_in(fact.reservation, fact.room)
        self._resync.settle_one(key, wall)
        room = self.book.room(fact.room)
        if fact.reservation is None:
            self._resync.forget_said(fact.room)
        elif self._departures.waits(fact, now):
            return
        home = self.book.home.get(key)
        self._guests.leave(fact.room, key if fact.reservation else None, fact.shared, wall)
        if fact.reservation in room.moved_on:
            moved_on = tuple(each for each in room.moved_on if each != fact.reservation)
            self.book.put(fact.room, replace(self.book.room(fact.room), moved_on=moved_on))
        elif fact.reservation is not None and home is not None and home != fact.room:
            # He had moved here before he left, and nobody told us.
            self.book.remarks.append(Remark.IMPLICIT_MOVE)
            self._guests.leave(home, key, None, wall)

    # --- Equipment ---

    def _equip(self, fact: RoomEquipped) -> None:
        room = self.book.room(fact.room)
        if room.shown is None:
            asked = (fact.class_of_service, fact.do_not_disturb)
            not_in = sum(each not in (None, "") for each in asked)
            self.book.remarks += [Remark.ROOM_NOT_IN] * not_in
        else:
            if fact.class_of_service:
                code = fact.class_of_service
                guests = tuple(replace(guest, class_of_service=code) for guest in room.guests)
                room = replace(room, guests=guests, class_said=room.class_said + 1)
            if fact.do_not_disturb is not None:
                room = replace(room, dnd=fact.do_not_disturb, dnd_said=room.dnd_said + 1)
        if fact.room_status:
            room = replace(room, status=fact.room_status, status_said=room.status_said + 1)
        self.book.put(fact.room, room)
