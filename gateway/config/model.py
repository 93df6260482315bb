"""The configuration as values: every key with its type, limits and default."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from gateway.back.kinds import CALL, KINDS, MESSAGES, MINIBAR, STATUS, WAKE_UP, WAKE_UP_KEYED
from gateway.config import checks
from gateway.config.checks import Address, FileName, Network
from gateway.config.site_line import SiteLine
from gateway.line.spec import LineSpec, SerialSpec
from gateway.metrics import CHARGES, GUESTS
from protocols.dialects import DIALECTS, settled
from protocols.fias import LARGEST_NUMBER
from protocols.postings import ARTICLES, CHARGE

NO_SECRET: Final = SecretStr("")
NO_PIN: Final = "sha256:" + "00" * 32
"""Of no certificate: with it no UCM is trusted."""


class Section(BaseModel):
    """One table of the file. Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Site(Section):
    """[site]"""

    name: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(checks.printable)] = (
        "hotel"
    )
    timezone: Annotated[str, AfterValidator(checks.zone)] = "UTC"
    data_dir: Annotated[str, Field(min_length=1), AfterValidator(checks.printable)] = (
        "/var/lib/pms-gateway"
    )
    checkout_time: Annotated[str, AfterValidator(checks.clock_time)] = "12:00"
    keep_days: Annotated[float, Field(ge=0, le=3650)] = 7


class Pms(Section):
    """[pms]. `room_first`: the PMS writes the room in front of a name, where a dialect has both."""

    protocol: Annotated[str, AfterValidator(checks.dialect)] = "fias"
    line: Annotated[LineSpec, BeforeValidator(checks.line)]
    allow: Annotated[tuple[Network, ...], Field(strict=False)] = ()
    room_first: bool = False


class Fias(Section):
    """[fias]: what a site may say differently from the specification.

    lrc, ack    None: on for serial lines, off for TCP
    """

    encoding: Annotated[str, AfterValidator(checks.charset)] = "cp1252"
    lrc: bool | None = None
    ack: bool | None = None
    record_pacing_ms: Annotated[int, Field(ge=0, le=10_000)] = 500
    resync: Literal["never", "on-connect"] = "never"
    infer_moves_s: Annotated[float, Field(ge=0, le=3600)] = 0


class ChargesLine(Section):
    """[charges_line]: a line of their own for charges.

    line        None: charges go over the line of the guests
    property    the hotel in a costed record: up to three letters
    lrc, ack    as in [fias]; `ack` also for hobic, whose lines some systems answer
    """

    line: Annotated[LineSpec | None, BeforeValidator(checks.line)] = None
    protocol: Annotated[str, AfterValidator(checks.charges_dialect)] = "fias"
    property: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,3}$")] = "HTL"
    lrc: bool | None = None
    ack: bool | None = None
    allow: Annotated[tuple[Network, ...], Field(strict=False)] = ()


class Ucm(Section):
    """[ucm]"""

    url: Annotated[str, AfterValidator(checks.url)]
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
    fingerprint: Annotated[str, AfterValidator(checks.fingerprint)] | None = None
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
    outlet: Annotated[str, Field(max_length=5), AfterValidator(checks.printable)] = ""
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


class Number(Section):
    """[[phones.directory]]: a number of the hotel."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    number: Annotated[str, Field(pattern=r"^[0-9*#+]{1,32}$")]


_LIST: Final = Field(strict=False)


class PhonesKept(Section):
    """[phones]: the phones in the rooms. `file`: none: nobody looks after them."""

    file: FileName | None = None
    at_check_out: Annotated[tuple[Literal["contacts"], ...], Field(strict=False)] = ("contacts",)
    at_check_in: Annotated[tuple[Literal["directory", "language"], ...], _LIST] = ()
    directory: Annotated[tuple[Number, ...], Field(strict=False)] = ()


class StoreKept(Section):
    """[store]: where the house is kept. `url`: empty: in SQLite, in data_dir."""

    url: Annotated[SecretStr, AfterValidator(checks.database)] = NO_SECRET
    password: SecretStr = NO_SECRET
    password_file: FileName | None = None


LONGEST_LEASE_S: Final = 60


class Pair(Section):
    """[pair]: of two gateways one is at work. `name`: of this one; empty: it has no partner."""

    name: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{0,32}$")] = ""
    lease_s: Annotated[float, Field(ge=0.4, le=LONGEST_LEASE_S)] = 10


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
        Annotated[str, AfterValidator(checks.password_hash)] | None, Field(repr=False)
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
        dict[str, Annotated[str, Field(min_length=2)]], AfterValidator(checks.codes_in_capitals)
    ] = {}
    room_status: dict[str, Annotated[int, Field(ge=1, le=6)]] = {
        "1": 5, "2": 5, "3": 1, "4": 1, "5": 1, "6": 1,
    }  # fmt: skip
    back: Back = Back()
    charges_line: ChargesLine = ChargesLine()
    maid: dict[Annotated[str, Field(pattern=r"^[0-6]$")], MaidCodes] = {}
    tariff: TariffFile = TariffFile()
    phones: PhonesKept = PhonesKept()
    store: StoreKept = StoreKept()
    pair: Pair = Pair()
    capture: Capture = Capture()
    http: Http = Http()


def wanted_kinds(back: Back) -> dict[str, str]:
    """The kinds of postings that a site wants, each with its key in [back]."""
    wanted = {
        CALL: ("charges", back.charges != "off"),
        MINIBAR: ("minibar", back.minibar != "off"),
        STATUS: ("room_status", back.room_status),
        MESSAGES: ("voicemail", back.voicemail),
        WAKE_UP: ("wake_up_results", back.wake_up_results),
        WAKE_UP_KEYED: ("wake_ups_from_phones", back.wake_ups_from_phones),
    }
    return {kind: key for kind, (key, is_wanted) in wanted.items() if is_wanted}


def lines_of(file: "File") -> tuple[SiteLine, ...]:
    """The lines of a site, that of the guests first. A posting goes over the line of the charges
    where that has a word for it.
    """
    wanted = wanted_kinds(file.back).keys()
    pms, charges = file.pms, file.charges_line
    if charges.line is None:
        return (_site_line(file, GUESTS, pms.line, pms, file.fias, wanted),)
    can_say = DIALECTS[charges.protocol].can_say & {CHARGE, ARTICLES}
    over = {kind for kind in wanted if KINDS[kind].word in can_say}
    return (
        _site_line(file, GUESTS, pms.line, pms, file.fias, wanted - over),
        _site_line(file, CHARGES, charges.line, charges, charges, over),
    )


def _site_line(
    file: "File",
    name: str,
    spec: LineSpec,
    said: Pms | ChargesLine,
    settings: Fias | ChargesLine,
    kinds: Collection[str],
) -> SiteLine:
    dialect, is_serial = DIALECTS[said.protocol], isinstance(spec, SerialSpec)
    lrc, ack = settled(dialect, lrc=settings.lrc, ack=settings.ack, is_serial=is_serial)
    has_total = file.back.minibar == "total"
    return SiteLine(
        name=name,
        spec=spec,
        protocol=said.protocol,
        lrc=lrc,
        ack=ack,
        charset=file.fias.encoding,
        kinds=frozenset(kinds),
        says=frozenset(
            CHARGE if kind == MINIBAR and has_total else KINDS[kind].word for kind in kinds
        ),
        allow=said.allow,
    )
