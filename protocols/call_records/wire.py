"""The columns of the two call records, in construct. The way out, and back for a reader's eye.

    0         1         2         3         4         5
    012345678901234567890123456789012345678901234567890123
    0001 HTL 03/01  7110 10:54 0002 $003.47 805-688-1000 L    costed: HOBIC, and inside Holidex

    0         1         2         3         4         5         6         7
    01234567890123456789012345678901234567890123456789012345678901234567890123456789
     08/02 14:12  00:00:24 402   9   14155550187                 T074                  raw: SMDR

There is no year, and a costed record has no seconds. Source: columns and sample of a call
accounting vendor's interface page (HOBIC); HOBIS-A for the station in five places; lines of a hotel
with an SX-200 (SMDR).
"""

from typing import Any, Final

from construct import Bytes, Const, ConstructError, Struct, Terminated

from protocols.call_records.records import CostedCall, RawCall
from protocols.columns import column
from protocols.errors import RecordError

LONGEST: Final = 120
"""Bytes; the longer of the two has 80."""

_BLANK: Final = Const(b" ")

COSTED: Final = Struct(
    "counter" / Bytes(4), _BLANK,
    "property" / column(3), _BLANK,
    "day" / Bytes(5), _BLANK,
    "station" / column(5, right=True), _BLANK,
    "at" / Bytes(5), _BLANK,
    "minutes" / Bytes(4), _BLANK,
    Const(b"$"), "amount" / Bytes(6), _BLANK,
    "dialled" / column(12), _BLANK,
    "type" / Bytes(1),
    Terminated,
)  # fmt: skip

RAW: Final = Struct(
    _BLANK,
    "day" / Bytes(5), _BLANK,
    "at" / Bytes(5), Const(b" "), _BLANK,
    "duration" / Bytes(8), _BLANK,
    "caller" / column(4), _BLANK,
    Const(b" "), "access" / column(4),
    "dialled" / column(26), Const(b"  "),
    "trunk" / column(4), Const(b" " * 15),
    Terminated,
)  # fmt: skip

_TRUNK: Final = b"T001"
"""The UCM's trunks have names and no numbers."""


def write_costed(call: CostedCall, property_: str) -> bytes:
    """The 54 bytes of a costed record."""
    return bytes(
        COSTED.build({
            "counter": b"%04d" % call.counter,
            "property": property_.encode("ascii"),
            "day": call.at.strftime("%m/%d").encode(),
            "station": call.room.encode("ascii"),
            "at": call.at.strftime("%H:%M").encode(),
            "minutes": b"%04d" % call.minutes,
            "amount": b"%03d.%02d" % divmod(call.amount, 100),
            "dialled": call.dialled.encode("ascii")[:12],
            "type": _type(call.dialled),
        })
    )  # fmt: skip


def _type(dialled: str) -> bytes:
    """L local, F abroad, a blank for all between. What a call accounting system takes from its
    tables is guessed from the digits; it is printed on the bill, and changes no amount.
    """
    if dialled.startswith(("00", "011")):
        return b"F"
    return b"L" if len(dialled) <= 7 else b" "


def write_raw(call: RawCall) -> bytes:
    """The 80 bytes of a raw record."""
    hours, rest = divmod(call.seconds, 3600)
    return bytes(
        RAW.build({
            "day": call.at.strftime("%m/%d").encode(),
            "at": call.at.strftime("%H:%M").encode(),
            "duration": b"%02d:%02d:%02d" % (hours, *divmod(rest, 60)),
            "caller": call.room.encode("ascii"),
            "access": b"",
            "dialled": call.dialled.encode("ascii")[:26],
            "trunk": _TRUNK,
        })
    )  # fmt: skip


def read_costed(body: bytes) -> dict[str, str]:
    """The columns of a costed record, without blanks. Raises RecordError."""
    return _read(COSTED, body, "a costed call record (HOBIC)")


def read_raw(body: bytes) -> dict[str, str]:
    """The columns of a raw record, without blanks. Raises RecordError."""
    return _read(RAW, body, "a raw call record (SMDR)")


def _read(columns: Any, body: bytes, what: str) -> dict[str, str]:
    try:
        found = columns.parse(body)
    except ConstructError:
        raise RecordError("grammar", body, f"not the columns of {what}") from None
    row = {
        key: value.decode("ascii", "replace").strip()
        for key, value in found.items()
        if isinstance(value, bytes)
    }
    if row["day"][2:3] != "/" or row["at"][2:3] != ":":
        raise RecordError("grammar", body, f"not the columns of {what}: no date and time")
    return row
