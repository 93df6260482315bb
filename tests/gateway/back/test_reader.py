"""The reader of the list of calls: what is new is taken once, and a list that lacks what is known is
not believed."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.back.charges import Charges
from gateway.back.reader import OVERLAP_S, SETTLED_AFTER_S, CallReader
from gateway.back.rows import PmsRooms
from gateway.drivers.base import Unreachable
from gateway.store import Store
from tests.gateway.back.cash_desk import Desk
from tests.gateway.back.test_calls import leg


class Source:
    """A PBX that lists what it is given, by the end of each leg."""

    def __init__(self):
        self.legs_, self.asked, self.fails = [], [], False

    async def legs(self, since, until, _):
        self.asked.append((since, until))
        if self.fails:
            raise Unreachable("timeout", "no answer", sent=False)
        return [each for each in self.legs_ if since <= each.ended <= until]


class Reading:
    """A reader over a lane and a store."""

    def __init__(self, path):
        self.desk, self.source = Desk(path), Source()
        self.clock = self.desk.clock
        self.build()

    def build(self):
        desk = self.desk
        charges = Charges(
            store=desk.store, rooms=dict, pms_rooms=PmsRooms(desk.store, str), zone=self.clock.zone
        )
        self.reader = CallReader(
            source=self.source, charges=charges, lane=desk.lane, store=desk.store,
            clock=self.clock, metrics=desk.metrics, is_room={"101", "102"}.__contains__,
        )  # fmt: skip

    def restart(self):
        self.desk.crash()
        self.build()

    def look(self):
        asyncio.run(self.reader.look())

    def call(self, name, ended=None, **how):
        """A call that is over now."""
        ended = self.clock.at if ended is None else ended
        self.source.legs_.append(leg(session=name, began=ended - 65, key=name, **how))

    def postings(self):
        return [row.cause.partition("/")[0] for row in self.desk.lane.open.values()]


@pytest.fixture
def on(tmp_path):
    reading = Reading(tmp_path / "outbox.db")
    yield reading
    reading.desk.close()


def begun(on):
    """The first look: what was before it is not on anybody's bill by us."""
    on.call("before")
    on.look()
    on.clock.at += SETTLED_AFTER_S + 1
    on.look()
    assert on.postings() == []


def test_it_begins_with_the_calls_that_end_from_then_on(on):
    begun(on)
    on.call("a")
    on.clock.at += SETTLED_AFTER_S + 1
    on.look()
    assert on.postings() == ["a"]


def test_a_call_is_left_alone_until_all_its_parts_are_written(on):
    begun(on)
    on.call("a")
    on.clock.at += SETTLED_AFTER_S - 1
    on.look()
    assert on.postings() == []


def test_a_call_that_gets_longer_after_it_was_posted_is_remarked_once(on):
    begun(on)
    on.call("a", talk_s=60)
    on.clock.at += 60
    on.look()
    (before,) = on.desk.lane.open.values()
    on.source.legs_.append(leg(session="a", began=on.clock.at - 125, key="more", talk_s=90))
    for _ in range(3):
        on.clock.at += 20
        on.look()
    assert list(on.desk.lane.open.values()) == [before]  # no second posting, and not another sum
    _, steps = asyncio.run(on.desk.store(Store.posting, before.id))
    assert ["now, and said" in each.why for each in steps] == [False, True]
    text = on.desk.metrics.expose().decode()
    assert 'pmsgw_remarks_total{remark="call_changed_after_posting"} 1.0' in text


def test_what_is_listed_again_or_later_is_taken_once(on):
    begun(on)
    on.call("a")
    on.clock.at += 60
    on.look()
    on.restart()
    on.call("late", ended=on.clock.at - 70)  # it ended before the newest known one
    on.clock.at += 60
    on.look()
    on.look()
    assert on.postings() == ["a", "late"]


def test_each_look_begins_before_the_newest_known_call(on):
    begun(on)
    on.call("a")
    ended = on.clock.at
    on.clock.at += 3600
    on.look()
    on.source.asked.clear()
    on.look()
    assert on.source.asked == [(ended - OVERLAP_S, on.clock.at - SETTLED_AFTER_S)]


def test_once_a_day_two_days_are_read(on):
    begun(on)
    on.call("a")
    on.clock.at += 60
    on.look()
    on.clock.at += 86_400
    on.source.asked.clear()
    on.look()
    on.look()
    spans = [until - since for since, until in on.source.asked]
    assert (spans[0], spans[1] < 90_000) == (48 * 3600, True)


def blind(on):
    sample = on.desk.metrics.calls_blind.collect()[0].samples[0]
    return sample.value == 1


def test_a_list_without_the_newest_known_call_is_not_believed_and_nothing_is_lost(on):
    begun(on)
    on.call("a")
    on.clock.at += 60
    on.look()
    mark = asyncio.run(on.desk.store(Store.calls_mark))
    kept, on.source.legs_ = on.source.legs_, []
    on.call("b")
    on.clock.at += 60
    on.look()
    assert blind(on)
    assert on.postings() == ["a"]
    assert asyncio.run(on.desk.store(Store.calls_mark)) == mark
    on.source.legs_ += kept
    on.look()
    assert not blind(on)
    assert on.postings() == ["a", "b"]


def test_a_call_that_the_pbx_has_moved_within_two_days_is_found(on):
    """Its clock was set, or it counts the end otherwise."""
    begun(on)
    on.call("a")
    on.clock.at += 60
    on.look()
    on.source.legs_.clear()
    on.call("a", ended=on.clock.at - 20 * 3600)
    on.clock.at += 60
    on.look()
    assert not blind(on)


def test_a_pbx_that_does_not_answer_changes_nothing(on):
    begun(on)
    on.call("a")
    on.clock.at += 60
    on.source.fails = True
    with pytest.raises(Unreachable):
        on.look()
    on.source.fails = False
    on.look()
    assert on.postings() == ["a"]


@settings(max_examples=30)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("call"), st.integers(0, 600)),
            st.tuples(st.just("wait"), st.integers(0, 2000)),
            st.just(("restart", 0)),
            st.just(("away", 0)),
        ),
        max_size=30,
    )
)
def test_each_call_is_posted_once_whatever_is_restarted_and_whenever_it_is_read(story):
    with TemporaryDirectory() as folder:
        on = Reading(Path(folder, "outbox.db"))
        try:
            on.look()
            on.clock.at += 700
            made = []
            for number, (what, seconds) in enumerate(story):
                match what:
                    case "call":  # listed up to ten minutes after its end
                        made.append(f"c{number}")
                        on.call(made[-1], ended=on.clock.at - seconds)
                    case "wait":
                        on.clock.at += seconds
                    case "restart":
                        on.restart()
                    case "away":
                        on.source.fails = not on.source.fails
                if not on.source.fails:
                    on.look()
            on.source.fails = False
            on.clock.at += 60
            on.look()
            assert sorted(on.postings()) == sorted(made)
        finally:
            on.desk.close()
