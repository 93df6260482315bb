"""One event per line, key=value, on standard error. Never a guest's name at the default level."""

import logging
import os
import sys
from functools import cache
from time import strftime
from typing import Any, TextIO

import structlog

_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


def set_up(
    *, site: str = "", verbose: bool = False, quiet: bool = False, stream: TextIO | None = None
) -> None:
    """Make structlog write to `stream` (standard error). Under journald with priorities."""
    out = stream or sys.stderr
    under_journald = "JOURNAL_STREAM" in os.environ
    for noisy in ("httpx", "httpcore", "uvicorn", "asyncio", "hpack"):
        # httpx would log URLs, and the old API has token and name in them.
        logging.getLogger(noisy).setLevel(logging.ERROR)

    def add_site(_: Any, __: str, event: Any) -> Any:
        if site:
            event["site"] = site
        return event

    def render(_: Any, method: str, event: Any) -> str:
        words = [str(event.pop("event"))]
        words += [f"{key}={_quoted(value)}" for key, value in event.items() if key != "level"]
        if under_journald:  # it has its own clock
            prefix = f"<{_PRIORITY.get(method, 6)}>"
        else:
            prefix = f"{strftime('%Y-%m-%dT%H:%M:%S%z')} {method:7} "
        return prefix + " ".join(words)

    structlog.configure(
        processors=[add_site, render],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.CRITICAL if quiet else logging.INFO
        ),
        logger_factory=lambda *_: _Sink(out),
    )
    logger.cache_clear()


class _Sink:
    """Writes lines; a full disk or a closed pipe behind the log must not end the service."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # there is nowhere left to say it; the metrics still count

    debug = info = warning = error = critical = msg


@cache
def logger() -> Any:
    """The logger of the edges, as last set up."""
    return structlog.get_logger().bind()


def _quoted(value: object) -> str:
    text = printable(str(value).replace("\n", " ").replace("\r", " "))
    return f'"{text}"' if " " in text or not text else text


def printable(text: str) -> str:
    """One line without control characters, each written as its number: an escape sequence in a name
    must not rule a terminal.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\x{ord(char):02X}" for char in text)
