"""What it takes of a machine: memory, processor, disk, time to start; also on a very small one."""

import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Final

from bench.figure import Figure, at
from bench.peers import Pms, Ucm, room
from bench.program import Gateway, certificate, on_a_line

BAUDS: Final = ((9600, 2.0), (115_200, 12.0))
PAGES: Final = ("", "line", "rooms", "outbox", "findings", "about")
SMALL_SHARE: Final = 0.2
ROOMS: Final = 50


def measure(scale: float) -> Iterator[Figure]:
    """A gateway at rest, at work, and starting."""
    yield from _starting()
    with (
        tempfile.TemporaryDirectory() as place,
        on_a_line(Path(place), rooms=2 * ROOMS) as (gateway, pms, _),
    ):
        yield from _at_rest(gateway, pms, seconds=20 * scale)
        for number in range(ROOMS):
            pms.talk(_same(number).encode())  # whoever is told again later
        for baud, goal in BAUDS:
            yield from _at_work(gateway, pms, baud, goal, seconds=20 * scale)
        yield from _gap(gateway, pms, seconds=60 * scale)
        yield from _scraped(gateway)
        yield from _with_console(gateway)
    yield from _on_a_small_machine(seconds=20 * scale)


def _starting() -> Iterator[Figure]:
    """From the start of the process to the first ACK; the best of three, like everything cached."""
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as place:
            times.append(_time_to_ack(Path(place)))
    yield Figure("start to first ACK", min(times), "s", 0.6)


def _time_to_ack(folder: Path) -> float:
    pms, ucm = Pms(), Ucm(certificate(folder), rooms=1)
    gateway = Gateway(folder, ucm, line=f"serial:{pms.path},9600,8n1")
    try:
        pms.first_ack(b"LS|DA261120|TI101500|")
        return monotonic() - gateway.started
    finally:
        gateway.stop()
        pms.close()
        ucm.close()


def _at_rest(gateway: Gateway, pms: Pms, seconds: float) -> Iterator[Figure]:
    pms.rest(3)
    before = gateway.cpu_s
    pms.rest(seconds)
    yield Figure("processor, idle", (gateway.cpu_s - before) / seconds * 100, "%", 0.3, note=f"of a core, {seconds:.0f} s")  # fmt: skip
    yield Figure("memory, console not opened", gateway.resident_mb, "MB", 45)


def _at_work(
    gateway: Gateway, pms: Pms, baud: int, goal: float, seconds: float
) -> Iterator[Figure]:
    """A line that is never silent, at the pace of its speed: a resync in which nothing is new, and
    a desk at which every record is a call."""
    for name, what, bound in (("nothing new", _same, goal), ("each record a call", _new, None)):
        used, records = _talk(gateway, pms, baud, seconds, what)
        yield Figure(f"processor, {baud:,} baud full, {name}", used, "%", bound,
                     note=f"{records / seconds:.0f} records a second")  # fmt: skip


def _gap(gateway: Gateway, pms: Pms, seconds: float) -> Iterator[Figure]:
    """How long a question to the loop waits while the line is full: a bound of the loop's gap."""
    port = gateway.page.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "bench.asker", port, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asker:
        _talk(gateway, pms, BAUDS[-1][0], seconds + 1, _new)
        assert asker.stdout is not None  # it was asked for
        waits = [float(line) for line in asker.stdout.read().split()]
    yield Figure("a page's wait at that load, p99.9", at(0.999, waits), "ms", 20,
                 note=f"longest {max(waits):.0f} ms (goal 50), p50 {at(0.5, waits):.1f} ms, {len(waits)} questions")  # fmt: skip


def _talk(
    gateway: Gateway, pms: Pms, baud: int, seconds: float, what: Callable[[int], str]
) -> tuple[float, int]:
    """Percent of a core, and how many records."""
    before, began, number = gateway.cpu_s, monotonic(), 0
    due = began
    while monotonic() - began < seconds:
        body = what(number).encode()
        due += (len(body) + 4) * 10 / baud
        pms.rest(max(0.0, due - monotonic()))
        pms.talk(body)
        number += 1
    return (gateway.cpu_s - before) / (monotonic() - began) * 100, number


def _same(number: int) -> str:
    where = room(ROOMS + number % ROOMS)
    # Another workstation each time: the same text again would be taken for a repeat.
    return f"GI|RN{where}|G#{where}|GNBerger|GFAnna|GLEN|GA261120|GD261125|GSN|WS{number}|"


def _new(number: int) -> str:
    where = room(number // 2 % ROOMS)
    guest = "G#4711|GNBerger|GFAnna|GLEN|GA261120|GD261125|GSN|CS1|"
    return f"GO|RN{where}|G#4711|GSN|" if number % 2 else f"GI|RN{where}|{guest}"


def _scraped(gateway: Gateway) -> Iterator[Figure]:
    times = []
    for _ in range(100):
        began = perf_counter()
        text = gateway.metrics()
        times.append((perf_counter() - began) * 1e3)
        sleep(0.01)
    series = sum(bool(line) and not line.startswith("#") for line in text.splitlines())
    yield Figure("scrape", at(0.5, times), "ms", 5, note="p50, a connection each")
    yield Figure("series", series, "", 500)


def _with_console(gateway: Gateway) -> Iterator[Figure]:
    for page in PAGES:
        urllib.request.urlopen(f"{gateway.page}/{page}").read()
    yield Figure("memory, console in use", gateway.resident_mb, "MB", 60)


def _on_a_small_machine(seconds: float) -> Iterator[Figure]:
    """One core, a fifth of its time: the quota of the kernel is there or it is not."""
    with (
        tempfile.TemporaryDirectory() as place,
        on_a_line(Path(place), rooms=2 * ROOMS) as (gateway, pms, _),
    ):
        os.sched_setaffinity(gateway.pid, {0})
        with _quota(gateway.pid, SMALL_SHARE) as is_limited:
            if not is_limited:
                return
            acks = []
            ends = monotonic() + seconds
            number = 0
            while monotonic() < ends:
                kind = _new(number)
                said, answered = pms.talk(kind.encode())
                acks.append((answered - said) / 1e6)
                number += 1
                pms.rest(len(kind) * 10 / 9600)
    yield Figure("ACK at a fifth of a core, slowest", max(acks), "ms", 3000, note=f"9,600 baud full, p50 {at(0.5, acks):.1f} ms; T1 is 3,000 ms")  # fmt: skip


@contextmanager
def _quota(pid: int, share: float) -> Iterator[bool]:
    """Give a process so much of a core. Yields False where the kernel's groups cannot be used."""
    for root, write in (
        (Path("/sys/fs/cgroup/cpu"), _first_kind),
        (Path("/sys/fs/cgroup"), _second_kind),
    ):
        group = root / f"pms-gateway-bench-{pid}"
        try:
            group.mkdir()
            write(group, share)
            (group / "cgroup.procs").write_text(str(pid))
        except OSError:
            with suppress(OSError):
                group.rmdir()
            continue
        try:
            yield True
        finally:
            (root / "cgroup.procs").write_text(str(pid))
            group.rmdir()
        return
    yield False


def _first_kind(group: Path, share: float) -> None:
    (group / "cpu.cfs_period_us").write_text("100000")
    (group / "cpu.cfs_quota_us").write_text(str(int(100_000 * share)))


def _second_kind(group: Path, share: float) -> None:
    (group / "cpu.max").write_text(f"{int(100_000 * share)} 100000")
