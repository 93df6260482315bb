"""What the UCM tells by itself, and what each event is a reason to look at."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from gateway.back.minibar import Minibar
from gateway.back.poll import Poll
from gateway.back.wake_up_results import WakeUpResults
from gateway.clock import Clock
from gateway.config import Config
from gateway.drivers.ucm.events import (
    CALL,
    LABELS,
    OTHER,
    ROOM_STATUS,
    VOICEMAIL,
    WAKE_UP,
    Event,
)
from gateway.drivers.ucm.https import TlsSettings, tls_context
from gateway.drivers.ucm.websocket import UcmEvents
from gateway.metrics import Metrics
from gateway.store import Refused, Store, StoreWorker

BEHIND_A_CALL_S = 1.0
"""Behind the moment at which a call that has ended is looked at."""
NOT_UNDERSTOOD = "ucm_event"


class Listener(Protocol):
    """Whoever wants to hear."""

    def event(self, event: Event) -> None:
        """One event."""

    def connected(self) -> None:
        """From now on."""

    def gone(self) -> None:
        """Not any more."""


@dataclass(slots=True)
class Heard:
    """Hears events; each is a reason to look, and only the end of a wake-up says something itself.

    settled_after_s     how long after its end a call is left alone
    """

    store: StoreWorker
    clock: Clock
    metrics: Metrics
    poll: Poll
    results: WakeUpResults
    minibar: Minibar
    settled_after_s: float
    _kept: dict[str, Refused] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for label in (*LABELS.values(), OTHER):
            self.metrics.ucm_events.labels(label)

    def event(self, event: Event) -> None:
        """One event."""
        self.metrics.ucm_events.labels(event.label).inc()
        if event.label == OTHER:
            self._keep(event)
        elif not event.is_over:
            return
        elif event.label == LABELS[CALL]:
            loop = asyncio.get_running_loop()
            loop.call_later(self.settled_after_s + BEHIND_A_CALL_S, self.poll.nudged.set)
            return
        if event.ending is not None:
            self.results.ended(event.extension, event.ending)
        if event.label == LABELS[ROOM_STATUS]:
            self.minibar.nudge(event.extension)  # the minibar's code sets a status too
        self.poll.nudged.set()

    def connected(self) -> None:
        """What happened before is not said again: everything is read."""
        self.metrics.ucm_events_up.set(1)
        self.poll.nudged.set()

    def gone(self) -> None:
        """It tells nothing any more."""
        self.metrics.ucm_events_up.set(0)

    def _keep(self, event: Event) -> None:
        """The first of each shape: a chatty UCM must not push out what a PMS has sent."""
        shape = "".join(each for each in event.raw if not each.isdigit())
        if shape in self._known or len(self._known) >= MOST_SHAPES:
            return
        self._known.add(shape)
        advice = "an event of the UCM that we do not understand: report it; the UCM is polled"
        self._kept[shape] = Refused(
            at=self.clock.epoch(),
            reason=NOT_UNDERSTOOD,
            body=event.raw.encode(errors="replace"),
            advice=advice,
        )

    async def keep(self) -> None:
        """Store what was not understood, where an operator sees it. Raises StorageFailed."""
        if self._kept:
            kept, self._kept = self._kept, {}
            await self.store(Store.keep_refused, list(kept.values()))


MOST_SHAPES = 16


def ucm_events(
    config: Config,
    tls: TlsSettings,
    clock: Clock,
    heard: Listener,
    passed: Callable[[], Awaitable[None]] | None = None,
) -> UcmEvents | None:
    """The UCM's WebSocket; None: this site does not listen to it."""
    back = config.back
    used = {
        CALL: back.charges != "off",
        ROOM_STATUS: back.room_status or back.minibar != "off",
        WAKE_UP: back.wake_up_results or back.wake_ups_from_phones,
        VOICEMAIL: back.voicemail,
    }
    names = [name for name, is_used in used.items() if is_used]
    password = back.ws_password.get_secret_value()
    if not (back.websocket and password and names) or config.ucm.api == "old":
        return None
    url = urlsplit(config.ucm.url)
    scheme = "wss" if url.scheme == "https" else "ws"
    return UcmEvents(
        url=f"{scheme}://{url.netloc}/websockify",
        username=back.ws_username,
        password=password,
        context=tls_context(tls, lambda _: None) if scheme == "wss" else None,
        names=names,
        clock=clock,
        heard=heard.event,
        connected=heard.connected,
        gone=heard.gone,
        passed=passed,
    )
