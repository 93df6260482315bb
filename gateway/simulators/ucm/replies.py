"""The HTTP replies of a simulated UCM: how each API writes a code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.simulators.pbx import TEXTS


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply. `drips`: it leaves one byte a second."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drips: bool = False


def json_reply(value: Any) -> Reply:
    """A reply of the new API."""
    headers = {"Content-Type": "application/json;charset=UTF-8"}
    return Reply(200, json.dumps(value).encode(), headers)


def invalid() -> Reply:
    """What the new API says to a request that it cannot read."""
    return json_reply({"response": {"error_msg": "Invalid parameters!"}, "status": -1})


def failure(code: int, shape: str) -> Reply:
    """A failure of the new API, as a firmware of this shape writes it; no guide prints one."""
    if code < 0 and code not in TEXTS:  # the API's own codes come in the status
        shape = "F"
    match shape:
        case "B":
            error = {"error_msg": f"[{code}] {TEXTS[code]}"}
            return json_reply({"response": error, "status": -1})
        case "C":
            return json_reply({"error": TEXTS[code], "response": {}, "status": -1})
        case "D":
            headers = {"Content-Type": "text/plain"}
            return Reply(200, f"[{code}] {TEXTS[code]}".encode(), headers)
        case "E":
            return json_reply({"response": {"error": TEXTS[code]}, "status": 0})
        case "F":
            return json_reply({"response": {}, "status": code})
    return json_reply({"response": {"error": TEXTS[code]}, "status": -1})


def old_reply(code: int) -> Reply:
    """A code as the old API writes it, 0 as well."""
    text = f"[{code}] {TEXTS.get(code, 'Error !')}\r\n"
    return Reply(200, text.encode(), {"Content-Type": "text/html"})
