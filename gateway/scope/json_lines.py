"""Steps as JSON lines: one object a step, for programs. What is written reads back the same.

    {"step": "spoken", "at": 1773479700.125, "from": "pms", "hex": "02 4C 41 7C 03", "text": "..."}
    {"step": "modem", "at": 1773479700.5, "lines": {"CTS": true, "DSR": false}}

`text` is for the eye and for `jq`; the bytes are in `hex`. `at` is null where no moment is known.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
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


def as_json(step: Step, charset: str = "cp1252") -> dict[str, Any]:
    """One step as a JSON object."""
    match step:
        case Opened(words=words):
            rest: dict[str, Any] = {"step": "open", "words": words}
        case Closed(words=words):
            rest = {"step": "close", "words": words}
        case Remarked(words=words):
            rest = {"step": "remark", "words": words}
        case Waited(seconds=seconds):
            rest = {"step": "wait", "seconds": seconds}
        case Modem(lines=lines):
            rest = {"step": "modem", "lines": dict(lines)}
        case Counted(errors=errors):
            rest = {"step": "errors", "errors": dict(errors)}
        case Settings(line=line, values=values):
            rest = {"step": "line", "line": line, "values": dict(values)}
        case Spoken(from_pms=from_pms, data=data):
            rest = {
                "step": "spoken",
                "from": "pms" if from_pms else "gw",
                "hex": data.hex(" ").upper(),
                "text": show_bytes(data, charset),
            }
    return {"step": rest.pop("step"), "at": step.at, **rest}


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
    match found.get("step"):
        case "open":
            return Opened(_text(found, "words"), **where)
        case "close":
            return Closed(_text(found, "words"), **where)
        case "remark":
            return Remarked(_text(found, "words"), **where)
        case "wait":
            return Waited(_number(found, "seconds"), **where)
        case "modem":
            return Modem(_mapping(found, "lines", bool, _LINE), **where)
        case "errors":
            return Counted(_mapping(found, "errors", int, _ERROR), **where)
        case "line":
            return Settings(_text(found, "line"), _mapping(found, "values", str, _KEY), **where)
        case "spoken" if found.get("from") in _SPEAKERS:
            return Spoken(found["from"] == "pms", bytes.fromhex(_text(found, "hex")), **where)
    raise ValueError("no step of a capture: see 'step' and 'from'")


_SPEAKERS: Final = ("pms", "gw")


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


def _mapping(
    found: Mapping[str, Any], key: str, kind: type[Any], name: re.Pattern[str]
) -> dict[str, Any]:
    value = found[key]
    if not isinstance(value, Mapping) or not all(type(each) is kind for each in value.values()):
        raise KeyError(key)
    if not all(name.fullmatch(each) for each in value):
        raise KeyError(key)
    return dict(value)


# What the notation reads and writes: a name from a file may not end its line.
_LINE: Final = re.compile("[A-Z]{2,3}")
_ERROR: Final = re.compile("[a-z]+")
_KEY: Final = re.compile(r"[^\s=]*")
