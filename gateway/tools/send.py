"""`line send`: one side of a conversation, by records given, by a script, or by a menu."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import Final, TextIO

from gateway.clock import Clock
from gateway.line import LineFailed, LineSpec, SerialSpec, is_loopback, opener_for
from gateway.scope.profile import LineProfile
from gateway.tools import menu
from gateway.tools.peers import PMS, AsPbx, Peer, Raw, as_bytes, as_record
from gateway.tools.shown import ShownOpener
from gateway.tools.typed import typed_lines
from protocols.samples import Sample

LISTEN_ON_S: Final = 0.3
"""After the last record: what the other side says to it is worth seeing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How a conversation is to be held.

    as_pms      we are the PMS; else the PBX
    raw         say frames and bytes without a link
    names       guests are shown
    within_s    for the link to come up, and for each record to be taken
    """

    spec: LineSpec
    profile: LineProfile
    as_pms: bool
    raw: bool
    names: bool
    within_s: float


def is_elsewhere(spec: LineSpec) -> bool:
    """A line to another machine, where a hotel may be at work. A serial port is opened for us
    alone, so it cannot be one that the service uses."""
    return not isinstance(spec, SerialSpec) and not is_loopback(spec.host)


def check(part: Part, texts: Sequence[str]) -> None:
    """Raises ValueError with a sentence for a text that cannot be said."""
    if part.as_pms and part.profile.protocol not in PMS and not part.raw:
        raise ValueError(f"nobody here plays a PMS that speaks {part.profile.protocol}: --raw")
    for text in texts:
        if "<" in text or part.raw:
            as_bytes(text, part.profile)
        else:
            as_record(text, part.profile)


async def send(part: Part, texts: Sequence[str], show: Callable[[str], None]) -> bool:
    """Say these and go. Returns whether each was acknowledged. Raises LineFailed."""
    async with _conversation(part, show) as peer:
        if not await _up(part, peer, show):
            return False
        for text in texts:
            if not await _say(part, peer, text, show):
                return False
        await asyncio.sleep(LISTEN_ON_S)
        return True


async def by_menu(
    part: Part, show: Callable[[str], None], ask: Callable[[str], None], source: TextIO = sys.stdin
) -> bool:
    """Say what is chosen, until `q` or the end of the input. Returns whether each was acknowledged.

    ask     told the menu and the questions, which are no part of the conversation
    """
    dialect = part.profile.dialect
    entries = dialect.of_pms if part.as_pms else dialect.of_pbx
    said_well, answers = True, {name: default for name, (_, default) in menu.QUESTIONS.items()}
    async with _conversation(part, show) as peer:
        if not await _up(part, peer, show):
            return False
        for line in menu.lines_of(entries):
            ask(line)
        typed = typed_lines(source)
        while (choice := await typed.get()) is not None and choice != "q":
            for text in await _texts(choice, entries, answers, typed, ask):
                said_well = await _say(part, peer, text, show) and said_well
        await asyncio.sleep(LISTEN_ON_S)
    return said_well


async def _texts(
    choice: str,
    entries: tuple[Sample, ...],
    answers: dict[str, str],
    typed: asyncio.Queue[str | None],
    ask: Callable[[str], None],
) -> list[str]:
    """What a typed line says: an entry of the menu with its blanks filled in, or itself."""
    if not choice:
        return []
    if not choice.isdecimal():
        return [choice]
    if not 1 <= int(choice) <= len(entries):
        ask(f"{choice}: 1 to {len(entries)}, a record, bytes, or q")
        return []
    entry = entries[int(choice) - 1]
    for name in menu.blanks(entry):
        ask(f"{menu.QUESTIONS[name][0]} [{answers[name]}]?")
        answer = await typed.get()
        if answer is None:
            typed.put_nowait(None)  # the input is over: the menu ends as well
            return []
        answers[name] = answer or answers[name]
    return menu.fill(entry, answers, Clock(UTC).stamp())


@asynccontextmanager
async def _conversation(part: Part, show: Callable[[str], None]) -> AsyncIterator[Peer]:
    opener = opener_for(part.spec)
    tap = ShownOpener(opener, show, part.profile, as_pms=part.as_pms, names=part.names)
    try:
        async with asyncio.timeout(part.within_s):
            await tap.prepare()
    except TimeoutError:
        await tap.close()
        raise LineFailed(f"{part.spec}: no peer dialled within {part.within_s:g} s") from None
    peer = _peer(part, tap)
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(peer.run())
            yield peer
            await peer.leave()
            running.cancel()
    except* LineFailed as failed:
        raise LineFailed(str(failed.exceptions[0])) from None
    finally:
        await tap.close()
    for complaint in peer.complaints():
        show(f"# against the rules: {complaint}")
    if not tap.has_heard and isinstance(part.spec, SerialSpec):
        show(
            "# not one byte came back. Is the other side's program running? Between two computers "
            "a null modem is needed; `line send --loopback` tries the port, `line detect` listens"
        )


def _peer(part: Part, tap: ShownOpener) -> Peer:
    if part.raw:
        return Raw(tap, part.profile)
    if part.as_pms:
        return PMS[part.profile.protocol](tap, part.profile)
    return AsPbx(tap, part.profile, Clock(UTC))


async def _up(part: Part, peer: Peer, show: Callable[[str], None]) -> bool:
    try:
        async with asyncio.timeout(part.within_s):
            await peer.up()
    except TimeoutError:
        show(f"# the link did not come up within {part.within_s:g} s: do lrc and ack fit?")
        return False
    return True


async def _say(part: Part, peer: Peer, text: str, show: Callable[[str], None]) -> bool:
    try:
        async with asyncio.timeout(part.within_s):
            taken = await peer.say(text)
    except TimeoutError:
        taken = False
    except ValueError as error:
        show(f"# not said: {error}")
        return False
    if not taken:
        show(f"# not acknowledged: {text.partition('|')[0]}")
    return taken
