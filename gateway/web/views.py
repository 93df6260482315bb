"""Rooms, calls and differences as JSON, for the operator's commands."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import Any, Final

from gateway.house import Actual, Desired, Room
from gateway.house.states import NOT_KNOWN, STRANGER
from gateway.pipeline.look import Drift
from gateway.pipeline.step import DROPPED, PARKED, WAITING, RoomView
from gateway.store import JournalLine
from gateway.web import words

OPEN_STATES: Final = (WAITING, PARKED)


def view_as_json(view: RoomView, zone: tzinfo) -> dict[str, Any]:
    """A room of the outbox: what it waits for, and what an operator can do about it."""
    return {
        "room": view.room,
        "state": view.state,
        "since": _moment(view.since, zone),
        "next_call": words.call(view.call) if view.call is not None else None,
        "tries": view.attempts,
        "due_at": _moment(view.due_at, zone),
        "reason": view.why,
        "guest": view.desired.guest.name if view.desired.guest is not None else None,
        "reservation": (view.desired.guest.reservation if view.desired.guest is not None else None),
        "record": view.record,
        "do": _ADVICE.get(view.state, "").format(room=view.room),
    }


_ADVICE: Final = {
    PARKED: "mend the cause, then `outbox retry {room}`; to leave it as it is:"
    " `outbox drop {room}`; if the PMS says something new of the room, it is tried again by itself",
    DROPPED: "`outbox retry {room}` takes it up again; so does whatever the PMS says of the room",
}


def states_as_json(view: RoomView, zone: tzinfo) -> dict[str, Any]:
    """The two states of a room side by side: what the phone should show, and what it shows."""
    want, have = view.desired, view.actual
    return {
        **view_as_json(view, zone),
        "desired": _desired_as_json(want),
        "actual": None if have is None else _actual_as_json(have),
    }


def _desired_as_json(want: Desired) -> dict[str, Any]:
    return {
        "stay": want.stay,
        "guest": want.guest.name if want.guest is not None else None,
        "reservation": want.guest.reservation if want.guest is not None else None,
        "wake_ups": [each.isoformat(timespec="minutes") for each in want.wake_ups],
        "do_not_disturb": want.dnd,
        "room_status": want.status,
    }


def _actual_as_json(have: Actual) -> dict[str, Any]:
    wake_up = have.wake_up.isoformat(timespec="minutes") if have.wake_up is not None else None
    return {
        "stay": "a stranger" if have.stay == STRANGER else have.stay,
        "tags": None if have.tags is None else dict(have.tags),
        "wake_up": "not known" if have.wake_up_said == NOT_KNOWN else wake_up,
        "do_not_disturb": "not known" if have.dnd_said == NOT_KNOWN else have.dnd,
    }


def line_as_json(line: JournalLine, zone: tzinfo) -> dict[str, Any]:
    """One call of the journal, and what came of it in words."""
    told = {"at": _moment(line.at, zone), "took_s": round(line.took_s, 3)}
    return {**asdict(line), **told, "outcome": words.outcome(line).words}


def _moment(at: float | None, zone: tzinfo) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def rooms_as_json(rooms: Mapping[str, Room]) -> list[dict[str, Any]]:
    """Who is in which room by the PMS's word; the first guest is the displayed one."""
    return [
        {
            "room": number,
            "state": "in" if room.guests else "out" if room.out else "unknown",
            "guests": [
                {
                    "reservation": guest.reservation,
                    "name": guest.name,
                    "first_name": guest.first_name,
                    "arrival": guest.arrival and guest.arrival.isoformat(),
                    "departure": guest.departure and guest.departure.isoformat(),
                }
                for guest in room.guests
            ],
            "wake_ups": [each.isoformat(timespec="minutes") for each in room.wake_ups],
        }
        for number, room in sorted(rooms.items())
    ]


def drifts_as_json(drifts: Sequence[Drift]) -> list[dict[str, Any]]:
    """Rooms that differ, each with what it means."""
    return [{**asdict(drift), "means": _MEANS[drift.kind]} for drift in drifts]


_MEANS: Final = {
    "in": "the UCM shows a guest, the PMS says that nobody is in",
    "out": "the PMS says that a guest is in, the UCM shows nobody",
    "stranger": "the UCM shows somebody else than the PMS",
    "details": "the right guest, shown differently",
    "unlisted": "the UCM's list does not have this room: add it there, or map it under [rooms]",
    "unnamed": "the UCM shows a guest, the PMS has never said who is in this room: left alone",
}
