"""The one connection to a UCM: kept while it is good, never reused after a doubt."""

import asyncio
import socket
import ssl
import struct
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import h11
import pytest

from gateway.drivers import connection
from gateway.drivers.connection import Connection, NotConnected
from gateway.simulators.certificate import write_certificate

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Server:
    """Answers each request with the next of its replies, as they are; None: not at all."""

    def __init__(self, *replies):
        self.replies, self.requests, self.connections = list(replies), [], 0
        self.is_over = asyncio.Event()

    def hang_up(self):
        self.writer.close()

    async def serve(self, reader, writer):
        self.connections += 1
        self.writer = writer
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(dict(
                    line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:-2]
                ).get(b"content-length", 0))  # fmt: skip
                self.requests.append(head + await reader.readexactly(length))
                reply = self.replies.pop(0)
                if reply is None:
                    await self.is_over.wait()
                    return
                writer.write(reply)
                if b"Connection: close" in reply or b"HTTP" not in reply[:8]:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def between(*replies):
    told = Server(*replies)
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
    kept = Connection(urlsplit(url), ssl.create_default_context(), within_s=2)

    async def ask(content=b"{}"):
        async with asyncio.timeout(5):
            return (await kept.ask("POST", b"/api", (), content, 1000)).body

    try:
        yield told, ask
    finally:
        told.is_over.set()
        await kept.aclose()
        server.close()


@pytest.mark.asyncio
async def test_calls_go_over_one_connection_each_as_one_request():
    async with between(OK, OK) as (told, ask):
        assert [await ask(b'{"a":1}'), await ask()] == [b"hi", b"hi"]
        assert told.connections == 1
        assert told.requests[0].endswith(b'{"a":1}')
        assert told.requests[0].startswith(b"POST /api HTTP/1.1\r\n")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "first",
    [OK + OK, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
     b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"x"],
    ids=["said twice", "close", "a byte too much"],
)  # fmt: skip
async def test_a_connection_in_doubt_is_not_used_again(first):
    async with between(first, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother") as (
        told, ask
    ):  # fmt: skip
        assert await ask() == b"hi"
        await asyncio.sleep(0.05)
        assert await ask() == b"other"
        assert told.connections == 2


@pytest.mark.asyncio
async def test_a_connection_that_the_peer_has_closed_costs_no_call():
    async with between(OK, OK) as (told, ask):
        await ask()
        told.hang_up()
        await asyncio.sleep(0.05)
        assert await ask() == b"hi"
        assert told.connections == 2


@pytest.mark.asyncio
async def test_an_old_connection_is_not_used_again(monkeypatch):
    monkeypatch.setattr(connection, "IDLE_S", 0.05)
    async with between(OK, OK) as (told, ask):
        await ask()
        await asyncio.sleep(0.1)
        await ask()
        assert told.connections == 2


@pytest.mark.asyncio
async def test_what_comes_after_a_cancelled_call_is_not_the_next_reply():
    async with between(None, OK) as (told, ask):
        task = asyncio.ensure_future(ask())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await ask() == b"hi"
        assert told.connections == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "reply",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf",
     b"HTTP/1.1 999999 \r\n\r\n"],
    ids=["hangs up", "no HTTP", "half a body", "no status"],
)  # fmt: skip
async def test_a_reply_that_is_none_is_told_as_such(reply):
    async with between(reply, OK) as (_, ask):
        with pytest.raises(h11.RemoteProtocolError):
            await ask()
        assert await ask() == b"hi"


@pytest.mark.asyncio
async def test_nobody_there_is_told_before_anything_was_sent():
    nobody = Connection(urlsplit("http://127.0.0.1:1/"), ssl.create_default_context(), within_s=2)
    with pytest.raises(NotConnected):
        await nobody.ask("GET", b"/", (), b"", 1000)


@pytest.mark.asyncio
async def test_who_talks_without_being_asked_is_cut_off():
    async with between(OK, OK) as (told, ask):
        await ask()
        told.writer.write(b"x" * 100_000)
        async with asyncio.timeout(5):
            while not told.writer.is_closing():  # it is not read to its end
                told.writer.write(b"x" * 100_000)
                await asyncio.sleep(0.01)
        assert await ask() == b"hi"
        assert told.connections == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("word", [b"", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"])
async def test_who_hangs_up_or_talks_before_he_is_asked_was_sent_nothing(tmp_path, word):
    """By TLS 1.2, whose handshake ends at the client: so it is there with the connection."""

    async def rude(_, writer):
        writer.write(word)
        writer.close()

    pem, context = write_certificate(tmp_path), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = await asyncio.start_server(rude, "127.0.0.1", 0, ssl=context)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
    kept = Connection(urlsplit(url), trusting, within_s=2)
    with pytest.raises(NotConnected):
        await kept.ask("POST", b"/api", (), b"{}", 1000)
    await kept.aclose()
    server.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("breaks", [False, True])
async def test_a_reply_without_a_length_ends_with_the_connection_and_not_with_its_break(breaks):
    async with between(None) as (told, ask):
        asking = asyncio.ensure_future(ask())
        while not told.requests:
            await asyncio.sleep(0.01)
        told.writer.write(b"HTTP/1.1 200 OK\r\n\r\nhel")
        await asyncio.sleep(0.05)
        if breaks:
            linger = struct.pack("ii", 1, 0)  # closing is a reset
            told.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
            told.hang_up()
            with pytest.raises(h11.RemoteProtocolError, match="broke"):
                await asking
        else:
            told.hang_up()
            assert await asking == b"hel"
