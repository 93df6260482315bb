"""`line detect`: one port, listened to at each speed in turn, until its settings are known.

Nothing is ever written: a PMS that hears a wrong byte may drop its link, and a gateway may be
connected beside us.
"""

import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

from gateway.line import LineFailed, SerialSpec
from gateway.line.port import count_errors, mark_errors, open_port, unmark
from gateway.scope.detect import Confidence, Verdict, is_promising, judge
from gateway.scope.reread import Sample

SPEEDS: Final = (9600, 19200, 4800, 2400, 1200, 38400)
"""Bits a second, the most frequent first."""

STAY_ROUNDS: Final = 4
"""Where something familiar is heard, so many times longer: a PMS that nobody answers says LS every
12 s, and the default of 4 s for one speed would miss it more often than not."""

_READ_S: Final = 0.1


class Ear:
    """A serial port that is only read, at 8N1. Raises LineFailed."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._port = open_port(SerialSpec(device))
        self._port.timeout = _READ_S
        self._tuned_to = 0

    def close(self) -> None:
        """Let the port go."""
        self._port.close()

    def listen(self, baud: int, seconds: float) -> Sample:
        """What comes at this speed, in bits a second."""
        marked = bytearray()
        try:
            self._tune(baud)
            before = self._framing_errors()
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                marked += self._port.read(self._port.in_waiting or 1)
            marked += self._port.read(self._port.in_waiting)  # the rest of a record just begun
            after = self._framing_errors()
        except (OSError, termios.error) as error:
            raise LineFailed(f"{self._device}: {error}") from error
        data, damaged = unmark(bytes(marked))
        if before is None or after is None:
            return Sample(data, seconds=seconds)
        return Sample(data, damaged, after - before, seconds)

    def _tune(self, baud: int) -> None:
        if baud == self._tuned_to:
            return  # a record may be on its way
        self._port.baudrate = self._tuned_to = baud
        mark_errors(self._port.fileno())
        self._port.reset_input_buffer()  # what came at the speed before

    def _framing_errors(self) -> int | None:
        counts = count_errors(self._port.fileno())
        return None if counts is None else counts["framing"]


def detect(
    device: str, *, per_speed_s: float, total_s: float, tell: Callable[[str], None]
) -> Verdict:
    """Listen to a port until its settings are certain or the time is over. Raises LineFailed.

    per_speed_s     how long each speed is listened to before the next one's turn
    tell            told in a sentence what was heard at each speed
    """
    samples: dict[int, Sample] = {}
    until = time.monotonic() + total_s
    with closing(Ear(device)) as ear:
        for baud in _turns(until):
            heard = Sample(b"", frozenset(), 0)
            for _ in range(STAY_ROUNDS):
                seconds = min(per_speed_s, max(_READ_S, until - time.monotonic()))
                sample = ear.listen(baud, seconds)
                heard += sample
                samples[baud] = samples[baud] + sample if baud in samples else sample
                verdict = judge(samples)
                if verdict.confidence is Confidence.CERTAIN:
                    return verdict
                if not is_promising(heard) or time.monotonic() >= until:
                    break
            tell(
                f"{baud} baud: {len(heard.data)} bytes in {heard.seconds:.1f} s; {_so_far(verdict)}"
            )
            if verdict.is_found:  # and longer listening would not make it more
                return verdict
    return judge(samples)


def _turns(until: float) -> Iterator[int]:
    """Speeds in turn, over and over, as long as there is time."""
    while True:
        for baud in SPEEDS:
            if time.monotonic() >= until:
                return
            yield baud


def _so_far(verdict: Verdict) -> str:
    if verdict.baud is None:
        return "nothing known yet"
    return f"{verdict.confidence.value}: {verdict.baud} {verdict.form}"


def as_text(verdict: Verdict, device: str) -> Iterator[str]:
    """The verdict, its evidence, and what to paste."""
    if verdict.baud is None:
        yield "not found out"
    else:
        yield f"{verdict.confidence.value}: {verdict.baud} {verdict.form}, {verdict.dialect.value}"
    for sentence in verdict.evidence:
        yield f"  {sentence}"
    if lines := verdict.config_lines(device):
        yield ""
        yield from lines


def as_json(verdict: Verdict, device: str) -> dict[str, Any]:
    """For `--json`."""
    return {
        "device": device,
        "baud": verdict.baud,
        "format": None if verdict.form is None else str(verdict.form),
        "lrc": verdict.lrc,
        "ack": verdict.ack,
        "dialect": verdict.dialect.name.lower(),
        "confidence": verdict.confidence.value,
        "is_found": verdict.is_found,
        "evidence": list(verdict.evidence),
        "config": verdict.config_lines(device),
    }
