"""A call record as one would say it, and without what the guest has dialled. Pure."""

from typing import Final

from protocols.call_records.wire import read_costed, read_raw

_COSTED_DIALLED: Final = slice(40, 52)
_RAW_DIALLED: Final = slice(33, 59)
_SHOWN_DIGITS: Final = 4


def describe_costed(body: bytes) -> tuple[str, str]:
    """Name and meaning; the last digits are masked. Raises RecordError."""
    row = read_costed(body)
    minutes = row["minutes"].lstrip("0") or "0"
    return "CALL", (
        f"charge {row['counter']}: {row['station']} called {_masked(row['dialled'])} on"
        f" {row['day']} at {row['at']}, {minutes} min, ${row['amount']}"
    )


def describe_raw(body: bytes) -> tuple[str, str]:
    """Name and meaning; the last digits are masked. Raises RecordError."""
    row = read_raw(body)
    return "CALL", (
        f"{row['caller']} called {_masked(row['dialled'])} on {row['day']} at {row['at']},"
        f" {row['duration']}, without a price"
    )


def mask_costed(body: bytes) -> bytes:
    """The same record without what was dialled, but for its first digits."""
    return _without(body, _COSTED_DIALLED)


def mask_raw(body: bytes) -> bytes:
    """The same record without what was dialled, but for its first digits."""
    return _without(body, _RAW_DIALLED)


def _without(body: bytes, where: slice) -> bytes:
    dialled = body[where].decode("latin-1")
    return body[: where.start] + _masked(dialled).encode("latin-1") + body[where.stop :]


def _masked(dialled: str) -> str:
    shown = dialled[:_SHOWN_DIGITS]
    return shown + "".join("x" if each.isdigit() else each for each in dialled[len(shown) :])
