"""The composition root: build everything from a Config, run it, stop it in order."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway import __version__
from gateway.clock import Clock
from gateway.config import Config
from gateway.config.site_line import SiteLine
from gateway.drivers.ucm.fenced import FencedPeer
from gateway.drivers.ucm.https import Peer
from gateway.house import House
from gateway.line import Opener, TappedOpener, is_loopback, opener_for
from gateway.line.fenced import Fence, FencedOpener
from gateway.logs import logger
from gateway.metrics import CHARGES, GUESTS, Metrics
from gateway.pipeline import residence
from gateway.pipeline.compare import Comparison
from gateway.pipeline.deadlines import keep_deadlines
from gateway.pipeline.desk import ChargesDesk
from gateway.pipeline.intake import Intake
from gateway.pipeline.kept import Start, begin
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.pump import Pump, Resync
from gateway.pipeline.reach import FIRST_PAUSE_S, Reach
from gateway.pipeline.relay import Relay
from gateway.pipeline.repeats import Repeats
from gateway.pipeline.reports import Ear, Reports
from gateway.service import parts
from gateway.service.about import about
from gateway.service.back import Around, WayBack, way_back
from gateway.service.hold import Held, hold
from gateway.service.pages import listen
from gateway.service.pair import holder_as_json, show_holder
from gateway.service.parts_as_json import line_as_json, store_as_json
from gateway.service.stores import open_store, place_of, set_store_aside
from gateway.store import StorageFailed, Store, StoreWorker
from gateway.web import control
from gateway.web.console.app import Console
from gateway.web.console.day import Day, counts_of
from gateway.web.console.guard import Guard
from gateway.web.control import Control
from gateway.web.gauges import Gauges
from gateway.web.http import HttpServer
from gateway.web.phones import PhonesDesk
from gateway.web.postings import Postings

if TYPE_CHECKING:
    from gateway.store.lease import Lease  # psycopg is an extra

STOP_WITHIN_S: Final = 7.0
CLOSE_WITHIN_S: Final = 0.5
ANSWERED_WITHIN_S: Final = 1.5
"""A PMS answers a posting within a tenth of a second; one that is not answered is unknown."""
PURGE_EVERY_S: Final = 3600.0


class StartFailed(Exception):
    """The service cannot start on this machine as configured. The text says what to do."""


class Service:
    """One gateway: one PMS, over one line or two, one UCM, one store."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        opener: Opener | None = None,
        peer: Peer | None = None,
        vfs: str | None = None,
        pages: bool = True,
        lease: "Lease | None" = None,
    ) -> None:
        """Open the store and bind the HTTP port. Raises StartFailed.

        clock, opener, peer, vfs    instead of this machine's clock, line, UCM and disk
        pages                       whether anybody can look: the HTTP port and the control socket
        lease                       of a pair: it is held, and renewed; None: there is no partner
        """
        self._config = config
        self.clock = clock or Clock(config.zone)
        self.metrics = Metrics(
            version=__version__, site=config.site.name, lines=[line.name for line in config.lines]
        )
        self._lease = lease
        fence = Fence(lambda: lease.until) if lease is not None else None
        kept = self._open(Path(config.site.data_dir), vfs)
        self.store = StoreWorker(kept.store)
        self._peer = peer or parts.ucm_peer(config)
        if fence is not None:
            self._peer = FencedPeer(self._peer, fence.passed)
            if config.pair.name:
                show_holder(self.metrics)
        self._driver = parts.ucm_driver(config, self.metrics, self._peer)
        self._build_core(kept)
        self.scopes = {
            line.name: parts.scope(config, line, self.metrics.lines[line.name], self.clock)
            for line in config.lines
        }
        self.openers = {
            line.name: opener_for(
                line.spec, parts.gate(config, line, self.metrics.lines[line.name], self.clock)
            )
            for line in config.lines
        } | ({GUESTS: opener} if opener is not None else {})
        if fence is not None:
            self.openers = {name: FencedOpener(each, fence) for name, each in self.openers.items()}
        self._fence = fence
        self.pumps = self._build_pms_side(is_anew=kept.is_anew)
        self._build_ucm_side()
        self.back = self._build_way_back(kept) if config.kinds else None
        self.phones = parts.phones(
            config, self.outbox, self.store, self.clock, self.metrics,
            words_now=lambda: self._driver.words,
            passed=fence.passed if fence is not None else None,
        )  # fmt: skip
        self.control = Control(
            self.outbox,
            self.store,
            self.house,
            self.intake,
            self.pumps,
            self.relay,
            self.clock,
            self.scopes,
            Postings(self.store, self.back.lanes if self.back else None, config.zone),
            PhonesDesk(self.phones, config.zone),
        )
        self._guard = Guard(
            config.http.password_hash,
            open_to_all=is_loopback(config.http.listen.rsplit(":", 1)[0]),
            now=self.clock.now,
        )
        self.day = Day(lambda: counts_of(self.metrics), self.clock)
        self.pages: tuple[HttpServer, ...] = ()
        if pages:
            try:
                self.pages = listen(
                    config, self.metrics, self._gauges(), self.status, self._console()
                )
            except OSError as error:
                raise StartFailed(str(error)) from error

    def _open(self, data_dir: Path, vfs: str | None) -> Start:
        try:
            self._lock = hold(data_dir)
        except Held as held:
            raise StartFailed(str(held)) from None
        try:
            guard = self._lease.guard if self._lease is not None else None
            kept = begin(
                lambda: open_store(self._config, guard=guard, vfs=vfs),
                lambda: set_store_aside(self._config),
            )
            if self._config.kinds:
                now, known = self.clock.epoch(), kept.store.residents()
                lacking = residence.all_of(kept.rooms, known, now, self._config.zone)
                kept.store.write_residents(lacking)
            return kept
        except StorageFailed as failed:
            self._lock.close()
            raise StartFailed(f"{place_of(self._config)}: {failed}: {failed.do}") from failed

    def _build_core(self, kept: Start) -> None:
        """What lies between the two sides: the house, the rooms to be told, the way in."""
        config = self._config
        self.house = House(
            zone=config.zone,
            infer_moves_s=config.fias.infer_moves_s,
            rooms=kept.rooms,
            ledger=kept.ledger,
        )
        self.outbox = Outbox(
            tags_of=self._driver.tags_of,
            wall=self.clock.stamp,
            longest_pause_s=_longest_pause_s(config),
        )
        for room in self.outbox.restore(kept.rooms, kept.rows):
            do = "it is compared with the UCM; report it if it comes again"
            logger().error("room_not_understood", room=room, do=do)
        self.intake = Intake(
            house=self.house,
            rooms=parts.room_map(config),
            outbox=self.outbox,
            store=self.store,
            guests=self._ear(config.guests),
            clock=self.clock,
            metrics=self.metrics,
            repeats=Repeats(kept.heard) if config.guests.ack else None,
            charset=config.fias.encoding,
        )
        self.intake.restore(kept.writes)

    def _ear(self, line: SiteLine) -> Ear:
        return Ear(
            parts.normalize(line, self.clock),
            Reports(self.clock, self.metrics, self.metrics.lines[line.name]),
            is_for_charges=line.name == CHARGES,
        )

    def _build_pms_side(self, *, is_anew: bool) -> dict[str, Pump]:
        def pump(line: SiteLine) -> Pump:
            is_guests = line.name == GUESTS
            return Pump(
                opener=TappedOpener(self.openers[line.name], self.scopes[line.name].recorder),
                session=parts.session(self._config, line, self.clock),
                desk=self.intake if is_guests else ChargesDesk(self.intake, self._ear(line)),
                clock=self.clock,
                metrics=self.metrics.lines[line.name],
                answers=line.ack,
                resync=parts.resync(self._config, is_anew=is_anew) if is_guests else Resync.NEVER,
            )

        return {line.name: pump(line) for line in self._config.lines}

    @property
    def pump(self) -> Pump:
        """Of the line of the guests."""
        return self.pumps[GUESTS]

    def _build_ucm_side(self) -> None:
        ucm = self._config.ucm
        self.comparison = Comparison(
            outbox=self.outbox,
            judge=self._driver,
            clock=self.clock,
            metrics=self.metrics,
            every_s=ucm.reconcile_interval_s,
            heals=ucm.reconcile == "heal",
        )
        self.reach = Reach(self.clock, self.metrics, ucm.retry_interval_s)
        self.relay = Relay(
            outbox=self.outbox,
            store=self.store,
            driver=self._driver,
            clock=self.clock,
            metrics=self.metrics,
            changed=self.intake.changed,
            retries=ucm.retries,
            retry_interval_s=ucm.retry_interval_s,
            comparison=self.comparison,
            reach=self.reach,
            is_link_up=lambda: self.pump.session.is_up,
            in_resync=lambda: self.house.ledger.in_resync,
        )

    def _build_way_back(self, kept: Start) -> WayBack:
        around = Around(
            store=self.store,
            clock=self.clock,
            metrics=self.metrics,
            house=self.house,
            outbox=self.outbox,
            intake=self.intake,
            driver=self._driver,
            tls=parts.ucm_tls(self._config),
            reach=self.reach,
            pumps=self.pumps,
            passed=self._fence.passed if self._fence is not None else None,
        )
        back = way_back(self._config, around)
        back.lanes.restore(kept.postings)
        for pump, lane in zip(self.pumps.values(), back.lanes.each, strict=True):
            pump.lane = lane
        return back

    def _gauges(self) -> Gauges:
        return Gauges(
            metrics=self.metrics,
            outbox=self.outbox,
            store=self.store,
            house=self.house,
            clock=self.clock,
            data_dir=Path(self._config.site.data_dir),
            postings=lambda: self.back.lanes.open() if self.back else (),
            standbys=lambda: len(self._lease.standbys()) if self._lease is not None else 0,
        )

    def _console(self) -> Console:
        return Console(
            control=self.control,
            guard=self._guard,
            status=self.status,
            about=lambda: about(self._config, self._peer.certificate_ends),
            day=self.day,
            site=self._config.site.name,
            zone=self._config.zone,
            decimals=self._config.rates.decimals if self._config.rates else None,
        )

    @property
    def config(self) -> Config:
        """What it runs by now."""
        return self._config

    def adopt(self, config: Config) -> None:
        """Go on with a configuration that differs only where the module `reload` allows it."""
        self._config = config
        self._driver.words = parts.words(config)
        self.relay.retries = config.ucm.retries
        self.relay.retry_interval_s = self.reach.longest_pause_s = config.ucm.retry_interval_s
        self.comparison.heals = config.ucm.reconcile == "heal"
        self.comparison.every_s = config.ucm.reconcile_interval_s
        self.outbox.longest_pause_s = _longest_pause_s(config)
        self.outbox.look_again()  # another word for what is shown is told
        self.intake.changed.set()
        self._guard.change_lock(config.http.password_hash)
        if self.back is not None:
            self.back.adopt(config)

    async def run(self, stop: asyncio.Event) -> None:
        """Everything, until `stop` is set; then in order: line, call in flight, pages, file."""
        logger().info(
            "started",
            version=__version__,
            line=str(self._config.pms.line),
            console=f"http://{self._config.http.listen}/",
        )
        if self._config.ucm.tls == "insecure":
            logger().warning(
                "ucm_not_verified",
                why="tls = insecure: anybody on the network can pose as the UCM",
                do="run doctor and pin the fingerprint",
            )
        async with asyncio.TaskGroup() as group:
            pumps = {group.create_task(pump.run()) for pump in self.pumps.values()}
            relay = group.create_task(self.relay.run())
            ticking = group.create_task(keep_deadlines(self.intake))
            purging = group.create_task(self._purge())
            watching = [group.create_task(scope.run()) for scope in self.scopes.values()]
            pages = [group.create_task(page.run()) for page in self.pages]
            counting = group.create_task(self.day.run()) if pages else ticking
            backing = group.create_task(self.back.run()) if self.back is not None else ticking
            phoning = group.create_task(self.phones.run()) if self.phones is not None else ticking
            await stop.wait()
            logger().info("stopping")
            if self.back is not None:
                self.back.lanes.stop()
                await asyncio.wait({backing}, timeout=ANSWERED_WITHIN_S)
            for pump in self.pumps.values():
                pump.stop()
            self.relay.stop()
            _, late = await asyncio.wait({*pumps, relay}, timeout=STOP_WITHIN_S)
            for scope in self.scopes.values():
                scope.end()
            for task in (*late, ticking, purging, *watching, counting, backing, phoning):
                task.cancel()
            for page in self.pages:
                page.stop()
            if pages:
                await asyncio.wait(pages, timeout=1.0)
            for task in pages:
                task.cancel()
        await self._driver.close()
        if self.phones is not None:
            await self.phones.close()
        self.store.close(CLOSE_WITHIN_S)
        if self._lease is not None:
            await asyncio.to_thread(self._lease.release)
        if self.pages:
            (Path(self._config.site.data_dir) / control.SOCKET_NAME).unlink(missing_ok=True)
        self._lock.close()
        logger().info("stopped")

    async def status(self) -> dict[str, Any]:
        """Which part is well and which is not, in words."""
        lease = self._lease if self._config.pair.name else None
        return (holder_as_json(lease) if lease is not None else {}) | {
            "loop": {"ok": True},
            "outbox": await store_as_json(self.store, self.outbox),
            "link": line_as_json(self.pump)
            | {
                "resync": self.house.ledger.in_resync,
                "night_audit": self.house.ledger.night_audit,
            },
            **{
                f"line of the {name}": line_as_json(pump)
                for name, pump in self.pumps.items()
                if name != GUESTS
            },
            "ucm": {"ok": self.reach.is_up, "why": self.reach.trouble},
        }

    async def _purge(self) -> None:
        keep_s = self._config.site.keep_days * 86400
        while True:
            with suppress(StorageFailed):  # there will be another time
                now = self.clock.epoch()
                await self.store(Store.purge, now - keep_s, now)
                await self.intake.forget(older_than=timedelta(seconds=keep_s))
            await self.clock.sleep(PURGE_EVERY_S)


def _longest_pause_s(config: Config) -> float:
    return 2 * config.ucm.retry_interval_s + FIRST_PAUSE_S
