"""Legs become calls: each channel of a trunk is one, and who began it pays."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.back.calls import INBOUND, INTERNAL, NO_ROOM, ROOM, UNANSWERED, calls_in
from gateway.drivers.legs import Leg

ROOMS = {"101", "102", "103"}


def leg(session="s", extension="101", dialled="0049301", *, began=100.0, ring_s=5, talk_s=60,
        trunk="provider", channel="T1", key="", **also):  # fmt: skip
    """One leg; by default an answered call of room 101 over a trunk."""
    return Leg(
        key=key or f"{session}/{channel}/{began}/{extension}",
        session=session,
        began=began,
        ended=began + ring_s + talk_s,
        talk_s=talk_s,
        extension=extension,
        dialled=dialled,
        trunk_out=trunk,
        channel_out=channel,
        **also,
    )


def said(legs):
    return [
        (call.use, call.room, call.digits, call.talk_s)
        for call in calls_in(legs, ROOMS.__contains__)
    ]


@pytest.mark.parametrize(
    ("legs", "calls"),
    [
        pytest.param([leg()], [(ROOM, "101", "0049301", 60)], id="plain"),
        pytest.param(
            [leg(key="main", talk_s=60), leg(key="sub", talk_s=60)],
            [(ROOM, "101", "0049301", 60)],
            id="listed as the whole and as its part",
        ),
        pytest.param(
            [leg(talk_s=30), leg(began=135.0, ring_s=0, talk_s=40)],
            [(ROOM, "101", "0049301", 70)],
            id="one channel in two parts",
        ),
        pytest.param([leg(talk_s=0)], [(UNANSWERED, "101", "0049301", 0)], id="not answered"),
        pytest.param(
            [leg(trunk="", dialled="102", channel="P")], [(INTERNAL, "101", "102", 60)], id="in the house"
        ),
        pytest.param(
            [leg(trunk="", extension="0170", dialled="101", trunk_in="provider")],
            [(INBOUND, "", "101", 60)],
            id="into the house",
        ),
        pytest.param([leg(extension="10")], [(NO_ROOM, "", "0049301", 60)], id="reception"),
        pytest.param(
            [leg(trunk="", is_outgoing=True)], [(ROOM, "101", "0049301", 60)], id="a trunk without a name"
        ),
        pytest.param(
            [
                leg(extension="0170", dialled="102", trunk_in="provider", trunk="", talk_s=50),
                leg(extension="0170", dialled="0171", began=101.0, owner="102", talk_s=44),
            ],
            [(ROOM, "102", "0171", 44)],
            id="forwarded by a room to a mobile: the room pays",
        ),
        pytest.param(
            [
                leg(extension="10", talk_s=20),
                leg(extension="10", dialled="102", trunk="", channel="P", began=110.0),
            ],
            [(NO_ROOM, "", "0049301", 20)],
            id="dialled by reception and handed to a room",
        ),
        pytest.param(
            [leg(channel="T1", dialled="1"), leg(channel="T2", dialled="2", began=120.0)],
            [(ROOM, "101", "1", 60), (ROOM, "101", "2", 60)],
            id="two outside parties brought together",
        ),
        pytest.param(
            [leg(channel="T1", talk_s=0), leg(channel="T2", talk_s=7), leg(channel="T3", talk_s=0)],
            [(ROOM, "101", "0049301", 7)],
            id="a ring group of mobiles, one of which answers",
        ),
    ],
)  # fmt: skip
def test_these_legs_are_these_calls(legs, calls):
    assert said(legs) == calls


SESSIONS = st.lists(
    st.builds(
        leg,
        session=st.sampled_from("abcd"),
        extension=st.sampled_from(["101", "102", "10", ""]),
        began=st.integers(0, 500).map(float),
        talk_s=st.integers(0, 90),
        trunk=st.sampled_from(["", "provider"]),
        trunk_in=st.sampled_from(["", "provider"]),
        channel=st.sampled_from(["", "T1", "T2", "T3"]),
        owner=st.sampled_from(["", "103"]),
    ),
    max_size=14,
).map(lambda legs: [replace(each, key=str(number)) for number, each in enumerate(legs)])
"""One key is one leg."""


@given(SESSIONS, st.randoms())
def test_the_order_of_a_list_and_what_it_says_twice_mean_nothing(legs, rng):
    shuffled = legs + rng.sample(legs, len(legs) // 2)
    rng.shuffle(shuffled)
    unique = list({each.key: each for each in shuffled}.values())
    calls = calls_in(sorted(legs, key=lambda each: (each.began, each.key)), ROOMS.__contains__)
    again = calls_in(sorted(unique, key=lambda each: (each.began, each.key)), ROOMS.__contains__)
    assert {call.key for call in calls} == {call.key for call in again}


@given(SESSIONS)
def test_each_answered_channel_of_a_trunk_is_one_call_and_no_call_is_lost(legs):
    calls = calls_in(legs, ROOMS.__contains__)
    keys = [call.key for call in calls]
    assert len(keys) == len(set(keys))
    channels = {
        (each.session, each.channel_out or each.key)
        for each in legs
        if each.trunk_out and each.talk_s
    }
    assert sum(call.use in (ROOM, NO_ROOM) for call in calls) == len(channels)
    assert {each.session for each in legs} == {call.key.partition("/")[0] for call in calls}
    assert all(call.talk_s > 0 for call in calls if call.use == ROOM)


def test_ten_thousand_sessions_are_ten_thousand_calls():
    rng = random.Random(1)
    legs = [
        leg(session=f"s{number}", channel=f"T{number}", key=f"{number}/{part}", talk_s=part + 1)
        for number in range(10_000)
        for part in range(rng.randint(1, 4))
    ]
    rng.shuffle(legs)
    calls = calls_in(legs, ROOMS.__contains__)
    assert len({call.key for call in calls}) == len(calls) == 10_000
