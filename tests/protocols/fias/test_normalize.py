"""Records become facts in hotel words; what cannot be understood is refused, not guessed."""

from datetime import date, datetime

import pytest

from protocols.errors import RecordError
from protocols.facts import (
    GuestArrived,
    GuestChanged,
    GuestDetails,
    GuestLeft,
    GuestMoved,
    NightAudit,
    ResyncBegan,
    ResyncEnded,
    RoomEquipped,
    WakeUpCleared,
    WakeUpOrdered,
)
from protocols.fias import decode, normalize

ROWS = [
    (
        "GI|RN0101|G#4711|GNBerger|GFAnna|GLGE|GV2|GA260105|GD260109|GSN|CS2|",
        GuestArrived(
            room="0101",
            reservation="4711",
            shared=False,
            details=GuestDetails(
                name="Berger",
                first_name="Anna",
                language="GE",
                vip="2",
                class_of_service="2",
                arrival=date(2026, 1, 5),
                departure=date(2026, 1, 9),
            ),
        ),
    ),
    ("GI|RN1|SF|G#7|", GuestArrived(room="1", reservation="7", details=GuestDetails(), in_resync=True)),
    ("GI|RN1|GNX|", GuestArrived(room="1", reservation=None, details=GuestDetails(name="X"))),
    ("GI|RN1|G#0|", GuestArrived(room="1", reservation=None, details=GuestDetails())),
    ("GO|RN1|G#7|GSY|", GuestLeft(room="1", reservation="7", shared=True)),
    ("GO|RN310|GSN|SF|", GuestLeft(room="310", reservation=None, shared=False, in_resync=True)),
    ("GC|RN1|G#7|GLFR|", GuestChanged(room="1", reservation="7", details=GuestDetails(language="FR"))),
    (
        "GC|RO101|GSN|RN205|GSY|G#7|",
        GuestMoved(
            room="205",
            old_room="101",
            reservation="7",
            details=GuestDetails(),
            shared=True,
            old_room_shared=False,
        ),
    ),
    ("GC|RN1|RO1|G#7|", GuestChanged(room="1", reservation="7", details=GuestDetails())),
    ("GC|RN1|RO|G#7|", GuestChanged(room="1", reservation="7", details=GuestDetails())),
    ("RE|RN1|CS3|DNY|RS5|", RoomEquipped(room="1", class_of_service="3", do_not_disturb=True, room_status="5")),
    ("WR|RN1|DA260106|TI063017|", WakeUpOrdered(room="1", at=datetime(2026, 1, 6, 6, 30, 17))),
    ("WC|RN1|DA260106|TI063000|", WakeUpCleared(room="1", at=datetime(2026, 1, 6, 6, 30))),
    ("WC|RN1|DA|TI|", WakeUpCleared(room="1", at=None)),
    ("DS|", ResyncBegan()),
    ("DE|", ResyncEnded()),
    ("NS|", NightAudit(running=True)),
    ("NE|", NightAudit(running=False)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "fact"), ROWS, ids=[row[0] for row in ROWS])
def test_record_says_this_fact(body, fact):
    assert normalize(decode(body.encode())) == (fact,)


@pytest.mark.parametrize("body", ["XT|RN1|", "ZZ|RN1|", "LC|A060|", "WA|RN1|"])
def test_record_without_a_use_says_nothing(body):
    assert normalize(decode(body.encode())) == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("GI|G#1|GNX|", "no_room"),
        ("GC|G#0|GNStamm|EN7034|", "no_room"),
        ("GO|RN|G#1|", "no_room"),
        ("RE|CS1|", "no_room"),
        ("WR|RN1|DA260230|TI063000|", "no_time"),
        ("WR|RN1|DA260106|", "no_time"),
        ("WC|RN1|DA260106|TI99|", "no_time"),
        ("WC|RN1|TI063000|", "no_time"),
    ],
)
def test_record_that_lacks_what_it_needs_is_refused(body, reason):
    with pytest.raises(RecordError) as refused:
        normalize(decode(body.encode()))
    assert refused.value.reason == reason


def test_an_unreadable_departure_is_taken_as_absent():
    (fact,) = normalize(decode(b"GI|RN1|G#1|GD269999|GNX|"))
    assert fact.details == GuestDetails(name="X")


@pytest.mark.parametrize("body", ["GI|RN{}|G#1|", "GI|RN1|G#{}|", "GC|RN1|RO{}|G#1|"])
def test_a_number_that_no_pbx_can_have_heard_of_is_refused(body):
    assert len(normalize(decode(body.format("9" * 64).encode()))) == 1
    with pytest.raises(RecordError) as refused:
        normalize(decode(body.format("9" * 65).encode()))
    assert refused.value.reason == "overlong_field"


def test_no_guest_of_a_pms_has_the_key_of_a_room():
    (fact,) = normalize(decode(b"GI|RN1|G#@@1|"))
    assert fact.reservation == "1"
