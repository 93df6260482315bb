"""The two call records, as values.

Source: columns and sample of a call accounting vendor's interface page; lines of a hotel with an
SX-200.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class CostedCall:
    """A call with its price.

    counter     1..9999
    amount      cents, up to MOST_CENTS
    dialled     digits; the column shows the first twelve
    """

    record_id: ClassVar[str] = "CALL"
    counter: int
    room: str
    at: datetime
    minutes: int
    amount: int
    dialled: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCall:
    """A call without a price: who hears of it prices it."""

    record_id: ClassVar[str] = "CALL"
    room: str
    at: datetime
    seconds: int
    dialled: str
