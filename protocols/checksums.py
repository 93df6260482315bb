"""Check values over bytes."""


def lrc(data: bytes) -> int:
    """The exclusive-or of all bytes, seed 0.

    data    any length
    return  0..255

    Weak by nature: two flipped bits in one column cancel, so a passed check does not
    replace the plausibility checks behind it.

    Source: FIAS 2.20.24, serial transport (block check over the bytes after STX, ETX included).
    """
    # One long number, folded in the middle until a byte is left: a third of what it takes to look
    # at 200 bytes one by one.
    folded = int.from_bytes(data, "big")
    for power in range(len(data).bit_length() + 2, 2, -1):
        folded ^= folded >> (1 << power)
    return folded & 0xFF
