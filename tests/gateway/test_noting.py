"""What was delivered is noted soon, together, and not forgotten by a disk that fails."""

import asyncio
from datetime import datetime
from time import sleep
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import Clock
from gateway.events import CheckOut, Guest, Move
from gateway.noting import NOTE_WITHIN_S, Noting
from gateway.outbox import Batch, NewEntry, Outbox, OutboxWorker, StorageFailed


@pytest.fixture
def noting(tmp_path):
    worker = OutboxWorker(Outbox(tmp_path / "outbox.db"))
    worker.outbox.put(
        Batch(
            entries=[
                NewEntry(event=CheckOut(room=room), record="GO|", received_at=1.0)
                for room in ("101", "102", "103")
            ]
        )
    )
    yield Noting(worker, Clock(ZoneInfo("UTC")))
    worker.close()


def due(noting):
    return noting.outbox.outbox.due("to_ucm", 1e12, 9)


@pytest.mark.asyncio
async def test_deliveries_of_a_moment_are_noted_in_one_commit(noting, monkeypatch):
    commits, done = [], Outbox.done

    def counted(self, entries, now):
        commits.append([entry.event.room for entry in entries])
        return done(self, entries, now)

    monkeypatch.setattr(Outbox, "done", counted)
    for entry in due(noting)[:2]:
        noting.add(entry)
        await noting.soon()
    assert noting.outbox.delivered == 2
    await asyncio.sleep(3 * NOTE_WITHIN_S)
    assert commits == [["101", "102"]]
    assert noting.outbox.delivered == 0
    assert [entry.event.room for entry in due(noting)] == ["103"]


@pytest.mark.asyncio
async def test_what_cannot_be_noted_is_noted_at_the_next_try(noting, monkeypatch):
    done, failures = Outbox.done, [StorageFailed("full"), StorageFailed("full")]

    def failing(self, entries, now):
        if failures:
            raise failures.pop()
        return done(self, entries, now)

    monkeypatch.setattr(Outbox, "done", failing)
    first = due(noting)[0]
    noting.called.add(first.id)
    noting.add(first)
    await noting.soon()
    await asyncio.sleep(3 * NOTE_WITHIN_S)
    with pytest.raises(StorageFailed):
        await noting.soon()  # who comes next is told
    with pytest.raises(StorageFailed):
        await noting.now()
    assert (noting.delivered, noting.called, noting.outbox.delivered) == ([first], {first.id}, -1)
    await noting.now()
    assert (noting.delivered, noting.called, noting.outbox.delivered) == ([], set(), 0)
    assert first.id not in [entry.id for entry in due(noting)]


@pytest.mark.asyncio
async def test_it_knows_when_nothing_waits_but_what_is_delivered(noting):
    assert not noting.has_all(0)
    for number, entry in enumerate(due(noting), start=1):
        noting.add(entry)
        assert noting.has_all(number)
        assert not noting.has_all(3 if number < 3 else 2)
    noting.forget()
    assert (noting.delivered, noting.outbox.delivered) == ([], 0)


@pytest.mark.asyncio
async def test_an_entry_that_comes_behind_delivered_ones_may_be_delivered_at_once(noting):
    """All rows that seem to wait are delivered: what is being stored now need not wait for them."""
    entry = NewEntry(event=CheckOut(room="101"), record="GO|", received_at=2.0)
    await noting.outbox.put(Batch(entries=[entry]))
    assert noting.outbox.coming is None  # others have to be delivered before it
    for each in due(noting):
        noting.add(each)
    assert noting.outbox.delivered == 4  # the second one of room 101 is folded into the first
    storing = noting.outbox.put(Batch(entries=[entry]))
    coming = noting.outbox.coming
    assert (coming.entry.id, coming.entry.event) == (5, entry.event)
    await storing
    assert coming.stored.done()
    assert noting.outbox.outbox.row(5).state == "waiting"


@pytest.mark.asyncio
async def test_while_it_is_not_known_what_was_noted_nothing_is_delivered_before_it_is_stored(
    noting, monkeypatch
):
    """A note that fails and is stored all the same: the rows that wait then are others."""
    done = Outbox.done

    def stored_and_failed(self, entries, now):
        done(self, entries, now)
        raise StorageFailed("the sync failed")

    monkeypatch.setattr(Outbox, "done", stored_and_failed)
    for each in due(noting):
        noting.add(each)
    with pytest.raises(StorageFailed):
        await noting.now()
    assert noting.outbox.delivered == -1
    entry = NewEntry(event=CheckOut(room="101"), record="GO|", received_at=2.0)
    for _ in range(4):
        await noting.outbox.put(Batch(entries=[entry]))
        assert noting.outbox.coming is None
        assert not noting.has_all(noting.outbox.waiting)
    monkeypatch.setattr(Outbox, "done", done)
    await noting.now()
    assert noting.outbox.delivered == 0


@pytest.mark.asyncio
async def test_who_looks_and_gives_up_takes_no_note_along(noting, monkeypatch):
    done = Outbox.done

    def slow(self, entries, now):
        sleep(0.2)
        raise StorageFailed("full")

    monkeypatch.setattr(Outbox, "done", slow)
    first = due(noting)[0]
    noting.add(first)
    await noting.soon()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await noting.outbox.settle()
    monkeypatch.setattr(Outbox, "done", done)
    assert noting.delivered == [first]
    await noting.now()
    assert first.id not in [entry.id for entry in due(noting)]


@pytest.mark.asyncio
async def test_a_note_of_another_file_is_none_of_this_one(noting):
    first = due(noting)[0]
    box = noting.outbox.outbox
    box.begin_anew()
    box.put(Batch(entries=[NewEntry(event=CheckOut(room="101"), record="GO|", received_at=2.0)]))
    (new,) = due(noting)
    assert new.id == first.id
    noting.add(first)
    await noting.now()
    box.later(first, 1e11, "busy", attempts=1, unsure=True)
    box.mark(first, unsure=True)
    box.park(first, 3.0, "no")
    assert due(noting) == [new]


def test_a_move_waits_until_what_was_delivered_in_its_rooms_is_noted(noting):
    came = datetime(2026, 11, 21)
    move = Move(room="102", from_room="101", guest=Guest(key="1", came=came))
    assert not noting.comes_first(move)
    for each in due(noting)[2:]:
        noting.add(each)  # of another room
    assert not noting.comes_first(move)
    for each in due(noting)[:1]:
        noting.add(each)
    assert noting.comes_first(move)
    assert not noting.comes_first(CheckOut(room="101"))  # that may be said twice
