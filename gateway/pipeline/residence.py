"""From changed rooms to the store's history of residents: who came, who left, and when. Pure."""

from collections.abc import Mapping
from datetime import datetime, time, tzinfo
from typing import Final

from gateway.house import Room
from gateway.house.book import Book
from gateway.house.residents import identity, residents
from gateway.store import Resident

_DAY_S: Final = 86_400.0


def changes(book: Book, pms_rooms: Mapping[str, str], now: float, zone: tzinfo) -> list[Resident]:
    """What the rooms that changed since the last commit mean for the history.

    pms_rooms   how the PMS writes rooms of which it has just spoken
    """
    found = []
    for number, after in book.changed_rooms().items():
        before = book.before(number)
        was, here = residents(before), residents(after)
        name = pms_rooms.get(number, number)
        found += [
            Resident(room=number, guest=guest, pms_room=name, since=now, until=now)
            for guest in was - here
        ]
        since = _since(before, after, now, zone)
        found += [
            Resident(room=number, guest=guest, pms_room=name, since=since.get(guest, now))
            for guest in here - was
        ]
    return found


def all_of(
    rooms: Mapping[str, Room], known: list[Resident], now: float, zone: tzinfo
) -> list[Resident]:
    """What the history lacks, at a start: after an upgrade all of it, else nothing."""
    there = {(each.room, each.guest) for each in known}
    here = {(number, guest) for number, room in rooms.items() for guest in residents(room)}
    came = {
        (number, identity(guest, room.stay)): guest.came.replace(tzinfo=zone).timestamp()
        for number, room in rooms.items()
        for guest in room.guests
    }
    return [
        Resident(room=room, guest=guest, pms_room=room, since=now, until=now)
        for room, guest in there - here
    ] + [
        Resident(room=room, guest=guest, pms_room=room, since=min(came[room, guest], now))
        for room, guest in here - there
    ]


def _since(before: Room, after: Room, now: float, zone: tzinfo) -> dict[str, float]:
    """Of guests who were in a room of which we had never heard: since the day of their arrival."""
    if not before.is_unheard:
        return {}
    arrivals = {
        identity(guest, after.stay): datetime.combine(guest.arrival, time(), zone).timestamp()
        for guest in after.guests
        if guest.arrival is not None
    }
    return {guest: at for guest, at in arrivals.items() if now - at > _DAY_S}
