"""What a value of the configuration must be: each gives it back, or raises ValueError with what was
expected, for the sentence about its key.
"""

import re
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, SecretStr

from gateway.config.password_hash import is_hash
from gateway.line.spec import parse_line
from protocols.dialects import DIALECTS
from protocols.fias import CHARSETS, known_charset
from protocols.postings import CHARGE

FINGERPRINT: Final = r"sha256:([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}"


def printable(text: str) -> str:
    """One line of printable characters. Raises ValueError."""
    if not text.isprintable():
        raise ValueError("expected one line of printable characters")
    return text


def line(value: object) -> object:
    """A line specification. Raises ValueError."""
    return parse_line(printable(value)) if isinstance(value, str) else value


def network(value: object) -> object:
    """An address or a network. Raises ValueError."""
    try:
        return ip_network(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("expected an address or a network, as 10.0.0.5 or 10.0.0.0/24") from None


def zone(text: str) -> str:
    """A time zone that this machine knows. Raises ValueError."""
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


def clock_time(text: str) -> str:
    """HH:MM. Raises ValueError."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError("expected HH:MM, 00:00 to 23:59")
    return text


def charset(text: str) -> str:
    """A code page that the program knows, by its own name. Raises ValueError."""
    name = known_charset(text)
    if name is None:
        raise ValueError(f"expected a code page with ASCII in it, as {', '.join(CHARSETS)}")
    return name


def fingerprint(text: str) -> str:
    """A SHA-256 as `doctor` prints it. Raises ValueError."""
    if not re.fullmatch(FINGERPRINT, text):
        raise ValueError("expected sha256: and 64 hex digits; `pms-gateway doctor` prints it")
    return text


def password_hash(text: str) -> str:
    """What `console-password` prints. Raises ValueError."""
    if not is_hash(text):
        raise ValueError("expected what `pms-gateway console-password` prints")
    return text


def address(text: str) -> str:
    """HOST:PORT. Raises ValueError."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\s]+):([0-9]{1,5})", text)
    if not match or int(match[2]) > 65535:
        raise ValueError("expected HOST:PORT, as 127.0.0.1:9843")
    return text


def url(text: str) -> str:
    """The address of an API. Raises ValueError."""
    match = re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[^/\s:@]+)(?::([0-9]{1,5}))?/\S+", text)
    if not match or int(match[2] or 1) not in range(1, 65536):
        raise ValueError("expected https://HOST:8089/api, or https://HOST:8443/pmsapi for the old")
    return text


def database(url: SecretStr) -> SecretStr:
    """The address of a PostgreSQL, or nothing. It may have a password in it, so it is not shown."""
    text = url.get_secret_value()
    if text and not re.fullmatch(r"postgres(ql)?://\S+", text):
        raise ValueError("expected postgresql://USER@HOST/DATABASE; several hosts with commas")
    return url


def dialect(name: str) -> str:
    """A dialect whose PMS tells of guests. Raises ValueError."""
    return one_of(name, [each for each, row in DIALECTS.items() if row.normalize is not None])


def charges_dialect(name: str) -> str:
    """A dialect that has a word for a charge. Raises ValueError."""
    return one_of(name, [each for each, row in DIALECTS.items() if CHARGE in row.can_say])


def one_of(name: str, names: list[str]) -> str:
    """One of these. Raises ValueError."""
    if name not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return name


def codes_in_capitals(table: dict[str, str]) -> dict[str, str]:
    """The same table, its keys in capitals."""
    return {code.upper(): language for code, language in table.items()}


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(network)]
Address = Annotated[str, AfterValidator(address)]
FileName = Annotated[str, AfterValidator(printable)]
