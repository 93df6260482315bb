"""The long retry: who waits, for how long, who is parked, and who is not held back."""

import asyncio
import itertools
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from threading import Event
from types import SimpleNamespace

import pytest

from gateway.drivers.base import Paused, Refused, Rejected, SessionRefused, Unreachable
from gateway.events import CheckIn, CheckOut, Guest, Update
from gateway.metrics import Metrics
from gateway.outbox import Batch, NewEntry, Outbox, OutboxWorker, StorageFailed
from gateway.relay import Relay
from tests.fakes import HandClock


class ScriptedDriver:
    """Answers calls from a script, and notes when they came."""

    def __init__(self, clock):
        self.clock, self.script, self.calls, self.probes = clock, {}, [], []

    async def apply(self, event, *, unsure, repairs, after=None):
        if after is not None:
            await after
        self.calls.append((round(self.clock.now() - 1000, 1), event.room, unsure, repairs))
        outcomes = self.script.get(event.room, [])
        outcome = outcomes.pop(0) if outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def action_of(self, event):
        return "checkin"

    async def probe(self):
        self.probes.append(round(self.clock.now() - 1000, 1))
        outcomes = self.script.get("probe", [])
        if outcomes:
            raise outcomes.pop(0)

    async def close(self):
        pass


class Winding(Relay):
    """A relay whose naps wind the clock instead of waiting."""

    __slots__ = ()

    async def _nap(self, seconds):
        self.clock.wind(seconds)
        await asyncio.sleep(0)

    async def _wait_for_work(self):
        self.clock.wind(0.5)
        await asyncio.sleep(0)


@asynccontextmanager
async def relay_on(tmp_path, *rooms, retries=3, interval=60.0):
    clock = HandClock()
    worker = OutboxWorker(Outbox(tmp_path / "outbox.db"))
    driver = ScriptedDriver(clock)
    relay = Winding(outbox=worker, driver=driver, clock=clock, metrics=Metrics(version="1", site="t"),
                    retries=retries, retry_interval_s=interval, rng=lambda: 1.0)  # fmt: skip
    worker.outbox.put(Batch(entries=[
        NewEntry(event=CheckOut(room=room), record="GO|", received_at=clock.epoch()) for room in rooms
    ]))  # fmt: skip
    try:
        yield relay
    finally:
        worker.close()


async def run_for(relay, seconds):
    until = relay.clock.now() + seconds
    relay._stopping.clear()
    running = asyncio.ensure_future(relay.run())
    while relay.clock.now() < until:
        await asyncio.sleep(0)
        if running.done():
            await running
    relay.stop()
    await running


def state(relay):
    return {
        key[1]: count
        for key, count in relay.outbox.outbox.totals().entries.items()
        if key[0] == "to_ucm" and key[1] in ("waiting", "parked")
    }


@pytest.mark.asyncio
async def test_what_waits_is_delivered_in_order_and_noted(tmp_path):
    async with relay_on(tmp_path, "101", "102") as relay:
        guest = Guest(key="1", name="A", came=HandClock().stamp())
        later = NewEntry(event=CheckIn(room="101", guest=guest), record="", received_at=1.0)
        relay.outbox.outbox.put(Batch(entries=[later]))
        await run_for(relay, 1)
        assert [call[1] for call in relay.driver.calls] == ["101", "102", "101"]
        assert state(relay) == {"waiting": 0, "parked": 0}
        assert relay.ucm_up


@pytest.mark.asyncio
async def test_a_passing_refusal_is_tried_so_often_and_then_parked(tmp_path):
    async with relay_on(tmp_path, "101", "102", retries=2, interval=60) as relay:
        relay.driver.script["101"] = [Refused(-9, "-9: no")] * 9
        await run_for(relay, 200)
        times = [call[0] for call in relay.driver.calls if call[1] == "101"]
        assert len(times) == 3
        assert times[1] - times[0] == pytest.approx(60, abs=1)
        assert relay.driver.calls[1][1] == "102"  # its own room only is held back
        assert state(relay) == {"waiting": 0, "parked": 1}


@pytest.mark.asyncio
async def test_a_rejection_is_parked_at_once(tmp_path):
    async with relay_on(tmp_path, "101", "102") as relay:
        relay.driver.script["101"] = [Rejected(18, "18: no such room")]
        await run_for(relay, 100)
        assert [call[1] for call in relay.driver.calls] == ["101", "102"]
        assert state(relay) == {"waiting": 0, "parked": 1}


@pytest.mark.asyncio
async def test_an_absent_ucm_is_asked_for_ever_with_growing_pauses(tmp_path):
    async with relay_on(tmp_path, "101", retries=0, interval=30) as relay:
        relay.driver.script["101"] = [Unreachable("timeout", "no reply", sent=True)] * 40
        relay.driver.script["probe"] = [Unreachable("timeout", "no reply", sent=False)] * 40
        await run_for(relay, 400)
        times = sorted([call[0] for call in relay.driver.calls] + relay.driver.probes)
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert gaps[:4] == pytest.approx([1, 2, 4, 8], abs=1.1)
        assert max(gaps) <= 31
        assert relay.driver.calls[0][2] is False
        assert relay.driver.calls[1][2] is True  # unsure from the first lost reply on
        assert state(relay) == {"waiting": 1, "parked": 0}
        assert not relay.ucm_up
        relay.driver.script.clear()
        await run_for(relay, 62)
        assert state(relay) == {"waiting": 0, "parked": 0}


@pytest.mark.asyncio
async def test_one_row_that_kills_the_connection_does_not_stop_the_others(tmp_path):
    async with relay_on(tmp_path, "101", *(str(room) for room in range(200, 230))) as relay:
        relay.driver.script["101"] = [Unreachable("reset", "reset", sent=True)] * 99
        await run_for(relay, 60)
        assert len({call[1] for call in relay.driver.calls}) == 31
        assert state(relay)["waiting"] == 1


@pytest.mark.asyncio
async def test_a_pause_holds_back_everything_and_charges_nobody(tmp_path):
    async with relay_on(tmp_path, "101", "102", retries=0) as relay:
        relay.driver.script["101"] = [Paused(-45, "-45: busy", 15, loud=False)]
        await run_for(relay, 30)
        assert [(call[0], call[1]) for call in relay.driver.calls] == [
            (0.0, "101"), (15.0, "101"), (15.0, "102")
        ]  # fmt: skip


@pytest.mark.asyncio
async def test_a_stop_is_tried_once_in_five_minutes(tmp_path):
    async with relay_on(tmp_path, "101", retries=0) as relay:
        relay.driver.script["101"] = [Paused(-37, "-37: wrong password", 300, loud=True)] * 3
        await run_for(relay, 1000)
        assert [call[0] for call in relay.driver.calls] == [0.0, 300.0, 600.0, 900.0]
        assert state(relay) == {"waiting": 0, "parked": 0}


@pytest.mark.asyncio
async def test_a_refused_session_is_not_the_rows_fault(tmp_path):
    async with relay_on(tmp_path, "101", retries=0, interval=60) as relay:
        relay.driver.script["101"] = [SessionRefused(-8, "-8", sent=True)] * 5
        await run_for(relay, 400)
        assert len(relay.driver.calls) == 6
        assert relay.driver.calls[1][2] is True
        assert state(relay) == {"waiting": 0, "parked": 0}


@pytest.mark.asyncio
async def test_a_quiet_ucm_is_asked_at_least_once_a_minute(tmp_path):
    async with relay_on(tmp_path) as relay:
        relay.driver.script["probe"] = [Unreachable("timeout", "x", sent=False)]
        await run_for(relay, 200)
        assert relay.driver.probes[0] == 0
        gaps = [b - a for a, b in zip(relay.driver.probes, relay.driver.probes[1:], strict=False)]
        assert max(gaps) < 60
        assert relay.ucm_up


@pytest.mark.asyncio
async def test_a_delivered_row_repairs_and_supersedes_a_parked_one(tmp_path):
    guest = Guest(key="1", name="A", came=HandClock().stamp())
    async with relay_on(tmp_path) as relay:
        entries = [NewEntry(event=CheckIn(room="101", guest=guest), record="", received_at=1.0)] * 2
        relay.outbox.outbox.put(Batch(entries=entries))
        relay.driver.script["101"] = [Rejected(15, "15: a value")]
        await run_for(relay, 1)
        assert [call[3] for call in relay.driver.calls] == [False, True]
        assert state(relay) == {"waiting": 0, "parked": 0}
        assert relay.outbox.outbox.totals().entries["to_ucm", "superseded"] == 1


@pytest.mark.asyncio
async def test_a_wall_clock_that_jumps_back_delays_nobody_for_long(tmp_path):
    async with relay_on(tmp_path, "101") as relay:
        relay.driver.script["101"] = [Unreachable("timeout", "x", sent=True)]
        await run_for(relay, 0.4)
        assert state(relay)["waiting"] == 1  # it waits for a moment of the clock
        relay.clock.jump(-86400 * 365)
        await run_for(relay, 30)
        assert state(relay)["waiting"] == 0


@pytest.mark.asyncio
async def test_a_bug_met_on_one_row_parks_it_and_the_others_go_on(tmp_path):
    async with relay_on(tmp_path, "101", "102") as relay:
        relay.driver.script["101"] = [ZeroDivisionError()]
        await run_for(relay, 2)
        assert [call[1] for call in relay.driver.calls] == ["101", "102"]
        assert state(relay) == {"waiting": 0, "parked": 1}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("refusals", "is_folded"),
    [([Rejected(15, "15")], False), ([Refused(-9, "-9")] * 3, False), ([Rejected(15, "15")], True)],
    ids=["rejected", "refused too often", "folded, and then alone"],
)
async def test_a_call_that_was_refused_for_good_was_not_made(tmp_path, refusals, is_folded):
    """Else "already checked in" would be taken for our guest, and a stranger's mailbox stay."""
    async with relay_on(tmp_path, *(() if is_folded else ("101",)), retries=2, interval=5) as relay:
        relay.marks_calls = True
        box, guest = relay.outbox.outbox, Guest(key="1", name="A", came=HandClock().stamp())
        if is_folded:
            events = CheckIn(room="101", guest=guest), Update(room="101", guest=guest, was=guest)
            box.put(Batch(entries=[
                NewEntry(event=event, record="", received_at=1.0) for event in events
            ]))  # fmt: skip
        relay.driver.script["101"] = list(refusals)
        await run_for(relay, 100)
        for row in box.rows(["parked"]):
            box.retry(row.id)
        await run_for(relay, 10)
        assert len(relay.driver.calls) > len(refusals)
        assert not any(call[2] for call in relay.driver.calls)


@pytest.mark.asyncio
async def test_a_pause_behind_a_call_that_may_have_been_done_leaves_it_unsure(tmp_path):
    async with relay_on(tmp_path, "101") as relay:
        pause = Paused(-68, "-68: banned", 30.0, loud=True)
        pause.sent = True
        relay.driver.script["101"] = [pause]
        await run_for(relay, 60)
        assert [call[2] for call in relay.driver.calls] == [False, True]


@pytest.mark.asyncio
async def test_who_asks_for_a_comparison_is_answered_while_the_disk_is_full(tmp_path, monkeypatch):
    async with relay_on(tmp_path, "101") as relay:
        relay.reconciler = Uninterested()
        monkeypatch.setattr(Outbox, "done", fail)
        await run_for(relay, 2)
        asked = asyncio.ensure_future(relay.compare_now())
        await asyncio.sleep(0)
        await run_for(relay, 2)
        assert asked.done()
        assert await asked is None


class Uninterested:
    """A reconciler that never has anything to do."""

    def is_due(self, **_):
        return False

    def due_in(self):
        return 900.0

    def want(self, **_):
        pass


def fail(*_):
    raise StorageFailed("full")


@pytest.mark.asyncio
async def test_a_call_that_is_done_but_could_not_be_noted_is_noted_later(tmp_path):
    async with relay_on(tmp_path, "101") as relay:
        done, failures = Outbox.done, [StorageFailed("full")]

        def failing(self, entries, now):
            if failures:
                raise failures.pop()
            return done(self, entries, now)

        Outbox.done = failing
        try:
            running = asyncio.ensure_future(relay.run())
            await until(lambda: state(relay)["waiting"] == 0)
            relay.stop()
            await running
        finally:
            Outbox.done = done
        assert failures == []
        assert [call[2] for call in relay.driver.calls] == [False]
        assert state(relay) == {"waiting": 0, "parked": 0}


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_what_is_delivered_is_noted_while_the_next_call_takes_its_time(tmp_path):
    async with relay_on(tmp_path, "101", "102", "103", "104") as relay:
        reply = asyncio.Event()

        async def apply(event, *, unsure, repairs, after=None):
            relay.driver.calls.append((0.0, event.room, unsure, repairs))
            if event.room == "103":
                await reply.wait()

        relay.driver.apply = apply
        running = asyncio.ensure_future(relay.run())
        await until(lambda: state(relay)["waiting"] == 2)  # one commit for both that are done
        assert [call[1] for call in relay.driver.calls] == ["101", "102", "103"]
        reply.set()
        await until(lambda: state(relay)["waiting"] == 0)
        relay.stop()
        await running
        assert [call[1] for call in relay.driver.calls] == ["101", "102", "103", "104"]


@pytest.mark.asyncio
async def test_what_was_delivered_before_a_failure_is_noted_before_the_pause(tmp_path):
    async with relay_on(tmp_path, "101", "102", "103") as relay:
        relay.driver.script["102"] = [Unreachable("reset", "gone", sent=False)]
        noted = []

        async def failing(self, *given, **how):
            noted.append(state(self)["waiting"])
            await Relay._failed(self, *given, **how)

        Winding._failed = failing
        try:
            await run_for(relay, 5)
        finally:
            del Winding._failed
        assert noted == [2]
        assert [call[1] for call in relay.driver.calls] == ["101", "102", "102", "103"]
        assert state(relay)["waiting"] == 0


@pytest.mark.asyncio
async def test_what_was_fetched_and_dropped_is_not_called_behind_what_is_coming(tmp_path):
    async with relay_on(tmp_path, "100", "101") as relay:
        guest = Guest(key="1", came=datetime(2026, 11, 21))

        async def apply(event, *, unsure, repairs, after=None):
            if after is not None:
                await after
            relay.driver.calls.append(event)
            if len(relay.driver.calls) == 1:  # meanwhile an operator drops both, and a guest comes
                for row in (1, 2):
                    await relay.outbox(Outbox.drop, row, 1.0)
                entry = NewEntry(
                    event=CheckIn(room="101", guest=guest), record="GI|", received_at=1.0
                )
                storing = relay.outbox.put(Batch(entries=[entry]))
                assert relay.outbox.coming is not None
                relay.outbox.new_entries.set()
                await storing

        relay.driver.apply = apply
        await run_for(relay, 5)
        assert relay.driver.calls == [CheckOut(room="100"), CheckIn(room="101", guest=guest)]


@pytest.mark.asyncio
async def test_nothing_is_called_for_an_entry_that_could_not_be_stored(tmp_path, monkeypatch):
    async with relay_on(tmp_path) as relay:
        put, failures = Outbox.put, [StorageFailed("full")]

        def failing(self, batch, delivered):
            if failures:
                raise failures.pop()
            return put(self, batch, delivered)

        monkeypatch.setattr(Outbox, "put", failing)
        running = asyncio.ensure_future(relay.run())
        entry = NewEntry(event=CheckOut(room="101"), record="GO|", received_at=1.0)
        for is_stored in (False, True):
            storing = relay.outbox.put(Batch(entries=[entry]))
            assert (relay.outbox.coming is None) == is_stored  # after a failure nobody is sure
            relay.outbox.new_entries.set()
            with nullcontext() if is_stored else pytest.raises(StorageFailed):
                await storing
            await asyncio.sleep(0.05)
            assert len(relay.driver.calls) == is_stored
        assert relay.driver.calls[0][1:] == ("101", False, False)  # nobody has called it before
        relay.stop()
        await running


@pytest.mark.asyncio
async def test_a_call_is_made_ready_while_its_entry_is_being_stored(tmp_path, monkeypatch):
    async with relay_on(tmp_path) as relay:
        put, on_disk, seen = Outbox.put, Event(), []

        def slow(self, batch, delivered):
            assert on_disk.wait(5)
            return put(self, batch, delivered)

        async def apply(event, *, unsure, repairs, after=None):
            seen.append(("ready", relay.outbox.accepted))
            await after
            seen.append(("said", relay.outbox.accepted))

        monkeypatch.setattr(Outbox, "put", slow)
        relay.driver.apply = apply
        running = asyncio.ensure_future(relay.run())
        entry = NewEntry(event=CheckOut(room="101"), record="GO|", received_at=1.0)
        storing = asyncio.ensure_future(relay.outbox.put(Batch(entries=[entry])))
        relay.outbox.new_entries.set()
        await until(lambda: seen)
        on_disk.set()
        await storing
        await until(lambda: len(seen) == 2)
        assert seen == [("ready", 0), ("said", 1)]
        relay.stop()
        await running


@pytest.mark.asyncio
async def test_a_file_that_made_way_while_somebody_else_looked_is_compared(tmp_path):
    async with relay_on(tmp_path, "101") as relay:
        wanted = []
        relay.reconciler = SimpleNamespace(
            want=lambda *, anew: wanted.append(anew),
            is_due=lambda **_: False,
            due_in=lambda: 1.0,
        )

        async def apply(event, *, unsure, repairs, after=None):
            relay.outbox.outbox.begin_anew()
            entry = NewEntry(event=CheckOut(room="102"), record="GO|", received_at=1.0)
            relay.outbox.outbox.put(Batch(entries=[entry]))
            relay.driver.calls.append(event.room)
            del relay.driver.apply

        relay.driver.apply = apply
        await run_for(relay, 5)
        assert [call if isinstance(call, str) else call[1] for call in relay.driver.calls] == [
            "101", "102"
        ]  # fmt: skip
        assert True in wanted


@pytest.mark.asyncio
async def test_a_live_record_goes_before_what_was_fetched(tmp_path):
    async with relay_on(tmp_path) as relay:

        def put(room, *, background):
            entry = NewEntry(
                event=CheckOut(room=room), record="", received_at=1.0, background=background
            )
            relay.outbox.outbox.put(Batch(entries=[entry]))

        for room in ("201", "202", "203"):
            put(room, background=True)

        async def apply(event, *, unsure, repairs, after=None):
            relay.driver.calls.append(event.room)
            if event.room == "201":  # meanwhile somebody checks out at the desk
                put("101", background=False)
                relay.outbox.new_entries.set()

        relay.driver.apply = apply
        await run_for(relay, 5)
        assert relay.driver.calls == ["201", "101", "202", "203"]


@pytest.mark.asyncio
async def test_a_row_that_was_fetched_and_is_dropped_is_not_called(tmp_path):
    async with relay_on(tmp_path, "101", "102", "103") as relay:

        async def apply(event, *, unsure, repairs, after=None):
            relay.driver.calls.append(event.room)
            if event.room == "101":
                (row,) = (row for row in relay.outbox.outbox.rows(["waiting"]) if row.room == "102")
                relay.outbox.outbox.drop(row.id, 1.0)
                relay.outbox.new_entries.set()  # as gateway.control does

        relay.driver.apply = apply
        await run_for(relay, 5)
        assert relay.driver.calls == ["101", "103"]
