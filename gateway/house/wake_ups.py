"""Wake-ups: a UCM keeps one per room, a PMS may order several; the next one is told in time."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

from gateway.events import WakeUp
from gateway.house.book import Book
from gateway.house.display import Display
from gateway.house.values import Remark, Room

RUNG_AFTER: Final = timedelta(seconds=20)
"""A UCM keeps one wake-up per room and calls at the full minute: soon after it the next one may
be told, and must be, because it may be the next minute's."""


@dataclass(slots=True)
class WakeUps:
    """The orders of all rooms. Moments are hotel time without a zone."""

    _book: Book
    _display: Display

    def order(self, number: str, at: datetime, wall: datetime) -> None:
        """Call the room at this moment; told at once if none comes earlier."""
        room = self._missed(self._book.room(number), wall)
        pending = {each for each in room.wake_ups if each + RUNG_AFTER > wall}
        if pending and at + RUNG_AFTER <= wall:
            self._display.remarks.append(Remark.WAKE_UP_PAST)
            return
        wake_ups = tuple(sorted({*pending, at}))
        following = wake_ups[0]
        if following == at or following != room.told:
            self._display.events.append(WakeUp(room=number, at=following))
        # Else the PBX knows an earlier one; this one is told when that has rung.
        self._book.put(number, replace(room, wake_ups=wake_ups, told=following))

    def clear(self, number: str, at: datetime | None, wall: datetime) -> None:
        """Do not call the room at this moment; None: not at all."""
        room = self._book.room(number)
        if at is None:
            self._book.put(number, replace(room, wake_ups=(), told=None))
            self._display.events.append(WakeUp(room=number))
        elif at == room.told:
            self._next(number, room, wall, cancel=True)
        elif at in room.wake_ups:
            kept = tuple(each for each in room.wake_ups if each != at)
            self._book.put(number, replace(room, wake_ups=kept))
        else:
            self._display.remarks.append(Remark.WAKE_UP_UNKNOWN)
            if room.told is None or room.told + RUNG_AFTER <= wall:
                self._display.events.append(
                    WakeUp(room=number)
                )  # the PBX may know it from before us

    def ring(self, wall: datetime) -> None:
        """Tell the next wake-up of every room whose last one has rung."""
        for number in tuple(self._book.crowded):
            room = self._book.rooms[number]
            if room.told is not None and room.told + RUNG_AFTER <= wall:
                self._next(number, room, wall)

    def follow(self, number: str, wall: datetime) -> None:
        """Somebody has come: tell the next wake-up of his room unless the PBX knows it."""
        room = self._book.room(number)
        following = next((each for each in room.wake_ups if each + RUNG_AFTER > wall), None)
        if following is not None and following != room.told:
            self._book.put(number, replace(room, told=following))
            self._display.events.append(WakeUp(room=number, at=following))

    def deadlines(self, zone: tzinfo) -> list[datetime]:
        """When `ring` has something to do."""
        told = (self._book.rooms[number].told for number in self._book.crowded)
        return [(each + RUNG_AFTER).replace(tzinfo=zone) for each in told if each is not None]

    def _missed(self, room: Room, wall: datetime) -> Room:
        """Count the wake-ups whose moment passed while nobody could tell the PBX of them."""
        missed = [each for each in room.wake_ups if each != room.told and each + RUNG_AFTER <= wall]
        self._display.remarks += [Remark.WAKE_UP_MISSED] * len(missed)
        return replace(room, wake_ups=tuple(each for each in room.wake_ups if each not in missed))

    def _next(self, number: str, room: Room, wall: datetime, *, cancel: bool = False) -> None:
        room = self._missed(room, wall)
        left = tuple(each for each in room.wake_ups if each != room.told)
        following = left[0] if left else None
        self._book.put(number, replace(room, wake_ups=left, told=following))
        if following is not None or cancel:
            self._display.events.append(WakeUp(room=number, at=following))
