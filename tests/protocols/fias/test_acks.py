"""The two acknowledgement tables: every pair decided once, no answer without a question."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from protocols.fias.acks import (
    ANSWERING,
    ANSWERING_IMPOSSIBLE,
    SENDING,
    SENDING_IMPOSSIBLE,
    AnswerAct,
    AnswerCause,
    Answering,
    SendAct,
    SendCause,
    Sending,
)


def test_every_pair_of_sending_is_decided_once():
    for pair in itertools.product(Sending, SendCause):
        assert (pair[1] in SENDING[pair[0]]) + (pair in SENDING_IMPOSSIBLE) == 1, pair


def test_every_pair_of_answering_is_decided_once():
    for pair in itertools.product(Answering, AnswerCause):
        assert (pair[1] in ANSWERING[pair[0]]) + (pair in ANSWERING_IMPOSSIBLE) == 1, pair


@given(st.lists(st.sampled_from(list(SendCause)), max_size=60))
def test_every_record_sent_ends_once_as_confirmed_or_discarded(causes):
    state, open_records = Sending.IDLE, 0
    for cause in causes:
        if cause in SENDING[state]:
            state, acts = SENDING[state][cause]
            open_records += cause is SendCause.SEND
            open_records -= sum(act in (SendAct.CONFIRM, SendAct.DISCARD) for act in acts)
            assert open_records == (state is not Sending.IDLE)


def test_a_record_is_never_sent_again_without_a_nak():
    for row in SENDING.values():
        for cause, (_, acts) in row.items():
            if SendAct.TRANSMIT in acts:
                assert cause in (SendCause.SEND, SendCause.GOT_NAK)


def test_any_byte_but_enq_makes_us_forget_an_ack():
    """Prevents double posting: after unknown bytes a peer must send again."""
    assert ANSWERING[Answering.ACKED][AnswerCause.GOT_OTHER] == (Answering.NAKED, ())
    assert ANSWERING[Answering.ACKED][AnswerCause.GOT_ENQ][1] == (AnswerAct.SAY_ACK,)
    assert ANSWERING[Answering.NAKED][AnswerCause.GOT_ENQ][1] == (AnswerAct.SAY_NAK,)


def test_only_an_accepted_frame_is_acknowledged_for_the_first_time():
    first = [
        (state, cause)
        for state, row in ANSWERING.items()
        for cause, (_, acts) in row.items()
        if AnswerAct.SAY_ACK in acts
    ]
    assert first == [
        (Answering.ACKED, AnswerCause.GOT_ENQ),
        (Answering.OWING, AnswerCause.ACCEPTED),
    ]


def test_the_answer_that_is_repeated_is_the_one_that_was_said():
    for state, row in ANSWERING.items():
        for cause, (following, acts) in row.items():
            if acts:
                said = {AnswerAct.SAY_ACK: Answering.ACKED, AnswerAct.SAY_NAK: Answering.NAKED}
                assert (following, len(acts)) == (said[acts[0]], 1), (state, cause)


def test_a_frame_owes_an_answer_until_it_is_decided_or_the_line_is_new():
    for state, row in ANSWERING.items():
        assert row[AnswerCause.GOT_FRAME] == (Answering.OWING, ())
        assert row[AnswerCause.RESET] == (Answering.NAKED, ())
        if state is Answering.OWING:
            ends = {AnswerCause.ACCEPTED, AnswerCause.REFUSED, AnswerCause.RESET}
            assert all(row[cause] == (state, ()) for cause in set(row) - ends)
            assert row[AnswerCause.ACCEPTED][1] == (AnswerAct.SAY_ACK,)
            assert row[AnswerCause.REFUSED][1] == (AnswerAct.SAY_NAK,)
        else:
            assert row[AnswerCause.GOT_BAD_FRAME][1] == (AnswerAct.SAY_NAK,)
            assert row[AnswerCause.GOT_LATE_ENQ][1] == (AnswerAct.SAY_NAK,)
            assert row[AnswerCause.GOT_OTHER] == (Answering.NAKED, ())


def test_each_act_leaves_the_sender_where_it_belongs():
    after = {
        SendAct.TRANSMIT: Sending.SENT,
        SendAct.ASK: Sending.ASKED,
        SendAct.CONFIRM: Sending.IDLE,
        SendAct.DISCARD: Sending.IDLE,
    }
    for state, row in SENDING.items():
        for cause, (following, acts) in row.items():
            assert following is (after[acts[0]] if acts else state), (state, cause)
            assert (SendAct.CONFIRM in acts) == (
                cause is SendCause.GOT_ACK and state is not Sending.IDLE
            )


def test_every_silence_is_asked_about_and_only_the_last_one_gives_up():
    for state in (Sending.SENT, Sending.ASKED):
        row = SENDING[state]
        assert row[SendCause.SILENT][1] == (SendAct.ASK,)
        assert row[SendCause.GOT_NAK][1] == (SendAct.TRANSMIT,)
        assert row[SendCause.GOT_LAST_NAK][1] == (SendAct.DISCARD,)
        assert row[SendCause.RESET][1] == (SendAct.DISCARD,)
    assert SENDING[Sending.SENT][SendCause.GOT_OTHER][1] == (SendAct.ASK,)
    assert SENDING[Sending.ASKED][SendCause.GOT_OTHER][1] == ()  # T2 asks again: no storm
    assert SENDING[Sending.ASKED][SendCause.SILENT_TOO_LONG][1] == (SendAct.DISCARD,)
