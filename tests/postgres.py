"""A real PostgreSQL cluster of the tests' own, on a Unix socket and loopback."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

ROOT = Path("/usr/lib/postgresql")


def programs():
    """Where its programs are; None: they are not on this machine."""
    found = sorted(ROOT.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def needed():
    """The programs, or the test is skipped; in CI it fails."""
    found = programs()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs PostgreSQL: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed; CI has it")
    return found


def free_port():
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Cluster:
    """One server. It refuses to run as root, so it runs as the user of its package there.

    settings    more lines of postgresql.conf
    copy_of     a cluster whose replica this is
    inside      the folder on whose file system it is
    """

    def __init__(self, settings=(), copy_of=None, inside="/tmp"):
        self.bin = needed()
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="pmsgw-pg-", dir=inside))
        self.data = self.folder / "data"
        self.user = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        if copy_of is None:
            self._run("initdb", "-D", self.data, "-U", "pmsgw", "-A", "trust", "--no-sync",
                      "-E", "UTF8", "--locale=C.UTF-8")  # fmt: skip
        else:
            slot = f"copy_{self.port}"
            self._run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-C", "-S", slot,
                      "-d", f"{copy_of.url} application_name={slot}")  # fmt: skip
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                f"unix_socket_directories = '{self.folder}'\nmax_connections = 40\n"
                "shared_buffers = 16MB\nwal_level = replica\nlogging_collector = off\n"
                "max_wal_size = 64MB\nmin_wal_size = 32MB\n" + "".join(f"{s}\n" for s in settings)
            )
        self.process = None
        self.start()

    @property
    def url(self):
        return f"host=127.0.0.1 port={self.port} user=pmsgw dbname=postgres"

    @property
    def address(self):
        """As it stands in a configuration."""
        return f"postgresql://pmsgw@127.0.0.1:{self.port}/postgres"

    def start(self):
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.data], stdout=log, stderr=log, cwd=self.folder,
            start_new_session=True, **self.user,
        )  # fmt: skip
        log.close()
        self.wait()

    def wait(self, within_s=30):
        until = time.monotonic() + within_s
        while True:
            try:
                with psycopg.connect(self.url, connect_timeout=2):
                    return
            except psycopg.OperationalError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise AssertionError((self.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)

    def sql(self, text, *values):
        """One statement as an administrator; its rows, if it has any."""
        with psycopg.connect(self.url, autocommit=True) as db:
            cursor = db.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []

    def stop(self, how=signal.SIGINT):
        """Fast; SIGKILL: as if power had failed, with all its processes."""
        if self.process is None or self.process.poll() is not None:
            return
        if how == signal.SIGKILL:
            self.process.send_signal(signal.SIGSTOP)  # it would start others in their place
            for pid in (*self._children(), self.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            self.process.send_signal(how)
        self.process.wait(30)

    def _children(self):
        """Each of its processes is the leader of a group of its own."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                before, _, after = stat.read_text().rpartition(")")  # a name may have spaces
            except OSError:
                continue
            pid, parent = before.split()[0], after.split()[1]
            if int(parent) == self.process.pid:
                found.append(int(pid))
        return found

    def freeze(self):
        for pid in (self.process.pid, *self._children()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in (*self._children(), self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def reload(self):
        """Read the settings and pg_hba.conf again, and wait until that is done."""
        socket = f"host={self.folder} port={self.port} user=pmsgw dbname=postgres"
        with psycopg.connect(socket, autocommit=True) as db:
            before = db.execute("SELECT pg_conf_load_time()").fetchone()
            db.execute("SELECT pg_reload_conf()")
            while db.execute("SELECT pg_conf_load_time()").fetchone() == before:
                time.sleep(0.01)

    def promote(self):
        self._run("pg_ctl", "promote", "-D", self.data, "-w")

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.thaw()
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program, *arguments):
        done = subprocess.run(
            [self.bin / program, *map(str, arguments)], capture_output=True, text=True,
            cwd=self.folder, check=False, **self.user,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
