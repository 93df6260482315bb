"""The PMS module of a simulated UCM: both APIs lead here. It does the actions and notes them."""

import asyncio
import hashlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.simulators.pbx import Refusal, Rooms, parse_data
from gateway.simulators.ucm.faults import DONE_FIRST, Fault, instead, spoil
from gateway.simulators.ucm.phones import Phones
from gateway.simulators.ucm.replies import Reply
from gateway.simulators.ucm.settings import Settings

LISTS: Final = ("listPMSRoom", "listMiniBarGoods", "getPMSRoomGoods")
"""Actions that change nothing."""

Result = int | dict[str, Any]
"""Of an action: its code, or the page of a list."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, as the journal and the faults see it."""

    action: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def room(self) -> str:
        return self.tags.get("address", "")


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the journal.

    code    None: no reply was given
    fault   the kind of fault that met it, "": none
    """

    at: float
    action: str
    room: str
    tags: Mapping[str, str]
    code: int | None
    applied: bool
    fault: str = ""


@dataclass(slots=True)
class PmsModule:
    """The rooms, the calls of their phones, and who has asked for what.

    now     seconds, for cookies and bans; wound by hand in tests
    lock    a UCM does one thing at a time
    """

    rooms: Rooms = field(default_factory=Rooms)
    phones: Phones = field(default_factory=Phones)
    settings: Settings = field(default_factory=Settings)
    now: Callable[[], float] = time.monotonic
    faults: list[Fault] = field(default_factory=list)
    journal: list[Call] = field(default_factory=list)
    on_call: Callable[[Call], None] | None = None
    rng: random.Random = field(default_factory=random.Random)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def fail(self, kind: str, **how: Any) -> None:
        """Ask for a fault; see FAULTS and Fault."""
        self.faults.append(Fault(kind, **how))

    def calls(self, action: str | None = None, room: str | None = None) -> list[Call]:
        """The journal without the logins: the actions that were asked for."""
        return [
            call
            for call in self.journal
            if call.action not in ("challenge", "login")
            and action in (None, call.action)
            and room in (None, call.room)
        ]

    def note(
        self, asked: Asked, code: int | None, *, applied: bool = False, fault: Fault | None = None
    ) -> None:
        """Write a line of the journal."""
        kind = fault.kind if fault else ""
        call = Call(self.now(), asked.action, asked.room, dict(asked.tags), code, applied, kind)
        self.journal.append(call)
        if self.on_call is not None:
            self.on_call(call)

    async def fault(self, asked: Asked) -> Fault | None:
        """The fault that meets this request; it is counted. "slow" is over on return."""
        for fault in self.faults:
            fits = fault.action in (None, asked.action) and fault.room in (None, asked.room)
            if fits and fault.times != 0 and self.rng.random() < fault.chance:
                fault.times -= fault.times > 0
                if fault.kind == "slow":
                    await asyncio.sleep(fault.value)
                    return None
                return fault
        return None

    def answer(
        self,
        asked: Asked,
        fault: Fault | None,
        do: Callable[[], Result],
        write: Callable[[Result], Reply],
    ) -> Reply:
        """Do what was asked, note it, and write the reply, as far as the fault lets it.

        do      may raise Refusal
        write   the reply of this API

        Raises Dropped and Hanging.
        """
        if fault is not None and fault.kind not in DONE_FIRST:
            code = int(fault.value) if fault.kind == "code" else None
            self.note(asked, code, fault=fault)
            return instead(fault) if code is None else write(code)
        try:
            result = do()
            is_applied = isinstance(result, int)
        except Refusal as refusal:
            result, is_applied = refusal.code, False
        code = result if isinstance(result, int) else 0
        self.note(asked, code, applied=is_applied, fault=fault)
        return write(result) if fault is None else spoil(fault.kind, write(code))

    def do(self, request: Mapping[str, Any]) -> Result:
        """The checks of the PMS module, in its order, and the action. Raises Refusal."""
        if not self.settings.pms_module:
            raise Refusal(21)
        token = str(request.get("token"))
        wanted = md5(self.settings.pms_username + self.settings.pms_password)
        if self.settings.token_case == "upper":
            wanted = wanted.upper()
        else:
            token = token.lower()
        if token != wanted:
            raise Refusal(16)
        action, tags = parse_data(request.get("data"), request.get("format"))
        match action:
            case "listPMSRoom":
                name, rows = "pms_room", self.rooms.listed()
            case "listMiniBarGoods":
                name, rows = "goods_name", self.rooms.articles
            case "getPMSRoomGoods":
                name, rows = "minibar_goods", self.rooms.taken(tags.get("room", ""))
            case _:
                return self.rooms.apply(action, tags)
        return {"page": 1, name: rows, "total_item": len(rows), "total_page": 1}


def peek(request: Mapping[str, Any]) -> Asked:
    """What a request asks for, whatever the checks will say."""
    try:
        return Asked(*parse_data(request.get("data"), request.get("format") or "xml"))
    except Refusal:
        return Asked("unreadable")


def md5(text: str) -> str:
    """The hexadecimal MD5, as both APIs use it."""
    return hashlib.md5(text.encode()).hexdigest()
