"""The columns of the messages, in construct. The way in and the way out.

    0         1         2         3
    0123456789012345678901234567890
    CHK1 101                          function, status and a blank, room in five places
    NAM1 TEST,GUEST             101   name in 21 places
    WKP0630  101                      time of day
    MW 1  101                         lamp

Rooms stand on either side of their places, and blanks may be missing: a text of nine bytes is one
of ten. Source: SX-200 handbook (example `MW 1 2129`), captures of two hotels.
"""

from typing import Final

from construct import Bytes, Const, GreedyBytes, Optional, Struct, Terminated

from protocols.columns import Padded, column

ROOM_BYTES: Final = 5
NAME_BYTES: Final = 21
TEXT_BYTES: Final = 10


_BLANK: Final = Optional(Const(b" "))
_ROOM: Final = Padded(GreedyBytes, ROOM_BYTES)

STATUS: Final = Struct(
    "function" / Bytes(3), "status" / Bytes(1), _BLANK, "room" / _ROOM, Terminated
)
"""CHK, RST, STS."""

LAMP: Final = Struct(
    "function" / Const(b"MW"), _BLANK, "status" / Bytes(1), _BLANK, "room" / _ROOM, Terminated
)

WAKE_UP: Final = Struct("function" / Const(b"WKP"), "at" / Bytes(4), "room" / _ROOM, Terminated)

NAME: Final = Struct(
    "function" / Const(b"NAM"),
    "naming" / Bytes(1),
    _BLANK,
    "name" / column(NAME_BYTES),
    "room" / _ROOM,
    Terminated,
)
"""The name in its places, the room behind it."""

ROOM_FIRST: Final = Struct(
    "function" / Const(b"NAM"),
    "naming" / Bytes(1),
    _BLANK,
    "room" / column(ROOM_BYTES),
    _BLANK,
    "name" / Padded(GreedyBytes, 0),
    Terminated,
)
"""Some PMSs write the room in front of the name: a setting of the site, for both have digits."""

BARE: Final = Padded(GreedyBytes, TEXT_BYTES)
"""GRS, END, AREYUTHERE, RQINZ: a word, and blanks up to ten bytes."""
