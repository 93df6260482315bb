"""From the legs of the UCM's list to telephone calls, and who pays for each. Pure.

What costs money is a channel of a trunk: what the UCM lists of it several times (the call and its
parts) is one, whatever it was forwarded or transferred to. Everything else is counted and listed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from gateway.drivers.legs import Leg

ROOM: Final = "room"
"""Out of a room over a trunk, answered: it is to be charged."""
INTERNAL: Final = "internal"
INBOUND: Final = "inbound"
UNANSWERED: Final = "unanswered"
NO_ROOM: Final = "no_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCall:
    """One call.

    key         for ever the same, however often and with however many legs the UCM lists it
    use         one of the words above
    room        the extension that pays; empty: none of a room
    """

    key: str
    use: str
    room: str
    began: float
    ended: float
    talk_s: int
    digits: str
    trunk: str = ""


def calls_in(legs: Iterable[Leg], is_room: Callable[[str], bool]) -> list[PhoneCall]:
    """The calls that these legs are parts of, in the order of their beginnings.

    is_room     whether an extension is the phone of a room
    """
    sessions: dict[str, list[Leg]] = defaultdict(list)
    for leg in legs:
        sessions[leg.session].append(leg)
    found = [
        call
        for session in sessions.values()
        for call in _calls(sorted(session, key=lambda leg: leg.began), is_room)
    ]
    return sorted(found, key=lambda call: (call.began, call.key))


def _calls(session: list[Leg], is_room: Callable[[str], bool]) -> list[PhoneCall]:
    trunks: dict[str, list[Leg]] = defaultdict(list)
    for leg in session:
        if _is_outside(leg) and leg.talk_s > 0:
            trunks[leg.channel_out or leg.key].append(leg)
    if not trunks:
        return [_not_charged(session, is_room)]
    return [_charged(session, legs, is_room) for legs in trunks.values()]


def _is_outside(leg: Leg) -> bool:
    return bool(leg.trunk_out) or (leg.is_outgoing and not leg.trunk_in)


def _charged(session: list[Leg], legs: list[Leg], is_room: Callable[[str], bool]) -> PhoneCall:
    """One channel of a trunk: from the first answer to the last end, paid by whom it began with."""
    first = legs[0]
    answered = min(leg.ended - leg.talk_s for leg in legs)
    ended = max(leg.ended for leg in legs)
    payer = _payer(session[0], legs)
    return PhoneCall(
        key=f"{first.session}/{first.channel_out or first.key}",
        use=ROOM if is_room(payer) else NO_ROOM,
        room=payer if is_room(payer) else "",
        began=min(leg.began for leg in legs),
        ended=ended,
        talk_s=round(ended - answered),
        digits=first.dialled,
        trunk=first.trunk_out,
    )


def _payer(begin: Leg, legs: list[Leg]) -> str:
    """Who began the session; of a call from outside, who forwarded it to the outside again."""
    if not begin.trunk_in:
        return begin.extension
    return next((leg.owner for leg in legs if leg.owner), begin.dialled)


def _not_charged(session: list[Leg], is_room: Callable[[str], bool]) -> PhoneCall:
    begin = session[0]
    use = INTERNAL
    if begin.trunk_in:
        use = INBOUND
    elif not any(leg.talk_s for leg in session):
        use = UNANSWERED
    return PhoneCall(
        key=begin.session,
        use=use,
        room=begin.extension if is_room(begin.extension) else "",
        began=begin.began,
        ended=max(leg.ended for leg in session),
        talk_s=max(leg.talk_s for leg in session),
        digits=begin.dialled,
    )
