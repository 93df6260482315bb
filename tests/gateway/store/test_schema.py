"""A data directory of the version before is taken over: see tests/data/store/old.txt."""

import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from gateway.house import Actual, Room
from gateway.jsonable import from_json
from gateway.store import StorageFailed, Store
from gateway.store.schema import VERSION
from tests.site import Site, word
from tests.torture.disk import VFS_NAME, Disk, DiskFile, mount, unmount

DATA = Path(__file__).parents[2] / "data" / "store"
ROOMS = tuple(str(room) for room in range(101, 131))
NEWEST_OLD = 3

FORGOTTEN = (b"Delacroix", b"Orsini", b"Varga", b"Haas")
"""Names that only rows of the queue hold: who has left, and who had another name."""


@pytest.fixture(params=[1, 2, 3])
def old(request, tmp_path):
    """A file of the version before."""
    return copied(tmp_path, request.param)


@pytest.fixture
def newest_old(tmp_path):
    return copied(tmp_path, NEWEST_OLD)


def copied(folder, version):
    return Path(shutil.copy(DATA / f"old-{version}.db", folder / "outbox.db"))


def taken_over(path):
    """All that is in the file once it has been opened."""
    store = Store(path)
    try:
        return store.load()
    finally:
        store.close()


def desired_in(kept):
    return {
        room: from_json(Room, row.house).desired() for room, row in kept.rooms.items() if row.house
    }


def actual_in(kept):
    return {room: from_json(Actual, row.actual) for room, row in kept.rooms.items() if row.actual}


def site_on(path, **how):
    """The hotel of the old file, and its UCM as the old program left it."""
    left = json.loads((DATA / "old-ucm.json").read_text())
    site = Site(path, ROOMS, infer_moves_s=600.0, **how)
    ended = datetime.fromisoformat(left["ended"]).replace(tzinfo=UTC)
    site.clock.wind(ended.timestamp() - site.clock.epoch())
    for number, room in left["rooms"].items():
        for name, value in room.items():
            setattr(site.ucm.rooms[number], name, tuple(value) if name == "wake_up" else value)
        site.leave_message(number)
    return site


async def told_since(site, calls):
    """What the UCM is asked until nothing waits any more."""
    await site.rest()
    return [word(*call) for call in site.api.calls[calls:]]


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


# --- What becomes of it ---


@pytest.mark.asyncio
async def test_one_list_settles_all_that_waited_or_was_parked(old):
    site = site_on(old)
    calls = await told_since(site, 0)
    assert site.api.lists == 1
    assert {
        "in 105 Eklund", "in 113 Moreau", "out 115", "move 106>107", "update 108", "wake 109 0815",
        "dnd 110 1", "update 111", "dnd 114 1",
    } <= set(calls)  # fmt: skip
    assert [call for call in calls if call.startswith(("in ", "out ", "move "))] == [
        "in 113 Moreau", "in 105 Eklund", "out 115", "move 106>107"
    ]  # fmt: skip
    assert [room for room, view in site.ucm.rooms.items() if view.is_in] == [
        "101", "102", "105", "107", "108", "109", "110", "111", "113", "114", "116", "118", "119",
        "120", "122", "123", "124", "126", "129", "130",
    ]  # fmt: skip
    names = {room: there.lastname for room, there in site.ucm.rooms.items() if there.is_in}
    assert names == {
        room: want.guest.name for room, want in site.outbox.desired.items() if want.guest
    }
    assert (site.ucm.rooms["110"].dnd, site.ucm.rooms["114"].dnd) == (True, True)
    assert site.ucm.rooms["111"].status == 1
    assert site.ucm.rooms["104"].wake_up == ("20260315", "0700")
    assert site.ucm.rooms["109"].wake_up == ("20260315", "0815")
    assert (site.outbox.waiting, list(site.outbox.parked)) == (set(), [])
    site.store.store.close()


@pytest.mark.asyncio
async def test_nobody_who_stays_loses_his_mailbox_and_nobody_hears_another_ones(newest_old):
    site = site_on(newest_old)
    await site.rest()
    for room in ("101", "102", "108", "109", "110", "111", "114", "116", "118", "129", "130"):
        assert site.mailbox(room) == (site.ucm.rooms[room].account,), room
    assert site.mailbox("107") == ("1006",)  # it moved with him
    assert site.mailbox("115") == site.mailbox("106") == ()
    site.store.store.close()


@pytest.mark.asyncio
async def test_phone_that_was_to_ring_again_is_told(newest_old):
    """That the guest may be disturbed again waited when the old program stopped."""
    site = site_on(newest_old)
    assert site.ucm.rooms["129"].dnd is True
    await site.rest()
    assert site.ucm.rooms["129"].dnd is False
    site.store.store.close()


@pytest.mark.asyncio
async def test_wake_up_that_was_to_be_cancelled_does_not_ring(newest_old):
    """That nobody is to be woken waited when the old program stopped."""
    site = site_on(newest_old)
    assert site.ucm.rooms["130"].wake_up == ("20260315", "0600")
    await site.rest()
    assert site.ucm.rooms["130"].wake_up is None
    site.store.store.close()


@pytest.mark.asyncio
async def test_without_a_list_every_room_comes_to_show_what_it_should(newest_old):
    site = site_on(newest_old, has_list=False)
    site.ucm.rooms["102"].dnd = False  # the old program did not remember what it had delivered
    await site.rest()
    assert site.wrong() == []
    assert site.mailbox("101") == ("1001",)
    for room, there in site.ucm.rooms.items():  # nobody hears who was there before him
        assert set(site.mailbox(room)) <= {there.account, ""}  # 123 was told without a number
    site.store.store.close()


@pytest.mark.asyncio
async def test_without_a_list_nobody_is_checked_out_of_whom_only_a_word_waited(newest_old):
    """That somebody orders a wake-up does not mean that nobody knows who is in."""
    site = site_on(newest_old, has_list=False)
    await site.rest()
    for room in ("108", "109", "110", "111", "114", "129", "130"):
        assert site.mailbox(room) == (site.ucm.rooms[room].account,), room
    site.store.store.close()


@pytest.mark.asyncio
async def test_oldest_room_has_not_waited_longer_than_its_record(newest_old):
    site = site_on(newest_old)
    assert site.clock.epoch() - site.outbox.oldest_waiting() < 3600
    site.store.store.close()


@pytest.mark.asyncio
async def test_running_resync_comes_to_its_end(newest_old):
    site = site_on(newest_old)
    await site.rest()
    done = len(site.api.calls)
    await site.hear("DE|")
    assert await told_since(site, done) == ["move 116>117", "out 118", "out 120"]
    rooms = site.house.rooms
    assert [guest.name for guest in rooms["117"].guests] == ["Petit"]
    assert site.mailbox("117") == ("1016",)
    assert [guest.name for guest in rooms["119"].guests] == ["Silva"]
    assert [guest.name for guest in rooms["101"].guests] == ["Aalto", "Bruun"]
    assert site.house.ledger.in_resync is False
    site.store.store.close()


@pytest.mark.asyncio
async def test_late_departure_comes_true(newest_old):
    site = site_on(newest_old)
    await site.rest()
    done = len(site.api.calls)
    await site.tick()
    assert await told_since(site, done) == []
    site.clock.wind(601)
    await site.tick()
    assert await told_since(site, done) == ["out 120"]
    site.store.store.close()


@pytest.mark.asyncio
async def test_late_departure_becomes_a_move_when_the_guest_turns_up(newest_old):
    site = site_on(newest_old)
    await site.rest()
    done = len(site.api.calls)
    await site.hear("GI|RN103|G#1020|GNTanaka|GD260320|GSN|")
    assert await told_since(site, done) == ["move 120>103"]
    assert site.mailbox("103") == ("1020",)
    site.store.store.close()


@pytest.mark.asyncio
async def test_next_stay_has_a_number_that_no_other_one_had(newest_old):
    site = site_on(newest_old)
    await site.rest()
    await site.hear("GI|RN103|G#1050|GNCosta|GD260320|GSN|")
    assert site.house.rooms["103"].stay == 21
    site.store.store.close()


@pytest.mark.asyncio
async def test_guest_whom_a_resync_had_moved_is_not_followed_by_one_who_hears_his_messages(
    newest_old,
):
    """His room had been called vacant by that resync, which the old program still remembered."""
    site = site_on(newest_old)
    await site.hear("DE|")
    await site.rest()
    assert site.mailbox("124") == ("1025",)
    await site.hear("DS|", "GI|RN124|G#1060|GNKovacs|GD260320|SF|", "DE|")
    await site.rest()
    assert (site.ucm.rooms["124"].lastname, site.mailbox("124")) == ("Kovacs", ())
    site.store.store.close()


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
    store._db.pragma("user_version", VERSION + 1)
    store.close()
    before = path.read_bytes()
    with pytest.raises(StorageFailed) as refused:
        Store(path, read_only=read_only)
    assert str(refused.value) == (
        f"{path} was written by a newer version (schema 5): install that version again"
    )
    assert path.read_bytes() == before


def test_new_file_is_newer_than_any_that_the_version_before_opens(newest_old):
    """It compares this number with its own, 3, and says "was written by a newer version"."""
    taken_over(newest_old)
    db = apsw.Connection(str(newest_old))
    assert db.pragma("user_version") == NEWEST_OLD + 1
    db.close()


# --- A crash, a full disk ---

TABLES = ("entry", "house_room", "house_ledger", "refused")


def disk_with(version):
    whole = bytearray((DATA / f"old-{version}.db").read_bytes())
    return Disk({"outbox.db": DiskFile(whole, bytearray(whole))})


def old_rows(folder):
    """Everything that the version before would read, or None: it is not of that version."""
    db = apsw.Connection(str(folder / "outbox.db"), vfs=VFS_NAME)
    try:
        db.pragma("locking_mode", "EXCLUSIVE")  # as every service opens it
        if db.pragma("user_version") > NEWEST_OLD:
            return None
        assert db.pragma("integrity_check") == "ok"
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    finally:
        db.close()


def judge(image, folder, wanted):
    """A file after a crash: the old one with all its rows, or the new one with all that was in it;
    and the next start takes it over. Returns whether it was still the old one.
    """
    rows, kept = wanted
    mount(image.copy(), folder)
    found = old_rows(folder)
    unmount(folder)
    assert found in (None, rows)
    mount(image, folder)
    store = Store(folder / "outbox.db", vfs=VFS_NAME)
    assert store.load() == kept
    assert store.audit() == []
    store.close()
    unmount(folder)
    return found is not None


@pytest.fixture(params=[1, 3])
def wanted(request, tmp_path):
    """A version, its rows, and what they are taken over as."""
    mount(disk_with(request.param), tmp_path)
    rows = old_rows(tmp_path)
    store = Store(tmp_path / "outbox.db", vfs=VFS_NAME)
    kept = store.load()
    store.close()
    unmount(tmp_path)
    return request.param, (rows, kept)


def test_crash_in_the_middle_leaves_the_old_file_or_the_new_one(wanted, tmp_path):
    """Killed, or without power, at each operation of the disk."""
    version, content = wanted
    disk, rng, images = disk_with(version), random.Random(1), []

    def crash(operation):
        if operation != "read":
            images.extend((disk.copy(), disk.after_power_loss(rng)))

    disk.on_operation = crash
    mount(disk, tmp_path)
    Store(tmp_path / "outbox.db", vfs=VFS_NAME).close()
    disk.on_operation = None
    unmount(tmp_path)
    were_old = [judge(image, tmp_path, content) for image in images]
    assert were_old.count(True) > 10
    assert were_old.count(False) > 10


@pytest.mark.parametrize("code", [apsw.SQLITE_FULL, apsw.SQLITE_IOERR_WRITE])
def test_disk_that_fails_in_the_middle_leaves_the_old_file_or_the_new_one(wanted, tmp_path, code):
    version, content = wanted
    failed = 0
    for first in range(1, 300, 3):
        disk = disk_with(version)
        disk.fault = lambda operation, number, first=first: (
            code if operation == "write" and number >= first else None
        )
        mount(disk, tmp_path)
        try:
            Store(tmp_path / "outbox.db", vfs=VFS_NAME).close()
        except StorageFailed:
            failed += 1
        disk.fault = None
        unmount(tmp_path)
        judge(disk, tmp_path, content)
    assert failed > 10
