"""A gateway of a pair: it stands by, takes the house over, and begins anew when it has lost it."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway import __version__
from gateway.config import Config
from gateway.logs import logger
from gateway.metrics import Metrics, StandbyMetrics
from gateway.service.stores import database, open_store
from gateway.store import StorageFailed
from gateway.web.http import HttpServer, application, bind

RETRY_S: Final = 1.0


def name_of(config: Config) -> str:
    """Of this gateway, at the lease. One without a partner has its machine's: a house of which
    somebody has started a second gateway by mistake is still held by one.
    """
    return config.pair.name or socket.gethostname()[:32]


def seat_of(config: Config) -> Any:
    """The place of this gateway at the lease."""
    from gateway.store.lease import Seat  # psycopg is an extra

    return Seat(
        database(config),
        config.house_schema,
        name_of(config),
        config.pair.lease_s,
        __version__,
    )


def begin_anew() -> None:
    """Be the same program again, from its first line, with nothing open: whatever was about to be
    said is not said. From any thread.
    """
    sys.stderr.flush()
    sys.stdout.flush()
    try:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # our own line
    finally:
        os._exit(1)  # it could not, and systemd can


@dataclass(slots=True)
class Standby:
    """One that waits for the lease, and shows so; it touches neither the PMS nor the UCM."""

    config: Config
    metrics: StandbyMetrics
    members: Sequence[Any] = ()
    holder: str = ""
    trouble: str = "the database was not asked yet"
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> Any | None:
        """Until the lease is ours: returns it. None: told to stop. Raises OSError where the pages
        have no port, StorageFailed where waiting does not help.
        """
        pages = HttpServer(
            application(self.metrics, self._refresh, self.status, [Route("/", self._page)]),
            bind(self.config.http.listen),
        )
        logger().info("standby", name=name_of(self.config))
        showing = asyncio.ensure_future(pages.run())
        try:
            return await self._wait(stop)
        finally:
            pages.stop()
            await asyncio.wait({showing}, timeout=2.0)
            showing.cancel()

    async def _wait(self, stop: asyncio.Event) -> Any | None:
        from gateway.store.lease import LOOKS, STANDBY, Watch  # psycopg is an extra

        config = self.config
        seat, watch = seat_of(config), Watch(config.pair.lease_s)
        made = False
        beat_at = 0.0
        while not stop.is_set():
            try:
                if not made:  # the schema may not be there yet
                    (await asyncio.to_thread(open_store, config)).close()
                    made = True
                held, members = await asyncio.to_thread(seat.look, STANDBY)
                beat_at = time.monotonic()
                self.holder, self.members = held.holder, members
                if self.trouble:
                    logger().info("standby_sees", holder=held.holder or "nobody")
                self.trouble = ""
                if watch.saw(held):
                    sent_at = time.monotonic()
                    epoch = await asyncio.to_thread(seat.take, held)
                    if epoch is not None:
                        return self._taken(seat, epoch, sent_at)
            except StorageFailed as failed:
                if failed.is_final:
                    raise
                if str(failed) != self.trouble:
                    logger().error("standby_blind", error=str(failed), do=failed.do)
                self.trouble = str(failed)
                watch = Watch(config.pair.lease_s)  # what was not seen was perhaps renewed
            pause = config.pair.lease_s / LOOKS if time.monotonic() - beat_at < 1 else RETRY_S
            try:
                async with asyncio.timeout(pause):
                    await stop.wait()
            except TimeoutError:
                continue
        await asyncio.to_thread(seat.close)
        return None

    def _taken(self, seat: Any, epoch: int, sent_at: float) -> Any:
        from gateway.store.lease import Lease  # psycopg is an extra

        logger().warning("role_changed", role="holder", name=seat.name, epoch=epoch)
        lease = Lease(seat, epoch, begin_anew, has_partner=bool(self.config.pair.name))
        lease.begin(sent_at)
        return lease

    async def status(self) -> dict[str, Any]:
        """As the service tells it; the line and the UCM are the holder's."""
        theirs = {"ok": False, "why": f"the holder's: {self.holder or 'nobody yet'}"}
        return {
            "role": "standby",
            "loop": {"ok": True},
            "outbox": {"ok": True, "why": self.trouble},
            "link": theirs,
            "ucm": theirs,
            "pair": pair_as_json(name_of(self.config), self.holder, self.members, self.trouble),
        }

    async def _refresh(self) -> None:
        """There is nothing to be brought up to date."""

    async def _page(self, _: Request) -> Response:
        return PlainTextResponse(
            f"{self.config.site.name}: {name_of(self.config)} stands by."
            f" The holder is {self.holder or 'nobody'}: look at its console.\n"
            + (f"The database does not answer: {self.trouble}\n" if self.trouble else "")
        )


def pair_as_json(
    name: str, holder: str, members: Sequence[Any], trouble: str = ""
) -> dict[str, Any]:
    """Both gateways, for people."""
    return {
        "name": name,
        "holder": holder,
        "members": [
            {"name": each.name, "role": each.role, "age_s": round(each.age_s, 1),
             "epoch": each.epoch, "version": each.version}
            for each in members
        ],
        "trouble": trouble,
    }  # fmt: skip


def holder_as_json(lease: Any) -> dict[str, Any]:
    """What the one at work adds to its status."""
    told = pair_as_json(lease.seat.name, lease.seat.name, lease.members, lease.trouble)
    return {"role": "holder", "pair": {**told, "standbys": lease.standbys()}}


def show_holder(metrics: Metrics) -> None:
    """This one is at work."""
    metrics.pair_role.labels("holder").set(1)
    metrics.pair_role.labels("standby").set(0)
