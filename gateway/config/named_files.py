"""Files that the configuration names: where they are, and what is in them."""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import SecretStr

from gateway.back.tariff import Tariff
from gateway.back.tariff_file import TariffError
from gateway.back.tariff_file import load as load_tariff
from gateway.config.model import Scraped
from gateway.config.phones_file import SitePhone
from gateway.config.phones_file import load as load_phones

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*")
"""What `Authorization: Bearer` can carry (RFC 6750), long enough that nobody guesses it."""


class NamedFiles:
    """What is in the files that a configuration names.

    raw         the configuration as it was read: what is not well formed there is passed over, so
                that the mistakes of both are told at once
    problems    what is wrong, a sentence each
    secrets     `password` and `pms_password` of [ucm], wherever they were written
    ws_password     of [back]
    store_password  of [store]
    """

    def __init__(self, config: Path, raw: Mapping[str, Any]) -> None:
        self._config = config
        self.problems: list[str] = []
        ucm, http = _texts(raw.get("ucm")), _texts(raw.get("http"))
        self.secrets = {key: self._either("ucm", ucm, key) for key in ("password", "pms_password")}
        self.ws_password = self._either("back", _texts(raw.get("back")), "ws_password")
        self.store_password = self._either("store", _texts(raw.get("store")), "password")
        self.ca_file: str | None = None
        if "ca_file" in ucm:
            self.ca_file = str(self._there("ucm.ca_file", ucm["ca_file"]) or "")
        self.scraped = self._scraped(http)
        self.sets = self._sets(_texts(raw.get("phones")))
        self.rates = self._rates(_texts(raw.get("back")), _texts(raw.get("tariff")))

    def _there(self, key: str, name: str) -> Path | None:
        path = beside(self._config, name)
        if _is_file(path):
            return path
        self.problems.append(f"{key} = {name!r}: {path} does not exist")
        return None

    def _sets(self, phones: Mapping[str, str]) -> tuple[SitePhone, ...]:
        """The phones in the rooms."""
        if (name := phones.get("file")) is None:
            return ()
        path = beside(self._config, name)
        found, problems = load_phones(path, lambda each: self._secret("phones.password", each))
        self.problems += [f"phones.file = {name!r}: {sentence}" for sentence in problems]
        return tuple(found)

    def _rates(self, back: Mapping[str, str], tariff: Mapping[str, str]) -> Tariff | None:
        """The tariff, read wherever one is named or needed."""
        if back.get("charges") != "priced" and "file" not in tariff:
            return None
        try:
            return load_tariff(beside(self._config, tariff.get("file", "tariff.toml")))
        except TariffError as error:
            self.problems += [f"tariff.file: {sentence}" for sentence in error.sentences]
            return None

    def _either(self, section: str, texts: Mapping[str, str], key: str) -> SecretStr:
        """A secret that stands in the configuration, or in a file of its own."""
        if (name := texts.get(f"{key}_file")) is not None:
            return SecretStr(self._secret(f"{section}.{key}", name))
        return SecretStr(texts.get(key, ""))

    def _secret(self, key: str, name: str) -> str:
        """The one line of a file; what is wrong with it is told."""
        path = beside(self._config, name)
        try:
            # A mark in front, and the line end behind, are an editor's.
            text = path.read_text(encoding="utf-8-sig").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8 text"
            self.problems.append(f"{key}_file = {name!r}: {path}: {why}")
            return ""
        if why := _oddity(text):
            self.problems.append(f"{key}_file = {name!r}: {path} {why}")
        return text

    def _scraped(self, http: Mapping[str, str]) -> Scraped | None:
        """The listener that [http] asks for."""
        address = http.get("metrics_listen")
        names = ("metrics_cert_file", "metrics_key_file", "metrics_token_file")
        cert, key, token = (http.get(name) for name in names)
        if address is None:
            self.problems += [
                f"http.{name}: there is no http.metrics_listen that it would serve"
                for name in names
                if name in http
            ]
            return None
        if (cert is None) != (key is None):
            both = "http.metrics_cert_file and http.metrics_key_file: give both, or none"
            self.problems.append(both)
        pair = self._pair(cert, key) if cert is not None and key is not None else (None, None)
        return Scraped(
            address=address,
            cert=pair[0],
            key=pair[1],
            token=self._token(token) if token is not None else "",
        )

    def _token(self, name: str) -> str:
        before = len(self.problems)
        token = self._secret("http.metrics_token", name)
        if len(self.problems) == before and not _TOKEN.fullmatch(token):
            self.problems.append(
                f"http.metrics_token_file = {name!r}: expected one line of 16 or more letters, "
                "digits and -._~+/, as `openssl rand -hex 32` prints it"
            )
        return token

    def _pair(self, cert: str, key: str) -> tuple[Path | None, Path | None]:
        """A certificate and its own key."""
        cert_path = self._there("http.metrics_cert_file", cert)
        key_path = self._there("http.metrics_key_file", key)
        if cert_path is None or key_path is None:
            return None, None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(cert_path, key_path, _no_password)
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            self.problems.append(
                "http.metrics_cert_file and http.metrics_key_file: no certificate and its own key"
                f" in PEM, without a password ({why})"
            )
        return cert_path, key_path


def beside(config: Path, name: str) -> Path:
    """Where a file is: a relative name is in systemd's credentials, else in the folder of the
    configuration.
    """
    path = Path(name)
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if not path.is_absolute() and credentials and _is_file(Path(credentials) / path):
        return Path(credentials) / path
    return config.parent / path


def _texts(section: object) -> dict[str, str]:
    """The keys of a section whose values are one printable line of text."""
    items = section.items() if isinstance(section, Mapping) else ()
    return {key: value for key, value in items if isinstance(value, str) and value.isprintable()}


def _oddity(text: str) -> str:
    """What is odd about a file that should hold a secret; empty: nothing."""
    if not text:
        return "is empty"
    if len(text.splitlines()) > 1:
        return "has more than one line: write the secret alone into it"
    if text != text.strip():
        return "has a blank in front of the secret or behind it: remove it"
    return ""


def _is_file(path: Path) -> bool:
    """Whether it is there; a name that no file can have is not."""
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False


def _no_password() -> NoReturn:
    """Without this, OpenSSL would ask for it on the terminal of a service."""
    raise ValueError("the key has a password")
