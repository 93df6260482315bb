"""The configuration as values: what a site's file says, and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.line.spec import LineSpec
from gateway.named_files import Scraped, Secret


class ConfigError(Exception):
    """The file is wrong. Print `sentences`, one line each, and exit 2."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """[site]"""

    name: str
    timezone: str
    data_dir: str
    checkout_time: str
    keep_days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fias:
    """[fias]: what a site may say differently from the specification."""

    encoding: str
    lrc: bool | None
    ack: bool | None
    record_pacing_ms: int
    resync: str
    infer_moves_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ucm:
    """[ucm]"""

    url: str
    api: str
    username: str
    password: Secret | None
    password_file: str | None
    pms_username: str
    pms_password: Secret | None
    pms_password_file: str | None
    token_case: str
    tls: str
    old_tls: bool
    fingerprint: str | None
    ca_file: str | None
    timeout_s: float
    retries: int
    retry_interval_s: float
    name_bytes: int
    reconcile: str
    reconcile_interval_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """[rooms]"""

    strip_leading_zeros: bool
    map: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """[capture]: what is kept of the line's bytes, for whoever has to explain it later."""

    keep_mb: float
    keep_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """[http]"""

    listen: str
    metrics_listen: str | None
    metrics_cert_file: str | None
    metrics_key_file: str | None
    metrics_token_file: str | None
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the file says, with its secrets read. Objects get pieces of it, never this.

    lrc, ack    settled: on for serial lines, off for TCP, unless the file says otherwise
    """

    path: Path
    site: Site
    line: LineSpec
    allow: tuple[IPv4Network | IPv6Network, ...]
    fias: Fias
    lrc: bool
    ack: bool
    ucm: Ucm
    password: Secret
    pms_password: Secret
    ca_file: str | None
    rooms: Rooms
    class_of_service: Mapping[str, int]
    language: Mapping[str, str]
    room_status: Mapping[str, int]
    capture: Capture
    http: Http
    scraped: Scraped | None

    @property
    def zone(self) -> ZoneInfo:
        """The hotel's time zone."""
        return ZoneInfo(self.site.timezone)

    @property
    def checkout_time(self) -> time:
        """Time of day put on a departure date."""
        return time.fromisoformat(self.site.checkout_time)

    @property
    def fingerprint(self) -> bytes:
        """The pinned SHA-256, or nothing."""
        return bytes.fromhex((self.ucm.fingerprint or "").removeprefix("sha256:").replace(":", ""))


def load(path: Path) -> Config:
    """Read a file. Raises ConfigError with one sentence for each mistake in it."""
    from gateway.config_file import read

    return read(path)
