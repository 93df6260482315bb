"""Room numbers become addresses in one place."""

from dataclasses import replace

import pytest

from gateway.pipeline.room_map import RoomMap
from protocols.facts import (
    GuestArrived,
    GuestChanged,
    GuestDetails,
    GuestLeft,
    GuestMoved,
    ResyncBegan,
)

SUITES = RoomMap(
    addresses={"0204": "2204", "S1": "500", "S2": "500", "7": "700"}, strip_leading_zeros=True
)


@pytest.mark.parametrize(
    ("room", "address"),
    [
        ("0204", "2204"),
        ("0101", "101"),
        ("101", "101"),
        ("007", "700"),
        ("000", "0"),
        ("S2", "500"),
    ],
)
def test_room_has_this_address(room, address):
    assert SUITES.address_of(room) == address


def test_leading_zeros_count_unless_the_site_says_no():
    assert RoomMap().address_of("0101") == "0101"


def test_facts_speak_of_addresses():
    assert SUITES.translate(GuestLeft(room="0204", reservation="1")).room == "2204"
    moved = GuestMoved(room="0204", old_room="007", reservation="1", details=GuestDetails())
    assert (SUITES.translate(moved).room, SUITES.translate(moved).old_room) == ("2204", "700")
    assert SUITES.translate(ResyncBegan()) == ResyncBegan()


def test_a_move_inside_one_suite_is_a_change():
    moved = GuestMoved(room="S2", old_room="S1", reservation="1", details=GuestDetails(name="A"))
    assert SUITES.translate(moved) == GuestChanged(
        room="500", reservation="1", details=GuestDetails(name="A")
    )


@pytest.mark.parametrize(("room", "shared"), [("S1", None), ("0204", False)])
def test_who_is_alone_in_a_part_of_a_suite_is_not_alone_in_it(room, shared):
    details = GuestDetails()
    arrived = GuestArrived(room=room, reservation="1", details=details, shared=False)
    assert SUITES.translate(arrived).shared is shared
    left = SUITES.translate(GuestLeft(room=room, reservation="1", shared=False))
    assert (left.shared, left.in_part) == (shared, shared is None)
    moved = GuestMoved(
        room=room,
        old_room="9",
        reservation="1",
        details=details,
        shared=False,
        old_room_shared=False,
    )
    assert (SUITES.translate(moved).shared, SUITES.translate(moved).old_room_shared) == (
        shared, False,
    )  # fmt: skip
    assert SUITES.translate(replace(arrived, shared=True)).shared is True


PSEUDO = RoomMap(addresses={"204": "2204"}, ignored=("9001", "PM*"))


@pytest.mark.parametrize("room", ["9001", "PM", "PM17"])
def test_a_room_that_no_phone_has_is_ignored(room):
    assert (
        PSEUDO.translate(GuestArrived(room=room, reservation="1", details=GuestDetails())) is None
    )
    assert PSEUDO.translate(GuestLeft(room=room, reservation="1")) is None


def test_who_moves_out_of_an_ignored_room_arrives_and_who_moves_into_one_leaves():
    move = GuestMoved(room="204", old_room="PM1", reservation="1", details=GuestDetails(),
                      shared=False, old_room_shared=True)  # fmt: skip
    assert PSEUDO.translate(move) == GuestArrived(
        room="2204", reservation="1", details=GuestDetails(), shared=False
    )
    back = replace(move, room="PM1", old_room="204", shared=True, old_room_shared=False)
    assert PSEUDO.translate(back) == GuestLeft(room="2204", reservation="1", shared=False)
    assert PSEUDO.translate(replace(move, room="9001")) is None
