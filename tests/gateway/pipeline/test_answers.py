"""What each answer of the UCM leads to, end to end: a record, the requests, and what is shown.

Both kinds of UCM: with a list of its rooms (new API) and without (old API).
"""

from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from gateway.drivers.base import Unreachable
from gateway.logs import set_up
from tests.site import Site

BOTH = pytest.mark.parametrize("has_list", [True, False], ids=["new", "old"])
ROOMS = ("101", "102", "205")
ANNA = "GI|RN101|G#4711|GNRossi|GFAnna|GSN|"
ANNA_MOVES = "GC|RN205|RO101|G#4711|GNRossi|GFAnna|GSN|"
ANNA_MARRIES = "GC|RN101|G#4711|GNBell|"
ANNA_LEAVES = "GO|RN101|G#4711|GSN|"
OTTO = "GI|RN102|G#4712|GNMeyer|GFOtto|GSN|"
OTTO_MOVES = "GC|RN205|RO102|G#4712|GNMeyer|GFOtto|GSN|"
CARL = "GI|RN102|G#4713|GNDupont|GFCarl|GSN|"
OUT = None


@pytest.fixture(autouse=True)
def loud():
    """Another test may have asked for quiet."""
    set_up()


class NotedSite(Site):
    """A hotel that notes what its UCM is asked, with the answer and the moment.

    said    "checkin 101 19"; "list" where the list of rooms was read
    always  what an action is answered with, whatever the model UCM would say
    """

    def __init__(self, path, **how):
        super().__init__(path, ROOMS, **how)
        self.said, self.moments, self.always = [], [], {}
        self._send, self._rooms = self.api.send, self.api.rooms
        self.api.send, self.api.rooms = self._noted_send, self._noted_rooms

    async def _noted_send(self, request):
        what = f"{request.action} {request.value_of('address')}"
        self.moments.append(self.clock.now())
        if request.action in self.always:
            self.api.plan.insert(0, self.always[request.action])
        try:
            reply = await self._send(request)
        except Unreachable:
            self.said.append(f"{what} lost")
            raise
        self.said.append(f"{what} {reply.code}")
        return reply

    async def _noted_rooms(self):
        self.said.append("list")
        return await self._rooms()

    def forget(self):
        self.said.clear()
        self.moments.clear()

    async def told(self, *records, fates=()):
        """What the UCM is asked because of these records, and because of what it answers."""
        self.forget()
        self.api.plan[:] = fates
        await self.hear(*records)
        await self.rest()
        return self.said

    async def now(self):
        """What the UCM is asked without any time passing."""
        self.forget()
        while await self.turn():
            pass
        return self.said

    async def compared(self):
        """What comes of a comparison with the UCM's list, if there is one."""
        self.forget()
        self.clock.wind(900)
        await self.rest()
        return self.said

    def pauses(self):
        """Seconds by the hand clock between one request and the next."""
        return [round(after - before, 3) for before, after in pairwise(self.moments)]

    def at_reception(self, action, room, **tags):
        """Somebody does it on the UCM's own page."""
        dates = {"datein": "20260314", "dateout": "20260315"} if action == "checkin" else {}
        self.ucm.apply(action, {"address": room, **dates, **tags})

    def shown(self, room):
        """Last name, and for how many messages there is a lamp; None: the room is out."""
        there = self.ucm.rooms[room]
        return (there.lastname, len(self.mailbox(room))) if there.is_in else OUT

    def state(self, room):
        return self.outbox.view(room).state


@asynccontextmanager
async def site_on(tmp_path, has_list, **how):
    """A hotel in which all rooms are out, by the word of the PMS and of the UCM."""
    site = NotedSite(tmp_path / "store.db", has_list=has_list, **how)
    try:
        for room in ROOMS:
            site.at_reception("checkin", room)
        await site.told("DS|", *(f"GO|RN{room}|SF|" for room in ROOMS), "DE|")
        site.forget()
        yield site
    finally:
        site.store.store.close()


def asked(has_list, *said):
    """The same of both kinds of UCM, but for the list."""
    return [each for each in said if has_list or each != "list"]


# --- 19 on a check-in ---


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "tags", [{"account": "4711", "lastname": "Old"}, {"lastname": "Rossi"}], ids=["account", "name"]
)
async def test_19_with_our_guest_is_an_update_and_never_a_check_out(tmp_path, tags):
    async with site_on(tmp_path, has_list=True) as site:
        site.at_reception("checkin", "101", **tags)
        site.leave_message("101")
        assert await site.told(ANNA) == ["checkin 101 19", "list", "update 101 0"]
        assert (site.shown("101"), site.ucm.rooms["101"].firstname) == (("Rossi", 1), "Anna")
        assert await site.compared() == ["list"]


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    "tags", [{"account": "9", "lastname": "Rossi"}, {"lastname": "Meyer"}], ids=["account", "name"]
)
async def test_19_with_a_stranger_throws_him_and_his_mailbox_out(tmp_path, has_list, tags):
    async with site_on(tmp_path, has_list) as site:
        site.at_reception("checkin", "101", **tags)
        site.leave_message("101")
        assert await site.told(ANNA) == asked(
            has_list, "checkin 101 19", "list", "checkout 101 0", "checkin 101 0"
        )
        assert (site.shown("101"), site.wrong()) == (("Rossi", 0), [])


@pytest.mark.asyncio
async def test_19_without_a_list_is_a_stranger_although_he_may_be_ours(tmp_path):
    """Who has just come has no messages worth more than another's privacy."""
    async with site_on(tmp_path, has_list=False) as site:
        site.at_reception("checkin", "101", account="4711", lastname="Rossi")
        site.leave_message("101")
        assert await site.told(ANNA) == ["checkin 101 19", "checkout 101 0", "checkin 101 0"]
        assert site.shown("101") == ("Rossi", 0)


@pytest.mark.asyncio
async def test_19_behind_a_lost_reply_is_a_stranger_where_the_room_was_not_known_to_be_out(
    tmp_path,
):
    site = NotedSite(tmp_path / "store.db", has_list=False)
    site.at_reception("checkin", "101", account="9", lastname="Meyer")
    site.leave_message("101")
    said = await site.told(ANNA, fates=["lost"])
    assert said[:4] == ["checkin 101 lost", "checkin 101 19", "checkout 101 0", "checkin 101 0"]
    assert (site.shown("101"), site.wrong()) == (("Rossi", 0), [])
    site.store.store.close()


# --- Replies that are lost ---


@pytest.mark.asyncio
@BOTH
async def test_a_check_in_that_was_done_is_not_done_again(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        site.api.after_each = lambda: site.mailbox("101") or site.leave_message("101")
        behind = "list" if has_list else "checkin 101 19"
        assert await site.told(ANNA, fates=["done"]) == ["checkin 101 lost", behind]
        assert (site.shown("101"), site.wrong()) == (("Rossi", 1), [])


@pytest.mark.asyncio
@BOTH
async def test_a_check_out_that_was_done_is_not_done_again(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        behind = "list" if has_list else "checkout 101 20"
        assert await site.told(ANNA_LEAVES, fates=["done"]) == ["checkout 101 lost", behind]
        assert (site.shown("101"), site.state("101")) == (OUT, "told")


@pytest.mark.asyncio
@BOTH
async def test_a_move_that_was_done_is_not_done_again(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.leave_message("101")
        behind = "list" if has_list else "mov 101 20"
        assert await site.told(ANNA_MOVES, fates=["done"]) == ["mov 101 lost", behind]
        assert (site.shown("101"), site.shown("205"), site.wrong()) == (OUT, ("Rossi", 1), [])


@pytest.mark.asyncio
@BOTH
async def test_a_move_that_was_done_takes_nobody_along_who_came_into_the_old_room(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.leave_message("101")
        site.api.plan[:] = ["done"]
        await site.hear(ANNA_MOVES)
        await site.turn()
        site.at_reception("checkin", "101", account="9", lastname="Meyer")
        await site.rest()
        behind = ["list", "checkout 101 0"] if has_list else ["mov 101 24"]
        assert site.said[1:] == ["mov 101 lost", *behind]
        assert site.shown("205") == ("Rossi", 1)


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("before", "record", "call"),
    [([], ANNA, "checkin 101"), ([ANNA], ANNA_LEAVES, "checkout 101"),
     ([ANNA], ANNA_MOVES, "mov 101"), ([ANNA], ANNA_MARRIES, "update 101")],
)  # fmt: skip
async def test_a_call_that_was_not_done_is_made_again(tmp_path, has_list, before, record, call):
    async with site_on(tmp_path, has_list) as site:
        await site.told(*before)
        assert await site.told(record, fates=["lost"]) == asked(
            has_list, f"{call} lost", "list", f"{call} 0"
        )
        assert site.wrong() == []


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("crashes", [False, True])
@pytest.mark.parametrize(
    ("record", "call"), [(ANNA_MARRIES, "update 101 0"), (ANNA_LEAVES, "checkout 101 0")]
)
async def test_nothing_else_is_said_of_a_room_before_it_is_known_what_became_of_its_call(
    tmp_path, has_list, record, call, crashes
):
    async with site_on(tmp_path, has_list) as site:
        site.api.plan[:] = ["done"]
        await site.hear(ANNA)
        await site.turn()
        await site.hear(record)
        if crashes:
            site.start()
        await site.rest()
        behind = "list" if has_list else "checkin 101 19"
        assert site.said == ["checkin 101 lost", behind, call]
        assert site.wrong() == []


# --- 20 ---


@pytest.mark.asyncio
@BOTH
async def test_20_on_a_check_out_is_done_and_what_was_left_behind_is_cancelled_with_the_next_stay(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.at_reception("checkout", "101")
        site.at_reception("wakeup", "101", w_action="1", w_date="20260315", w_time="0600")
        site.at_reception("dnd", "101", status="1")
        assert await site.told(ANNA_LEAVES) == ["checkout 101 20"]
        assert site.state("101") == "told"
        assert await site.told(ANNA) == ["checkin 101 0", "dnd 101 0", "wakeup 101 0"]
        assert (site.ucm.rooms["101"].dnd, site.ucm.rooms["101"].wake_up) == (False, None)


@pytest.mark.asyncio
@BOTH
async def test_20_on_a_check_out_has_wake_up_and_dnd_of_the_next_stay_told(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.at_reception("checkout", "101")
        await site.told(ANNA_LEAVES)
        await site.told(ANNA, "WR|RN101|DA260315|TI070000|", "RE|RN101|DNY|")
        room = site.ucm.rooms["101"]
        assert (room.dnd, room.wake_up, site.wrong()) == (True, ("20260315", "0700"), [])


@pytest.mark.asyncio
@BOTH
async def test_20_on_an_update_checks_in_with_everything_known(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA, "RE|RN101|DNY|")
        site.at_reception("checkout", "101")
        assert await site.told(ANNA_MARRIES) == ["update 101 20", "checkin 101 0", "dnd 101 0"]
        assert (site.shown("101"), site.wrong()) == (("Bell", 0), [])


@pytest.mark.asyncio
@BOTH
async def test_20_on_a_move_checks_in_at_the_destination_with_everything_known(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA, "WR|RN101|DA260315|TI070000|")
        site.at_reception("checkout", "101")
        assert await site.told(ANNA_MOVES) == ["mov 101 20", "checkin 205 0", "wakeup 205 0"]
        assert (site.shown("101"), site.shown("205"), site.wrong()) == (OUT, ("Rossi", 0), [])


# --- 22 ---


@pytest.mark.asyncio
@BOTH
async def test_22_sets_the_room_available_and_the_guest_comes_in(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        site.ucm.rooms["101"].status = site.ucm.rooms["205"].status = 2
        assert await site.told(ANNA) == ["checkin 101 22", "update 101 0", "checkin 101 0"]
        site.leave_message("101")
        assert await site.told(ANNA_MOVES) == ["mov 101 22", "update 205 0", "mov 101 0"]
        assert (site.shown("205"), site.wrong()) == (("Rossi", 1), [])


@pytest.mark.asyncio
@BOTH
async def test_22_that_stays_parks_the_room_alone(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        said = await site.told(ANNA, OTTO, fates=[22, "ok", 22])
        assert said == ["checkin 101 22", "update 101 0", "checkin 101 22", "checkin 102 0"]
        assert (site.state("101"), site.state("102")) == ("parked", "told")


# --- 23 and 24 on a move ---


@pytest.mark.asyncio
@BOTH
async def test_23_checks_out_the_old_room_and_parks_the_new_one(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        assert await site.told(ANNA_MOVES, fates=[23]) == ["mov 101 23", "checkout 101 0"]
        assert (site.shown("101"), site.state("101")) == (OUT, "told")
        assert (site.shown("205"), site.state("205")) == (OUT, "parked")


@pytest.mark.asyncio
async def test_24_with_our_guest_there_is_done(tmp_path):
    async with site_on(tmp_path, has_list=True) as site:
        await site.told(ANNA)
        site.leave_message("101")
        site.at_reception("mov", "101", d_address="205")
        site.at_reception("checkin", "101", account="9", lastname="Meyer")
        assert await site.told(ANNA_MOVES) == ["mov 101 24", "list", "checkout 101 0"]
        assert (site.shown("205"), site.wrong()) == (("Rossi", 1), [])


@pytest.mark.asyncio
@BOTH
async def test_24_with_a_stranger_throws_him_out_and_moves_once_more(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.leave_message("101")
        site.at_reception("checkin", "205", account="9", lastname="Meyer")
        site.leave_message("205")
        assert await site.told(ANNA_MOVES) == asked(
            has_list, "mov 101 24", "list", "checkout 205 0", "mov 101 0"
        )
        assert site.mailbox("205") == ("4711",)
        assert site.wrong() == []


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("action", "code", "before", "record", "parked"),
    [("mov", 24, [ANNA], ANNA_MOVES, "205"), ("checkin", 19, [], ANNA, "101")],
)
async def test_a_ucm_that_contradicts_itself_for_ever_is_parked(
    tmp_path, has_list, action, code, before, record, parked
):
    async with site_on(tmp_path, has_list, retries=1) as site:
        await site.told(*before)
        site.always = {action: code}
        said = await site.told(record, OTTO if action == "mov" else "RE|RN102|RS1|")
        assert site.state(parked) == "parked"
        assert said.count(f"{action} 101 {code}") <= 5
        assert (site.outbox.waiting, site.shown("101")) == (set(), OUT)


# --- Names and languages ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("record", "code", "name"),
    [("GI|RN101|G#4711|GN" + "x" * 30 + "|GSN|", 26, "x" * 15),
     ("GI|RN101|G#4711|GNO'Hara; Bo|GSN|", -50, "OHara Bo")],
)  # fmt: skip
async def test_a_name_that_had_to_be_changed_is_not_told_again_at_each_comparison(
    tmp_path, has_list, record, code, name
):
    async with site_on(tmp_path, has_list) as site:
        site.ucm.name_bytes = 20
        assert await site.told(record) == [f"checkin 101 {code}", "checkin 101 0"]
        assert site.shown("101") == (name, 0)
        assert await site.compared() == asked(has_list, "list")
        assert await site.told(record) == []


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("name", "code", "tries"), [("x" * 30, 26, 3), ("O'Hara", -50, 2), ("Rossi", -50, 1)]
)
async def test_a_name_that_the_ucm_never_takes_parks_the_room(
    tmp_path, has_list, name, code, tries
):
    async with site_on(tmp_path, has_list) as site:
        site.always = {"checkin": code}
        said = await site.told(f"GI|RN101|G#4711|GN{name}|GSN|")
        assert said == [f"checkin 101 {code}"] * tries
        assert site.state("101") == "parked"


@pytest.mark.asyncio
@BOTH
async def test_a_language_without_prompts_is_done_with_a_warning_and_said_once(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        site.ucm.languages = ("en",)
        with capture_logs() as logs:
            assert await site.told(ANNA + "GLFR|") == ["checkin 101 -100"]
            assert await site.compared() == asked(has_list, "list")
        assert (site.shown("101"), site.state("101")) == (("Rossi", 0), "told")
        [warning] = [line for line in logs if line["log_level"] == "warning"]
        assert (warning["event"], warning["room"]) == ("delivered_with_warning", "101")


@pytest.mark.asyncio
@BOTH
async def test_what_the_ucm_would_not_see_differently_is_not_said(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        assert await site.told(ANNA, ANNA + "GLXX|", "GC|RN101|G#4711|GV0|CS9|GA260314|") == []


# --- Refusals ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [12, 13, 14, 15, 17, 18])
async def test_a_refusal_for_good_parks_its_room_after_one_try_and_says_so(
    tmp_path, has_list, code
):
    async with site_on(tmp_path, has_list) as site:
        with capture_logs() as logs:
            assert await site.told(ANNA, OTTO, fates=[code]) == [
                f"checkin 101 {code}", "checkin 102 0",
            ]  # fmt: skip
        assert (site.state("101"), site.shown("101")) == ("parked", OUT)
        assert site.outbox.view("101").why.startswith(f"{code}: ")
        [error] = [line for line in logs if line["log_level"] == "error"]
        assert (error["event"], error["room"]) == ("parked", "101")
        assert "Rossi" not in repr(logs)


@pytest.mark.asyncio
@BOTH
async def test_a_parked_room_is_left_alone_by_comparisons_by_others_and_by_a_restart(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA, fates=[18])
        assert set(await site.compared()) <= {"list"}
        assert await site.told(OTTO) == ["checkin 102 0"]
        site.start()
        assert set(await site.told()) <= {"list"}
        assert site.state("101") == "parked"


@pytest.mark.asyncio
@BOTH
async def test_a_parked_room_is_tried_again_when_the_pms_says_something_new_of_it(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA, fates=[18])
        assert await site.told(ANNA) == []  # nothing new
        assert await site.told(ANNA_MARRIES) == ["checkin 101 0"]
        assert (site.shown("101"), site.wrong()) == (("Bell", 0), [])


@pytest.mark.asyncio
@BOTH
async def test_a_parked_room_is_tried_again_when_an_operator_says_so(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        await site.told(ANNA_MOVES, fates=[23])
        site.operator_retries_all()
        assert await site.now() == ["checkin 205 0"]
        assert (site.shown("205"), site.wrong()) == (("Rossi", 0), [])


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [-9, -24, -25, -26, -41, -42, -51, -99])
async def test_a_passing_refusal_is_tried_so_often_at_the_interval_and_then_parked(
    tmp_path, has_list, code
):
    async with site_on(tmp_path, has_list, retries=2) as site:
        site.always = {"checkin": code}
        await site.hear(ANNA)
        for tries in (1, 2, 3):
            assert await site.now() == [f"checkin 101 {code}"]
            assert site.state("101") == ("waiting" if tries < 3 else "parked")
            site.clock.wind(59)
            assert await site.now() == []
            site.clock.wind(1)
        site.clock.wind(700)
        assert await site.now() == []


@pytest.mark.asyncio
@BOTH
async def test_a_restart_does_not_forget_how_often_a_room_was_refused(tmp_path, has_list):
    async with site_on(tmp_path, has_list, retries=1) as site:
        site.always = {"checkin": -9}
        await site.hear(ANNA)
        await site.now()
        site.start()
        site.forget()
        await site.rest()
        assert site.said.count("checkin 101 -9") == 1
        assert site.state("101") == "parked"


@pytest.mark.asyncio
@BOTH
async def test_a_room_that_waits_out_a_refusal_holds_back_only_who_needs_it(tmp_path, has_list):
    """Otto cannot move yet: Carl must wait for his old room, and Anna need not."""
    async with site_on(tmp_path, has_list) as site:
        await site.told(OTTO)
        site.leave_message("102")
        site.api.plan[:] = [-9]
        await site.hear(OTTO_MOVES)
        assert await site.now() == ["mov 102 -9"]
        await site.hear(CARL, ANNA)
        assert await site.now() == ["checkin 101 0"]
        site.clock.wind(60)
        assert await site.now() == ["mov 102 0", "checkin 102 0"]
        assert (site.shown("205"), site.shown("102")) == (("Meyer", 1), ("Dupont", 0))


# --- Sessions, and the UCM as a whole ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [-5, -6])
async def test_a_session_that_is_refused_once_is_renewed_and_the_call_made_again(
    tmp_path, has_list, code
):
    async with site_on(tmp_path, has_list) as site:
        assert await site.told(ANNA, fates=[code]) == [f"checkin 101 {code}", "checkin 101 0"]
        assert (site.pauses(), site.wrong()) == ([0], [])


@pytest.mark.asyncio
@BOTH
async def test_a_session_that_is_always_refused_is_no_rooms_fault(tmp_path, has_list):
    """Each try costs a login: again after the interval, for as long as it takes."""
    async with site_on(tmp_path, has_list, retries=0) as site:
        said = await site.told(ANNA, OTTO, fates=[-6] * 20)
        refused = [each for each in said if each.endswith("-6")]
        assert (len(refused), site.wrong()) == (20, [])
        assert site.pauses()[:20] == [0, 60] * 10
        assert (site.state("101"), site.state("102")) == ("told", "told")


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [-7, -8])
@pytest.mark.parametrize("is_done", [False, True])
async def test_a_call_whose_session_broke_may_have_been_done(tmp_path, has_list, code, is_done):
    async with site_on(tmp_path, has_list) as site:
        site.api.plan[:] = [code]
        await site.hear(ANNA)
        await site.turn()
        if is_done:
            site.ucm.apply("checkin", site.api.calls[-1][1])
            site.leave_message("101")
        await site.rest()
        again = [] if is_done and has_list else [f"checkin 101 {19 if is_done else 0}"]
        assert site.said == asked(has_list, f"checkin 101 {code}", "list", *again)
        assert (site.shown("101"), site.wrong()) == (("Rossi", int(is_done)), [])


@pytest.mark.asyncio
@BOTH
async def test_a_session_that_breaks_for_ever_is_no_rooms_fault(tmp_path, has_list):
    async with site_on(tmp_path, has_list, retries=0) as site:
        said = await site.told(ANNA, OTTO, fates=[-7] * 20)
        assert len([each for each in said if each.endswith("-7")]) == 20
        assert site.pauses()[:20] == [0, *[60] * 19]
        assert (site.state("101"), site.state("102"), site.wrong()) == ("told", "told", [])


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("code", "seconds", "loud"),
    [
        (-45, 15, False), (-46, 15, False), (-57, 60, False), (-68, 60, True),
        (16, 300, True), (21, 300, True), (-37, 300, True), (-47, 300, True), (-70, 300, True),
        (-71, 300, True),
    ],
)  # fmt: skip
async def test_a_ucm_that_wants_to_be_left_alone_is_asked_once_behind_each_pause(
    tmp_path, has_list, code, seconds, loud
):
    async with site_on(tmp_path, has_list, retries=0) as site:
        with capture_logs() as logs:
            said = await site.told(ANNA, OTTO, fates=[code] * 3)
        assert said[:3] == [f"checkin 101 {code}"] * 3
        assert site.pauses()[:3] == [seconds] * 3
        assert (site.state("101"), site.state("102"), site.wrong()) == ("told", "told", [])
        stops = [line for line in logs if line["event"] == "ucm_stopped"]
        assert [line["log_level"] for line in stops] == (["error"] * 3 if loud else [])


@pytest.mark.asyncio
@BOTH
async def test_a_ucm_that_is_away_is_asked_with_growing_pauses_for_as_long_as_it_takes(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list, retries=0) as site:
        await site.told(ANNA, OTTO, fates=["down"] * 18)
        assert site.pauses()[:18] == [1, 2, 4, 8, 16, 32, *[60] * 12]
        assert (site.state("101"), site.state("102"), site.wrong()) == ("told", "told", [])


@pytest.mark.asyncio
@BOTH
async def test_a_call_that_the_ucm_cannot_bear_holds_back_nobody_else(tmp_path, has_list):
    """Each time that it is made the reply is lost, and it is never done."""
    async with site_on(tmp_path, has_list, retries=0) as site:
        send = site.api.send

        async def choking(request):
            if request.value_of("address") == "101":
                site.api.plan.insert(0, "lost")
            return await send(request)

        site.api.send = choking
        await site.hear(ANNA, OTTO)
        for _ in range(40):
            await site.turn()
        assert site.shown("102") == ("Meyer", 0)
        assert site.state("101") == "waiting"
        site.api.send = send
        await site.rest()
        assert site.wrong() == []
