"""What the pages show, from plain values."""

from datetime import UTC, datetime
from types import SimpleNamespace

from gateway.console import views
from gateway.drivers.calls import CheckIn
from gateway.house import Desired, Guest, Room
from gateway.pipeline.look import Drift
from gateway.pipeline.step import RoomView
from gateway.scope.decode import decode_body
from gateway.scope.rows import Row

CAME = datetime(2026, 3, 14, 15, 2)
WELL = {
    "outbox": {"ok": True, "waiting": 0, "parked": 0},
    "link": {"ok": True, "state": "up", "line": "", "resync": False, "night_audit": False},
    "ucm": {"ok": True, "why": ""},
}
LINE = {"is_open": True, "line": "tcp h:1", "modem": None}


def view(**values):
    return RoomView(
        **{
            "room": "101", "state": "parked", "desired": Desired(), "actual": None,
            "call": CheckIn(room="101", tags={}), "since": 0.0, "attempts": 2, "due_at": None,
            "why": "18: no such room", "record": "GI|RN101|GNRossi|", **values,
        }
    )  # fmt: skip


def test_a_well_site_has_good_cards_and_no_troubles():
    assert {card.tone for card in views.cards(WELL, LINE, {})} == {"good", "quiet"}
    assert views.troubles(WELL, LINE, [], []) == []


def test_each_part_that_fails_is_told_the_cause_first():
    status = {
        "outbox": {"ok": False, "why": "disk full"},
        "link": {**WELL["link"], "ok": False, "state": "closed"},
        "ucm": {"ok": False, "why": "no answer"},
    }
    line = {**LINE, "is_open": False, "modem": {"CTS": True, "DSR": False}}
    found = views.troubles(
        status, line, [SimpleNamespace(words="Noise.", do="Mend it.")], [Drift("101", "in")]
    )
    assert [each.page for each in found] == ["", "/line", "/findings", "", "/rooms"]
    assert found[2].words == "Noise."
    assert "1 room." in found[-1].words
    cards = {card.title: card for card in views.cards(status, line, {"101": Room()})}
    assert {cards[name].tone for name in ("Link to the PMS", "Line", "UCM", "Outbox")} == {"bad"}
    assert "CTS on DSR off" in cards["Line"].words
    assert cards["Outbox"].words == "disk full"


def test_parked_rooms_are_a_trouble_and_a_link_without_a_finding_too():
    status = {
        **WELL,
        "outbox": {"ok": True, "waiting": 3, "parked": 2},
        "link": {**WELL["link"], "ok": False},
    }
    link, parked = views.troubles(status, LINE, [], [])
    assert "link" in link.words
    assert "2 rooms" in parked.words
    assert parked.page == "/outbox"


def test_guests_are_masked_unless_asked_for():
    guests = (
        Guest(key="1", name="Rossi", first_name="Anna", came=CAME),
        Guest(key="2", name="Müller 2", came=CAME),
        Guest(key="3", came=CAME),
    )
    rooms = {"101": Room(guests=guests, wake_ups=(CAME,)), "102": Room()}
    first, second = views.board(rooms, [Drift("101", "details")], {}, names=False)
    assert first["shown"] == "Xxxxx, Xxxx"
    assert first["sharers"] == ["Xxxxxx 9", "(no name)"]
    assert (first["drift"], first["tone"]) == ("details", "bad")
    assert (second["state"], second["drift"], second["tone"]) == ("unknown", "", "quiet")
    assert views.board(rooms, [], {}, names=True)[0]["shown"] == "Rossi, Anna"


def test_a_room_that_was_refused_is_no_good_news():
    rooms = {"101": Room(guests=(Guest(key="1", name="Rossi", came=CAME),))}
    (good,) = views.board(rooms, [], {}, names=False)
    (parked,) = views.board(rooms, [Drift("101", "out")], {"101": view()}, names=False)
    (waiting,) = views.board(rooms, [], {"101": view(state="waiting")}, names=False)
    assert [each["tone"] for each in (good, parked, waiting)] == ["good", "bad", "quiet"]
    assert (parked["outbox"], parked["reason"]) == ("parked", "18: no such room")


def test_a_room_that_only_the_ucm_names_is_on_the_board_and_no_trouble():
    (room,) = views.board({}, [Drift("105", "unnamed")], {}, names=False)
    assert (room["room"], room["drift"], room["tone"]) == ("105", "unnamed", "quiet")
    assert views.troubles(WELL, LINE, [], [Drift("105", "unnamed")]) == []


def test_a_room_of_the_outbox_masks_its_record():
    assert views.entry(view(), UTC, names=False)["record"] == "GI|RN101|GNXxxxx|"
    told = views.entry(view(why="", since=None), UTC, names=True)
    assert told["record"] == "GI|RN101|GNRossi|"
    assert (told["reason"], told["since"], told["call"]) == ("", "", "check_in 101")


def test_a_transaction_tells_its_answer():
    decoded = decode_body(b"GO|RN101|", "cp1252")
    row = Row(kind="record", at=3.25, from_pms=True, decoded=decoded, data=b"\x02GO|RN101|\x03")
    told = views.line_row(row, UTC, "cp1252")
    assert (told["time"], told["who"], told["tone"]) == ("00:00:03.250", "pms>", "pms")
    late = Row(kind="record", at=None, from_pms=False, decoded=decoded, answer="nak", latency_s=0.25,
               enquiries=2)  # fmt: skip
    told = views.line_row(late, UTC, "cp1252")
    assert (told["answered"], told["tone"], told["time"]) == ("NAK 250 ms after 2 ENQ", "bad", "")
