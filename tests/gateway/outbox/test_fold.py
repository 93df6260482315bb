"""Folding never changes how a room on the UCM ends; and the outbox folds what it may."""

import asyncio
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.ucm import UcmDriver
from gateway.drivers.ucm_wire import LANGUAGES, Words
from gateway.events import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Guest,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.metrics import Metrics
from gateway.outbox import Batch, NewEntry, Outbox
from gateway.outbox.fold import fold, fold_all
from gateway.simulators.pbx import Rooms
from tests.fakes import RoomsApi

CAME = datetime(2026, 3, 14, 10, 0)
WORDS = Words(
    class_of_service={"0": 1, "1": 2}, language=LANGUAGES, room_status={"1": 5, "2": 2, "3": 1}
)

guests = st.builds(
    Guest,
    key=st.sampled_from(["4711", "4712", "@101"]),
    name=st.sampled_from(["Rossi", "Müller, Ida", ""]),
    first_name=st.sampled_from([None, "", "Anna"]),
    language=st.sampled_from([None, "GE", "FR", "XX"]),
    vip=st.sampled_from([None, "0", "2"]),
    class_of_service=st.sampled_from([None, "0", "1", "9"]),
    arrival=st.sampled_from([None, date(2026, 3, 12)]),
    departure=st.sampled_from([None, date(2026, 3, 20)]),
    came=st.sampled_from([CAME, CAME.replace(hour=11)]),
)


@st.composite
def stays(draw):
    """What one room is told in a row, as the house would tell it."""
    events, shown = [], draw(st.none() | guests)
    start = shown
    for kind in draw(st.lists(st.integers(0, 6), min_size=2, max_size=8)):
        if kind == 0 and shown is None:
            shown = draw(guests)
            events.append(CheckIn(room="101", guest=shown))
        elif kind == 1 and shown is not None:
            shown = None
            events.append(CheckOut(room="101"))
        elif kind in (2, 3) and shown is not None:
            was = draw(st.sampled_from([shown, None, replace(shown, class_of_service=None)]))
            shown = draw(guests | st.just(shown).map(lambda guest: replace(guest, name="Dubois")))
            events.append(Update(room="101", guest=shown, was=was))
        elif kind == 4 and shown is not None:
            events.append(DoNotDisturb(room="101", on=draw(st.booleans()), guest=shown))
        elif kind == 5:
            code = draw(st.sampled_from(["1", "3", "x"]))
            events.append(RoomStatus(room="101", code=code, guest=shown))
        elif kind == 6:
            events.append(WakeUp(room="101", at=draw(st.sampled_from([None, CAME]))))
    return start, events


def ended(start, events):
    """The room of a UCM after these events."""
    rooms = Rooms()
    rooms.add("101")
    driver = UcmDriver(RoomsApi(rooms), WORDS, Metrics(version="1", site="x"))

    async def tell():
        for event in ([CheckIn(room="101", guest=start)] if start else []) + events:
            await driver.apply(event, unsure=False, repairs=False)

    asyncio.run(tell())
    return rooms.rooms["101"]


@given(stays())
def test_folding_two_events_changes_nothing_about_how_the_room_ends(stay):
    start, events = stay
    for at in range(len(events) - 1):
        together = fold(events[at], events[at + 1])
        if together is not None:
            assert ended(start, [*events[:at], together, *events[at + 2 :]]) == ended(start, events)


@given(stays())
def test_what_the_outbox_folds_changes_nothing_about_how_the_room_ends(tmp_path_factory, stay):
    start, events = stay
    outbox = Outbox(tmp_path_factory.mktemp("fold") / "outbox.db")
    outbox.put(Batch(entries=[NewEntry(event=each, record="", received_at=1.0) for each in events]))
    delivered = []
    while due := outbox.due("to_ucm", 2.0):
        delivered.append(due[0].event)
        outbox.done([due[0]], 3.0)
    assert outbox.audit() == []
    totals = outbox.totals()
    assert totals.entries["to_ucm", "done"] == len(delivered)
    assert totals.accepted["to_ucm"] == len(events)
    outbox.close()
    assert ended(start, delivered) == ended(start, events)


def outbox_with(tmp_path, *events):
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.put(Batch(entries=[NewEntry(event=each, record="", received_at=1.0) for each in events]))
    return outbox


ANNA = Guest(key="4711", name="Rossi", came=CAME)
OTTO = Guest(key="4712", name="Sato", came=CAME)


def test_a_stay_that_is_over_before_it_was_told_is_one_check_out(tmp_path):
    outbox = outbox_with(
        tmp_path,
        Update(room="101", guest=OTTO, was=ANNA),
        CheckOut(room="101"),
        CheckIn(room="101", guest=ANNA),
        WakeUp(room="101", at=CAME),
        CheckOut(room="101"),
        CheckIn(room="101", guest=OTTO),
    )
    (first,) = outbox.due("to_ucm", 2.0)
    assert (first.event, first.folded) == (CheckOut(room="101"), (2, 3, 4, 5))
    outbox.done([first], 3.0)
    assert [row.superseded_by for row in outbox.rows(["superseded"])] == [5, 5, 5, 5]
    assert outbox.due("to_ucm", 3.0)[0].event == CheckIn(room="101", guest=OTTO)
    outbox.close()


def test_nothing_is_folded_across_a_move_or_into_a_row_that_may_be_done(tmp_path):
    outbox = outbox_with(
        tmp_path,
        CheckIn(room="101", guest=ANNA),
        Move(room="102", from_room="101", guest=ANNA),
        CheckOut(room="101"),
        WakeUp(room="103", at=CAME),
        WakeUp(room="103"),
    )
    first, third = outbox.due("to_ucm", 2.0, 9)
    assert first.folded == ()
    assert third.folded == (5,)
    assert outbox.due("to_ucm", 2.0, 9, alone=[4])[1].folded == ()
    outbox.mark(third, unsure=True)
    assert outbox.due("to_ucm", 2.0, 9)[1].folded == ()
    outbox.close()


ADA = replace(ANNA, name="Ada")


@pytest.mark.parametrize(
    ("events", "together"),
    [
        ([CheckIn(room="1", guest=ANNA), Update(room="1", guest=ADA, was=ANNA)],
         CheckIn(room="1", guest=ADA)),
        ([Update(room="1", guest=ANNA, was=OTTO), Update(room="1", guest=ADA, was=ANNA)],
         Update(room="1", guest=ADA, was=OTTO)),
        ([Update(room="1", guest=ANNA), CheckOut(room="1")], CheckOut(room="1")),
        ([DoNotDisturb(room="1", on=True), CheckOut(room="1")], CheckOut(room="1")),
        ([RoomStatus(room="1", code="1"), CheckOut(room="1")], CheckOut(room="1")),
        ([WakeUp(room="1", at=CAME), CheckOut(room="1")], CheckOut(room="1")),
        ([CheckOut(room="1"), CheckOut(room="1")], CheckOut(room="1")),
        ([DoNotDisturb(room="1", on=True), DoNotDisturb(room="1", on=False)],
         DoNotDisturb(room="1", on=False)),
        ([WakeUp(room="1", at=CAME), WakeUp(room="1")], WakeUp(room="1")),
        ([RoomStatus(room="1", code="1"), RoomStatus(room="1", code="1")],
         RoomStatus(room="1", code="1")),
        # What must not be folded.
        ([CheckIn(room="1", guest=ANNA), CheckOut(room="1")], None),
        ([WakeUp(room="1"), CheckOut(room="1")], None),
        ([RoomStatus(room="1", code="1"), RoomStatus(room="1", code="2")], None),
        ([CheckIn(room="1", guest=ANNA), Update(room="1", guest=ADA)], None),
        ([Update(room="1", guest=ANNA, was=OTTO), Update(room="1", guest=ADA)], None),
        ([CheckIn(room="1", guest=ANNA), Update(room="1", guest=ADA, was=OTTO)], None),
        ([Update(room="1", guest=ANNA, was=OTTO), Update(room="1", guest=ADA, was=OTTO)], None),
        ([CheckIn(room="1", guest=ANNA),
          Update(room="1", guest=replace(ANNA, language="GE"), was=ANNA)], None),
        ([Update(room="1", guest=ANNA, was=OTTO),
          Update(room="1", guest=replace(ANNA, class_of_service="1"), was=ANNA)], None),
        ([DoNotDisturb(room="1", on=True), WakeUp(room="1", at=CAME)], None),
    ],
)  # fmt: skip
def test_two_events_come_to_one_or_stay_two(events, together):
    assert fold(*events) == together
    assert fold_all(events) == (together or events[0], int(together is not None))


def test_one_event_alone_is_itself():
    assert fold_all([CheckOut(room="1")]) == (CheckOut(room="1"), 0)


@pytest.mark.parametrize(
    ("events", "taken"),
    [
        # The room was in, and is out at the end: the last check-out says it all.
        ([Update(room="1", guest=ANNA), CheckOut(room="1"), CheckIn(room="1", guest=OTTO),
          CheckOut(room="1")], 3),
        ([Update(room="1", guest=ANNA), WakeUp(room="1", at=CAME), CheckOut(room="1")], 2),
        # It was out: its first check-in must be told, or the check-out would be refused.
        ([CheckIn(room="1", guest=ANNA), CheckOut(room="1")], 0),
        ([WakeUp(room="1", at=CAME), CheckIn(room="1", guest=ANNA), CheckOut(room="1")], 0),
        # A wake-up taken back may be of a room that is out.
        ([CheckOut(room="1"), WakeUp(room="1"), CheckOut(room="1")], 0),
        ([CheckOut(room="1"), CheckOut(room="1"), CheckIn(room="1", guest=ANNA)], 1),
    ],
)  # fmt: skip
def test_a_queue_is_as_short_as_its_last_check_out_allows(events, taken):
    assert fold_all(events) == (events[taken], taken)


def test_the_mailbox_goes_before_the_next_guest_comes():
    assert fold(CheckOut(room="101"), CheckIn(room="101", guest=ANNA)) is None
