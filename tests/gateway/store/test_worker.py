"""The store's thread: group commit, what it says about the disk, and a damaged file's end."""

import asyncio
import contextlib
import io
import itertools
import random
import resource
import signal
import threading

import apsw
import pytest
from structlog.testing import capture_logs

from gateway import logs
from gateway.store import (
    Batch,
    Heard,
    JournalLine,
    Refused,
    StorageCorrupt,
    StorageFailed,
    Store,
    StoreWorker,
    Told,
)
from tests.torture.disk import VFS_NAME, Disk, mount, unmount

CALL = JournalLine(at=1.0, room="101", call="check_in", result="0")


def batch(*rooms, **more):
    return Batch(rooms={room: Heard(house="in") for room in rooms}, ledger="{}", **more)


def damaged(store):
    with store.reading():
        raise apsw.CorruptError("a page is not what it was")


@pytest.fixture
def worker(tmp_path):
    worker = StoreWorker(Store(tmp_path / "outbox.db"))
    yield worker
    worker.close()


@pytest.fixture
def disk(tmp_path):
    disk = Disk()
    mount(disk, tmp_path)
    yield disk
    disk.fault = disk.on_operation = None
    unmount(tmp_path)


@pytest.fixture
def worker_on(disk, tmp_path):
    """A worker whose file lies on a disk that can fail."""
    worker = StoreWorker(Store(tmp_path / "outbox.db", vfs=VFS_NAME))
    yield worker
    disk.fault = disk.on_operation = None
    worker.close()


class Held:
    """The worker's thread stands still inside this block, so that whoever asks has to wait."""

    def __init__(self, worker):
        self.worker, self.stands, self.goes_on = worker, threading.Event(), threading.Event()

    async def __aenter__(self):
        self._holding = asyncio.ensure_future(self.worker(self._stand))
        await asyncio.to_thread(self.stands.wait)

    async def __aexit__(self, *error):
        self.goes_on.set()
        await self._holding

    def _stand(self, store):
        self.stands.set()
        self.goes_on.wait()


async def waiting(*calls):
    """These calls, once each of them has come into the queue."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0)
    return tasks


# --- Group commit ---


@pytest.mark.asyncio
async def test_all_who_wait_share_one_transaction(worker_on, disk):
    """What is dear is that the disk says yes: once for all of them."""
    syncs = []
    disk.on_operation = lambda operation: syncs.append(1) if operation == "sync" else None
    await worker_on(Store.put, batch("1"))
    for_one = len(syncs)
    syncs.clear()
    async with Held(worker_on):
        tasks = await waiting(
            *(worker_on(Store.put, batch(str(room))) for room in range(2, 7)),
            worker_on(Store.told, [Told(room="1", actual="A")], [CALL]),
        )
        held = len(syncs)
    assert await asyncio.gather(*tasks) == [2, 3, 4, 5, 6, None]
    assert (for_one, held, len(syncs)) == (1, 0, 1)
    kept = await worker_on(Store.load)
    assert set(kept.rooms) == {"1", "2", "3", "4", "5", "6"}
    assert (kept.rooms["1"].house, kept.rooms["1"].actual) == ("in", "A")
    assert await worker_on(Store.journal) == [CALL]


@pytest.mark.asyncio
async def test_who_waits_is_not_answered_before_it_is_durable(worker_on, disk):
    loop, tasks, answered = asyncio.get_running_loop(), [], []

    async def look():
        for _ in range(10):  # an answer takes a few turns of the loop
            await asyncio.sleep(0)
        answered.extend(task.done() for task in tasks)

    def before_each(operation):
        if operation == "sync":
            asyncio.run_coroutine_threadsafe(look(), loop).result()

    async with Held(worker_on):
        tasks += await waiting(worker_on(Store.put, batch("1")), worker_on(Store.put, batch("2")))
        disk.on_operation = before_each
    await asyncio.gather(*tasks)
    assert answered == [False, False]
    assert [task.result() for task in tasks] == [1, 2]


@pytest.mark.asyncio
async def test_who_asked_for_something_impossible_fails_alone(worker):
    broken = Refused(at=1.0, reason="", body=object(), advice="")

    def bug(store):
        raise ZeroDivisionError("a bug of ours")

    async with Held(worker):
        tasks = await waiting(
            worker(Store.put, batch("1")),
            worker(Store.put, batch("2", refused=[broken])),
            worker(bug),
            worker(Store.put, batch("3")),
        )
    first, impossible, bug_of_ours, last = await asyncio.gather(*tasks, return_exceptions=True)
    assert (first, last) == (1, 2)
    assert isinstance(impossible, TypeError)
    assert isinstance(bug_of_ours, ZeroDivisionError)
    assert set((await worker(Store.load)).rooms) == {"1", "3"}  # nothing of it, all of the others
    assert worker.trouble == ""


@pytest.mark.asyncio
async def test_commit_that_fails_fails_all_who_share_it(worker_on, disk):
    await worker_on(Store.put, batch("1"))
    async with Held(worker_on):
        tasks = await waiting(
            worker_on(Store.put, batch("2")),
            worker_on(Store.writes),
            worker_on(Store.told, [Told(room="1", actual="A")], [CALL]),
        )
        disk.fault = lambda operation, _: apsw.SQLITE_IOERR_WRITE if operation == "write" else None
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in results] == [StorageFailed] * 3
    assert worker_on.trouble
    disk.fault = None
    kept = await worker_on(Store.load)
    assert (set(kept.rooms), kept.writes, kept.rooms["1"].actual) == ({"1"}, 1, "")
    assert await worker_on(Store.journal) == []
    assert await worker_on(Store.put, batch("2")) == 2  # and it goes on


@pytest.mark.asyncio
async def test_work_of_a_caller_who_was_cancelled_is_done(worker):
    async with Held(worker):
        gone, stays = await waiting(worker(Store.put, batch("1")), worker(Store.put, batch("2")))
        gone.cancel()
        await asyncio.sleep(0)
        assert gone.cancelled()
    assert await stays == 2
    assert set((await worker(Store.load)).rooms) == {"1", "2"}


@pytest.mark.asyncio
async def test_failed_commit_is_told_to_whoever_still_waits(worker_on, disk):
    async with Held(worker_on):
        gone, stays = await waiting(
            worker_on(Store.put, batch("1")), worker_on(Store.put, batch("2"))
        )
        gone.cancel()
        await asyncio.sleep(0)
        disk.fault = lambda operation, _: apsw.SQLITE_FULL if operation == "write" else None
    with pytest.raises(StorageFailed, match="FullError"):
        await stays
    disk.fault = None
    assert await worker_on(Store.put, batch("3")) == 1


@pytest.mark.asyncio
async def test_callers_are_served_in_the_order_in_which_they_asked(worker):
    async with Held(worker):
        tasks = await waiting(
            worker(Store.put, Batch(rooms={"1": Heard(house="first")})),
            worker(Store.put, Batch(rooms={"1": Heard(house="second")})),
            worker(Store.load),
            worker(Store.put, Batch(rooms={"1": Heard(house="third")})),
        )
    results = await asyncio.gather(*tasks)
    assert results[2].rooms["1"].house == "second"
    assert (await worker(Store.load)).rooms["1"].house == "third"


@pytest.mark.asyncio
async def test_every_call_is_made_in_one_thread_that_is_not_the_loops(worker):
    def where(store):
        return threading.current_thread()

    threads = {await worker(where), await worker(where)}
    assert len(threads) == 1
    assert threading.current_thread() not in threads


# --- What it says about the disk ---

READERS = [
    (Store.load, ()), (Store.writes, ()), (Store.refused, ()), (Store.journal, ()),
    (Store.lacks_its_house, ()), (Store.audit, ()),
]  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("reader", "given"), READERS, ids=lambda each: getattr(each, "__name__", "")
)
async def test_disk_that_said_no_is_in_trouble_until_it_takes_something(worker, reader, given):
    """That it can be read says nothing about the next record."""
    assert worker.trouble == ""
    await worker(Store.put, batch("101"))
    handle = worker.store.engine._db
    handle.pragma("max_page_count", handle.pragma("page_count"))
    with pytest.raises(StorageFailed):
        await worker(Store.try_write)
    assert "full" in worker.trouble
    await worker(reader, *given)
    assert "full" in worker.trouble
    handle.pragma("max_page_count", 100_000)
    await worker(Store.try_write)
    assert worker.trouble == ""


@pytest.mark.asyncio
async def test_damaged_file_makes_way_and_says_so_once(worker, tmp_path):
    log = io.StringIO()
    logs.set_up(site="t", stream=log)
    await worker(Store.put, batch("101"))
    assert worker.is_anew is False
    with pytest.raises(StorageCorrupt):
        await worker(damaged)
    logs.set_up(quiet=True)
    assert worker.is_anew
    assert "damaged" in worker.trouble
    assert await worker(Store.writes) == 0
    kept = Store(tmp_path / "outbox.db.corrupt-1")
    assert set(kept.load().rooms) == {"101"}
    kept.close()
    assert log.getvalue().count("store_corrupt") == 1
    assert "outbox.db.corrupt-1" in log.getvalue()


@pytest.mark.asyncio
async def test_all_who_met_a_damaged_file_are_told_and_nothing_of_them_is_in_the_next(worker):
    logs.set_up(quiet=True)
    async with Held(worker):
        tasks = await waiting(
            worker(Store.put, batch("1")), worker(damaged), worker(Store.put, batch("2"))
        )
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in results] == [StorageCorrupt] * 3
    assert (await worker(Store.load)).rooms == {}
    assert await worker(Store.put, batch("3")) == 1


@pytest.mark.asyncio
async def test_damaged_file_has_made_way_also_where_there_is_no_room_for_another(worker):
    logs.set_up(quiet=True)  # not to a file either
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def damaged_and_full(store):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, was[1]))
        damaged(store)

    try:
        with pytest.raises(StorageCorrupt):
            await worker(damaged_and_full)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
        signal.signal(signal.SIGXFSZ, ignored)
    assert worker.is_anew  # whoever comes next writes the house into what is there then
    assert await worker(Store.put, batch("101")) == 1


# --- Its end ---


@pytest.mark.asyncio
async def test_disk_that_hangs_is_left_to_itself(tmp_path):
    worker, hangs = StoreWorker(Store(tmp_path / "outbox.db")), threading.Event()
    asking = asyncio.ensure_future(worker(lambda _: hangs.wait()))
    await asyncio.sleep(0)
    worker.close(0.05)  # and does not wait for it
    assert not asking.done()
    hangs.set()
    await asking
    worker.close()
    assert [path.name for path in tmp_path.iterdir()] == ["outbox.db"]


@pytest.mark.asyncio
async def test_closing_finishes_what_was_begun_and_folds_the_log_into_the_file(tmp_path):
    worker = StoreWorker(Store(tmp_path / "outbox.db"))
    async with Held(worker):
        tasks = await waiting(*(worker(Store.put, batch(str(room))) for room in range(3)))
        closing = asyncio.ensure_future(asyncio.to_thread(worker.close))
        await asyncio.sleep(0)
    await closing
    assert await asyncio.gather(*tasks) == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["outbox.db"]
    store = Store(tmp_path / "outbox.db")
    assert set(store.load().rooms) == {"0", "1", "2"}
    store.close()


@pytest.mark.asyncio
async def test_a_disk_that_fails_is_told_once_a_cause_with_its_remedy_and_again_at_its_end(
    disk, worker_on
):
    logs.set_up()
    with capture_logs() as said:
        for code in (
            apsw.SQLITE_FULL,
            apsw.SQLITE_FULL,
            apsw.SQLITE_READONLY,
            apsw.SQLITE_READONLY,
        ):
            disk.fault = lambda operation, _, code=code: code if operation == "write" else None
            with pytest.raises(StorageFailed):
                await worker_on(Store.put, batch("101"))
        disk.fault = None
        await worker_on(Store.put, batch("101"))
        await worker_on(Store.put, batch("102"))
    told = [(each["event"], each.get("do", "").split(";")[0]) for each in said]
    assert told == [
        ("store_failed", "free the disk"),
        ("store_failed", "make site.data_dir writable for the service's user"),
        ("store_recovered", ""),
    ]


CAUSES = {
    apsw.SQLITE_FULL: "free",
    apsw.SQLITE_READONLY: "make",
    apsw.SQLITE_IOERR: "look",
    None: "",
}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.asyncio
async def test_however_often_causes_come_and_go_each_is_told_when_it_changes(disk, worker_on, seed):
    logs.set_up()
    causes = random.Random(seed).choices(list(CAUSES), k=25)
    with capture_logs() as said:
        for number, code in enumerate(causes):
            disk.fault = lambda operation, _, code=code: code if operation == "write" else None
            with contextlib.suppress(StorageFailed):
                await worker_on(Store.put, batch(f"{number}"))
    changes = [now for before, now in itertools.pairwise([None, *causes]) if now != before]
    events = ["store_recovered" if cause is None else "store_failed" for cause in changes]
    assert [each["event"] for each in said] == events
