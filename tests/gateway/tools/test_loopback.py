"""A port with a plug in it: a pseudo-terminal whose other end copies, damages, keeps or answers."""

import os
import pty
import select
import threading
import tty
from contextlib import closing, contextmanager

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.line import SerialSpec
from gateway.line.port import open_port
from gateway.scope.bert import Echo
from gateway.tools import loopback
from gateway.tools.loopback import bert_words


@pytest.fixture(autouse=True)
def short_of_time(monkeypatch):
    monkeypatch.setattr(loopback, "PATIENCE_S", 0.15)


@contextmanager
def plug(copy):
    """A port; `copy(data, place)` is what comes back for bytes written from that place on."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    over = threading.Event()

    def run():
        place = 0
        while not over.is_set():
            if select.select([master], [], [], 0.02)[0]:
                data = os.read(master, 4096)
                if answer := copy(data, place):
                    os.write(master, answer)
                place += len(data)

    copying = threading.Thread(target=run)
    copying.start()
    try:
        yield os.ttyname(slave)
    finally:
        over.set()
        copying.join()
        os.close(master)
        os.close(slave)


def tried(copy, *arguments, mode="8n1"):
    with plug(copy) as path:
        done = CliRunner().invoke(app, ["line", "send", f"serial:{path},38400,{mode}", *arguments])
    return done.exit_code, done.stdout


def whole(data, _):
    return data


def each_200th_damaged(data, place):
    return bytes(byte ^ 0x10 if (place + at) % 200 == 199 else byte for at, byte in enumerate(data))


def each_200th_lost(data, place):
    return bytes(byte for at, byte in enumerate(data) if (place + at) % 200 != 199)


def test_a_good_plug_gives_every_byte_back():
    code, out = tried(whole, "--loopback")
    assert code == 0
    assert out.startswith("echo: every byte comes back")
    assert "handshake lines: not available on this port" in out  # never "off"


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (lambda *_: b"", "a null modem is needed"),
        (each_200th_damaged, "own bytes come back damaged"),
        (each_200th_lost, "own bytes come back damaged"),
        (lambda data, _: bytes(byte & 0x7F for byte in data), "only the top bit is lost"),
        (lambda _, place: b"\x05" if place % 64 == 0 else b"", "not ours"),
    ],
)
def test_anything_else_says_what_the_cable_is(copy, words):
    code, out = tried(copy, "--loopback")
    assert (code, words in out) == (1, True), out


def test_seven_bits_are_tried_with_seven_bits():
    """A pty has eight, so the port is opened as such and only the bytes are cut."""
    with plug(whole) as path, closing(open_port(SerialSpec(path, 38400))) as port:
        port.timeout = 0
        assert loopback._echo(port, SerialSpec(path, 38400, 7, "E")) is Echo.WHOLE


def test_a_port_that_cannot_be_set_so_is_a_sentence():
    with plug(whole) as path:
        done = CliRunner().invoke(app, ["line", "send", f"serial:{path},9600,7e1", "--loopback"])
    assert (done.exit_code, path in done.stderr) == (2, True)


def test_bit_errors_are_counted():
    code, out = tried(whole, "--bert", "0.3")
    assert code == 0
    assert "bit count: 0 of " in out
    assert "with 95 % certainty" in out
    code, out = tried(each_200th_damaged, "--bert", "0.3")
    assert code == 1
    assert "error rate: " in out
    assert "bit count: 0 of" not in out
    code, out = tried(each_200th_lost, "--bert", "0.3")
    assert code == 1
    assert " 0 bytes lost" not in out


def test_a_count_without_an_echo_is_not_begun():
    code, out = tried(lambda *_: b"", "--bert", "5")
    assert (code, "bit count" in out) == (1, False)
    assert bert_words(loopback.BitErrors(lost=7)) == ["bit count: nothing came back, 7 bytes lost"]


@pytest.mark.parametrize(
    ("follows", "words"),
    [
        ({"CTS": "rts", "DSR": "dtr", "DCD": "dtr"}, "RTS -> CTS: joined"),
        ({}, "no handshake line is ever on"),
        ({"DSR": "dtr"}, "DTR -> DCD: open, DCD stays off"),
    ],
)
def test_handshake_wires_are_told_where_the_driver_has_them(monkeypatch, follows, words):
    class Port:
        rts = dtr = True

        def fileno(self):
            return 0

    port = Port()
    monkeypatch.setattr(
        loopback,
        "modem_lines",
        lambda _: {name: getattr(port, follows[name]) if name in follows else False for name in ("CTS", "DSR", "DCD")},
    )  # fmt: skip
    assert words in "\n".join(loopback._wires(port))
