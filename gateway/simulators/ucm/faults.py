"""The faults of a simulated UCM: which requests they meet, and what becomes of the reply."""

from dataclasses import dataclass, replace
from typing import Final

from gateway.simulators.ucm.replies import Reply

FAULTS: Final = {
    "code": "answer with `value` as the code, and do nothing",
    "drop": "do it, then close without a reply",
    "reset": "close before anything is done",
    "hang": "never answer",
    "slow": "answer after `value` seconds",
    "drip": "answer one byte a second",
    "html": "answer 502 with HTML",
    "http": "answer `value` as the HTTP status, empty",
    "empty": "answer 200 with nothing",
    "half": "do it, then close in the middle of the reply",
    "garbage": "do it, then add garbage behind the JSON",
    "cookie": "forget the session first",
}
"""What can be asked for, by name."""
DONE_FIRST: Final = {"drop", "drip", "half", "garbage"}
"""The faults that meet the reply, when the action is done."""


@dataclass(slots=True)
class Fault:
    """A fault that waits for its request.

    action, room    which requests it meets; None: any
    times           how often; -1: for ever
    chance          of meeting a request that fits, 0..1
    """

    kind: str
    action: str | None = None
    room: str | None = None
    times: int = 1
    value: float = 0
    chance: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"fault {self.kind!r} is none of {', '.join(FAULTS)}")


class Dropped(Exception):
    """Close the connection now; `data` may leave first."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__()
        self.data = data


class Hanging(Exception):
    """Never answer this request; others go on."""


def spoil(kind: str, reply: Reply) -> Reply:
    """The reply to an action that was done. Raises Dropped for "drop" and "half"."""
    match kind:
        case "half":
            head = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"
            raise Dropped(head + reply.body[: len(reply.body) // 2])
        case "garbage":
            return replace(reply, body=reply.body + b"\x00\x00}{")
        case "drip":
            return replace(reply, drips=True)
    raise Dropped


def instead(fault: Fault) -> Reply:
    """The reply when nothing is done. Raises Dropped for "reset" and Hanging for "hang"."""
    match fault.kind:
        case "hang":
            raise Hanging
        case "html":
            page = b"<html><body>Bad Gateway</body></html>"
            return Reply(502, page, {"Content-Type": "text/html"})
        case "http":
            return Reply(int(fault.value))
        case "empty":
            return Reply(200)
    raise Dropped
