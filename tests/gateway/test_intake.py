"""Records in, entries out: one transaction, repeats known, refusals kept, no names in the log."""

import asyncio
import io
from contextlib import asynccontextmanager

import pytest

from gateway import logs
from gateway.house import House
from gateway.intake import Intake
from gateway.metrics import Metrics
from gateway.outbox import Outbox, OutboxWorker, StorageCorrupt, StorageFailed
from gateway.rooms import RoomMap
from protocols.fias import decode, normalize
from protocols.session import DataReceived, RecordRefused
from tests.fakes import HandClock


@asynccontextmanager
async def desk(tmp_path, *, answers=True, rooms=None):
    clock = HandClock()
    outbox = Outbox(tmp_path / "outbox.db")
    known, ledger = outbox.house()
    intake = Intake(
        house=House(zone=clock.zone, rooms=known, ledger=ledger),
        rooms=rooms or RoomMap(),
        outbox=OutboxWorker(outbox),
        normalize=normalize,
        clock=clock,
        metrics=Metrics(version="1", site="t"),
        answers=answers,
    )
    intake.remember(outbox.heard())
    try:
        yield intake
    finally:
        intake.outbox.close()


def said(*records):
    return [DataReceived(decode(record.encode()), record.encode()) for record in records]


def waiting(intake):
    return [type(each.event).__name__ for each in intake.outbox.outbox.due("to_ucm", 1e12, 99)]


def value(intake, name, **labels):
    return intake.metrics.registry.get_sample_value(name, labels)


@pytest.mark.asyncio
async def test_a_record_is_on_disk_when_it_is_taken(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN101|G#1|GNRossi|GSN|", "GI|RN102|G#2|GNMeyer|GSN|"))
        assert waiting(intake) == ["CheckIn", "CheckIn"]
    async with desk(tmp_path) as again:
        assert waiting(again) == ["CheckIn", "CheckIn"]
        assert again.house.rooms["101"].shown.name == "Rossi"


@pytest.mark.asyncio
async def test_a_repeat_inside_the_window_is_not_taken_twice(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("RE|RN101|RS5|"))
        intake.clock.wind(14)
        await intake.take(said("RE|RN101|RS5|"))
        await asyncio.sleep(0)
        assert (waiting(intake), value(intake, "pmsgw_records_repeated_total")) == (
            ["RoomStatus"],
            1,
        )
    async with desk(tmp_path) as again:  # a restart between the record and its repeat
        await again.take(said("RE|RN101|RS5|"))
        assert waiting(again) == ["RoomStatus"]


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
        assert intake.outbox.outbox.totals().entries["to_ucm", "waiting"] >= 2


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
        assert [each.reason for each in intake.outbox.outbox.refused()] == [
            "no_room",
            "no_time",
            "empty",
        ]
        assert value(intake, "pmsgw_records_refused_total", reason="no_room") == 1
        assert intake.outbox.outbox.refused()[0].body == b"GI|G#1|GNRossi|"


@pytest.mark.asyncio
async def test_a_full_disk_takes_nothing_and_forgets_nothing(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("GI|RN101|G#1|GNRossi|GSN|"))
        pages = intake.outbox.outbox._db.pragma("page_count")
        intake.outbox.outbox._db.pragma("max_page_count", pages)
        big = f"GI|RN102|G#2|GN{'x' * 7000}|GSN|"
        with pytest.raises(StorageFailed):
            await intake.take(said(big))
        assert "102" not in intake.house.rooms
        assert value(intake, "pmsgw_records_total", record="GI", direction="in") == 1
        intake.outbox.outbox._db.pragma("max_page_count", 100000)
        await intake.take(said(big))
        assert waiting(intake) == ["CheckIn", "CheckIn"]


@pytest.mark.asyncio
@pytest.mark.parametrize("answers", [True, False])
async def test_who_was_named_in_a_batch_in_doubt_is_not_swept_out(tmp_path, monkeypatch, answers):
    """The commit fails and is stored all the same: the resync has spoken of him."""
    put = Outbox.put

    def stored_and_failed(self, batch, delivered):
        put(self, batch, delivered)
        raise StorageFailed("the sync failed")

    async with desk(tmp_path, answers=answers) as intake:
        await intake.take(said("GI|RN101|G#1|GNRossi|GSN|", "GI|RN101|G#2|GNMeyer|GSY|", "DS|"))
        named = said("GI|RN101|G#1|GNRossini|GSY|SF|")
        monkeypatch.setattr(Outbox, "put", stored_and_failed)
        with pytest.raises(StorageFailed):
            await intake.take(named)
        monkeypatch.setattr(Outbox, "put", put)
        await intake.take(named)
        await intake.take(said("GI|RN101|G#2|GNMeyer|GSY|SF|", "DE|"))
        assert [guest.name for guest in intake.house.rooms["101"].guests] == ["Rossini", "Meyer"]


@pytest.mark.asyncio
async def test_entries_of_a_resync_stand_behind_live_ones(tmp_path):
    async with desk(tmp_path) as intake:
        await intake.take(said("DS|", "GI|RN101|G#1|GNA|SF|", "GI|RN102|G#2|GNB|GSN|", "DE|"))
        assert [e.event.room for e in intake.outbox.outbox.due("to_ucm", 1e12, 9)] == ["102", "101"]


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
        intake.normalize = brittle
        await intake.take(said("GI|RN101|G#1|GNA|", "GI|RN666|G#6|GNX|", "GI|RN102|G#2|GNB|"))
        assert waiting(intake) == ["CheckIn", "CheckIn"]
        (kept,) = intake.outbox.outbox.refused()
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
        intake.outbox.outbox.close()
        whole = path.read_bytes()
        path.write_bytes(whole[:5000] + bytes(len(whole) - 5000))
        with pytest.raises(StorageCorrupt):
            await intake.outbox(Outbox.rooms_waiting)
        assert (tmp_path / "outbox.db.corrupt-1").stat().st_size == len(whole)
        await intake.take(said("GI|RN102|G#2|GNMeyer|GSN|"))
        assert waiting(intake) == ["CheckIn"]  # Rossi's was lost with the file
        assert not intake.outbox.is_anew
    async with desk(tmp_path) as again:
        assert again.house.rooms["101"].shown.name == "Rossi"  # so that a comparison finds it
        assert again.house.rooms["102"].shown.name == "Meyer"


@pytest.mark.asyncio
async def test_what_may_be_counted_is_counted_from_zero(tmp_path):
    """A Prometheus sees steps, and none where a series begins with its first event."""
    async with desk(tmp_path) as intake:
        assert value(intake, "pmsgw_remarks_total", remark="share_flag") == 0
        assert value(intake, "pmsgw_remarks_total", remark="no_use") == 0
        assert value(intake, "pmsgw_guest_events_total", event="check_in") == 0
