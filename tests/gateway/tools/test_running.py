"""What a command asks of the running service, and what it is told when there is no good answer."""

import asyncio
import io
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from gateway.service.hold import hold
from gateway.tools.running import NotRunning, ask, feed, is_running
from gateway.tools.typed import typed_lines
from gateway.web.control import SOCKET_NAME, Declined


@pytest.fixture
def config(tmp_path):
    return SimpleNamespace(
        site=SimpleNamespace(data_dir=str(tmp_path)), pair=SimpleNamespace(name="")
    )


@pytest.fixture
def held(config, tmp_path):
    """The data directory of a service that runs."""
    with hold(tmp_path):
        yield tmp_path


@asynccontextmanager
async def answering(folder, head, body, *, breaks_off=False):
    """A control socket with one answer for everybody. Gives what it was asked."""
    asked = []

    async def answer(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        length = len(body) + breaks_off  # a promise that is not kept
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(answer, str(folder / SOCKET_NAME)):
        yield asked


@pytest.mark.asyncio
async def test_without_a_service_that_is_told(config):
    assert not is_running(config)
    with pytest.raises(NotRunning, match="no service runs: start it"):
        await ask(config, "GET", "/rooms")
    with pytest.raises(NotRunning):
        async with feed(config, 0, "guests"):
            pass


@pytest.mark.asyncio
async def test_a_service_that_does_not_answer_is_named(config, held):
    assert is_running(config)
    with pytest.raises(Declined, match=r"the service \(process \d+\) does not answer: .*as root"):
        await ask(config, "GET", "/rooms")
    async with answering(held, "200 OK", b"[1", breaks_off=True):
        with pytest.raises(Declined, match="does not answer"):
            await ask(config, "GET", "/rooms")


@pytest.mark.asyncio
async def test_an_answer_is_json_and_a_refusal_is_a_sentence(config, held):
    async with answering(held, "200 OK", b'{"asked": true}') as asked:
        assert await ask(config, "POST", "/outbox/1%2F2/retry") == {"asked": True}
    assert asked[0].startswith(b"POST /outbox/1%2F2/retry HTTP/1.1\r\n")
    async with answering(held, "409 Conflict", b'{"error": "nothing to drop"}'):
        with pytest.raises(Declined, match="nothing to drop"):
            await ask(config, "POST", "/outbox/1/drop")
    async with answering(held, "500 Internal Server Error", b"oh"):
        with pytest.raises(Declined, match="the service answers 500"):
            await ask(config, "GET", "/rooms")


@pytest.mark.asyncio
@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_feed_is_its_lines_and_ends_with_the_service(config, held, is_killed):
    said = "one\nzwölf\n".encode()
    async with (
        answering(held, "200 OK", said, breaks_off=is_killed) as asked,
        feed(config, 60, "guests") as lines,
    ):
        assert [line async for line in lines] == ["one", "zwölf"]
    assert b"/line/feed?line=guests&history=60.000 " in asked[0]


@pytest.mark.asyncio
async def test_typed_lines_come_one_by_one_and_end():
    typed = typed_lines(io.StringIO("pulled the plug\n\n"))
    assert [await typed.get() for _ in range(3)] == ["pulled the plug", "", None]
