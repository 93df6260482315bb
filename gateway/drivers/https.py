"""The only file that speaks HTTP to a UCM: one connection, bounded replies, mapped errors."""

import asyncio
import hashlib
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, urlsplit

import h11

from gateway.drivers.base import Unreachable
from gateway.drivers.connection import Answer, Connection, Endless, Headers, NotConnected
from gateway.drivers.der import valid_until
from gateway.lean import without

if TYPE_CHECKING:
    import httpx

MAX_REPLY_BYTES: Final = 64 * 1024
CONNECT_SHARE: Final = 0.4
"""Of a request's time, for each of two tries to connect: who cannot be reached is told so, and is
not taken for one that got a request and did not answer."""
MAX_LIST_BYTES: Final = 8 * 1024 * 1024
"""A list of 3,000 rooms has 500 bytes for each."""


_JSON: Final = ((b"Content-Type", b"application/json;charset=UTF-8"),)
_OURS: Final = (b"Host", b"Content-Length")
"""Headers that the connection says itself."""


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


def _digest(username: str, password: str) -> "httpx.DigestAuth":
    """Only the old API needs httpx, and only for this."""
    with without("click", "pygments", "rich"):
        import httpx
    return httpx.DigestAuth(username, password)


class HttpsPeer:
    """One UCM over HTTP. Every failure is an Unreachable that tells whether we were heard.

    timeout_s       for a whole request, a dripping reply included
    """

    def __init__(
        self, url: str, *, tls: TlsSettings, timeout_s: float, digest: tuple[str, str] | None = None
    ) -> None:
        self._url = urlsplit(url)
        self._target = quote(self._url.path, safe="/%").encode()
        self._timeout_s = timeout_s
        self._digest = _digest(*digest) if digest else None
        self.certificate_ends: datetime | None = None
        self.certificate: bytes = b""
        self._connection = Connection(
            self._url, tls_context(tls, self._see_certificate), timeout_s * CONNECT_SHARE
        )

    async def post(self, content: bytes, max_bytes: int) -> HttpReply:
        """POST a JSON text."""
        return await self._exchange("POST", self._target, _JSON, content, max_bytes)

    async def get(self, query: str, max_bytes: int) -> HttpReply:
        """GET with a query that is already percent-encoded."""
        target = self._target + b"?" + query.encode()
        return await self._exchange("GET", target, (), b"", max_bytes)

    async def close(self) -> None:
        await self._connection.aclose()

    async def _exchange(
        self, method: str, target: bytes, headers: Headers, content: bytes, max_bytes: int
    ) -> HttpReply:
        """The request, and the ones that the authentication asks for."""
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._digest is None:
                    answer = await self._connection.ask(method, target, headers, content, max_bytes)
                else:
                    answer = await self._ask_with_digest(self._digest, method, target, max_bytes)
            return HttpReply(answer.status, answer.body)
        # No text of a library in these: it may hold the URL, and the old API's has token and name.
        except NotConnected as error:
            raise self._connect_error(error) from None
        except Endless:
            raise Unreachable("body", "a reply without an end", sent=True) from None
        except TimeoutError:
            raise Unreachable("timeout", "no reply in time", sent=True) from None
        except h11.ProtocolError as error:
            raise Unreachable("reset", f"{type(error).__name__}", sent=True) from None
        # httpx raises bare errors for a digest challenge with words of its own.
        except (OSError, ValueError, LookupError, RuntimeError) as error:
            raise Unreachable("http", f"{type(error).__name__}", sent=True) from None

    async def _ask_with_digest(
        self, digest: "httpx.DigestAuth", method: str, target: bytes, max_bytes: int
    ) -> Answer:
        import httpx

        try:
            url = f"{self._url.scheme}://{self._url.netloc}{target.decode()}"
            request = httpx.Request(method, url)
            steps = digest.sync_auth_flow(request)
            request = next(steps)
            while True:
                said = [each for each in request.headers.raw if each[0] not in _OURS]
                answer = await self._connection.ask(method, target, said, b"", max_bytes)
                response = httpx.Response(
                    answer.status, headers=list(answer.headers), request=request
                )
                try:
                    request = steps.send(response)
                except StopIteration:
                    return answer
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable("http", f"{type(error).__name__}", sent=True) from None

    def _connect_error(self, error: NotConnected) -> Unreachable:
        if isinstance(error.__cause__, TimeoutError):
            return Unreachable("timeout", "no connection in time", sent=False)
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                text = (
                    f"{cause.args[0]}: somebody replaced it, or this is not the UCM; if it is,"
                    " run doctor and put the new fingerprint into the configuration"
                    if isinstance(cause, CertificateChanged)
                    else f"certificate: {cause.verify_message or cause.reason}; pin its fingerprint"
                )
                return Unreachable("tls", text, sent=False)
            if isinstance(cause, ssl.SSLError):
                return Unreachable("tls", f"no TLS: {cause.reason or cause}", sent=False)
            cause = cause.__cause__ or cause.__context__
        return Unreachable("reset", "no connection: is the UCM up, and the port right?", sent=False)

    def _see_certificate(self, der: bytes) -> None:
        if der == self.certificate or not der:
            return
        self.certificate = der
        self.certificate_ends = valid_until(der)  # None: the pin works all the same
