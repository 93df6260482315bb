"""What goes back to the PMS, as an operator sees it, and what he says of it."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from starlette.requests import Request

from gateway.back import kinds
from gateway.back.lanes import Lanes
from gateway.back.sending import NotPossible
from gateway.back.states import OPEN, Cause, State
from gateway.logs import logger
from gateway.store import PostingRow, PostingStep, Store, StoreWorker

STATES: Final = tuple(state.value for state in State)
OPEN_STATES: Final = tuple(state.value for state in State if state in OPEN)
DEEDS: Final = {
    "booked": Cause.SAID_BOOKED,
    "again": Cause.SAID_AGAIN,
    "drop": Cause.SAID_DROP,
}
"""What an operator can say of a posting, by the name of its command."""

OFF: Final = "everything under [back] is off: nothing goes back to the PMS"

_ADVICE: Final = {
    State.UNKNOWN.value: "look at the guest's bill: `postings booked {id}` if the call is on it,"
    " `postings again {id}` if it is not",
    State.REFUSED.value: "mend the cause, then `postings again {id}`; or book it by hand, then"
    " `postings booked {id}`; to give it up: `postings drop {id} REASON`",
    State.HELD.value: "find out who has to pay; book it by hand, then `postings booked {id}`, or"
    " `postings drop {id} REASON`; `postings again {id}` sends it to the guest who is there now",
    State.UNCONFIRMED.value: "nobody says whether it is on the bill: if it is not, `postings again"
    " {id}` writes it once more",
    State.DROPPED.value: "`postings again {id}` takes it up again",
}


def what(kind: str, said: Mapping[str, Any]) -> str:
    """What a posting says, beside its room and moment, in a few words."""
    match kind:
        case kinds.CALL:
            return str(said.get("digits", ""))
        case kinds.MINIBAR:
            taken = ((count, article) for article, count in said.get("articles", ()))
            return ", ".join(f"{count} of article {article}" for count, article in taken)
        case kinds.WAKE_UP:
            return f"wake-up: {said.get('ending', '').replace('_', ' ')}"
        case kinds.WAKE_UP_KEYED:
            return f"wake-up {'ordered' if said.get('is_wanted') else 'cleared'} on the phone"
        case kinds.STATUS:
            return f"room status {said.get('status')}"
        case kinds.MESSAGES:
            return f"messages: {said.get('unread')} new, {said.get('read')} heard"
        case _:
            return ""


def as_json(row: PostingRow, zone: tzinfo) -> dict[str, Any]:
    """A posting: what it says, where it stands, and what an operator can do about it."""
    said = json.loads(row.body)
    return {
        "id": row.id,
        "kind": row.kind,
        "room": row.room,
        "state": row.state,
        "at": _moment(row.at, zone),
        "pms_room": said.get("room"),
        "began": said.get("at"),
        "what": what(row.kind, said),
        "digits": said.get("digits"),
        "duration_s": said.get("duration_s"),
        "amount": said.get("amount"),
        "number": row.number,
        "tries": row.tries,
        "due_at": _moment(row.due_at or None, zone),
        "reason": row.reason,
        "do": _ADVICE.get(row.state, "").format(id=row.id),
    }


def step_as_json(step: PostingStep, zone: tzinfo) -> dict[str, Any]:
    """One thing that happened to a posting."""
    return {
        "at": _moment(step.at, zone),
        "state": step.state,
        "who": step.who,
        "why": step.why,
    }


def shown(row: PostingRow, steps: Sequence[PostingStep], zone: tzinfo) -> dict[str, Any]:
    """A posting with its history."""
    return {**as_json(row, zone), "history": [step_as_json(step, zone) for step in steps]}


def _moment(at: float | None, zone: tzinfo) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Postings:
    """The desk for postings inside the service. Methods raise NotPossible or StorageFailed.

    lanes   None: this site has no way back, and only looks at what it once had
    """

    store: StoreWorker
    lanes: Lanes | None
    zone: tzinfo

    async def listed(self, states: Sequence[str], limit: int) -> list[dict[str, Any]]:
        """Postings in these states, the newest last."""
        if wrong := sorted(set(states) - set(STATES)):
            raise NotPossible(f"state {wrong[0]!r} is none of {', '.join(STATES)}")
        rows = await self.store(Store.postings, states, limit)
        return [as_json(row, self.zone) for row in rows]

    async def show(self, id_: int) -> dict[str, Any]:
        """One posting with its history."""
        found = await self.store(Store.posting, id_)
        if found is None:
            raise NotPossible(f"there is no posting {id_}")
        return shown(*found, self.zone)

    async def trust_list(self, who: str) -> None:
        """The UCM's list of calls is taken as it is: what it shows since the last known call is
        charged."""
        if self.lanes is None:
            raise NotPossible(OFF)
        async with self.lanes.of(kinds.CALL).writing:
            mark = await self.store(Store.calls_mark)
            if mark is None:
                raise NotPossible("the list was never read: there is nothing in it to miss")
            await self.store(Store.add_calls, [], replace(mark, canary=""))
        logger().warning("calls_trusted", by=who)

    async def operate(self, id_: int, deed: str, who: str, why: str) -> dict[str, Any]:
        """An operator has looked, and says what became of it, or what shall."""
        if self.lanes is None:
            raise NotPossible(OFF)
        if deed not in DEEDS:
            raise NotPossible(f"{deed!r} is none of {', '.join(DEEDS)}")
        row = await self.lanes.operate(id_, DEEDS[deed], who, why)
        return as_json(row, self.zone)


Page = tuple[str, str, Callable[[Request], Awaitable[Any]]]
"""Path, method, and what answers."""


def pages(desk: Postings) -> list[Page]:
    """The desk over HTTP, for `gateway.web.control.application`."""

    async def listed(request: Request) -> Any:
        asked = request.query_params
        states = asked.get("state", ",".join(OPEN_STATES)).split(",")
        return await desk.listed(states, int(asked.get("limit", "1000")))

    async def show(request: Request) -> Any:
        return await desk.show(request.path_params["id"])

    async def operate(request: Request) -> Any:
        asked, path = request.query_params, request.path_params
        return await desk.operate(
            path["id"], path["deed"], asked.get("who", "?"), asked.get("why", "")
        )

    async def trust_list(request: Request) -> Any:
        await desk.trust_list(request.query_params.get("who", "?"))
        return {"trusted": True}

    return [
        ("/postings", "GET", listed),
        ("/postings/list/trust", "POST", trust_list),
        ("/postings/{id:int}", "GET", show),
        ("/postings/{id:int}/{deed}", "POST", operate),
    ]
