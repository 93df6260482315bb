"""The driver against the strict simulated UCM, over real TLS: every answer of the contract."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime

import pytest

from gateway.drivers.base import Paused, Refused, Rejected, SessionRefused, Unreachable
from gateway.drivers.https import HttpReply, HttpsPeer, TlsSettings, Trust
from gateway.drivers.ucm import UcmDriver
from gateway.drivers.ucm_api import NewApi, OldApi, pms_token
from gateway.drivers.ucm_wire import Words
from gateway.events import CheckIn, CheckOut, DoNotDisturb, Guest, Move, RoomStatus, Update, WakeUp
from gateway.metrics import Metrics
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.ucm import UcmSimulator

CAME = datetime(2026, 3, 14, 10, 5)
ANNA = Guest(key="4711", name="Rossi", first_name="Anna", class_of_service="2", came=CAME,
             departure=date(2026, 3, 18))  # fmt: skip
OTTO = Guest(key="4712", name="Meyer", first_name="Otto", came=CAME)
WORDS = Words(class_of_service={"2": 3}, room_status={"5": 1, "1": 5})
BOTH = pytest.mark.parametrize("old", [False, True], ids=["new", "old"])


class Bench:
    """A UCM, a driver, and what they said to each other."""

    def __init__(self, ucm, driver, peer, metrics):
        self.ucm, self.driver, self.peer, self.metrics = ucm, driver, peer, metrics

    async def apply(self, event, *, unsure=False, repairs=False):
        return await self.driver.apply(event, unsure=unsure, repairs=repairs)

    def said(self):
        return [f"{call.action} {call.room} {call.code}" for call in self.ucm.calls()]

    def room(self, address="101"):
        return self.ucm.rooms.rooms[address]


@asynccontextmanager
async def bench(tmp_path, *, old=False, timeout_s=5.0, shape="A", tls=None, pem=None):
    ucm = UcmSimulator()
    ucm.settings.shape = shape
    ucm.rooms.add("101", "102", "205")
    pem = pem or write_certificate(tmp_path)
    port = await ucm.start(pem)
    settings = ucm.settings
    metrics = Metrics(version="1", site="test")
    peer = HttpsPeer(
        f"https://127.0.0.1:{port}/{'pmsapi' if old else 'api'}",
        tls=tls or pinned(pem),
        timeout_s=timeout_s,
        digest=(settings.username, settings.password) if old else None,
    )
    token = pms_token(settings.pms_username, settings.pms_password)
    api = (
        OldApi(peer, token=token, metrics=metrics)
        if old
        else NewApi(
            peer,
            username=settings.username,
            password=settings.password,
            token=token,
            metrics=metrics,
        )  # fmt: skip
    )
    driver = UcmDriver(api, WORDS, metrics)
    try:
        yield Bench(ucm, driver, peer, metrics)
    finally:
        await driver.close()
        await ucm.stop()


def pinned(pem):
    digest = fingerprint_of(pem).removeprefix("sha256:").replace(":", "")
    return TlsSettings(trust=Trust.PINNED, fingerprint=bytes.fromhex(digest))


# --- The events ---


@pytest.mark.asyncio
@BOTH
async def test_a_stay_from_check_in_to_check_out(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.apply(CheckIn(room="101", guest=ANNA))
        assert (on.room().lastname, on.room().firstname, on.room().cos) == ("Rossi", "Anna", "3")
        assert (on.room().datein, on.room().dateout) == ("2026/03/14 10:05", "2026/03/18 12:00")
        await on.apply(Update(room="101", guest=replace(ANNA, name="Rossi-Verdi"), was=ANNA))
        assert on.room().lastname == "Rossi-Verdi"
        await on.apply(DoNotDisturb(room="101", on=True, guest=ANNA))
        await on.apply(WakeUp(room="101", at=datetime(2026, 3, 15, 6, 30)))
        assert (on.room().dnd, on.room().wake_up) == (True, ("20260315", "0630"))
        await on.apply(WakeUp(room="101"))
        assert on.room().wake_up is None
        on.ucm.rooms.leave_message("101")
        await on.apply(Move(room="205", from_room="101", guest=ANNA))
        assert (on.room().is_in, on.room("205").messages) == (False, 1)
        await on.apply(CheckOut(room="205"))
        assert (on.room("205").is_in, on.room("205").messages) == (False, 0)
        await on.apply(RoomStatus(room="205", code="1"))
        assert on.room("205").status == 5
        assert {call.code for call in on.ucm.calls()} == {0}


@pytest.mark.asyncio
async def test_an_update_that_the_ucm_would_not_see_is_not_sent(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(Update(room="101", guest=replace(ANNA, language="XX"), was=ANNA))
        assert on.said() == []


@pytest.mark.asyncio
async def test_a_room_status_without_a_mapping_is_a_warning_and_no_call(tmp_path):
    async with bench(tmp_path) as on:
        assert "[room_status]" in await on.apply(RoomStatus(room="101", code="77"))
        assert on.said() == []


# --- Answers about the state of a room ---


@pytest.mark.asyncio
async def test_19_with_our_guest_is_an_update_and_never_a_check_out(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=replace(ANNA, name="Old")))
        on.ucm.rooms.leave_message("101")
        await on.apply(CheckIn(room="101", guest=ANNA))
        assert on.said()[1:] == ["checkin 101 19", "listPMSRoom  0", "update 101 0"]
        assert (on.room().lastname, on.room().messages) == ("Rossi", 1)


@pytest.mark.asyncio
async def test_19_with_the_same_name_and_no_account_is_our_guest(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=replace(ANNA, key="@101")))
        await on.apply(CheckIn(room="101", guest=ANNA))
        assert on.said()[-1] == "update 101 0"


@pytest.mark.asyncio
async def test_19_with_a_stranger_throws_him_and_his_mailbox_out(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=OTTO))
        on.ucm.rooms.leave_message("101")
        await on.apply(CheckIn(room="101", guest=ANNA))
        assert on.said()[1:] == [
            "checkin 101 19",
            "listPMSRoom  0",
            "checkout 101 0",
            "checkin 101 0",
        ]
        assert (on.room().account, on.room().messages) == ("4711", 0)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("unsure", "calls"),
    [(True, ["checkin 101 19", "update 101 0"]),
     (False, ["checkin 101 19", "checkout 101 0", "checkin 101 0"])],
)  # fmt: skip
async def test_19_on_the_old_api_is_ours_only_after_a_lost_reply(tmp_path, unsure, calls):
    async with bench(tmp_path, old=True) as on:
        await on.apply(CheckIn(room="101", guest=ANNA))
        await on.apply(CheckIn(room="101", guest=ANNA), unsure=unsure)
        assert on.said()[1:] == calls


@pytest.mark.asyncio
@BOTH
async def test_20_on_a_check_out_is_done(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.apply(CheckOut(room="101"))
        assert on.said() == ["checkout 101 20"]


@pytest.mark.asyncio
@BOTH
async def test_20_on_an_update_checks_in_with_everything_known(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.apply(Update(room="101", guest=ANNA, was=replace(ANNA, name="Old")))
        assert on.said() == ["update 101 20", "checkin 101 0"]
        assert (on.room().lastname, on.room().dateout) == ("Rossi", "2026/03/18 12:00")


@pytest.mark.asyncio
@BOTH
async def test_20_on_a_move_checks_in_at_the_destination(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.apply(Move(room="205", from_room="101", guest=ANNA))
        assert on.said() == ["mov 101 20", "checkin 205 0"]


@pytest.mark.asyncio
@pytest.mark.parametrize("dirty", ["checkin", "mov"])
async def test_22_sets_the_room_available_once_and_tries_again(tmp_path, dirty):
    async with bench(tmp_path) as on:
        on.room("205").status = 2
        if dirty == "checkin":
            await on.apply(CheckIn(room="205", guest=ANNA))
            assert on.said() == ["checkin 205 22", "update 205 0", "checkin 205 0"]
        else:
            await on.apply(CheckIn(room="101", guest=ANNA))
            await on.apply(Move(room="205", from_room="101", guest=ANNA))
            assert on.said()[1:] == ["mov 101 22", "update 205 0", "mov 101 0"]
        assert on.room("205").lastname == "Rossi"


@pytest.mark.asyncio
async def test_22_that_stays_is_parked(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", action="checkin", value=22, times=-1)
        with pytest.raises(Rejected) as parked:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert parked.value.code == 22
        assert on.said() == ["checkin 101 22", "update 101 0", "checkin 101 22"]


@pytest.mark.asyncio
@BOTH
async def test_a_move_of_who_was_never_shown_leaves_the_mailbox_there(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.apply(CheckIn(room="101", guest=OTTO))
        on.ucm.rooms.leave_message("101")
        await on.apply(Move(room="205", from_room="101", guest=ANNA), repairs=True)
        assert (on.room().is_in, on.room("205").lastname, on.room("205").messages) == (
            False, "Rossi", 0,
        )  # fmt: skip


@pytest.mark.asyncio
async def test_a_move_of_who_is_shown_after_all_takes_his_mailbox_along(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=ANNA))
        on.ucm.rooms.leave_message("101")
        await on.apply(Move(room="205", from_room="101", guest=ANNA), repairs=True)
        assert on.room("205").messages == 1


@pytest.mark.asyncio
@BOTH
async def test_a_move_out_of_a_room_that_the_ucm_lacks_is_an_arrival(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.apply(Move(room="205", from_room="9001", guest=ANNA), repairs=True)
        assert on.room("205").lastname == "Rossi"


@pytest.mark.asyncio
async def test_24_with_our_guest_there_is_done(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=OTTO))
        await on.apply(CheckIn(room="205", guest=ANNA))
        await on.apply(Move(room="205", from_room="101", guest=ANNA))
        assert on.said()[2:] == ["mov 101 24", "listPMSRoom  0"]


@pytest.mark.asyncio
async def test_24_with_a_stranger_throws_him_out_and_moves_once_more(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=ANNA))
        await on.apply(CheckIn(room="205", guest=OTTO))
        await on.apply(Move(room="205", from_room="101", guest=ANNA))
        assert on.said()[2:] == ["mov 101 24", "listPMSRoom  0", "checkout 205 0", "mov 101 0"]
        assert on.room("205").account == "4711"


@pytest.mark.asyncio
async def test_24_that_stays_is_parked(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", action="mov", value=24, times=-1)
        with pytest.raises(Rejected):
            await on.apply(Move(room="205", from_room="101", guest=ANNA))
        assert [call for call in on.said() if call.startswith("mov")] == ["mov 101 24"] * 2


# --- Names ---


@pytest.mark.asyncio
@pytest.mark.parametrize(("long", "code"), [("lastname", 26), ("firstname", 25)])
async def test_a_name_too_long_is_halved_until_it_fits(tmp_path, long, code):
    name = {"lastname": "name", "firstname": "first_name"}[long]
    async with bench(tmp_path, shape="B") as on:
        on.ucm.rooms.name_bytes = 20
        await on.apply(CheckIn(room="101", guest=replace(ANNA, **{name: "ä" * 20})))
        assert on.said() == [f"checkin 101 {code}", "checkin 101 0"]
        assert getattr(on.room(), long) == "ä" * 10


@pytest.mark.asyncio
async def test_a_name_that_is_too_long_at_eight_characters_is_parked(tmp_path):
    async with bench(tmp_path, shape="B") as on:
        on.ucm.rooms.name_bytes = 4
        with pytest.raises(Rejected):
            await on.apply(CheckIn(room="101", guest=replace(ANNA, first_name="", name="x" * 30)))
        lengths = [len(call.tags["lastname"]) for call in on.ucm.calls("checkin")]
        assert lengths == [30, 15, 8]


@pytest.mark.asyncio
async def test_sensitive_characters_are_left_out_on_the_second_try_only(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=replace(ANNA, name='O\'Hara; "Bo"`\\')))
        assert on.said() == ["checkin 101 -50", "checkin 101 0"]
        assert on.room().lastname == "OHara Bo"
        on.ucm.fail("code", action="update", value=-50, times=-1)
        with pytest.raises(Rejected):
            await on.apply(Update(room="101", guest=replace(OTTO, name="O'Mey"), was=ANNA))
        assert on.said()[2:] == ["update 101 -50", "update 101 -50"]
        with pytest.raises(Rejected):  # nothing to leave out: the same call again is no help
            await on.apply(Update(room="101", guest=OTTO, was=ANNA))
        assert len(on.said()) == 5


@pytest.mark.asyncio
async def test_a_language_without_prompts_is_done_with_a_warning(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.rooms.languages = ("en",)
        warning = await on.apply(CheckIn(room="101", guest=replace(ANNA, language="FR")))
        assert warning.startswith("-100: done")
        assert on.room().is_in


# --- Refusals ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [12, 13, 14, 15, 17, 18, 23])
async def test_refused_for_good_is_parked_after_one_try(tmp_path, old, code):
    async with bench(tmp_path, old=old) as on:
        on.ucm.fail("code", value=code, times=-1, action="checkin")
        with pytest.raises(Rejected) as parked:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert parked.value.code == code
        assert len(on.said()) == 1
        assert "Rossi" not in str(parked.value)


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [-9, -24, -25, -26, -41, -42, -51, -99])
async def test_refused_for_a_passing_reason_is_tried_again_later(tmp_path, old, code):
    async with bench(tmp_path, old=old) as on:
        on.ucm.fail("code", value=code, times=1, action="checkin")
        with pytest.raises(Refused) as refused:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert (refused.value.code, len(on.said())) == (code, 1)


@pytest.mark.asyncio
@pytest.mark.parametrize(("code", "seconds"), [(-45, 15), (-46, 15), (-57, 60)])
async def test_too_frequent_pauses_the_whole_ucm(tmp_path, code, seconds):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=code, times=1, action="checkin")
        with pytest.raises(Paused) as paused:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert (paused.value.seconds, paused.value.loud) == (seconds, False)


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [16, 21, -37, -47, -70, -71])
async def test_what_only_an_operator_can_mend_stops_the_calls_loudly(tmp_path, code):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=code, times=-1, action="checkin")
        with pytest.raises(Paused) as paused:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert (paused.value.seconds, paused.value.loud, len(on.said())) == (300, True, 1)


@pytest.mark.asyncio
async def test_a_wrong_password_is_tried_once_and_a_ban_lasts_as_long_as_it_says(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.settings.password = "changed"
        on.ucm.settings.tries = 2
        with pytest.raises(Paused) as paused:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert (paused.value.code, on.ucm.failed_logins) == (-37, 1)
        with pytest.raises(Paused):
            await on.apply(CheckIn(room="101", guest=ANNA))
        with pytest.raises(Paused) as banned:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert banned.value.code == -68
        assert 290 < banned.value.seconds <= 301


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [("password", "x", 401), ("permitted", False, 403), ("api_enabled", False, 404)],
)
async def test_a_shut_door_of_the_old_api_stops_the_calls_loudly(tmp_path, setting, value, code):
    async with bench(tmp_path, old=True) as on:
        setattr(on.ucm.settings, setting, value)
        with pytest.raises(Paused) as paused:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert (paused.value.code, paused.value.loud) == (code, True)
        assert on.said() == []


# --- Sessions ---


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [-5, -6, -7, -8])
async def test_a_dead_session_is_renewed_once_and_the_call_repeated(tmp_path, code):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=code, times=1, action="checkin")
        await on.apply(CheckIn(room="101", guest=ANNA))
        assert on.said() == [f"checkin 101 {code}", "checkin 101 0"]
        assert on.ucm.logins == 2


@pytest.mark.asyncio
async def test_an_expired_cookie_is_renewed(tmp_path):
    async with bench(tmp_path) as on:
        now = 0.0
        on.ucm.now = lambda: now
        await on.apply(CheckIn(room="101", guest=ANNA))
        now = 301.0
        await on.apply(CheckOut(room="101"))
        assert on.said() == ["checkin 101 0", "checkout 101 -6", "checkout 101 0"]


@pytest.mark.asyncio
@pytest.mark.parametrize(("code", "sent"), [(-6, False), (-8, True)])
async def test_a_fresh_session_that_is_refused_is_not_the_rows_fault(tmp_path, code, sent):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=code, times=-1, action="checkin")
        with pytest.raises(SessionRefused) as refused:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert refused.value.sent is sent
        assert (len(on.said()), on.ucm.logins) == (2, 2)


@pytest.mark.asyncio
async def test_a_session_that_breaks_under_a_done_move_looks_before_it_repeats(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=ANNA))
        on.ucm.fail("code", value=-7, times=1, action="mov")
        on.ucm.rooms.apply("mov", {"address": "101", "d_address": "205"})
        await on.apply(Move(room="205", from_room="101", guest=ANNA))
        assert on.said()[1:] == ["mov 101 -7", "listPMSRoom  0"]


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", ["drop", "html"])
@pytest.mark.parametrize(("code", "sent"), [(-6, False), (-7, True)])
@pytest.mark.parametrize(
    "event", [CheckIn(room="205", guest=ANNA), Move(room="205", from_room="101", guest=ANNA)]
)
async def test_a_login_that_is_lost_behind_a_call_that_may_be_done(
    tmp_path, event, code, sent, fault
):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=ANNA))
        on.ucm.fail("code", value=code, times=1, action=on.driver.action_of(event))
        on.ucm.fail(fault, action="challenge")
        with pytest.raises(Unreachable) as lost:
            await on.apply(event)
        assert lost.value.sent is sent


@pytest.mark.asyncio
async def test_a_look_that_is_lost_behind_a_move_that_may_be_done():
    class Wire:
        """A UCM that breaks a session under a move, and then cannot be reached."""

        certificate_ends, certificate = None, b""
        replies = (
            {"challenge": "1"}, {"cookie": "a"}, -7, {"challenge": "2"}, {"cookie": "b"},
        )  # fmt: skip

        async def post(self, _, __):
            if not self.replies:
                raise Unreachable("reset", "no connection", sent=False)
            (reply, *self.replies) = self.replies
            said = {"status": reply} if isinstance(reply, int) else {"status": 0, "response": reply}
            return HttpReply(200, json.dumps({"response": {}, **said}).encode())

        async def close(self):
            pass

    metrics = Metrics(version="1", site="test")
    api = NewApi(Wire(), username="u", password="p", token="t", metrics=metrics)
    with pytest.raises(Unreachable) as lost:
        await UcmDriver(api, WORDS, metrics).apply(
            Move(room="205", from_room="101", guest=ANNA), unsure=False, repairs=False
        )
    assert lost.value.sent


@pytest.mark.asyncio
async def test_a_password_that_was_changed_behind_a_call_that_may_be_done(tmp_path):
    async with bench(tmp_path) as on:
        await on.driver.probe()
        on.ucm.fail("code", value=-7, times=1, action="checkin")
        on.ucm.settings.password = "changed"
        with pytest.raises(Paused) as paused:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert paused.value.sent


@pytest.mark.asyncio
async def test_a_wedged_ucm_is_an_outage_until_it_is_rebooted(tmp_path):
    async with bench(tmp_path, timeout_s=0.5) as on:
        on.ucm.wedged = True
        with pytest.raises(Unreachable) as lost:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert (lost.value.kind, lost.value.sent) == ("timeout", False)  # it was only logging in
        on.ucm.reboot()
        await on.apply(CheckIn(room="101", guest=ANNA))
        assert on.room().is_in


@pytest.mark.asyncio
async def test_a_token_in_the_wrong_case_is_a_stop(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.settings.token_case = "upper"
        with pytest.raises(Paused) as stopped:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert stopped.value.code == 16


@pytest.mark.asyncio
async def test_never_two_logins_at_once(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.settings.latency_s = 0.02
        async with asyncio.TaskGroup() as group:
            for room in ("101", "102", "205"):
                group.create_task(on.apply(CheckIn(room=room, guest=ANNA)))
            group.create_task(on.driver.probe())
        assert (on.ucm.logins, on.ucm.most_logins_at_once) == (1, 0)


# --- The way there and back ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("fault", "kind", "sent"),
    [("drop", "reset", True), ("reset", "reset", True), ("html", "http", True),
     ("empty", "body", True), ("half", "reset", True), ("hang", "timeout", True),
     ("drip", "timeout", True)],
)  # fmt: skip
async def test_a_lost_reply_is_an_outage_and_the_row_is_unsure(tmp_path, old, fault, kind, sent):
    async with bench(tmp_path, old=old, timeout_s=0.7) as on:
        await on.driver.probe()
        on.ucm.fail(fault, action="checkin")
        with pytest.raises(Unreachable) as lost:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert (lost.value.kind, lost.value.sent) == (kind, sent)
        await on.apply(CheckIn(room="101", guest=ANNA), unsure=True)
        assert on.room().lastname == "Rossi"
        assert "checkout" not in "".join(on.said())  # a lost reply never wipes a mailbox


@pytest.mark.asyncio
async def test_garbage_behind_a_good_reply_is_forgiven(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("garbage", action="checkin")
        await on.apply(CheckIn(room="101", guest=ANNA))
        assert on.room().is_in


@pytest.mark.asyncio
async def test_a_move_whose_reply_was_lost_asks_the_list_first(tmp_path):
    async with bench(tmp_path) as on:
        await on.apply(CheckIn(room="101", guest=ANNA))
        on.ucm.fail("drop", action="mov")
        with pytest.raises(Unreachable):
            await on.apply(Move(room="205", from_room="101", guest=ANNA))
        # Meanwhile somebody at the UCM's own page takes the old room.
        on.ucm.rooms.apply(
            "checkin", {"address": "101", "datein": "20260314", "dateout": "20260314"}
        )
        await on.apply(Move(room="205", from_room="101", guest=ANNA), unsure=True)
        assert on.said()[1:] == ["mov 101 0", "listPMSRoom  0"]
        assert on.room("101").is_in


@pytest.mark.asyncio
async def test_a_ucm_that_is_not_there_was_sent_nothing(tmp_path):
    async with bench(tmp_path) as on:
        await on.ucm.stop()
        with pytest.raises(Unreachable) as lost:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert (lost.value.kind, lost.value.sent) == ("reset", False)


@pytest.mark.asyncio
@pytest.mark.parametrize("shape", "ABCDEF")
async def test_failures_are_understood_in_every_shape(tmp_path, shape):
    async with bench(tmp_path, shape=shape) as on:
        await on.apply(CheckIn(room="101", guest=OTTO))
        await on.apply(CheckIn(room="101", guest=ANNA))
        await on.apply(CheckOut(room="102"))
        with pytest.raises(Rejected) as parked:
            await on.apply(CheckIn(room="999", guest=ANNA))
        assert (on.room().account, parked.value.code) == ("4711", 18)


# --- Certificates ---


@pytest.mark.asyncio
async def test_a_changed_certificate_gets_no_request(tmp_path):
    async with bench(tmp_path, tls=pinned(write_certificate(tmp_path, name="OTHER"))) as on:
        with pytest.raises(Unreachable) as changed:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert (changed.value.kind, changed.value.sent) == ("tls", False)
        assert "sha256:" in str(changed.value)
        assert on.ucm.journal == []


@pytest.mark.asyncio
async def test_a_pin_works_on_an_expired_certificate_and_its_end_is_known(tmp_path):
    pem = write_certificate(tmp_path, days=-1)
    async with bench(tmp_path, pem=pem) as on:
        await on.apply(CheckIn(room="101", guest=ANNA))
        assert on.peer.certificate_ends is not None
        assert b"pmsgw_ucm_certificate_expiry_timestamp_seconds 1." in on.metrics.expose()


@pytest.mark.asyncio
async def test_an_authority_must_have_signed_it(tmp_path):
    async with bench(tmp_path, tls=TlsSettings(trust=Trust.CA)) as on:
        with pytest.raises(Unreachable) as unknown:
            await on.apply(CheckIn(room="101", guest=ANNA))
        assert unknown.value.kind == "tls"
        assert on.ucm.journal == []


@pytest.mark.asyncio
async def test_insecure_takes_any_certificate(tmp_path):
    async with bench(tmp_path, tls=TlsSettings(trust=Trust.INSECURE)) as on:
        await on.apply(CheckIn(room="101", guest=ANNA))
        assert on.room().is_in


@pytest.mark.asyncio
async def test_no_secret_and_no_name_is_in_an_error(tmp_path):
    async with bench(tmp_path, old=True, timeout_s=0.4) as on:
        texts = []
        for fault in ("hang", "reset", "html", "empty"):
            on.ucm.faults.clear()
            on.ucm.fail(fault, times=-1)
            with pytest.raises(Unreachable) as lost:
                await on.apply(CheckIn(room="101", guest=ANNA))
            texts.append(repr(lost.value) + str(lost.value))
        token = pms_token(on.ucm.settings.pms_username, on.ucm.settings.pms_password)
        for secret in ("Rossi", "Anna", token, on.ucm.settings.password):
            assert secret not in "".join(texts)


def test_the_token_is_the_printed_example():
    assert pms_token("admin1", "admin123", upper_case=True) == "3FAF8662B93EF7B8B359C0DFD18696D3"


@pytest.mark.asyncio
async def test_a_challenge_that_is_half_a_character_is_no_crash(tmp_path, monkeypatch):
    half = {"response": {"challenge": "\ud800"}, "status": 0}
    monkeypatch.setattr(UcmSimulator, "_challenge", lambda _, __: half)
    async with bench(tmp_path) as on:
        with pytest.raises((Unreachable, Paused)):
            await on.driver.probe()


@pytest.mark.asyncio
@pytest.mark.parametrize("words", ["algorithm=SHA-9000", 'qop="auth-int"', ""])
async def test_an_odd_digest_challenge_is_an_outage_and_no_crash(words):
    async def odd(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        challenge = f'WWW-Authenticate: Digest realm="x", nonce="y", {words}'
        writer.write(f"HTTP/1.1 401 No\r\n{challenge}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(odd, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    metrics = Metrics(version="1", site="t")
    peer = HttpsPeer(f"http://127.0.0.1:{port}/pmsapi", tls=TlsSettings(trust=Trust.INSECURE),
                     timeout_s=2, digest=("u", "p"))  # fmt: skip
    driver = UcmDriver(OldApi(peer, token="t", metrics=metrics), WORDS, metrics)
    with pytest.raises((Unreachable, Paused)):
        await driver.probe()
    await driver.close()
    server.close()
