"""A line that damages what it carries, and the few lines of arithmetic that judge a frame."""

import random
from dataclasses import dataclass
from typing import Final

STX: Final = 0x02
ETX: Final = 0x03

MIN_BER: Final = 1e-6
MAX_BER: Final = 1e-3


def xor_of(body: bytes) -> int:
    """The check byte of a body: all its bytes and ETX. Ours, so that no product code judges."""
    check = ETX
    for byte in body:
        check ^= byte
    return check


def framed(body: bytes) -> bytes:
    """A body as a serial line carries it."""
    return bytes([STX]) + body + bytes([ETX, xor_of(body)])


def passing(stream: bytes) -> list[bytes]:
    """Every body in the stream that stands between STX and ETX with its check byte behind it.

    Generous on purpose (an STX inside a body starts another candidate): what is not in this list
    has failed its check, however one reads the stream.
    """
    found = []
    start = stream.find(STX)
    while start >= 0:
        end = stream.find(ETX, start)
        if end < 0 or end + 1 >= len(stream):
            break
        body = stream[start + 1 : end]
        if xor_of(body) == stream[end + 1]:
            found.append(body)
        start = stream.find(STX, start + 1)
    return found


@dataclass(slots=True)
class Noise:
    """One direction of a bad cable.

    ber         probability that a bit is flipped
    byte_rate   probability that a byte is lost, and the same again that it comes twice
    lost_rate   probability that a whole write is lost
    twice_rate  probability that a whole write comes twice
    """

    rng: random.Random
    ber: float = 0.0
    byte_rate: float = 0.0
    lost_rate: float = 0.0
    twice_rate: float = 0.0

    @classmethod
    def drawn(
        cls, rng: random.Random, *, lost_rate: float = 0.0, twice_rate: float = 0.0
    ) -> "Noise":
        """Any rate between the best and the worst line, each decade as often as the other."""
        ber = MIN_BER * (MAX_BER / MIN_BER) ** rng.random()
        byte_rate = ber * rng.choice((0, 1, 4))
        return cls(rng, ber, byte_rate, lost_rate, twice_rate)

    def hush(self) -> None:
        """The cable is repaired."""
        self.ber = self.byte_rate = self.lost_rate = self.twice_rate = 0.0

    def carry(self, data: bytes) -> list[tuple[int, bool]]:
        """What arrives of one write: each byte, and whether it is one that was said."""
        carried = [(byte, True) for byte in data]
        if self.lost_rate and self.rng.random() < self.lost_rate:
            return []
        if self.twice_rate and self.rng.random() < self.twice_rate:
            carried += [(byte, False) for byte in data]
        trouble = 8 * self.ber + 2 * self.byte_rate
        if not trouble or self.rng.random() < (1 - trouble) ** len(carried):
            return carried  # as the sum of its bytes' chances has it, nothing happens
        return self._spoiled(carried, trouble)

    def _spoiled(self, carried: list[tuple[int, bool]], trouble: float) -> list[tuple[int, bool]]:
        """At least one byte is in trouble: the first by lot, any other by the same chances."""
        first = self.rng.randrange(len(carried))
        arrived = []
        for position, (byte, said) in enumerate(carried):
            if position != first and self.rng.random() >= trouble:
                arrived.append((byte, said))
                continue
            draw = self.rng.random() * trouble
            if draw < self.byte_rate:
                continue
            if draw < 2 * self.byte_rate:
                arrived += [(byte, said), (byte, False)]
                continue
            flipped = byte ^ (1 << self.rng.randrange(8))
            while self.rng.random() < 8 * self.ber:
                flipped ^= 1 << self.rng.randrange(8)
            arrived.append((flipped, False))
        return arrived
