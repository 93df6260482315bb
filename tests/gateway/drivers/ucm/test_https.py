"""The one connection to a UCM: kept while it is good, never reused after a doubt, bounded."""

import asyncio
import hashlib
import socket
import ssl
import struct
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.base import Unreachable
from gateway.drivers.ucm import https
from gateway.drivers.ucm.https import HttpsPeer, TlsSettings, Trust, valid_until
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
    peer = HttpsPeer(url, tls=TlsSettings(trust=Trust.INSECURE), timeout_s=5)

    async def ask(content=b"{}"):
        return (await peer.post(content, 1000)).body

    try:
        yield told, ask
    finally:
        told.is_over.set()
        await peer.close()
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
    monkeypatch.setattr(https, "IDLE_S", 0.05)
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
    ("reply", "kind"),
    [
        (b"", "reset"),
        (b"nonsense\r\n\r\n", "http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf", "reset"),
        (b"HTTP/1.1 999999 \r\n\r\n", "http"),
        (b"HTTP/1.1 200 OK\r\nContent-Type : text/xml\r\n\r\n", "http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001, "body"),
    ],
    ids=["hangs up", "no HTTP", "half a body", "no status", "odd header", "too long"],
)
async def test_a_reply_that_is_none_is_told_as_such(reply, kind):
    async with between(reply, OK) as (_, ask):
        with pytest.raises(Unreachable) as failed:
            await ask()
        assert (failed.value.kind, failed.value.sent) == (kind, True)
        assert await ask() == b"hi"


@pytest.mark.asyncio
async def test_nobody_there_is_told_before_anything_was_sent():
    peer = HttpsPeer(
        "http://127.0.0.1:1/?token=secret", tls=TlsSettings(trust=Trust.INSECURE), timeout_s=2
    )
    with pytest.raises(Unreachable) as failed:
        await peer.get("token=secret", 1000)
    assert (failed.value.kind, failed.value.sent) == ("reset", False)
    assert "secret" not in str(failed.value)
    await peer.close()


@pytest.mark.asyncio
async def test_a_reply_that_drips_is_not_waited_for(monkeypatch):
    async with between(None, OK) as (told, ask):
        asking = asyncio.ensure_future(ask())
        while not told.requests:
            await asyncio.sleep(0.01)
        told.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        with pytest.raises(Unreachable) as failed:
            while not asking.done():
                told.writer.write(b"x")
                await asyncio.sleep(0.1)
            await asking
        assert (failed.value.kind, failed.value.sent) == ("timeout", True)
        assert await ask() == b"hi"


@pytest.mark.asyncio
async def test_a_pin_is_compared_before_a_byte_leaves(tmp_path):
    heard = bytearray()

    async def listen(reader, writer):
        heard.extend(await reader.read(1000))
        writer.close()

    pem, context = write_certificate(tmp_path), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
    wrong = TlsSettings(trust=Trust.PINNED, fingerprint=hashlib.sha256(b"another").digest())
    peer = HttpsPeer(url, tls=wrong, timeout_s=5)
    with pytest.raises(Unreachable) as failed:
        await peer.post(b"{}", 1000)
    assert (failed.value.kind, failed.value.sent) == ("tls", False)
    assert "the certificate is now sha256:" in str(failed.value)
    assert heard == b""
    await peer.close()
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
            with pytest.raises(Unreachable) as failed:
                await asking
            assert (failed.value.kind, failed.value.sent) == ("reset", True)
        else:
            told.hang_up()
            assert await asking == b"hel"


# --- The end of a certificate ---

KEY = ec.generate_private_key(ec.SECP256R1())


def test_the_end_of_a_certificate_is_read():
    ends = datetime(2036, 1, 1)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "UCM")])
    serial = x509.random_serial_number()
    builder = x509.CertificateBuilder(
        subject, subject, KEY.public_key(), serial, datetime(1950, 1, 1), ends
    )
    der = builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    assert valid_until(der) == ends.replace(tzinfo=UTC)
    assert valid_until(der[:60]) is None


@given(st.binary(max_size=80))
def test_bytes_that_are_no_certificate_have_no_end(data):
    assert valid_until(data) is None
