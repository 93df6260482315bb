"""The page `/back`: what goes back to the PMS, what of it needs a human, and the calls of a day."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.back.charges import USES
from gateway.back.kinds import CALL
from gateway.back.sending import NotPossible
from gateway.back.states import PARKED, State, step
from gateway.store import CallRow, DayTally, PostingRow, StorageFailed, Store
from gateway.web import words
from gateway.web.console.door import Door, shows_names
from gateway.web.console.guard import Session
from gateway.web.console.press import HEADERS, Press
from gateway.web.control import Control, Declined
from gateway.web.postings import DEEDS, OPEN_STATES
from gateway.web.postings import what as what_of

MOST_OPEN: Final = 500
HIDDEN_DIGITS: Final = 4
"""Of a number that a guest dialled, where guests are masked."""
OPERATOR: Final = "console"

_USES: Final = {
    "posted": "to be charged",
    "free": "free by the tariff",
    "late": "of a guest who was gone",
    "no_room": "of no room",
    "internal": "in the house",
    "inbound": "into the house",
    "unanswered": "not answered",
}
_QUESTIONS: Final = {
    "booked": "It is on the guest's bill: you have seen it there.",
    "again": "It is not on the bill: it is sent to the guest who is in the room now.",
    "drop": "It is given up: nobody pays for it.",
}


@dataclass(frozen=True, slots=True)
class Parked:
    """One posting that waits for a human. `deeds`: what can be said of it."""

    id: int
    room: str
    state: str
    began: str
    what: str
    reason: str
    deeds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DayRow:
    """One line of the day's account."""

    words: str
    count: int
    amount: str
    tone: str = ""


@dataclass(frozen=True)
class BackPages:
    """What the console serves under `/back`.

    is_on       whether anything goes back to the PMS at this site
    decimals    of the tariff's currency; None: the PMS prices the calls
    """

    control: Control
    door: Door
    press: Press
    zone: tzinfo
    is_on: bool
    decimals: int | None

    def routes(self) -> list[BaseRoute]:
        """Beside the page itself, which the console renews as its others."""
        look, change = self.door.look, self.door.change
        return [
            Route("/back/calls.csv", look(self._csv)),
            Route("/back/{id:int}/{deed}", look(self._confirm), methods=["GET"]),
            Route("/back/{id:int}/{deed}", change(self._operate), methods=["POST"]),
        ]

    async def values(self, session: Session | None) -> dict[str, Any]:
        """What the page shows now."""
        try:
            return await self._values(session)
        except StorageFailed as error:  # the page goes on, and says it
            return {"is_on": self.is_on, "trouble": f"{error}: {error.do}"}

    async def _values(self, session: Session | None) -> dict[str, Any]:
        names, store = shows_names(session), self.control.store
        rows = await store(Store.postings, OPEN_STATES, MOST_OPEN)
        today = self.control.clock.wall().date()
        tally = await store(Store.day, *self._bounds(today))
        last = await store(Store.last_booked)
        at = self.control.clock.epoch()
        return {
            "is_on": self.is_on,
            "trouble": "",
            "parked": [self._parked(row, names=names) for row in rows if _is_parked(row)],
            "waiting": sum(not _is_parked(row) for row in rows),
            "day": list(self._account(tally)),
            "count": sum(each.count for each in tally),
            "last_booked": "" if last is None else words.moment(last, self.zone, at),
            "today": today.isoformat(),
            "yesterday": (today - timedelta(days=1)).isoformat(),
        }

    def _parked(self, row: PostingRow, *, names: bool) -> Parked:
        said = json.loads(row.body)
        began = str(said.get("at", "")).replace("T", " ")
        what = what_of(row.kind, said)
        if row.kind == CALL:
            what = _digits(what, names=names)
        if (amount := said.get("amount")) is not None:
            what += f", {self._money(amount)}"
        return Parked(
            id=row.id,
            room=str(said.get("room") or row.room),
            state=row.state,
            began=began,
            what=what,
            reason=row.reason if names else _without_pms_words(row.reason),
            deeds=tuple(
                deed for deed, cause in DEEDS.items() if step(State(row.state), cause) is not None
            ),
        )

    def _account(self, tally: Sequence[DayTally]) -> Iterator[DayRow]:
        """Every call of the day is in one of these lines."""
        for use in USES:
            of_use = [each for each in tally if each.use == use]
            for each in of_use:
                state = f": {each.state}" if each.state else ""
                is_bad = each.state is not None and State(each.state) in PARKED
                yield DayRow(
                    f"{_USES[use]}{state}",
                    each.count,
                    self._money(each.amount) if each.amount else "",
                    "bad" if is_bad else "",
                )

    def _money(self, amount: int) -> str:
        return f"{Decimal(amount).scaleb(-(self.decimals or 0)):f}"

    def _bounds(self, day: date) -> tuple[float, float]:
        begin, end = (
            datetime.combine(each, time(), self.zone).timestamp()
            for each in (day, day + timedelta(days=1))
        )
        return begin, end

    # --- The calls of a day, for a spreadsheet ---

    async def _csv(self, request: Request, session: Session | None) -> Response:
        try:
            day = date.fromisoformat(request.query_params.get("day", ""))
        except ValueError:
            raise Declined("give a day, as ?day=2026-03-14", 400) from None
        rows = await self.control.store(Store.calls, *self._bounds(day))
        names = shows_names(session)
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(["began", "room", "use", "digits", "seconds", "amount"])
        table.writerows(self._call(row, names=names) for row in rows)
        name = f'attachment; filename="calls-{day}.csv"'
        headers = {**HEADERS, "Content-Disposition": name}
        return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    def _call(self, row: CallRow, *, names: bool) -> list[object]:
        began = datetime.fromtimestamp(row.began, self.zone).isoformat(timespec="seconds")
        amount = "" if row.amount is None else self._money(row.amount)
        return [began, row.room, row.use, _digits(row.digits, names=names), row.talk_s, amount]

    # --- Deeds ---

    async def _confirm(self, request: Request, session: Session | None) -> Response:
        deed, id_ = request.path_params["deed"], request.path_params["id"]
        if session is None:
            return self.door.to_login(request)
        found = await self.control.store(Store.posting, id_)
        if deed not in DEEDS or found is None:
            raise Declined(f"there is no posting {id_}, or nothing called {deed!r}", 404)
        return self.press.page(
            session,
            "back_confirm.html",
            deed=deed,
            question=_QUESTIONS[deed],
            entry=self._parked(found[0], names=session.names),
        )

    async def _operate(
        self, request: Request, session: Session, form: Mapping[str, str]
    ) -> Response:
        deed, id_ = request.path_params["deed"], request.path_params["id"]
        why = " ".join(form.get("why", "").split())
        if deed == "drop" and not why:
            raise Declined("say why it is given up: it is kept with the posting", 400)
        try:
            told = await self.control.postings.operate(id_, deed, OPERATOR, why)
        except NotPossible as error:
            raise Declined(str(error)) from None
        session.said = f"Posting {id_} is {told['state']} now."
        return RedirectResponse("/back", 303, HEADERS)


def _is_parked(row: PostingRow) -> bool:
    return State(row.state) in PARKED


def _digits(text: object, *, names: bool) -> str:
    """A number that a guest dialled is about him as his name is."""
    digits = re.sub(r"[^0-9A-Za-z+*#]", "", str(text or ""))  # nothing that a spreadsheet runs
    if names or len(digits) <= HIDDEN_DIGITS:
        return digits
    return digits[:-HIDDEN_DIGITS] + "x" * HIDDEN_DIGITS


def _without_pms_words(reason: str) -> str:
    """The PMS's own text may name a guest; its code does not."""
    return re.sub(r"^(the PMS says [A-Z0-9]*)[^:]*:", r"\1:", reason)
