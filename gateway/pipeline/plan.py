"""The plan: the one next call that brings a room of the PBX nearer to what the PMS said last.

Level-triggered, as a thermostat: it asks what is, never what has happened. Pure.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from gateway.drivers.calls import (
    Call,
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.house.states import NOT_KNOWN, NOTHING_HEARD, STRANGER, Actual, Desired, States
from gateway.house.wake_ups import has_rung, next_of, rings_until

OUT: Final = Actual()
"""The actual state of a room in which nobody is."""


@dataclass(frozen=True, slots=True)
class Hotel:
    """What the plan looks at.

    desired     of each room that the PMS has named
    actual      of each room of which anything is known at the PBX
    tags_of     a guest's data in the PBX's own words, from a desired state with a guest
    wall        the hotel's time now, without a zone
    parked      rooms that the PBX refused for good
    """

    desired: States[Desired]
    actual: States[Actual]
    tags_of: Callable[[Desired], dict[str, str]]
    wall: datetime
    parked: Collection[str] = field(default=frozenset())


def next_call(hotel: Hotel, room: str, behind: tuple[str, ...] = ()) -> Call | None:
    """The one call that brings this room nearer to its desired state; None: it is there.

    behind  the rooms whose guests wait for this one to become free
    """
    desired, actual = hotel.desired, hotel.actual
    want = desired.get(room, NOTHING_HEARD)
    have = actual.get(room)
    if have is None and want.is_heard and want.guest is None:
        return CheckOut(room=room)  # nothing was ever known of it: the PBX's answer will tell
    have = have or OUT
    if have.stay is not None and have.stay != want.stay and (want.is_heard or have.stay > 0):
        # A mailbox is here that must not be.
        to = desired.room_of(have.stay)
        is_there = to is not None and actual.get(to, OUT).stay == have.stay
        if (
            to is None or is_there or to in hotel.parked
        ):  # he has left, or cannot go where he should
            return CheckOut(room=room)
        if to in behind:  # a circle of moves: by way of a free room, as reception does it
            spare = _free_room(hotel)
            return Move(room=spare, from_room=room) if spare else CheckOut(room=room)
        if actual.get(to, OUT).stay is None:
            return Move(room=to, from_room=room)
        return next_call(hotel, to, (*behind, room))  # that room has to become free first
    if want.guest is not None and have.stay is None:
        came_from = actual.room_of(want.stay)
        if came_from is not None:
            return Move(room=room, from_room=came_from)
        return CheckIn(room=room, tags=hotel.tags_of(want))
    return _guest_call(hotel, room, want, have) or _word_call(hotel, room, want, have)


def _guest_call(hotel: Hotel, room: str, want: Desired, have: Actual) -> Call | None:
    """The right stay is in the room: does it show the right guest?"""
    if want.guest is None:
        return None
    tags = hotel.tags_of(want)
    told = have.tags or {}
    if want.adopts and not want.guest.is_nobody and told.get("account") != tags.get("account"):
        return None  # others are in of whom we know nothing: one of them is shown
    news = {tag: text for tag, text in tags.items() if told.get(tag, "") != text}
    if "cos" in tags and want.class_said != have.class_said:
        news["cos"] = tags["cos"]
    return Update(room=room, tags=news) if news else None


def _word_call(hotel: Hotel, room: str, want: Desired, have: Actual) -> Call | None:
    """What is said outright of the room: status, do-not-disturb, the next wake-up."""
    if want.guest is not None and (want.dnd, want.dnd_said) != (have.dnd, have.dnd_said):
        return DoNotDisturb(room=room, on=want.dnd)
    if want.status is not None and want.status_said != have.status_said:
        return RoomStatus(room=room, code=want.status)
    following = next_of(want.wake_ups, hotel.wall)
    is_unsaid = following is None and want.wake_up_said == 0 and want.guest is None
    if is_unsaid and have.wake_up_said == NOT_KNOWN:
        return None  # whatever the PBX has is cancelled with the next stay
    if (following, want.wake_up_said) != (_pending(have, hotel.wall), have.wake_up_said):
        is_early = _may_ring(want, have, hotel.wall)
        return None if is_early else WakeUp(room=room, at=following)
    return None


def _may_ring(want: Desired, have: Actual, wall: datetime) -> bool:
    """The PBX may still be trying to wake the room: another wake-up would take its place."""
    has_told = have.wake_up is not None and has_rung(have.wake_up, wall)
    until = rings_until(want.wake_ups, wall)
    return has_told and until is not None and wall < until


def _pending(have: Actual, wall: datetime) -> datetime | None:
    return None if have.wake_up is None or has_rung(have.wake_up, wall) else have.wake_up


def _free_room(hotel: Hotel) -> str | None:
    """A room in which nobody is and nobody shall be."""
    return next(
        (
            room
            for room, have in hotel.actual.items()
            if have.stay is None
            and room not in hotel.parked
            and (want := hotel.desired.get(room)) is not None
            and want.is_heard
            and want.stay is None
        ),
        None,
    )


def done(hotel: Hotel, call: Call) -> dict[str, Actual]:
    """What is actual once this call is done: the rooms that it changes."""
    room = call.room
    want, have = hotel.desired.get(room, NOTHING_HEARD), hotel.actual.get(room, OUT)
    match call:
        case CheckIn(tags=tags):
            # The UCM may keep a wake-up that was set while the room was out, or forget it: it is
            # told again behind the check-in, or cancelled.
            is_clean = have.wake_up_said != NOT_KNOWN and _pending(have, hotel.wall) is None
            after = Actual(
                stay=want.stay,
                tags=tags,
                wake_up_said=want.wake_up_said if is_clean else NOT_KNOWN,
                dnd_said=NOT_KNOWN if have.dnd_said == NOT_KNOWN else want.dnd_said,
                class_said=want.class_said,
                status_said=have.status_said,
            )
        case CheckOut():
            after = Actual(status_said=have.status_said)
        case Move(from_room=from_room):
            left = hotel.actual.get(from_room, OUT)
            return {
                room: replace(left, status_said=have.status_said),
                from_room: Actual(status_said=left.status_said),
            }
        case Update(tags=tags):
            after = replace(have, tags={**(have.tags or {}), **tags}, class_said=want.class_said)
        case RoomStatus():
            after = replace(have, status_said=want.status_said)
        case DoNotDisturb(on=on):
            after = replace(have, dnd=on, dnd_said=want.dnd_said)
        case WakeUp(at=at):
            after = replace(have, wake_up=at, wake_up_said=want.wake_up_said)
    return {room: after}


def with_wake_up(hotel: Hotel, room: str, at: datetime | None) -> Actual:
    """What is actual where the PBX keeps this wake-up of the room by another word than ours; None:
    none. If it is the next one that the room should have, it need not be told.
    """
    want, have = hotel.desired.get(room, NOTHING_HEARD), hotel.actual.get(room, OUT)
    is_next = next_of(want.wake_ups, hotel.wall) == at
    said = want.wake_up_said if is_next else have.wake_up_said
    return replace(have, wake_up=at, wake_up_said=said)


def is_out(have: Actual, *, in_doubt: bool) -> Actual:
    """The PBX says that nobody is in this room.

    in_doubt    it said so to a check-out: what it holds of the room beyond the list (wake-up,
                do-not-disturb) nobody knows
    """
    said = NOT_KNOWN if in_doubt else 0
    return Actual(wake_up_said=said, dnd_said=said, status_said=have.status_said)


def is_strangers(have: Actual, tags: Mapping[str, str] | None = None) -> Actual:
    """The PBX shows somebody in this room who is not ours."""
    return Actual(
        stay=STRANGER,
        tags=tags,
        wake_up_said=NOT_KNOWN,
        dnd_said=NOT_KNOWN,
        status_said=have.status_said,
    )
