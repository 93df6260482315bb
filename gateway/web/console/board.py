"""The board of rooms, the outbox and the calls of the last hours, as the pages show them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from types import MappingProxyType
from typing import Final

from gateway.house import Guest, Room
from gateway.pipeline.look import Drift
from gateway.pipeline.phones import PhoneView
from gateway.pipeline.step import DROPPED, PARKED, TOLD, WAITING, RoomView
from gateway.store import JournalLine
from gateway.web import words
from gateway.web.words import Told
from protocols.fias import mask_body

LONG_S: Final = 60.0
"""A room that has waited so long is a fault that a guest may notice."""

_SAID: Final = {"in": ("in", "occupied"), "out": ("out", "vacant"), "unknown": ("unknown",)}
STATES: Final = (
    *(word for words in _SAID.values() for word in words), WAITING, PARKED, DROPPED, "differs",
)  # fmt: skip
"""Words of the search that are about a room's state, not about a guest."""

_WORD: Final = re.compile(r"\w+")

DIFFERS: Final = {
    "in": "the UCM still shows a guest, the PMS says that nobody is in",
    "out": "the UCM shows nobody in this room",
    "stranger": "the UCM shows somebody else",
    "details": "the UCM shows the guest, but otherwise",
    "unlisted": "the UCM does not have this room: add it there, or map it under [rooms]",
    "unnamed": "the UCM shows a guest of whom the PMS never spoke: left alone",
}
"""Each kind of drift in words."""

_NO_RECORDS: Final = {"(clock)": "by the clock", "(end of the link)": "the link ended"}
_TAGS: Final = {
    "account": "guest number",
    "firstname": "first name",
    "lastname": "last name",
    "vipcode": "VIP",
    "datein": "arrival",
    "dateout": "departure",
    "cos": "class of service",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One room on the board.

    state, guests, number   by the PMS's word; the first guest is the displayed one; `number`:
                            his reservation
    shown       whether the UCM shows that
    phone       what is wrong with the phone in the room, where its contacts are looked after
    tone        good; wait: it may come by itself; bad: a guest would notice; quiet
    states, find    what the search finds it by: words of STATES, and everything else
    """

    room: str
    state: str
    guests: tuple[str, ...]
    number: str
    wake_ups: tuple[str, ...]
    shown: Told
    phone: Told
    tone: str
    page: str
    states: str
    find: str


def board(
    rooms: Mapping[str, Room],
    drifts: Iterable[Drift],
    outbox: Mapping[str, RoomView],
    zone: tzinfo,
    now: float,
    *,
    names: bool,
    away: str = "",
    phones: Mapping[str, PhoneView] = MappingProxyType({}),
) -> list[Card]:
    """The board of rooms, by number; also those that only the UCM names.

    outbox  by room
    away    since when the UCM does not answer, in words; empty: it answers
    phones  by room, where a site has some that are looked after
    """
    drifted = {drift.room: drift for drift in drifts}
    numbers = sorted({*rooms, *drifted}, key=lambda number: (len(number), number))
    return [
        _card(
            number,
            rooms.get(number, Room()),
            _shown(
                rooms.get(number, Room()), drifted.get(number), outbox.get(number), zone, now, away
            ),
            outbox.get(number),
            drifted.get(number),
            _phone(phones.get(number), now),
            names=names,
        )
        for number in numbers
    ]


def _shown(
    room: Room,
    drift: Drift | None,
    view: RoomView | None,
    zone: tzinfo,
    now: float,
    away: str,
) -> Told:
    """Whether the UCM shows what the PMS means."""
    state = view.state if view is not None else TOLD
    if view is not None and state == PARKED:
        return Told("bad", f"the UCM refused: {words.reason(view.why)}")
    if view is not None and state == WAITING:
        since = view.since if view.since is not None else now
        why = f"; {words.reason(view.why)}" if view.why else ""
        tone = "bad" if now - since >= LONG_S else "wait"
        return Told(tone, f"not yet: waiting since {words.moment(since, zone, now)}{why}")
    if state == DROPPED:
        return Told("bad", "not told: dropped by an operator, until the PMS says something new")
    if drift is not None:
        tags = ", ".join(_TAGS.get(tag, tag) for tag in drift.tags)
        told = DIFFERS.get(drift.kind, drift.kind) + (f": {tags}" if tags else "")
        return Told("quiet" if drift.kind == "unnamed" else "bad", told)
    if room.is_unheard:
        return Told("quiet", "the PMS has not said who is in")
    shown = "on the phone" if room.guests else "nobody on the phone"
    if away:
        return Told("quiet", f"{shown}, as far as is known: the UCM does not answer {away}")
    return Told("good" if room.guests else "quiet", shown)


def is_late(phone: PhoneView, now: float) -> bool:
    """Whether something has been to be done to a phone for so long that a guest may notice."""
    return bool(phone.step) and phone.since is not None and now - phone.since >= LONG_S


def _phone(phone: PhoneView | None, now: float) -> Told:
    """What is wrong with the phone of a room."""
    match phone.state if phone is not None else "":
        case "behind":
            assert phone is not None
            why = f"; {phone.trouble}" if phone.trouble else ""
            tone = "bad" if is_late(phone, now) else "wait"
            return Told(tone, f"its phone is behind: {phone.step}{why}")
        case "off":
            assert phone is not None
            return Told("quiet", f"its phone: {phone.trouble}")
        case "unregistered":
            return Told("quiet", "its phone is not registered at the UCM")
    return Told("", "")


def _card(
    number: str,
    room: Room,
    shown: Told,
    view: RoomView | None,
    drift: Drift | None,
    phone: Told,
    *,
    names: bool,
) -> Card:
    state = "in" if room.guests else "out" if room.out else "unknown"
    states = [*_SAID[state]]
    is_open = view is not None and view.state in (WAITING, PARKED)
    if view is not None and view.state != TOLD:
        states.append(view.state)
    elif drift is not None and drift.kind != "unnamed":
        states.append("differs")
    reservations = [each.reservation or "" for each in room.guests]
    return Card(
        room=number,
        state=state,
        guests=tuple(words.guest(each, names=names) for each in room.guests),
        number=reservations[0] if reservations else "",
        wake_ups=tuple(f"{each:%d %b %H:%M}" for each in room.wake_ups),
        shown=shown,
        phone=phone,
        tone="bad" if phone.tone == "bad" else shown.tone,
        page="/outbox" if is_open else "",
        states=" ".join(states),
        find=" ".join([number, *reservations, *(_names(room.guests) if names else ())]).lower(),
    )


def _names(guests: Iterable[Guest]) -> list[str]:
    return [
        word for each in guests for word in _WORD.findall(f"{each.name} {each.first_name or ''}")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One room of the outbox.

    call    the next one
    tries   how often the UCM refused it for a passing reason; `again`: when it is tried next
    deeds   what an operator can do about it: retry, drop
    label   what stands before the room, where each row is a card
    """

    room: str
    state: str
    tone: str
    call: str
    tries: int
    again: str
    reason: str
    record: str
    since: str
    deeds: tuple[str, ...] = ()
    label: str = "Room"


def entry(view: RoomView, zone: tzinfo, now: float, *, names: bool) -> Entry:
    """One room of the outbox."""
    waits_s = now - view.since if view.since is not None else 0.0
    is_bad = view.state == PARKED or (view.state == WAITING and waits_s >= LONG_S)
    return Entry(
        room=view.room,
        state=view.state,
        tone="bad" if is_bad else "wait" if view.state == WAITING else "quiet",
        call=words.call(view.call) if view.call is not None else "",
        tries=view.attempts,
        again=words.moment(view.due_at, zone, now) if view.due_at else "",
        reason=words.reason(view.why),
        record=record(view.record, names=names),
        since=words.moment(view.since, zone, now) if view.since is not None else "",
        deeds=("retry", "drop") if view.state == PARKED or view.attempts else ("drop",),
    )


def phone_entry(phone: PhoneView, zone: tzinfo, now: float) -> Entry:
    """A phone to which something is still to be done, beside the rooms that wait for the UCM."""
    return Entry(
        label="",
        room=f"phone {phone.room}",
        state=WAITING,
        tone="bad" if is_late(phone, now) else "wait",
        call=phone.step,
        tries=0,
        again="",
        reason=phone.trouble,
        record="",
        since=words.moment(phone.since, zone, now) if phone.since is not None else "",
    )


@dataclass(frozen=True, slots=True)
class Delivered:
    """One line of the journal."""

    time: str
    room: str
    tone: str
    words: str
    record: str


def delivered(line: JournalLine, zone: tzinfo, now: float, *, names: bool) -> Delivered:
    """One call that was made, or what an operator did."""
    told = words.outcome(line)
    return Delivered(
        words.moment(line.at, zone, now),
        words.rooms(line),
        told.tone,
        told.words,
        record(line.record, names=names),
    )


def record(text: str, *, names: bool) -> str:
    """The text of a record, as this reader may see it; words where it was none."""
    if text in _NO_RECORDS:
        return _NO_RECORDS[text]
    return text if names else mask_body(text.encode()).decode("utf-8", "replace")
