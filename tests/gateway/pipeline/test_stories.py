"""Stories that once went wrong, each with what is right: the calls, and what the UCM shows."""

import asyncio
from datetime import datetime

import pytest

from gateway.store import StorageFailed
from tests.site import Site

ROOMS = ("101", "102", "103", "104", "105", "202")
A, B, C, D = "G#1|GNAnders|", "G#2|GNBell|", "G#3|GNCole|", "G#4|GNDunn|"


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "store.db", ROOMS)
    asyncio.run(site.told("DS|", *(f"GO|RN{room}|SF|" for room in ROOMS), "DE|"))
    yield site
    site.store.store.close()


def old_api(tmp_path):
    site = Site(tmp_path / "store.db", ROOMS, has_list=False)
    asyncio.run(site.told("DS|", *(f"GO|RN{room}|SF|" for room in ROOMS), "DE|"))
    return site


def say(site, *records, fates=()):
    site.api.plan[:] = fates
    return asyncio.run(site.told(*records))


def shows(site, room):
    there = site.ucm.rooms[room]
    return there.lastname if there.is_in else None


def rings(site, room):
    return site.ucm.rooms[room].wake_up


def with_a(site, *records):
    say(site, f"GI|RN101|{A}GSN|", *records)
    site.leave_message("101")


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


# --- The UCM is replaced, or changed by others ---


@pytest.mark.parametrize("record", [None, "GC|RN101|G#1|GNAda|"])
def test_a_ucm_that_has_forgotten_everything_is_told_wake_up_and_do_not_disturb_too(site, record):
    with_a(site, "WR|RN101|DA260315|TI063000|", "RE|RN101|DNY|")
    site.replaced()
    if record is None:
        site.relay.comparison.is_known = False
    say(site, *filter(None, [record]))
    there = site.ucm.rooms["101"]
    assert there.is_in
    assert (there.wake_up, there.dnd) == (("20260315", "0630"), True)


@pytest.mark.parametrize("has_list", [True, False])
def test_a_wake_up_before_its_guest_is_told_again_behind_the_check_in(tmp_path, has_list):
    """One UCM wants a guest first (20), another forgets the wake-up when he is checked in."""
    site = Site(tmp_path / "store.db", ROOMS) if has_list else old_api(tmp_path)
    say(site, "WR|RN101|DA260315|TI063000|", fates=[20])
    assert site.outbox.parked == []
    say(site, f"GI|RN101|{A}GSN|")
    assert rings(site, "101") == ("20260315", "0630")


def test_a_lost_wake_up_that_was_cancelled_meanwhile_rings_nobody(site):
    asyncio.run(site.hear("WR|RN101|DA260315|TI063000|"))
    site.api.plan[:] = ["done"]
    asyncio.run(site.turn())  # the UCM has it, and its list does not say so
    say(site, "WC|RN101|DA|TI|", f"GI|RN101|{A}GSN|")
    assert (shows(site, "101"), rings(site, "101")) == ("Anders", None)


def test_a_cancel_that_is_answered_20_is_done(site):
    say(site, "WC|RN101|DA|TI|", fates=[20])
    assert (site.outbox.parked, len(site.outbox.waiting)) == ([], 0)


def walk_in(site, room):
    there = site.ucm.rooms[room]
    there.is_in, there.account, there.lastname, there.messages = True, "999", "Walk", ("999",)
    site.relay.comparison.is_known = False


def test_reception_checks_in_by_hand_while_the_pms_is_away(site):
    site.is_link_up = False
    walk_in(site, "101")
    assert say(site) == []
    assert shows(site, "101") == "Walk"
    site.is_link_up = True
    assert say(site) == ["out 101"]


def test_whom_reception_checked_in_by_hand_keeps_his_mailbox_when_the_pms_names_him(site):
    site.is_link_up = False
    walk_in(site, "101")
    say(site)
    say(site, "GI|RN101|G#999|GNWalk|GSN|")
    site.is_link_up = True
    say(site)
    assert (shows(site, "101"), site.mailbox("101")) == ("Walk", ("999",))


def test_a_list_that_cannot_be_believed_cures_nothing_until_a_human_has_looked(tmp_path):
    rooms = [str(number) for number in range(100, 150)]
    site = Site(tmp_path / "store.db", rooms)
    say(site, *(f"GI|RN{room}|G#0{room}|GNGuest|GSN|" for room in rooms))
    for room in rooms:
        site.ucm.rooms[room].account = site.ucm.rooms[room].account.lstrip("0")
    site.relay.comparison.is_known = False
    assert say(site) == []
    assert site.relay.comparison.is_braked
    # What the PMS says goes on, as told.
    assert say(site, "GO|RN100|G#0100|GSN|") == ["out 100"]
    assert say(site, "GC|RN101|G#0101|GLFR|", fates=["done"]) == ["update 101 [done]", "update 101"]
    site.relay.comparison.heals_all = True
    calls = say(site)
    assert calls.count("out 102") == 1
    assert not site.relay.comparison.is_braked


def test_ten_strangers_are_too_few_for_the_brake(tmp_path):
    rooms = [str(number) for number in range(100, 120)]
    site = Site(tmp_path / "store.db", rooms)
    say(site, *(f"GI|RN{room}|G#{room}|GNGuest|GSN|" for room in rooms))
    for room in rooms[:10]:
        walk_in(site, room)
    assert len(say(site)) == 20
    assert all(shows(site, room) == "Guest" for room in rooms)


def test_a_room_that_the_pms_never_named_is_shown_and_never_touched(tmp_path):
    site = Site(tmp_path / "store.db", ROOMS)
    walk_in(site, "105")
    assert say(site, f"GI|RN101|{A}GSN|") == ["in 101 Anders"]
    (drift,) = site.relay.comparison.drifts
    assert (drift.room, drift.kind) == ("105", "unnamed")


def test_a_guest_from_before_our_time_keeps_his_stay(tmp_path):
    site = Site(tmp_path / "store.db", ROOMS)
    there = site.ucm.rooms["101"]
    there.is_in, there.account, there.lastname, there.messages = True, "1", "Anders", ("1",)
    assert say(site, f"GI|RN101|{A}GLFR|GSN|") == ["update 101"]
    assert there.language == "fr"
    assert site.mailbox("101") == ("1",)


def test_an_account_that_the_ucm_cuts_short_is_still_our_guests(site):
    say(site, "GI|RN101|G#1234567890123|GNAnders|GSN|")
    site.ucm.rooms["101"].account = "1234567890"
    site.leave_message("101")
    site.start()
    assert say(site) == []
    assert site.mailbox("101") == ("1234567890",)


def test_who_only_looks_changes_nothing(site):
    with_a(site)
    walk_in(site, "101")
    site.relay.comparison.is_known = True

    async def look():
        asked = asyncio.ensure_future(site.relay.comparison.now())
        await asyncio.sleep(0)
        await site.turn()
        return await asked

    assert [(drift.room, drift.kind) for drift in asyncio.run(look())] == [("101", "stranger")]
    assert shows(site, "101") == "Walk"


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
