"""A serial line in bits: a transmitter makes a wave of levels, a receiver of other settings samples it.

Times are in seconds. The wave is the moments at which the level changes; idle is high.
"""

from bisect import bisect_right

from gateway.scope.reread import Format, Sample

EIGHT_N_ONE = Format(8, "N", 1)


class Wave:
    """Levels over time; it begins and ends idle."""

    def __init__(self):
        self.moments, self.levels, self.end = [], [], 0.0

    def put(self, level, seconds):
        """Hold a level for so long."""
        if (self.levels[-1] if self.levels else 1) != level:
            self.moments.append(self.end)
            self.levels.append(level)
        self.end += seconds

    def at(self, moment):
        place = bisect_right(self.moments, moment)
        return self.levels[place - 1] if place else 1

    def falls(self, moment):
        """When the level falls next, from this moment on."""
        return self._next(moment, 0)

    def rises(self, moment):
        return moment if self.at(moment) else self._next(moment, 1)

    def _next(self, moment, level):
        place = bisect_right(self.moments, moment)
        while place < len(self.moments) and self.levels[place] != level:
            place += 1
        return self.moments[place] if place < len(self.moments) else None


def transmit(pieces, baud, form, *, pause_bits=40):
    """A wave that says these pieces, the bytes of each back to back."""
    wave, bit = Wave(), 1 / baud
    for piece in pieces:
        wave.put(1, pause_bits * bit)
        for byte in piece:
            for level in character(byte, form):
                wave.put(level, bit)
    wave.put(1, 0.05)
    return wave


def character(byte, form):
    """Start bit, data from the lowest bit on, parity, stop bits."""
    data = [byte >> place & 1 for place in range(form.data_bits)]
    parity = {"N": [], "E": [sum(data) % 2], "O": [1 - sum(data) % 2]}[form.parity]
    return [0, *data, *parity, *[1] * form.stop_bits]


def receive(wave, baud, *, skew=0.0, is_16550=False, from_s=0.0):
    """What a UART at 8N1 delivers of a wave, with its framing errors marked.

    skew        how much faster its clock runs than it says, as 0.01
    is_16550    takes the 0 at the place of the stop bit for the next start bit; else it waits for
                the line to rise and fall again
    """
    bit = 1 / baud / (1 + skew)
    data, damaged = bytearray(), set()
    start = wave.falls(from_s)
    while start is not None:
        if wave.at(start + bit / 2):  # a spike, no start bit
            start = wave.falls(start + bit / 2)
            continue
        byte = sum(wave.at(start + (1.5 + place) * bit) << place for place in range(8))
        stop = start + 9.5 * bit
        if wave.at(stop):
            start = wave.falls(stop)
        else:
            damaged.add(len(data))
            if is_16550 and byte:
                start = stop - bit / 2
            else:  # as after a break
                risen = wave.rises(stop)
                start = None if risen is None else wave.falls(risen)
        data.append(byte)
    return Sample(bytes(data), frozenset(damaged), len(damaged), wave.end)
