"""Check values over bytes."""


def lrc(data: bytes) -> int:
    """The exclusive-or of all bytes, seed 0.

    data    any length
    return  0..255

    Weak by nature: two flipped bits in one column cancel, so a passed check does not
    replace the plausibility checks behind it.

    Source: FIAS 2.20.24, serial transport (block check over the bytes after STX, ETX included).
    """
    # As one number that is folded in half until one byte is left: an exclusive-or of all of them.
    folded, bits = int.from_bytes(data, "big"), 8 << len(data).bit_length()
    while bits > 8:
        bits >>= 1
        folded ^= folded >> bits
    return folded & 0xFF
