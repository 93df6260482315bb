"""A sample of the storage's torture: power cuts, failing operations, bits; and that it can see."""

import asyncio
import threading
import time

import pytest

from gateway.store import Batch, Heard, Store, StoreWorker
from tests.torture.disk import VFS_NAME, Disk, mount, unmount
from tests.torture.storage import FAULTS, fault_at, flips, power_cuts


@pytest.mark.parametrize("seed", range(4))
def test_nothing_acknowledged_is_lost_by_a_power_cut(seed):
    cuts = power_cuts(seed, 1000)
    assert cuts.wrong == []
    assert cuts.images >= 1000


@pytest.mark.parametrize(
    "weak", [{"synchronous": "NORMAL"}, {"synchronous": "OFF"}, {"lies": True}], ids=str
)
def test_disks_that_lose_are_seen_to_lose(weak):
    """The negative controls: without them the test above could be blind."""
    assert power_cuts(1, 400, **weak).wrong


@pytest.mark.parametrize("answers", [False, True], ids=["silent", "answers"])
@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_operation_fails_each_record_has_its_effect_once(kind, answers):
    for first in (1, 2, 5, 8, 13, *range(20, 400, 23)):
        assert fault_at(kind, first, 1, answers=answers, records=40) == []
    for first in range(100, 250, 7):  # a sync fails, and then what would take it back
        assert fault_at(kind, first, 2, answers=answers, records=30) == []
    assert fault_at(kind, 200, 60, answers=answers, records=40) == []


def test_bits_that_turn_over_are_noticed():
    noticed, harmless, believed = flips(1, 200)
    assert (noticed + harmless, believed) == (200, 0)


@pytest.mark.asyncio
async def test_a_slow_disk_does_not_hold_up_the_loop(tmp_path):
    """A sync of 0.3 s: the commit waits for it, nobody else does."""
    disk, gaps, stop = Disk(), [], threading.Event()
    disk.on_operation = lambda operation: time.sleep(0.3 if operation == "sync" else 0)
    mount(disk, tmp_path)

    async def beat():
        loop = asyncio.get_running_loop()
        last = loop.time()
        while not stop.is_set():
            await asyncio.sleep(0.002)
            gaps.append(loop.time() - last)
            last = loop.time()

    worker = StoreWorker(await asyncio.to_thread(Store, tmp_path / "outbox.db", vfs=VFS_NAME))
    beating = asyncio.ensure_future(beat())
    began = time.monotonic()
    await worker(Store.put, Batch(rooms={"101": Heard(house="{}")}))
    took = time.monotonic() - began
    stop.set()
    await beating
    await asyncio.to_thread(worker.close)
    unmount(tmp_path)
    assert took >= 0.3
    assert max(gaps) < took / 2  # relative: a busy machine stretches both
