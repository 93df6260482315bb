"""`doctor`: tries every part of a site for real, without changing it; one line each."""

import asyncio
import contextlib
import os
import re
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
from gateway.config import Config
from gateway.config.model import NO_PIN
from gateway.config.named_files import beside
from gateway.config.site_line import SiteLine
from gateway.drivers.base import DriverFailed, Paused
from gateway.drivers.ucm.https import fingerprint_text, weaken
from gateway.line import Gate, Line, LineFailed, ListenSpec, opener_for
from gateway.line.tcp import ListenOpener
from gateway.metrics import GUESTS, Metrics
from gateway.service.hold import holder_of
from gateway.service.parts import ucm_api, ucm_peer
from gateway.service.stores import is_file
from gateway.tools import doctor_back, doctor_phones
from gateway.tools.stores import at_work, database_fits
from gateway.web.http import bind
from protocols.stream import ENQ

OPEN_WITHIN_S: Final = 12.0
LISTEN_S: Final = 4.0
"""A PMS that has not been answered says its LS again and again; most pause for 12 s or less."""
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
    yield _files(config)
    yield await asyncio.to_thread(_disk, Path(config.site.data_dir))
    holder = holder_of(Path(config.site.data_dir))
    if not holder and not is_file(config):
        fits, words = await asyncio.to_thread(database_fits, config)
        yield Finding("database", ok=bool(fits), words=words)
        if fits and (worker := await asyncio.to_thread(at_work, config)):
            holder = f"gateway {worker} of this house"
    if holder:
        # A PMS lets go of the older connection: trying would cut the service off.
        words = f"not tried: the service is running ({holder}); ask its /readyz"
        yield Finding("line", ok=True, words=words)
    else:
        yield _console(config)
        for line in config.lines:
            yield await _line(line)
    certificate = await asyncio.to_thread(_certificate, config)
    yield certificate
    if certificate.ok:
        async for finding in _ucm(config):
            yield finding
    else:
        for part in ("ucm", "rooms"):
            yield Finding(part, ok=False, words="not tried: the certificate comes first, see above")
    async for tried in doctor_phones.tried(config):
        yield Finding(f"phone {tried.room}", ok=tried.ok, words=tried.words)


def _files(config: Config) -> Finding:
    """Whether everybody on this machine can read a password."""
    ucm, http = config.ucm, config.http
    names = (
        ucm.password_file,
        ucm.pms_password_file,
        config.back.ws_password_file,
        config.store.password_file,
        http.metrics_key_file,
        http.metrics_token_file,
        *{each.password_file or config.phones.file for each in config.sets},
    )
    paths = [beside(config.path, name) for name in names if name is not None]
    if ucm.password_file is None or ucm.pms_password_file is None:
        paths.append(config.path)
    open_ones = [path for path in paths if path.exists() and path.stat().st_mode & 0o007]
    if open_ones:
        words = f"everybody may read {', '.join(map(str, open_ones))}: chmod o= on it"
        return Finding("secrets", ok=False, words=words)
    return Finding("secrets", ok=True, words="no file with a password can be read by everybody")


def _console(config: Config) -> Finding:
    for key, address in (
        ("http.listen", config.http.listen),
        ("http.metrics_listen", config.http.metrics_listen),
    ):
        if address is None:
            continue
        try:
            bind(address).close()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            words = f"{key} = {address!r}: {why}: choose another port, or stop who has it"
            return Finding("console", ok=False, words=words)
    return Finding("console", ok=True, words=f"http://{config.http.listen}/ is free for it")


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
    is_so = "is writable" if existed else "is not there yet and can be made"
    return Finding("data_dir", ok=True, words=f"{folder} {is_so}, {_sync_words(median(took_ms))}")


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


async def _line(line: SiteLine) -> Finding:
    """Open a line, and listen for a moment. Nothing is said on it."""
    spec, part = line.spec, "line" if line.name == GUESTS else f"line of the {line.name}"
    opener = opener_for(spec, Gate(line.allow))
    try:
        if isinstance(spec, ListenSpec) and isinstance(opener, ListenOpener):
            await opener.listen()
            try:
                async with asyncio.timeout(LISTEN_S):
                    opened = await opener.open()
            except TimeoutError:
                words = f"{spec} can be listened on; the PMS has not dialled it in {LISTEN_S:.0f} s"
                return Finding(part, ok=True, words=words)
        else:
            async with asyncio.timeout(OPEN_WITHIN_S):
                opened = await opener.open()
        heard = await _heard(opened)
        await opened.close()
    except (LineFailed, TimeoutError) as error:
        return Finding(part, ok=False, words=str(error) or f"{spec} does not open")
    finally:
        await opener.close()
    return Finding(part, ok=True, words=f"{opened.describe()} opens; {heard}")


async def _heard(line: Line) -> str:
    """What the PMS says in a moment, in words."""
    said = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LISTEN_S):
            while data := await line.read():
                said += data
                if b"\x03" in data:
                    break
            else:
                return "the PMS takes the connection and drops it: it may serve another client"
    record = re.search(rb"\x02([A-Z]{2})[|\x03]", said)
    if record is not None:
        return f"the PMS says {record[1].decode()}"
    if said and set(said) == {ENQ}:
        return "the PMS asks whether it may speak (ENQ), and says no more until the service answers"
    if said:
        return (
            f"what comes ({len(said)} bytes) is no record: `pms-gateway line detect` finds out the"
            " settings of a serial line"
        )
    return f"the PMS said nothing in {LISTEN_S:.0f} s; it may wait for us to begin"


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
    if config.ucm.fingerprint == NO_PIN:
        words = f'none is pinned yet; if this is your UCM: fingerprint = "{shown}"'
        return Finding("certificate", ok=False, words=words)
    pinned = "sha256:" + ":".join(f"{byte:02X}" for byte in config.ucm.pin)
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
    metrics = Metrics(version=__version__, site=config.site.name)
    api = ucm_api(config, metrics, ucm_peer(config))
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
        async for name, ok, words in doctor_back.tried(config, api, metrics):
            yield Finding(name, ok=ok, words=words)
    except DriverFailed as error:
        yield Finding("rooms", ok=False, words=str(error))
    finally:
        await api.close()
