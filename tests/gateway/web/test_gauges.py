"""What is read when somebody asks for the metrics."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import Clock
from gateway.drivers.ucm.requests import Words, guest_tags
from gateway.house import House, Room
from gateway.metrics import Metrics
from gateway.pipeline.outbox import Outbox
from gateway.store import StorageFailed, Store, StoreWorker
from gateway.web.gauges import Gauges


class July(Clock):
    """A summer's day in Lisbon, one hour ahead of UTC."""

    def epoch(self):
        return datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def gauges(tmp_path):
    clock = July(ZoneInfo("Europe/Lisbon"))
    worker = StoreWorker(Store(tmp_path / "outbox.db"))
    house = House(zone=clock.zone, rooms={"101": Room(out=True)})
    outbox = Outbox(tags_of=lambda guest, stay: guest_tags(guest, stay, Words()), wall=clock.stamp)
    desired = house.rooms["101"].desired()
    outbox.heard("101", desired, ("GO|RN101|", clock.epoch() - 90, False))
    yield Gauges(Metrics(version="1", site="t"), outbox, worker, house, clock, tmp_path)
    worker.close()


def value(gauges, name, **labels):
    return gauges.metrics.registry.get_sample_value(f"pmsgw_{name}", labels)


@pytest.mark.asyncio
async def test_each_gauge_is_read_from_where_it_is(gauges):
    await gauges.refresh()
    assert value(gauges, "outbox_entries", lane="to_ucm", state="waiting") == 1
    assert value(gauges, "outbox_oldest_waiting_seconds", lane="to_ucm") == 90
    assert value(gauges, "outbox_oldest_waiting_seconds", lane="to_pms") == 0
    assert value(gauges, "outbox_entries", lane="to_ucm", state="parked") == 0
    gauges.outbox.went_wrong("101", "parked", "15: the UCM refuses a value")
    await gauges.refresh()
    assert value(gauges, "outbox_entries", lane="to_ucm", state="waiting") == 0
    assert value(gauges, "outbox_entries", lane="to_ucm", state="parked") == 1
    assert value(gauges, "outbox_oldest_waiting_seconds", lane="to_ucm") == 0
    assert value(gauges, "rooms", state="vacant") == 1
    assert value(gauges, "clock_timestamp_seconds") == gauges.clock.epoch()
    assert value(gauges, "utc_offset_seconds") == 3600
    assert 0 < value(gauges, "data_dir_free_bytes") < value(gauges, "data_dir_size_bytes")
    assert value(gauges, "outbox_up") == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", [StorageFailed("no"), TimeoutError()])
async def test_a_disk_that_does_not_answer_takes_no_other_metric_along(gauges, monkeypatch, fault):
    await gauges.refresh()

    def writes(_):
        raise fault

    monkeypatch.setattr(Store, "writes", writes)
    await gauges.refresh()
    assert value(gauges, "outbox_up") == 0
    assert value(gauges, "outbox_entries", lane="to_ucm", state="waiting") == 1


@pytest.mark.asyncio
async def test_a_disk_that_could_not_be_written_is_well_when_it_can_be(gauges, monkeypatch):
    gauges.store.trouble = "full"
    tried = []
    try_write = Store.try_write

    def trying(self):
        tried.append(True)
        if len(tried) == 1:
            raise StorageFailed("full")
        try_write(self)

    monkeypatch.setattr(Store, "try_write", trying)
    await gauges.refresh()
    assert value(gauges, "outbox_up") == 0
    await gauges.refresh()
    assert (value(gauges, "outbox_up"), gauges.store.trouble) == (1, "")


@pytest.mark.asyncio
async def test_a_disk_that_hangs_is_not_waited_for(gauges, monkeypatch):
    monkeypatch.setattr("gateway.web.gauges.ANSWER_WITHIN_S", 0.05)

    async def hanging(*_):
        await asyncio.sleep(60)

    monkeypatch.setattr("gateway.web.gauges.try_disk", hanging)
    async with asyncio.timeout(5):
        await gauges.refresh()
    assert value(gauges, "outbox_up") == 0
