"""What was delivered is noted soon, together, and not forgotten by a disk that fails."""

import asyncio
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import Clock
from gateway.events import CheckOut
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
    assert (noting.delivered, noting.called, noting.outbox.delivered) == ([first], {first.id}, 1)
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
