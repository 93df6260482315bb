"""Where steps come from while they happen: the running service, a port of our own, a tap."""

import asyncio
import io
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import tzinfo
from typing import Any, Final

from gateway.clock import Clock
from gateway.config import Config
from gateway.config.site_line import SiteLine
from gateway.line import Line, LineFailed, LineSpec, Opener, opener_for
from gateway.metrics import GUESTS
from gateway.scope.profile import LineProfile
from gateway.scope.recorder import Recorder
from gateway.scope.ring import Ring
from gateway.service import parts
from gateway.tools.running import NotRunning, ask, feed, is_running
from gateway.tools.typed import typed_lines
from gateway.web.control import Declined
from protocols.transcript import Remarked, Step, TranscriptError, parse_line

LOOK_EVERY_S: Final = 0.05
"""A technician who wiggles a plug wants to see it at once."""


def line_of(config: Config, name: str) -> SiteLine:
    """One of the lines of this site. Raises Declined."""
    found = {line.name: line for line in config.lines}
    if name not in found:
        raise Declined(f"this site has no line of the {name}: see [charges_line]", 404)
    return found[name]


def kept(config: Config, history_s: float, name: str = GUESTS) -> Iterator[Step]:
    """What the service has kept of a line on disk, read without it. Raises Declined."""
    site_line = line_of(config, name)
    profile, folder = parts.profile(site_line), parts.captures(config, site_line)
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        raise Declined(f"{folder} may not be read: run this as the service's user, or as root")
    ring = Ring(folder, profile, config.zone, keep_bytes=0, keep_s=0)
    since = Clock(config.zone).epoch() - history_s
    for line in ring.history(since).lines():
        step = _step(line, profile.charset)
        if step is not None and (step.at is None or step.at >= since):
            yield step


def closed_line(config: Config, name: str = GUESTS) -> str:
    """A line of the running service, if no peer is on it now; empty: it is open, or no service
    runs. Raises Declined.
    """
    try:
        line = asyncio.run(ask(config, "GET", f"/line?line={name}"))
    except NotRunning:
        return ""
    return "" if line["is_open"] else str(line["line"])


def says_driver(line: str, errors: object, modem: object) -> str:
    """What the driver of this line can tell; what it cannot is never shown as zero. Empty: TCP has
    no such driver.
    """
    if not line.startswith("serial:"):
        return ""
    told = {"error counters": errors, "handshake lines": modem}
    return ", ".join(
        f"{what}: {'not available' if found is None else 'watched'}" for what, found in told.items()
    )


async def attach(
    config: Config, history_s: float, take: Callable[[Step], None], name: str = GUESTS
) -> None:
    """A line of the running service: so many seconds back, then all that comes. Raises Declined
    when it does not answer, and when it stops."""
    profile = parts.profile(line_of(config, name))
    since = Clock(config.zone).epoch() - history_s
    async with feed(config, history_s, name) as lines:
        async for line in lines:
            step = _step(line, profile.charset)
            if step is not None and (step.at is None or step.at >= since or not history_s):
                take(step)
    raise Declined("the service has stopped: what it kept is still in its files")


async def remark(config: Config, words: str, name: str = GUESTS) -> None:
    """Put a comment into the capture of the running service. Raises Declined."""
    await ask(config, "POST", f"/line/remarks?line={name}", words.encode("utf-8", "replace"))


async def listen(
    pms: Opener, pbx: Opener | None, recorder: Recorder, tell: Callable[[str], None]
) -> None:
    """Open a line and only listen to it, until it is lost. Raises LineFailed.

    pbx     with it, the two are ports spliced into somebody else's cable: one hears what the PMS
            says, the other what the PBX says
    """
    lines: list[Line] = []
    try:
        for opener in filter(None, (pms, pbx)):
            if not opener.describe().startswith("serial:"):  # a port is opened at once, or fails
                tell(f"{opener.describe()}: waiting for the other side")
            lines.append(await opener.open())  # the first is closed if the second fails
        recorder.opened(" and ".join(line.describe() for line in lines))
        driver = says_driver(lines[0].describe(), lines[0].error_counts(), lines[0].modem_lines())
        tell(f"{lines[0].describe()}: {driver or 'open'}")
        hears = (recorder.heard, recorder.said)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_hear(line, hear))
                for line, hear in zip(lines, hears, strict=False)
            ]
            looking = group.create_task(_look(lines[0], recorder))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in (*tasks, looking):
                task.cancel()
        recorder.closed("")
    finally:
        for line in lines:
            await line.close()


async def _hear(line: Line, hear: Callable[[bytes], None]) -> None:
    while data := await line.read():
        hear(data)


async def _look(line: Line, recorder: Recorder) -> None:
    while True:
        recorder.looked(line.error_counts(), line.modem_lines())
        recorder.tick()
        await asyncio.sleep(LOOK_EVERY_S)


class Source:
    """Where steps come from: the running service, the files it kept, or ports of our own.

    enough      set it, and `run` returns
    """

    def __init__(
        self,
        profile: LineProfile,
        zone: tzinfo,
        config: Config | None,
        openers: Sequence[Opener],
        name: str = GUESTS,
    ) -> None:
        self.profile, self.zone, self._name = profile, zone, name
        self.enough = asyncio.Event()
        self._config, self._openers = config, tuple(openers)
        self._recorder = Recorder(profile, Clock(zone))

    @classmethod
    def of_config(cls, config: Config, name: str = GUESTS) -> "Source":
        """A line of a site: through its service, or what that has kept. Raises Declined."""
        return cls(parts.profile(line_of(config, name)), config.zone, config, (), name)

    @classmethod
    def of_lines(cls, profile: LineProfile, zone: tzinfo, specs: Sequence[LineSpec]) -> "Source":
        """One line of our own, or two that tap a cable."""
        return cls(profile, zone, None, [opener_for(spec) for spec in specs])

    @property
    def is_live(self) -> bool:
        """Whether anything new can come."""
        return self._config is None or is_running(self._config)

    def now(self) -> float:
        """Seconds since 1970, as the steps have them."""
        return self._recorder.now()

    def kept(self, history_s: float) -> Iterator[Step]:
        """What the service has kept of so many seconds, read from its files."""
        return iter(()) if self._config is None else kept(self._config, history_s, self._name)

    async def run(
        self,
        take: Callable[[Step], None],
        *,
        history_s: float,
        seconds: float | None,
        each_second: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        """Give every step until it is over. Lines typed on a terminal become comments. Raises
        Declined or LineFailed.

        tell    told, once, what the driver of the line can tell
        """
        typed = typed_lines(sys.stdin if sys.stdin.isatty() else io.StringIO())
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_outcome(self._play(take, history_s, tell))),
                group.create_task(_outcome(self._comment(typed))),
                group.create_task(_outcome(_tick(each_second))),
                group.create_task(_outcome(self.enough.wait())),
            ]
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        for task in tasks:
            if not task.cancelled() and (error := task.result()) is not None:
                raise error

    async def _play(
        self, take: Callable[[Step], None], history_s: float, tell: Callable[[str], None]
    ) -> None:
        if self._config is not None:
            line = await ask(self._config, "GET", f"/line?line={self._name}")
            if driver := says_driver(line["line"], line["errors"], line["modem"]):
                tell(driver)
            await attach(self._config, history_s, take, self._name)
            return
        with self._recorder.told_to(take):
            pbx = self._openers[1] if len(self._openers) > 1 else None
            await listen(self._openers[0], pbx, self._recorder, tell)

    async def _comment(self, typed: asyncio.Queue[str | None]) -> None:
        while True:
            words = await typed.get()
            if not words:
                continue  # no comment, or the end of the input: we go on all the same
            if self._config is not None:
                await remark(self._config, words, self._name)
            else:
                self._recorder.remark(words)


async def _tick(each_second: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(1.0)
        each_second()


async def _outcome(deed: Coroutine[Any, Any, object]) -> Exception | None:
    """What went wrong as a value: raised in a group it would be one of several."""
    try:
        await deed
    except (LineFailed, Declined, BrokenPipeError) as error:
        return error
    return None


def _step(line: str, charset: str) -> Step | None:
    """One line of the feed; what no program of ours has written is shown, not lost."""
    try:
        return parse_line(line, charset)
    except TranscriptError:
        return Remarked(f"unreadable: {line.strip()[:80]}")
