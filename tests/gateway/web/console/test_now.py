"""The first page, from plain values."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.drivers.gxv import Identity
from gateway.house import Desired, Guest, Room
from gateway.pipeline.look import Drift
from gateway.pipeline.moments import Moments
from gateway.pipeline.phones import PhoneView
from gateway.pipeline.step import RoomView
from gateway.scope.explain.values import Confidence, Evidence, Finding, Layer
from gateway.web.console import now
from gateway.web.console.day import Counts

AT = datetime(2026, 3, 14, 11, 33, tzinfo=UTC).timestamp()
WELL = now.Site(
    status={
        "outbox": {"ok": True, "waiting": 0, "parked": 0},
        "link": {"ok": True, "state": "up", "line": "", "resync": False, "night_audit": False},
        "ucm": {"ok": True, "why": ""},
    },
    lines=[{"name": "guests", "is_open": True, "line": "tcp h:1", "modem": None}],
    rooms={},
    phones=[],
    open=[],
    drifts=[],
    compared_at=None,
    findings=[],
    moments=Moments(started_at=AT, line_at=AT, link_at=AT),
    ucm_at=AT,
    last=None,
    today=Counts(),
    whole_day=True,
    zone=UTC,
    now=AT + 60,
)
FINDING = Finding(
    fault="noise", layer=Layer.CABLE, confidence=Confidence.LIKELY, words="Noise.", do="Mend it.",
    evidence=(Evidence(AT - 1020, "x"), Evidence(None, "y")), count=57,
)  # fmt: skip


def view(room, state, since=AT):
    return RoomView(room, state, Desired(), None, None, since, 0, None, "", "")


def failing(**parts):
    status = {name: {**WELL.status[name], **value} for name, value in parts.items()}
    return {**WELL.status, **status}


def cards_of(site):
    return {card.title: card for card in now.cards(site)}


def test_a_well_site_has_good_cards_and_no_troubles():
    assert {card.tone for card in now.cards(WELL)} == {"good", "quiet"}
    assert now.troubles(WELL) == []


def test_what_hurts_now_stands_before_what_the_line_showed():
    site = replace(
        WELL,
        status=failing(
            outbox={"ok": False, "why": "disk full.", "do": "free the disk"},
            link={"ok": False},
            ucm={"ok": False, "why": "is the UCM up, and the port right?"},
        ),
        lines=[{**WELL.line, "is_open": False}],
        open=[view("101", "parked")],
        drifts=[Drift("102", "in"), Drift("103", "unnamed"), Drift("101", "unlisted")],
        compared_at=AT,
        findings=[FINDING],
    )
    found = now.troubles(site)
    pages = ["/about", "/about", "/line", "/outbox", "/rooms", "/findings"]
    assert [each.page for each in found] == pages
    assert not any(".." in each.words or "?." in each.words for each in found)
    assert [each.when for each in found[1:5]] == [
        "since 11:33", "since 11:33", "since 11:33", "compared at 11:33:00",
    ]  # fmt: skip
    assert "1 room (102)" in found[4].words
    assert found[5].when == "last seen 11:16, 18 minutes ago · 57 times"


def test_of_a_pair_the_other_one_is_shown_and_missed():
    def of_pair(*standbys, trouble=""):
        pair = {"holder": "a", "standbys": list(standbys), "trouble": trouble}
        return replace(WELL, status={**WELL.status, "pair": pair})

    assert "Pair" not in cards_of(WELL)
    card = cards_of(of_pair("b"))["Pair"]
    assert (card.tone, card.state) == ("good", "b stands by")
    assert now.troubles(of_pair("b")) == []
    assert cards_of(of_pair())["Pair"].tone == "wait"
    assert [each.words for each in now.troubles(of_pair())] == [
        "No second gateway could take over."
    ]
    still = of_pair("b", trouble="the database does not answer")
    assert cards_of(still)["Pair"].tone == "bad"
    assert "says nothing" in now.troubles(still)[0].words


def test_a_link_that_is_down_is_told_once_its_line_is_open():
    (trouble,) = now.troubles(replace(WELL, status=failing(link={"ok": False})))
    assert "link" in trouble.words
    assert (trouble.when, trouble.page) == ("since 11:33", "/line")


def test_a_room_that_has_waited_is_told_but_not_beside_a_ucm_that_is_away():
    site = replace(WELL, open=[view("101", "waiting"), view("102", "waiting", AT + 30)])
    (trouble,) = now.troubles(site)
    assert "1 room (101)" in trouble.words
    away = replace(site, status=failing(ucm={"ok": False, "why": "timeout"}, outbox={"waiting": 2}))
    (trouble,) = now.troubles(away)
    assert "2 rooms to be told" in trouble.do


def phone(room, **values):
    return PhoneView(
        **{
            "room": room, "address": "10.0.5.1", "identity": Identity(), "is_there": True, "is_registered": True,
            "step": "", "trouble": "", "since": None, **values,
        }
    )  # fmt: skip


def test_phones_are_counted_and_told_when_they_are_behind_for_long():
    behind = {"is_there": False, "step": "delete contacts", "trouble": "is it on?"}
    soon = replace(WELL, phones=[phone("101"), phone("102", **behind, since=WELL.now - 59)])
    card = cards_of(soon)["Phones"]
    assert (card.tone, card.state, card.words) == ("wait", "1 behind", "1 of 2 answer")
    assert now.troubles(soon) == []
    late = replace(WELL, phones=[phone("101"), phone("102", **behind, since=WELL.now - 60)])
    assert cards_of(late)["Phones"].tone == "bad"
    (trouble,) = now.troubles(late)
    assert trouble.words == "Phones are behind: 1 room (102)."
    assert trouble.page == "/outbox"
    well = replace(WELL, phones=[phone("101")])
    assert (cards_of(well)["Phones"].tone, cards_of(well)["Phones"].state) == (
        "quiet", "none behind",
    )  # fmt: skip


def test_many_rooms_are_not_all_named():
    parked = [view(str(room), "parked") for room in range(101, 109)]
    (trouble,) = now.troubles(replace(WELL, open=parked))
    assert "8 rooms (101, 102, 103, 104, 105 and 3 more)" in trouble.words


def test_cards_tell_since_when_and_the_last_record():
    room = Room(guests=(Guest(key="1", name="Rossi", came=datetime(2026, 3, 14)),))
    site = replace(WELL, last=("GI", AT + 5), rooms={"101": room, "102": Room()},
                   today=Counts(214, 120, 3), whole_day=False,
                   lines=[{**WELL.line, "modem": {"CTS": True, "DSR": False}}])  # fmt: skip
    cards = cards_of(site)
    assert cards["Link to the PMS"].words == "since 11:33 · last record: check-in 11:33:05"
    assert "CTS on DSR off" in cards["Line"].words
    assert (cards["Today"].state, cards["Rooms"].state) == ("214 records", "1 occupied")
    assert "120 calls made to the UCM, 3 refused" in cards["Today"].words
    assert "since the start" in cards["Today"].words
    assert "the service runs since 11:33" in cards["Today"].words
    assert "since midnight" in cards_of(WELL)["Today"].words


def test_red_is_what_a_guest_would_notice():
    assert cards_of(replace(WELL, drifts=[Drift("101", "in")]))["Rooms"].tone == "bad"
    waiting = replace(
        WELL, status=failing(outbox={"waiting": 1}), open=[view("101", "waiting", AT + 59)]
    )
    assert cards_of(waiting)["Outbox"].tone == "wait"
    assert cards_of(replace(waiting, now=AT + 600))["Outbox"].tone == "bad"


@pytest.mark.parametrize(
    ("moments", "running", "told"),
    [(Moments(), False, ("none since the start", "quiet")),
     (Moments(asked_at=AT), False, ("asked at 11:33:00, not begun yet", "wait")),
     (Moments(asked_at=AT, began_at=AT), True, ("running since 11:33", "wait")),
     (Moments(asked_at=AT, began_at=AT, ended_at=AT + 9), False, ("ended at 11:33:09", "quiet")),
     (Moments(ended_at=AT, asked_at=AT + 9), False, ("asked at 11:33:09, not begun yet", "wait")),
     (Moments(ended_at=AT, broke_off_at=AT + 9), False, ("broke off at 11:33:09", "bad"))],
)  # fmt: skip
def test_what_came_of_a_resync(moments, running, told):
    assert now.resync(moments, UTC, AT + 60, is_running=running) == told


def test_a_finding_without_a_moment_says_how_often():
    finding = replace(FINDING, evidence=(), count=1)
    assert now.seen(finding, UTC, AT) == "seen 1 time in the last hour"
