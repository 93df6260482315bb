"""The link's table: every pair decided once, reports in turn, nothing unreachable, no dead state."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.fias.link import (
    IMPOSSIBLE,
    IS_UP,
    PATIENCE_S,
    REFUSED,
    TRANSITIONS,
    Act,
    Cause,
    State,
    step,
)


def test_every_pair_of_state_and_cause_is_decided_once():
    for state, cause in itertools.product(State, Cause):
        pair = (state, cause)
        assert (cause in TRANSITIONS[state]) + (pair in REFUSED) + (pair in IMPOSSIBLE) == 1, pair


@given(st.lists(st.sampled_from(list(Cause)), max_size=60))
def test_up_and_down_are_reported_in_turn_whatever_the_pms_does(causes):
    state, reports = State.CLOSED, []
    for cause in causes:
        if cause in TRANSITIONS[state]:
            state, acts = TRANSITIONS[state][cause]
            reports += [act for act in acts if act in (Act.REPORT_UP, Act.REPORT_DOWN)]
    assert all(a is not b for a, b in itertools.pairwise(reports))
    assert (reports[-1:] == [Act.REPORT_UP]) == (state in IS_UP)


def test_every_state_can_be_reached():
    reached, frontier = {State.CLOSED}, [State.CLOSED]
    while frontier:
        for following, _ in TRANSITIONS[frontier.pop()].values():
            if following not in reached:
                reached.add(following)
                frontier.append(following)
    assert reached == set(State)


def test_no_state_waits_for_ever_but_those_that_end_by_themselves():
    endless = {state for state, patience in PATIENCE_S.items() if patience is None}
    assert endless == {State.CLOSED, State.DESCRIBING, State.GREETED, State.LEFT}
    for state in set(State) - endless:
        assert Cause.LATE in TRANSITIONS[state]


def test_an_alive_is_answered_only_by_who_has_said_nothing():
    answers = {
        state
        for state, row in TRANSITIONS.items()
        if Cause.GOT_LA in row and {Act.SEND_LA, Act.SEND_LS} & set(row[Cause.GOT_LA][1])
    }
    assert answers == {State.WAITING}


def test_data_is_delivered_in_every_state_but_after_our_goodbye():
    for state in set(State) - {State.CLOSED, State.LEFT}:
        assert Act.DELIVER in TRANSITIONS[state][Cause.GOT_DATA][1]
    assert TRANSITIONS[State.LEFT][Cause.GOT_DATA] == (State.LEFT, ())


def test_every_start_of_the_pms_is_answered_with_the_whole_description():
    for state in set(State) - {State.CLOSED, State.LEFT}:
        assert Act.SEND_DESCRIPTION in TRANSITIONS[state][Cause.GOT_LS][1]


def test_step_refuses_and_raises_as_the_lists_say():
    assert step(State.UP, Cause.GOT_OURS) is None
    with pytest.raises(LocalProtocolError):
        step(State.CLOSED, Cause.GOT_LS)
