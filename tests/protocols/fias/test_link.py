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


UP = {State.UP, State.RENEWING}


def decided(cause):
    """The row of one cause: what becomes of each state that it can happen in."""
    return {state: row[cause] for state, row in TRANSITIONS.items() if cause in row}


def test_a_lost_line_closes_the_link_and_ends_what_was_up():
    for state, (following, acts) in decided(Cause.LOST).items():
        assert following is State.CLOSED
        assert acts == ((Act.REPORT_DOWN,) if state in UP else ())


def test_who_leaves_says_goodbye_to_a_link_that_is_up():
    for state, (following, acts) in decided(Cause.LEAVE).items():
        assert following is (State.CLOSED if state is State.CLOSED else State.LEFT)
        assert acts == ((Act.REPORT_DOWN, Act.SEND_LE) if state in UP else ())


def test_a_goodbye_of_the_pms_is_answered_once():
    for state, (following, acts) in decided(Cause.GOT_LE).items():
        if state in (State.ENDED, State.LEFT):
            assert (following, acts) == (state, ())
        else:
            down = (Act.REPORT_DOWN,) if state in UP else ()
            assert (following, acts) == (State.ENDED, (*down, Act.SEND_LE))


def test_impatience_calls_the_pms_and_ends_what_was_up():
    for state, (following, acts) in decided(Cause.LATE).items():
        down = (Act.REPORT_DOWN,) if state in UP else ()
        assert (following, acts) == (State.CALLING, (*down, Act.SEND_LS))


def test_a_start_of_the_pms_begins_anew_and_is_no_outage_of_a_link_that_is_up():
    for state, (following, acts) in decided(Cause.GOT_LS).items():
        if state is State.LEFT:
            assert (following, acts) == (State.LEFT, ())
        else:
            assert following is (State.RENEWING if state in UP else State.DESCRIBING)
            assert acts == (Act.REPORT_START, Act.SEND_DESCRIPTION)


def test_what_the_pms_tells_of_itself_changes_nothing():
    assert all(what == (state, ()) for state, what in decided(Cause.GOT_LC).items())


def test_data_changes_nothing_but_a_pms_that_we_take_for_silent():
    for state, (following, acts) in decided(Cause.GOT_DATA).items():
        if state is State.WAITING:
            assert (following, acts) == (State.CALLING, (Act.DELIVER, Act.SEND_LS))
        elif state is not State.LEFT:
            assert (following, acts) == (state, (Act.DELIVER,))


def test_the_link_is_up_when_both_sides_have_said_alive():
    assert decided(Cause.GOT_LA) == {
        State.WAITING: (State.UP, (Act.SEND_LA, Act.REPORT_UP)),  # it still knows us
        State.CALLING: (State.UP, (Act.REPORT_UP,)),
        State.DESCRIBING: (State.GREETED, ()),  # ours is on its way
        State.GREETED: (State.GREETED, ()),
        State.DESCRIBED: (State.UP, (Act.REPORT_UP,)),
        State.UP: (State.UP, ()),
        State.RENEWING: (State.UP, ()),
        State.ENDED: (State.ENDED, ()),
        State.LEFT: (State.LEFT, ()),
    }
    assert decided(Cause.SAID_LA) == {
        State.DESCRIBING: (State.DESCRIBED, ()),
        State.GREETED: (State.UP, (Act.REPORT_UP,)),
        State.RENEWING: (State.RENEWING, ()),
    }


def test_a_quiet_link_is_asked_and_an_opened_one_listened_to():
    assert decided(Cause.QUIET) == {State.UP: (State.UP, (Act.SEND_LS,))}
    assert decided(Cause.OPENED) == {State.CLOSED: (State.WAITING, ())}


def test_patience_is_what_the_specification_and_the_sites_say():
    assert {state.value: patience for state, patience in PATIENCE_S.items() if patience} == {
        "waiting": 3.0, "calling": 10.0, "described": 30.0, "up": 300.0, "renewing": 30.0,
        "ended": 30.0,
    }  # fmt: skip


def test_a_state_is_told_by_its_own_name():
    assert all(state.value == state.name.lower() for state in State)
