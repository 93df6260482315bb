"""A data directory of the version before is taken over: see tests/data/store/old.txt."""

import json
from datetime import UTC, datetime

import apsw
import pytest

from gateway.house import Actual, Room
from gateway.store import StorageFailed, Store
from gateway.store.schema import VERSION
from gateway.store.text import from_json
from tests.gateway.store.old_files import NEWEST_OLD, site_on, taken_over, told_since

FORGOTTEN = (b"Delacroix", b"Orsini", b"Varga", b"Haas")
"""Names that only rows of the queue hold: who has left, and who had another name."""


def desired_in(kept):
    return {
        room: from_json(Room, row.house).desired() for room, row in kept.rooms.items() if row.house
    }


def actual_in(kept):
    return {room: from_json(Actual, row.actual) for room, row in kept.rooms.items() if row.actual}


# --- What is taken over ---


def test_house_is_taken_over_with_everybody_in_it(old):
    desired = desired_in(taken_over(old))
    names = {
        room: [guest.name for guest in want.residents]
        for room, want in desired.items()
        if want.guest is not None
    }
    assert names == {
        "101": ["Aalto", "Bruun"], "102": ["Carlos"], "105": ["Eklund"], "107": ["Falk"],
        "108": ["Lindqvist"], "109": ["Ibarra"], "110": ["Jansen"], "111": ["Klein"],
        "113": ["Moreau"], "114": ["Novak"], "116": ["Petit"], "118": ["Roth"],
        "119": ["Silva", "Solberg"], "120": ["Tanaka"], "122": [""], "123": ["Weiss"],
        "124": ["Yildiz"], "126": ["Zanetti"], "129": ["Abbas"], "130": ["Bauer"],
    }  # fmt: skip
    out = {room for room, want in desired.items() if want.is_heard and want.guest is None}
    assert out == {"103", "106", "115", "125", "127", "128"}
    unheard = {room for room, want in desired.items() if not want.is_heard}
    assert unheard == {"104", "112", "117", "121"}
    assert (desired["101"].guest.first_name, desired["101"].guest.reservation) == ("Aino", "1001")
    assert desired["123"].guest.reservation is None


def test_wake_ups_and_words_that_wait_are_taken_over(old):
    desired = desired_in(taken_over(old))
    ordered = {room: want.wake_ups for room, want in desired.items() if want.wake_ups}
    assert ordered == {
        "102": (datetime(2026, 3, 15, 6, 30),),
        "104": (datetime(2026, 3, 15, 7, 0),),
        "109": (datetime(2026, 3, 15, 8, 15),),
    }
    undisturbed = {room for room, want in desired.items() if want.dnd}
    assert undisturbed == {"110", "114"}  # one waits, one is parked
    assert (desired["111"].status, desired["111"].status_said) == ("1", 1)


def test_room_status_that_waits_is_taken_over_of_a_room_that_was_never_heard_of(old):
    want = desired_in(taken_over(old))["112"]
    assert (want.status, want.status_said, want.is_heard) == ("3", 1, False)


def test_stays_are_numbered_and_the_next_one_gets_the_next_number(old):
    kept = taken_over(old)
    stays = [want.stay for want in desired_in(kept).values() if want.stay is not None]
    assert sorted(stays) == list(range(1, 21))
    assert {room for room, want in desired_in(kept).items() if want.stay is not None} == {
        room for room, want in desired_in(kept).items() if want.guest is not None
    }
    assert json.loads(kept.ledger)["stays"] == 20


def test_room_of_which_nothing_was_open_shows_its_stay_and_of_a_move_or_arrival_nothing_is_known(
    old,
):
    kept = taken_over(old)
    desired, actual = desired_in(kept), actual_in(kept)
    in_order = {"101", "102", "116", "118", "119", "120", "122", "123", "124", "126"}
    assert {room: actual[room] for room in in_order} == {
        room: Actual(stay=desired[room].stay, tags=None) for room in in_order
    }
    told_out = {"103", "125"}
    assert {room: actual[room] for room in told_out} == dict.fromkeys(told_out, Actual())
    not_known = {"104", "105", "106", "107", "112", "113", "115", "117", "121", "127", "128"}
    assert not_known.isdisjoint(actual)
    assert {row.trouble + row.pending for row in kept.rooms.values()} == {""}


def test_record_that_a_room_waits_for_is_kept_with_its_moment(old):
    rows = taken_over(old).rooms
    waiting = {room: row.record for room, row in rows.items() if row.record}
    assert waiting == {
        "105": "GI|RN105|G#1005|GNEklund|GD260320|GSN|",
        "106": "GI|RN107|RO106|G#1006|GNFalk|GD260320|GSN|GON|",
        "107": "GI|RN107|RO106|G#1006|GNFalk|GD260320|GSN|GON|",
        "108": "GC|RN108|G#1008|GNLindqvist|",
        "109": "WR|RN109|DA260315|TI081500|",
        "110": "RE|RN110|DNY|",
        "111": "RE|RN111|RS1|",
        "112": "RE|RN112|RS3|",
        "113": "GI|RN113|G#1013|GNMoreau|GD260320|GSN|",
        "114": "RE|RN114|DNY|",
        "115": "(clock)",
        "128": "GO|RN128|",
        "129": "RE|RN129|DNN|",
        "130": "WC|RN130|DA|TI|",
    }
    ended = datetime(2026, 3, 14, 10, 22, tzinfo=UTC).timestamp()
    assert all(0 < ended - rows[room].since < 1800 for room in waiting)
    assert rows["113"].since < rows["105"].since < rows["106"].since == rows["107"].since


def test_ledger_is_taken_over(old):
    ledger = json.loads(taken_over(old).ledger)
    departures = ledger.pop("departures")
    assert ledger == {"resync": 2, "in_resync": True, "night_audit": True, "stays": 20}
    assert [(each["room"], each["reservation"]) for each in departures] == [("120", "1020")]


def test_what_could_not_be_read_is_kept_for_the_technician(old):
    store = Store(old)
    (refused,) = store.refused()
    assert (refused.reason, refused.body, refused.advice) == (
        "grammar", b"GI|RN1O1|GNOkafor|", "look at the PMS"
    )  # fmt: skip
    assert (store.writes(), store.journal()) == (0, [])
    store.close()


# --- The file ---


def test_old_tables_are_gone_and_the_file_is_as_a_new_one(old, tmp_path):
    taken_over(old)
    taken_over(tmp_path / "new.db")
    assert schema_of(old) == schema_of(tmp_path / "new.db")
    assert {name for _, name, _ in schema_of(old)} >= {"room", "ledger", "journal", "refused"}


def schema_of(path):
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    said = db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    version, reserved = db.pragma("user_version"), path.read_bytes()[20]
    db.close()
    assert (version, reserved) == (VERSION, 8)  # room for a checksum on each page
    # SQLite keeps the words of a statement as they were written.
    return [(kind, name, " ".join((sql or "").split())) for kind, name, sql in said]


def test_no_name_that_only_the_queue_held_is_left_in_the_file(old, tmp_path):
    assert all(name in old.read_bytes() for name in FORGOTTEN)
    taken_over(old)
    assert [path.name for path in tmp_path.iterdir()] == ["outbox.db"]
    left = old.read_bytes()
    assert [name for name in FORGOTTEN if name in left] == []
    assert b"Aalto" in left


def test_no_such_name_is_left_behind_the_purge_with_which_the_service_begins(old, tmp_path):
    store = Store(old)
    store.purge(0.0, datetime(2026, 3, 14, 11, tzinfo=UTC).timestamp())
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [name for name in FORGOTTEN if name in left] == []
    assert b"Aalto" in left
    store.close()


@pytest.mark.asyncio
async def test_file_that_is_opened_twice_is_taken_over_once(old):
    first = taken_over(old)
    before = old.read_bytes()
    assert taken_over(old) == first
    assert old.read_bytes() == before
    site = site_on(old)
    await site.rest()
    done, desired = len(site.api.calls), dict(site.outbox.desired)
    site.start()
    assert dict(site.outbox.desired) == desired
    assert await told_since(site, done) == []
    site.store.store.close()


def test_file_of_an_older_version_is_not_read_but_sent_to_the_service(old):
    before = old.read_bytes()
    with pytest.raises(StorageFailed, match="start the service once"):
        Store(old, read_only=True)
    assert old.read_bytes() == before
    taken_over(old)
    reader = Store(old, read_only=True)
    assert len(reader.load().rooms) == 30
    reader.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_file_of_a_newer_version_is_refused_with_advice_and_left_alone(tmp_path, read_only):
    path = tmp_path / "outbox.db"
    store = Store(path)
    store.engine._db.pragma("user_version", VERSION + 1)
    store.close()
    before = path.read_bytes()
    with pytest.raises(StorageFailed) as refused:
        Store(path, read_only=read_only)
    assert str(refused.value) == (
        f"{path} was written by a newer version (schema 6): install that version again"
    )
    assert path.read_bytes() == before


def test_new_file_is_newer_than_any_that_the_version_before_opens(newest_old):
    """It compares this number with its own, 3, and says "was written by a newer version"."""
    taken_over(newest_old)
    db = apsw.Connection(str(newest_old))
    assert db.pragma("user_version") > NEWEST_OLD
    db.close()
