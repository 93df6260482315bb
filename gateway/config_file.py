"""The configuration file: TOML, read strictly; all mistakes are told at once."""

import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from gateway.config import Capture, Config, ConfigError, Fias, Http, Rooms, Site, Ucm
from gateway.console.guard import is_hash
from gateway.line.spec import parse_line
from gateway.named_files import Secret, beside, is_file, scraped, secret
from protocols.fias import CHARSETS, known_charset

T = TypeVar("T")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("expected one line of printable characters")
    return text


def _line(text: str) -> str:
    parse_line(_printable(text))
    return text


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError("expected an address or a network, as 10.0.0.5 or 10.0.0.0/24") from None
    return text


def _zone(text: str) -> str:
    try:
        # zoneinfo imports a package for each slash: slashes without an end are its end.
        if not re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", text):
            raise ValueError(text)
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected a time zone as Europe/Lisbon") from None
    return text


def _clock_time(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError("expected HH:MM, 00:00 to 23:59")
    return text


def _charset(text: str) -> str:
    name = known_charset(text)
    if name is None:
        raise ValueError(f"expected one of {', '.join(CHARSETS)}")
    return name


def _fingerprint(text: str) -> str:
    if not re.fullmatch(r"sha256:([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}", text):
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


_FileName = Annotated[str, AfterValidator(_printable)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class SiteSection(_Section):
    """[site]"""

    name: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)] = "hotel"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    data_dir: Annotated[str, Field(min_length=1), AfterValidator(_printable)] = (
        "/var/lib/pms-gateway"
    )
    checkout_time: Annotated[str, AfterValidator(_clock_time)] = "12:00"
    keep_days: Annotated[float, Field(ge=0, le=3650)] = 7


class PmsSection(_Section):
    """[pms]"""

    protocol: Literal["fias"] = "fias"
    line: Annotated[str, AfterValidator(_line)]
    allow: list[Annotated[str, AfterValidator(_network)]] = []


class FiasSection(_Section):
    """[fias]: what a site may say differently from the specification."""

    encoding: Annotated[str, AfterValidator(_charset)] = "cp1252"
    lrc: bool | None = None
    ack: bool | None = None
    record_pacing_ms: Annotated[int, Field(ge=0, le=10_000)] = 500
    resync: Literal["never", "on-connect"] = "never"
    infer_moves_s: Annotated[float, Field(ge=0, le=3600)] = 0


class UcmSection(_Section):
    """[ucm]"""

    url: Annotated[str, AfterValidator(_url)]
    api: Literal["new", "old"] = "new"
    username: Annotated[str, Field(min_length=1)]
    password: SecretStr | None = None
    password_file: _FileName | None = None
    pms_username: Annotated[str, Field(min_length=1)]
    pms_password: SecretStr | None = None
    pms_password_file: _FileName | None = None
    token_case: Literal["lower", "upper"] = "lower"
    tls: Literal["pinned", "ca", "insecure"] = "pinned"
    old_tls: bool = False
    fingerprint: Annotated[str, AfterValidator(_fingerprint)] | None = None
    ca_file: _FileName | None = None
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 15
    retries: Annotated[int, Field(ge=0, le=1000)] = 3
    retry_interval_s: Annotated[float, Field(gt=0, le=3600)] = 60
    name_bytes: Annotated[int, Field(ge=8, le=255)] = 64
    reconcile: Literal["heal", "report"] = "heal"
    reconcile_interval_s: Annotated[float, Field(ge=1, le=86_400)] = 900


class RoomsSection(_Section):
    """[rooms]"""

    strip_leading_zeros: bool = False
    map: dict[str, Annotated[str, Field(min_length=1)]] = {}


class CaptureSection(_Section):
    """[capture]: what is kept of the line's bytes, for whoever has to explain it later."""

    keep_mb: Annotated[float, Field(ge=0, le=10_000)] = 16
    keep_days: Annotated[float, Field(ge=0, le=3650)] | None = None


class HttpSection(_Section):
    """[http]"""

    listen: Annotated[str, AfterValidator(_address)] = "127.0.0.1:9843"
    metrics_listen: Annotated[str, AfterValidator(_address)] | None = None
    metrics_cert_file: _FileName | None = None
    metrics_key_file: _FileName | None = None
    metrics_token_file: _FileName | None = None
    password_hash: Annotated[str, AfterValidator(_password_hash)] | None = None


_SCRAPED: Final = {name for name in HttpSection.model_fields if name.startswith("metrics_")}


class _File(_Section):
    site: SiteSection = SiteSection()
    pms: PmsSection
    fias: FiasSection = FiasSection()
    ucm: UcmSection
    rooms: RoomsSection = RoomsSection()
    class_of_service: dict[str, Annotated[int, Field(ge=1, le=4)]] = {
        "0": 1, "1": 2, "2": 3, "3": 4,
    }  # fmt: skip
    language: dict[str, Annotated[str, Field(min_length=2)]] = {}
    room_status: dict[str, Annotated[int, Field(ge=1, le=6)]] = {
        "1": 5, "2": 5, "3": 1, "4": 1, "5": 1, "6": 1,
    }  # fmt: skip
    capture: CaptureSection = CaptureSection()
    http: HttpSection = HttpSection()


def read(path: Path) -> Config:
    """Read a file. Raises ConfigError with one sentence for each mistake in it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; copy deploy/gateway.toml and edit it"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: not UTF-8 text"]) from None
    except (ValueError, RecursionError) as error:  # numbers and nesting without an end, too
        raise ConfigError([f"{path}: not TOML: {error}"]) from None
    problems = [f"{path}: {problem}" for problem in _misfits(raw)]
    try:
        parsed = _File.model_validate(raw)
    except ValidationError as error:
        sentences = [_sentence(path, raw, dict(each)) for each in error.errors(include_url=False)]
        raise ConfigError(sentences + problems) from None
    if problems:
        raise ConfigError(problems)
    ucm = parsed.ucm
    password = secret(path, "ucm.password", _plain(ucm.password), ucm.password_file, problems)
    pms_password = secret(
        path, "ucm.pms_password", _plain(ucm.pms_password), ucm.pms_password_file, problems
    )
    listener = scraped(path, parsed.http.model_dump(include=_SCRAPED), problems)
    ca_file = ucm.ca_file and str(beside(path, ucm.ca_file))
    if ca_file and not is_file(Path(ca_file)):
        problems.append(f"{path}: ucm.ca_file = {parsed.ucm.ca_file!r}: {ca_file} does not exist")
    if problems:
        raise ConfigError(problems)
    line = parse_line(parsed.pms.line)
    is_serial = parsed.pms.line.startswith("serial:")
    return Config(
        path=path,
        site=_value(Site, parsed.site),
        line=line,
        allow=tuple(ip_network(each) for each in parsed.pms.allow),
        fias=_value(Fias, parsed.fias),
        lrc=is_serial if parsed.fias.lrc is None else parsed.fias.lrc,
        ack=is_serial if parsed.fias.ack is None else parsed.fias.ack,
        ucm=_value(Ucm, ucm),
        password=password,
        pms_password=pms_password,
        ca_file=ca_file,
        rooms=_value(Rooms, parsed.rooms),
        class_of_service=parsed.class_of_service,
        language={code.upper(): language for code, language in parsed.language.items()},
        room_status=parsed.room_status,
        capture=_value(Capture, parsed.capture),
        http=_value(Http, parsed.http),
        scraped=listener,
    )


def _plain(value: Any) -> Any:
    """A value of the checking library as one of ours."""
    return Secret(value.get_secret_value()) if isinstance(value, SecretStr) else value


def _value(cls: type[T], section: _Section) -> T:
    """A section as a plain value with the same keys."""
    return cls(**{name: _plain(getattr(section, name)) for name in type(section).model_fields})


def _misfits(raw: Mapping[str, Any]) -> list[str]:
    """Keys that are right alone and wrong together; told whatever else is wrong."""
    found = []
    ucm = raw.get("ucm")
    if isinstance(ucm, Mapping):
        url, tls, api = str(ucm.get("url", "")), ucm.get("tls", "pinned"), ucm.get("api", "new")
        for key in ("password", "pms_password"):
            given = [name for name in (key, f"{key}_file") if name in ucm]
            if len(given) != 1:
                found.append(f"ucm.{key}: give either {key} or {key}_file")
            elif ucm[given[0]] == "":
                found.append(f"ucm.{given[0]}: is empty")
        if url.startswith("http://") and tls != "insecure":
            found.append('ucm.url: plain http has no certificate; it needs tls = "insecure"')
        if api == "new" and url.endswith("/pmsapi"):
            found.append('ucm.url: /pmsapi is the old API; say api = "old", or end it with /api')
        if api == "old" and url.endswith("/api"):
            found.append('ucm.url: /api is the new API; say api = "new", or end it with /pmsapi')
        if ucm.get("old_tls") and tls != "pinned":
            found.append('ucm.old_tls: weak encryption needs tls = "pinned", or anybody can answer')
        if tls == "pinned" and "fingerprint" not in ucm:
            found.append(
                'ucm.fingerprint: tls = "pinned" needs it; `pms-gateway doctor` prints it, '
                'or say tls = "ca" or "insecure"'
            )
    pms = raw.get("pms")
    said = pms if isinstance(pms, Mapping) else {}
    if said.get("allow") and not str(said.get("line")).startswith("listen:"):
        found.append("pms.allow: says who may dial us, so it needs a listen: line")
    language = raw.get("language")
    if isinstance(language, Mapping):
        upper = [str(code).upper() for code in language]
        twice = sorted({each for each in upper if upper.count(each) > 1})
        found += [f"language.{_named(each)}: is there twice; case does not count" for each in twice]
    return found


def _sentence(path: Path, raw: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    """One mistake: file, key, value, what is allowed."""
    where = [part for part in error["loc"] if part != "[key]"]
    key = ".".join(_named(part) for part in where)
    match error["type"]:
        case "extra_forbidden":
            return f"{path}: {key}: unknown key; allowed: {', '.join(_allowed(where[:-1]))}"
        case "missing":
            return f"{path}: {key}: missing"
        case "value_error":
            text = str(error["ctx"]["error"])
        case _:
            text = re.sub(
                r"^(Input should be|String should have|String should match)",
                "expected",
                str(error["msg"]),
            )
    return f"{path}: {key} = {_shown(raw, where)}: {text}"


def _named(key: Any) -> str:
    """A key as one word of a sentence."""
    return str(key) if str(key).isprintable() else repr(key)


def _shown(raw: Mapping[str, Any], where: list[Any]) -> str:
    if any("password" in str(part) and not str(part).endswith("_file") for part in where):
        return "***"
    value: Any = raw
    for part in where:
        value = value.get(part) if isinstance(value, Mapping) else value
    if isinstance(value, Mapping | list):
        return "{...}" if isinstance(value, Mapping) else "[...]"  # a password may be in it
    return repr(value)


def _allowed(where: list[Any]) -> list[str]:
    model: Any = _File
    for part in where:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        model = field.annotation if field else None
    return sorted(model.model_fields) if hasattr(model, "model_fields") else []
