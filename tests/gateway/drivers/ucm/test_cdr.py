"""The UCM's list of calls: how it is asked for, and that whatever it answers is read or counted."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.base import Unreachable
from gateway.drivers.ucm import cdr
from gateway.drivers.ucm.replies import NotAReply, Reply, parse_reply
from gateway.simulators.ucm.phones import Phones
from tests.gateway.drivers.ucm.bench import bench

# The sample of the HTTPS API guide: a page in Ohio, at UTC-5.
SAMPLE = {
    "action_owner": "1004", "answer": "2019-11-27 07:17:13", "billsec": "1",
    "cdr": "1574857028274003-1004", "channel": "PJSIP/1004-00000010", "channel_ext": "1004",
    "disposition": "ANSWERED", "dst": "8005", "dst_trunk_name": "",
    "dstchannel": "MulticastRTP/0x47e2650c", "duration": "6", "end": "2019-11-27 07:17:14",
    "session": "1574857028274003-1004", "src": "1004", "src_trunk_name": "",
    "start": "2019-11-27 07:17:08", "uniqueid": "1574857028.56", "userfield": "Internal",
}  # fmt: skip
MOMENT = datetime(2019, 11, 27, 12, 17, 8, tzinfo=UTC).timestamp()


def page(*elements, zone=UTC):
    return cdr.page_of(Reply(0, response={"cdr_root": list(elements)}), zone)


def test_a_request_names_both_moments_with_their_zone_and_asks_by_the_end():
    assert cdr.request(MOMENT, MOMENT + 3600, 400) == {
        "format": "json",
        "numRecords": "200",
        "offset": "400",
        "startTime": "2019-11-27T12:17:08+00:00",
        "endTime": "2019-11-27T13:17:08+00:00",
        "timeFilterType": "End",
    }


def test_the_guides_sample_was_at_this_moment_whatever_the_hotels_zone():
    for zone in (UTC, ZoneInfo("Europe/Lisbon"), timezone(timedelta(hours=-5))):
        (leg,) = page(SAMPLE, zone=zone).legs
        assert (leg.began, leg.ended, leg.talk_s) == (MOMENT, MOMENT + 6, 1)
        assert (leg.extension, leg.dialled, leg.session) == ("1004", "8005", SAMPLE["session"])
    reply = Reply(0, response={"cdr_root": [SAMPLE]})
    assert cdr.clock_offset_s(reply) == -5 * 3600


def test_without_a_uniqueid_the_local_time_has_to_do():
    record = SAMPLE | {"uniqueid": ""}
    (leg,) = page(record, zone=timezone(timedelta(hours=-5))).legs
    assert leg.began == MOMENT


def test_half_a_character_is_none():
    """JSON can say it; neither a store nor a line can."""
    odd = dict.fromkeys(("session", "dst", "channel_ext", "dstchannel"), chr(0xD800))
    (leg,) = page({**SAMPLE, **odd}).legs
    assert (leg.session, leg.dialled, leg.extension, leg.channel_out) == ("?", "?", "?", "?")


def test_parts_are_found_wherever_they_are_nested():
    nested = {
        "cdr": "s",
        "main_cdr": {**SAMPLE, "uniqueid": "1574857028.1"},
        "sub_cdr_0": {**SAMPLE, "uniqueid": "1574857028.2"},
        "sub_cdr_7": {"more": {**SAMPLE, "uniqueid": "1574857028.3"}},
    }
    found = page(nested)
    assert (len(found.legs), found.records, found.unread) == (3, 1, 0)


def test_a_leg_is_the_same_without_its_row_number_and_another_one_in_another_second():
    one, other = {**SAMPLE, "AcctId": "1"}, {**SAMPLE, "AcctId": "9000"}
    (first,), (second,) = page(one).legs, page(other).legs
    assert first.key == second.key
    (third,) = page({**SAMPLE, "uniqueid": "1574857029.57"}).legs
    assert third.key != first.key


@pytest.mark.parametrize(
    "start",
    ["", "0000-00-00 00:00:00", "27/11/2019 07:17", "2019-11-27", "0001-01-01 00:00:00",
     "9999-12-31 23:59:59"],
)  # fmt: skip
def test_a_record_without_a_readable_time_is_counted(start):
    found = page({**SAMPLE, "uniqueid": "x", "start": start}, SAMPLE)
    assert (len(found.legs), found.unread) == (1, 1)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*SAMPLE, "main_cdr", "sub_cdr_1", "x"]), inner, max_size=6
        )
    ),
    max_leaves=30,
)


@given(ANYTHING)
def test_any_list_is_read_or_counted(root):
    found = cdr.page_of(Reply(0, response={"cdr_root": root}), ZoneInfo("Europe/Lisbon"))
    assert found.unread >= 0
    assert all(leg.talk_s >= 0 and leg.ended >= leg.began for leg in found.legs)


def test_a_list_without_a_status_is_a_list_and_a_page_of_csv_is_none():
    assert parse_reply(b'{"cdr_root":[]}').response == {"cdr_root": []}
    with pytest.raises(NotAReply):
        parse_reply(b"AcctId,accountcode,src,dst\r\n")


@pytest.mark.asyncio
async def test_all_pages_are_read(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.phones = Phones(epoch=lambda: MOMENT)
        for _ in range(2 * cdr.PAGE + 1):
            on.ucm.phones.call("101", "00331")
        legs = await on.driver.legs(MOMENT - 3600, MOMENT, UTC)
        assert len(legs) == 2 * cdr.PAGE + 1
        assert on.said() == ["cdrapi  0"] * 3
        assert await on.driver.legs(MOMENT + 1, MOMENT + 2, UTC) == []


@pytest.mark.asyncio
async def test_a_firmware_that_does_not_know_the_offset_is_not_asked_for_ever(
    tmp_path, monkeypatch
):
    listed = Phones.listed
    monkeypatch.setattr(Phones, "listed", lambda self, asked: listed(self, asked | {"offset": "0"}))
    async with bench(tmp_path) as on:
        on.ucm.phones = Phones(epoch=lambda: MOMENT)
        for _ in range(cdr.PAGE):
            on.ucm.phones.call("101", "00331")
        assert len(await on.driver.legs(MOMENT - 3600, MOMENT, UTC)) == cdr.PAGE
        assert len(on.said()) == 2


@pytest.mark.asyncio
async def test_a_forgotten_session_is_renewed_and_the_list_read(tmp_path):
    async with bench(tmp_path) as on:
        await on.driver.probe()
        on.ucm.new_api.forget()
        assert await on.driver.legs(MOMENT, MOMENT + 1, UTC) == []
        assert on.ucm.logins == 2


@pytest.mark.asyncio
async def test_the_old_api_has_no_list_of_calls(tmp_path):
    async with bench(tmp_path, old=True) as on:
        with pytest.raises(Unreachable, match="the old API has no cdrapi"):
            await on.driver.legs(MOMENT, MOMENT + 1, UTC)


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", ["html", "empty", "half", "drop"])
async def test_a_list_that_is_no_list_is_nobodys_call(tmp_path, fault):
    async with bench(tmp_path) as on:
        on.ucm.fail(fault, action="cdrapi")
        with pytest.raises(Unreachable):
            await on.driver.legs(MOMENT, MOMENT + 1, UTC)
