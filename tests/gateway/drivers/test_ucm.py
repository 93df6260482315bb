"""The driver against the strict simulated UCM, over real TLS: one call, and what it comes to."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime

import pytest

from gateway.drivers.base import (
    Interrupted,
    Outcome,
    Paused,
    Refused,
    Rejected,
    SessionRefused,
    Unreachable,
)
from gateway.drivers.calls import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.drivers.https import HttpsPeer, TlsSettings, Trust
from gateway.drivers.ucm import UcmDriver
from gateway.drivers.ucm_api import NewApi, OldApi, pms_token
from gateway.drivers.ucm_wire import Words
from gateway.house.states import Guest
from gateway.metrics import Metrics
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.ucm import UcmSimulator

CAME = datetime(2026, 3, 14, 10, 5)
ANNA = Guest(key="4711", name="Rossi", first_name="Anna", class_of_service="2", came=CAME,
             departure=date(2026, 3, 18))  # fmt: skip
OTTO = Guest(key="4712", name="Meyer", first_name="Otto", came=CAME)
MOVE = Move(room="205", from_room="101")
WORDS = Words(class_of_service={"2": 3}, room_status={"5": 1, "1": 5})
BOTH = pytest.mark.parametrize("old", [False, True], ids=["new", "old"])


class Bench:
    """A UCM, a driver, and what they said to each other."""

    def __init__(self, ucm, driver, peer, metrics):
        self.ucm, self.driver, self.peer, self.metrics = ucm, driver, peer, metrics

    async def apply(self, call):
        return await self.driver.apply(call)

    async def check_in(self, guest, room="101"):
        return await self.apply(CheckIn(room=room, tags=self.driver.tags_of(guest, 7)))

    async def update(self, room="101", **tags):
        return await self.apply(Update(room=room, tags=tags))

    def retries(self):
        """Why requests were repeated: action, reason and how often."""
        return {
            (sample.labels["action"], sample.labels["reason"]): int(sample.value)
            for metric in self.metrics.ucm_retries.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.value
        }

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


# --- One call ---


@pytest.mark.asyncio
@BOTH
async def test_a_stay_from_check_in_to_check_out(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.check_in(ANNA)
        assert (on.room().lastname, on.room().firstname, on.room().cos) == ("Rossi", "Anna", "3")
        assert (on.room().datein, on.room().dateout) == ("2026/03/14 10:05", "2026/03/18 12:00")
        await on.update(lastname="Rossi-Verdi")
        assert (on.room().lastname, on.room().firstname) == ("Rossi-Verdi", "Anna")
        await on.apply(DoNotDisturb(room="101", on=True))
        await on.apply(WakeUp(room="101", at=datetime(2026, 3, 15, 6, 30)))
        assert (on.room().dnd, on.room().wake_up) == (True, ("20260315", "0630"))
        await on.apply(WakeUp(room="101", at=None))
        await on.apply(DoNotDisturb(room="101", on=False))
        assert (on.room().dnd, on.room().wake_up) == (False, None)
        on.ucm.rooms.leave_message("101")
        await on.apply(MOVE)
        assert (on.room().is_in, on.room("205").messages) == (False, 1)
        await on.apply(CheckOut(room="205"))
        assert (on.room("205").is_in, on.room("205").messages) == (False, 0)
        await on.apply(RoomStatus(room="205", code="1"))
        assert on.room("205").status == 5
        assert {call.code for call in on.ucm.calls()} == {0}


@pytest.mark.asyncio
@BOTH
async def test_a_call_that_is_done_is_one_request_and_has_no_warning(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        answer = await on.check_in(ANNA)
        assert (answer.outcome, answer.code, answer.warning) == (Outcome.DONE, 0, "")
        assert on.said() == ["checkin 101 0"]
        assert on.retries() == {}


@pytest.mark.asyncio
async def test_a_room_status_without_a_mapping_is_a_warning_and_no_request(tmp_path):
    async with bench(tmp_path) as on:
        answer = await on.apply(RoomStatus(room="101", code="77"))
        assert (answer.outcome, on.said()) == (Outcome.DONE, [])
        assert "[room_status]" in answer.warning


@pytest.mark.asyncio
async def test_words_that_are_replaced_count_from_the_next_call_on(tmp_path):
    async with bench(tmp_path) as on:
        on.driver.words = Words(class_of_service={"2": 1}, room_status={"77": 4})
        await on.apply(RoomStatus(room="101", code="77"))
        assert on.room().status == 4
        await on.check_in(ANNA)
        assert on.room().cos == "1"


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("call", "outcome", "said"),
    [
        (CheckIn(room="102", tags={"datein": "20260314", "dateout": "20260314"}),
         Outcome.ALREADY_IN, "checkin 102 19"),
        (CheckOut(room="101"), Outcome.NOT_IN, "checkout 101 20"),
        (Update(room="101", tags={"lastname": "Rossi"}), Outcome.NOT_IN, "update 101 20"),
        (Move(room="205", from_room="101"), Outcome.NOT_IN, "mov 101 20"),
        (Move(room="205", from_room="102"), Outcome.TAKEN, "mov 102 24"),
    ],
)  # fmt: skip
async def test_an_answer_about_the_state_of_a_room_is_told_and_not_acted_on(
    tmp_path, old, call, outcome, said
):
    """What it means depends on what the house knows."""
    async with bench(tmp_path, old=old) as on:
        await on.check_in(OTTO, "102")
        await on.check_in(OTTO, "205")
        on.ucm.rooms.leave_message("102")
        answer = await on.apply(call)
        assert (answer.outcome, answer.code) == (outcome, int(said.split()[-1]))
        assert on.said()[2:] == [said]
        assert (on.room("102").lastname, on.room("102").messages) == ("Meyer", 1)
        assert (on.room("101").is_in, on.room("205").lastname) == (False, "Meyer")


# --- A room that is being cleaned ---


@pytest.mark.asyncio
@BOTH
async def test_22_on_a_check_in_sets_the_room_available_once_and_tries_again(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        on.room("205").status = 2
        answer = await on.check_in(ANNA, "205")
        assert on.said() == ["checkin 205 22", "update 205 0", "checkin 205 0"]
        assert (answer.outcome, on.room("205").lastname) == (Outcome.DONE, "Rossi")
        assert on.ucm.calls("update")[0].tags["status"] == "1"
        assert on.retries() == {("checkin", "under_repair"): 1}


@pytest.mark.asyncio
@BOTH
async def test_22_on_a_move_sets_the_new_room_available_and_not_the_old_one(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.check_in(ANNA)
        on.room("205").status = 3
        await on.apply(MOVE)
        assert on.said()[1:] == ["mov 101 22", "update 205 0", "mov 101 0"]
        assert on.room("205").lastname == "Rossi"


@pytest.mark.asyncio
async def test_22_that_stays_is_refused_for_good(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", action="checkin", value=22, times=-1)
        with pytest.raises(Rejected) as parked:
            await on.check_in(ANNA)
        assert parked.value.code == 22
        assert on.said() == ["checkin 101 22", "update 101 0", "checkin 101 22"]


@pytest.mark.asyncio
async def test_an_answer_behind_a_room_made_available_is_told_as_any_other(tmp_path):
    async with bench(tmp_path) as on:
        await on.check_in(OTTO)
        on.ucm.fail("code", action="checkin", value=22)
        answer = await on.check_in(ANNA)
        assert (answer.outcome, on.said()[-1]) == (Outcome.ALREADY_IN, "checkin 101 19")


# --- Names ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(("long", "code"), [("lastname", 26), ("firstname", 25)])
async def test_a_name_too_long_is_halved_until_it_fits(tmp_path, long, code, old):
    name = {"lastname": "name", "firstname": "first_name"}[long]
    async with bench(tmp_path, shape="B", old=old) as on:
        on.ucm.rooms.name_bytes = 20
        answer = await on.check_in(replace(ANNA, **{name: "ä" * 30}))
        assert on.said() == [f"checkin 101 {code}", f"checkin 101 {code}", "checkin 101 0"]
        assert (answer.outcome, getattr(on.room(), long)) == (Outcome.DONE, "ä" * 8)
        assert on.retries() == {("checkin", "name_too_long"): 2}


@pytest.mark.asyncio
async def test_a_name_that_is_too_long_at_eight_characters_is_refused_for_good(tmp_path):
    async with bench(tmp_path, shape="B") as on:
        on.ucm.rooms.name_bytes = 4
        with pytest.raises(Rejected) as parked:
            await on.check_in(replace(ANNA, first_name="", name="x" * 30))
        lengths = [len(call.tags["lastname"]) for call in on.ucm.calls("checkin")]
        assert (parked.value.code, lengths) == (26, [30, 15, 8])


@pytest.mark.asyncio
@BOTH
async def test_sensitive_characters_are_left_out_on_the_second_try_only(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.check_in(replace(ANNA, name='O\'Hara; "Bo"`\\'))
        assert on.said() == ["checkin 101 -50", "checkin 101 0"]
        assert on.room().lastname == "OHara Bo"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "said"),
    [("O'Mey", ["update 101 -50"] * 2),
     ("Meyer", ["update 101 -50"])],  # nothing to leave out: the same request again is no help
)  # fmt: skip
async def test_sensitive_characters_that_are_still_there_are_refused_for_good(tmp_path, name, said):
    async with bench(tmp_path) as on:
        await on.check_in(ANNA)
        on.ucm.fail("code", action="update", value=-50, times=-1)
        with pytest.raises(Rejected) as parked:
            await on.update(lastname=name)
        assert (parked.value.code, on.said()[1:], on.room().lastname) == (-50, said, "Rossi")


@pytest.mark.asyncio
async def test_a_name_that_is_sensitive_and_too_long_gets_both_repairs(tmp_path):
    async with bench(tmp_path, shape="B") as on:
        on.ucm.rooms.name_bytes = 10
        await on.check_in(replace(ANNA, name="O'" + "x" * 18))
        assert on.said() == ["checkin 101 -50", "checkin 101 26", "checkin 101 0"]
        assert on.room().lastname == "O" + "x" * 8


@pytest.mark.asyncio
@BOTH
async def test_a_language_without_prompts_is_done_with_a_warning(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        on.ucm.rooms.languages = ("en",)
        answer = await on.check_in(replace(ANNA, language="FR"))
        assert (answer.outcome, answer.code) == (Outcome.DONE, -100)
        assert answer.warning.startswith("-100: done")
        assert on.room().is_in


# --- Refusals ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [12, 13, 14, 15, 17, 18, 23])
async def test_what_is_refused_for_good_is_asked_once(tmp_path, old, code):
    async with bench(tmp_path, old=old) as on:
        on.ucm.fail("code", value=code, times=-1, action="checkin")
        with pytest.raises(Rejected) as parked:
            await on.check_in(ANNA)
        assert parked.value.code == code
        assert len(on.said()) == 1
        assert "Rossi" not in str(parked.value)


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [-9, -24, -25, -26, -41, -42, -51, -99])
async def test_what_is_refused_for_a_passing_reason_is_asked_once(tmp_path, old, code):
    async with bench(tmp_path, old=old) as on:
        on.ucm.fail("code", value=code, times=1, action="checkin")
        with pytest.raises(Refused) as refused:
            await on.check_in(ANNA)
        assert (refused.value.code, len(on.said())) == (code, 1)


@pytest.mark.asyncio
@pytest.mark.parametrize(("code", "seconds"), [(-45, 15), (-46, 15), (-57, 60)])
async def test_too_frequent_pauses_the_whole_ucm(tmp_path, code, seconds):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=code, times=1, action="checkin")
        with pytest.raises(Paused) as paused:
            await on.check_in(ANNA)
        assert (paused.value.seconds, paused.value.loud) == (seconds, False)


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [16, 21, -37, -47, -70, -71])
async def test_what_only_an_operator_can_mend_stops_the_calls_loudly(tmp_path, code):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=code, times=-1, action="checkin")
        with pytest.raises(Paused) as paused:
            await on.check_in(ANNA)
        assert (paused.value.seconds, paused.value.loud, len(on.said())) == (300, True, 1)


@pytest.mark.asyncio
async def test_a_wrong_password_is_tried_once_and_a_ban_lasts_as_long_as_it_says(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.settings.password = "changed"
        on.ucm.settings.tries = 2
        on.ucm.now = lambda: 1000.0
        with pytest.raises(Paused) as paused:
            await on.check_in(ANNA)
        assert (paused.value.code, on.ucm.failed_logins) == (-37, 1)
        with pytest.raises(Paused):
            await on.check_in(ANNA)
        with pytest.raises(Paused) as banned:
            await on.check_in(ANNA)
        assert (banned.value.code, banned.value.seconds) == (-68, 301)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [("password", "x", 401), ("permitted", False, 403), ("api_enabled", False, 404)],
)
async def test_a_shut_door_of_the_old_api_stops_the_calls_loudly(tmp_path, setting, value, code):
    async with bench(tmp_path, old=True) as on:
        setattr(on.ucm.settings, setting, value)
        with pytest.raises(Paused) as paused:
            await on.check_in(ANNA)
        assert (paused.value.code, paused.value.loud) == (code, True)
        assert on.said() == []


# --- Sessions ---


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


# --- The list of rooms ---


@pytest.mark.asyncio
async def test_the_list_shows_a_guest_as_he_was_told(tmp_path):
    async with bench(tmp_path) as on:
        guest = replace(ANNA, language="EN", vip="1")
        await on.check_in(guest)
        listed = {room.address: room for room in await on.driver.rooms()}
        assert {address: room.is_in for address, room in listed.items()} == {
            "101": True, "102": False, "205": False,
        }  # fmt: skip
        ours, others = on.driver.tags_of(guest, 7), on.driver.tags_of(OTTO, 8)
        assert on.driver.is_ours(listed["101"], ours)
        assert not on.driver.is_ours(listed["101"], others)
        assert on.driver.shown_tags(listed["101"], ours) == ours


@pytest.mark.asyncio
async def test_a_list_of_more_than_one_page_is_read_to_its_end(tmp_path, monkeypatch):
    async with bench(tmp_path) as on:

        def paged(data, form, token):
            number = data["listPMSRoom"].get("page", 1)
            rows = on.ucm.rooms.listed()[number - 1 : number]
            return {"page": number, "pms_room": rows, "total_item": 1, "total_page": 3}

        monkeypatch.setattr(UcmSimulator, "_do", lambda _, *asked: paged(*asked))
        assert [room.address for room in await on.driver.rooms()] == ["101", "102", "205"]


@pytest.mark.asyncio
async def test_a_list_that_has_every_room_on_each_page_is_not_asked_for_ever(tmp_path, monkeypatch):
    async with bench(tmp_path) as on:

        def whole(*_):
            return {"page": 1, "pms_room": on.ucm.rooms.listed(), "total_page": 999}

        monkeypatch.setattr(UcmSimulator, "_do", whole)
        assert [room.address for room in await on.driver.rooms()] == ["101", "102", "205"]
        assert len(on.said()) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [13, -19, -1])
async def test_a_firmware_without_a_list_is_known_when_it_refuses_it(tmp_path, code):
    async with bench(tmp_path) as on:
        assert on.driver.has_list
        on.ucm.fail("code", action="listPMSRoom", value=code)
        assert await on.driver.rooms() is None
        assert not on.driver.has_list
        assert len(await on.driver.rooms()) == 3  # it was updated
        assert on.driver.has_list


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "error"), [(-9, Unreachable), (-51, Unreachable), (-45, Paused), (-47, Paused)]
)
async def test_a_list_that_fails_for_a_passing_reason_is_still_a_list(tmp_path, code, error):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", action="listPMSRoom", value=code)
        with pytest.raises(error):
            await on.driver.rooms()
        assert on.driver.has_list


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [-6, -7])
async def test_a_session_that_breaks_under_the_list_is_renewed(tmp_path, code):
    async with bench(tmp_path) as on:
        await on.driver.probe()
        on.ucm.fail("code", action="listPMSRoom", value=code)
        assert len(await on.driver.rooms()) == 3
        assert on.ucm.logins == 2


@pytest.mark.asyncio
async def test_the_old_api_has_no_list_and_is_not_asked_for_one(tmp_path):
    async with bench(tmp_path, old=True) as on:
        assert not on.driver.has_list
        assert await on.driver.rooms() is None
        assert (on.driver.has_list, on.said()) == (False, [])


# --- The way there and back ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("fault", "kind", "done"),
    [("drop", "reset", True), ("reset", "reset", False), ("html", "http", False),
     ("empty", "body", False), ("half", "reset", True), ("hang", "timeout", False),
     ("drip", "timeout", True)],
)  # fmt: skip
async def test_a_lost_reply_is_an_outage_and_the_call_may_have_been_done(
    tmp_path, old, fault, kind, done
):
    async with bench(tmp_path, old=old, timeout_s=0.7) as on:
        await on.driver.probe()
        on.ucm.fail(fault, action="checkin")
        with pytest.raises(Unreachable) as lost:
            await on.check_in(ANNA)
        assert (lost.value.kind, lost.value.sent) == (kind, True)
        assert on.room().is_in is done
        answer = await on.check_in(ANNA)
        assert answer.outcome is (Outcome.ALREADY_IN if done else Outcome.DONE)
        assert on.room().lastname == "Rossi"


@pytest.mark.asyncio
async def test_garbage_behind_a_good_reply_is_forgiven(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("garbage", action="checkin")
        await on.check_in(ANNA)
        assert on.room().is_in


@pytest.mark.asyncio
async def test_a_ucm_that_is_not_there_was_sent_nothing(tmp_path):
    async with bench(tmp_path) as on:
        await on.ucm.stop()
        with pytest.raises(Unreachable) as lost:
            await on.check_in(ANNA)
        assert (lost.value.kind, lost.value.sent) == ("reset", False)


@pytest.mark.asyncio
@pytest.mark.parametrize("shape", "ABCDEF")
async def test_failures_are_understood_in_every_shape(tmp_path, shape):
    async with bench(tmp_path, shape=shape) as on:
        await on.check_in(OTTO)
        assert (await on.check_in(ANNA)).outcome is Outcome.ALREADY_IN
        assert (await on.apply(CheckOut(room="102"))).outcome is Outcome.NOT_IN
        with pytest.raises(Rejected) as parked:
            await on.check_in(ANNA, "999")
        assert (on.room().account, parked.value.code) == ("4712", 18)


# --- Certificates ---


@pytest.mark.asyncio
async def test_a_changed_certificate_gets_no_request(tmp_path):
    async with bench(tmp_path, tls=pinned(write_certificate(tmp_path, name="OTHER"))) as on:
        with pytest.raises(Unreachable) as changed:
            await on.check_in(ANNA)
        assert (changed.value.kind, changed.value.sent) == ("tls", False)
        assert "sha256:" in str(changed.value)
        assert on.ucm.journal == []


@pytest.mark.asyncio
async def test_a_pin_works_on_an_expired_certificate_and_its_end_is_known(tmp_path):
    pem = write_certificate(tmp_path, days=-1)
    async with bench(tmp_path, pem=pem) as on:
        await on.check_in(ANNA)
        assert on.peer.certificate_ends is not None
        assert b"pmsgw_ucm_certificate_expiry_timestamp_seconds 1." in on.metrics.expose()


@pytest.mark.asyncio
async def test_an_authority_must_have_signed_it(tmp_path):
    async with bench(tmp_path, tls=TlsSettings(trust=Trust.CA)) as on:
        with pytest.raises(Unreachable) as unknown:
            await on.check_in(ANNA)
        assert unknown.value.kind == "tls"
        assert on.ucm.journal == []


@pytest.mark.asyncio
async def test_insecure_takes_any_certificate(tmp_path):
    async with bench(tmp_path, tls=TlsSettings(trust=Trust.INSECURE)) as on:
        await on.check_in(ANNA)
        assert on.room().is_in


@pytest.mark.asyncio
async def test_no_secret_and_no_name_is_in_an_error(tmp_path):
    async with bench(tmp_path, old=True, timeout_s=0.4) as on:
        texts = []
        for fault in ("hang", "reset", "html", "empty"):
            on.ucm.faults.clear()
            on.ucm.fail(fault, times=-1)
            with pytest.raises(Unreachable) as lost:
                await on.check_in(ANNA)
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
