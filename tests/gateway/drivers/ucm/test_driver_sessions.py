"""Logins: renewed, broken under a call, lost, never two at once."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.base import (
    Interrupted,
    Paused,
    SessionRefused,
    Unreachable,
)
from gateway.drivers.calls import (
    CheckOut,
)
from gateway.drivers.ucm.api import NewApi
from gateway.drivers.ucm.https import HttpReply
from gateway.drivers.ucm.requests import request_of
from gateway.metrics import Metrics
from tests.gateway.drivers.ucm.bench import ANNA, MOVE, WORDS, bench


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [-5, -6])
async def test_a_dead_session_is_renewed_once_and_the_call_repeated(tmp_path, code):
    async with bench(tmp_path) as on:
        await on.driver.probe()
        on.ucm.fail("code", value=code, times=1, action="checkin")
        await on.check_in(ANNA)
        assert on.said()[1:] == [f"checkin 101 {code}", "checkin 101 0"]
        assert (on.ucm.logins, on.room().is_in) == (2, True)
        assert on.retries() == {("checkin", "login"): 1}


@pytest.mark.asyncio
async def test_an_expired_cookie_is_renewed(tmp_path):
    async with bench(tmp_path) as on:
        now = 0.0
        on.ucm.now = lambda: now
        await on.check_in(ANNA)
        now = 301.0
        await on.apply(CheckOut(room="101"))
        assert on.said() == ["checkin 101 0", "checkout 101 -6", "checkout 101 0"]


@pytest.mark.asyncio
async def test_a_fresh_session_that_is_refused_is_no_rooms_fault_and_each_try_is_one_login(
    tmp_path,
):
    async with bench(tmp_path) as on:
        await on.driver.probe()
        on.ucm.fail("code", value=-6, times=-1, action="checkin")
        for logins in (2, 3, 4):
            with pytest.raises(SessionRefused) as refused:
                await on.check_in(ANNA)
            assert (refused.value.code, on.ucm.logins) == (-6, logins)
        assert on.said()[1:] == ["checkin 101 -6"] * 6


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [-7, -8])
@pytest.mark.parametrize("call", [CheckOut(room="101"), MOVE], ids=["checkout", "mov"])
async def test_a_session_that_breaks_under_a_call_interrupts_it(tmp_path, call, code):
    """It may have been done: nobody repeats it before somebody has looked."""
    async with bench(tmp_path) as on:
        await on.check_in(ANNA)
        on.ucm.fail("code", value=code, times=1, action=on.driver.action_of(call))
        with pytest.raises(Interrupted):
            await on.apply(call)
        assert on.said()[1:] == [f"{on.driver.action_of(call)} 101 {code}"]
        assert on.ucm.logins == 1
        assert [room.address for room in await on.driver.rooms() if room.is_in] == ["101"]
        assert on.ucm.logins == 2  # with a session of its own


@pytest.mark.asyncio
async def test_a_session_that_breaks_for_ever_costs_one_login_a_try(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=-7, times=-1, action="checkin")
        for logins in (1, 2, 3):
            with pytest.raises(Interrupted):
                await on.check_in(ANNA)
            assert on.ucm.logins == logins


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", ["drop", "html"])
async def test_a_login_that_is_lost_behind_a_dead_session_has_done_nothing(tmp_path, fault):
    async with bench(tmp_path) as on:
        await on.check_in(ANNA)
        on.ucm.fail("code", value=-6, times=1, action="mov")
        on.ucm.fail(fault, action="challenge")
        with pytest.raises(Unreachable) as lost:
            await on.apply(MOVE)
        assert (lost.value.sent, on.room("205").is_in) == (False, False)
        await on.apply(MOVE)
        assert on.room("205").is_in


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", ["drop", "html"])
async def test_a_login_that_is_lost_behind_an_interrupted_call_is_the_next_ones_affair(
    tmp_path, fault
):
    async with bench(tmp_path) as on:
        await on.check_in(ANNA)
        on.ucm.fail("code", value=-7, times=1, action="mov")
        on.ucm.fail(fault, action="challenge")
        with pytest.raises(Interrupted):
            await on.apply(MOVE)
        with pytest.raises(Unreachable) as lost:
            await on.driver.rooms()
        assert not lost.value.sent


@pytest.mark.asyncio
async def test_a_password_that_was_changed_behind_an_interrupted_call_stops_the_next_one(tmp_path):
    async with bench(tmp_path) as on:
        await on.driver.probe()
        on.ucm.fail("code", value=-7, times=1, action="checkin")
        on.ucm.settings.password = "changed"
        with pytest.raises(Interrupted):
            await on.check_in(ANNA)
        with pytest.raises(Paused) as paused:
            await on.driver.rooms()
        assert (paused.value.code, on.ucm.failed_logins) == (-37, 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", ["drop", "reset", "html", "empty", "half"])
async def test_a_ucm_that_does_not_answer_is_logged_in_to_anew_once(tmp_path, fault):
    """A UCM that was restarted has forgotten its sessions, and may not even say so."""
    async with bench(tmp_path) as on:
        await on.driver.probe()
        for logins in (1, 2, 3):
            on.ucm.fail(fault, action="checkout")
            with pytest.raises(Unreachable):
                await on.apply(CheckOut(room="101"))
            assert on.ucm.logins == logins
        await on.check_in(ANNA)
        await on.apply(CheckOut(room="101"))
        assert on.ucm.logins == 4


@pytest.mark.asyncio
async def test_a_wedged_ucm_is_an_outage_until_it_is_rebooted(tmp_path):
    async with bench(tmp_path, timeout_s=0.5) as on:
        on.ucm.wedged = True
        with pytest.raises(Unreachable) as lost:
            await on.check_in(ANNA)
        assert (lost.value.kind, lost.value.sent) == ("timeout", False)  # it was only logging in
        on.ucm.reboot()
        await on.check_in(ANNA)
        assert on.room().is_in


@pytest.mark.asyncio
async def test_a_token_in_the_wrong_case_is_a_stop(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.settings.token_case = "upper"
        with pytest.raises(Paused) as stopped:
            await on.check_in(ANNA)
        assert stopped.value.code == 16


@pytest.mark.asyncio
async def test_never_two_logins_at_once(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.settings.latency_s = 0.02
        async with asyncio.TaskGroup() as group:
            for room in ("101", "102", "205"):
                group.create_task(on.check_in(ANNA, room))
            group.create_task(on.driver.probe())
        assert (on.ucm.logins, on.ucm.most_logins_at_once) == (1, 0)


class Scripted:
    """A peer that gives a good login, and one reply of its own to the first request behind it."""

    certificate_ends, certificate = None, b""

    def __init__(self, reply):
        self.reply, self.asked = reply, []

    async def post(self, content, max_bytes):
        action = json.loads(content)["request"]["action"]
        self.asked.append(action)
        if action == "pmsapi" and self.reply is not None:
            reply, self.reply = self.reply, None
            return reply
        given = {"challenge": "0001", "cookie": "sid7", "rooms": []}
        return HttpReply(200, json.dumps({"response": given, "status": 0}).encode())

    async def close(self):
        pass


@given(
    status=st.sampled_from([200, 204, 302, 400, 403, 404, 500, 502, 503]),
    body=st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(str.encode),
        st.sampled_from([b"<html>[0] SUCCESS !</html>", b'{"response":', b"[]", b"null"]),
    ),
)
def test_after_any_reply_that_is_no_answer_the_session_is_renewed(status, body):
    """A UCM that was restarted has forgotten its sessions; what speaks meanwhile may be anything."""

    async def play():
        peer = Scripted(HttpReply(status, body))
        api = NewApi(
            peer, username="a", password="b", token="c", metrics=Metrics(version="0", site="s")
        )
        request = request_of(CheckOut(room="101"), WORDS)
        try:
            await api.send(request)
        except Unreachable:
            await api.send(request)
            assert peer.asked == ["challenge", "login", "pmsapi"] * 2
        else:
            assert peer.asked == ["challenge", "login", "pmsapi"]  # it was a UCM's own answer

    asyncio.run(play())
