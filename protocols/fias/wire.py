"""The grammar of a frame and of its body, in construct. Nothing but grammar.

The stream reader in `protocols.framing` finds frames in a noisy stream; these declarations say what
a whole frame is. A property test holds the two together.
"""

from typing import Any

from construct import (
    Adapter,
    Byte,
    Bytes,
    Checksum,
    Const,
    GreedyBytes,
    NullTerminated,
    RawCopy,
    Struct,
    Terminated,
    this,
)

from protocols.checksums import lrc
from protocols.stream import ETX, STX

_checked = RawCopy(Struct("body" / NullTerminated(GreedyBytes, term=bytes([ETX]))))

ENVELOPE = Struct(Const(bytes([STX])), "checked" / _checked, Terminated)
ENVELOPE_WITH_LRC = Struct(
    Const(bytes([STX])),
    "checked" / _checked,
    "lrc" / Checksum(Byte, lrc, this.checked.data),
    Terminated,
)


class Fields(Adapter):  # type: ignore[misc]  # construct is untyped
    """`RN101|G#4711|` as a list of (id, value), both bytes: ordered, repeatable, empty values kept.

    A list, not a map: a room move carries GS twice, a posting repeats its articles. Not a
    GreedyRange either: it swallows errors and slices `X|GNSmith|` into the field `X|` with the
    value `GNSmith`. A field shorter than its two-byte id keeps what it has as its id.

    Source: FIAS 2.20.24, record syntax.
    """

    def _decode(self, obj: bytes, context: Any, path: Any) -> list[tuple[bytes, bytes]]:
        return [(part[:2], part[2:]) for part in obj.split(b"|")[:-1] if part]

    def _encode(self, obj: list[tuple[bytes, bytes]], context: Any, path: Any) -> bytes:
        return b"".join(field_id + value + b"|" for field_id, value in obj)


BODY = Struct("id" / Bytes(2), Const(b"|"), "fields" / Fields(GreedyBytes))
"""`GI|RN101|G#4711|`: a two-byte id, then fields, each ended by a bar."""
