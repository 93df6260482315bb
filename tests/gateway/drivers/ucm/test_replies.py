"""From the UCM's replies to codes, and what the codes mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.ucm import listing, replies
from gateway.drivers.ucm.replies import NotAReply, Reply, Verdict, parse_reply


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"response":{},"status":0}', 0),
        ('{"response":{},"status":"0"}', 0),
        ('{"status":0}', 0),
        ('\ufeff{"response":{},"status":0}', 0),  # a mark that an editor left in the firmware
        ('{"response":{"error":"Already checked in !"},"status":-1}', 19),
        ('{"response":{"error_msg":"[19] Already checked in !"},"status":-1}', 19),
        ('{"error":"Not checked in !","response":{},"status":-1}', 20),
        ('{"error_msg":"  already   CHECKED in ","status":-1}', 19),
        ('{"response":"[18] Address error !","status":-1}', 18),
        ("[19] Already checked in !", 19),
        ("  [0] SUCCESS !\r\n", 0),
        ("[ -9 ] Action error !", -9),
        ("Already checked in !", 19),
        ("<html><body>[20] Not checked in !</body></html>", 20),
        ('{"response":{"error":"Already checked in !"},"status":0}', 19),
        ('{"response":{"error":"something new"},"status":0}', -1),
        ('{"response":{},"status":19}', 19),
        ('{"response":{},"status":-6}', -6),
        ('{"response":{"error":"Success, but language error, not set !"},"status":0}', -100),
        ("[-100] Success, but language error, not set !", -100),
        ('{"response":{"error_msg":"Invalid parameters!"},"status":-1}', -1),
        ('{"response":{"error":"First name or last name too long !"},"status":-1}', 26),
        ('{"response":{"pms_room":[]}}', 0),
        ('{"response":{},"status":0}\x00\x00}{', 0),
    ],
)
def test_reply_is_understood(body, code):
    assert parse_reply(body.encode()).code == code


@pytest.mark.parametrize(
    "body",
    [b"", b"<html><body>Bad Gateway</body></html>", b'{"response":{"err', b"hello", b"\xff\xfe",
     b'{"response":{}}', b'{"status":"soon"}', b"{" * 100_000, b'{"status":-1e99}',
     b'{"status":' + b"7" * 4000 + b"}"],
)  # fmt: skip
def test_what_is_no_reply_is_told_apart(body):
    with pytest.raises(NotAReply):
        parse_reply(body)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_reply_or_not_a_reply(body):
    try:
        reply = parse_reply(body)
    except NotAReply:
        return
    assert isinstance(reply.verdict, Verdict)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["response", "status", "error", "pms_room",
                                                       "error_msg", "remain_time"]), inner,
                                      max_size=4), max_leaves=12))  # fmt: skip
def test_any_json_gives_a_reply_or_not_a_reply(value):
    import json

    try:
        reply = parse_reply(json.dumps(value).encode())
    except NotAReply:
        return
    assert 1 <= reply.seconds_banned() <= 86400
    assert isinstance(listing.rooms_in(reply), list)


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ([12, 13, 14, 15, 17, 18, 23], Verdict.REJECTED),
        ([-9, -24, -25, -26, -41, -42, -51, -12345], Verdict.REFUSED),
        ([-5, -6], Verdict.LOGIN), ([-7, -8], Verdict.LOGIN_UNSURE),
        ([-45, -46], Verdict.PAUSE_15), ([-57], Verdict.PAUSE_60), ([-68], Verdict.BANNED),
        ([16, 21, -37, -47, -70, -71], Verdict.STOP),
        ([25, 26], Verdict.NAME_TOO_LONG), ([-50], Verdict.SENSITIVE), ([22], Verdict.UNDER_REPAIR),
        ([19], Verdict.ALREADY_IN), ([20], Verdict.NOT_IN), ([24], Verdict.TAKEN),
        ([0], Verdict.DONE), ([-100], Verdict.DONE_WITH_WARNING),
    ],
)  # fmt: skip
def test_every_code_has_its_verdict(codes, verdict):
    assert {Reply(code).verdict for code in codes} == {verdict}


def test_every_code_says_what_to_do_and_no_advice_holds_a_reply_text():
    assert all(text and len(text) < 90 for _, text in replies.VERDICTS.values())
    assert Reply(18, response={"error": "Rossi"}).advice.startswith("18: ")


def test_the_ban_lasts_as_long_as_the_reply_says():
    assert Reply(-68, response={"remain_time": 120}).seconds_banned() == 120
    assert Reply(-68, response={"remain_time": "soon"}).seconds_banned() == 60
    assert Reply(-68).seconds_banned() == 60
