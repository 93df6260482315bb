"""Text in fixed columns, for messages without separators."""

from typing import Any

from construct import Adapter, Bytes


class Padded(Adapter):  # type: ignore[misc]  # construct is untyped
    """Text among blanks; written into `width` places, on the left of them or on the right."""

    def __init__(self, subcon: Any, width: int, *, right: bool = False) -> None:
        super().__init__(subcon)
        self.width = width
        self.right = right

    def _decode(self, obj: bytes, context: Any, path: Any) -> bytes:
        return obj.strip(b" ")

    def _encode(self, obj: bytes, context: Any, path: Any) -> bytes:
        return obj.rjust(self.width) if self.right else obj.ljust(self.width)


def column(width: int, *, right: bool = False) -> Padded:
    """Exactly so many places."""
    return Padded(Bytes(width), width, right=right)
