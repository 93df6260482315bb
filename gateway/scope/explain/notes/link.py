"""Notes on the link: who said LS, LA and LE, who waits for whom, whose clock is right."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Final

from gateway.scope.decode import LINK_RECORDS
from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Frames, Link, Sight
from gateway.scope.rows import Row
from protocols.fias.controls import ACCEPT_WITHIN_S
from protocols.fias.records import Record

LOOP_S: Final = 5.0
"""Two LA of one side so close together answer each other."""

RESYNC_BEGINS_S: Final = 300.0
RESYNC_ENDS_S: Final = 1800.0
STAMP_S: Final = 60.0
"""How long our own DA and TI are good to compare with: both sides say theirs at the start."""

CLOCK_OFF_S: Final = 180.0

_CURED_BY_LA: Final = (Mark.NOT_ACCEPTED, Mark.EARLY_DATA, Mark.CHECK_UNANSWERED, Mark.STARTED)
_GUESTS: Final = frozenset({"GI", "GO", "GC"})


def note_link(sight: Sight, row: Row, record: Record) -> None:
    """What this record says of the link."""
    said = _BY_PMS if row.from_pms else _BY_US
    if record.record_id in said:
        said[record.record_id](sight, row)
    _note_stamp(sight, row, record)
    if row.from_pms and record.record_id not in LINK_RECORDS:
        if sight.link.up_since is None and sight.link.is_known:
            sight.note(Mark.EARLY_DATA, row)
        sight.link.has_guests |= record.record_id in _GUESTS


def note_lost(sight: Sight) -> None:
    """The line has opened or closed: neither side owes an answer."""
    if sight.link.resync_at is not None:
        sight.note(Mark.RESYNC_UNENDED)
    sight.link = Link(is_known=True, clock_off_s=sight.link.clock_off_s)
    sight.frames = Frames()


def note_late(sight: Sight) -> None:
    """What has been waited for for too long by now."""
    link, now = sight.link, sight.now
    if _is_over(link.described_at, now, ACCEPT_WITHIN_S):
        _not_accepted(sight)
        link.up_since = None
    if _is_over(link.checked_at, now, ACCEPT_WITHIN_S):
        sight.note(Mark.CHECK_UNANSWERED)
        link.checked_at = link.up_since = None
    if _is_over(link.resync_asked_at, now, RESYNC_BEGINS_S):
        sight.note(Mark.RESYNC_IGNORED)
        link.resync_asked_at = None
    if _is_over(link.resync_at, now, RESYNC_ENDS_S):
        sight.note(Mark.RESYNC_UNENDED)
        link.resync_at = None


def _is_over(since: float | None, now: float, patience_s: float) -> bool:
    return since is not None and now - since >= patience_s


def _not_accepted(sight: Sight) -> None:
    if sight.link.described_at is not None:
        sight.note(Mark.NOT_ACCEPTED)
    sight.link.described_at = None


def _pms_starts(sight: Sight, row: Row) -> None:
    _not_accepted(sight)
    sight.note(Mark.PMS_LS, row)
    sight.note(Mark.STARTED, row)
    link = sight.link
    if link.resync_at is not None:
        sight.note(Mark.RESYNC_UNENDED, row)
    link.is_known = True
    link.calls, link.is_describing = 0, False
    link.checked_at = link.ended_at = link.resync_at = link.la_at = None


def _pms_is_alive(sight: Sight, row: Row) -> None:
    sight.note(Mark.PMS_LA, row)
    link, now = sight.link, sight.now
    if link.la_at is not None and now - link.la_at <= LOOP_S:
        sight.note(Mark.LA_LOOP, row)
    link.la_at, link.calls = now, 0
    sight.tally.forget(_CURED_BY_LA)
    link.described_at = link.checked_at = None
    if link.up_since is None and link.ended_at is None:
        link.up_since, link.has_guests = now, False


def _pms_leaves(sight: Sight, row: Row) -> None:
    sight.note(Mark.PMS_LE, row)
    sight.link.is_known = True
    sight.link.up_since, sight.link.ended_at = None, sight.now


def _pms_describes(sight: Sight, row: Row) -> None:
    sight.note(Mark.PMS_DESCRIPTION, row)


def _resync_begins(sight: Sight, row: Row) -> None:
    if sight.link.resync_at is not None:
        sight.note(Mark.RESYNC_UNENDED, row)
    sight.link.resync_at, sight.link.resync_asked_at = sight.now, None


def _resync_ends(sight: Sight, _: Row) -> None:
    sight.link.resync_at = None


def _we_call(sight: Sight, row: Row) -> None:
    sight.note(Mark.OUR_LS, row)
    link = sight.link
    link.is_known = True
    link.calls += 1
    if link.up_since is not None and link.checked_at is None:
        link.checked_at = sight.now


def _we_describe(sight: Sight, row: Row) -> None:
    sight.note(Mark.OUR_DESCRIPTION, row)
    sight.tally.forget([Mark.STARTED])
    sight.link.is_describing = True


def _we_are_alive(sight: Sight, _: Row) -> None:
    if sight.link.is_describing and sight.link.la_at is None:  # else its LA was there before ours
        sight.link.described_at = sight.now
    sight.link.is_describing = False


def _we_leave(sight: Sight, _: Row) -> None:
    before = sight.link
    sight.link = Link(is_known=True, ended_at=before.ended_at, clock_off_s=before.clock_off_s)


def _we_ask(sight: Sight, row: Row) -> None:
    sight.note(Mark.RESYNC_ASKED, row)
    sight.link.resync_asked_at = sight.now


_Said = dict[str, Callable[[Sight, Row], None]]
_BY_PMS: Final[_Said] = {
    "LS": _pms_starts,
    "LA": _pms_is_alive,
    "LE": _pms_leaves,
    "LD": _pms_describes,
    "LR": _pms_describes,
    "DS": _resync_begins,
    "DE": _resync_ends,
}
_BY_US: Final[_Said] = {
    "LS": _we_call,
    "LD": _we_describe,
    "LA": _we_are_alive,
    "LE": _we_leave,
    "DR": _we_ask,
}


def _note_stamp(sight: Sight, row: Row, record: Record) -> None:
    stamp = _stamp_of(record)
    if stamp is None or record.record_id not in ("LS", "LA", "LD"):
        return
    link = sight.link
    if not row.from_pms:
        link.our_stamp, link.our_stamp_at = stamp, sight.now
    elif link.our_stamp is not None and sight.now - link.our_stamp_at <= STAMP_S:
        off_s = (stamp - link.our_stamp).total_seconds() - (sight.now - link.our_stamp_at)
        if abs(off_s) >= CLOCK_OFF_S:
            link.clock_off_s = off_s
            sight.note(Mark.CLOCK_OFF, row)
        else:
            sight.tally.forget([Mark.CLOCK_OFF])


def _stamp_of(record: Record) -> datetime | None:
    day, at = getattr(record, "day", None), getattr(record, "at", None)
    if isinstance(day, date) and isinstance(at, time):
        return datetime.combine(day, at)
    return None
