"""What the last service left on disk, for a start and for an operator without a service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.house import Ledger, Room
from gateway.logs import logger
from gateway.store import Kept, PostingRow, RoomRow, StorageCorrupt, Store
from gateway.store.text import from_json
from gateway.store.worker import CORRUPT_ADVICE


@dataclass(frozen=True, slots=True)
class Start:
    """What the last service left on disk. `is_anew`: nothing, its file was damaged."""

    store: Store
    rooms: dict[str, Room]
    ledger: Ledger
    rows: Sequence[RoomRow]
    writes: int
    is_anew: bool
    postings: Sequence[PostingRow] = ()

    @property
    def heard(self) -> dict[str, tuple[bytes, float]]:
        """The last record of each room."""
        return {row.room: row.heard for row in self.rows if row.heard is not None}


def begin(open_store: Callable[[], Store], set_aside: Callable[[], str]) -> Start:
    """Open the store and read what is in it; a damaged one makes way. Raises StorageFailed."""
    for is_new in (False, True):
        try:
            store = open_store()
            is_anew = is_new or store.lacks_its_house()
            kept = store.load()
            rooms, ledger = house_of(kept)
            rows, postings = tuple(kept.rooms.values()), tuple(store.open_postings())
            return Start(store, rooms, ledger, rows, kept.writes, is_anew, postings)
        except StorageCorrupt as error:
            if is_new:
                raise
            aside = set_aside()
            logger().error("store_corrupt", error=str(error), kept_as=aside, do=CORRUPT_ADVICE)
    raise AssertionError("the second turn returns or raises")


def house_of(kept: Kept) -> tuple[dict[str, Room], Ledger]:
    """The house as of the last commit.

    Raises StorageCorrupt when the ledger cannot be understood. A room that cannot is told and
    left out: the next resync, or a record of it, brings it back.
    """
    rooms = {}
    for number, row in kept.rooms.items():
        try:
            if row.house:
                rooms[number] = from_json(Room, row.house)
        except ValueError:
            do = "ask the PMS for a resync; report it if it comes again"
            logger().error("room_not_understood", room=number, do=do)
    try:
        return rooms, from_json(Ledger, kept.ledger) if kept.ledger else Ledger()
    except ValueError as error:
        raise StorageCorrupt("the store is damaged: no house in it") from error
