"""Posting to record: what fits into the columns, and what does not. Pure."""

from typing import Final

from protocols.call_records.records import CostedCall, RawCall
from protocols.errors import CannotBeSaid
from protocols.postings import CHARGE, CallCharge, Posting

CAN_SAY: Final = frozenset({CHARGE})
"""Calls, and nothing else; what is on the minibar is no call."""
_LARGEST_COUNTER: Final = 9999
MOST_CENTS: Final = 999_99
_MOST_MINUTES: Final = 9999
_STATION_PLACES: Final = 5
_CALLER_PLACES: Final = 4


def costed_record_of(posting: Posting, number: int) -> CostedCall:
    """With its price, in minutes that were begun. Raises CannotBeSaid."""
    call = _call(posting, _STATION_PLACES)
    if call.amount is None:
        raise CannotBeSaid("no_price", "a costed record needs a price, and this call has none")
    if call.amount > MOST_CENTS:
        raise CannotBeSaid("too_dear", "its price is above 999.99, which the column does not hold")
    minutes = min(-(-call.duration_s // 60), _MOST_MINUTES)
    return CostedCall(
        counter=(number - 1) % _LARGEST_COUNTER + 1,
        room=call.room,
        at=call.at,
        minutes=minutes,
        amount=call.amount,
        dialled=_digits(call),
    )


def raw_record_of(posting: Posting, number: int) -> RawCall:  # noqa: ARG001  # as every dialect's
    """Without a price. Raises CannotBeSaid."""
    call = _call(posting, _CALLER_PLACES)
    return RawCall(room=call.room, at=call.at, seconds=call.duration_s, dialled=_digits(call))


def _call(posting: Posting, places: int) -> CallCharge:
    if not isinstance(posting, CallCharge):
        raise CannotBeSaid("no_word", "a charge port takes calls, and nothing else")
    if len(posting.room) > places or not posting.room.isascii():
        raise CannotBeSaid("room_too_long", f"the room has to fit into {places} places")
    return posting


def _digits(call: CallCharge) -> str:
    return "".join(each for each in call.digits if each in "0123456789*#")
