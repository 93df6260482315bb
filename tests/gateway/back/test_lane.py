"""The lane: one posting at a time, each under its own number, none twice, none lost."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from gateway.back.sending import (
    FIRST_PAUSE_S,
    MOST_TRIES,
    NIGHT_AUDIT_AT_MOST_S,
    NotPossible,
    Ready,
)
from gateway.back.states import Cause
from tests.gateway.back.cash_desk import Desk


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "outbox.db")
    yield desk
    desk.close()


def play(desk, *steps):
    """Steps one after the other, then what is on disk."""

    async def run():
        for step in steps:
            await step()

    asyncio.run(run())
    return desk.states()


def booked(desk, cause="a"):
    """A posting that was sent and has arrived; its answer is owed."""
    play(desk, lambda: desk.add(cause), desk.turn)
    (record,) = desk.wire
    desk.wire.clear()
    desk.lane.arrived(record)
    return record


def test_one_is_out_at_a_time_and_the_next_one_follows_its_answer(desk):
    play(desk, lambda: desk.add("a", "b"), lambda: desk.turn(5))
    assert [(each.cause, each.number) for each in desk.wire] == [("a", 1)]
    play(desk, lambda: desk.answer(1), lambda: desk.turn(5))
    assert [(each.cause, each.number) for each in desk.wire] == [("a", 1), ("b", 2)]
    assert desk.states() == {"a": "booked", "b": "sent"}


def test_what_was_sent_is_on_disk_before_its_bytes_leave(desk):
    seen = []
    say = desk.lane.say

    def look(record):
        # The store's own thread is idle by then: `say` comes behind the commit.
        seen.extend((row.cause, row.state, row.number) for row in desk.store.store.open_postings())
        return say(record)

    desk.lane.say = look
    play(desk, lambda: desk.add("a"), desk.turn)
    assert seen == [("a", "sent", 1)]


def test_what_an_operator_drops_at_the_last_moment_is_not_sent(desk):
    """The lane has chosen it, and waits for whoever is writing: the operator."""

    async def run():
        await desk.add("a")
        (id_,) = desk.lane.open
        dropping = asyncio.create_task(desk.lane.operate(id_, Cause.SAID_DROP, "ana", "no"))
        await asyncio.sleep(0)  # he holds the lock, and waits for the disk
        await asyncio.gather(dropping, desk.lane._turn())

    asyncio.run(run())
    assert (desk.wire, desk.states()) == ([], {"a": "dropped"})


@pytest.mark.parametrize("before", ["RY", "operator"])
def test_a_late_ok_closes_what_was_to_be_sent_again(desk, before):
    booked(desk)
    if before == "RY":
        play(desk, lambda: desk.answer(1, "RY"))
    else:
        desk.clock.at += 31
        play(desk, desk.turn)
        (id_,) = desk.lane.open
        desk.ready = Ready(is_up=False, in_resync=False, night_audit=False)
        play(desk, lambda: desk.lane.operate(id_, Cause.SAID_AGAIN, "ana", ""))
    assert play(desk, lambda: desk.answer(1)) == {"a": "booked"}
    desk.ready = Ready(is_up=True, in_resync=False, night_audit=False)
    desk.clock.at += 3600
    play(desk, lambda: desk.turn(3))
    assert desk.wire == []
    assert desk.lane.has_ended(1)
    assert not desk.lane.has_ended(2)


def test_a_crash_behind_the_commit_is_unknown_and_is_not_sent_again(desk):
    booked(desk)
    desk.crash()
    assert play(desk, lambda: desk.turn(5)) == {"a": "unknown"}
    assert desk.wire == []
    assert play(desk, lambda: desk.answer(1)) == {"a": "booked"}  # its answer comes late


def test_without_an_answer_in_time_it_is_unknown(desk):
    booked(desk)
    desk.clock.at += 29
    assert play(desk, desk.turn) == {"a": "sent"}
    desk.clock.at += 1
    assert play(desk, lambda: desk.turn(5)) == {"a": "unknown"}


def test_a_link_that_begins_anew_owes_no_answer(desk):
    booked(desk)
    desk.lane.link_is_new()
    assert play(desk, desk.turn) == {"a": "unknown"}


@pytest.mark.parametrize(
    ("may_have_arrived", "state", "again"), [(False, "sent", 1), (True, "unknown", 0)]
)
def test_what_has_certainly_not_arrived_is_sent_again_under_another_number(
    desk, may_have_arrived, state, again
):
    play(desk, lambda: desk.add("a"), desk.turn)
    record = desk.wire.pop()
    desk.lane.given_up(record, may_have_arrived=may_have_arrived)
    play(desk, lambda: desk.turn(3))
    assert desk.wire == []  # not at once: a PMS that says NAK would hear nothing else
    desk.clock.at += FIRST_PAUSE_S
    assert play(desk, lambda: desk.turn(3)) == {"a": state}
    assert [each.number for each in desk.wire] == [2] * again


def test_a_pms_that_never_takes_it_keeps_no_other_waiting_and_a_human_decides_in_the_end(desk):
    play(desk, lambda: desk.add("a", "b"))
    for _ in range(MOST_TRIES):
        play(desk, desk.turn)
        record = next(each for each in desk.wire if each.cause == "a")
        desk.wire.remove(record)
        desk.lane.given_up(record, may_have_arrived=False)
        play(desk, desk.turn, desk.turn)
        if desk.wire:  # the other one goes meanwhile
            asyncio.run(desk.answer(desk.wire.pop().number))
        desk.clock.at += 700
    assert desk.states() == {"a": "refused", "b": "booked"}


def test_a_link_that_is_down_before_it_is_handed_over_costs_a_number_only(desk):
    play(desk, lambda: desk.add("a"))
    desk.lane.say = lambda _: False
    assert play(desk, desk.turn, desk.turn) == {"a": "waiting"}


def test_not_now_is_tried_again_and_not_for_ever(desk):
    play(desk, lambda: desk.add("a"))
    pauses = []
    for number in range(1, MOST_TRIES + 1):
        while not desk.wire:
            desk.clock.at += 1
            pauses.append(desk.clock.at)
            play(desk, desk.turn)
        desk.wire.clear()
        play(desk, lambda number=number: desk.answer(number, "RY"))
    assert desk.states() == {"a": "refused"}
    assert pauses[-1] - pauses[0] > 30 * MOST_TRIES
    desk.clock.at += 3600
    play(desk, lambda: desk.turn(3))
    assert desk.wire == []


@pytest.mark.parametrize(
    "ready",
    [
        Ready(is_up=False, in_resync=False, night_audit=False),
        Ready(is_up=True, in_resync=True, night_audit=False),
        Ready(is_up=True, in_resync=False, night_audit=True),
    ],
)
def test_it_waits_for_its_moment(desk, ready):
    desk.ready = ready
    assert play(desk, lambda: desk.add("a"), lambda: desk.turn(3)) == {"a": "waiting"}
    desk.ready = Ready(is_up=True, in_resync=False, night_audit=False)
    assert play(desk, desk.turn) == {"a": "sent"}


def test_a_night_audit_without_an_end_holds_it_four_hours(desk):
    desk.ready = Ready(is_up=True, in_resync=False, night_audit=True)
    play(desk, lambda: desk.add("a"), desk.turn)
    desk.clock.at += NIGHT_AUDIT_AT_MOST_S
    assert play(desk, desk.turn) == {"a": "sent"}


def test_what_must_not_be_sent_is_held_and_an_operator_may_send_it(desk):
    desk.late["a"] = "late_charge: he has left"
    assert play(desk, lambda: desk.add("a"), desk.turn) == {"a": "held"}
    (id_,) = desk.lane.open
    assert desk.lane.open[id_].reason == "late_charge: he has left"
    play(desk, lambda: desk.lane.operate(id_, Cause.SAID_AGAIN, "ana", ""), desk.turn)
    assert [each.cause for each in desk.wire] == ["a"]


def test_an_operator_cannot_say_what_is_not_so(desk):
    play(desk, lambda: desk.add("a"))
    (id_,) = desk.lane.open
    with pytest.raises(NotPossible, match="is waiting"):
        play(desk, lambda: desk.lane.operate(id_, Cause.SAID_BOOKED, "ana", ""))
    with pytest.raises(NotPossible, match="there is no posting 99"):
        play(desk, lambda: desk.lane.operate(99, Cause.SAID_DROP, "ana", ""))


def test_an_answer_to_a_number_that_we_never_sent_answers_nothing(desk):
    booked(desk)
    assert not asyncio.run(desk.answer(77))
    assert desk.states() == {"a": "sent"}


def test_two_answers_of_one_read_are_taken_in_their_order(desk):
    """OK, then RY for the same number: what is booked stays booked."""
    booked(desk)
    first = desk.lane.answered(answer_of(1, "OK"))
    assert desk.lane.answered(answer_of(1, "RY"), [first]) is None


def answer_of(number, answer):
    from protocols.facts import PostingAnswered
    from tests.gateway.back.cash_desk import VERDICTS

    return PostingAnswered(number=number, answer=answer, verdict=VERDICTS[answer])


def test_numbers_begin_again_behind_the_last_one_and_rest_for_a_week(tmp_path):
    desk = Desk(tmp_path / "outbox.db", numbers_up_to=99)
    try:
        play(desk, lambda: desk.add(*map(str, range(101))))
        for number in range(1, 100):
            play(desk, desk.turn, lambda number=number: desk.answer(number))
        play(desk, lambda: desk.turn(3))
        assert [each.number for each in desk.wire] == list(range(1, 100))
        assert list(desk.states().values()).count("waiting") == 2
        desk.clock.at += 8 * 86_400
        play(desk, desk.turn)
        assert desk.wire[-1].number == 1
    finally:
        desk.close()


def test_the_same_cause_is_posted_once(desk):
    play(desk, lambda: desk.add("a"), lambda: desk.add("a"), lambda: desk.turn(3))
    assert len(desk.wire) == 1
    play(desk, lambda: desk.answer(1), lambda: desk.add("a"), lambda: desk.turn(3))
    assert len(desk.wire) == 1


class Cashier(RuleBasedStateMachine):
    """Whatever happens to the line, the disk, the power and the PMS: no bill has a call twice, and
    no call is forgotten.
    """

    causes = Bundle("causes")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.desk = Desk(Path(self.folder.name, "outbox.db"))
        self.bill, self.owed, self.count = {}, [], 0

    def do(self, coroutine):
        return asyncio.run(coroutine)

    @rule(target=causes)
    def call_ends(self):
        self.count += 1
        cause = f"call {self.count}"
        self.do(self.desk.add(cause))
        return cause

    @rule(cause=causes)
    def call_is_listed_again(self, cause):
        self.do(self.desk.add(cause))

    @rule(seconds=st.sampled_from([0, 1, 31, 700]))
    def time_goes_by(self, seconds):
        self.desk.clock.at += seconds
        self.do(self.desk.turn())

    @rule(fails=st.sampled_from(["", "before", "after"]))
    def disk_fails(self, fails):
        self.desk.fails = fails
        self.do(self.desk.turn())
        self.desk.fails = ""

    @precondition(lambda self: self.desk.wire)
    @rule(books=st.booleans(), acknowledges=st.booleans())
    def it_arrives(self, books, acknowledges):
        record = self.desk.wire.pop(0)
        if books:
            self.bill[record.cause] = self.bill.get(record.cause, 0) + 1
        self.owed.append((record.number, books))
        if acknowledges:
            self.desk.lane.arrived(record)

    @precondition(lambda self: self.desk.wire)
    @rule()
    def it_never_arrives(self):
        self.desk.lane.given_up(self.desk.wire.pop(0), may_have_arrived=False)
        self.do(self.desk.turn())

    @precondition(lambda self: self.owed)
    @rule(data=st.data(), word=st.sampled_from(["RY", "NG", "NA"]))
    def the_pms_answers(self, data, word):
        number, is_booked = data.draw(st.sampled_from(self.owed))
        self.do(self.desk.answer(number, "OK" if is_booked else word))

    @rule()
    def link_begins_anew(self):
        """What is on the wire then was given up, as far as the session knows."""
        for record in self.desk.wire:
            self.desk.lane.given_up(record, may_have_arrived=True)
        self.desk.lane.link_is_new()
        self.do(self.desk.turn())

    @rule()
    def power_fails(self):
        self.desk.crash()
        self.do(self.desk.turn())

    @rule(data=st.data(), drops=st.booleans())
    def operator_looks_at_the_bill(self, data, drops):
        parked = [
            row for row in self.desk.lane.open.values() if row.state in ("unknown", "refused")
        ]
        on_the_wire = {record.cause for record in self.desk.wire}
        parked = [row for row in parked if row.cause not in on_the_wire]
        if not parked:
            return
        row = data.draw(st.sampled_from(sorted(parked, key=lambda row: row.id)))
        cause = Cause.SAID_BOOKED if self.bill.get(row.cause) else Cause.SAID_AGAIN
        if drops and not self.bill.get(row.cause):
            return
        self.do(self.desk.lane.operate(row.id, cause, "ana", ""))

    @invariant()
    def no_call_is_on_a_bill_twice(self):
        assert all(times == 1 for times in self.bill.values())

    @invariant()
    def every_call_is_open_or_booked_and_what_is_booked_is_on_the_bill(self):
        states = self.desk.states()
        assert len(states) == self.count
        booked = {cause for cause, state in states.items() if state == "booked"}
        assert booked <= self.bill.keys()

    def teardown(self):
        self.desk.close()
        self.folder.cleanup()


TestCashier = Cashier.TestCase
TestCashier.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
