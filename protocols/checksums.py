"""Check values over bytes."""

from functools import reduce
from operator import xor


def lrc(data: bytes) -> int:
    """The exclusive-or of all bytes, seed 0.

    data    any length
    return  0..255

    Weak by nature: two flipped bits in one column cancel, so a passed check does not
    replace the plausibility checks behind it.

    Source: FIAS 2.20.24, serial transport (block check over the bytes after STX, ETX included).
    """
    return reduce(xor, data, 0)
