"""The UCM is away while a million records come: what that costs, and what it costs afterwards."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final

from bench.figure import Figure
from bench.peers import TcpPms, Ucm, room
from bench.program import Gateway, certificate

ROOMS: Final = 300
RECORDS: Final = 1_000_000
WARM: Final = 20_000
"""Records of the outage that come before memory is looked at: by then each room has waited, and the
cache of the store is full."""
STAYING: Final = 30
"""Guests who never leave: they change rooms, and their mailbox has to go with them."""
AT_ONCE: Final = 200
"""Records in one write of the PMS."""


def measure(scale: float) -> Iterator[Figure]:
    """A house of 300 rooms in which much happens, a UCM that sees nothing of it, and its return."""
    records = max(2 * WARM, round(RECORDS * scale))
    hotel = Hotel([room(number) for number in range(ROOMS)])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ucm, pms = Ucm(certificate(folder), rooms=ROOMS), TcpPms()
        gateway = Gateway(folder, ucm, line=f"tcp:127.0.0.1:{pms.port}")
        try:
            pms.link_up()
            pms.say(*hotel.opening())
            ucm.wait_for(len(hotel.guests))
            gateway.until_told()
            for where, guest in hotel.guests.items():
                if guest.stays:
                    ucm.rooms.leave_message(where)
            ucm.go_away()
            _say(pms, gateway, hotel, WARM, mark=1)
            before, began = gateway.resident_mb, monotonic()
            _say(pms, gateway, hotel, records - WARM, mark=2)
            took, after = monotonic() - began, gateway.resident_mb
            slowed = gateway.value("pmsgw_line_slowed_total")
            size_mb = (
                sum(each.stat().st_size for each in (folder / "data").glob("outbox.db*")) / 1e6
            )
            told = len(ucm.calls)
            ucm.come_back()
            ucm.wait_for(told + 1, within_s=300)
            gateway.until_told(within_s=300)
            calls = ucm.calls[told:]
            wrong = hotel.wrong_in(ucm)
        finally:
            gateway.stop()
            pms.close()
            ucm.close()
    of_one = Counter(call.room for call in calls).most_common(1)[0][1]
    moves = sum(call.action == "mov" for call in calls)
    since_s = (calls[-1].began_ns - calls[0].began_ns) / 1e9
    yield Figure("UCM away: records a second", (records - WARM) / took, "", note=f"{records:,} over TCP, each changes a room; held back {slowed:.0f} times by our limit of 256 KiB a second")  # fmt: skip
    yield Figure("UCM away: memory after them", after / before, "of before", 1.1, note=f"{after:.1f} beside {before:.1f} MB; the store's files have {size_mb:.1f} MB")  # fmt: skip
    yield Figure("UCM back: calls a room", len(calls) / ROOMS, "", 2, note=f"{len(calls)} for {ROOMS} rooms in {since_s:.1f} s, {moves} of them moves; at most {of_one} for one room")  # fmt: skip
    yield Figure("UCM back: rooms that do not agree", len(wrong), "", 0, note=f"guest, name and mailbox; {len(hotel.guests)} are in {', '.join(sorted(wrong)[:3])}".rstrip())  # fmt: skip


def _say(pms: TcpPms, gateway: Gateway, hotel: "Hotel", count: int, *, mark: int) -> None:
    """So many records, and wait until the last one is taken."""
    records = hotel.records()
    for first in range(0, count, AT_ONCE):
        pms.say(*islice(records, min(AT_ONCE, count - first)))
    pms.say(b"NS|")  # a night audit: it is counted, and changes no room
    gateway.until('pmsgw_records_total{direction="in",record="NS"}', mark, within_s=3600)
    pms.say(b"NE|")


@dataclass(slots=True)
class _Guest:
    """`number` and `name` as the PMS says them; `stays`: he never leaves."""

    number: int
    name: str
    stays: bool = False


class Hotel:
    """A PMS's own idea of its house, always the same one: who is where, and what it says of it."""

    def __init__(self, rooms: list[str]) -> None:
        self.guests: dict[str, _Guest] = {}
        self._rooms = rooms
        self._random = Random(7)
        self._numbers = 0

    def opening(self) -> list[bytes]:
        """Somebody moves into every other room, some of them for good."""
        said = [self._check_in(where) for where in self._rooms[::2]]
        for guest in islice(self.guests.values(), STAYING):
            guest.stays = True
        return said

    def records(self) -> Iterator[bytes]:
        """What happens next, for ever: each changes a room."""
        while True:
            where = self._random.choice(self._rooms)
            guest = self.guests.get(where)
            chance = self._random.random()
            if guest is None:
                yield self._check_in(where)
            elif chance < 0.1 and (to := self._random.choice(self._rooms)) not in self.guests:
                self.guests[to] = self.guests.pop(where)
                yield f"GC|RO{where}|RN{to}|G#{guest.number}|".encode()
            elif chance < 0.5 and not guest.stays:
                del self.guests[where]
                yield f"GO|RN{where}|G#{guest.number}|GSN|".encode()
            else:
                guest.name = f"{self._random.randrange(10**6):06}er"
                yield f"GC|RN{where}|G#{guest.number}|GN{guest.name}|".encode()

    def wrong_in(self, ucm: Ucm) -> set[str]:
        """Rooms of which the UCM shows something else."""
        wrong = set()
        for where, shown in ucm.rooms.rooms.items():
            guest = self.guests.get(where)
            want = (
                guest is not None,
                str(guest.number) if guest else "",
                guest.name if guest else "",
            )
            messages = int(guest is not None and guest.stays)
            if (shown.is_in, shown.account, shown.lastname) != want or shown.messages != messages:
                wrong.add(where)
        return wrong

    def _check_in(self, where: str) -> bytes:
        self._numbers += 1
        guest = self.guests[where] = _Guest(self._numbers, f"Berger{self._numbers}")
        return f"GI|RN{where}|G#{guest.number}|GN{guest.name}|GSN|".encode()
