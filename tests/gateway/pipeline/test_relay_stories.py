"""Stories that once went wrong between us and the UCM: lost replies, refusals, outages."""

import asyncio
from datetime import datetime

import pytest

from gateway.store import StorageFailed
from tests.gateway.pipeline.stories import (
    ROOMS,
    A,
    B,
    C,
    old_api,
    rings,
    say,
    shows,
    walk_in,
    with_a,
)
from tests.site import Site

# --- A reply that is lost ---


def test_a_guest_who_has_left_is_not_checked_in_over_the_one_who_lives_there(site):
    """The first check-in is refused, a sharer takes over, and the reply to her check-in is lost."""
    asyncio.run(site.hear(f"GI|RN101|{A}GSN|"))
    site.api.plan[:] = [-9]
    asyncio.run(site.turn())
    calls = say(site, f"GI|RN101|{B}GSY|", "GO|RN101|G#1|GSY|", fates=["done"])
    assert calls == ["in 101 Bell [done]"]
    assert shows(site, "101") == "Bell"
    site.leave_message("101")
    assert say(site) == []
    assert site.mailbox("101") == ("2",)


@pytest.mark.parametrize("has_list", [True, False])
def test_a_lost_check_out_does_not_bring_the_last_guests_wake_up_back(tmp_path, has_list):
    site = Site(tmp_path / "store.db", ROOMS) if has_list else old_api(tmp_path)
    with_a(site)
    records = ["WR|RN101|DA260315|TI063000|", "GO|RN101|G#1|GSN|", f"GI|RN101|{B}GSN|"]
    say(site, *records, fates=["done"])
    assert (shows(site, "101"), rings(site, "101"), site.mailbox("101")) == ("Bell", None, ())


def test_a_lost_check_out_does_not_bring_do_not_disturb_back(site):
    with_a(site)
    say(site, "RE|RN101|DNY|", "GO|RN101|G#1|GSN|", f"GI|RN101|{B}GSN|", fates=["done"])
    assert (shows(site, "101"), site.ucm.rooms["101"].dnd) == ("Bell", False)


def test_a_lost_update_of_a_sharer_who_has_left_is_not_said_again(site):
    with_a(site, f"GI|RN101|{B}GSY|", f"GI|RN101|{C}GSY|")
    calls = say(site, "GO|RN101|G#1|GSY|", "GO|RN101|G#2|GSY|", fates=["done"])
    assert calls == ["update 101 [done]"]
    assert (shows(site, "101"), site.mailbox("101")) == ("Cole", ("1",))


def test_a_lost_update_to_a_sharer_who_leaves_then_throws_nobody_out(site):
    with_a(site, f"GI|RN101|{B}GSY|", f"GI|RN101|{C}GSY|")
    asyncio.run(site.hear("GO|RN101|G#1|GSY|"))
    site.api.plan[:] = ["done"]
    site.store.fails[:] = ["before"]
    with pytest.raises(StorageFailed):
        asyncio.run(site.turn())  # the UCM shows B, and we do not know it
    site.start()  # nor does anybody remember that it was called
    assert say(site, "GO|RN101|G#2|GSY|") == ["update 101"]
    assert (shows(site, "101"), site.mailbox("101")) == ("Cole", ("1",))


def test_a_lost_check_in_of_two_sharers_wipes_no_mailbox(site):
    asyncio.run(site.hear(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|", "GO|RN101|G#1|GSY|"))
    site.api.plan[:] = ["done"]
    asyncio.run(site.turn())
    site.leave_message("101")
    assert say(site) == []
    assert site.mailbox("101") == ("2",)


def test_who_has_left_is_not_checked_in_again_behind_a_lost_check_out(site):
    with_a(site)
    assert say(site, "GC|RN101|G#1|GNAda|", "GO|RN101|G#1|GSN|", fates=["done"]) == [
        "out 101 [done]"
    ]
    assert shows(site, "101") is None


# --- Parked, retried, dropped ---


def test_a_move_that_was_refused_and_is_retried_moves_nobody_else(site):
    with_a(site)
    assert say(site, f"GC|RN202|GSN|{A}RO101|GSN|", fates=[23]) == ["move 101>202 [23]", "out 101"]
    assert say(site, f"GI|RN101|{C}GSN|") == ["in 101 Cole"]
    site.store.store.purge(2e9, 2e9)
    site.leave_message("101")
    site.outbox.retry("202")
    assert say(site) == ["in 202 Anders"]
    assert (shows(site, "101"), site.mailbox("101")) == ("Cole", ("3",))


def test_a_wake_up_that_was_refused_and_is_retried_rings_nobody_else(site):
    with_a(site)
    assert say(site, "WR|RN101|DA260315|TI063000|", fates=[15]) == ["wake 101 0630 [15]"]
    say(site, f"GC|RN102|GSN|{A}RO101|GSN|", f"GI|RN101|{C}GSN|")
    site.operator_retries_all()
    say(site)
    assert (rings(site, "101"), rings(site, "102")) == (None, ("20260315", "0630"))


@pytest.mark.parametrize("how", ["parked", "dropped"])
def test_a_stay_whose_check_in_never_arrived_leaves_nothing_to_the_next_guest(site, how):
    say(site, f"GI|RN101|{A}GSN|", fates=[15])
    if how == "dropped":
        site.outbox.went_wrong("101", "dropped", "dropped by an operator")
    say(site, "WR|RN101|DA260315|TI063000|", fates=[15])
    say(site, "RE|RN101|DNY|", fates=[15])
    say(site, "GO|RN101|G#1|GSN|", f"GI|RN101|{B}GSN|")
    there = site.ucm.rooms["101"]
    assert (shows(site, "101"), there.wake_up, there.dnd) == ("Bell", None, False)


def test_a_check_out_that_is_answered_20_clears_what_may_have_stayed(site):
    with_a(site, "WR|RN101|DA260315|TI063000|", "RE|RN101|DNY|")
    there = site.ucm.rooms["101"]
    there.is_in = False  # this UCM keeps wake-up and do-not-disturb of a room that it forgot
    calls = say(site, "GO|RN101|G#1|GSN|", f"GI|RN101|{B}GSN|", fates=[20])
    assert calls[0] == "out 101 [20]" or calls == ["in 101 Bell", "dnd 101 0", "wake 101 none"]
    assert (there.wake_up, there.dnd) == (None, False)


def test_what_a_parked_update_would_have_changed_is_told_with_the_move(site):
    with_a(site)
    assert say(site, "GC|RN101|G#1|GNAda|GLFR|", fates=[15]) == ["update 101 [15]"]
    assert say(site, "GC|RN102|GSN|G#1|RO101|GSN|") == ["move 101>102", "update 102"]
    there = site.ucm.rooms["102"]
    assert (there.lastname, there.language, site.mailbox("102")) == ("Ada", "fr", ("1",))
    assert shows(site, "101") is None


# --- The old API ---


def test_without_a_list_a_room_that_shows_somebody_is_emptied_for_who_checks_in(tmp_path):
    site = old_api(tmp_path)
    walk_in(site, "101")
    calls = say(site, f"GI|RN101|{B}GSN|")
    assert calls[:3] == ["in 101 Bell", "out 101", "in 101 Bell"]
    assert shows(site, "101") == "Bell"


def test_without_a_list_a_check_in_whose_reply_was_lost_is_made_again_and_believed(tmp_path):
    site = old_api(tmp_path)
    calls = say(site, f"GI|RN101|{B}GSN|", fates=["done"])
    assert calls[:2] == ["in 101 Bell [done]", "in 101 Bell"]
    assert "out 101" not in calls
    site.leave_message("101")
    assert say(site) == []
    assert site.mailbox("101") == ("2",)


def test_without_a_list_a_room_of_unknown_state_is_not_believed(tmp_path):
    """A stranger may be in: his mailbox is worth less than another's privacy."""
    site = Site(tmp_path / "store.db", ROOMS, has_list=False)
    walk_in(site, "101")
    say(site, f"GI|RN101|{B}GSN|", fates=["lost"])
    assert (shows(site, "101"), site.mailbox("101")) == ("Bell", ())


def test_without_a_list_a_lost_move_is_made_once(tmp_path):
    site = old_api(tmp_path)
    with_a(site)
    assert say(site, f"GC|RN102|GSN|{A}RO101|GSN|", fates=["done"]) == [
        "move 101>102 [done]", "move 101>102",
    ]  # fmt: skip
    assert (shows(site, "101"), site.mailbox("102")) == (None, ("1",))


def test_without_a_list_a_crash_behind_a_call_makes_the_same_call_again(tmp_path):
    site = old_api(tmp_path)
    asyncio.run(site.hear(f"GI|RN101|{A}GSN|"))
    site.api.plan[:] = ["done"]
    asyncio.run(site.turn())
    site.start()
    asyncio.run(site.hear("GO|RN101|G#1|GSN|", f"GI|RN101|{B}GSN|"))
    assert say(site) == ["in 101 Anders", "out 101", "in 101 Bell"]


# --- An outage of any length ---


def test_an_outage_costs_rooms_and_not_records(site):
    with_a(site)
    site.api.plan[:] = ["down"] * 1
    records = []
    for number in range(50):
        records += [f"GI|RN101|G#{number + 50}|GNGuest{number}|GSN|"]
        records += [f"GO|RN101|G#{number + 50}|GSN|"]
    records += [f"GI|RN101|{B}GSN|", "WR|RN101|DA260315|TI063000|", "RE|RN101|DNY|"]
    asyncio.run(site.hear(*records))
    assert say(site) == ["out 101", "in 101 Bell", "dnd 101 1", "wake 101 0630"]
    assert site.mailbox("101") == ()


def test_a_wake_up_whose_minute_passed_in_an_outage_is_not_told(site):
    with_a(site)
    asyncio.run(site.hear("WR|RN101|DA260314|TI110000|", "WR|RN101|DA260314|TI120000|"))
    site.clock.wind(3700)
    asyncio.run(site.tick())
    assert site.clock.stamp() > datetime(2026, 3, 14, 11)
    assert say(site) == ["wake 101 1200"]


def test_a_word_said_again_is_told_again(site):
    with_a(site)
    assert say(site, "RE|RN101|DNY|") == ["dnd 101 1"]
    assert say(site, "RE|RN101|DNY|") == ["dnd 101 1"]
    assert say(site, "RE|RN101|CS2|") == ["update 101"]
    assert say(site, "RE|RN101|CS2|") == ["update 101"]
    assert say(site, "RE|RN101|RS3|") == ["update 101"]
    assert say(site, "RE|RN101|RS3|") == ["update 101"]
    assert say(site, "WR|RN101|DA260315|TI063000|") == ["wake 101 0630"]
    assert say(site, "WR|RN101|DA260315|TI063000|") == ["wake 101 0630"]
