"""The only file that speaks HTTP to a UCM: one connection, bounded replies, mapped errors."""

import asyncio
import hashlib
import ssl
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Protocol

import httpx
from cryptography import x509
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from gateway.drivers.base import Unreachable
from gateway.drivers.sockets import UNACKED_S, giving_up_after

MAX_REPLY_BYTES: Final = 64 * 1024
CONNECT_SHARE: Final = 0.4
"""Of a request's time, for each of two tries to connect: who cannot be reached is told so, and is
not taken for one that got a request and did not answer."""
MAX_LIST_BYTES: Final = 8 * 1024 * 1024
"""A list of 3,000 rooms has 500 bytes for each."""


CONNECT_TRIES: Final = 2
IDLE_S: Final = 4.0
"""Firmwares close idle connections after 5 s; a call must not meet that moment."""

_HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "pms-gateway"}
_JSON: Final = {"Content-Type": "application/json;charset=UTF-8"}


class Trust(Enum):
    """How the UCM's certificate is checked."""

    PINNED = "pinned"
    CA = "ca"
    INSECURE = "insecure"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """What is trusted.

    fingerprint     SHA-256 of the certificate in DER, 32 bytes; for PINNED
    ca_file         PEM file; None: the system's; for CA
    is_old          the UCM speaks only what today's OpenSSL refuses; see `weaken`
    """

    trust: Trust
    fingerprint: bytes = b""
    ca_file: str | None = None
    is_old: bool = False


class CertificateChanged(ssl.SSLCertVerificationError):
    """The UCM showed another certificate than the pinned one; it has not seen a request byte."""


def fingerprint_text(der: bytes) -> str:
    """SHA-256 of a certificate the way it is written in the configuration."""
    digest = hashlib.sha256(der).hexdigest().upper()
    return "sha256:" + ":".join(digest[i : i + 2] for i in range(0, 64, 2))


def weaken(context: ssl.SSLContext) -> None:
    """Speak to a UCM6202 of old: Diffie-Hellman of 1024 bits, TLS 1.0, no safe renegotiation. Who
    listens may learn what is said; the pin still says who answers.
    """
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is why it is a setting
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.options |= ssl.Options(_LEGACY_SERVER_CONNECT)


_LEGACY_SERVER_CONNECT: Final = 0x4  # ssl.OP_LEGACY_SERVER_CONNECT from Python 3.12 on


def tls_context(settings: TlsSettings, on_certificate: Callable[[bytes], None]) -> ssl.SSLContext:
    """A context that trusts as set. `on_certificate` sees each trusted certificate (DER).

    A pin is compared inside the handshake, so it works on expired certificates and a wrong
    peer gets no request.
    """
    if settings.trust is Trust.CA:
        context = ssl.create_default_context(cafile=settings.ca_file)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

    if settings.is_old:
        weaken(context)

    class _Checked(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            der = self.getpeercert(binary_form=True) or b""
            digest = hashlib.sha256(der).digest()
            if settings.trust is Trust.PINNED and digest != settings.fingerprint:
                raise CertificateChanged(f"the certificate is now {fingerprint_text(der)}")
            on_certificate(der)

    context.sslobject_class = _Checked
    return context


@dataclass(frozen=True, slots=True)
class HttpReply:
    """Status and body; the body is whole and bounded."""

    status: int
    body: bytes


class Peer(Protocol):
    """One UCM at the other end of a wire. Every failure is an Unreachable."""

    certificate_ends: datetime | None
    certificate: bytes

    async def post(self, content: bytes, max_bytes: int) -> HttpReply:
        """POST a JSON text."""

    async def get(self, query: str, max_bytes: int) -> HttpReply:
        """GET with a query that is already percent-encoded."""

    async def close(self) -> None:
        """Let go of the connection."""


_ODD: Final = (ValueError, LookupError, RuntimeError)


class _Endless(Exception):
    """A reply of more bytes than anybody wants."""


class HttpsPeer:
    """One UCM over HTTP. Every failure is an Unreachable that tells whether we were heard.

    timeout_s       for a whole request, a dripping reply included
    unacked_s       see `giving_up_after`
    """

    def __init__(
        self,
        url: str,
        *,
        tls: TlsSettings,
        timeout_s: float,
        digest: tuple[str, str] | None = None,
        unacked_s: float = UNACKED_S,
    ) -> None:
        self._url = httpx.URL(url)
        self._timeout_s, self._unacked_s = timeout_s, unacked_s
        self.certificate_ends: datetime | None = None
        self.certificate: bytes = b""
        self._context = tls_context(tls, self._see_certificate)
        self._auth = httpx.DigestAuth(*digest) if digest else None
        self._client = self._begin()

    def _begin(self) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(
            verify=self._context,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=IDLE_S),
            socket_options=giving_up_after(self._unacked_s),
            trust_env=False,
        )
        return httpx.AsyncClient(
            transport=transport,
            auth=self._auth,
            headers=_HEADERS,
            timeout=httpx.Timeout(None, connect=self._timeout_s * CONNECT_SHARE),
            trust_env=False,
        )

    async def post(self, content: bytes, max_bytes: int) -> HttpReply:
        """POST a JSON text."""
        return await self._exchange("POST", self._url, _JSON, content, max_bytes)

    async def get(self, query: str, max_bytes: int) -> HttpReply:
        """GET with a query that is already percent-encoded."""
        target = self._url.raw_path.split(b"?")[0] + b"?" + query.encode()
        return await self._exchange("GET", self._url.copy_with(raw_path=target), {}, b"", max_bytes)

    async def close(self) -> None:
        await self._client.aclose()

    async def _exchange(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes,
        max_bytes: int,
    ) -> HttpReply:
        """The request, and the ones that the authentication asks for."""
        try:
            async with asyncio.timeout(self._timeout_s):
                async for attempt in AsyncRetrying(
                    retry=retry_if_exception(_may_pass),
                    stop=stop_after_attempt(CONNECT_TRIES),
                    wait=wait_random_exponential(multiplier=0.1, max=0.5),
                    reraise=True,
                ):
                    with attempt:
                        return await self._ask(method, url, headers, content, max_bytes)
        # No text of a library in these: it may hold the URL, and the old API's has token and name.
        except httpx.ConnectTimeout:
            raise Unreachable("timeout", "no connection in time", sent=False) from None
        except httpx.ConnectError as error:
            raise _connect_error(error) from None
        except _Endless:
            raise Unreachable("body", "a reply without an end", sent=True) from None
        except TimeoutError:
            raise Unreachable("timeout", "no reply in time", sent=True) from None
        except httpx.RemoteProtocolError as error:
            if "disconnected" in str(error) or "closed connection" in str(error):
                raise Unreachable("reset", "it hung up without a reply", sent=True) from None
            raise Unreachable("http", "what it answered is no HTTP", sent=True) from None
        except httpx.NetworkError as error:
            raise Unreachable("reset", f"{type(error).__name__}", sent=True) from None
        # httpx raises bare errors for a digest challenge with words of its own.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, *_ODD) as error:
            raise Unreachable("http", f"{type(error).__name__}", sent=True) from None
        raise AssertionError("tenacity ends with a result or an exception")

    async def _ask(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes,
        max_bytes: int,
    ) -> HttpReply:
        body = bytearray()
        async with self._client.stream(method, url, headers=headers, content=content) as response:
            async for part in response.aiter_raw():
                body += part
                if len(body) > max_bytes:
                    raise _Endless
        if self._has_more():
            await self.close()
            self._client = self._begin()
        return HttpReply(response.status_code, bytes(body))

    def _has_more(self) -> bool:
        """Bytes that were not asked for came with the reply, and would be taken for the next one.
        httpcore does not look for them, so we do, where it keeps them.
        """
        pool = self._client._transport._pool  # type: ignore[attr-defined]  # noqa: SLF001
        wires = (getattr(each, "_connection", None) for each in pool.connections)
        states = (getattr(wire, "_h11_state", None) for wire in wires)
        return any(state is not None and state.trailing_data[0] for state in states)

    def _see_certificate(self, der: bytes) -> None:
        if der == self.certificate or not der:
            return
        self.certificate = der
        self.certificate_ends = valid_until(der)


def valid_until(der: bytes) -> datetime | None:
    """When a certificate ends. None: it cannot be read; the pin works all the same."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a UCM's certificate has oddities of its own
            return x509.load_der_x509_certificate(der).not_valid_after_utc
    except ValueError:
        return None


def _may_pass(error: BaseException) -> bool:
    """Nothing was sent, and another try a moment later may help: not against a certificate."""
    is_connecting = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    return is_connecting and _ssl_error(error) is None


def _ssl_error(error: BaseException) -> ssl.SSLError | None:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    return cause


def _connect_error(error: httpx.ConnectError) -> Unreachable:
    match _ssl_error(error):
        case CertificateChanged() as changed:
            text = (
                f"{changed.args[0]}: somebody replaced it, or this is not the UCM; if it is,"
                " run doctor and put the new fingerprint into the configuration"
            )
        case ssl.SSLCertVerificationError() as refused:
            text = f"certificate: {refused.verify_message or refused.reason}; pin its fingerprint"
        case ssl.SSLError() as failed:
            text = f"no TLS: {failed.reason or failed}"
        case _:
            text = "no connection: is the UCM up, and the port right?"
            return Unreachable("reset", text, sent=False)
    return Unreachable("tls", text, sent=False)
