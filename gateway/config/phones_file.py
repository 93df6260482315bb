"""Reads the file of the phones in the rooms: TOML, strictly; all mistakes are told at once."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

ADDRESS: Final = r"(https?://)?([0-9A-Za-z._-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?"
USERNAME: Final = "gmiadmin"
"""The login of the web API that does not throw out somebody at the phone's own page."""

Address = Annotated[str, StringConstraints(pattern=rf"^{ADDRESS}$")]
Text = Annotated[str, StringConstraints(min_length=1)]


@dataclass(frozen=True, slots=True)
class SitePhone:
    """One phone of the site. `address`: HOST, HOST:PORT, or http:// or https:// with it."""

    room: str
    address: str
    username: str
    password: SecretStr


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

    shared, found = password("the file", file), []
    rooms_at: dict[str, str] = {}
    for room, given in file.rooms.items():
        phone = _Phone(address=given) if isinstance(given, str) else given
        own = password(f"room {room}", phone) or shared
        if not own:
            problems.append(f"{path}: room {room}: no password, neither its own nor one for all")
        if other := rooms_at.get(phone.address):
            problems.append(f"{path}: rooms {other} and {room} have the same address")
        rooms_at[phone.address] = room
        username = phone.username or file.username or USERNAME
        found.append(SitePhone(room, phone.address, username, SecretStr(own)))
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
            return "unknown key; allowed: rooms, username, password, password_file; of one: address"
        case "missing":
            return "missing"
        case "too_short":
            return "names no phone"
        case "string_pattern_mismatch" | "string_type" | "model_type":
            return 'expected a text; an address as "10.0.5.101" or "https://10.0.5.101"'
    return str(error["msg"])
