"""`doctor`: tries every part of a site for real, without changing it; one line each."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

from gateway import __version__
from gateway.app import ucm_api
from gateway.config import Config
from gateway.drivers.base import DriverFailed, Paused
from gateway.drivers.https import fingerprint_text, weaken
from gateway.hold import holder_of
from gateway.line import LineFailed, ListenSpec, opener_for
from gateway.line.tcp import ListenOpener
from gateway.metrics import Metrics

OPEN_WITHIN_S: Final = 12.0
SYNCS: Final = 9
IMPLAUSIBLE_MS: Final = 0.02
"""A write to a medium and its answer take longer, over the fastest bus."""
SLOW_MS: Final = 500.0
"""A PMS on a serial line waits three seconds for its ACK, and a commit may sync more than once."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One part that was tried. `words`: what was found, or what to do."""

    part: str
    ok: bool
    words: str


async def examine(config: Config) -> AsyncIterator[Finding]:
    """Each part in the order in which a fault would matter."""
    yield Finding("config", ok=True, words=f"{config.path} is well formed")
    yield await asyncio.to_thread(_disk, Path(config.site.data_dir))
    yield await _line(config)
    certificate = await asyncio.to_thread(_certificate, config)
    yield certificate
    if certificate.ok:
        async for finding in _ucm(config):
            yield finding
    else:
        for part in ("ucm", "rooms"):
            yield Finding(part, ok=False, words="not tried: mend the certificate first")


def _disk(folder: Path) -> Finding:
    probe = folder / f".doctor-{os.getpid()}"
    took_ms = []
    try:
        existed = folder.exists()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with probe.open("wb") as file:
            for _ in range(SYNCS):
                file.write(b"x" * 4096)
                file.flush()
                started = perf_counter()
                os.fsync(file.fileno())
                took_ms.append((perf_counter() - started) * 1000)
        probe.unlink()
        if not existed:
            folder.rmdir()
    except OSError as error:
        return Finding("data_dir", ok=False, words=f"{folder}: {error.strerror}: make it writable")
    return Finding(
        "data_dir", ok=True, words=f"{folder} is writable, {_sync_words(median(took_ms))}"
    )


def _sync_words(median_ms: float) -> str:
    """What the time of a sync says about the disk."""
    words = f"a sync takes {median_ms:.2f} ms"
    if median_ms < IMPLAUSIBLE_MS:
        return (
            f"{words}: WARNING, too short to be true: a disk in memory, or a cache that lies,"
            " loses what was acknowledged in a power cut"
        )
    if median_ms > SLOW_MS:
        return f"{words}: WARNING, so slow that the PMS may ask again: look at the disk's health"
    return words


async def _line(config: Config) -> Finding:
    holder = holder_of(Path(config.site.data_dir))
    if holder:
        # A PMS lets go of the older connection: trying would cut the service off.
        words = f"not tried: the service is running ({holder}); ask its /readyz"
        return Finding("line", ok=True, words=words)
    opener = opener_for(config.line)
    try:
        if isinstance(config.line, ListenSpec) and isinstance(opener, ListenOpener):
            await opener.listen()
            words = f"{config.line} can be listened on; the PMS has to dial it"
        else:
            async with asyncio.timeout(OPEN_WITHIN_S):
                line = await opener.open()
            words = f"{line.describe()} opens"
            await line.close()
    except (LineFailed, TimeoutError) as error:
        return Finding("line", ok=False, words=str(error) or f"{config.line} does not open")
    finally:
        await opener.close()
    return Finding("line", ok=True, words=words)


def _certificate(config: Config) -> Finding:
    url = urlsplit(config.ucm.url)
    if url.scheme != "https":
        return Finding("certificate", ok=True, words="plain http: there is none; use https")
    port = url.port or 443
    # Looking at a certificate needs no trust; nothing is sent to its owner.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if config.ucm.old_tls:
        weaken(context)
    try:
        with (
            socket.create_connection((url.hostname, port), timeout=config.ucm.timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=url.hostname) as secure,
        ):
            der = secure.getpeercert(binary_form=True) or b""
    except (OSError, ssl.SSLError) as error:
        return Finding(
            "certificate",
            ok=False,
            words=f"{url.hostname}:{port}: {error.strerror or error}: {_tls_advice(error)}",
        )
    shown = fingerprint_text(der)
    if config.ucm.tls != "pinned":
        return Finding("certificate", ok=True, words=f"{shown} (tls = {config.ucm.tls!r})")
    pinned = "sha256:" + ":".join(f"{byte:02X}" for byte in config.fingerprint)
    if shown != pinned:
        words = f'not the pinned one; if this is your UCM, set fingerprint = "{shown}"'
        return Finding("certificate", ok=False, words=words)
    return Finding("certificate", ok=True, words=f"{shown}, as pinned")


def _tls_advice(error: OSError) -> str:
    reason = getattr(error, "reason", None) or ""
    if any(word in reason for word in ("TOO_SMALL", "PROTOCOL", "LEGACY", "HANDSHAKE_FAILURE")):
        return "old firmware? update it, or set ucm.old_tls = true"
    return "is this the UCM's address?"


async def _ucm(config: Config) -> AsyncIterator[Finding]:
    api, _ = ucm_api(config, Metrics(version=__version__, site=config.site.name))
    try:
        try:
            await api.probe()
        except DriverFailed as error:
            hint = ""
            if isinstance(error, Paused) and error.code == 16:
                hint = '; or this firmware wants token_case = "upper"'
            yield Finding("ucm", ok=False, words=f"{error}{hint}")
            yield Finding("rooms", ok=False, words="not tried: mend the login first")
            return
        yield Finding("ucm", ok=True, words=f"{config.ucm.username} is logged in, PMSAPI answers")
        rooms = await api.rooms()
        if rooms is None:
            yield Finding("rooms", ok=True, words="the old API has no room list")
            return
        missing = sorted(set(config.rooms.map.values()) - {room.address for room in rooms})
        occupied = sum(room.is_in for room in rooms)
        words = f"{len(rooms)} rooms on the UCM, {occupied} checked in"
        if missing:
            words += f"; [rooms] maps to {', '.join(missing)}, which the UCM does not have"
        if not rooms:
            words += ": create the rooms on the UCM's PMS page"
        yield Finding("rooms", ok=bool(rooms) and not missing, words=words)
    except DriverFailed as error:
        yield Finding("rooms", ok=False, words=str(error))
    finally:
        await api.close()
