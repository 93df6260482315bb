"""What systemd is told: READY, STATUS and, while every task makes progress, WATCHDOG=1.

Source: sd_notify(3), systemd.service(5), WatchdogSec=.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.clock import Clock
from gateway.logs import logger

LOOK_EVERY_S: Final = 10.0
STUCK_AFTER_S: Final = 30.0
"""A turn stores what one read brought; the slowest card does that in a fraction of this."""


class Notifier:
    """Datagrams to systemd. Without $NOTIFY_SOCKET nothing is sent."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(usec) / 1e6 if mine and usec.isdigit() else 0.0
        """How long systemd waits for a sign of life; 0: it does not."""

    def tell(self, *lines: str) -> None:
        """Send `KEY=value` lines as one message. Never waits and never fails: it is only news."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto("\n".join(lines).encode(), self._address)

    def reloading(self) -> None:
        """A reload begins; tell `READY=1` when it is over."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


@dataclass(frozen=True, slots=True)
class Task:
    """One task that must turn.

    awake_by    the moment (of the clock) by which it meant to be awake again; infinite: it waits
                for its peer, who may be silent for days. The moment of its last turn while it works
    grace_s     how much later than that it is stuck
    """

    awake_by: Callable[[], float]
    grace_s: float = STUCK_AFTER_S


@dataclass(slots=True, kw_only=True)
class Watchdog:
    """Pings while the loop (it runs on it), every task and the disk's thread do their work.

    ask_disk    a trivial question to the store; its answer in time is what counts, not its words:
                a full disk is no reason to restart
    status      one line for `systemctl status`
    """

    notifier: Notifier
    clock: Clock
    tasks: Mapping[str, Task]
    ask_disk: Callable[[], Awaitable[object]]
    status: Callable[[], Awaitable[str]]
    _told: str = field(default="", init=False)

    async def run(self) -> None:
        """Say that the service has started; then a sign of life, for ever."""
        self.notifier.tell("READY=1", "STATUS=started")
        limit = self.notifier.watchdog_s
        every = min(LOOK_EVERY_S, limit / 2) if limit else LOOK_EVERY_S
        while True:
            await asyncio.sleep(every)
            self._tell(await self.stuck(limit / 3 or LOOK_EVERY_S), await self._status())

    async def stuck(self, within_s: float) -> str:
        """The parts that do not turn, in words; empty: all are well."""
        now = self.clock.now()
        parts = [name for name, task in self.tasks.items() if now > task.awake_by() + task.grace_s]
        try:
            async with asyncio.timeout(within_s):
                await self.ask_disk()
        except TimeoutError:
            parts.append("outbox")
        except Exception as error:  # noqa: BLE001  # it answered; who needs the disk complains
            logger().debug("disk_answered", error=str(error))
        return ", ".join(parts)

    async def _status(self) -> str:
        try:
            return await self.status()
        except Exception as error:  # noqa: BLE001  # who watches must not be what fails
            return f"unknown: {error}"

    def _tell(self, stuck: str, status: str) -> None:
        if stuck:
            self.notifier.tell(f"STATUS=stuck: {stuck}; {status}")
        else:
            self.notifier.tell("WATCHDOG=1", f"STATUS={status}")
        if stuck and stuck != self._told:
            logger().error("stuck", parts=stuck, do="systemd restarts the service; report it")
        self._told = stuck
