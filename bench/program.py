"""The gateway as an installed program, and what the kernel says of it."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from bench.peers import Pms, Ucm
from gateway.simulators.certificate import fingerprint_of, write_certificate

CONFIG: Final = """\
[site]
name = "{name}"
data_dir = "{folder}/data"
[pms]
line = "{line}"
[fias]
record_pacing_ms = 0
[ucm]
url = "https://127.0.0.1:{port}/api"
username = "pmsgw"
password = "invented"
pms_username = "hotel"
pms_password = "invented"
fingerprint = "{fingerprint}"
reconcile_interval_s = 86400
[http]
listen = "127.0.0.1:{page}"
{more}
"""


WAITING: Final = 'pmsgw_outbox_entries{lane="to_ucm",state="waiting"}'
"""Rooms of which the UCM has to be told."""


class Program:
    """A process that is measured from outside."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log.open("wb")
        self.started = monotonic()
        self._process = subprocess.Popen(command, stderr=self._log, stdout=self._log)
        self.pid = self._process.pid

    def stop(self) -> None:
        """End it, in order if it can."""
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    @property
    def cpu_s(self) -> float:
        """Seconds of processor that all of its threads have had."""
        tasks = Path(f"/proc/{self.pid}/task")
        return (
            sum(int((each / "schedstat").read_text().split()[0]) for each in tasks.iterdir()) / 1e9
        )

    @property
    def resident_mb(self) -> float:
        """Memory that it holds now, in MB."""
        return (
            int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            * os.sysconf("SC_PAGE_SIZE")
            / 1e6
        )

    @property
    def own_mb(self) -> float:
        """Memory that no other process shares, in MB."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        private = (line.split()[1] for line in lines if line.startswith("Private_"))
        return sum(map(int, private)) * 1024 / 1e6

    @property
    def written_bytes(self) -> int:
        """Bytes that it has caused to be written to a disk."""
        lines = Path(f"/proc/{self.pid}/io").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


class Gateway(Program):
    """`pms-gateway run` for a PMS and a UCM of ours."""

    def __init__(
        self,
        folder: Path,
        ucm: Ucm,
        *,
        line: str,
        page: int = 0,
        more: str = "",
        before: Sequence[str] = (),
    ) -> None:
        """before: words in front of the command, as of `taskset`"""
        config, page = folder / "gateway.toml", page or free_port()
        config.write_text(
            CONFIG.format(
                name=folder.name, folder=folder, line=line, port=ucm.port, page=page, more=more,
                fingerprint=fingerprint_of(certificate(folder)),
            )
        )  # fmt: skip
        command = (*before, sys.executable, "-m", "gateway", "run", "--config", str(config))
        super().__init__(command, folder / "gateway.log")
        self.page = f"http://127.0.0.1:{page}"

    def value(self, metric: str) -> float:
        """The sum of all series of a metric, or the value of one that is written with its labels."""
        name = re.escape(metric) if "{" in metric else rf"{metric}(?:{{[^}}]*}})?"
        found = re.findall(rf"^{name} (\S+)$", self.metrics(), re.MULTILINE)
        return sum(map(float, found))

    def until(self, metric: str, value: float, within_s: float = 120.0) -> None:
        """Wait for a metric to reach a value from below."""
        self._until(lambda: self.value(metric) >= value, f"{metric} to be {value}", within_s)

    def until_told(self, within_s: float = 120.0) -> None:
        """Wait until no room waits any more."""
        self._until(lambda: not self.value(WAITING), "the UCM to be told of all rooms", within_s)

    def _until(self, is_so: Callable[[], bool], what: str, within_s: float) -> None:
        ends = monotonic() + within_s
        while not is_so():
            if monotonic() > ends:
                raise TimeoutError(f"waited in vain for {what}")
            sleep(0.05)

    def metrics(self) -> str:
        """What Prometheus would get."""
        with urllib.request.urlopen(f"{self.page}/metrics", timeout=120) as reply:
            return str(reply.read().decode())


@contextmanager
def on_a_line(
    folder: Path, *, rooms: int = 100, **how: object
) -> Iterator[tuple[Gateway, Pms, Ucm]]:
    """The gateway between a PMS on a pseudo-terminal and a UCM, with the link up."""
    folder.mkdir(parents=True, exist_ok=True)
    pms, ucm = Pms(), Ucm(certificate(folder), rooms=rooms)
    gateway = Gateway(folder, ucm, line=f"serial:{pms.path},9600,8n1", **how)  # type: ignore[arg-type]
    try:
        pms.link_up()
        yield gateway, pms, ucm
    finally:
        gateway.stop()
        pms.close()
        ucm.close()


def certificate(folder: Path) -> Path:
    """The UCM's, made once for each folder."""
    for pem in folder.glob("*.pem"):
        return pem
    return write_certificate(folder)


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
