"""What a maid keys, and the messages that wait: of each room only the latest matters.

A value that has changed since it was last seen is said to the PMS once, unless it is the echo of
a call of our own: check-in, check-out, move and update change a room's status too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from gateway.back.kinds import MESSAGES, STATUS
from gateway.back.lane import Lane
from gateway.back.rows import PmsRooms, about_room
from gateway.clock import Clock
from gateway.drivers.legs import KeyedStatus, Mailbox
from gateway.house import Room
from gateway.store import LevelRow, PostingRow, Store, StoreWorker
from protocols.postings import MessagesWaiting, RoomStatusKeyed

NO_MAID: Final = "0000"
"""As a maid's number: she gave none. Source: the UCM's own sources."""
SAY_NOTHING: Final = "0"
"""As a status of the PMS."""
ECHO_S: Final = 2.0
"""Requests to a UCM go one after the other, so a list shows what every call before it has changed;
a call of several requests may have been half done so many seconds before."""


class LevelSource(Protocol):
    """A PBX that tells of its rooms. Both raise DriverFailed."""

    async def keyed(self) -> Sequence[KeyedStatus]:
        """The status of each room, and which maid keyed it when."""

    async def mailboxes(self) -> Sequence[Mailbox]:
        """The voice messages of each extension."""


@dataclass(slots=True)
class Levels:
    """Looks at rooms and mailboxes.

    rooms       of the house, by address
    pms_rooms   how the PMS writes them
    statuses    UCM status -> what the PMS calls it when the room is vacant, and when it is
                occupied; None: maids are not listened to
    mailboxes   whether mailboxes are looked at
    """

    source: LevelSource
    lane: Lane
    store: StoreWorker
    clock: Clock
    rooms: Callable[[], Mapping[str, Room]]
    pms_rooms: PmsRooms
    statuses: Mapping[str, tuple[str, str]] | None = None
    mailboxes: bool = False
    _seen: dict[tuple[str, str], LevelRow] | None = None
    _looked_at: float = float("-inf")

    async def look(self) -> None:
        """Say what is new. Raises DriverFailed or StorageFailed: nothing of it is stored."""
        if self._seen is None:
            rows = await self.store(Store.levels)
            self._seen = {(row.kind, row.room): row for row in rows}
        draft = _Draft()
        began = self.clock.epoch()
        if self.statuses is not None:
            for keyed in await self.source.keyed():
                await self._take_status(draft, keyed, self.statuses)
        if self.mailboxes:
            for box in await self.source.mailboxes():
                await self._take_mailbox(draft, box)
        if draft.levels:
            await self.lane.take_levels(draft.levels, draft.postings)
            self._seen |= {(row.kind, row.room): row for row in draft.levels}
        self._looked_at = began

    async def _take_status(
        self, draft: "_Draft", now: KeyedStatus, statuses: Mapping[str, tuple[str, str]]
    ) -> None:
        seen = f"{now.status}|{now.keyed}|{now.maid}"
        before = self._before(STATUS, now.room)
        if before is not None and before.seen == seen:
            return
        self._note(draft, STATUS, now.room, seen)
        if before is None or not await self._is_maids(before, now):
            return
        room = self.rooms().get(now.room)
        is_in = room is not None and bool(room.guests)
        status = statuses.get(now.status, (SAY_NOTHING, SAY_NOTHING))[is_in]
        if status == SAY_NOTHING:
            return
        maid = "" if now.maid == NO_MAID else now.maid
        said = RoomStatusKeyed(room=await self.pms_rooms.of(now.room), status=status, maid=maid)
        self._say(draft, STATUS, now.room, said)

    async def _is_maids(self, before: LevelRow, now: KeyedStatus) -> bool:
        """Not the echo of a call of ours. Where there was one meanwhile, only a maid's own number
        or minute shows that she has been there.
        """
        since = max(before.at, self._looked_at) - ECHO_S
        if not await self.store(Store.was_called, now.room, since):
            return True
        _, keyed, maid = before.seen.split("|", 2)
        return now.maid not in ("", NO_MAID) and (now.keyed, now.maid) != (keyed, maid)

    async def _take_mailbox(self, draft: "_Draft", box: Mailbox) -> None:
        room = self.rooms().get(box.extension)
        if room is None or not room.guests:
            return  # nobody is there to hear them; the next guest's mailbox begins empty
        seen = f"{room.stay}|{box.unread}|{box.read}"
        before = self._before(MESSAGES, box.extension)
        if before is not None and before.seen == seen:
            return
        self._note(draft, MESSAGES, box.extension, seen)
        is_new_stay = before is None or before.seen.split("|")[0] != str(room.stay)
        if is_new_stay and not box.unread and not box.read:
            return  # an empty mailbox of a guest who has just come
        said = MessagesWaiting(
            room=await self.pms_rooms.of(box.extension), unread=box.unread, read=box.read
        )
        self._say(draft, MESSAGES, box.extension, said)

    def _before(self, kind: str, room: str) -> LevelRow | None:
        assert self._seen is not None  # `look` has read it
        return self._seen.get((kind, room))

    def _note(self, draft: "_Draft", kind: str, room: str, seen: str) -> None:
        draft.levels.append(LevelRow(kind=kind, room=room, seen=seen, at=self.clock.epoch()))

    def _say(self, draft: "_Draft", kind: str, room: str, said: Any) -> None:
        draft.postings.append(about_room(kind, room, said, self.clock.epoch()))


@dataclass(slots=True)
class _Draft:
    """What one look comes to."""

    levels: list[LevelRow] = field(default_factory=list)
    postings: list[PostingRow] = field(default_factory=list)
