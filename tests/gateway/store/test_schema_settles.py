"""What becomes of a file of the version before: one list, or none, settles all that waited in it."""

import pytest

from tests.gateway.store.old_files import site_on, told_since


@pytest.mark.asyncio
async def test_one_list_settles_all_that_waited_or_was_parked(old):
    site = site_on(old)
    calls = await told_since(site, 0)
    assert site.api.lists == 1
    assert {
        "in 105 Eklund", "in 113 Moreau", "out 115", "move 106>107", "update 108", "wake 109 0815",
        "dnd 110 1", "update 111", "dnd 114 1",
    } <= set(calls)  # fmt: skip
    assert [call for call in calls if call.startswith(("in ", "out ", "move "))] == [
        "in 113 Moreau", "in 105 Eklund", "out 115", "move 106>107"
    ]  # fmt: skip
    assert [room for room, view in site.ucm.rooms.items() if view.is_in] == [
        "101", "102", "105", "107", "108", "109", "110", "111", "113", "114", "116", "118", "119",
        "120", "122", "123", "124", "126", "129", "130",
    ]  # fmt: skip
    names = {room: there.lastname for room, there in site.ucm.rooms.items() if there.is_in}
    assert names == {
        room: want.guest.name for room, want in site.outbox.desired.items() if want.guest
    }
    assert (site.ucm.rooms["110"].dnd, site.ucm.rooms["114"].dnd) == (True, True)
    assert site.ucm.rooms["111"].status == 1
    assert site.ucm.rooms["104"].wake_up == ("20260315", "0700")
    assert site.ucm.rooms["109"].wake_up == ("20260315", "0815")
    assert (site.outbox.waiting, list(site.outbox.parked)) == (set(), [])
    site.store.store.close()


@pytest.mark.asyncio
async def test_nobody_who_stays_loses_his_mailbox_and_nobody_hears_another_ones(newest_old):
    site = site_on(newest_old)
    await site.rest()
    for room in ("101", "102", "108", "109", "110", "111", "114", "116", "118", "129", "130"):
        assert site.mailbox(room) == (site.ucm.rooms[room].account,), room
    assert site.mailbox("107") == ("1006",)  # it moved with him
    assert site.mailbox("115") == site.mailbox("106") == ()
    site.store.store.close()


@pytest.mark.asyncio
async def test_phone_that_was_to_ring_again_is_told(newest_old):
    """That the guest may be disturbed again waited when the old program stopped."""
    site = site_on(newest_old)
    assert site.ucm.rooms["129"].dnd is True
    await site.rest()
    assert site.ucm.rooms["129"].dnd is False
    site.store.store.close()


@pytest.mark.asyncio
async def test_wake_up_that_was_to_be_cancelled_does_not_ring(newest_old):
    """That nobody is to be woken waited when the old program stopped."""
    site = site_on(newest_old)
    assert site.ucm.rooms["130"].wake_up == ("20260315", "0600")
    await site.rest()
    assert site.ucm.rooms["130"].wake_up is None
    site.store.store.close()


@pytest.mark.asyncio
async def test_without_a_list_every_room_comes_to_show_what_it_should(newest_old):
    site = site_on(newest_old, has_list=False)
    site.ucm.rooms["102"].dnd = False  # the old program did not remember what it had delivered
    await site.rest()
    assert site.wrong() == []
    assert site.mailbox("101") == ("1001",)
    for room, there in site.ucm.rooms.items():  # nobody hears who was there before him
        assert set(site.mailbox(room)) <= {there.account, ""}  # 123 was told without a number
    site.store.store.close()


@pytest.mark.asyncio
async def test_without_a_list_nobody_is_checked_out_of_whom_only_a_word_waited(newest_old):
    """That somebody orders a wake-up does not mean that nobody knows who is in."""
    site = site_on(newest_old, has_list=False)
    await site.rest()
    for room in ("108", "109", "110", "111", "114", "129", "130"):
        assert site.mailbox(room) == (site.ucm.rooms[room].account,), room
    site.store.store.close()


@pytest.mark.asyncio
async def test_oldest_room_has_not_waited_longer_than_its_record(newest_old):
    site = site_on(newest_old)
    assert site.clock.epoch() - site.outbox.oldest_waiting() < 3600
    site.store.store.close()


@pytest.mark.asyncio
async def test_running_resync_comes_to_its_end(newest_old):
    site = site_on(newest_old)
    await site.rest()
    done = len(site.api.calls)
    await site.hear("DE|")
    assert await told_since(site, done) == ["move 116>117", "out 118", "out 120"]
    rooms = site.house.rooms
    assert [guest.name for guest in rooms["117"].guests] == ["Petit"]
    assert site.mailbox("117") == ("1016",)
    assert [guest.name for guest in rooms["119"].guests] == ["Silva"]
    assert [guest.name for guest in rooms["101"].guests] == ["Aalto", "Bruun"]
    assert site.house.ledger.in_resync is False
    site.store.store.close()


@pytest.mark.asyncio
async def test_late_departure_comes_true(newest_old):
    site = site_on(newest_old)
    await site.rest()
    done = len(site.api.calls)
    await site.tick()
    assert await told_since(site, done) == []
    site.clock.wind(601)
    await site.tick()
    assert await told_since(site, done) == ["out 120"]
    site.store.store.close()


@pytest.mark.asyncio
async def test_late_departure_becomes_a_move_when_the_guest_turns_up(newest_old):
    site = site_on(newest_old)
    await site.rest()
    done = len(site.api.calls)
    await site.hear("GI|RN103|G#1020|GNTanaka|GD260320|GSN|")
    assert await told_since(site, done) == ["move 120>103"]
    assert site.mailbox("103") == ("1020",)
    site.store.store.close()


@pytest.mark.asyncio
async def test_next_stay_has_a_number_that_no_other_one_had(newest_old):
    site = site_on(newest_old)
    await site.rest()
    await site.hear("GI|RN103|G#1050|GNCosta|GD260320|GSN|")
    assert site.house.rooms["103"].stay == 21
    site.store.store.close()


@pytest.mark.asyncio
async def test_guest_whom_a_resync_had_moved_is_not_followed_by_one_who_hears_his_messages(
    newest_old,
):
    """His room had been called vacant by that resync, which the old program still remembered."""
    site = site_on(newest_old)
    await site.hear("DE|")
    await site.rest()
    assert site.mailbox("124") == ("1025",)
    await site.hear("DS|", "GI|RN124|G#1060|GNKovacs|GD260320|SF|", "DE|")
    await site.rest()
    assert (site.ucm.rooms["124"].lastname, site.mailbox("124")) == ("Kovacs", ())
    site.store.store.close()
