"""A line that is never silent, at the pace of its speed."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from bench.peers import Pms, room

SLOW_BAUD: Final = 9600
FAST_BAUD: Final = 115_200
ROOMS: Final = 50

Records = Callable[[int], str]
"""The body of the record with this number."""


def talk(pms: Pms, baud: int, seconds: float, records: Records) -> list[float]:
    """Say one record after the other, each when the one before it was answered and its bytes would
    have left. Returns the milliseconds from each record's last byte to its ACK.
    """
    due = began = monotonic()
    acks: list[float] = []
    while monotonic() - began < seconds:
        body = records(len(acks)).encode()
        due += (len(body) + 4) * 10 / baud
        pms.rest(max(0.0, due - monotonic()))
        said, answered = pms.talk(body)
        acks.append((answered - said) / 1e6)
    return acks


def nothing_new(number: int) -> str:
    """As in a resync in which nobody has come or gone."""
    where = room(ROOMS + number % ROOMS)
    # Another workstation each time: the same text again would be taken for a repeat.
    return f"GI|RN{where}|G#{where}|GNBerger|GFAnna|GLEN|GA261120|GD261125|GSN|WS{number}|"


def each_a_call(number: int) -> str:
    """As at a desk at which somebody comes or goes all the time."""
    where = room(number // 2 % ROOMS)
    guest = "G#4711|GNBerger|GFAnna|GLEN|GA261120|GD261125|GSN|CS1|"
    return f"GO|RN{where}|G#4711|GSN|" if number % 2 else f"GI|RN{where}|{guest}"


def move_in(pms: Pms) -> None:
    """Everybody of whom `nothing_new` will speak."""
    for number in range(ROOMS):
        pms.talk(nothing_new(number).encode())
