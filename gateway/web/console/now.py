"""The first page: the parts of the site, what is wrong, and what to do first. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from gateway.house import Room
from gateway.pipeline.look import Drift
from gateway.pipeline.moments import Moments
from gateway.pipeline.phones import PhoneView
from gateway.pipeline.step import PARKED, RoomView
from gateway.scope.explain import Finding
from gateway.scope.meaning import NAMES
from gateway.web.console.board import LONG_S, is_late
from gateway.web.console.day import Counts
from gateway.web.words import ago, counted, minute, moment, sentence, since


@dataclass(frozen=True, slots=True)
class Card:
    """One part of the site on the first page. `tone`: good, wait, bad, or quiet (neither)."""

    title: str
    tone: str
    state: str
    words: str
    page: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong, what to do first, since when, and the page that helps."""

    words: str
    do: str
    when: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All that the first page is made of, at one moment.

    status      as `/readyz` tells it
    lines       see Control.line; that of the guests first
    phones      in the rooms; none where the site has none that are looked after
    open        rooms that wait or are parked
    drifts      rooms that differed at the last comparison, which was at `compared_at`
    ucm_at      since when the UCM answers, or does not; moments are seconds since 1970
    last        id and moment of the last record
    today       counts of today; `whole_day`: from midnight on, else since the start
    """

    status: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    rooms: Mapping[str, Room]
    phones: Sequence[PhoneView]
    open: Sequence[RoomView]
    drifts: Sequence[Drift]
    compared_at: float | None
    findings: Sequence[Finding]
    moments: Moments
    ucm_at: float | None
    last: tuple[str, float] | None
    today: Counts
    whole_day: bool
    zone: tzinfo
    now: float

    @property
    def line(self) -> Mapping[str, Any]:
        """Of the guests."""
        return self.lines[0]

    def since(self, at: float | None) -> str:
        """Since when; empty: it is not known."""
        return since(at, self.zone, self.now)


def cards(site: Site) -> list[Card]:
    """Link, line, UCM, outbox, rooms, phones, today, resync, pair."""
    link, line = site.status["link"], site.line
    ucm, outbox = site.status["ucm"], site.status["outbox"]
    lamps = "" if line["modem"] is None else " · " + _lamps(line["modem"])
    line_at = site.since(site.moments.line_at)
    return [
        Card("Link to the PMS", _tone(link["ok"]), "up" if link["ok"] else "down",
             _and(site.since(site.moments.link_at), _last(site)), "/line"),
        Card("Line", _tone(line["is_open"]), "open" if line["is_open"] else "not open",
             _and(line_at, line["line"] + lamps), "/line"),
        Card("UCM", _tone(ucm["ok"]), "answers" if ucm["ok"] else "does not answer",
             _and(site.since(site.ucm_at), "" if ucm["ok"] else ucm["why"]), "/outbox"),
        *(_of_more(line) for line in site.lines[1:]),
        _outbox(site, outbox),
        _of_rooms(site),
        *_of_phones(site),
        _today(site),
        _resync(site),
        *_pair(site),
    ]  # fmt: skip


def _of_more(line: Mapping[str, Any]) -> Card:
    """A line beside that of the guests."""
    state = "up" if line["is_up"] else "open" if line["is_open"] else "not open"
    title = f"Line of the {line['name']}"
    words = f"{line['protocol']} · {line['line']}"
    return Card(title, _tone(line["is_up"]), state, words, f"/line?line={line['name']}")


def _pair(site: Site) -> list[Card]:
    """Of two gateways: who would take over. None without a partner."""
    pair = site.status.get("pair")
    if pair is None:
        return []
    if pair["trouble"]:
        return [Card("Pair", "bad", "lease not renewed", pair["trouble"])]
    others = ", ".join(pair["standbys"])
    state = f"{others} stands by" if others else "nobody stands by"
    words = f"{pair['holder']}, this one, is at work"
    return [Card("Pair", "good" if others else "wait", state, words)]


def _outbox(site: Site, outbox: Mapping[str, Any]) -> Card:
    if not outbox["ok"]:
        return Card("Outbox", "bad", "failing", outbox["why"], "/outbox")
    waiting, parked = outbox["waiting"], outbox["parked"]
    tone = "bad" if parked or _late(site) else "wait" if waiting else "good"
    return Card("Outbox", tone, f"{waiting} waiting, {parked} parked",
                "every accepted record is on disk", "/outbox")  # fmt: skip


def _of_rooms(site: Site) -> Card:
    occupied = sum(1 for room in site.rooms.values() if room.guests)
    vacant = f"{len(site.rooms) - occupied} vacant, of those the PMS has named"
    differing = _differing(site)
    if differing:
        words = f"{occupied} occupied, {vacant}"
        differ = "1 room differs" if len(differing) == 1 else f"{len(differing)} rooms differ"
        return Card("Rooms", "bad", f"{differ} on the UCM", words, "/rooms")
    return Card("Rooms", "quiet", f"{occupied} occupied", vacant, "/rooms")


def _of_phones(site: Site) -> list[Card]:
    """The phones in the rooms. None where there are none."""
    if not site.phones:
        return []
    behind = sum(bool(phone.step) for phone in site.phones)
    answer = sum(bool(phone.is_there) for phone in site.phones)
    tone = "bad" if _late_phones(site) else "wait" if behind else "quiet"
    state = f"{behind} behind" if behind else "none behind"
    return [Card("Phones", tone, state, f"{answer} of {len(site.phones)} answer", "/rooms")]


def _late_phones(site: Site) -> list[PhoneView]:
    return [phone for phone in site.phones if is_late(phone, site.now)]


def _differing(site: Site) -> list[Drift]:
    """Rooms that differ and are no trouble of the outbox already."""
    told = {view.room for view in site.open}
    return [drift for drift in site.drifts if drift.kind != "unnamed" and drift.room not in told]


def _last(site: Site) -> str:
    if site.last is None:
        return "no record of the hotel since the start"
    record, at = site.last
    return f"last record: {NAMES.get(record, record)} {moment(at, site.zone, site.now)}"


def _today(site: Site) -> Card:
    today = site.today
    counted_from = "since midnight" if site.whole_day else "since the start"
    failed = f"{today.failures} refused or without an answer" if today.failures else "none refused"
    calls = f"{counted(today.calls, 'call')} made to the UCM, {failed}, {counted_from}"
    runs = f"the service runs {site.since(site.moments.started_at)}".strip()
    return Card("Today", "quiet", counted(today.records, "record"), _and(calls, runs))


def _resync(site: Site) -> Card:
    state, tone = resync(site.moments, site.zone, site.now,
                         is_running=site.status["link"]["resync"])  # fmt: skip
    return Card("Resync", tone, state, "the PMS tells every room", "/line")


def resync(at: Moments, zone: tzinfo, now: float, *, is_running: bool) -> tuple[str, str]:
    """What came of the last resync, and its tone."""
    ended = max(at.ended_at or 0.0, at.broke_off_at or 0.0)
    if is_running:
        return f"running {since(at.began_at, zone, now)}".strip(), "wait"
    if at.asked_at is not None and at.asked_at > ended:
        return f"asked at {moment(at.asked_at, zone, now)}, not begun yet", "wait"
    if at.broke_off_at is not None and at.broke_off_at == ended:
        return f"broke off at {moment(ended, zone, now)}", "bad"
    if at.ended_at is not None:
        return f"ended at {moment(at.ended_at, zone, now)}", "quiet"
    return "none since the start", "quiet"


def troubles(site: Site) -> list[Trouble]:
    """What is wrong: first what a guest would notice now, then what the line showed before."""
    return [*_now(site), *(_past(finding, site) for finding in site.findings)]


def _now(site: Site) -> list[Trouble]:
    link, ucm, outbox = site.status["link"], site.status["ucm"], site.status["outbox"]
    found = []
    if not outbox["ok"]:
        found.append(
            Trouble(
                sentence(f"The outbox cannot be written: {outbox['why']}"),
                sentence(outbox["do"][:1].upper() + outbox["do"][1:]),
                "now",
                "/about",
            )
        )
    if not ucm["ok"]:
        found.append(
            Trouble(
                sentence(f"The UCM does not answer: {ucm['why'] or 'it was not asked yet'}"),
                f"Run pms-gateway doctor. {_meanwhile(outbox)}",
                site.since(site.ucm_at),
                "/about",
            )
        )
    if not site.line["is_open"]:
        found.append(
            Trouble(
                f"The line {site.line['line']} is not open.",
                "Look at cable and adapter, or at the address and the PMS's interface program.",
                site.since(site.moments.line_at),
                "/line",
            )
        )
    elif not link["ok"]:
        found.append(
            Trouble(
                "The link to the PMS is down.",
                "Start the PMS's interface; the gateway answers each LS by itself.",
                site.since(site.moments.link_at or site.moments.line_at),
                "/line",
            )
        )
    found += [_down(line) for line in site.lines[1:] if not line["is_up"]]
    found += [_alone(card.tone) for card in _pair(site) if card.tone != "good"]
    return [*found, *_rooms(site)]


def _alone(tone: str) -> Trouble:
    if tone == "bad":
        return Trouble(
            "The lease of this house is not renewed: the gateway says nothing, to PMS and UCM.",
            "Mend the database, or the way to it. Then it goes on, or the other one does.",
            "now",
            "/about",
        )
    return Trouble(
        "No second gateway could take over.",
        "Run pms-gateway pair, and start the one that is missing.",
        "now",
        "/about",
    )


def _down(line: Mapping[str, Any]) -> Trouble:
    state = "does not answer" if line["is_open"] else "is not open"
    return Trouble(
        f"The line of the {line['name']} ({line['line']}) {state}.",
        "Look at cable and adapter, or at the PMS's interface; what goes over it waits meanwhile.",
        "now",
        f"/line?line={line['name']}",
    )


def _meanwhile(outbox: Mapping[str, Any]) -> str:
    waiting = outbox.get("waiting", 0)
    kept = "Records are kept meanwhile"
    return f"{kept}; {counted(waiting, 'room')} to be told." if waiting else f"{kept}."


def _rooms(site: Site) -> list[Trouble]:
    found = []
    parked = [view for view in site.open if view.state == PARKED]
    if parked:
        found.append(
            Trouble(
                f"Parked by the UCM's refusal: {counted(len(parked), 'room')} ({_some(parked)}).",
                "Read why, mend it, and retry.",
                site.since(min((view.since for view in parked if view.since), default=None)),
                "/outbox",
            )
        )
    late = _late(site)
    if late and site.status["ucm"]["ok"]:
        found.append(
            Trouble(
                f"The UCM was not told yet: {counted(len(late), 'room')} ({_some(late)}).",
                "Read what it waits for.",
                site.since(min(view.since or site.now for view in late)),
                "/outbox",
            )
        )
    differing = _differing(site)
    if differing:
        when = "" if site.compared_at is None else moment(site.compared_at, site.zone, site.now)
        found.append(
            Trouble(
                f"The UCM differs from the PMS in {counted(len(differing), 'room')}"
                f" ({_some(differing)}).",
                "Differences are corrected by themselves where possible; look at the rest.",
                f"compared at {when}",
                "/rooms",
            )
        )
    late_phones = _late_phones(site)
    if late_phones:
        found.append(
            Trouble(
                f"Phones are behind: {counted(len(late_phones), 'room')} ({_some(late_phones)}).",
                "Read why: a guest's contacts may still be on them.",
                site.since(min(phone.since or site.now for phone in late_phones)),
                "/outbox",
            )
        )
    return found


def _some(rooms: Sequence[RoomView | Drift | PhoneView], most: int = 5) -> str:
    names = ", ".join(each.room for each in rooms[:most])
    return f"{names} and {len(rooms) - most} more" if len(rooms) > most else names


def _late(site: Site) -> list[RoomView]:
    return [
        view
        for view in site.open
        if view.state != PARKED and view.since is not None and site.now - view.since >= LONG_S
    ]


def _past(finding: Finding, site: Site) -> Trouble:
    return Trouble(finding.words, finding.do, seen(finding, site.zone, site.now), "/findings")


def seen(finding: Finding, zone: tzinfo, now: float) -> str:
    """When a finding was seen last, and how often."""
    moments = [each.at for each in finding.evidence if each.at is not None]
    times = counted(finding.count, "time")
    if not moments:
        return f"seen {times} in the last hour"
    last = max(moments)
    return f"last seen {minute(last, zone, now)}, {ago(now - last)} · {times}"


def _and(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _tone(ok: bool) -> str:
    return "good" if ok else "bad"


def _lamps(modem: Mapping[str, bool]) -> str:
    return " ".join(f"{name} {'on' if on else 'off'}" for name, on in modem.items())


def texts(findings: Iterable[Finding], zone: tzinfo, now: float) -> list[tuple[Finding, str]]:
    """Each finding with when it was seen."""
    return [(finding, seen(finding, zone, now)) for finding in findings]
