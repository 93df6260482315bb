"""`line send --loopback`: a port with a plug in it, tried with patterns, wires and a bit count."""

import termios
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

import serial

from gateway.line import LineFailed, SerialSpec
from gateway.line.port import modem_lines, open_port
from gateway.scope.bert import ECHO_WORDS, BitErrors, Echo, Pattern, judge_echo, judge_wire

PATTERNS: Final = (b"\x55\xaa\x00\xff" * 8, b"\x05\x06\x15\x02GI|RN101|\x03", bytes(range(256)))
"""Every edge, what a line says, every byte."""

SETTLE_S: Final = 0.05  # a driver and an adapter pass a wire on within this time
PATIENCE_S: Final = 0.5  # beyond the time that the bytes take on the wire
WRITE_WITHIN_S: Final = 5.0  # a port that takes nothing is told, not waited for
_SLICE_S: Final = 0.1
_WIRES: Final = (("RTS", "CTS"), ("DTR", "DSR"), ("DTR", "DCD"))


def loopback(spec: SerialSpec, *, bert_s: float, say: Callable[[str], None]) -> bool:
    """Try a port whose bytes should come back. Returns whether all did. Raises LineFailed.

    bert_s      seconds of the bit-error count; 0: none
    """
    port = open_port(spec)
    with closing(port):
        try:
            port.timeout, port.write_timeout = 0, WRITE_WITHIN_S
            return _try(port, spec, bert_s, say)
        except (OSError, termios.error) as error:
            raise LineFailed(f"{spec.path}: {error}") from error


def _try(port: serial.Serial, spec: SerialSpec, bert_s: float, say: Callable[[str], None]) -> bool:
    echo = _echo(port, spec)
    say(f"echo: {ECHO_WORDS[echo]}")
    for sentence in _wires(port):
        say(sentence)
    if not bert_s or echo in (Echo.NOTHING, Echo.FOREIGN):
        return echo is Echo.WHOLE
    count = _bert(port, spec, bert_s)
    for sentence in bert_words(count):
        say(sentence)
    return echo is Echo.WHOLE and not (count.errors or count.lost or count.extra)


def _echo(port: serial.Serial, spec: SerialSpec) -> Echo:
    sent = b"".join(PATTERNS)
    if spec.data_bits == 7:
        sent = bytes(byte & 0x7F for byte in sent)
    port.reset_input_buffer()
    got = bytearray()
    for place in range(0, len(sent), 16):
        port.write(sent[place : place + 16])
        got += _read_for(port, _on_the_wire_s(spec, 16))
    got += _read_for(port, PATIENCE_S)
    return judge_echo(sent, bytes(got))


def _on_the_wire_s(spec: SerialSpec, count: int) -> float:
    bits = 1 + spec.data_bits + (spec.parity != "N") + spec.stop_bits
    return count * bits / spec.baud


def _read_for(port: serial.Serial, seconds: float) -> bytes:
    got = bytearray()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        got += port.read(4096)
        time.sleep(min(0.01, seconds))
    return bytes(got + port.read(4096))


def _wires(port: serial.Serial) -> list[str]:
    """What the handshake lines do, and whether any is there at all."""
    if modem_lines(port.fileno()) is None:
        return ["handshake lines: not available on this port"]
    seen: dict[tuple[str, str], list[tuple[bool, bool]]] = {wire: [] for wire in _WIRES}
    for state in (True, False, True):
        port.rts = port.dtr = state
        time.sleep(SETTLE_S)
        lines = modem_lines(port.fileno()) or {}
        for ours, theirs in _WIRES:
            seen[ours, theirs].append((state, lines.get(theirs, False)))
    told = [judge_wire(ours, theirs, states) for (ours, theirs), states in seen.items()]
    if not any(into for states in seen.values() for _, into in states):
        told.append("no handshake line is ever on: a cable of three wires, or nothing connected")
    return told


def _bert(port: serial.Serial, spec: SerialSpec, seconds: float) -> BitErrors:
    pattern, count = Pattern(spec.data_bits), BitErrors(spec.data_bits)
    portion = max(1, round(_SLICE_S / _on_the_wire_s(spec, 1) * 0.95))  # never ahead of the wire
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = pattern.take(portion)
        count.sent(data)
        port.write(data)
        count.got(_read_for(port, _SLICE_S))
    count.got(_read_for(port, PATIENCE_S))
    count.end()
    return count


def bert_words(count: BitErrors) -> list[str]:
    """The result of a bit count, in sentences."""
    if count.rate is None or count.rate_below is None:
        return [f"bit count: nothing came back, {count.lost} bytes lost"]
    told = [f"bit count: {count.errors} of {count.bits} bits wrong"]
    told[0] += f", {count.lost} bytes lost, {count.extra} extra"
    told.append(
        f"error rate: {count.rate:.1e}, below {count.rate_below:.1e} with 95 % certainty"
        if count.errors
        else f"error rate: below {count.rate_below:.1e} with 95 % certainty"
    )
    return told
