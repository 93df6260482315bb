"""The program, for tests: a command to its end, a service that goes on, and a site for both."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from gateway.cli import app

OPEN = ssl._create_unverified_context()
PROGRAM = [sys.executable, "-m", "gateway"]


def call(*arguments, stdin=b""):
    """Run a command to its end: exit code, stdout, stderr. It runs in this process, as a start of
    Python costs more than most commands; `call_process` has one of its own.
    """
    done = CliRunner().invoke(app, arguments, input=stdin, prog_name="pms-gateway")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def call_process(*arguments, stdin=b"", env=None):
    """Run a command to its end as a process, as a person does."""
    done = subprocess.run(
        [*PROGRAM, *arguments], input=stdin, capture_output=True, timeout=60, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextmanager
def running(*arguments):
    """A program that goes on; its output is a pipe."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def wait_for(condition, within_s=20):
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it never happened")


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as reply:
            return reply.read().decode()
    except OSError:
        return ""


def simulated(url, path, body=None):
    """Ask the simulated UCM itself, not over its API."""
    request = urllib.request.Request(
        url.removesuffix("/api") + path,
        data=json.dumps(body).encode() if body is not None else None,
    )
    with urllib.request.urlopen(request, timeout=5, context=OPEN) as reply:
        return json.load(reply)


@pytest.fixture
def site(tmp_path):
    """A simulated UCM, a simulated PMS, and a configuration between them."""
    http, pms = free_port(), free_port()
    with running(
        "simulate", "ucm", "--listen", "127.0.0.1:0", "--folder", str(tmp_path / "ucm")
    ) as ucm:
        said = []
        while not any("fingerprint" in line for line in said):
            said.append(ucm.stdout.readline())
        url = re.search(r"https://\S+/api", "".join(said))[0]
        fingerprint = re.search(r"sha256:[0-9A-F:]+", "".join(said))[0]
        config = tmp_path / "gateway.toml"
        config.write_text(
            f'[site]\ndata_dir = "{tmp_path}/data"\n[pms]\nline = "tcp:127.0.0.1:{pms}"\n'
            f'[fias]\nrecord_pacing_ms = 0\n[ucm]\nurl = "{url}"\nusername = "pmsgw"\n'
            'password = "api-secret"\npms_username = "hotel"\npms_password = "pms-secret"\n'
            f'fingerprint = "{fingerprint}"\n[http]\nlisten = "127.0.0.1:{http}"\n'
        )
        yield config, pms, http, url
