"""Bytes that were captured at 8N1, read again as another format would have read them.

A port that listens at 8N1 loses nothing of any ten-bit format: seven bits and a parity are eight
bits. Of an eleven-bit format it takes the parity bit for the stop bit: where that bit is 0 it tells
a framing error, so the errors are the parity, and the same bytes can be read again with them.

Source: PC16550D data sheet (a framing error); the patterns by own computation, tried against
`tests/gateway/scope/uart.py`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

BAD: Final = 0x7F
"""Stands for a byte that the format cannot have sent; no hotel line says DEL."""

PARITY_NAMES: Final = {"N": "no", "E": "even", "O": "odd"}


@dataclass(frozen=True, slots=True)
class Format:
    """How a character is cut into bits. `parity`: N, E or O."""

    data_bits: int
    parity: str
    stop_bits: int = 1

    def __str__(self) -> str:
        return f"{self.data_bits}{self.parity.lower()}{self.stop_bits}"


FORMATS: Final = (
    Format(8, "N"), Format(7, "E"), Format(7, "O"), Format(8, "E"), Format(8, "O"),
)  # fmt: skip
"""In the order of preference where the bytes fit several: what is met most comes first."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a port delivered at one speed, captured at 8N1.

    damaged         places in `data` of the bytes with a framing error; None: the driver does not
                    tell, and then 8E1 and 8O1 look like 8N1
    counted         framing errors by the driver's own counter; None: it has none
    seconds         how long was listened; 0: not known
    """

    data: bytes
    damaged: frozenset[int] | None = None
    counted: int | None = None
    seconds: float = 0.0

    def __add__(self, later: "Sample") -> "Sample":
        """Both, one behind the other."""
        damaged: frozenset[int] | None = None
        if self.damaged is not None and later.damaged is not None:
            damaged = self.damaged | {place + len(self.data) for place in later.damaged}
        counted: int | None = None
        if self.counted is not None and later.counted is not None:
            counted = self.counted + later.counted
        return Sample(self.data + later.data, damaged, counted, self.seconds + later.seconds)

    @property
    def is_marked(self) -> bool:
        """Whether the marks are to be believed: a driver may count errors and mark none."""
        return self.damaged is not None and (bool(self.damaged) or not self.counted)


def reread(sample: Sample, form: Format) -> list[bytes]:
    """What this format would have read; `BAD` for what it cannot have been.

    return      one reading, or two where UARTs differ in what they do after a framing error;
                none where the sample cannot tell this format from another
    """
    if form.data_bits == 7 or form.parity == "N":
        return [_ten_bits(sample, form)]
    if sample.is_marked:
        return [_eleven_bits(_wave(sample, again), form.parity) for again in (False, True)]
    if sample.counted:
        return [_by_count(sample.data, sample.counted, form.parity)]
    return []


def reread_16550(sample: Sample, form: Format) -> bytes:
    """What an eleven-bit format would have read, where `reread` finds no sense.

    A 16550 that runs out of step inside a frame swallows idle bits and the ones of a character
    alike. How many they were is guessed: of all ways to put them back, the one in which most
    characters have their parity, their stop bit and a meaning. Slow, about 0.1 ms a byte, so only
    the first of them are read.
    """
    if form.data_bits != 8 or form.parity == "N" or not sample.damaged:
        return b""
    best: _Guesses = {"": (0, None)}
    joined = ""
    for place, byte in enumerate(sample.data[:_GUESSED_BYTES]):
        is_damaged = place in sample.damaged
        bits = (joined or "0") + _BITS[byte] + ("0" if is_damaged else "1")
        if is_damaged:  # its last 0 begins the next byte
            bits, joined = bits[:-1], "0"
            best = _append(best, (bits,), form.parity)
        else:
            joined = ""
            best = _append(best, tuple(bits + "1" * more for more in range(11)), form.parity)
    _, said = min(best.values(), key=lambda guess: guess[0])
    pieces: list[bytes] = []
    while said is not None:
        pieces.append(said[1])
        said = said[0]
    return b"".join(reversed(pieces))


_GUESSED_BYTES: Final = 600  # some twenty records

_Said = tuple["_Said | None", bytes]
"""What a guess has read: the last bytes, behind those before."""

_Guesses = dict[str, tuple[int, "_Said | None"]]
"""By the bits of a character that is not over yet: the cheapest way to come there, its cost."""


def _append(guesses: _Guesses, endings: tuple[str, ...], parity: str) -> _Guesses:
    found: _Guesses = {}
    for begun, (cost, said) in guesses.items():
        for bits in endings:
            rest, data, extra = _read_on(begun, bits, parity)
            if rest not in found or cost + extra < found[rest][0]:
                found[rest] = (cost + extra, (said, data) if data else said)
    return found


@lru_cache(maxsize=1 << 16)
def _read_on(begun: str, bits: str, parity: str) -> tuple[str, bytes, int]:
    """Read bits behind those of a begun character: what is begun now, what was read, its cost."""
    wave = begun + bits
    data, cost = bytearray(), 0
    start = wave.find("0")
    while start >= 0 and start + 11 <= len(wave):
        byte, rest = _character(wave, start, parity)
        data.append(byte)
        cost += _COSTS[byte]
        start = wave.find("0", rest) if rest >= 0 else -1
    return wave[start:] if start >= 0 else "", bytes(data), cost


def _character(wave: str, start: int, parity: str) -> tuple[int, int]:
    """The eleven-bit character that starts here, and from where the next one is to be sought."""
    byte = _VALUES[wave[start + 1 : start + 9]]
    has_stop = wave[start + 10] == "1"
    fits = (byte.bit_count() + (wave[start + 9] == "1")) % 2 == (parity == "O")
    rest = start + 11 if has_stop else wave.find("1", start + 10)
    return (byte if has_stop and fits else BAD), rest


def _ten_bits(sample: Sample, form: Format) -> bytes:
    """A format whose stop bit is where 8N1 has it: an error is an error."""
    if not sample.is_marked and (sample.counted or 0) > len(sample.data) // 20:
        return bytes([BAD]) * len(sample.data)
    data = sample.data
    if form.data_bits == 7:
        data = data.translate(_STRIPPED[form.parity])
    marked = bytearray(data)
    for place in sample.damaged or ():
        marked[place] = BAD
    return bytes(marked)


def _by_count(data: bytes, counted: int, parity: str) -> bytes:
    """No marks, but a number: it is as large as there are zero parity bits, or not."""
    zeros = sum((byte.bit_count() + (parity == "O")) % 2 == 0 for byte in data)
    fits = abs(zeros - counted) <= max(1, len(data) // 100)
    return data if fits else bytes([BAD]) * len(data)


def _wave(sample: Sample, starts_in_the_error: bool) -> str:
    """The bits that made the port deliver this.

    starts_in_the_error     a 16550 takes the 0 where the stop bit should be for the next start
                            bit; others wait for the line to rise and fall again
    """
    damaged = sample.damaged or frozenset()
    low = "0" if starts_in_the_error else "0" + _IDLE
    parts: list[str] = []
    for place, byte in enumerate(sample.data):
        is_joined = starts_in_the_error and place - 1 in damaged
        parts += ["" if is_joined else "0", _BITS[byte], low if place in damaged else "1" + _IDLE]
    return "".join(parts)


def _eleven_bits(wave: str, parity: str) -> bytes:
    """A UART of eight bits and a parity, in software."""
    data = bytearray()
    start = wave.find("0")
    while start >= 0 and start + 11 <= len(wave):
        byte, rest = _character(wave, start, parity)
        data.append(byte)
        start = wave.find("0", rest) if rest >= 0 else -1
    return bytes(data)


_IDLE: Final = "11"  # at least the stop bit of an eleven-bit format; more says nothing
_BITS: Final = tuple(f"{byte:08b}"[::-1] for byte in range(256))  # least significant bit first
_VALUES: Final = {bits: byte for byte, bits in enumerate(_BITS)}
_STRIPPED: Final = {
    parity: bytes(
        byte & 0x7F if byte.bit_count() % 2 == (parity == "O") else BAD for byte in range(256)
    )
    for parity in "EO"
}
_PLAIN: Final = frozenset(range(32, BAD)) | frozenset(b"\x02\x03\x05\x06\x15\r\n")
_COSTS: Final = tuple(
    0 if byte in _PLAIN else 4 if byte == BAD else 2  # a national letter, a check byte: rare
    for byte in range(256)
)
