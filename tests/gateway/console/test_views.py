"""What the pages show, from plain values."""

from datetime import UTC, datetime
from types import SimpleNamespace

from gateway.console import views
from gateway.events import Guest
from gateway.house import Room
from gateway.outbox import Row as Entry
from gateway.reconcile import Drift
from gateway.scope.decode import decode_body
from gateway.scope.rows import Row

CAME = datetime(2026, 3, 14, 15, 2)
WELL = {
    "outbox": {"ok": True, "waiting": 0, "parked": 0},
    "link": {"ok": True, "state": "up", "line": "", "resync": False, "night_audit": False},
    "ucm": {"ok": True, "why": ""},
}
LINE = {"is_open": True, "line": "tcp h:1", "modem": None}


def entry(**values):
    return Entry(
        **{
            "id": 7, "lane": "to_ucm", "state": "parked", "room": "101", "from_room": None,
            "event": "check_in", "record": "GI|RN101|GNRossi|", "background": False,
            "received_at": 0.0, "due_at": 0.0, "attempts": 2, "unsure": False,
            "error": "18: no such room", "finished_at": None, "superseded_by": None, **values,
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


def test_parked_rows_are_a_trouble_and_a_link_without_a_finding_too():
    status = {
        **WELL,
        "outbox": {"ok": True, "waiting": 3, "parked": 2},
        "link": {**WELL["link"], "ok": False},
    }
    link, parked = views.troubles(status, LINE, [], [])
    assert "link" in link.words
    assert "2 rows" in parked.words
    assert parked.page == "/outbox"


def test_guests_are_masked_unless_asked_for():
    guests = (
        Guest(key="1", name="Rossi", first_name="Anna", came=CAME),
        Guest(key="2", name="Müller 2", came=CAME),
        Guest(key="3", came=CAME),
    )
    rooms = {"101": Room(guests=guests, wake_ups=(CAME,)), "102": Room()}
    entries = [entry(state="done"), entry(), entry(), entry(state="waiting")]
    first, second = views.board(rooms, [Drift("101", "details")], entries, names=False)
    assert first["shown"] == "Xxxxx, Xxxx"
    assert first["sharers"] == ["Xxxxxx 9", "(no name)"]
    assert first["drift"] == "details"
    assert first["calls"] == ["check_in parked", "check_in parked", "check_in waiting"]
    assert (second["state"], second["drift"], second["calls"]) == ("unknown", "", [])
    assert views.board(rooms, [], [], names=True)[0]["shown"] == "Rossi, Anna"


def test_a_row_of_the_outbox_masks_its_record():
    assert views.entry(entry(), UTC, names=False)["record"] == "GI|RN101|GNXxxxx|"
    told = views.entry(entry(error=None), UTC, names=True)
    assert told["record"] == "GI|RN101|GNRossi|"
    assert (told["error"], told["received"]) == ("", "01 Jan 00:00:00")


def test_a_transaction_tells_its_answer():
    decoded = decode_body(b"GO|RN101|", "cp1252")
    row = Row(kind="record", at=3.25, from_pms=True, decoded=decoded, data=b"\x02GO|RN101|\x03")
    told = views.line_row(row, UTC, "cp1252")
    assert (told["time"], told["who"], told["tone"]) == ("00:00:03.250", "pms>", "pms")
    late = Row(kind="record", at=None, from_pms=False, decoded=decoded, answer="nak", latency_s=0.25,
               enquiries=2)  # fmt: skip
    told = views.line_row(late, UTC, "cp1252")
    assert (told["answered"], told["tone"], told["time"]) == ("NAK 250 ms after 2 ENQ", "bad", "")
