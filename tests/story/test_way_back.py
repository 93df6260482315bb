"""The way back over real sockets, files and certificates: what is telephoned is on the bill, once."""

import asyncio
import json
import shutil
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import pytest

from gateway import logs
from gateway.clock import Clock
from gateway.demo import stage
from tests.program import call

logs.set_up(quiet=True)
BACK = "[back]\npoll_s = 1\nanswer_s = 1\n"
GUEST = "GI|RN101|G#4711|GNRossi|GSN|"


class Shifted(Clock):
    """This machine's clock, and an hour may pass at once."""

    shift = 0.0

    def epoch(self):
        return super().epoch() + self.shift


@asynccontextmanager
async def hotel(tmp_path, *, serial=False, extra="", charges="timed"):
    """A hotel with a guest in 101 who has been there for an hour."""
    clock = Shifted(ZoneInfo("Europe/Lisbon"))
    async with stage(tmp_path, serial=serial, rooms=("101", "102", "103"), clock=clock,
                     extra=f'{BACK}charges = "{charges}"\n{extra}') as on:  # fmt: skip
        on.ucm.phones.epoch = clock.epoch
        on.pms.say(GUEST)
        await until(lambda: on.ucm.rooms.rooms["101"].is_in)
        await until_async(lambda: on.service.store(type(on.service.store.store).calls_mark))
        later(on)
        yield on


def later(on, seconds=3600.0):
    """So much time goes by."""
    on.service.clock.shift += seconds
    on.service.back.poll.nudged.set()


async def until(condition, within_s=15.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


async def until_async(condition, within_s=15.0):
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.02)


def bills(on):
    return [(each.room, each.dialled, each.duration) for each in on.pms.cashier.booked]


def states(on):
    return [row.state for row in on.service.back.lanes.each[0].open.values()]


@pytest.mark.asyncio
@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
@pytest.mark.parametrize("nests", [False, True], ids=["flat", "nested"])
async def test_what_a_guest_telephones_is_on_his_bill_once(tmp_path, serial, nests):
    async with hotel(tmp_path, serial=serial) as on:
        on.ucm.phones.nests = nests
        on.ucm.phones.call("101", "0049301234567", talk_s=125)
        on.ucm.phones.call("101", "102", talk_s=30, trunk="")  # in the house
        on.ucm.phones.call("101", "00331", talk_s=0)  # not answered
        on.ucm.phones.call("200", "00442", talk_s=9)  # the kitchen
        later(on, 60)
        await until(lambda: bills(on))
        on.ucm.reboot()  # its list is read again, from the beginning
        later(on, 60)
        on.ucm.phones.call("101", "0049309876543", talk_s=61)
        later(on, 60)
        await until(lambda: len(bills(on)) == 2)
        assert bills(on) == [("101", "0049301234567", 125), ("101", "0049309876543", 61)]
        await until(lambda: states(on) == [])
        assert on.pms.complaints == on.pms.cashier.complaints == []
        for line in (
            'pmsgw_calls_total{use="posted"} 2.0',
            'pmsgw_calls_total{use="internal"} 1.0',
            'pmsgw_calls_total{use="unanswered"} 1.0',
            'pmsgw_calls_total{use="no_room"} 1.0',
            'pmsgw_postings_total{kind="call",result="booked"} 2.0',
            "pmsgw_ucm_calls_blind 0.0",
        ):
            await until(lambda line=line: line in on.service.metrics.expose().decode())


@pytest.mark.asyncio
async def test_a_call_of_a_guest_who_has_left_is_on_nobodys_bill(tmp_path):
    async with hotel(tmp_path) as on:
        on.ucm.phones.call("101", "0049301234567", talk_s=125)
        on.pms.say("GO|RN101|G#4711|GSN|", "GI|RN101|G#4712|GNSato|GSN|")
        await on.pms.all_said()
        later(on, 60)
        await until(lambda: states(on) == ["held"])
        (row,) = on.service.back.lanes.each[0].open.values()
        assert row.reason == "late_charge: the guest who has to pay has left the house"
        assert on.pms.cashier.heard == []
        # Another call, of the guest who is there now, goes on.
        later(on)
        on.ucm.phones.call("101", "00331", talk_s=5)
        later(on, 60)
        await until(lambda: bills(on) == [("101", "00331", 5)])


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("extra", "billed"), [("", []), ('late_charges = "new_room"\n', [("102", "00331", 5)])]
)
async def test_a_call_of_a_guest_who_moved_follows_him_where_the_site_says_so(
    tmp_path, extra, billed
):
    async with hotel(tmp_path, extra=extra) as on:
        on.ucm.phones.call("101", "00331", talk_s=5)
        on.pms.say("GC|RN102|GSN|RO101|GSN|G#4711|")
        await on.pms.all_said()
        later(on, 60)
        await until(lambda: bills(on) == billed and states(on) == ([] if billed else ["held"]))
        assert [each.room for each in on.pms.cashier.heard] == [room for room, *_ in billed]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "state", "heard"), [("NG", "refused", 1), ("UR", "refused", 1), ("", "unknown", 1)]
)
async def test_what_is_not_booked_waits_for_a_human_and_holds_up_nothing(
    tmp_path, answer, state, heard
):
    async with hotel(tmp_path) as on:
        on.pms.cashier.answers = lambda posting: answer if posting.dialled == "1" else "OK"
        on.ucm.phones.call("101", "1", talk_s=6)
        on.ucm.phones.call("101", "2", talk_s=5)
        later(on, 60)
        await until(lambda: on.pms.cashier.heard)
        on.pms.cashier.waits_no_more()
        await until(lambda: bills(on) == [("101", "2", 5)] and states(on) == [state])
        assert [each.dialled for each in on.pms.cashier.heard] == ["1"] * heard + ["2"]


@pytest.mark.asyncio
async def test_a_site_with_a_tariff_posts_sums(tmp_path):
    shutil.copy("deploy/tariff.toml", tmp_path / "tariff.toml")
    extra = '[tariff]\nfile = "tariff.toml"\n'
    async with hotel(tmp_path, extra=extra, charges="priced") as on:
        on.ucm.phones.call("101", "00441632960001", talk_s=185)
        on.ucm.phones.call("101", "110", talk_s=30)
        later(on, 60)
        await until(lambda: on.pms.cashier.booked)
        (booked,) = on.pms.cashier.booked
        assert (booked.posting_type, booked.total, booked.duration) == ("C", 220, 185)
        amount = 'pmsgw_calls_amount_total{use="posted"} 220.0'
        await until(lambda: amount in on.service.metrics.expose().decode())
        assert 'pmsgw_calls_total{use="free"} 1.0' in on.service.metrics.expose().decode()


@pytest.mark.asyncio
async def test_a_late_answer_closes_what_was_unknown(tmp_path):
    async with hotel(tmp_path) as on:
        on.pms.cashier.answers = lambda _: ""
        on.ucm.phones.call("101", "1", talk_s=5)
        later(on, 60)
        await until(lambda: states(on) == ["unknown"])
        number = on.pms.cashier.heard[0].posting_number
        on.pms.say(f"PA|RN101|ASOK|P#{number}|DA260314|TI101501|")
        await until(lambda: states(on) == [])
        on.pms.say("PA|RN101|ASOK|P#777|DA260314|TI101501|")
        await on.pms.all_said()
        refused = 'pmsgw_records_refused_total{reason="no_posting"} 1.0'
        await until(lambda: refused in on.service.metrics.expose().decode())
        on.pms.say(f"PA|RN101|ASOK|P#{number}|DA260314|TI101501|")  # as after a lost ACK
        await on.pms.all_said()
        await until(lambda: "records_repeated_total 1.0" in on.service.metrics.expose().decode())
        assert refused in on.service.metrics.expose().decode()
        assert len(on.pms.cashier.heard) == 1


@pytest.mark.asyncio
async def test_a_hostile_list_of_calls_stops_nothing(tmp_path):
    """Half characters, impossible times, huge numbers: kept or counted, and the next one goes."""
    async with hotel(tmp_path) as on:
        for odd in (
            {"dst": "\ud800", "session": "\ud800"},
            {"uniqueid": "", "start": "9999-12-31 23:59:59"},
            {"billsec": "9999999", "duration": "9" * 4000},
            {"dst": "=1+1|PS" * 500, "dst_trunk_name": "\x03"},
        ):
            on.ucm.phones.call("101", "1", talk_s=5, **odd)
        on.ucm.phones.call("101", "00331", talk_s=6)
        later(on, 60)
        await until(lambda: ("101", "00331", 6) in bills(on))
        assert on.pms.complaints == on.pms.cashier.complaints == []
        assert "pmsgw_ucm_calls_unread_total 1.0" in on.service.metrics.expose().decode()


@pytest.mark.asyncio
async def test_a_list_without_the_last_known_call_is_not_believed(tmp_path):
    async with hotel(tmp_path) as on:
        on.ucm.phones.call("101", "1", talk_s=5)
        later(on, 60)
        await until(lambda: bills(on))
        kept, on.ucm.phones.records = on.ucm.phones.records, []
        later(on)
        on.ucm.phones.call("101", "2", talk_s=5)
        later(on, 60)
        await until(lambda: on.service.back.reader.is_blind)
        assert "pmsgw_ucm_calls_blind 1.0" in on.service.metrics.expose().decode()
        assert len(bills(on)) == 1
        on.ucm.phones.records[:0] = kept  # the list is whole again
        later(on, 1)
        await until(lambda: len(bills(on)) == 2)
        assert "pmsgw_ucm_calls_blind 0.0" in on.service.metrics.expose().decode()


@pytest.mark.asyncio
async def test_between_ds_and_de_and_in_the_night_audit_nothing_is_posted(tmp_path):
    async with hotel(tmp_path) as on:
        on.pms.say("NS|DA260314|TI030000|")
        await on.pms.all_said()
        on.ucm.phones.call("101", "1", talk_s=5)
        later(on, 60)
        await until(lambda: states(on) == ["waiting"])
        on.pms.say("DS|", "NE|DA260314|TI040000|")
        await on.pms.all_said()
        await asyncio.sleep(1.2)  # a second of the lane's own looks
        assert on.pms.cashier.heard == []
        on.pms.say(GUEST + "SF|", "DE|")
        await until(lambda: bills(on) == [("101", "1", 5)])
        assert on.pms.cashier.complaints == []


@pytest.mark.asyncio
async def test_an_operator_says_what_became_of_a_posting(tmp_path):
    async with hotel(tmp_path) as on:
        on.pms.cashier.answers = lambda _: "NG"
        for digits in ("1", "2", "3"):
            on.ucm.phones.call("101", digits, talk_s=5)
        later(on, 60)
        await until(lambda: states(on) == ["refused"] * 3)
        desk = on.service.control.postings
        first, second, third = (each["id"] for each in await desk.listed(["refused"], 10))
        on.pms.cashier.answers = lambda _: "OK"
        assert (await desk.operate(first, "booked", "ana", ""))["state"] == "booked"
        assert (await desk.operate(second, "drop", "ana", "a test call"))["state"] == "dropped"
        assert (await desk.operate(third, "again", "ana", ""))["state"] == "waiting"
        await until(lambda: bills(on) == [("101", "3", 5)])
        told = await desk.show(second)
        assert [(step["state"], step["who"]) for step in told["history"]] == [
            ("waiting", "gateway"), ("sent", "gateway"), ("refused", "PMS"), ("dropped", "ana"),
        ]  # fmt: skip
        assert told["history"][-1]["why"] == "a test call"
        assert json.dumps(told)


async def said(on, *words):
    """A command of the operator, beside the running service: its exit code, stdout and stderr."""
    config = ("--config", str(on.folder / "gateway.toml"))
    return await asyncio.to_thread(call, *words, *config)


@pytest.mark.asyncio
async def test_an_operator_works_through_the_commands(tmp_path):
    async with hotel(tmp_path) as on:
        on.pms.cashier.answers = lambda _: "NG"
        for digits in ("1", "2", "3"):
            on.ucm.phones.call("101", digits, talk_s=5)
        later(on, 60)
        await until(lambda: states(on) == ["refused"] * 3)
        code, out, err = await said(on, "postings", "list")
        assert (code, len(out.splitlines()), "3 of them" in err) == (0, 4, True)
        assert "the PMS says NG: it knows no guest in this room" in out
        listed_ = json.loads((await said(on, "postings", "list", "--json"))[1])
        assert [each["digits"] for each in listed_] == ["1", "2", "3"]
        code, out, _ = await said(on, "postings", "show", "1")
        assert (code, "refused  by PMS" in out, "postings again 1" in out) == (0, True, True)
        assert (await said(on, "postings", "booked", "1"))[:2] == (0, "posting 1 is booked now\n")
        assert (await said(on, "postings", "drop", "2", "a", "test"))[0] == 0
        on.pms.cashier.answers = lambda _: "OK"
        assert (await said(on, "postings", "again", "3"))[0] == 0
        await until(lambda: bills(on) == [("101", "3", 5)])
        code, _, err = await said(on, "postings", "again", "3")
        assert (code, "posting 3 is booked: that cannot be said of it" in err) == (1, True)
        assert (await said(on, "postings", "show", "99"))[0] == 1
        code, out, _ = await said(on, "postings", "list", "--state", "all", "--json")
        assert [each["state"] for each in json.loads(out)] == ["booked", "dropped", "booked"]
        code, _, err = await said(on, "postings", "list", "--state", "lost")
        assert (code, "expected waiting, sent, booked" in err) == (2, True)
    # While no service runs the file is read, and nothing can be said.
    code, out, _ = await said(on, "postings", "list", "--state", "dropped", "--json")
    assert [each["id"] for each in json.loads(out)] == [2]
    assert "a test" in (await said(on, "postings", "show", "2"))[1]
    code, _, err = await said(on, "postings", "again", "2")
    assert (code, "none runs: start it first" in err) == (1, True)


@pytest.mark.asyncio
async def test_a_list_of_another_ucm_is_taken_when_an_operator_says_so(tmp_path):
    async with hotel(tmp_path) as on:
        on.ucm.phones.call("101", "1", talk_s=5)
        later(on, 60)
        await until(lambda: bills(on))
        on.ucm.phones.records.clear()
        later(on)
        on.ucm.phones.call("101", "2", talk_s=5)
        later(on, 60)
        await until(lambda: on.service.back.reader.is_blind)
        assert (await said(on, "postings", "trust-list"))[0] == 0
        later(on, 1)
        await until(lambda: len(bills(on)) == 2)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("00441632960001", "--for", "185"), 0, "sum     2.20 EUR"),
        (("0301234567", "--at", "2026-03-14T23:00"), 0, "row     local and national, at night"),
        (("110",), 0, "an emergency call is free"),
    ],
)
def test_a_hotelier_tries_the_tariff(tmp_path, words, code, told):
    shutil.copy("deploy/tariff.toml", tmp_path / "tariff.toml")
    config = tmp_path / "gateway.toml"
    config.write_text(
        '[site]\ntimezone = "Europe/Berlin"\n[pms]\nline = "tcp:127.0.0.1:9"\n[ucm]\n'
        'url = "https://127.0.0.1:9/api"\nusername = "u"\npassword = "p"\npms_username = "h"\n'
        'pms_password = "p"\ntls = "ca"\n[back]\ncharges = "priced"\n'
    )
    found = call("rate", "try", *words, "--config", str(config))
    assert (found[0], told in found[1]) == (code, True), found
    shown = json.loads(call("rate", "try", *words, "--json", "--config", str(config))[1])
    assert shown["amount"] is not None
    config.write_text(config.read_text().replace("priced", "timed"))
    found = call("rate", "try", *words, "--config", str(config))
    assert (found[0], "there is no tariff" in found[2]) == (2, True)
