"""Reads a tariff: TOML, strictly; every mistake is told, with its line."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from gateway.back.dialled import KINDS, Plan
from gateway.back.tariff import DAYS, ROUNDINGS, Row, Tariff

_RANGE: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class TariffError(Exception):
    """The tariff is wrong. `sentences` have one line each, with the line of the file."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = list(sentences)


def _money(value: object) -> Decimal:
    """A float has no exact sum: 0.1 is none of them."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError('write a sum as a text, as "0.30"')  # pydantic wants it
    try:
        sum_ = Decimal(value)
    except InvalidOperation:
        raise ValueError('expected a sum, as "0.30"') from None
    if not sum_.is_finite() or not 0 <= sum_ < 1_000_000:
        raise ValueError("expected a sum from 0 to 999999")
    return sum_


def _prefix(text: str) -> str:
    if not re.fullmatch(r"\+?[0-9*#]{1,20}", text):
        raise ValueError('expected digits, or + and digits, as "+4915" or "0180"')
    return text


def _days(text: object) -> frozenset[int]:
    found: set[int] = set()
    for part in str(text).replace(" ", "").split(","):
        match = _RANGE.fullmatch(part)
        if match is None or match[1] not in DAYS or (match[2] or match[1]) not in DAYS:
            raise ValueError(f'expected days, as "mon-fri" or "sat,sun": {", ".join(DAYS)}')
        first, last = DAYS.index(match[1]), DAYS.index(match[2] or match[1])
        found |= {day % 7 for day in range(first, last + 1 if last >= first else last + 8)}
    return frozenset(found)


def _hours(text: object) -> tuple[time, time]:
    match = _HOURS.fullmatch(str(text).replace(" ", ""))
    if match is None or (match[3] == "24" and match[4] != "00"):
        raise ValueError('expected hours, as "08:00-20:00" or "20:00-08:00"')
    until = time(int(match[3]) % 24, int(match[4]))
    return time(int(match[1]), int(match[2])), until


def _country(text: str) -> str:
    if text not in SUPPORTED_REGIONS:
        raise ValueError("expected a country in two capitals, as DE")
    return text


Money = Annotated[Decimal, BeforeValidator(_money)]
Percent = Annotated[Decimal, BeforeValidator(_money), Field(le=1000)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _House(_Section):
    country: Annotated[str, AfterValidator(_country)]
    area: Annotated[str, Field(pattern=r"^[0-9]{0,6}$")] = ""
    outside: Annotated[str, Field(pattern=r"^[0-9*#]{0,4}$")] = ""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    decimals: Annotated[int, Field(ge=0, le=3)] = 2
    rounding: Literal[tuple(ROUNDINGS)] = "half_up"  # type: ignore[valid-type]  # its words
    tax_percent: Percent = Decimal(0)
    tax_included: bool = True
    margin_percent: Percent = Decimal(0)
    minimum: Money = Decimal(0)
    maximum: Money | None = None
    free: Annotated[tuple[Prefix, ...], Field(strict=False)] = ()
    emergency_always_free: bool = True


class _Rate(_Section):
    name: Annotated[str, Field(min_length=1, max_length=60)]
    prefix: Annotated[tuple[Prefix, ...], Field(strict=False)] = ()
    kind: Literal[KINDS] | None = None  # type: ignore[valid-type]  # its words
    days: Annotated[frozenset[int], BeforeValidator(_days)] = frozenset()
    hours: Annotated[tuple[time, time], BeforeValidator(_hours)] | None = None
    trunk: Annotated[str, Field(min_length=1)] | None = None
    connect: Money = Decimal(0)
    free_s: Seconds = 0
    first_s: Seconds = 0
    first: Money = Decimal(0)
    step_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    step: Money = Decimal(0)


class _File(_Section):
    house: _House
    rate: Annotated[tuple[_Rate, ...], Field(strict=False)]


def load(path: Path) -> Tariff:
    """Read a tariff. Raises TariffError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise TariffError([f"{path}: {why}"]) from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Tariff:
    """The tariff in a text; `name` is put in front of each sentence. Raises TariffError."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise TariffError([f"{name}: not TOML: {error}"]) from None
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        raise TariffError(
            [f"{name}, line {_line(text, each['loc'])}: {_words(each)}" for each in error.errors()]
        ) from None
    house = file.house
    return Tariff(
        plan=Plan(house.country, house.area, house.outside),
        rows=tuple(_row(rate) for rate in file.rate),
        **{key: value for key, value in house if key not in ("country", "area", "outside")},
    )


def _row(rate: _Rate) -> Row:
    values = {key: value for key, value in rate if key != "prefix"}
    return Row(prefixes=rate.prefix, **values)


def _words(error: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"] if isinstance(part, str))
    match error["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key"
        case "missing":
            return f"{key}: missing"
        case "value_error":
            return f"{key}: {error['ctx']['error']}"
        case _:
            return f"{key}: {error['msg']}"


def _line(text: str, where: Sequence[Any]) -> int:
    """The line of a key, or of the table that lacks it."""
    rows = [number for number, line in _tables(text) if line == "[[rate]]"]
    if where[0] == "rate" and len(where) > 1 and isinstance(where[1], int):
        begin = rows[where[1]] if where[1] < len(rows) else 1
        key = where[2] if len(where) > 2 else None
    else:
        begin = next((number for number, line in _tables(text) if line == f"[{where[0]}]"), 1)
        key = where[1] if len(where) > 1 else None
    lines = text.splitlines()
    for number in range(begin + 1, len(lines) + 1):
        line = lines[number - 1].strip()
        if line.startswith("["):
            break
        if key is not None and re.match(rf"{re.escape(str(key))}\s*=", line):
            return number
    return begin


def _tables(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        head = line.partition("#")[0].replace(" ", "").strip()
        if head.startswith("["):
            yield number, head
