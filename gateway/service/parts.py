"""The parts of a gateway, made from its configuration: one function a part."""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gateway import __version__
from gateway.clock import Clock
from gateway.config import Config
from gateway.config.phones_file import SitePhone
from gateway.config.site_line import SiteLine
from gateway.drivers.gxv import Entry, Phone
from gateway.drivers.ucm.api import NewApi, OldApi, UcmApi, pms_token
from gateway.drivers.ucm.driver import UcmDriver
from gateway.drivers.ucm.https import HttpsPeer, Peer, TlsSettings, Trust
from gateway.drivers.ucm.requests import LANGUAGES, Words
from gateway.house.states import Guest
from gateway.line import Gate, SerialSpec
from gateway.logs import logger
from gateway.metrics import CHARGES, GUESTS, LineMetrics, Metrics
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.phone_step import Wishes
from gateway.pipeline.phones import Phones
from gateway.pipeline.pump import Resync
from gateway.pipeline.room_map import RoomMap
from gateway.scope.live import LiveScope
from gateway.scope.profile import LineProfile
from gateway.scope.ring import Ring
from gateway.store import StoreWorker
from protocols.dialects import LinkSettings
from protocols.facts import Said
from protocols.session import Session

TELL_AGAIN_S = 60.0
PHONE_WITHIN_S = 10.0
"""A sleeping handset takes seconds for its TLS."""
"""A hostile peer dials without end: the log has a line a minute, the metric has all of them."""


def ucm_tls(config: Config) -> TlsSettings:
    """Which certificate is this site's UCM's."""
    ucm = config.ucm
    return TlsSettings(
        trust=Trust(ucm.tls), fingerprint=ucm.pin, ca_file=ucm.ca_file, is_old=ucm.old_tls
    )


def ucm_peer(config: Config) -> HttpsPeer:
    """The HTTPS connection to this site's UCM."""
    ucm, tls = config.ucm, ucm_tls(config)
    digest = (ucm.username, ucm.password.get_secret_value()) if ucm.api == "old" else None
    return HttpsPeer(
        ucm.url,
        tls=tls,
        timeout_s=config.request_within_s,
        digest=digest,
        unacked_s=config.request_unacked_s,
    )


def ucm_api(config: Config, metrics: Metrics, peer: Peer) -> UcmApi:
    """The API that this site's UCM has."""
    ucm = config.ucm
    token = pms_token(
        ucm.pms_username,
        ucm.pms_password.get_secret_value(),
        upper_case=ucm.token_case == "upper",
    )
    if ucm.api == "old":
        return OldApi(peer, token=token, metrics=metrics)
    password = ucm.password.get_secret_value()
    origin = ucm.url.rsplit("/", 1)[0]
    return NewApi(
        peer, username=ucm.username, password=password, token=token, metrics=metrics, url=origin
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


def ucm_driver(config: Config, metrics: Metrics, peer: Peer | None = None) -> UcmDriver:
    """What makes this site's UCM do something; `peer` instead of its own connection."""
    return UcmDriver(ucm_api(config, metrics, peer or ucm_peer(config)), words(config), metrics)


def phone(
    config: Config, site: SitePhone, passed: Callable[[], Awaitable[None]] | None = None
) -> Phone:
    """One phone of this site. `passed` is waited for before each of its requests."""
    return Phone(
        site.address,
        site.username,
        site.password.get_secret_value(),
        timeout_s=min(PHONE_WITHIN_S, config.request_within_s),
        unacked_s=config.request_unacked_s,
        passed=passed,
    )


def phones(
    config: Config,
    outbox: Outbox,
    store: StoreWorker,
    clock: Clock,
    metrics: Metrics,
    *,
    words_now: Callable[[], Words],
    passed: Callable[[], Awaitable[None]] | None,
) -> Phones | None:
    """The phones in the rooms of this site; None: it has none that are looked after."""
    if not config.sets:
        return None
    return Phones(
        phones={each.room: (each.address, phone(config, each, passed)) for each in config.sets},
        outbox=outbox,
        store=store,
        clock=clock,
        metrics=metrics,
        wishes=wishes(config, words_now),
        directory=[Entry(each.name, each.number) for each in config.phones.directory],
    )


def wishes(config: Config, words_now: Callable[[], Words]) -> Wishes:
    """What this site wants of its phones."""
    said = config.phones
    text = repr([(each.name, each.number) for each in said.directory])
    version = hashlib.sha256(text.encode()).hexdigest()[:12]

    def language_of(guest: Guest) -> str:
        return words_now().language.get((guest.language or "").upper(), "")

    return Wishes(
        wipes="contacts" in said.at_check_out,
        version=version if "directory" in said.at_check_in else "",
        language_of=language_of if "language" in said.at_check_in else None,
    )


def room_map(config: Config) -> RoomMap:
    """From the PMS's rooms to the UCM's."""
    rooms = config.rooms
    return RoomMap(
        addresses=rooms.map, strip_leading_zeros=rooms.strip_leading_zeros, ignored=rooms.ignore
    )


def session(config: Config, line: SiteLine, clock: Clock) -> Session:
    """The link over one line of this site, as its PMS speaks it."""
    site = LinkSettings(
        charset=line.charset,
        lrc=line.lrc,
        ack=line.ack,
        is_serial=isinstance(line.spec, SerialSpec),
        pacing_s=config.fias.record_pacing_ms / 1000,
        driver_version=__version__,
        says=line.says,
        outlet=bool(config.back.outlet),
        room_first=config.pms.room_first,
        is_for_charges=line.name == CHARGES,
        property=config.charges_line.property,
    )
    return line.dialect.session(site, clock.stamp)


def normalize(line: SiteLine, clock: Clock) -> Callable[[Any], tuple[Said, ...]]:
    """What a record of this line says, in hotel words."""
    said = line.dialect.normalize
    return lambda record: () if said is None else said(record, clock.stamp())


def resync(config: Config, *, is_anew: bool) -> Resync:
    """When the PMS is asked to tell every room. `is_anew`: the store has no house yet."""
    if config.fias.resync == "on-connect":
        return Resync.EACH_TIME
    return Resync.ONCE if is_anew else Resync.NEVER


def gate(config: Config, line: SiteLine, metrics: LineMetrics, clock: Clock) -> Gate:
    """Who may be the peer of a TCP line; who may not is counted and told."""
    told_at: dict[str, float] = {}

    def tell(event: str, do: str, **words: str) -> None:
        if clock.now() - told_at.get(event, float("-inf")) >= TELL_AGAIN_S:
            told_at[event] = clock.now()
            logger().warning(event, **words, do=do)

    def refused(address: str) -> None:
        metrics.peers_refused.inc()
        do = "if it is the PMS: add it to `allow`, or find out why it dials so often"
        tell("peer_refused", do, address=address)

    def slowed() -> None:
        metrics.slowed.inc()
        do = "more than any line carries: is it the PMS? nothing of it is lost"
        tell("peer_slowed", do, line=str(line.spec))

    return Gate(line.allow, refused, slowed, config.line_unacked_s)


def profile(line: SiteLine) -> LineProfile:
    """How a line is spoken, for who reads it."""
    return LineProfile(str(line.spec), line.lrc, line.ack, line.charset, line.protocol)


def captures(config: Config, line: SiteLine) -> Path:
    """Where the service keeps what was said on a line."""
    name = "captures" if line.name == GUESTS else f"captures-{line.name}"
    return Path(config.site.data_dir) / name


def scope(config: Config, line: SiteLine, metrics: LineMetrics, clock: Clock) -> LiveScope:
    """What is recorded of a line, and what is noticed in it."""
    keep_days = config.capture.keep_days
    ring = Ring(
        captures(config, line),
        profile(line),
        config.zone,
        keep_bytes=int(config.capture.keep_mb * (1 << 20)),
        keep_s=86_400 * (config.site.keep_days if keep_days is None else keep_days),
    )
    kept = ring if config.capture.keep_mb else None
    return LiveScope(profile(line), kept, clock, config.zone, metrics)
