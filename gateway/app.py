"""The composition root: build everything from a Config, run it, stop it in order."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway import __version__, control, scrape
from gateway.about import about
from gateway.clock import Clock
from gateway.config import Config
from gateway.console.guard import Guard
from gateway.control import Control
from gateway.drivers.https import HttpsPeer, Peer, TlsSettings, Trust
from gateway.drivers.ucm import UcmDriver
from gateway.drivers.ucm_api import NewApi, OldApi, UcmApi, pms_token
from gateway.drivers.ucm_wire import LANGUAGES, Words
from gateway.gauges import ANSWER_WITHIN_S, Gauges, try_disk
from gateway.hold import Held, hold
from gateway.house import House
from gateway.http import HttpServer, application, bind
from gateway.line import Gate, ListenSpec, Opener, TappedOpener, TcpSpec, is_loopback, opener_for
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.pipeline.compare import Comparison
from gateway.pipeline.intake import Intake
from gateway.pipeline.kept import begin
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.pump import Pump, Resync
from gateway.pipeline.reach import FIRST_PAUSE_S, Reach
from gateway.pipeline.relay import Relay
from gateway.pipeline.repeats import Repeats
from gateway.rooms import RoomMap
from gateway.scope.live import LiveScope
from gateway.scope.profile import LineProfile
from gateway.scope.ring import Ring
from gateway.store import StorageFailed, Store, StoreWorker
from protocols.fias import FiasProfile, FiasSession, normalize
from protocols.fias.controls import SERIAL_GAP_S, TCP_GAP_S

if TYPE_CHECKING:
    from gateway.console.app import Console

STOP_WITHIN_S: Final = 8.0
CLOSE_WITHIN_S: Final = 0.5
PURGE_EVERY_S: Final = 3600.0


class StartFailed(Exception):
    """The service cannot start on this machine as configured. The text says what to do."""


def ucm_api(config: Config, metrics: Metrics, peer: Peer | None = None) -> tuple[UcmApi, Peer]:
    """The API of this site's UCM, and its connection (or the one that is given)."""
    ucm = config.ucm
    peer = peer or HttpsPeer(
        ucm.url,
        tls=TlsSettings(
            trust=Trust(ucm.tls),
            fingerprint=config.fingerprint,
            ca_file=config.ca_file,
            is_old=ucm.old_tls,
        ),
        timeout_s=ucm.timeout_s,
        digest=(ucm.username, config.password.get_secret_value()) if ucm.api == "old" else None,
    )
    token = pms_token(
        ucm.pms_username,
        config.pms_password.get_secret_value(),
        upper_case=ucm.token_case == "upper",
    )
    if ucm.api == "old":
        return OldApi(peer, token=token, metrics=metrics), peer
    return (
        NewApi(
            peer,
            username=ucm.username,
            password=config.password.get_secret_value(),
            token=token,
            metrics=metrics,
        ),
        peer,
    )


def words(config: Config) -> Words:
    """How this site's PMS words become the UCM's."""
    return Words(
        class_of_service=config.class_of_service,
        language={**LANGUAGES, **config.language},
        room_status=config.room_status,
        checkout_time=config.checkout_time,
        name_bytes=config.ucm.name_bytes,
    )


class Service:
    """One gateway: one PMS line, one UCM, one store."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        opener: Opener | None = None,
        peer: Peer | None = None,
        vfs: str | None = None,
        pages: bool = True,
    ) -> None:
        """Open the store and bind the HTTP port. Raises StartFailed.

        clock, opener, peer, vfs    instead of this machine's clock, line, UCM and disk
        pages                       whether anybody can look: the HTTP port and the control socket
        """
        self._config = config
        self.clock = clock or Clock(config.zone)
        self.metrics = Metrics(version=__version__, site=config.site.name)
        data_dir = Path(config.site.data_dir)
        try:
            self._lock = hold(data_dir)
        except Held as held:
            raise StartFailed(str(held)) from None
        try:
            kept = begin(data_dir / "outbox.db", vfs)
        except StorageFailed as failed:
            self._lock.close()
            raise StartFailed(f"{data_dir / 'outbox.db'}: {failed}") from failed
        self.store = StoreWorker(kept.store)
        self.house = House(
            zone=config.zone,
            infer_moves_s=config.fias.infer_moves_s,
            rooms=kept.rooms,
            ledger=kept.ledger,
        )
        api, self._peer = ucm_api(config, self.metrics, peer)
        self._driver = UcmDriver(api, words(config), self.metrics)
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
            rooms=RoomMap(
                addresses=config.rooms.map, strip_leading_zeros=config.rooms.strip_leading_zeros
            ),
            outbox=self.outbox,
            store=self.store,
            normalize=normalize,
            clock=self.clock,
            metrics=self.metrics,
            repeats=Repeats(kept.heard) if config.ack else None,
            charset=config.fias.encoding,
        )
        self.intake.restore(kept.writes)
        is_tcp = isinstance(config.line, TcpSpec | ListenSpec)
        session = FiasSession(
            FiasProfile(
                charset=config.fias.encoding,
                lrc=config.lrc,
                ack=config.ack,
                pacing_s=config.fias.record_pacing_ms / 1000,
                driver_version=__version__,
                gap_s=TCP_GAP_S if is_tcp else SERIAL_GAP_S,
            ),
            self.clock.stamp,
        )
        self.opener = opener or opener_for(
            config.line, Gate(config.allow, self._peer_refused, self._peer_slowed)
        )
        self._told_of_peers = self._told_of_flood = float("-inf")
        self.scope = self._scope(data_dir)
        self.pump = Pump(
            opener=TappedOpener(self.opener, self.scope.recorder),
            session=session,
            intake=self.intake,
            clock=self.clock,
            metrics=self.metrics,
            answers=config.ack,
            resync=Resync.EACH_TIME
            if config.fias.resync == "on-connect"
            else Resync.ONCE
            if kept.is_anew
            else Resync.NEVER,
        )
        self.comparison = Comparison(
            outbox=self.outbox,
            judge=self._driver,
            clock=self.clock,
            metrics=self.metrics,
            every_s=config.ucm.reconcile_interval_s,
            heals=config.ucm.reconcile == "heal",
        )
        self.reach = Reach(self.clock, self.metrics, config.ucm.retry_interval_s)
        self.relay = Relay(
            outbox=self.outbox,
            store=self.store,
            driver=self._driver,
            clock=self.clock,
            metrics=self.metrics,
            changed=self.intake.changed,
            retries=config.ucm.retries,
            retry_interval_s=config.ucm.retry_interval_s,
            comparison=self.comparison,
            reach=self.reach,
            is_link_up=lambda: self.pump.session.is_up,
            in_resync=lambda: self.house.ledger.in_resync,
        )
        self.control = Control(
            self.outbox, self.store, self.house, self.pump, self.relay, self.clock, self.scope
        )
        self._guard = Guard(
            config.http.password_hash,
            open_to_all=is_loopback(config.http.listen.rsplit(":", 1)[0]),
            now=self.clock.now,
        )
        self.pages: tuple[HttpServer, ...] = self._listen(data_dir) if pages else ()

    def _peer_refused(self, address: str) -> None:
        self.metrics.line_peers_refused.inc()
        if self.clock.now() - self._told_of_peers >= 60:  # a hostile one dials without end
            self._told_of_peers = self.clock.now()
            do = "if it is the PMS: add it to pms.allow, or find out why it dials so often"
            logger().warning("peer_refused", address=address, do=do)

    def _peer_slowed(self) -> None:
        self.metrics.line_slowed.inc()
        if self.clock.now() - self._told_of_flood >= 60:
            self._told_of_flood = self.clock.now()
            do = "more than any line carries: is it the PMS? nothing of it is lost"
            logger().warning("peer_slowed", line=self.pump.line, do=do)

    def _scope(self, data_dir: Path) -> LiveScope:
        config = self._config
        profile = LineProfile(str(config.line), config.lrc, config.ack, config.fias.encoding)
        keep_days = config.capture.keep_days
        ring = Ring(
            data_dir / "captures",
            profile,
            config.zone,
            keep_bytes=int(config.capture.keep_mb * (1 << 20)),
            keep_s=86_400 * (config.site.keep_days if keep_days is None else keep_days),
        )
        return LiveScope(
            profile,
            ring if config.capture.keep_mb else None,
            self.clock,
            config.zone,
            self.metrics,
        )

    def _listen(self, data_dir: Path) -> tuple[HttpServer, ...]:
        config = self._config
        refresh = Gauges(
            self.metrics, self.outbox, self.store, self.house, self.clock, data_dir
        ).refresh
        try:
            pages = application(
                self.metrics, refresh, self.status, lambda: self._console().routes()
            )
            http = HttpServer(pages, bind(config.http.listen))
        except OSError as error:
            raise StartFailed(
                f"http.listen = {config.http.listen!r}: {error.strerror}; is another one running?"
            ) from error
        try:
            desk = HttpServer(control.application(self.control), control.listen(data_dir))
        except OSError as error:
            raise StartFailed(f"{data_dir / control.SOCKET_NAME}: {error.strerror}") from error
        if config.scraped is None:
            return http, desk
        try:
            scraped = scrape.listen(config.scraped, self.metrics, refresh, self.status)
        except OSError as error:
            address = config.scraped.address
            raise StartFailed(f"http.metrics_listen = {address!r}: {error.strerror}") from error
        return http, desk, scraped

    def _console(self) -> "Console":
        from gateway.console.app import Console  # 4 MB, for who opens it

        return Console(
            control=self.control,
            guard=self._guard,
            status=self.status,
            about=lambda: about(self._config, self._peer.certificate_ends),
            site=self._config.site.name,
            zone=self._config.zone,
        )

    @property
    def config(self) -> Config:
        """What it runs by now."""
        return self._config

    def adopt(self, config: Config) -> None:
        """Go on with a configuration that differs only where `gateway.reload` says that it may."""
        self._config = config
        self._driver.words = words(config)
        self.relay.retries = config.ucm.retries
        self.relay.retry_interval_s = self.reach.longest_pause_s = config.ucm.retry_interval_s
        self.comparison.heals = config.ucm.reconcile == "heal"
        self.comparison.every_s = config.ucm.reconcile_interval_s
        self.outbox.longest_pause_s = _longest_pause_s(config)
        self.outbox.look_again()  # another word for what is shown is told
        self.intake.changed.set()
        self._guard.change_lock(config.http.password_hash)

    async def run(self, stop: asyncio.Event) -> None:
        """Everything, until `stop` is set; then in order: line, call in flight, pages, file."""
        logger().info("started", version=__version__, line=str(self._config.line))
        if self._config.ucm.tls == "insecure":
            logger().warning(
                "ucm_not_verified",
                why="tls = insecure: anybody on the network can pose as the UCM",
                do="run doctor and pin the fingerprint",
            )
        async with asyncio.TaskGroup() as group:
            pump = group.create_task(self.pump.run())
            relay = group.create_task(self.relay.run())
            ticking = group.create_task(self.intake.run())
            purging = group.create_task(self._purge())
            watching = group.create_task(self.scope.run())
            pages = [group.create_task(page.run()) for page in self.pages]
            await stop.wait()
            logger().info("stopping")
            self.pump.stop()
            self.relay.stop()
            _, late = await asyncio.wait({pump, relay}, timeout=STOP_WITHIN_S)
            self.scope.end()
            for task in (*late, ticking, purging, watching):
                task.cancel()
            for page in self.pages:
                await page.stop()
            if pages:
                await asyncio.wait(pages, timeout=1.0)
            for task in pages:
                task.cancel()
        await self._driver.close()
        self.store.close(CLOSE_WITHIN_S)
        if self.pages:
            (Path(self._config.site.data_dir) / control.SOCKET_NAME).unlink(missing_ok=True)
        self._lock.close()
        logger().info("stopped")

    async def status(self) -> dict[str, Any]:
        """Which part is well and which is not, in words."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await try_disk(self.store)
            outbox: dict[str, Any] = {"ok": True}
        except (StorageFailed, TimeoutError) as error:
            outbox = {"ok": False, "why": str(error) or "the disk does not answer"}
        outbox |= {"waiting": len(self.outbox.waiting), "parked": len(self.outbox.parked)}
        return {
            "loop": {"ok": True},
            "outbox": outbox,
            "link": {
                "ok": self.pump.session.is_up,
                "state": self.pump.session.state,
                "line": self.pump.line or f"{self._config.line} (not open)",
                "resync": self.house.ledger.in_resync,
                "night_audit": self.house.ledger.night_audit,
            },
            "ucm": {"ok": self.reach.is_up, "why": self.reach.trouble},
        }

    async def _purge(self) -> None:
        keep_s = self._config.site.keep_days * 86400
        while True:
            try:
                now = self.clock.epoch()
                await self.store(Store.purge, now - keep_s, now)
                await self.intake.forget(older_than=timedelta(seconds=keep_s))
            except StorageFailed as error:
                logger().error("store_failed", error=str(error), do="free the disk")
            await self.clock.sleep(PURGE_EVERY_S)


def _longest_pause_s(config: Config) -> float:
    return 2 * config.ucm.retry_interval_s + FIRST_PAUSE_S
