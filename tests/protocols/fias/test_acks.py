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
