"""Files that the configuration names: where they are, and what is in them."""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn


class Secret:
    """A text that nobody prints by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        """The text itself."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret('***')"


_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*")
"""What `Authorization: Bearer` can carry (RFC 6750), long enough that nobody guesses it."""


def beside(config: Path, name: str) -> Path:
    """A relative name: in systemd's credentials, else in the folder of the configuration."""
    path = Path(name)
    if path.is_absolute():
        return path
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and is_file(Path(credentials) / path):
        return Path(credentials) / path
    return config.parent / path


def is_file(path: Path) -> bool:
    """Whether it is there; a name that no file can have is not."""
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False


def secret(
    config: Path, key: str, inline: Secret | None, file: str | None, problems: list[str]
) -> Secret:
    """The value of `key`, or the text of `{key}_file`; what is wrong is added to `problems`."""
    if inline is not None:
        return inline
    path = beside(config, file or "")
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        problems.append(f"{config}: {key}_file = {file!r}: {path}: {why}")
        return Secret("")
    if not text:
        problems.append(f"{config}: {key}_file = {file!r}: {path} is empty")
    return Secret(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraped:
    """How a Prometheus elsewhere reaches the metrics.

    address     HOST:PORT to listen on
    cert, key   PEM files; None: plain HTTP
    token       what a scraper must know; empty: nothing
    """

    address: str
    cert: Path | None = None
    key: Path | None = None
    token: str = field(default="", repr=False)

    @property
    def tls(self) -> ssl.SSLContext | None:
        """The certificate as it is in its files now. Raises OSError and ValueError."""
        if self.cert is None or self.key is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key, _no_password)
        return context


def scraped(config: Path, http: Mapping[str, str | None], problems: list[str]) -> Scraped | None:
    """The listener that [http] asks for; what is wrong with it is added to `problems`.

    http    metrics_listen, metrics_cert_file, metrics_key_file, metrics_token_file
    """
    address = http["metrics_listen"]
    cert, key, token = (http[f"metrics_{word}_file"] for word in ("cert", "key", "token"))
    if address is None:
        problems += [
            f"{config}: http.{name}: there is no http.metrics_listen that it would serve"
            for name, value in http.items()
            if value is not None
        ]
        return None
    if (cert is None) != (key is None):
        problems.append(
            f"{config}: http.metrics_cert_file and http.metrics_key_file: give both, or none"
        )
        cert = key = None
    is_secure = cert and key and _fit(config, cert, key, problems)
    return Scraped(
        address=address,
        cert=beside(config, cert) if cert and is_secure else None,
        key=beside(config, key) if key and is_secure else None,
        token=_token(config, token, problems) if token is not None else "",
    )


def _token(config: Path, file: str, problems: list[str]) -> str:
    before = len(problems)
    token = secret(config, "http.metrics_token", None, file, problems).get_secret_value()
    if len(problems) == before and not _TOKEN.fullmatch(token):
        problems.append(
            f"{config}: http.metrics_token_file = {file!r}: expected one line of 16 or more "
            "letters, digits and -._~+/, as `openssl rand -hex 32` prints it"
        )
    return token


def _fit(config: Path, cert: str, key: str, problems: list[str]) -> bool:
    for name, file in (("cert", cert), ("key", key)):
        if not is_file(path := beside(config, file)):
            problems.append(f"{config}: http.metrics_{name}_file = {file!r}: {path} does not exist")
            return False
    pair = Scraped(address="", cert=beside(config, cert), key=beside(config, key))
    try:
        return pair.tls is not None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        problems.append(
            f"{config}: http.metrics_cert_file and http.metrics_key_file: no certificate and its"
            f" own key in PEM, without a password ({why})"
        )
        return False


def _no_password() -> NoReturn:
    """Without this, OpenSSL would ask for it on the terminal of a service."""
    raise ValueError("the key has a password")
