"""Own bytes that come back: a plug test, a bit-error count, and what they say of the cable.

Source: ITU-T O.150 (the pattern of 2^15 - 1 bits); the bound of an error rate as of a Poisson
count, by Wilson and Hilferty, within 2 % of the exact value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import sqrt
from typing import Final

LONGEST_SLIP_BYTES: Final = 64
"""So many bytes may be lost or added in one place, and the count is in step again."""

_WINDOW: Final = 8  # bytes of the pattern: chance repeats them once in 2^15 places at most
_LOOK_AHEAD: Final = LONGEST_SLIP_BYTES + _WINDOW
_Z95: Final = 1.645  # one-sided


class Pattern:
    """A pseudo-random pattern of 2^15 - 1 bits, for ever. `data_bits`: of one character."""

    def __init__(self, data_bits: int = 8) -> None:
        self._data_bits = data_bits
        self._state = 0x7FFF

    def take(self, count: int) -> bytes:
        """The next so many characters, lowest bit first."""
        return bytes(self._character() for _ in range(count))

    def _character(self) -> int:
        character = 0
        for place in range(self._data_bits):
            bit = (self._state >> 14 ^ self._state >> 13) & 1
            self._state = (self._state << 1 | bit) & 0x7FFF
            character |= bit << place
        return character


@dataclass(slots=True)
class BitErrors:
    """Compares what comes back with what was sent, byte by byte, and finds its step again.

    bits            compared
    errors          of them wrong
    lost, extra     bytes that never came, and that were never sent
    slips           places where bytes were lost or added
    """

    data_bits: int = 8
    bits: int = 0
    errors: int = 0
    lost: int = 0
    extra: int = 0
    slips: int = 0
    _sent: bytearray = field(default_factory=bytearray)
    _got: bytearray = field(default_factory=bytearray)

    def sent(self, data: bytes) -> None:
        """These were written."""
        self._sent += data

    def got(self, data: bytes) -> None:
        """These came back."""
        self._got += data
        self._compare(_LOOK_AHEAD)

    def end(self) -> None:
        """Nothing more comes: what is missing now is lost."""
        self._compare(1)
        if self._sent or self._got:
            self._slip(len(self._sent), len(self._got))

    @property
    def rate(self) -> float | None:
        """Errors a bit; None: nothing was compared."""
        return self.errors / self.bits if self.bits else None

    @property
    def rate_below(self) -> float | None:
        """The rate is below this with 95 % certainty; None: nothing was compared."""
        return min(1.0, _most(self.errors) / self.bits) if self.bits else None

    def _compare(self, needed: int) -> None:
        """As long as so many bytes are there of both: a slip is only seen from what follows it."""
        while len(self._got) >= needed and len(self._sent) >= needed:
            same = _common(self._sent, self._got)
            if same:
                self._take(same)
            elif slip := self._find_slip():
                self._slip(*slip)
            else:
                wrong = (self._sent[0] ^ self._got[0]) & ((1 << self.data_bits) - 1)
                self.errors += max(1, wrong.bit_count())
                self._take(1)

    def _take(self, count: int) -> None:
        self.bits += count * self.data_bits
        del self._sent[:count], self._got[:count]

    def _slip(self, lost: int, extra: int) -> None:
        self.lost, self.extra, self.slips = self.lost + lost, self.extra + extra, self.slips + 1
        del self._sent[:lost], self._got[:extra]

    def _find_slip(self) -> tuple[int, int] | None:
        """How many bytes are missing or too many here; None: only damaged ones."""
        if not _differ(self._sent[:_WINDOW], self._got[:_WINDOW]):
            return None
        for distance in range(1, LONGEST_SLIP_BYTES + 1):
            for lost, extra in ((distance, 0), (0, distance)):
                sent = self._sent[lost : lost + _WINDOW]
                got = self._got[extra : extra + _WINDOW]
                if len(sent) == len(got) == _WINDOW and not _differ(sent, got):
                    return lost, extra
        return None


def _common(one: bytearray, other: bytearray) -> int:
    """How many bytes are equal from the beginning, up to a thousand."""
    count = 0
    for left, right in zip(one[:1000], other[:1000], strict=False):
        if left != right:
            break
        count += 1
    return count


def _differ(one: bytearray, other: bytearray) -> bool:
    """Not the same bytes with a few damaged ones among them."""
    wrong = sum(left != right for left, right in zip(one, other, strict=False))
    return wrong > len(one) // 2


def _most(count: int) -> float:
    """How many were to be expected at most, with 95 % certainty, where so many came."""
    shape = count + 1
    return shape * float((1 - 1 / (9 * shape) + _Z95 / (3 * sqrt(shape))) ** 3)


class Echo(Enum):
    """What became of our own bytes."""

    WHOLE = "whole"
    NOTHING = "nothing"
    DAMAGED = "damaged"
    SEVEN_BITS = "seven bits"
    FOREIGN = "foreign"


ECHO_WORDS: Final = {
    Echo.WHOLE: "every byte comes back: the port, its driver and the cable up to the plug are good",
    Echo.NOTHING: "nothing comes back: no loopback plug, or TX and RX are not joined. A straight "
    "cable to another computer joins TX to TX: there a null modem is needed",
    Echo.DAMAGED: "own bytes come back damaged: a bad ground or level converter, a cable too long "
    "for this speed, or a loop behind a device of other settings",
    Echo.SEVEN_BITS: "only the top bit is lost: something in the loop speaks 7 data bits; say so "
    "in the line (as 7e1), or set it to 8",
    Echo.FOREIGN: "bytes come that are not ours: this is no plug, a device talks at the other end. "
    "The cable is right for it (`line detect` finds out what it speaks)",
}
"""The verdict on the cable, as a sentence that says what to do."""


def judge_echo(sent: bytes, got: bytes) -> Echo:
    """What the bytes that came say, all bytes of a test together."""
    if got == sent:
        return Echo.WHOLE
    if not got:
        return Echo.NOTHING
    if len(got) == len(sent) and all(
        (left ^ right) & 0x7F == 0 for left, right in zip(sent, got, strict=True)
    ):
        return Echo.SEVEN_BITS
    count = BitErrors()
    count.sent(sent)
    count.got(got)
    count.end()
    is_ours = count.bits >= _ENOUGH_BITS and (count.rate or 0) < _BY_CHANCE
    return Echo.DAMAGED if is_ours else Echo.FOREIGN


_ENOUGH_BITS: Final = 64
_BY_CHANCE: Final = 0.3
"""Strange bytes agree in half of their bits."""


def judge_wire(ours: str, theirs: str, seen: Sequence[tuple[bool, bool]]) -> str:
    """What an input did while we switched an output. `seen`: (output, input), in order."""
    if all(out == into for out, into in seen):
        return f"{ours} -> {theirs}: joined"
    states = {into for _, into in seen}
    if states == {False}:
        return f"{ours} -> {theirs}: open, {theirs} stays off"
    if states == {True}:
        return f"{ours} -> {theirs}: {theirs} stays on, by something else"
    return f"{ours} -> {theirs}: {theirs} changes, but not with {ours}"
