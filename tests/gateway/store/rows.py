"""Rooms, batches and lines of the journal that the store is given."""

from gateway.store import (
    Batch,
    Heard,
    JournalLine,
    Refused,
)

DAY = 86_400.0
IN = '{"stay":1,"guests":[{"key":"4711","name":"Rossi"}]}'
BAD = Refused(at=1.0, reason="empty", body=b"\x00\xff", advice="look")


def heard(house=IN, record="GI|RN101|GNRossi|", at=1.0, *, background=False):
    return Heard(house=house, heard=(b"digest", at), cause=(record, at, background))


def batch(*rooms, ledger="{}", **how):
    return Batch(rooms={room: heard(**how) for room in rooms}, ledger=ledger)


def line(at, room, call="check_in", from_room=""):
    return JournalLine(
        at=at, room=room, from_room=from_room, call=call, result="0", took_s=0.25, record="GI|Rossi"
    )


def bytes_in(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
