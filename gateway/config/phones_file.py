"""Reads the file of the phones in the rooms: TOML, strictly; all mistakes are told at once."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)

ADDRESS: Final = r"(https?://)?(?P<host>[0-9A-Za-z._-]+|\[[0-9a-fA-F:]+\])(:(?P<port>[0-9]{1,5}))?"
EXAMPLES: Final = 'as "10.0.5.101", "10.0.5.101:8080" or "https://10.0.5.101"'
KEYS: Final = ("rooms", "username", "password", "password_file", "address")
USERNAME: Final = "gmiadmin"
"""The login of the web API that does not throw out somebody at the phone's own page."""


def _address(text: str) -> str:
    found = re.fullmatch(ADDRESS, text)
    if found is None:
        raise ValueError(f"is no address of a phone; write it {EXAMPLES}")
    host = found["host"].strip("[]")
    if host != found["host"] or re.fullmatch("[0-9.]+", host):
        try:
            ip_address(host)
        except ValueError:
            raise ValueError("is no IP address: each of its four numbers is 0 to 255") from None
    if found["port"] and not 1 <= int(found["port"]) <= 65_535:
        raise ValueError("has no such port: they are 1 to 65535")
    return text


Address = Annotated[str, AfterValidator(_address)]
Text = Annotated[str, StringConstraints(min_length=1)]


@dataclass(frozen=True, slots=True)
class SitePhone:
    """One phone of the site.

    address         HOST, HOST:PORT, or http:// or https:// with it
    password_file   in which the password is; empty: in the file of the phones
    """

    room: str
    address: str
    username: str
    password: SecretStr
    password_file: str = ""


class _Login(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    username: Text | None = None
    password: Text | None = None
    password_file: Text | None = None


class _Phone(_Login):
    address: Address


class _File(_Login):
    rooms: dict[Text, Address | _Phone] = Field(min_length=1)


def load(path: Path, secret: Callable[[str], str]) -> tuple[list[SitePhone], list[str]]:
    """The phones, and what is wrong, a sentence each, with the key.

    secret  the text of a file of a password, by its name
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        return [], [f"{path}: {error.strerror}"]
    except (ValueError, RecursionError) as error:
        return [], [f"{path}: not TOML: {error}"]
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        return [], [f"{path}: {each}" for each in _sentences(error)]
    return _phones(path, file, secret)


def _phones(
    path: Path, file: _File, secret: Callable[[str], str]
) -> tuple[list[SitePhone], list[str]]:
    problems: list[str] = []

    def password(where: str, login: _Login) -> str:
        if login.password is not None and login.password_file is not None:
            problems.append(f"{path}: {where}: give either password or password_file")
        return secret(login.password_file) if login.password_file else login.password or ""

    shared, found, lacking = password("the file", file), [], list[str]()
    rooms_at: dict[str, str] = {}
    for room, given in file.rooms.items():
        phone = _Phone(address=given) if isinstance(given, str) else given
        own = password(f"room {room}", phone) or shared
        if not own and not phone.password_file:  # of a file that cannot be read it is told already
            lacking.append(room)
        if other := rooms_at.get(phone.address):
            problems.append(f"{path}: rooms {other} and {room} have the same address")
        rooms_at[phone.address] = room
        username = phone.username or file.username or USERNAME
        kept_in = phone.password_file or ("" if phone.password else file.password_file) or ""
        found.append(SitePhone(room, phone.address, username, SecretStr(own), kept_in))
    if lacking and not file.password_file:
        some = ", ".join(lacking[:5]) + (f" and {len(lacking) - 5} more" if lacking[5:] else "")
        problems.append(f"{path}: no password, neither for all nor for rooms {some}")
    return found, problems


def _sentences(error: ValidationError) -> list[str]:
    """One for each key; a value may be a password, so none is told."""
    said: dict[str, str] = {}
    for each in error.errors():
        place = [str(part) for part in each["loc"] if not _is_of_pydantic(part)]
        said.setdefault(".".join(place) or "the file", _why(each))
    return [
        f"{key}: {why}"
        for key, why in said.items()
        if not any(other.startswith(f"{key}.") for other in said)  # that one says more
    ]


def _is_of_pydantic(part: object) -> bool:
    return (
        isinstance(part, str) and re.match(r"(_Phone|constrained-str|function)", part) is not None
    )


def _why(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "extra_forbidden":
            near = get_close_matches(str(error["loc"][-1]), KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(KEYS)}"
            return f"unknown key; {hint}"
        case "value_error":
            return str(error["ctx"]["error"])
        case "missing":
            return "missing"
        case "too_short":
            return "names no phone"
        case "string_type" | "model_type":
            return f"expected a text; an address {EXAMPLES}"
    return str(error["msg"])
