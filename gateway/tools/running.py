"""What a command asks of the running service: JSON and the feed, over its control socket."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from gateway.config import Config
from gateway.service.hold import holder_of
from gateway.web.control import Declined, reach

ANSWER_WITHIN_S: Final = 330.0
"""A comparison waits for the call in flight, and that for a UCM that takes its time."""


class NotRunning(Declined):
    """No service runs on this data directory: read its files instead, or say so."""


def is_running(config: Config) -> bool:
    """Whether a service runs on the data directory of this site."""
    return bool(holder_of(Path(config.site.data_dir)))


async def ask(config: Config, method: str, path: str, body: bytes = b"") -> Any:
    """The JSON that the service answers. Raises NotRunning, and Declined with its word."""
    async with _service(config) as service:
        answer = await service.request(method, path, content=body)
        try:
            told = answer.json()
        except ValueError:
            raise Declined(f"the service answers {answer.status_code}, and no JSON") from None
    if answer.is_error:
        raise Declined(told["error"])
    return told


@asynccontextmanager
async def feed(config: Config, history_s: float, name: str) -> AsyncIterator[AsyncIterator[str]]:
    """The text of a line of the service, from so many seconds ago on, until the service stops.
    Raises NotRunning and Declined."""
    path = f"/line/feed?line={name}&history={history_s:.3f}"
    async with (
        _service(config, read_within_s=None) as service,
        service.stream("GET", path) as answer,
    ):
        if answer.is_error:
            raise Declined(f"the service answers {answer.status_code} {answer.reason_phrase}")
        yield _lines(answer)


async def _lines(answer: httpx.Response) -> AsyncIterator[str]:
    with contextlib.suppress(httpx.HTTPError):  # it was killed: this is the end of the feed too
        async for line in answer.aiter_lines():
            yield line


@asynccontextmanager
async def _service(
    config: Config, read_within_s: float | None = ANSWER_WITHIN_S
) -> AsyncIterator[httpx.AsyncClient]:
    folder = Path(config.site.data_dir)
    holder = holder_of(folder)
    if not holder:
        raise NotRunning(
            "no service runs: start it, or name the line to open (serial:…, tcp:…)"
            if not config.pair.name
            else "this gateway is not at work: `pms-gateway pair` says which one is; ask that one"
        )
    try:
        with reach(folder) as name:
            async with httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=name, verify=False),  # there is no TLS
                trust_env=False,
                base_url="http://localhost",
                timeout=httpx.Timeout(ANSWER_WITHIN_S, read=read_within_s),
            ) as client:
                yield client
    except (PermissionError, FileNotFoundError, httpx.HTTPError) as error:
        raise Declined(
            f"the service ({holder}) does not answer: {error}; run this as its user, or as root"
        ) from error
