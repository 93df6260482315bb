"""Steps as JSON lines: one object a step, for programs. What is written reads back the same.

    {"step": "spoken", "at": 1773479700.125, "from": "pms", "hex": "02 4C 41 7C 03", "text": "..."}
    {"step": "modem", "at": 1773479700.5, "lines": {"CTS": true, "DSR": false}}

`text` is for the eye and for `jq`; the bytes are in `hex`. `at` is null where no moment is known.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from protocols.transcript import (
    Closed,
    Counted,
    Modem,
    Opened,
    Remarked,
    Settings,
    Spoken,
    Step,
    Waited,
    show_bytes,
)


def write(steps: Iterable[Step], charset: str = "cp1252") -> Iterator[str]:
    """One line of JSON a step, without line ends, in ASCII."""
    for step in steps:
        yield json.dumps(as_json(step, charset))


_STEPS: Final[dict[str, type[Step]]] = {
    "open": Opened,
    "close": Closed,
    "remark": Remarked,
    "wait": Waited,
    "modem": Modem,
    "errors": Counted,
    "line": Settings,
}
"""By their names in a file; their fields have the names of the dataclass. `Spoken` has its own."""

_NAMES: Final = {kind: name for name, kind in _STEPS.items()}


def as_json(step: Step, charset: str = "cp1252") -> dict[str, Any]:
    """One step as a JSON object."""
    if isinstance(step, Spoken):
        return {
            "step": "spoken",
            "at": step.at,
            "from": "pms" if step.from_pms else "gw",
            "hex": step.data.hex(" ").upper(),
            "text": show_bytes(step.data, charset),
        }
    told = asdict(step)
    del told["line_number"]
    return {"step": _NAMES[type(step)], "at": told.pop("at"), **told}


def read(text: str) -> Iterator[Step]:
    """The steps of such a file; empty lines say nothing. Raises ValueError with the line's number.

    Fields that are not known are passed over: a later program may write more.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield _step(json.loads(line), number)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ValueError(f"line {number}: {_sentence(error)}") from None


def _sentence(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"no JSON ({error.msg})"
        case KeyError():
            return f"{error.args[0]!r} is missing or not what it should be"
        case ValueError() if not isinstance(error, UnicodeError):
            return str(error)
    return "no step of a capture"


def _step(found: Any, number: int) -> Step:
    if not isinstance(found, Mapping):
        raise TypeError(found)
    at = None if found.get("at") is None else _number(found, "at")
    where: dict[str, Any] = {"at": at, "line_number": number}
    name = found.get("step")
    if name == "spoken" and found.get("from") in ("pms", "gw"):
        return Spoken(found["from"] == "pms", bytes.fromhex(_text(found, "hex")), **where)
    if not isinstance(name, str) or name not in _STEPS:
        raise ValueError("no step of a capture: see 'step' and 'from'")
    kind = _STEPS[name]
    told = {each.name: _FIELDS[each.name] for each in fields(kind) if each.name in _FIELDS}
    return kind(**{key: read_field(found, key) for key, read_field in told.items()}, **where)


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found[key]
    if not isinstance(value, str):
        raise KeyError(key)
    return value


def _number(found: Mapping[str, Any], key: str) -> float:
    value = found[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise KeyError(key)
    if not 0 <= value < math.inf:
        raise KeyError(key)
    return float(value)


def _mapping(kind: type[Any], name: str) -> Callable[[Mapping[str, Any], str], dict[str, Any]]:
    """Reads values of one kind by names of one shape: a name from a file may not end its line."""

    def read_field(found: Mapping[str, Any], key: str) -> dict[str, Any]:
        value = found[key]
        if not isinstance(value, Mapping) or not all(type(each) is kind for each in value.values()):
            raise KeyError(key)
        if not all(re.fullmatch(name, each) for each in value):
            raise KeyError(key)
        return dict(value)

    return read_field


_FIELDS: Final[dict[str, Callable[[Mapping[str, Any], str], Any]]] = {
    "words": _text,
    "seconds": _number,
    "line": _text,
    "lines": _mapping(bool, "[A-Z]{2,3}"),
    "errors": _mapping(int, "[a-z]+"),
    "values": _mapping(str, r"[^\s=]*"),
}
"""How each field of a step is read; what the notation could not show is refused."""
