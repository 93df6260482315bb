"""How long the event loop is busy at most: at a full line, and while the disk hangs.

Seen from outside: a page that needs nothing is asked all the time, and how long it waits is an upper
bound of how long the loop did something else. `--scale 60` is an hour.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Final

from bench.figure import Figure, at
from bench.full_line import FAST_BAUD, ROOMS, asking, each_a_call, talk
from bench.program import on_a_line

HANGS_S: Final = 2.0
"""Within T1: the PMS waits, and does not ask again."""
EVERY_S: Final = 10.0
LATE_MS: Final = 50.0
SOURCE: Final = Path(__file__).with_name("hanging_disk.c")


def measure(scale: float) -> Iterator[Figure]:
    """A minute, times the scale."""
    seconds = max(2 * EVERY_S, 60 * scale)
    with tempfile.TemporaryDirectory() as place:
        disk = _HangingDisk(Path(place))
        with on_a_line(Path(place), rooms=ROOMS, before=disk.words) as (gateway, pms, _):
            with asking(gateway, seconds) as waits, disk.hanging_now_and_then():
                acks = talk(pms, FAST_BAUD, seconds, each_a_call)
            failed = gateway.value("pmsgw_outbox_failures_total")
            memory = gateway.resident_mb
    every, hung = waits.all(), waits.touching(disk.hung)
    yield Figure("a page's wait at a full line, p99.9", at(0.999, every), "ms", 20,
                 note=f"p50 {at(0.5, every):.1f} ms, {len(every):,} questions in {seconds:.0f} s, {len(acks):,} records, each a call")  # fmt: skip
    late = sum(wait > LATE_MS for wait in every)
    yield Figure("a page's wait at a full line, longest", max(every), "ms", LATE_MS, note=f"{late} of them longer than {LATE_MS:.0f} ms")  # fmt: skip
    yield Figure("memory after that", memory, "MB", 60, note="pages were asked")
    if not hung:
        return
    yield Figure("a page's wait while a sync hangs, longest", max(hung), "ms", LATE_MS,
                 note=f"{len(disk.hung)} times {HANGS_S:.0f} s, {len(hung):,} questions")  # fmt: skip
    yield Figure("slowest ACK, a sync that hangs included", max(acks), "ms", 3000,
                 note=f"T1 is 3,000 ms; {failed:.0f} writes failed")  # fmt: skip


class _HangingDisk:
    """Syncs of one program that do not return when we say so.

    words   in front of its command; none where there is no C compiler, and then nothing hangs
    hung    from when to when, in monotonic seconds
    """

    def __init__(self, folder: Path) -> None:
        self.words: tuple[str, ...] = ()
        self.hung: list[tuple[float, float]] = []
        self._sign = folder / "hangs"
        compiler = shutil.which("cc")
        if compiler is not None:
            library = folder / "hanging_disk.so"
            command = (compiler, "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl")
            subprocess.run(command, check=True)
            self.words = ("env", f"LD_PRELOAD={library}", f"HANGS_WHILE={self._sign}")

    @contextmanager
    def hanging_now_and_then(self) -> Iterator[None]:
        """For HANGS_S of every EVERY_S."""
        over = Event()

        def hang() -> None:
            while self.words and not over.wait(EVERY_S - HANGS_S):
                since = monotonic()
                self._sign.touch()
                over.wait(HANGS_S)
                self._sign.unlink()
                self.hung.append((since, monotonic()))

        hanging = Thread(target=hang)
        hanging.start()
        try:
            yield
        finally:
            over.set()
            hanging.join()
