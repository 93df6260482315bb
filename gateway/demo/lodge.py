"""A day of a hotel whose PMS speaks as to a Mitel, told as it happens."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import typer

from gateway.demo.stage import LodgeStage, lodge_stage
from gateway.demo.story import answer_in_words, asked_in_words, phone_in_words
from gateway.metrics import GUESTS
from gateway.simulators.ucm import Call
from protocols.dialects import DIALECTS

BACK: Final = "[back]\nroom_status = true\nvoicemail = true\npoll_s = 1\n"
_INDENT: Final = " " * 5


async def play_lodge(
    show: Callable[[str], None], folder: Path, *, once: bool, serial: bool
) -> bool:
    """Play day after day, or one. Returns whether every room ended as the PMS meant it."""
    http = "127.0.0.1:0" if once else "127.0.0.1:9843"
    async with lodge_stage(folder, serial=serial, http=http, extra=BACK) as on:
        story = LodgeStory(on, show)
        show(f"PMS on {on.service.openers[GUESTS].describe()}, UCM at {on.ucm_url}")
        show(f"gateway: http://127.0.0.1:{on.service.pages[0].port}/ (the console)\n")
        is_well = await story.day()
        while is_well and not once:
            await asyncio.sleep(5)
            is_well = await story.day()
        on.pms.on_record = on.ucm.on_call = None
        return is_well


class LodgeStory:
    """Tells what happens on the stage."""

    def __init__(self, on: LodgeStage, show: Callable[[str], None]) -> None:
        self._on, self._show = on, show
        self._phones = self._all_phones()
        on.pms.on_record, on.ucm.on_call = self._heard, self._called

    async def day(self) -> bool:
        """One day. Returns whether all is well at its end."""
        on, lodge = self._on, self._on.lodge
        free = [room for room in lodge.rooms if room not in lodge.guests]
        arriving = [lodge.check_in(room) for room in free[:6]]
        await self._play("Guests arrive: a check-in, and the name behind it.", arriving)
        room, other = sorted(lodge.guests)[:2]
        changes = [lodge.restrict(room, 2), [f"WKP2359{room:>5}"], lodge.told_again(room)]
        await self._play("What may be dialled, a wake-up, and a check-in said again.", changes)
        on.ucm.leave_message(room)
        heading = f"{room} has a voice message; somebody else moves in without a check-out."
        await self._play(heading, [lodge.check_in(room)])
        await self._until(lambda: len(on.ucm.calls("listAccount")) > 1)  # the rooms are looked at
        on.ucm.key_status(free[-1], 5, maid="0017", at="202603141030")
        await self._until(lambda: any(text.startswith("STS") for text in on.pms.heard))
        await self._play("Guests leave.", [lodge.check_out(room), lodge.check_out(other)])
        for _ in range(5):
            lodge.silent_deed()
        heading = "The PMS was off the line for a while; a resync tells every room."
        await self._play(heading, [lodge.resync()])
        differences = await on.settle()
        troubles = [*differences, *on.pms.refused, *on.pms.complaints]
        for trouble in troubles:
            self._show(f"  DIFFERENT  {trouble}")
        is_well = not troubles
        words = "Every room on the UCM is as the PMS meant it." if is_well else "They differ."
        colour = "green" if is_well else "red"
        self._show(typer.style(f"\n{words}", fg=colour, bold=True))
        return is_well

    async def _play(self, heading: str, deeds: list[list[str]]) -> None:
        self._show("\n" + typer.style(heading, bold=True))
        for deed in deeds:
            self._on.pms.say(*deed)
            await self._on.delivered()
            phones = self._all_phones()
            for room, shows in phones.items():
                if shows != self._phones[room]:
                    text = f"{_INDENT}phone {room}: {shows}"
                    self._show(typer.style(text, fg="magenta", bold=True))
            self._phones = phones

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not is_so():  # noqa: ASYNC110  # as a person would look
                await asyncio.sleep(0.05)

    def _heard(self, text: str, from_gateway: bool) -> None:  # the simulator's shape
        describe = DIALECTS["mitel"].describe
        assert describe is not None  # this dialect explains itself
        who, colour = ("gw ", "green") if from_gateway else ("PMS", "cyan")
        self._show(typer.style(f"{who}> {text.strip()}", fg=colour))
        self._show(f"{_INDENT}{describe(text.encode())[1]}")

    def _called(self, call: Call) -> None:
        if call.action != "listPMSRoom" and (asked := asked_in_words(call)):  # polled each second
            self._show(f"{typer.style('UCM<', fg='yellow')} {asked}: {answer_in_words(call)}")

    def _all_phones(self) -> dict[str, str]:
        return {number: phone_in_words(room) for number, room in self._on.ucm.rooms.rooms.items()}
