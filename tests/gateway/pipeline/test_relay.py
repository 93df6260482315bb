"""The UCM side: what is told when, what a refusal, a pause, an outage and a stop come to."""

import asyncio

import pytest

from gateway.drivers.base import Paused, SessionRefused, Unreachable
from gateway.pipeline.step import PARKED
from gateway.store import StorageFailed
from tests.site import Site

ROOMS = ("101", "102", "103", "104")
A, B, C = "G#1|GNAnders|", "G#2|GNBell|", "G#3|GNCole|"


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "store.db", ROOMS)
    yield site
    site.store.store.close()


def say(site, *records):
    return asyncio.run(site.told(*records))


def state(site, room):
    return site.outbox.view(room).state


def test_each_record_is_told_and_kept_in_the_journal(site):
    assert say(site, f"GI|RN102|{B}GSN|") == ["in 102 Bell"]
    (line,) = site.store.store.journal("102")
    assert (line.call, line.result, line.record) == ("check_in", "0", f"GI|RN102|{B}GSN|")


def test_live_rooms_go_before_a_resyncs_and_the_oldest_first(site):
    asyncio.run(site.hear("GO|RN101|", "GO|RN102|", "GO|RN103|"))
    asyncio.run(site.rest())
    records = ["DS|", f"GI|RN101|{A}GSN|SF|", f"GI|RN103|{C}GSN|", f"GI|RN102|{B}GSN|"]
    assert say(site, *records) == ["in 103 Cole", "in 102 Bell", "in 101 Anders"]


def test_a_live_record_of_a_resyncs_room_makes_it_live(site):
    asyncio.run(site.hear("GO|RN101|", "GO|RN102|"))
    asyncio.run(site.rest())
    records = ["DS|", f"GI|RN102|{B}GSN|SF|", f"GI|RN101|{A}GSN|SF|", "GC|RN101|G#1|GLFR|"]
    assert say(site, *records) == ["in 101 Anders", "in 102 Bell"]


def test_a_room_that_was_refused_goes_behind_the_others(site):
    site.api.plan[:] = [-9]
    asyncio.run(site.hear(f"GI|RN101|{A}GSN|"))
    asyncio.run(site.turn())
    asyncio.run(site.turn())
    site.clock.wind(61)
    asyncio.run(site.hear(f"GI|RN102|{B}GSN|"))
    asyncio.run(site.rest())
    assert [call[1]["address"] for call in site.api.calls] == ["101", "102", "101"]


def test_a_passing_refusal_is_tried_so_often_and_then_parked(site):
    site.api.plan[:] = [-9] * 4
    assert say(site, f"GI|RN101|{A}GSN|") == ["in 101 Anders [-9]"] * 4
    view = site.outbox.view("101")
    assert (view.state, view.why) == (PARKED, "-9: the UCM could not do it (4 tries)")
    assert view.attempts == 4
    assert site.outbox.parked == ["101"]
    assert say(site) == []  # left alone


def test_a_rejection_is_parked_at_once_and_the_next_word_of_the_pms_is_tried(site):
    site.api.plan[:] = [15]
    assert say(site, f"GI|RN101|{A}GSN|") == ["in 101 Anders [15]"]
    assert (state(site, "101"), site.outbox.view("101").attempts) == (PARKED, 1)
    assert say(site, f"GI|RN101|{A}GSN|") == []  # nothing new
    assert say(site, "GC|RN101|G#1|GNAda|") == ["in 101 Ada"]
    assert state(site, "101") == "told"


def test_a_parked_room_survives_a_restart_and_is_left_alone(site):
    site.api.plan[:] = [15]
    say(site, f"GI|RN101|{A}GSN|")
    site.start()
    assert say(site) == []
    assert state(site, "101") == PARKED


def test_a_room_that_the_ucm_does_not_have_is_one_parked_room(site):
    """The PMS's pseudo rooms come and go all day."""
    for _ in range(30):
        say(site, f"GI|RN9001|{A}GSN|", "GO|RN9001|G#1|GSN|")
    assert site.outbox.parked in ([], ["9001"])
    assert len(site.outbox.waiting) == 0


def test_an_absent_ucm_is_asked_with_growing_pauses_and_nobody_is_at_fault(site):
    site.api.plan[:] = ["down"] * 9
    began = site.clock.now()
    assert say(site, f"GI|RN101|{A}GSN|") == ["in 101 Anders"]
    waited = round(site.clock.now() - began)
    assert waited == 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60
    assert site.outbox.view("101").attempts == 0


def test_a_call_that_the_ucm_cannot_bear_does_not_hold_the_others_back(site):
    """It resets the connection at this one room, each time."""
    asyncio.run(site.hear(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|", f"GI|RN103|{C}GSN|"))
    send = site.api.send

    async def reset_at_101(request):
        if request.value_of("address") == "101":
            raise Unreachable("reset", "connection reset", sent=True)
        return await send(request)

    site.api.send = reset_at_101
    for _ in range(20):
        if not asyncio.run(site.turn()):
            site.clock.wind(1)
    assert site.ucm.rooms["102"].is_in
    assert site.ucm.rooms["103"].is_in
    assert set(site.outbox.waiting) == {"101"}


@pytest.mark.parametrize(("loud", "seconds"), [(False, 15.0), (True, 300.0)])
def test_a_pause_holds_back_everything_and_charges_nobody(site, loud, seconds):
    asyncio.run(site.rest())
    send = site.api.send

    async def paused(request):
        site.api.send = send
        raise Paused(-45, "-45: somebody else is changing the UCM", seconds, loud=loud)

    site.api.send = paused
    began = site.clock.now()
    assert say(site, f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|") == ["in 101 Anders", "in 102 Bell"]
    assert round(site.clock.now() - began) == seconds
    assert site.relay.reach.is_up


def test_a_refused_session_is_no_rooms_fault_and_costs_one_login_an_interval(site):
    asyncio.run(site.rest())
    send = site.api.send

    async def refused(request):
        site.api.send = send
        raise SessionRefused(-6, "-6: the cookie is not valid")

    site.api.send = refused
    began = site.clock.now()
    assert say(site, f"GI|RN101|{A}GSN|") == ["in 101 Anders"]
    assert round(site.clock.now() - began) == 60
    assert site.outbox.view("101").attempts == 0


def test_a_wall_clock_that_jumps_back_delays_nobody_for_long(site):
    site.api.plan[:] = [-9]
    asyncio.run(site.hear(f"GI|RN101|{A}GSN|"))
    asyncio.run(site.turn())
    asyncio.run(site.turn())
    site.clock.jump(-365 * 86_400)
    assert say(site) == ["in 101 Anders"]


@pytest.mark.parametrize("jump_s", [-20_000 * 86_400, 86_400])
def test_the_next_wake_up_is_told_anew_when_the_wall_clock_is_set(site, jump_s):
    """However short it was wrong, and whatever was told meanwhile."""
    say(site, f"GI|RN101|{A}GSN|", "WR|RN101|DA260314|TI110000|", "WR|RN101|DA260314|TI120000|")
    site.clock.wind(3930)  # it rings no more
    asyncio.run(site.tick())
    assert say(site) == ["wake 101 1200"]
    site.clock.jump(jump_s)
    said = say(site, "WR|RN101|DA260316|TI022100|")
    assert said
    site.clock.jump(-jump_s)
    assert say(site) == ["wake 101 1200"]


def test_a_bug_met_on_one_room_parks_it_and_the_others_go_on(site):
    send = site.api.send

    async def broken(request):
        if request.value_of("address") == "101":
            raise ZeroDivisionError
        return await send(request)

    site.api.send = broken
    say(site, f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    view = site.outbox.view("101")
    assert (view.state, view.why) == (PARKED, "our own fault (ZeroDivisionError): report it")
    assert site.ucm.rooms["102"].is_in


def test_a_call_that_is_done_and_could_not_be_stored_is_not_made_again(site):
    asyncio.run(site.rest())
    asyncio.run(site.hear(f"GI|RN101|{A}GSN|"))
    site.store.fails[:] = ["before"]
    with pytest.raises(StorageFailed):
        asyncio.run(site.turn())
    assert say(site) == []
    site.start()  # and behind a crash the list says so
    assert say(site) == []
    assert site.ucm.rooms["101"].account == "1"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_ucm_without_a_list_is_not_called_before_the_call_is_on_disk(tmp_path, when):
    site = Site(tmp_path / "store.db", ROOMS, has_list=False)
    asyncio.run(site.hear(f"GI|RN101|{A}GSN|"))
    site.store.fails[:] = [when]
    with pytest.raises(StorageFailed):
        asyncio.run(site.turn())
    assert site.api.calls == []
    assert say(site) == ["in 101 Anders"]


def test_a_quiet_ucm_is_asked_at_least_once_a_minute(site):
    async def quiet():
        running = asyncio.ensure_future(site.relay.run())
        asked = 0
        for _ in range(20):
            before = site.api.lists
            site.clock.wind(46)
            site.relay.changed.set()
            for _ in range(20):
                await asyncio.sleep(0)
            asked += site.api.lists > before or site.relay.reach.asked_at == site.clock.now()
        site.relay.stop()
        await running
        return asked

    assert asyncio.run(quiet()) == 20


def test_a_stop_finishes_the_call_in_flight(site):
    send, begun, may_end = site.api.send, asyncio.Event(), asyncio.Event()

    async def slow(request):
        begun.set()
        await may_end.wait()
        return await send(request)

    async def stopped():
        site.api.send = slow
        await site.hear(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
        running = asyncio.ensure_future(site.relay.run())
        await begun.wait()
        site.relay.stop()
        may_end.set()
        await running

    asyncio.run(stopped())
    assert [call[1]["address"] for call in site.api.calls] == ["101"]
    assert site.store.store.load().rooms["101"].actual


def test_what_an_operator_retries_is_told_from_what_the_room_should_show_now(site):
    site.api.plan[:] = [15]
    say(site, f"GI|RN101|{A}GSN|")
    site.outbox.retry("101")
    assert say(site) == ["in 101 Anders"]


def test_a_dropped_room_waits_for_the_pms(site):
    site.api.plan[:] = [15]
    say(site, f"GI|RN101|{A}GSN|")
    site.outbox.went_wrong("101", "dropped", "dropped by an operator")
    assert (say(site), state(site, "101"), list(site.outbox.parked)) == ([], "dropped", [])
    assert say(site, "GO|RN101|G#1|GSN|", f"GI|RN101|{B}GSN|") == ["in 101 Bell"]


def test_an_undecodable_room_is_left_out_and_the_others_go_on(site):
    """A release that was rolled back wrote something that this one does not understand."""
    say(site, f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    with site.store.store.transaction() as db:
        db.execute(
            'UPDATE room SET actual = \'{"stay": "three", "wake_up": 7}\' WHERE room = \'101\''
        )
    site.start()
    assert site.damaged == ["101"]
    assert site.outbox.actual.get("101") is None
    assert say(site) == []
    assert site.ucm.rooms["101"].account == "1"  # the list says so


def test_an_outage_keeps_few_places_in_the_queue_for_a_room_however_much_is_said(site):
    for number in range(200):
        asyncio.run(site.hear(f"GI|RN101|G#1|GNGuest{number}|GSN|", f"GC|RN101|G#1|GN{number}|"))
    assert len(site.outbox._ready) <= 2 * len(site.outbox.entries)
    assert say(site) == ["in 101 199"]


def test_an_outage_keeps_no_place_for_rooms_that_have_come_back_to_what_they_show(site):
    say(site, f"GI|RN101|{A}GSN|", "GO|RN101|G#1|GSN|")
    for _ in range(200):
        site.clock.wind(1.0)
        asyncio.run(site.hear(f"GI|RN101|{A}GSN|", "GO|RN101|G#1|GSN|"))
    assert len(site.outbox._ready) <= 2 * len(site.outbox.entries)
    assert say(site, f"GI|RN101|{B}GSN|") == ["in 101 Bell"]
