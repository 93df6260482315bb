"""UCM requests and replies as values: tags, names, dates, and every shape of a reply."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers import ucm_wire as wire
from gateway.drivers.ucm_wire import NotAReply, Reply, Request, Verdict, Words, parse_reply
from gateway.events import Guest

CAME = datetime(2026, 3, 14, 10, 5)
WORDS = Words(class_of_service={"2": 3}, room_status={"3": 1})
BERGER = Guest(
    key="4711", name="Berger", first_name="Anna", language="ge", vip="2", class_of_service="2",
    arrival=date(2026, 3, 14), departure=date(2026, 3, 18), came=CAME,
)  # fmt: skip


def tags(request):
    return dict(request.tags)


def test_check_in_carries_everything_in_the_order_of_the_guide():
    request = wire.check_in("101", BERGER, WORDS)
    assert wire.to_xml(request) == (
        "<pms_data_request><checkin><address>101</address><room>101</room><account>4711</account>"
        "<firstname>Anna</firstname><lastname>Berger</lastname><language>de</language>"
        "<vipcode>1</vipcode><datein>2026/03/14 10:05</datein><dateout>2026/03/18 12:00</dateout>"
        "<cos>3</cos></checkin></pms_data_request>"
    )


@pytest.mark.parametrize(
    ("arrival", "departure", "date_in", "date_out"),
    [
        (None, None, "2026/03/14 10:05", "2026/03/14 10:05"),
        (date(2026, 3, 14), None, "2026/03/14 10:05", "2026/03/14 10:05"),
        (date(2026, 3, 12), date(2026, 3, 15), "2026/03/12 00:00", "2026/03/15 12:00"),
        (None, date(2026, 3, 14), "2026/03/14 10:05", "2026/03/14 12:00"),
        (None, date(2026, 3, 1), "2026/03/14 10:05", "2026/03/14 10:05"),
        (date(2026, 4, 1), date(2026, 3, 20), "2026/04/01 00:00", "2026/04/01 00:00"),
    ],
)
def test_a_check_in_always_has_both_dates_and_never_leaves_before_it_comes(
    arrival, departure, date_in, date_out
):
    guest = Guest(key="1", name="A", came=CAME, arrival=arrival, departure=departure)
    request = tags(wire.check_in("1", guest, WORDS))
    assert (request["datein"], request["dateout"]) == (date_in, date_out)


def test_checkout_time_is_the_sites():
    guest = Guest(key="1", name="A", came=CAME, departure=date(2026, 3, 15))
    words = Words(checkout_time=time(10, 30))
    assert tags(wire.check_in("1", guest, words))["dateout"] == "2026/03/15 10:30"


@pytest.mark.parametrize(
    ("name", "first", "last_tag", "first_tag"),
    [
        ("Berger", "Anna", "Berger", "Anna"), ("O'Hara, Liam", None, "O'Hara", "Liam"),
        ("O'Hara, Liam", "", "O'Hara", "Liam"), ("Smith, Jr.", "Bob", "Smith, Jr.", "Bob"),
        ("Berger", None, "Berger", None), ("A,B,C", None, "A", "B,C"), ("", None, "", None),
    ],
)  # fmt: skip
def test_a_name_with_a_comma_holds_both_names_when_there_is_no_first_name(
    name, first, last_tag, first_tag
):
    guest = Guest(key="1", name=name, first_name=first, came=CAME)
    request = wire.check_in("1", guest, WORDS)
    assert (request.value_of("lastname"), request.value_of("firstname")) == (last_tag, first_tag)


@pytest.mark.parametrize(
    ("vip", "code"), [(None, "0"), ("", "0"), ("0", "0"), ("2", "1"), ("V", "1")]
)
def test_vip_is_one_or_nothing(vip, code):
    guest = Guest(key="1", name="A", vip=vip, came=CAME)
    assert wire.check_in("1", guest, WORDS).value_of("vipcode") == code


def test_what_has_no_mapping_is_left_out():
    guest = Guest(key="1", name="A", language="XX", class_of_service="9", came=CAME)
    request = wire.check_in("1", guest, WORDS)
    assert request.value_of("language") is None
    assert request.value_of("cos") is None


def test_a_guest_without_a_number_has_no_account():
    assert (
        wire.check_in("1", Guest(key="@1", name="A", came=CAME), WORDS).value_of("account") is None
    )


def test_an_update_has_only_what_the_ucm_would_see_differently():
    other = Guest(key="4711", name="Berger", first_name="Anna", language="FR", vip="9",
                  class_of_service="2", arrival=date(2026, 3, 14), departure=date(2026, 3, 18),
                  came=CAME)  # fmt: skip
    assert tags(wire.update("101", other, BERGER, WORDS)) == {
        "address": "101", "room": "101", "language": "fr"
    }  # fmt: skip
    assert wire.update("101", BERGER, BERGER, WORDS) is None
    assert len(wire.update("101", BERGER, None, WORDS).tags) == 10


def test_an_update_to_nobody_empties_the_name():
    nobody = Guest(key="@101", came=CAME)
    request = tags(wire.update("101", nobody, BERGER, WORDS))
    assert (request["lastname"], request["firstname"], request["account"]) == ("", "", "")
    assert "<lastname></lastname>" in wire.to_xml(wire.update("101", nobody, BERGER, WORDS))


def test_move_wake_up_and_dnd_as_in_the_samples():
    assert wire.move("1046", "1100").tags == (
        ("address", "1046"), ("room", "1046"), ("d_address", "1100"), ("d_room", "1100")
    )  # fmt: skip
    assert wire.wake_up("1", datetime(2026, 3, 15, 6, 30, 17)).tags[2:] == (
        ("w_action", "1"), ("w_mode", "1"), ("w_date", "20260315"), ("w_time", "0630")
    )  # fmt: skip
    assert wire.wake_up("1", None).tags[2:] == (("w_action", "0"),)
    assert wire.do_not_disturb("1", True).tags[2:] == (("status", "1"),)


# --- Names made safe ---


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Zoe\u0301", "Zoé"), ("A\x07B", "A B"), ("A\r\n\tB ", "A B"), ("\ud800A\uffff", "A"),
        ("a\u2028b", "a b"), ("北京", "北京"), ("\x00", ""),
    ],
)  # fmt: skip
def test_names_are_composed_and_free_of_controls(text, kept):
    assert wire.clean(text) == kept


@given(st.text(max_size=200))
def test_any_name_makes_xml_that_a_strict_parser_reads_back(name):
    from xml.etree import ElementTree as ET

    request = wire.check_in("1", Guest(key="1", name=name, came=CAME), WORDS)
    root = ET.fromstring(wire.to_xml(request))
    assert root.findtext("checkin/lastname") == request.value_of("lastname")


@given(st.text(max_size=100), st.integers(8, 64))
def test_names_are_cut_at_a_character_boundary(name, limit):
    kept = wire.cut(name.encode(errors="replace").decode(), limit)
    assert len(kept.encode()) <= limit
    assert name.encode(errors="replace").decode().startswith(kept)


def test_a_name_is_halved_down_to_eight_characters():
    request = wire.check_in("1", Guest(key="1", name="x" * 40, came=CAME), WORDS)
    lengths = []
    while request is not None:
        lengths.append(len(request.value_of("lastname")))
        request = wire.shorten(request, 26, exact=True)
    assert lengths == [40, 20, 10, 8]


def test_which_name_is_cut_follows_the_code_or_the_length():
    guest = Guest(key="1", name="x" * 20, first_name="y" * 30, came=CAME)
    request = wire.check_in("1", guest, WORDS)
    assert len(wire.shorten(request, 25, exact=True).value_of("firstname")) == 15
    assert len(wire.shorten(request, 26, exact=True).value_of("lastname")) == 10
    assert len(wire.shorten(request, 26, exact=False).value_of("firstname")) == 15
    assert wire.shorten(wire.check_out("1"), 25, exact=True) is None


def test_sensitive_characters_are_taken_out_of_every_tag():
    assert wire.plain(Request("update", (("lastname", "O'Ha\"r`a;\\"),))).tags == (
        ("lastname", "OHara"),
    )


# --- Replies in every shape ---


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"response":{},"status":0}', 0),
        ('{"response":{},"status":"0"}', 0),
        ('{"status":0}', 0),
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
    assert isinstance(wire.rooms_in(reply), list)


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
    assert all(text and len(text) < 90 for _, text in wire.VERDICTS.values())
    assert Reply(18, response={"error": "Rossi"}).advice.startswith("18: ")


def test_rooms_are_read_in_both_spellings():
    reply = parse_reply(
        b'{"response":{"pms_room":[{"address":"101","chki_status":"yes","account":"4711",'
        b'"last_name":"Berger","first_name":"Anna"},{"address":"102","chki_status":"no",'
        b'"lastname":"","firstname":null},"odd"],"total_item":9},"status":0}'
    )
    first, second = wire.rooms_in(reply)
    assert (first.address, first.is_in, first.account, first.last_name) == (
        "101",
        True,
        "4711",
        "Berger",
    )
    assert (second.is_in, second.last_name, second.first_name) == (False, "", "")


@pytest.mark.parametrize("depth", range(900, 1000, 3))
def test_nesting_that_json_just_bears_is_no_name(depth):
    nested = b"[" * depth + b"]" * depth
    room = b'{"address":"1","chki_status":"yes","account":%b,"last_name":{}}' % nested
    try:
        reply = parse_reply(b'{"response":{"remain_time":%b,"pms_room":[%b]}}' % (nested, room))
    except NotAReply:
        return  # deeper than the interpreter reads
    assert wire.rooms_in(reply) == [wire.UcmRoom("1", True, "", "", "")]
    assert reply.seconds_banned() == 60


def test_our_guest_is_known_by_account_else_by_name():
    row = wire.UcmRoom("1", True, "4711", "Somebody", "")
    assert wire.is_ours(row, BERGER, WORDS)
    assert not wire.is_ours(wire.UcmRoom("1", True, "9", "Berger", "Anna"), BERGER, WORDS)
    assert wire.is_ours(wire.UcmRoom("1", True, "", "Berger", ""), BERGER, WORDS)
    assert not wire.is_ours(wire.UcmRoom("1", True, "", "Other", ""), BERGER, WORDS)


def test_the_ban_lasts_as_long_as_the_reply_says():
    assert Reply(-68, response={"remain_time": 120}).seconds_banned() == 120
    assert Reply(-68, response={"remain_time": "soon"}).seconds_banned() == 60
    assert Reply(-68).seconds_banned() == 60
