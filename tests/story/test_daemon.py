"""The process as systemd runs it: started, reloaded, stopped, each told on the socket (gateway.service.daemon)."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

CONFIG = """
[site]
data_dir = "{folder}/data"
[pms]
line = "tcp:127.0.0.1:1"
[ucm]
url = "https://127.0.0.1:1/api"
username = "pmsgw"
password_file = "ucm-password"
pms_username = "hotel"
pms_password_file = "pms-password"
tls = "insecure"
[http]
listen = "127.0.0.1:0"
"""


@pytest.fixture
def systemd(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(30)
        yield sock


def hear(sock, word):
    """Listen until a message says this."""
    while word not in (said := sock.recv(4096).decode()):
        pass
    return said


def test_the_process_tells_systemd_what_it_does(tmp_path, systemd):
    config, credentials = tmp_path / "gateway.toml", tmp_path / "credentials"
    credentials.mkdir()
    for name in ("ucm-password", "pms-password"):
        (credentials / name).write_text("known-secret\n")
    config.write_text(CONFIG.format(folder=tmp_path))
    environ = {
        **os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000",
        "CREDENTIALS_DIRECTORY": str(credentials), "JOURNAL_STREAM": "1:2",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "run", "--config", str(config)],
        stderr=subprocess.PIPE, text=True, env=environ,
    )  # fmt: skip
    try:
        assert hear(systemd, "READY=1").startswith("READY=1\nSTATUS=started")
        alive = hear(systemd, "WATCHDOG=1")
        assert "0 waiting, 0 parked; UCM away" in alive
        about = Path("/proc", str(process.pid))
        for name in ("cmdline", "environ"):
            assert b"known-secret" not in (about / name).read_bytes()
        assert re.search(r"Max core file size +0 +0 ", (about / "limits").read_text())
        config.write_text(config.read_text().replace("127.0.0.1:0", "127.0.0.1:9"))
        process.send_signal(signal.SIGHUP)
        assert hear(systemd, "RELOADING=1").splitlines()[1].startswith("MONOTONIC_USEC=")
        assert hear(systemd, "READY=1") == "READY=1"
        config.write_text("nonsense")
        process.send_signal(signal.SIGHUP)
        hear(systemd, "READY=1")
        hear(systemd, "WATCHDOG=1")  # the old one goes on
        process.send_signal(signal.SIGTERM)
        hear(systemd, "STOPPING=1")
        assert process.wait(15) == 0
        said = process.stderr.read()
        assert 'restart_needed why="restart needed for http.listen"' in said
        assert "<3>config_refused" in said
        assert "known-secret" not in said
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_connections_without_end_are_one_line_in_the_log_and_the_service_goes_on(tmp_path):
    """As many as it may have open files, each with half a question."""
    config = tmp_path / "gateway.toml"
    for name in ("ucm-password", "pms-password"):
        (tmp_path / name).write_text("known-secret\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config.write_text(CONFIG.format(folder=tmp_path).replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    most = 100
    process = subprocess.Popen(
        ["sh", "-c", f'ulimit -n {most} && exec "$@"', "sh",
         sys.executable, "-m", "gateway", "run", "--config", str(config)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        said = read_until(process.stderr, "started")
        opened = []
        for _ in range(most):
            opened.append(socket.create_connection(("127.0.0.1", port)))
            opened[-1].sendall(b"GET /healthz HTTP/1.1\r\n")
        said += read_until(process.stderr, "too_many_connections")
        for each in opened:
            each.close()
        assert asked(port) == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        said += process.stderr.read()
        assert said.count("too_many_connections") == 1
        assert "Traceback" not in said
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def read_until(stream, word):
    said = ""
    while word not in said:
        line = stream.readline()
        assert line, said
        said += line
    return said


def asked(port):
    """The answer of a service that has to get over something first."""
    for _ in range(60):
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status
    return None
