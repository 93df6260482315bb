"""Wake-ups: a UCM keeps one per room, a PMS may order several. Which one is next is asked of the
moment, never stored: a clock that jumps and comes back has lost nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from gateway.house.book import Book
from gateway.house.values import Remark

RUNG_AFTER: Final = timedelta(seconds=20)
"""A UCM calls at the full minute: soon after it the next one may be told, and must be, because it
may be the next minute's."""

MAX_WAKE_UPS: Final = 64
"""Kept for a room, those that have rung among them: a clock that was ahead has lost none."""


def minute(at: datetime) -> datetime:
    """The minute of a wake-up: all that a UCM keeps of it."""
    return at.replace(second=0, microsecond=0)


def has_rung(at: datetime, wall: datetime) -> bool:
    """The PBX must have called by now, or never will."""
    return minute(at) + RUNG_AFTER <= wall


def next_of(wake_ups: Iterable[datetime], wall: datetime) -> datetime | None:
    """The minute of the next one to ring; None: none is to come."""
    return next((minute(each) for each in wake_ups if not has_rung(each, wall)), None)


@dataclass(slots=True)
class WakeUps:
    """The orders of all rooms. Moments are hotel time without a zone."""

    _book: Book

    def order(self, number: str, at: datetime, now: datetime) -> None:
        """Call the room at this moment; `now` is aware, in the hotel's zone.

        In the hour that comes twice, the one that is still to come is meant. In the hour that is
        left out, the first minute behind it.
        """
        at, wall = _shown(at, now.tzinfo), now.replace(tzinfo=None)
        if has_rung(at, wall) and not _comes_again(at, now):
            self._book.remarks.append(Remark.WAKE_UP_PAST)
            return
        room = self._book.room(number)
        others = (each for each in room.wake_ups if minute(each) != minute(at))
        wake_ups = tuple(sorted({*others, at}))[-MAX_WAKE_UPS:]
        said = room.wake_up_said
        if minute(at) == next_of(wake_ups, wall):  # else it is told when an earlier one has rung
            said += 1
        self._book.put(number, replace(room, wake_ups=wake_ups, wake_up_said=said))

    def clear(self, number: str, at: datetime | None, now: datetime) -> None:
        """Do not call the room in this minute; None: not at all."""
        room, wall = self._book.room(number), now.replace(tzinfo=None)
        at = None if at is None else _shown(at, now.tzinfo)
        kept = tuple(
            each for each in room.wake_ups if at is not None and minute(each) != minute(at)
        )
        said = room.wake_up_said
        if at is None:
            said += 1
        elif kept == room.wake_ups:
            self._book.remarks.append(Remark.WAKE_UP_UNKNOWN)
            said += next_of(kept, wall) is None  # the PBX may know it from before us
        self._book.put(number, replace(room, wake_ups=kept, wake_up_said=said))

    def ring(self, since: datetime, wall: datetime) -> list[tuple[str, datetime]]:
        """The wake-ups that must have rung between these moments: room and minute.

        Rooms in which another one is the next by now count as touched, so that `plan` tells the
        UCM of it; also behind a clock that has jumped back.
        """
        self._book.touched.update(
            number
            for number in self._book.called
            if next_of(self._book.rooms[number].wake_ups, since)
            != next_of(self._book.rooms[number].wake_ups, wall)
        )
        return [
            (number, minute(each))
            for number in self._book.called
            for each in self._book.rooms[number].wake_ups
            if has_rung(each, wall) and not has_rung(each, since)
        ]

    def deadlines(self, zone: tzinfo, since: datetime) -> list[datetime]:
        """When `ring` has something to do; `since`: when it was asked last."""
        following = (
            next_of(self._book.rooms[number].wake_ups, since) for number in self._book.called
        )
        return [(each + RUNG_AFTER).replace(tzinfo=zone) for each in following if each is not None]


def _shown(at: datetime, zone: tzinfo | None) -> datetime:
    """This moment of the hotel's clock; one that the clock leaves out: the next that it shows."""
    while at.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != at:
        at = minute(at) + timedelta(minutes=1)
    return at


def _comes_again(at: datetime, now: datetime) -> bool:
    """The clock will be set back, and show this moment once more."""
    return minute(at).replace(tzinfo=now.tzinfo, fold=1).astimezone(UTC) > now.astimezone(UTC)
