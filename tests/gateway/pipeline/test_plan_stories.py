"""Stories that once went wrong because of what the PMS says, and what is called for."""

import asyncio

import pytest

from tests.gateway.pipeline.stories import ROOMS, A, B, D, rings, say, shows, with_a
from tests.site import Site

# --- A PMS without reservation numbers ---


@pytest.mark.parametrize("resync", [False, True])
def test_another_name_in_a_room_without_numbers_is_another_guest(site, resync):
    say(site, "GI|RN101|GNAnders|GSN|")
    site.leave_message("101")
    record = "GI|RN101|GNBell|GSN|"
    records = ["DS|", f"{record}SF|", "DE|"] if resync else [record]
    assert say(site, *records) == ["out 101", "in 101 Bell"]
    assert site.mailbox("101") == ()


def test_a_second_smith_is_not_the_first_one(site):
    """The account says whose stay it is where the PMS gives no number."""
    say(site, "GI|RN101|GNSmith|GSN|")
    site.leave_message("101")
    asyncio.run(site.hear("GO|RN101|", "GI|RN101|GNSmith|GSN|"))
    site.start()
    assert say(site) == ["out 101", "in 101 Smith"]
    assert site.mailbox("101") == ()


# --- Moves and resyncs ---


def test_who_turns_up_alone_in_a_room_with_a_stale_guest_has_his_own_mailbox(site):
    with_a(site)
    say(site, f"GI|RN102|{B}GSN|")
    site.leave_message("102")
    assert say(site, f"GI|RN102|{A}GSN|") == ["out 102", "move 101>102"]
    assert (shows(site, "102"), site.mailbox("102")) == ("Anders", ("1",))


def test_a_room_of_a_pms_without_moves_does_not_stay_in_for_ever(tmp_path):
    site = Site(tmp_path / "store.db", ROOMS, infer_moves_s=30)
    say(site, *(f"GO|RN{room}|" for room in ROOMS))
    say(site, f"GI|RN103|{A}GSN|", f"GI|RN103|{B}GSY|")
    say(site, "GO|RN103|G#2|GSY|", "GO|RN103|G#1|GSN|", f"GI|RN101|{A}GSN|")
    site.clock.wind(31)
    asyncio.run(site.tick())
    say(site)
    assert (shows(site, "103"), shows(site, "101")) == (None, "Anders")


def test_a_move_that_only_a_resync_tells_takes_mailbox_and_wake_up_along(site):
    with_a(site, "WR|RN101|DA260315|TI063000|")
    say(site, f"GI|RN102|{B}GSN|")
    assert say(site, "DS|", "GO|RN101|SF|", f"GI|RN102|{A}GSN|SF|", "DE|") == [
        "out 102", "move 101>102",
    ]  # fmt: skip
    assert (site.mailbox("102"), rings(site, "102")) == (("1",), ("20260315", "0630"))


@pytest.mark.parametrize(
    "records",
    [
        ["DS|", f"GI|RN105|{B}GSN|SF|", f"GI|RN105|{A}GSY|SF|", "DE|"],
        [f"GI|RN105|{D}GSY|"],
        [f"GI|RN101|{D}GSN|", f"GC|RN105|GSY|{D}RO101|GSN|"],
    ],
)
def test_nobody_is_thrown_out_of_a_room_that_the_pms_calls_shared(tmp_path, records):
    """It was never heard of before: who lives there by the UCM's word may be one of them."""
    site = Site(tmp_path / "store.db", ROOMS)
    there = site.ucm.rooms["105"]
    there.is_in, there.account, there.lastname, there.messages = True, "1", "Anders", ("1",)
    say(site, *records)
    assert there.is_in
    assert site.mailbox("105") == ("1",)


def test_a_guest_who_had_moved_unheard_and_leaves_is_gone_from_his_old_room(site):
    with_a(site)
    assert say(site, "GO|RN102|G#1|GSN|") == ["out 101"]
