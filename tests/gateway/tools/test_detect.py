"""`line detect` on real pseudo-terminals: the peer plays what a UART delivers at the speed now set."""

import itertools
import json
import os
import pty
import select
import termios
import threading
import tty
from contextlib import contextmanager

import pytest
import serial
from typer.testing import CliRunner

from gateway.cli import app
from gateway.line.port import count_errors, mark_errors, modem_lines, unmark
from gateway.scope.reread import Format
from gateway.tools.detect import SPEEDS
from tests.gateway.scope.test_detect import ENQ, frame, talk
from tests.gateway.scope.uart import receive, transmit

BAUD_OF = {getattr(termios, f"B{baud}"): baud for baud in SPEEDS}


@contextmanager
def spoken_to(pieces, baud, form, every_s=0.004):
    """A port at whose other end somebody talks, at that speed and in that format."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    over = threading.Event()

    def talk_on():
        for piece in itertools.cycle(pieces):
            if over.wait(every_s):
                return
            at = BAUD_OF.get(termios.tcgetattr(master)[4], 9600)
            os.write(master, receive(transmit([piece], baud, form), at).data)

    os.set_blocking(master, False)
    talking = threading.Thread(target=talk_on)
    if pieces:
        talking.start()
    try:
        yield os.ttyname(slave)
    finally:
        over.set()
        if pieces:
            talking.join()
        os.close(master)
        os.close(slave)


def detect(*arguments):
    done = CliRunner().invoke(app, ["line", "detect", *arguments])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("baud", "mode", "lrc"),
    [(9600, "7e1", True), (4800, "7o1", False), (19200, "8n1", True), (1200, "7e1", True), (38400, "8n1", False)],
)  # fmt: skip
def test_a_port_is_listened_to_until_its_settings_are_known(baud, mode, lrc):
    form = Format(int(mode[0]), mode[1].upper())
    with spoken_to(talk(lrc), baud, form) as path:
        code, out, err = detect(path, "--seconds", "0.15", "--for", "10")
    assert code == 0, out + err
    assert f'line = "serial:{path},{baud},{mode}"\n[fias]\nlrc = {str(lrc).lower()}' in out
    assert out.startswith("certain" if mode[0] == "7" else "likely")


def test_the_verdict_is_json_too():
    with spoken_to(talk(True), 9600, Format(7, "E")) as path:
        code, out, _ = detect(path, "--seconds", "0.15", "--json")
    told = json.loads(out)
    assert (code, told["baud"], told["format"], told["confidence"]) == (0, 9600, "7e1", "certain")
    assert told["config"][1] == f'line = "serial:{path},9600,7e1"'


def test_a_start_every_now_and_then_is_waited_for():
    """ENQ is familiar at once; the record comes only later, and is stayed for."""
    pieces = [ENQ] * 15 + [frame("LS|DA260314|TI101459|")]
    with spoken_to(pieces, 9600, Format(7, "O"), every_s=0.02) as path:
        code, out, err = detect(path, "--seconds", "0.15", "--for", "6")
    assert code == 0, out + err
    assert f"{path},9600,7o1" in out


def test_enquiries_alone_are_not_enough():
    with spoken_to([ENQ], 4800, Format(8, "N"), every_s=0.02) as path:
        code, out, err = detect(path, "--seconds", "0.1", "--for", "1")
    assert code == 1
    assert out.startswith("unsure: 4800 8n1")
    assert "4800 baud:" in err
    assert "[pms]" not in out


def test_a_silent_line_is_not_found_out():
    with spoken_to([], 9600, Format(8, "N")) as path:
        code, out, _ = detect(path, "--seconds", "0.1", "--for", "0.5")
    assert (code, out.splitlines()[0]) == (1, "not found out")
    assert "no byte" in out


def test_not_a_byte_is_written():
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.write(master, ENQ * 3 + frame("LS|DA260314|"))
    detect(os.ttyname(slave), "--seconds", "0.1", "--for", "0.4")
    assert not select.select([master], [], [], 0.1)[0]
    os.close(master)
    os.close(slave)


def test_a_port_in_other_hands_and_no_port_are_wrong_use():
    with spoken_to([], 9600, Format(8, "N")) as path, serial.Serial(path, exclusive=True):
        code, _, err = detect(path, "--for", "0.2")
    assert (code, "another program has the port open" in err) == (2, True)
    code, _, err = detect("/dev/no-such-adapter")
    assert (code, "is the adapter plugged in" in err) == (2, True)


def test_marks_are_taken_out_and_remembered():
    assert unmark(b"a\xff\x00\x05b\xff\xffc\xff\x00\x00") == (b"a\x05b\xffc\x00", frozenset({1, 5}))
    for cut in (b"\xff", b"\xff\x00"):
        assert unmark(b"ab" + cut) == (b"ab", frozenset())


def test_a_pty_marks_a_real_ff_and_has_neither_counters_nor_handshake_lines():
    master, slave = pty.openpty()
    tty.setraw(slave)
    mark_errors(slave)
    os.write(master, b"\x02\xff\x03")
    assert unmark(os.read(slave, 16)) == (b"\x02\xff\x03", frozenset())
    assert count_errors(slave) is None
    assert modem_lines(slave) is None
    os.close(master)
    os.close(slave)
