"""The life of a posting: money is never sent twice by itself, and nothing stays where it is stuck."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.back.states import OPEN, PARKED, TRANSITIONS, Cause, State, step

OURS = frozenset({Cause.SEND, Cause.NOT_ARRIVED, Cause.NO_ANSWER, Cause.HOLD})
"""What happens by itself, without a word of the PMS or of an operator."""


def test_every_state_has_its_row():
    assert TRANSITIONS.keys() == set(State)
    assert PARKED < OPEN
    assert set(State) - OPEN == {State.BOOKED, State.DROPPED, State.WRITTEN, State.UNCONFIRMED}


@pytest.mark.parametrize(
    ("state", "ways"),
    [
        (State.SENT, {Cause.NOT_ARRIVED, Cause.PMS_AGAIN, Cause.SAY_AGAIN}),
        (State.UNKNOWN, {Cause.PMS_AGAIN, Cause.SAID_AGAIN}),
        (State.REFUSED, {Cause.SAID_AGAIN}),
        (State.HELD, {Cause.SAID_AGAIN}),
        (State.DROPPED, {Cause.SAID_AGAIN}),
        (State.BOOKED, set()),
        (State.WRITTEN, {Cause.SAY_AGAIN}),
        (State.UNCONFIRMED, {Cause.SAID_AGAIN}),
    ],
)
def test_it_is_sent_again_only_by_a_word_that_it_was_not_booked(state, ways):
    assert {cause for cause, to in TRANSITIONS[state].items() if to is State.WAITING} == ways


CHARGES = [cause for cause in Cause if cause not in (Cause.WROTE, Cause.SAY_AGAIN)]
"""What happens to a charge; the other two only to what the PMS does not answer."""


@given(st.lists(st.sampled_from(CHARGES), max_size=40))
def test_between_two_sendings_somebody_has_said_that_it_is_not_booked(causes):
    state, sent, excused = State.WAITING, 0, 1
    for cause in causes:
        to = step(state, cause)
        if to is None:
            continue
        sent += cause is Cause.SEND
        excused += to is State.WAITING
        assert sent <= excused
        state = to


def test_an_operator_can_end_whatever_is_parked():
    for state, cause in itertools.product(PARKED, (Cause.SAID_BOOKED, Cause.SAID_DROP)):
        assert step(state, cause) in (State.BOOKED, State.DROPPED)


def test_what_is_parked_stays_so_by_itself():
    for state, cause in itertools.product(PARKED, OURS):
        assert step(state, cause) is None
