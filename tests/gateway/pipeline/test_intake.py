"""Records in, rooms out: one transaction, repeats known, refusals kept, no names in the log."""

import asyncio
import io
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest

from gateway import logs
from gateway.drivers.ucm.requests import Words, guest_tags
from gateway.house import Actual, House
from gateway.metrics import Metrics
from gateway.pipeline.happened import happened
from gateway.pipeline.intake import MOST_ROOMS, Ear, Intake
from gateway.pipeline.kept import house_of
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.repeats import Repeats
from gateway.pipeline.reports import Reports
from gateway.pipeline.room_map import RoomMap
from gateway.store import StorageCorrupt, StorageFailed, Store, StoreWorker
from protocols.fias import decode, normalize
from protocols.session import DataReceived, RecordRefused
from tests.fakes import HandClock


@asynccontextmanager
async def desk(tmp_path, *, answers=True, rooms=None):
    clock, metrics = HandClock(), Metrics(version="1", site="t")
    store = Store(tmp_path / "outbox.db")
    kept = store.load()
    known, ledger = house_of(kept)
    outbox = Outbox(tags_of=lambda guest, stay: guest_tags(guest, stay, Words()), wall=clock.stamp)
    outbox.restore(known, kept.rooms.values())
    heard = {room: row.heard for room, row in kept.rooms.items() if row.heard is not None}
    intake = Intake(
        house=House(zone=clock.zone, rooms=known, ledger=ledger),
        rooms=rooms or RoomMap(),
        outbox=outbox,
        store=StoreWorker(store),
        guests=Ear(normalize, Reports(clock, metrics, metrics.guests)),
        clock=clock,
        metrics=metrics,
        repeats=Repeats(heard) if answers else None,
    )
    intake.restore(kept.writes)
    try:
        yield intake
    finally:
        intake.store.close()


def said(*records):
    return [DataReceived(decode(record.encode()), record.encode()) for record in records]


def waiting(intake):
    return sorted(intake.outbox.waiting)


def in_order(intake):
    """Rooms in the order in which the UCM is told of them."""
    rooms = []
    while (room := intake.outbox.next(1e12)) is not None:
        rooms.append(room)
        intake.outbox.hold(room, "seen")
    return rooms


def value(intake, name, **labels):
    return intake.metrics.registry.get_sample_value(name, labels)


@pytest.mark.asyncio
async def test_a_record_is_on_disk_when_it_is_taken(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN101|G#1|GNRossi|GSN|", "GI|RN102|G#2|GNMeyer|GSN|"))
        assert waiting(intake) == ["101", "102"]
    async with desk(tmp_path) as again:
        assert waiting(again) == ["101", "102"]
        assert again.house.rooms["101"].shown.name == "Rossi"


@pytest.mark.asyncio
async def test_a_repeat_inside_the_window_is_not_taken_twice(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("RE|RN101|RS5|"))
        intake.clock.wind(14)
        await intake.take(said("RE|RN101|RS5|"))
        await asyncio.sleep(0)
        assert value(intake, "pmsgw_records_repeated_total") == 1
        assert intake.house.rooms["101"].status_said == 1
    async with desk(tmp_path) as again:  # a restart between the record and its repeat
        await again.take(said("RE|RN101|RS5|"))
        assert again.house.rooms["101"].status_said == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("why", ["later", "between", "no answers", "other room"])
async def test_what_only_looks_like_a_repeat_is_taken(tmp_path, why):
    async with desk(tmp_path, answers=why != "no answers") as intake:
        await intake.take(said("RE|RN101|RS5|"))
        if why == "later":
            intake.clock.wind(16)
        if why == "between":
            await intake.take(said("RE|RN101|RS1|"))
        await intake.take(said("RE|RN102|RS5|" if why == "other room" else "RE|RN101|RS5|"))
        assert value(intake, "pmsgw_records_repeated_total") == 0
        said_so_often = {room: kept.status_said for room, kept in intake.house.rooms.items()}
        between = why == "between"
        expected = {"101": 1, "102": 1} if why == "other room" else {"101": 2 + between}
        assert said_so_often == expected


@pytest.mark.asyncio
async def test_what_cannot_be_understood_is_kept_and_counted(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(
            [
                *said("GI|G#1|GNRossi|", "WR|RN1|DA260230|TI0630|"),
                RecordRefused("empty", b"", "look"),
            ]
        )
        await asyncio.sleep(0)  # what the edges see is told when the records are answered
        assert [each.reason for each in intake.store.store.refused()] == [
            "no_room",
            "no_time",
            "empty",
        ]
        assert value(intake, "pmsgw_records_refused_total", reason="no_room") == 1
        assert intake.store.store.refused()[0].body == b"GI|G#1|GNRossi|"


@pytest.mark.asyncio
async def test_a_full_disk_takes_nothing_and_forgets_nothing(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN101|G#1|GNRossi|GSN|"))
        pages = intake.store.store.engine._db.pragma("page_count")
        intake.store.store.engine._db.pragma("max_page_count", pages)
        big = f"GI|RN102|G#2|GN{'x' * 7000}|GSN|"
        with pytest.raises(StorageFailed):
            await intake.take(said(big))
        assert "102" not in intake.house.rooms
        assert value(intake, "pmsgw_records_total", record="GI", direction="in") == 1
        intake.store.store.engine._db.pragma("max_page_count", 100000)
        await intake.take(said(big))
        assert waiting(intake) == ["101", "102"]


@pytest.mark.asyncio
@pytest.mark.parametrize("answers", [True, False])
async def test_who_was_named_in_a_batch_in_doubt_is_not_swept_out(tmp_path, monkeypatch, answers):
    """The commit fails and is stored all the same: the resync has spoken of him."""
    ask = StoreWorker.__call__

    async def stored_and_failed(self, method, *args):
        await ask(self, method, *args)
        raise StorageFailed("the sync failed")

    async with desk(tmp_path, answers=answers) as intake:
        await intake.take(said("GI|RN101|G#1|GNRossi|GSN|", "GI|RN101|G#2|GNMeyer|GSY|", "DS|"))
        named = said("GI|RN101|G#1|GNRossini|GSY|SF|")
        monkeypatch.setattr(StoreWorker, "__call__", stored_and_failed)
        with pytest.raises(StorageFailed):
            await intake.take(named)
        monkeypatch.setattr(StoreWorker, "__call__", ask)
        await intake.take(named)
        await intake.take(said("GI|RN101|G#2|GNMeyer|GSY|SF|", "DE|"))
        assert [guest.name for guest in intake.house.rooms["101"].guests] == ["Rossini", "Meyer"]


@pytest.mark.asyncio
async def test_rooms_of_a_resync_stand_behind_live_ones(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("DS|", "GI|RN101|G#1|GNA|SF|", "GI|RN102|G#2|GNB|GSN|", "DE|"))
        assert in_order(intake) == ["102", "101"]


@pytest.mark.asyncio
async def test_rooms_are_mapped_before_the_house_hears_of_them(tmp_path):
    async with desk(tmp_path, rooms=RoomMap(addresses={"0204": "2204"})) as intake:
        await intake.take(said("GI|RN0204|G#1|GNA|GSN|"))
        assert list(intake.house.rooms) == ["2204"]


@pytest.mark.asyncio
async def test_the_log_tells_rooms_and_never_names(tmp_path):
    log = io.StringIO()
    logs.set_up(site="t", stream=log)
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN101|G#4711|GNRossi|GFAnna|GD269999|GSN|", "GI|GNVerdi|"))
        await asyncio.sleep(0)
    assert "room=101" in log.getvalue()
    assert "fields=GD" in log.getvalue()
    for secret in ("Rossi", "Anna", "Verdi", "4711"):
        assert secret not in log.getvalue()
    logs.set_up(quiet=True)


@pytest.mark.asyncio
async def test_unknown_and_unreadable_fields_are_counted(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN1|G#1|Q7x|GD269999|", "MW|RN1|"))
        await asyncio.sleep(0)
        assert value(intake, "pmsgw_fields_unknown_total") == 2  # Q7, and the unknown record's RN
        assert value(intake, "pmsgw_fields_odd_total") == 1
        assert value(intake, "pmsgw_remarks_total", remark="no_use") == 1
        assert value(intake, "pmsgw_records_total", record="other", direction="in") == 1


@pytest.mark.asyncio
async def test_one_record_that_we_cannot_bear_takes_no_other_along(tmp_path):
    def brittle(record):
        if record.room == "666":
            raise ZeroDivisionError
        return normalize(record)

    async with desk(tmp_path) as intake:
        intake.guests = replace(intake.guests, normalize=brittle)
        await intake.take(said("GI|RN101|G#1|GNA|", "GI|RN666|G#6|GNX|", "GI|RN102|G#2|GNB|"))
        assert waiting(intake) == ["101", "102"]
        (kept,) = intake.store.store.refused()
        assert (kept.reason, kept.body) == ("our_fault", b"GI|RN666|G#6|GNX|")
        assert "ZeroDivisionError" in kept.advice


@pytest.mark.asyncio
async def test_a_record_of_another_room_that_changed_this_one_ends_the_window(tmp_path):
    """GI 101, GI 102 of the same guest, GI 101 again: the third is no repeat of the first."""
    async with desk(tmp_path) as intake:
        for room in ("101", "102", "101"):
            await intake.take(said(f"GI|RN{room}|G#1|GNA|GSN|"))
        assert intake.house.rooms["101"].shown is not None
        assert value(intake, "pmsgw_records_repeated_total") == 0


@pytest.mark.asyncio
async def test_the_same_text_in_a_second_resync_is_no_repeat(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN101|G#9|GNStale|GSN|", "DS|", "GI|RN101|G#1|GNA|SF|"))
        await intake.void_resync()
        await intake.take(said("DS|", "GI|RN101|G#1|GNA|SF|", "DE|"))
        assert [guest.name for guest in intake.house.rooms["101"].guests] == ["A"]


@pytest.mark.asyncio
async def test_a_file_that_is_damaged_under_us_makes_way_and_the_house_goes_on(tmp_path):
    """Nobody asks the disk twice: the house in memory is written into the empty file."""
    path = tmp_path / "outbox.db"
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN101|G#1|GNRossi|GSN|"))
        intake.store.store.close()
        whole = path.read_bytes()
        path.write_bytes(whole[:5000] + bytes(len(whole) - 5000))
        with pytest.raises(StorageCorrupt):
            await intake.store(Store.journal)
        assert (tmp_path / "outbox.db.corrupt-1").stat().st_size == len(whole)
        await intake.take(said("GI|RN102|G#2|GNMeyer|GSN|"))
        assert not intake.store.is_anew
    async with desk(tmp_path) as again:
        assert waiting(again) == ["101", "102"]
        assert again.house.rooms["101"].shown.name == "Rossi"
        assert again.house.rooms["102"].shown.name == "Meyer"


@pytest.mark.asyncio
async def test_what_may_be_counted_is_counted_from_zero(tmp_path):
    """A Prometheus sees steps, and none where a series begins with its first event."""
    async with desk(tmp_path) as intake:
        assert value(intake, "pmsgw_remarks_total", remark="share_flag") == 0
        assert value(intake, "pmsgw_remarks_total", remark="no_use") == 0
        assert value(intake, "pmsgw_guest_events_total", event="check_in") == 0


@pytest.mark.asyncio
async def test_a_peer_that_invents_room_numbers_does_not_fill_the_memory(tmp_path):
    async with desk(tmp_path, answers=False) as intake:
        numbers = range(MOST_ROOMS + 50)
        await intake.take(said("GI|RN7|G#1|GNRossi|GSN|", *(f"GO|RNx{n}|" for n in numbers)))
        await asyncio.sleep(0)
        assert len(intake.house.rooms) == MOST_ROOMS
        assert value(intake, "pmsgw_records_refused_total", reason="too_many_rooms") == 51
        await intake.take(said("GO|RN7|G#1|GSN|"))  # a room that it knows
        assert intake.house.rooms["7"].out


@pytest.mark.asyncio
async def test_a_wake_up_that_the_ucm_could_not_be_told_of_is_counted(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN101|G#1|GNRossi|GSN|", "WR|RN101|DA260314|TI100500|"))
        intake.clock.wind(330)
        await intake.tick()
        await asyncio.sleep(0)
        assert value(intake, "pmsgw_remarks_total", remark="wake_up_missed") == 1


@pytest.mark.asyncio
async def test_what_happens_in_the_hotel_is_counted_by_its_word(tmp_path):
    async with desk(tmp_path, answers=False) as intake:
        for record in (
            "GI|RN101|G#1|GNA|GSN|", "GI|RN101|G#2|GNB|GSY|", "GC|RN101|G#1|GLFR|",
            "GC|RN102|GSN|G#1|RO101|GSY|", "GC|RN103|GSN|G#1|RO102|GSN|", "RE|RN103|DNY|RS3|CS2|",
            "WR|RN103|DA260315|TI063000|", "GI|RN103|G#3|GNC|GSN|", "GO|RN103|G#3|GSN|",
        ):  # fmt: skip
            await intake.take(said(record))
        await asyncio.sleep(0)
        counts = {
            word: value(intake, "pmsgw_guest_events_total", event=word)
            for word in ("check_in", "check_out", "move", "update", "wake_up",
                         "do_not_disturb", "room_status")
        }  # fmt: skip
        assert counts == {
            "check_in": 3, "check_out": 2, "move": 1, "update": 3, "wake_up": 1,
            "do_not_disturb": 1, "room_status": 1,
        }  # fmt: skip


def test_nothing_happens_where_nothing_changes():
    assert happened({}, {}) == []


@pytest.mark.asyncio
async def test_a_room_that_cannot_be_understood_is_told_and_left_out(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN101|G#1|GNA|GSN|", "GI|RN102|G#2|GNB|GSN|"))
        with intake.store.store.transaction() as db:
            db.execute("UPDATE room SET house = '[]' WHERE room = '101'")
    async with desk(tmp_path) as again:
        assert list(again.house.rooms) == ["102"]
        with again.store.store.transaction() as db:
            db.execute("UPDATE ledger SET body = '[]'")
        with pytest.raises(StorageCorrupt):
            house_of(again.store.store.load())


@pytest.mark.asyncio
async def test_what_happens_is_counted_however_the_line_cuts_it(tmp_path):
    async with desk(tmp_path, answers=False) as intake:
        await intake.take(said("GI|RN101|G#1|GNA|GSN|", "GO|RN101|G#1|GSN|"))  # one read
        await asyncio.sleep(0)
        counts = [
            value(intake, "pmsgw_guest_events_total", event=word)
            for word in ("check_in", "check_out")
        ]
        assert counts == [1, 1]


@pytest.mark.asyncio
@pytest.mark.parametrize("jump_s", [0, 86_400, -86_400])
async def test_the_next_wake_up_is_told_when_the_first_has_rung(tmp_path, jump_s):
    """Also behind a clock that was wrong for a moment."""
    async with desk(tmp_path) as intake:
        clock = intake.clock
        await intake.take(said("WR|RN101|DA260314|TI100500|", "WR|RN101|DA260314|TI101000|"))
        if jump_s:
            clock.jump(jump_s)
            if intake.house.deadline(clock.wall()) is not None:
                await intake.tick()
            clock.jump(-jump_s)
            if intake.house.deadline(clock.wall()) <= clock.wall():
                await intake.tick()
        told = Actual(wake_up=datetime(2026, 3, 14, 10, 5), wake_up_said=1)
        intake.outbox.now_is({"101": told})
        assert waiting(intake) == []
        for second in (321, 160):  # it has rung; two minutes before the next one
            assert waiting(intake) == []
            clock.wind(second)
            due = intake.house.deadline(clock.wall())
            assert due <= clock.wall()
            await intake.tick()
        assert waiting(intake) == ["101"]
        assert intake.outbox.step("101").call.at == datetime(2026, 3, 14, 10, 10)
