"""Stories that once went wrong with a UCM that was replaced, or changed by others."""

import asyncio

import pytest

from tests.gateway.pipeline.stories import ROOMS, A, old_api, rings, say, shows, walk_in, with_a
from tests.site import Site


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
