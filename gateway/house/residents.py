"""Who is in a room, by an identity that goes with the guest: a charge must not reach another one.
Pure.
"""

from gateway.house.states import Guest
from gateway.house.values import Room


def identity(guest: Guest, stay: int | None) -> str:
    """The reservation; in a PMS that keeps rooms, the stay: it goes with him when he moves, and
    the next guest of the room has another one.
    """
    return guest.reservation or f"stay {stay}"


def residents(room: Room) -> frozenset[str]:
    """Everybody who is in."""
    return frozenset(identity(guest, room.stay) for guest in room.guests)
