"""A step of the plan, and what went wrong with a room: values that the store keeps as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from gateway.drivers.calls import CALL_NAMES, Call, name_of, rooms_of
from gateway.house import Actual, Desired
from gateway.store import JournalLine
from gateway.store.text import from_json, to_json

WAITING: Final = "waiting"
PARKED: Final = "parked"
DROPPED: Final = "dropped"
TOLD: Final = "told"
STATES: Final = (WAITING, PARKED, DROPPED, TOLD)
"""waiting: the UCM has to be told; parked: it refused, and a human is needed; dropped: a human has
said that it is not to be told; told: it shows what the PMS said last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong with a room. Void as soon as its desired state changes.

    of          the desired state, as a digest
    state       WAITING: tried again when `due_at` has come; PARKED or DROPPED: left alone
    attempts    how often the UCM has refused it for a passing reason
    due_at      seconds since 1970
    """

    of: str
    state: str
    why: str
    attempts: int = 0
    due_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A call, and what is actual in its rooms once it is done.

    was_out     the room was known to be out before it: then a check-in that is refused because the
                room is in was done by this very call
    """

    call: Call
    then: Mapping[str, Actual]
    was_out: bool = False

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms that it changes."""
        return rooms_of(self.call)

    def line(self, at: float, result: str, took_s: float, record: str) -> JournalLine:
        """The journal's line about its call."""
        room, *others = self.rooms
        return JournalLine(
            at=at,
            room=room,
            from_room=others[0] if others else "",
            call=name_of(self.call),
            result=result,
            took_s=took_s,
            record=record,
        )

    @property
    def stays(self) -> frozenset[int]:
        """The stays that are in these rooms then."""
        return frozenset(state.stay for state in self.then.values() if state.stay is not None)


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as an operator sees it.

    state       one of STATES
    call        the next one; None: there is none
    since       since when it waits or is parked; None: it does neither
    why         of a parked or dropped room, or of the last try, or why it is held
    """

    room: str
    state: str
    desired: Desired
    actual: Actual | None
    call: Call | None
    since: float | None
    attempts: int
    due_at: float | None
    why: str
    record: str


def fingerprint(desired: Desired) -> str:
    """A digest of a desired state: another one, and it has changed."""
    return blake2b(to_json(desired).encode(), digest_size=8).hexdigest()


def step_to_json(step: Step) -> str:
    """A step as it is stored before its call is made."""
    then = {room: json.loads(to_json(state)) for room, state in step.then.items()}
    call = [name_of(step.call), json.loads(to_json(step.call))]
    return json.dumps({"call": call, "then": then, "was_out": step.was_out}, ensure_ascii=False)


def step_from_json(text: str) -> Step:
    """The step that `step_to_json` wrote. Raises ValueError, KeyError or TypeError."""
    kept = json.loads(text)
    name, body = kept["call"]
    kind = {word: cls for cls, word in CALL_NAMES.items()}[name]
    return Step(
        from_json(kind, json.dumps(body)),
        {room: from_json(Actual, json.dumps(state)) for room, state in kept["then"].items()},
        kept["was_out"],
    )
