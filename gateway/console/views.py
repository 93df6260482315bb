"""What the pages show, as plain values. Guests are masked unless `names` says otherwise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from gateway.control import call_in_words
from gateway.house import Guest, Room
from gateway.pipeline.look import Drift
from gateway.pipeline.step import PARKED, TOLD, RoomView
from gateway.scope.explain import Finding
from gateway.scope.rows import Row
from protocols.fias import mask_body


@dataclass(frozen=True, slots=True)
class Card:
    """One part of the site on the first page. `tone`: good, bad, or quiet (neither)."""

    title: str
    tone: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong, and what to do first. `page`: where more stands."""

    words: str
    do: str
    page: str = ""


def cards(
    status: Mapping[str, Any], line: Mapping[str, Any], rooms: Mapping[str, Room]
) -> list[Card]:
    """Link, line, UCM, outbox, rooms."""
    link, ucm, outbox = status["link"], status["ucm"], status["outbox"]
    waiting, parked = outbox.get("waiting", 0), outbox.get("parked", 0)
    resync = ", a resync is going on" if link["resync"] else ""
    lamps = "" if line["modem"] is None else " · " + _lamps(line["modem"])
    occupied = sum(1 for room in rooms.values() if room.guests)
    return [
        Card(
            "Link to the PMS",
            _tone(link["ok"]),
            "up" if link["ok"] else "down",
            f"state {link['state']}{resync}",
        ),
        Card(
            "Line",
            _tone(line["is_open"]),
            "open" if line["is_open"] else "not open",
            line["line"] + lamps,
        ),
        Card(
            "UCM",
            _tone(ucm["ok"]),
            "answers" if ucm["ok"] else "does not answer",
            ucm["why"] or "its room list was read",
        ),
        Card(
            "Outbox",
            _tone(outbox["ok"] and not parked),
            f"{waiting} waiting, {parked} parked" if outbox["ok"] else "failing",
            outbox.get("why") or "every accepted record is on disk",
        ),
        Card(
            "Rooms",
            "quiet",
            f"{occupied} occupied",
            f"{len(rooms) - occupied} vacant, of those the PMS has named",
        ),
    ]


def troubles(
    status: Mapping[str, Any],
    line: Mapping[str, Any],
    findings: Iterable[Finding],
    drifts: Sequence[Drift],
) -> list[Trouble]:
    """What is wrong, the cause before its consequences."""
    link, ucm, outbox = status["link"], status["ucm"], status["outbox"]
    found = []
    if not outbox["ok"]:
        found.append(
            Trouble(
                f"The outbox cannot be written: {outbox['why']}.",
                "Free the disk; nothing is acknowledged meanwhile.",
            )
        )
    if not line["is_open"]:
        found.append(
            Trouble(
                f"The line {line['line']} is not open.",
                "Look at cable and adapter, or at the address and the PMS's interface program.",
                "/line",
            )
        )
    found += [Trouble(each.words, each.do, "/findings") for each in findings]
    if not link["ok"] and not found:
        found.append(
            Trouble(
                "The PMS has not brought the link up.",
                "Start its interface; every LS is answered.",
                "/line",
            )
        )
    if not ucm["ok"]:
        found.append(
            Trouble(
                f"The UCM does not answer: {ucm['why'] or 'it was not asked yet'}.",
                "Run pms-gateway doctor; records are kept meanwhile.",
            )
        )
    if outbox.get("parked"):
        found.append(
            Trouble(
                f"Parked by the UCM's refusal: {_counted(outbox['parked'], 'room')}.",
                "Read why, mend it, and retry.",
                "/outbox",
            )
        )
    drifts = [drift for drift in drifts if drift.kind != "unnamed"]
    if drifts:
        found.append(
            Trouble(
                f"The UCM differs from the PMS in {_counted(len(drifts), 'room')}.",
                "Differences are corrected by themselves where possible; look at the rest.",
                "/rooms",
            )
        )
    return found


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _tone(ok: bool) -> str:
    return "good" if ok else "bad"


def _lamps(modem: Mapping[str, bool]) -> str:
    return " ".join(f"{name} {'on' if on else 'off'}" for name, on in modem.items())


def line_row(row: Row, zone: tzinfo, charset: str) -> dict[str, Any]:
    """One transaction for the table of the line."""
    told = row.as_json(charset)
    latency = "" if row.latency_s is None else f" {row.latency_s * 1000:.0f} ms"
    return {
        **told,
        "time": clock(row.at, zone),
        "who": {True: "pms>", False: "gw >", None: ""}[row.from_pms],
        "answered": (row.answer.upper() + latency).strip()
        + (f" after {row.enquiries} ENQ" if row.enquiries else ""),
        "tone": "bad" if row.is_bad else {True: "pms", False: "gw", None: "quiet"}[row.from_pms],
    }


def clock(at: float | None, zone: tzinfo) -> str:
    """The time of day of a moment; empty: it is not known."""
    if at is None:
        return ""
    when = datetime.fromtimestamp(at, zone)
    return f"{when:%H:%M:%S}.{when.microsecond // 1000:03}"


def masked(text: str) -> str:
    """A name without the name: its length and its capitals."""
    return "".join(
        ("X" if each.isupper() else "x") if each.isalpha() else "9" if each.isdigit() else each
        for each in text
    )


def guest(who: Guest, *, names: bool) -> str:
    """One guest in words."""
    full = ", ".join(each for each in (who.name, who.first_name) if each) or "(no name)"
    return full if names else masked(full) if full != "(no name)" else full


def board(
    rooms: Mapping[str, Room],
    drifts: Iterable[Drift],
    outbox: Mapping[str, RoomView],
    *,
    names: bool,
) -> list[dict[str, Any]]:
    """The board of rooms, by number; also those that only the UCM names."""
    drifted = {drift.room: drift for drift in drifts}
    board = []
    for number in sorted({*rooms, *drifted}):
        room, view = rooms.get(number, Room()), outbox.get(number)
        state = view.state if view is not None and view.state != TOLD else ""
        drift = drifted[number].kind if number in drifted and not state else ""
        board.append(
            {
                "room": number,
                "state": "in" if room.guests else "out" if room.out else "unknown",
                "shown": guest(room.guests[0], names=names) if room.guests else "",
                "sharers": [guest(each, names=names) for each in room.guests[1:]],
                "wake_ups": [f"{each:%d %b %H:%M}" for each in room.wake_ups],
                "drift": drift,
                "outbox": state,
                "reason": view.why if view is not None else "",
                "tone": "bad"
                if drift not in ("", "unnamed") or state == PARKED
                else "quiet"
                if state or not room.guests
                else "good",
            }
        )
    return board


def entry(view: RoomView, zone: tzinfo, *, names: bool) -> dict[str, Any]:
    """One room of the outbox."""
    record = view.record if names else mask_body(view.record.encode()).decode("utf-8", "replace")
    since = datetime.fromtimestamp(view.since, zone) if view.since is not None else None
    return {
        "room": view.room,
        "state": view.state,
        "call": call_in_words(view.call) if view.call is not None else "",
        "tries": view.attempts,
        "reason": view.why,
        "record": record,
        "since": f"{since:%d %b %H:%M:%S}" if since is not None else "",
    }
