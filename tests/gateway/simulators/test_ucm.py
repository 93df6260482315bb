"""The simulated UCM itself: who is let in and for how long, faults, failures, and its own pages."""

import asyncio
import json

import h11
import pytest

from gateway.drivers.ucm.api import pms_token
from gateway.simulators.ucm import Dropped, UcmSimulator
from gateway.simulators.ucm.faults import Fault, instead, spoil
from gateway.simulators.ucm.module import Asked, md5, peek
from gateway.simulators.ucm.new_api import ABSOLUTE_S, BAN_S, IDLE_S
from gateway.simulators.ucm.old_api import NONCE_S
from gateway.simulators.ucm.replies import Reply, failure
from gateway.simulators.ucm.settings import Settings
from gateway.simulators.ucm.simulator import MAX_REQUEST_LINE


class Caller:
    """Talks to a UCM without a socket; `at` is wound by hand."""

    def __init__(self, **settings):
        self.at = 0.0
        self.ucm = UcmSimulator(now=lambda: self.at, settings=Settings(**settings))
        self.ucm.rooms.add("101")

    def ask(self, method, target, body=None, **headers):
        lines = [("host", "ucm"), *headers.items()]
        request = h11.Request(method=method, target=target, headers=lines)
        return asyncio.run(self.ucm.respond(request, json.dumps(body).encode() if body else b""))

    def say(self, **request):
        return json.loads(self.ask("POST", "/api", {"request": request}).body)

    def login(self, password="api-secret"):
        given = self.say(action="challenge", user="pmsgw")
        challenge = given["response"].get("challenge", "")
        return self.say(action="login", user="pmsgw", token=md5(challenge + password))

    def dnd(self, cookie, room="101"):
        token = pms_token("hotel", "pms-secret")
        data = {"dnd": {"address": room, "status": "1"}}
        return self.say(action="pmsapi", cookie=cookie, token=token, data=data)["status"]


def test_a_cookie_ends_when_it_is_idle_and_when_it_is_old():
    on = Caller()
    cookie = on.login()["response"]["cookie"]
    for on.at in (IDLE_S, 2 * IDLE_S):
        assert on.dnd(cookie) == 0
    on.at = ABSOLUTE_S + 1
    assert on.dnd(cookie) == -6
    cookie = on.login()["response"]["cookie"]
    on.at += IDLE_S + 1
    assert on.dnd(cookie) == -6


def test_a_second_login_and_a_reboot_end_the_cookie():
    on = Caller()
    first, second = (on.login()["response"]["cookie"] for _ in range(2))
    assert (on.dnd(first), on.dnd(second)) == (-6, 0)
    on.ucm.reboot()
    assert on.dnd(second) == -6


def test_too_many_wrong_passwords_are_a_ban_that_ends():
    on = Caller(tries=2)
    assert on.login("x") == {"response": {"remain_num": 1}, "status": -37}
    assert on.login("x") == {"response": {"remain_time": BAN_S + 1}, "status": -68}
    assert on.login()["status"] == -68
    on.ask("POST", "/_sim/unban")
    assert on.login()["status"] == 0
    assert (on.ucm.logins, on.ucm.failed_logins, on.ucm.calls()) == (1, 0, [])


@pytest.mark.parametrize("closed", ["api_enabled", "permitted"])
def test_a_closed_api_gives_no_challenge(closed):
    assert Caller(**{closed: False}).login()["status"] != 0


@pytest.mark.parametrize("body", [None, [], {"request": []}, {"request": {"action": "x"}}])
def test_what_is_no_request_is_invalid(body):
    reply = json.loads(Caller().ask("POST", "/api", body).body)
    assert reply["response"] == {"error_msg": "Invalid parameters!"}


def test_the_old_api_takes_a_digest_until_its_nonce_is_old():
    on = Caller()
    data = (
        "<pms_data_request><dnd><address>101</address><status>1</status></dnd></pms_data_request>"
    )
    uri = f"/pmsapi?data={data}&format=xml&token={pms_token('hotel', 'pms-secret')}"
    asks = on.ask("GET", uri)
    assert asks.status == 401
    nonce = asks.headers["WWW-Authenticate"].partition('nonce="')[2].partition('"')[0]
    secret, request = md5("pmsgw:asterisk:api-secret"), md5(f"GET:{uri}")
    proof = md5(f"{secret}:{nonce}:00000001:abc:auth:{request}")
    digest = f'Digest username="pmsgw", nonce="{nonce}", uri="{uri}", qop=auth, nc=00000001, '
    digest += f'cnonce="abc", response="{proof}"'
    assert on.ask("GET", uri, authorization=digest).body == b"[0] SUCCESS !\r\n"
    assert on.ucm.rooms.rooms["101"].dnd
    on.at = NONCE_S + 1
    assert "stale=true" in on.ask("GET", uri, authorization=digest).headers["WWW-Authenticate"]


def test_a_fault_meets_what_it_is_meant_for_as_often_as_it_should():
    on = Caller()
    on.ucm.rooms.add("102")
    cookie = on.login()["response"]["cookie"]
    on.ucm.fail("code", action="dnd", room="101", times=2, value=-25)
    assert [on.dnd(cookie, "102"), *(on.dnd(cookie) for _ in range(3))] == [0, -25, -25, 0]
    assert [call.applied for call in on.ucm.calls("dnd", "101")] == [False, False, True]
    on.ucm.fail("cookie")
    assert on.dnd(cookie) == -6


def test_faults_by_name():
    good = Reply(200, b"good")
    assert spoil("garbage", good).body == b"good\x00\x00}{"
    assert spoil("drip", good).drips
    assert (instead(Fault("http", value=503)).status, instead(Fault("empty")).body) == (503, b"")
    with pytest.raises(Dropped) as half:
        spoil("half", good)
    assert half.value.data.endswith(b"\r\n\r\ngo")
    with pytest.raises(ValueError, match="none of"):
        Fault("flood")


def test_the_shapes_of_a_failure_and_the_codes_of_the_api_itself():
    assert len({failure(18, shape).body for shape in "ABCDEF"}) == 6
    assert json.loads(failure(-6, "A").body) == {"response": {}, "status": -6}


def test_what_cannot_be_read_is_noted_as_such():
    assert peek({"data": "<", "format": "xml"}) == Asked("unreadable")


def test_the_pages_to_steer_it_by_hand():
    on = Caller()
    on.ask("POST", "/_sim/rooms", {"add": ["102"]})
    assert json.loads(on.ask("GET", "/_sim/rooms").body).keys() == {"101", "102"}
    on.ask("POST", "/_sim/faults", {"kind": "html", "action": "login"})
    assert [fault.kind for fault in on.ucm.faults] == ["html"]
    on.say(action="challenge", user="pmsgw")
    (call,) = json.loads(on.ask("GET", "/_sim/journal").body)
    assert (call["action"], call["code"]) == ("challenge", 0)
    assert on.ask("POST", "/_sim/faults", {"kind": "flood"}).status == 400
    assert on.ask("GET", "/_sim/nothing").status == 404


@pytest.mark.asyncio
async def test_a_request_line_that_is_too_long_is_cut_off():
    ucm = UcmSimulator()
    reader, writer = await asyncio.open_connection("127.0.0.1", await ucm.start(None))
    writer.write(b"GET /" + b"x" * MAX_REQUEST_LINE + b" HTTP/1.1\r\nHost: u\r\n\r\n")
    assert await reader.read() == b""
    writer.close()
    await ucm.stop()
