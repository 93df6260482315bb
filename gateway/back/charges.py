"""Who pays for a call, and in which room: the guests who were there when it began, nobody else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import Enum
from typing import Any, Final

from gateway.back.calls import INBOUND, INTERNAL, NO_ROOM, ROOM, UNANSWERED, PhoneCall
from gateway.back.kinds import CALL, KINDS
from gateway.back.rows import PmsRooms
from gateway.back.states import State
from gateway.back.tariff import Price
from gateway.house import Room
from gateway.house.residents import residents
from gateway.store import CallRow, PostingRow, Store, StoreWorker
from gateway.store.text import from_json, to_json
from protocols.postings import CallCharge

POSTED: Final = "posted"
FREE: Final = "free"
LATE: Final = "late"
USES: Final = (POSTED, INTERNAL, INBOUND, UNANSWERED, NO_ROOM, FREE, LATE)
"""What a call is; each is one of these when the UCM tells of it."""
LATE_CHARGE: Final = "late_charge"
NO_RATE: Final = "no_rate"
NO_DIGITS: Final = "no_digits"

Pricing = Callable[[str, datetime, int, str], Price]
"""Digits, beginning in hotel time, seconds, trunk."""


class Late(Enum):
    """What becomes of a call of a guest who is not in its room any more."""

    PARK = "park"
    NEW_ROOM = "new_room"  # he only moved: he pays where he is


@dataclass(slots=True)
class Charges:
    """Makes postings of calls, and says where each may go.

    rooms       of the house, by address
    pms_rooms   how the PMS writes them
    zone        the hotel's: DA and TI are its time
    pricing     what a call costs by our own tariff; None: the PMS prices it
    """

    store: StoreWorker
    rooms: Callable[[], Mapping[str, Room]]
    pms_rooms: PmsRooms
    zone: tzinfo
    outlet: str = ""
    late: Late = Late.PARK
    pricing: Pricing | None = None

    async def of(self, call: PhoneCall) -> tuple[CallRow, PostingRow | None]:
        """A call as it is stored, and its posting, if it is charged. Raises StorageFailed."""
        began = datetime.fromtimestamp(call.began, self.zone).replace(tzinfo=None, microsecond=0)
        price = None
        if call.use == ROOM and self.pricing is not None:
            price = self.pricing(call.digits, began, call.talk_s, call.trunk)
        row = CallRow(
            key=call.key,
            began=call.began,
            ended=call.ended,
            room=call.room,
            use=_use(call, price),
            digits=call.digits,
            talk_s=call.talk_s,
            amount=None if price is None else price.amount,
        )
        if row.use != POSTED:
            return row, None
        there = await self.store(Store.residents, call.room, call.began)
        charge = CallCharge(
            room=there[0].pms_room if there else await self.pms_rooms.of(call.room),
            at=began,
            digits=call.digits,
            duration_s=call.talk_s,
            amount=row.amount,
            outlet=self.outlet,
        )
        posting = PostingRow(
            kind=CALL,
            cause=call.key,
            room=call.room,
            body=to_json(charge),
            guests=tuple(each.guest for each in there),
            state=State.WAITING.value,
            at=call.ended,
        )
        posting, why = await self.place(posting)
        if why:
            row = replace(row, use=LATE)
        elif price is not None and price.amount is None:
            why = f"{NO_RATE}: {price.why}"
        elif price is None and not any(each in "0123456789" for each in call.digits):
            why = f"{NO_DIGITS}: the UCM does not say what was dialled, so the PMS cannot price it"
        if why:
            posting = replace(posting, state=State.HELD.value, reason=why)
        return row, posting

    async def place(self, row: PostingRow) -> tuple[PostingRow, str]:
        """Where a posting goes now: itself, or to another room; and why it must not be sent, empty:
        it may be. Raises StorageFailed.
        """
        if not row.guests:
            why = "nobody was known to be in the room then"
            return row, f"{LATE_CHARGE}: {why}"
        here = self.rooms().get(row.room)
        if here is not None and residents(here) & set(row.guests):
            return row, ""
        moved = [
            number for number, room in self.rooms().items() if residents(room) & set(row.guests)
        ]
        if moved and self.late is Late.NEW_ROOM:
            said: Any = from_json(KINDS[row.kind].said, row.body)
            charge = replace(said, room=await self.pms_rooms.of(moved[0]))
            return replace(row, room=moved[0], body=to_json(charge)), ""
        where = "is in another room now" if moved else "has left the house"
        return row, f"{LATE_CHARGE}: the guest who has to pay {where}"


def _use(call: PhoneCall, price: Price | None) -> str:
    if call.use != ROOM:
        return call.use
    return FREE if price is not None and price.amount == 0 else POSTED
