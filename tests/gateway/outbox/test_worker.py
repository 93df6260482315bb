"""The outbox's thread: what it says about the disk, and what becomes of a damaged file."""

import asyncio
import io
import resource
import signal
import threading

import apsw
import pytest

from gateway import logs
from gateway.events import CheckOut
from gateway.outbox import Batch, NewEntry, Outbox, OutboxWorker, StorageCorrupt, StorageFailed

ENTRY = NewEntry(event=CheckOut(room="101"), record="GO|RN101|", received_at=1.0)


@pytest.fixture
def worker(tmp_path):
    worker = OutboxWorker(Outbox(tmp_path / "outbox.db"))
    yield worker
    worker.close()


READERS = [
    (Outbox.due, ("to_ucm", 2.0)), (Outbox.totals, ()), (Outbox.house, ()), (Outbox.heard, ()),
    (Outbox.refused, ()), (Outbox.rows, (["waiting"],)), (Outbox.row, (1,)),
    (Outbox.rooms_waiting, ()), (Outbox.audit, ()),
]  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("reader", "given"), READERS, ids=lambda each: getattr(each, "__name__", "")
)
async def test_a_disk_that_said_no_is_in_trouble_until_it_takes_something(worker, reader, given):
    assert worker.trouble == ""
    await worker(Outbox.put, Batch(entries=[ENTRY]))
    pages = worker.outbox._db.pragma("page_count")
    worker.outbox._db.pragma("max_page_count", pages)
    with pytest.raises(StorageFailed):
        await worker(Outbox.try_write)
    assert "full" in worker.trouble
    await worker(reader, *given)  # that it can be read says nothing about the next record
    assert "full" in worker.trouble
    worker.outbox._db.pragma("max_page_count", 100000)
    await worker(Outbox.try_write)
    assert worker.trouble == ""


@pytest.mark.asyncio
async def test_a_damaged_file_makes_way_and_says_so_once(worker, tmp_path):
    log = io.StringIO()
    logs.set_up(site="t", stream=log)
    await worker(Outbox.put, Batch(entries=[ENTRY]))
    assert (worker.accepted, worker.is_anew) == (1, False)

    def damaged(outbox):
        with outbox.reading():
            raise apsw.CorruptError("a page is not what it was")

    with pytest.raises(StorageCorrupt):
        await worker(damaged)
    logs.set_up(quiet=True)
    assert worker.is_anew
    assert "damaged" in worker.trouble
    assert worker.accepted == 0
    kept = Outbox(tmp_path / "outbox.db.corrupt-1")
    assert [row.room for row in kept.rows(["waiting"])] == ["101"]
    kept.close()
    assert log.getvalue().count("outbox_corrupt") == 1
    assert "outbox.db.corrupt-1" in log.getvalue()


@pytest.mark.asyncio
async def test_a_damaged_file_has_made_way_also_where_there_is_no_room_for_another(worker):
    logs.set_up(quiet=True)  # not to a file either
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def damaged(outbox):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, was[1]))
        with outbox.reading():
            raise apsw.CorruptError("a page is not what it was")

    try:
        with pytest.raises(StorageCorrupt):
            await worker(damaged)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
        signal.signal(signal.SIGXFSZ, ignored)
    assert worker.is_anew  # whoever comes next writes the house into what is there then
    await worker(Outbox.put, Batch(entries=[ENTRY]))


@pytest.mark.asyncio
async def test_every_call_is_made_in_one_thread_that_is_not_the_loops(worker):
    def where(outbox):
        return threading.current_thread()

    threads = {await worker(where), await worker(where)}
    assert len(threads) == 1
    assert threading.current_thread() not in threads


@pytest.mark.asyncio
async def test_a_disk_that_hangs_is_left_to_itself(tmp_path):
    worker, hangs = OutboxWorker(Outbox(tmp_path / "outbox.db")), threading.Event()
    asking = asyncio.ensure_future(worker(lambda _: hangs.wait()))
    worker.close(0.05)  # and does not wait for it
    assert not asking.done()
    hangs.set()
    await asking
    worker.close()


@pytest.mark.asyncio
async def test_closing_finishes_and_folds_the_log_into_the_file(tmp_path):
    worker = OutboxWorker(Outbox(tmp_path / "outbox.db"))
    await worker(Outbox.put, Batch(entries=[ENTRY]))
    worker.close()
    assert [path.name for path in tmp_path.iterdir()] == ["outbox.db"]
    with pytest.raises(RuntimeError):
        await worker(Outbox.totals)
