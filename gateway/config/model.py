"""The configuration as values: every key with its type, limits and default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from gateway.back.tariff import Tariff
from gateway.config.password_hash import is_hash
from gateway.line.spec import LineSpec, SerialSpec, parse_line
from protocols.dialects import DIALECTS, Dialect
from protocols.fias import CHARSETS, LARGEST_NUMBER, known_charset
from protocols.postings import (
    ARTICLES,
    CHARGE,
    ROOM_STATUS,
    VOICEMAIL,
    WAKE_UP_ORDER,
    WAKE_UP_RESULT,
)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("expected one line of printable characters")
    return text


def _line(value: object) -> object:
    return parse_line(_printable(value)) if isinstance(value, str) else value


def _network(value: object) -> object:
    try:
        return ip_network(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("expected an address or a network, as 10.0.0.5 or 10.0.0.0/24") from None


def _zone(text: str) -> str:
    try:
        # zoneinfo imports a package for each slash: slashes without an end are its end.
        if not re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", text):
            raise ValueError(text)
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = get_close_matches(text, available_timezones(), n=1)
        expected = f"did you mean {near[0]}?" if near else "expected one as Europe/Lisbon"
        raise ValueError(f"no time zone has this name; {expected}") from None
    return text


def _clock_time(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError("expected HH:MM, 00:00 to 23:59")
    return text


def _charset(text: str) -> str:
    name = known_charset(text)
    if name is None:
        raise ValueError(f"expected a code page with ASCII in it, as {', '.join(CHARSETS)}")
    return name


def _fingerprint(text: str) -> str:
    if not re.fullmatch(FINGERPRINT, text):
        raise ValueError("expected sha256: and 64 hex digits; `pms-gateway doctor` prints it")
    return text


def _password_hash(text: str) -> str:
    if not is_hash(text):
        raise ValueError("expected what `pms-gateway console-password` prints")
    return text


def _address(text: str) -> str:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\s]+):([0-9]{1,5})", text)
    if not match or int(match[2]) > 65535:
        raise ValueError("expected HOST:PORT, as 127.0.0.1:9843")
    return text


def _url(text: str) -> str:
    match = re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[^/\s:@]+)(?::([0-9]{1,5}))?/\S+", text)
    if not match or int(match[2] or 1) not in range(1, 65536):
        raise ValueError("expected https://HOST:8089/api, or https://HOST:8443/pmsapi for the old")
    return text


def _dialect(name: str) -> str:
    if name not in DIALECTS:
        raise ValueError(f"expected one of {', '.join(DIALECTS)}")
    return name


def _codes_in_capitals(table: dict[str, str]) -> dict[str, str]:
    return {code.upper(): language for code, language in table.items()}


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Address = Annotated[str, AfterValidator(_address)]
FileName = Annotated[str, AfterValidator(_printable)]
NO_SECRET: Final = SecretStr("")
FINGERPRINT: Final = r"sha256:([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}"
NO_PIN: Final = "sha256:" + "00" * 32
"""Of no certificate: with it no UCM is trusted."""


class Section(BaseModel):
    """One table of the file. Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Site(Section):
    """[site]"""

    name: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)] = "hotel"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    data_dir: Annotated[str, Field(min_length=1), AfterValidator(_printable)] = (
        "/var/lib/pms-gateway"
    )
    checkout_time: Annotated[str, AfterValidator(_clock_time)] = "12:00"
    keep_days: Annotated[float, Field(ge=0, le=3650)] = 7


class Pms(Section):
    """[pms]. `room_first`: the PMS writes the room in front of a name, where a dialect has both."""

    protocol: Annotated[str, AfterValidator(_dialect)] = "fias"
    line: Annotated[LineSpec, BeforeValidator(_line)]
    allow: Annotated[tuple[Network, ...], Field(strict=False)] = ()
    room_first: bool = False


class Fias(Section):
    """[fias]: what a site may say differently from the specification.

    lrc, ack    None: on for serial lines, off for TCP
    """

    encoding: Annotated[str, AfterValidator(_charset)] = "cp1252"
    lrc: bool | None = None
    ack: bool | None = None
    record_pacing_ms: Annotated[int, Field(ge=0, le=10_000)] = 500
    resync: Literal["never", "on-connect"] = "never"
    infer_moves_s: Annotated[float, Field(ge=0, le=3600)] = 0


class Ucm(Section):
    """[ucm]"""

    url: Annotated[str, AfterValidator(_url)]
    api: Literal["new", "old"] = "new"
    username: Annotated[str, Field(min_length=1)]
    password: SecretStr = NO_SECRET
    password_file: FileName | None = None
    pms_username: Annotated[str, Field(min_length=1)]
    pms_password: SecretStr = NO_SECRET
    pms_password_file: FileName | None = None
    token_case: Literal["lower", "upper"] = "lower"
    tls: Literal["pinned", "ca", "insecure"] = "pinned"
    old_tls: bool = False
    fingerprint: Annotated[str, AfterValidator(_fingerprint)] | None = None
    ca_file: FileName | None = None
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 15
    retries: Annotated[int, Field(ge=0, le=1000)] = 3
    retry_interval_s: Annotated[float, Field(gt=0, le=3600)] = 60
    name_bytes: Annotated[int, Field(ge=8, le=255)] = 64
    reconcile: Literal["heal", "report"] = "heal"
    reconcile_interval_s: Annotated[float, Field(ge=1, le=86_400)] = 900

    @property
    def pin(self) -> bytes:
        """The pinned SHA-256, or nothing."""
        return bytes.fromhex((self.fingerprint or "").removeprefix("sha256:").replace(":", ""))


class Rooms(Section):
    """[rooms]. `ignore`: rooms that no phone has; a * at the end stands for anything."""

    strip_leading_zeros: bool = False
    map: dict[str, Annotated[str, Field(min_length=1)]] = {}
    ignore: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False)] = ()


class Back(Section):
    """[back]: what the UCM tells, on its way to the PMS."""

    charges: Literal["off", "timed", "priced"] = "off"
    wake_up_results: bool = False
    wake_ups_from_phones: bool = False
    wake_up_tries_s: Annotated[float, Field(ge=0, le=300)] = 60
    room_status: bool = False
    voicemail: bool = False
    minibar: Literal["off", "articles", "total"] = "off"
    websocket: bool = True
    ws_username: Annotated[str, Field(min_length=1)] = "pmsgw-ws"
    ws_password: SecretStr = NO_SECRET
    ws_password_file: FileName | None = None
    poll_s: Annotated[float, Field(ge=1, le=3600)] = 20
    answer_s: Annotated[float, Field(ge=1, le=600)] = 30
    outlet: Annotated[str, Field(max_length=5), AfterValidator(_printable)] = ""
    numbers_up_to: Annotated[int, Field(ge=99, le=LARGEST_NUMBER)] = LARGEST_NUMBER
    late_charges: Literal["park", "new_room"] = "park"


def _codes(value: object) -> object:
    if isinstance(value, tuple):
        return value  # read already
    if isinstance(value, list) and len(value) == 2 and all(type(each) is int for each in value):
        return tuple(str(each) for each in value)
    raise ValueError("expected [vacant, occupied], as [3, 4]; 0: say nothing")


MaidCodes = Annotated[tuple[str, str], BeforeValidator(_codes)]


class TariffFile(Section):
    """[tariff]"""

    file: FileName = "tariff.toml"


class Capture(Section):
    """[capture]: what is kept of the line's bytes, for whoever has to explain it later."""

    keep_mb: Annotated[float, Field(ge=0, le=10_000)] = 16
    keep_days: Annotated[float, Field(ge=0, le=3650)] | None = None


class Http(Section):
    """[http]"""

    listen: Address = "127.0.0.1:9843"
    metrics_listen: Address | None = None
    metrics_cert_file: FileName | None = None
    metrics_key_file: FileName | None = None
    metrics_token_file: FileName | None = None
    password_hash: Annotated[
        Annotated[str, AfterValidator(_password_hash)] | None, Field(repr=False)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraped:
    """How a Prometheus elsewhere reaches the metrics.

    address     HOST:PORT to listen on
    cert, key   PEM files; None: plain HTTP
    token       what a scraper must know; empty: nothing
    """

    address: str
    cert: Path | None = None
    key: Path | None = None
    token: str = field(default="", repr=False)


class File(Section):
    """The file as it is written."""

    site: Site = Site()
    pms: Pms
    fias: Fias = Fias()
    ucm: Ucm
    rooms: Rooms = Rooms()
    class_of_service: dict[str, Annotated[int, Field(ge=1, le=4)]] = {
        "0": 1, "1": 2, "2": 3, "3": 4,
    }  # fmt: skip
    language: Annotated[
        dict[str, Annotated[str, Field(min_length=2)]], AfterValidator(_codes_in_capitals)
    ] = {}
    room_status: dict[str, Annotated[int, Field(ge=1, le=6)]] = {
        "1": 5, "2": 5, "3": 1, "4": 1, "5": 1, "6": 1,
    }  # fmt: skip
    back: Back = Back()
    maid: dict[Annotated[str, Field(pattern=r"^[0-6]$")], MaidCodes] = {}
    tariff: TariffFile = TariffFile()
    capture: Capture = Capture()
    http: Http = Http()


def wanted_words(back: Back) -> dict[str, str]:
    """The words of `protocols.postings`, and the key of [back] that wants each; empty: none."""
    articles, total = back.minibar == "articles", back.minibar == "total"
    return {
        CHARGE: "charges" if back.charges != "off" else "minibar" if total else "",
        ARTICLES: "minibar" if articles else "",
        ROOM_STATUS: "room_status" if back.room_status else "",
        VOICEMAIL: "voicemail" if back.voicemail else "",
        WAKE_UP_RESULT: "wake_up_results" if back.wake_up_results else "",
        WAKE_UP_ORDER: "wake_ups_from_phones" if back.wake_ups_from_phones else "",
    }


class Config(File):
    """The file together with what is in the files that it names: `ucm.password` and
    `ucm.pms_password` are the secrets and `ucm.ca_file` is a whole path. Objects get pieces of it,
    never this.

    rates   the tariff of a site that prices its calls itself
    """

    path: Path
    scraped: Scraped | None = None
    rates: Tariff | None = None

    @property
    def lrc(self) -> bool:
        """Whether frames carry a check byte on this line."""
        if self.dialect.has_check_byte is not None:
            return self.dialect.has_check_byte
        return self._is_serial if self.fias.lrc is None else self.fias.lrc

    @property
    def ack(self) -> bool:
        """Whether each frame is answered with ACK or NAK on this line."""
        if self.dialect.is_answered is not None:
            return self.dialect.is_answered
        return self._is_serial if self.fias.ack is None else self.fias.ack

    @property
    def dialect(self) -> Dialect:
        """What the PMS speaks."""
        return DIALECTS[self.pms.protocol]

    @property
    def maid_codes(self) -> Mapping[str, tuple[str, str]]:
        """What the PMS calls a status that a maid keys: by the UCM's own, vacant and occupied."""
        return {**self.dialect.maid_codes, **self.maid}

    @property
    def says(self) -> frozenset[str]:
        """What of its words this site uses towards the PMS."""
        return frozenset(word for word, key in wanted_words(self.back).items() if key)

    @property
    def _is_serial(self) -> bool:
        return isinstance(self.pms.line, SerialSpec)

    @property
    def zone(self) -> ZoneInfo:
        """The hotel's time zone."""
        return ZoneInfo(self.site.timezone)

    @property
    def checkout_time(self) -> time:
        """Time of day put on a departure date."""
        return time.fromisoformat(self.site.checkout_time)
