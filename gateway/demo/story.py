"""A hotel day on the stage, told as it happens: what the PMS says, what that means, what the
gateway asks of the UCM, and what the phone in the room shows then.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import typer

from gateway.clock import Clock
from gateway.demo.phones import SECTION, DemoPhones, demo_phones
from gateway.demo.stage import ROOMS, SETTLE_WITHIN_S, TIMEZONE, Stage, stage
from gateway.drivers.ucm.replies import Reply
from gateway.metrics import GUESTS
from gateway.scope.decode import decode_body
from gateway.simulators.pbx import PERMISSIONS, UcmRoom
from gateway.simulators.ucm import Call
from gateway.simulators.ucm.faults import DONE_FIRST
from gateway.store import CallRow, Store

_DONE: Final = (0, -100)
_UNTOLD: Final = ("address", "room", "account")
_INDENT: Final = " " * 5

BACK: Final = """
[back]
charges = "priced"
wake_up_results = true
wake_up_tries_s = 0
room_status = true
voicemail = true
poll_s = 1
"""
TARIFF: Final = """
[house]
country = "PT"

[[rate]]
name = "abroad"
first_s = 60
first = "0.50"
step_s = 60
step = "0.40"

[[rate]]
name = "Portugal"
prefix = ["+351"]
first_s = 60
first = "0.20"
step_s = 60
step = "0.10"
"""
CURRENCY: Final = "EUR"
A_WHILE_S: Final = 300.0
"""A call lasts longer than anybody watches a demo: the clock is moved on for it."""


class DemoClock(Clock):
    """This machine's clock, and some minutes may pass at once."""

    ahead_s = 0.0

    def epoch(self) -> float:
        return super().epoch() + self.ahead_s


Chapter = tuple[str, list[list[str]]]
"""A heading and its deeds; the records of a deed are said together."""


async def play(
    show: Callable[[str], None], folder: Path, *, once: bool, serial: bool, phones: int = 0
) -> bool:
    """Play day after day, or one. Returns whether every room ended as the PMS meant it.

    phones  so many of the rooms have one of their own
    show    takes the story line by line, with the colours of a terminal in it
    """
    http = "127.0.0.1:0" if once else "127.0.0.1:9843"
    today = datetime.now(ZoneInfo(TIMEZONE)).date()
    (folder / "tariff.toml").write_text(TARIFF)
    clock = DemoClock(ZoneInfo(TIMEZONE))
    extra = BACK + (SECTION if phones else "")
    async with (
        demo_phones(folder, ROOMS[:phones], show) if phones else nullcontext() as sets,
        stage(folder, serial=serial, http=http, today=today, extra=extra, clock=clock) as on,
    ):
        assert on.service.back is not None  # the configuration above has it
        on.service.back.reader.settled_after_s = 0.0
        on.ucm.phones.epoch = clock.epoch
        story = Story(on, show, sets)
        show(f"PMS on {on.service.openers[GUESTS].describe()}, UCM at {on.ucm_url}")
        show(f"gateway: http://127.0.0.1:{on.service.pages[0].port}/ (the console)\n")
        show("The link starts: both sides say what they will speak of.")
        async with asyncio.timeout(SETTLE_WITHIN_S):
            await on.pms.link_up()
        while await story.day() and not once:
            on.hotel.today += timedelta(days=1)
            await asyncio.sleep(5)
        on.pms.on_record = on.ucm.on_call = None
        return story.is_well


class Story:
    """Tells what happens on the stage."""

    def __init__(
        self, on: Stage, show: Callable[[str], None], sets: DemoPhones | None = None
    ) -> None:
        self._on, self._show, self._sets = on, show, sets
        self.is_well = True
        self._days = 0
        self._records = 0
        self._calls = 0
        self._unanswered = 0
        self._told_in_bulk = 0
        self._phones = self._all_phones()
        on.pms.on_record, on.ucm.on_call = self._heard, self._called

    async def day(self) -> bool:
        """One day, and what it came to. Returns whether all is well at its end."""
        on = self._on
        self._days += 1
        for heading, deeds in _chapters(on):
            self._show("\n" + typer.style(heading, bold=True))
            for deed in deeds:
                on.pms.say(*deed)
                await self.until_told()
                self._tell_phones()
                if self._sets is not None:
                    self._sets.type_in(on.hotel)
            await self.until_posted()
        differences = await on.settle()
        if self._sets is not None:
            differences += await self._sets.differences(on.hotel)
        occupied = sum(1 for room in on.hotel.rooms if on.hotel.shown(room).is_in)
        self._show(
            f"\nDay {self._days}: {self._records} records, {self._calls} requests to the UCM, "
            f"{self._unanswered} of them without a good answer and put right; "
            f"{occupied} of {len(on.hotel.rooms)} rooms occupied."
        )
        accounted = await self._account()
        for difference in differences:
            self._show(f"  DIFFERENT  {difference}")
        complaints = on.pms.complaints + on.pms.cashier.complaints
        for complaint in complaints:
            self._show(f"  COMPLAINT of the PMS  {complaint}")
        self.is_well = not differences and not complaints and accounted
        self._show(
            typer.style("Every room on the UCM is as the PMS meant it.", fg="green", bold=True)
            if self.is_well
            else typer.style("The UCM and the PMS do not agree.", fg="red", bold=True)
        )
        return self.is_well

    async def until_told(self) -> None:
        """Wait until the records are said and the UCM knows all that they meant."""
        async with asyncio.timeout(SETTLE_WITHIN_S):
            await self._on.pms.all_said()
        await self._on.delivered()

    async def until_posted(self) -> None:
        """Wait until the UCM's calls are read and what has to go back has gone."""
        back, records = self._on.service.back, self._on.ucm.phones.records
        assert back is not None
        async with asyncio.timeout(SETTLE_WITHIN_S):
            # As a person would look.
            while (  # noqa: ASYNC110
                len(await self._telephone_calls()) < len(records)
                or back.lanes.has_work
                or back.results.owes
                or self._is_due()
            ):
                await asyncio.sleep(0.05)

    def _is_due(self) -> bool:
        """A wake-up must have rung, and the gateway has not looked at the clock yet."""
        service = self._on.service
        due, now = service.house.deadline(service.clock.wall()), service.clock.wall()
        return due is not None and due <= now

    async def _telephone_calls(self) -> list[CallRow]:
        return await self._on.service.store(Store.calls, 0.0, float("inf"))

    async def _account(self) -> bool:
        """What became of each telephone call. Returns whether all of them are accounted for."""
        calls, booked = await self._telephone_calls(), self._on.pms.cashier.booked
        by_use = Counter(call.use for call in calls)
        total = Decimal(sum(posting.total or 0 for posting in booked)).scaleb(-2)
        uses = ", ".join(f"{count} {use.replace('_', ' ')}" for use, count in by_use.items())
        made = len(self._on.ucm.phones.records)
        is_whole = len(calls) == made and by_use["posted"] == len(booked)
        end = "every call is accounted for." if is_whole else "calls are MISSING."
        self._show(
            f"{len(calls)} telephone calls ({uses}); {len(booked)} on the guests' bills, "
            f"{total} {CURRENCY}: {end}"
        )
        return is_whole

    def _heard(self, record: str, from_gateway: bool) -> None:  # the simulator's shape
        self._records += not from_gateway
        if "|SF|" in record:  # a room of the resync: thirty times the same
            self._told_in_bulk += 1
            return
        self._tell_bulk()
        who, colour = ("gw ", "green") if from_gateway else ("PMS", "cyan")
        self._show(typer.style(f"{who}> {record}", fg=colour))
        meaning = decode_body(record.encode("utf-8"), "utf-8").meaning
        self._show(f"{_INDENT}{meaning}")

    def _tell_bulk(self) -> None:
        if self._told_in_bulk:
            records = f"{self._told_in_bulk} records, one for each free room and each guest"
            self._show(typer.style(f"PMS> ... {records}", fg="cyan"))
            self._told_in_bulk = 0

    def _called(self, call: Call) -> None:
        asked = asked_in_words(call)
        if not asked:
            return
        self._calls += 1
        lost = call.fault in DONE_FIRST
        good = call.code in _DONE and not lost
        self._unanswered += not good
        answer = typer.style(answer_in_words(call, lost=lost), fg="green" if good else "red")
        self._show(f"{typer.style('UCM<', fg='yellow')} {asked}: {answer}")

    def _tell_phones(self) -> None:
        """What has changed on the phones since they were told last."""
        phones = self._all_phones()
        for room, shows in phones.items():
            if shows != self._phones[room]:
                self._show(typer.style(f"{_INDENT}phone {room}: {shows}", fg="magenta", bold=True))
        self._phones = phones

    def _all_phones(self) -> dict[str, str]:
        return {number: phone_in_words(room) for number, room in self._on.ucm.rooms.rooms.items()}


def asked_in_words(call: Call) -> str:
    """What is asked of the UCM, in words; empty: nothing that belongs to the story."""
    tags = call.tags
    match call.action:
        case "checkin" | "update":
            word = "check in" if call.action == "checkin" else "update"
            told = [f"{tag} {text}" for tag, text in tags.items() if tag not in _UNTOLD and text]
            return f"{word} {call.room} ({', '.join(told)})"
        case "checkout":
            return f"check out {call.room}"
        case "mov":
            return f"move {call.room} to {tags['d_room']}"
        case "wakeup" if tags["w_action"] == "0":
            return f"no wake-up for {call.room}"
        case "wakeup":
            return f"wake-up for {call.room} at {_time(tags['w_time'])}"
        case "dnd":
            return f"do-not-disturb of {call.room} {'on' if tags['status'] == '1' else 'off'}"
        case "listPMSRoom":
            return "what do the rooms show?"
        case "login":
            return "log in"
        case _:
            return ""


def answer_in_words(call: Call, *, lost: bool = False) -> str:
    """What the UCM said to it."""
    if call.code is None:
        return "no answer"
    if call.code in _DONE:
        return "done, but the answer is lost" if lost else "done"
    return f"refused, {Reply(call.code).advice}"


def _time(digits: str) -> str:
    return f"{digits[:2]}:{digits[2:]}"


def phone_in_words(room: UcmRoom) -> str:
    """What a room's phone shows and does."""
    if not room.is_in:
        status = f", room status {room.status}" if room.status else ""
        return f"nobody is in, no voice messages{status}"
    parts = [
        ", ".join(each for each in (room.lastname, room.firstname) if each),
        f"language {room.language}",
        f"calls {PERMISSIONS.get(room.cos, 'as before')}",
    ]
    if room.wake_up is not None:
        parts.append(f"wake-up at {_time(room.wake_up[1])}")
    if room.dnd:
        parts.append("does not ring")
    if room.messages:
        parts.append(f"{room.messages} voice message" + "s" * (room.messages > 1))
    return " · ".join(parts)


def _chapters(on: Stage) -> Iterator[Chapter]:
    """The chapters of one day, each made when the one before has been played."""
    hotel, today = on.hotel, f"{on.hotel.today:%y%m%d}"

    def several(count: int, deed: Callable[[], list[str]]) -> list[list[str]]:
        return [deed() for _ in range(count)]

    arrivals = min(8, len(hotel.free) - 4)  # some rooms stay free for those who move
    yield "Morning: guests arrive.", several(arrivals, lambda: hotel.check_in(hotel.free[0]))
    yield (
        "They share rooms: one name on the phone, everybody remembered.",
        several(2, lambda: hotel.check_in(hotel.taken[0])),
    )
    room, other, last = hotel.taken[0], hotel.taken[1], hotel.taken[-1]
    on.ucm.rooms.rooms[last].messages += 1
    yield (
        f"{last} has a voice message; its guest moves and takes it along. Another joins a room.",
        [
            [f"WR|RN{last}|DA{today}|TI235900|"],
            hotel.move(last, hotel.free[-1]),
            hotel.move(room, other),
        ],
    )
    yield (
        "Reception changes data; housekeeping and wake-ups.",
        [
            *several(3, lambda: hotel.change(room)),
            hotel.restrict(other),
            [f"RE|RN{room}|DNY|"],
            [f"RE|RN{hotel.free[0]}|RS3|"],
            [f"WR|RN{room}|DA{today}|TI235900|"],
            [f"WC|RN{room}|DA{today}|TI235900|"],
        ],
    )
    clock = on.service.clock
    assert isinstance(clock, DemoClock)  # `play` has made it
    at = (clock.wall() + timedelta(minutes=2)).replace(second=0)
    yield (
        f"The guest of {other} wants to be called at {at:%H:%M}.",
        [[f"WR|RN{other}|DA{at:%y%m%d}|TI{at:%H%M%S}|"]],
    )
    clock.ahead_s += A_WHILE_S
    on.ucm.ring(other, "2")
    on.service.intake.stored.set()  # the gateway looks at its clock
    on.ucm.phones.call(other, "00441632960001", talk_s=185, ended=clock.epoch() - 30)
    on.ucm.phones.call(other, room, talk_s=40, trunk="", ended=clock.epoch() - 20)
    on.ucm.phones.call(other, "00351213", talk_s=0, ended=clock.epoch() - 10)
    on.ucm.rooms.key_status(hotel.free[0], 5, maid="0017", at=f"{clock.wall():%Y%m%d%H%M}")
    slept, dirty = f"{other} has not answered", f"a maid has keyed {hotel.free[0]} as dirty"
    yield f"Five minutes later: {slept} and has telephoned since; {dirty}.", []
    yield (
        "Noon: guests leave; the last one of a room takes the mailbox with him.",
        several(max(4, len(hotel.taken) - 6), lambda: hotel.check_out(hotel.taken[-1])),
    )
    on.ucm.fail("drop", action="checkin", times=2)
    on.ucm.fail("code", action="checkout", value=-9, times=1)
    on.ucm.fail("cookie", times=1)
    yield (
        "Afternoon with a troubled UCM: lost answers, a refusal, a dead session.",
        [
            *several(2, lambda: hotel.check_in(hotel.free[0])),
            *several(2, lambda: hotel.check_out(hotel.taken[-1])),
            *several(10, hotel.random_deed),
        ],
    )
    on.ucm.faults.clear()
    for _ in range(5):
        hotel.silent_deed()
    yield (
        "Evening: the PMS was off the line for a while; a resync tells every room.",
        [hotel.resync()],
    )
    yield "Night audit.", [[f"NS|DA{today}|TI030000|", f"NE|DA{today}|TI031500|"]]
