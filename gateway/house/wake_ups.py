"""Wake-ups: a UCM keeps one per room, a PMS may order several. Which one is next is asked of the
moment, never stored: a clock that jumps and comes back has lost nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from gateway.house.book import Book
from gateway.house.values import Remark

RUNG_AFTER: Final = timedelta(seconds=20)
"""A UCM calls at the full minute: soon after it the next one may be told, and must be, because it
may be the next minute's."""

RINGS_FOR: Final = timedelta(minutes=5)
"""A UCM that is not answered may try again for so long, and telling it another wake-up of the room
may end that: its one record is overwritten."""

TOLD_BEFORE: Final = timedelta(minutes=2)
"""A wake-up is told so long before its moment at the latest, whatever still rings: a UCM may miss
one that it hears of in its own minute."""

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


def rings_until(wake_ups: Sequence[datetime], wall: datetime) -> datetime | None:
    """Until when the PBX may be ringing the one that rang last, so that the next one is not told
    yet; None: none has rung.
    """
    rung = [minute(each) for each in wake_ups if has_rung(each, wall)]
    if not rung:
        return None
    following = next_of(wake_ups, wall)
    until = max(rung) + RINGS_FOR
    return until if following is None else min(until, following - TOLD_BEFORE)


def _to_be_told(wake_ups: Sequence[datetime], wall: datetime) -> tuple[datetime | None, bool]:
    """The next one, and whether another may still be ringing."""
    until = rings_until(wake_ups, wall)
    return next_of(wake_ups, wall), until is not None and wall < until


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
        """The wake-ups that must have rung between these moments: room, and the moment as it was
        ordered.

        Rooms in which another one is to be told by now count as touched, so that `plan` tells the
        UCM of it; also behind a clock that has jumped back.
        """
        self._book.touched.update(
            number
            for number in self._book.called
            if _to_be_told(self._book.rooms[number].wake_ups, since)
            != _to_be_told(self._book.rooms[number].wake_ups, wall)
        )
        return [
            (number, each)
            for number in self._book.called
            for each in self._book.rooms[number].wake_ups
            if has_rung(each, wall) and not has_rung(each, since)
        ]

    def deadlines(self, zone: tzinfo, since: datetime) -> list[datetime]:
        """When `ring` has something to do; `since`: when it was asked last."""
        due = []
        for number in self._book.called:
            wake_ups = self._book.rooms[number].wake_ups
            following, until = next_of(wake_ups, since), rings_until(wake_ups, since)
            if following is not None:
                due.append((following + RUNG_AFTER).replace(tzinfo=zone))
            if until is not None and until > since:
                due.append(until.replace(tzinfo=zone))
        return due


def _shown(at: datetime, zone: tzinfo | None) -> datetime:
    """This moment of the hotel's clock; one that the clock leaves out: the next that it shows."""
    while at.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != at:
        at = minute(at) + timedelta(minutes=1)
    return at


def _comes_again(at: datetime, now: datetime) -> bool:
    """The clock will be set back, and show this moment once more."""
    return minute(at).replace(tzinfo=now.tzinfo, fold=1).astimezone(UTC) > now.astimezone(UTC)
