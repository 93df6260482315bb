"""Rows of postings that are about a room, whoever is in it, and how the PMS writes the room."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.back.states import State
from gateway.store import PostingRow, Store, StoreWorker
from gateway.store.text import to_json
from protocols.postings import Posting


@dataclass(frozen=True, slots=True)
class PmsRooms:
    """From the UCM's rooms to the PMS's.

    spelled     how the PMS writes a room of which it has never spoken
    """

    store: StoreWorker
    spelled: Callable[[str], str]

    async def of(self, room: str) -> str:
        """As the PMS last wrote it. Raises StorageFailed."""
        last = await self.store(Store.pms_room, room)
        return self.spelled(room) if last is None else last


def about_room(kind: str, room: str, said: Posting, at: float, *, cause: str = "") -> PostingRow:
    """A posting that waits. `cause`: what is said of it once only; empty: this moment."""
    return PostingRow(
        kind=kind,
        cause=f"{kind}/{room}/{cause or at}",
        room=room,
        body=to_json(said),
        state=State.WAITING.value,
        at=at,
        is_forced=True,
    )
