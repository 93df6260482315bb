"""The same on a very small machine: one core, and a fifth of its time."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from bench.figure import Figure, at
from bench.full_line import (
    FAST_BAUD,
    ROOMS,
    SLOW_BAUD,
    asking,
    each_a_call,
    move_in,
    nothing_new,
    talk,
)
from bench.program import on_a_line

SHARE: Final = 0.2
"""Of one core of the machine that measures: with a period of 100 ms, 20 of running and 80 of none."""
PERIOD_US: Final = 100_000
CORE: Final = "0"


def measure(scale: float) -> Iterator[Figure]:
    """Start, memory, full lines, pages, all within the kernel's quota. Nothing where there is none."""
    with _group(SHARE) as group, tempfile.TemporaryDirectory() as place:
        if group is None:
            return
        enter = f'echo $$ > {group}/cgroup.procs && exec taskset -c {CORE} "$@"'
        began = monotonic()
        with on_a_line(Path(place), rooms=2 * ROOMS, before=("sh", "-c", enter, "sh")) as (
            gateway, pms, ucm,
        ):  # fmt: skip
            yield Figure("small machine: start to the link", monotonic() - began, "s", note=f"a fifth of one core; {gateway.cpu_s:.2f} s of processor")  # fmt: skip
            move_in(pms)
            yield Figure("small machine: memory", gateway.resident_mb, "MB", 45)
            for baud, name, records, goal in (
                (SLOW_BAUD, "9,600 baud full, nothing new", nothing_new, 20.0),
                (SLOW_BAUD, "9,600 baud full, each record a call", each_a_call, 50.0),
                (FAST_BAUD, "115,200 baud full, nothing new", nothing_new, None),
                (FAST_BAUD, "115,200 baud full, each record a call", each_a_call, None),
            ):
                sleep(1)  # what the one before it left is done
                calls, used = len(ucm.calls), -gateway.cpu_s
                seconds = 20 * scale
                with asking(gateway, seconds) as waits:
                    acks = talk(pms, baud, seconds, records)
                used += gateway.cpu_s
                yield Figure(f"small machine: {name}, slowest ACK", max(acks), "ms", 3000,
                             note=f"p50 {at(0.5, acks):.1f} ms, {len(acks) / seconds:.0f} records a second, {len(ucm.calls) - calls} calls, {used / seconds * 100:.1f} % of a core with the pages")  # fmt: skip
                yield Figure(f"small machine: {name}, a page's wait p99.9", at(0.999, waits.all()), "ms", goal,
                             note=f"p50 {at(0.5, waits.all()):.1f} ms, longest {max(waits.all()):.0f} ms")  # fmt: skip


@contextmanager
def _group(share: float) -> Iterator[Path | None]:
    """A group of the kernel's with so much of a core. None where it cannot be made."""
    for root, files in (
        (Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_period_us": PERIOD_US, "cpu.cfs_quota_us": int(PERIOD_US * share)}),
        (Path("/sys/fs/cgroup"), {"cpu.max": f"{int(PERIOD_US * share)} {PERIOD_US}"}),
    ):  # fmt: skip
        group = root / f"pmsgw-bench-{os.getpid()}"
        try:
            group.mkdir()
            for name, value in files.items():
                (group / name).write_text(str(value))
        except OSError:
            with suppress(OSError):
                group.rmdir()
            continue
        try:
            yield group
        finally:
            group.rmdir()
        return
    yield None
