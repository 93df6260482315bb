"""UCM requests and replies as values: tags, names, dates, and every shape of a reply."""

from dataclasses import replace
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers import ucm_wire as wire
from gateway.drivers.calls import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.drivers.ucm_wire import NotAReply, Reply, Request, UcmRoom, Verdict, Words, parse_reply
from gateway.house.states import Guest

CAME = datetime(2026, 3, 14, 10, 5)
WORDS = Words(class_of_service={"2": 3}, room_status={"3": 1})
BERGER = Guest(
    key="4711", name="Berger", first_name="Anna", language="ge", vip="2", class_of_service="2",
    arrival=date(2026, 3, 14), departure=date(2026, 3, 18), came=CAME,
)  # fmt: skip


def tags_of(guest, words=WORDS, stay=7):
    return wire.guest_tags(guest, stay, words)


def request_of(call, words=WORDS):
    return wire.request_of(call, words)


def check_in(guest, room="1"):
    return request_of(CheckIn(room=room, tags=tags_of(guest)))


# --- What a room shows ---


def test_check_in_carries_everything_in_the_order_of_the_guide():
    assert wire.to_xml(check_in(BERGER, "101")) == (
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
def test_a_room_always_shows_both_dates_and_nobody_leaves_before_he_comes(
    arrival, departure, date_in, date_out
):
    guest = Guest(key="1", name="A", came=CAME, arrival=arrival, departure=departure)
    shown = tags_of(guest)
    assert (shown["datein"], shown["dateout"]) == (date_in, date_out)


def test_checkout_time_is_the_sites():
    guest = Guest(key="1", name="A", came=CAME, departure=date(2026, 3, 15))
    words = Words(checkout_time=time(10, 30))
    assert tags_of(guest, words)["dateout"] == "2026/03/15 10:30"


@pytest.mark.parametrize(
    ("name", "first", "last_tag", "first_tag"),
    [
        ("Berger", "Anna", "Berger", "Anna"), ("O'Hara, Liam", None, "O'Hara", "Liam"),
        ("O'Hara, Liam", "", "O'Hara", "Liam"), ("Smith, Jr.", "Bob", "Smith, Jr.", "Bob"),
        ("Berger", None, "Berger", ""), ("A,B,C", None, "A", "B,C"), ("", None, "", ""),
    ],
)  # fmt: skip
def test_a_name_with_a_comma_holds_both_names_when_there_is_no_first_name(
    name, first, last_tag, first_tag
):
    shown = tags_of(Guest(key="1", name=name, first_name=first, came=CAME))
    assert (shown["lastname"], shown["firstname"]) == (last_tag, first_tag)


@pytest.mark.parametrize(
    ("vip", "code"),
    [(None, "0"), ("", "0"), ("0", "0"), (" 0 ", "0"), (" ", "0"), ("2", "1"), ("V", "1")],
)
def test_vip_is_one_or_nothing(vip, code):
    assert tags_of(Guest(key="1", name="A", vip=vip, came=CAME))["vipcode"] == code


@pytest.mark.parametrize(("language", "code"), [("XX", "9"), (None, None), ("", "")])
def test_what_has_no_mapping_is_left_out(language, code):
    guest = Guest(key="1", name="A", language=language, class_of_service=code, came=CAME)
    assert tags_of(guest).keys().isdisjoint({"language", "cos"})


@pytest.mark.parametrize(
    ("key", "name", "stay", "account"),
    [
        ("4711", "Berger", 7, "4711"), ("4711", "", 7, "4711"), ("4711", "Berger", None, "4711"),
        ("47\x0711", "Berger", 7, "47 11"), ("@101", "Berger", 7, "S00000007"),
        ("@101", "Berger", 123456789, "S123456789"), ("@101", "Berger", None, ""),
        ("@101", "", 7, ""),
    ],
)  # fmt: skip
def test_a_guest_without_a_number_has_the_number_of_his_stay(key, name, stay, account):
    """So the list says whose mailbox it is; of somebody unknown there is nothing to say."""
    guest = Guest(key=key, name=name, came=CAME)
    assert wire.account_of(guest, stay) == account
    assert tags_of(guest, stay=stay)["account"] == account


def test_two_guests_of_the_same_name_without_numbers_have_different_accounts():
    smith = Guest(key="@101", name="Smith", came=CAME)
    assert wire.account_of(smith, 7) != wire.account_of(smith, 8)


# --- Calls become requests ---


def test_a_check_in_leaves_out_an_empty_account_and_an_empty_first_name_only():
    nobody = Guest(key="@101", came=CAME)
    assert check_in(nobody).tags == (
        ("address", "1"), ("room", "1"), ("lastname", ""), ("vipcode", "0"),
        ("datein", "2026/03/14 10:05"), ("dateout", "2026/03/14 10:05"),
    )  # fmt: skip


def test_an_update_says_the_tags_that_it_is_given_and_no_others():
    request = request_of(Update(room="101", tags={"cos": "3", "language": "fr"}))
    assert (request.action, request.tags) == (
        "update", (("address", "101"), ("room", "101"), ("language", "fr"), ("cos", "3")),
    )  # fmt: skip


def test_an_update_to_nobody_empties_the_name():
    """What a check-in leaves out an update must say: the old name is there."""
    request = request_of(Update(room="101", tags=tags_of(Guest(key="@101", came=CAME))))
    assert [request.value_of(tag) for tag in ("lastname", "firstname", "account")] == ["", "", ""]
    assert "<lastname></lastname>" in wire.to_xml(request)


@pytest.mark.parametrize(
    ("call", "action", "tags"),
    [
        (CheckOut(room="1"), "checkout", {}),
        (DoNotDisturb(room="1", on=True), "dnd", {"status": "1"}),
        (DoNotDisturb(room="1", on=False), "dnd", {"status": "0"}),
        (RoomStatus(room="1", code="3"), "update", {"status": "1"}),
        (WakeUp(room="1", at=None), "wakeup", {"w_action": "0"}),
        (
            WakeUp(room="1", at=datetime(2026, 3, 15, 6, 30, 17)), "wakeup",
            {"w_action": "1", "w_mode": "1", "w_date": "20260315", "w_time": "0630"},
        ),
    ],
)  # fmt: skip
def test_calls_are_said_as_in_the_samples(call, action, tags):
    request = request_of(call)
    assert (request.action, dict(request.tags)) == (action, {"address": "1", "room": "1"} | tags)


def test_a_move_names_the_old_room_first():
    assert request_of(Move(room="1100", from_room="1046")) == Request(
        "mov", (("address", "1046"), ("room", "1046"), ("d_address", "1100"), ("d_room", "1100"))
    )  # fmt: skip


def test_a_room_status_without_a_mapping_is_no_request():
    assert request_of(RoomStatus(room="1", code="77")) is None


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

    request = check_in(Guest(key="1", name=name, came=CAME))
    root = ET.fromstring(wire.to_xml(request))
    assert root.findtext("checkin/lastname") == request.value_of("lastname")


@given(st.text(max_size=100), st.integers(8, 64))
def test_names_are_cut_at_a_character_boundary(name, limit):
    kept = wire.cut(name.encode(errors="replace").decode(), limit)
    assert len(kept.encode()) <= limit
    assert name.encode(errors="replace").decode().startswith(kept)


def test_both_names_are_cut_to_what_this_ucm_takes():
    guest = Guest(key="1", name="Zoe\u0301" * 3, first_name="ab\tcdefgh", came=CAME)
    shown = tags_of(guest, Words(name_bytes=7))
    assert (shown["lastname"], shown["firstname"]) == ("ZoéZo", "ab cdef")


def test_a_name_is_halved_down_to_eight_characters():
    request = check_in(Guest(key="1", name="x" * 40, came=CAME))
    lengths = []
    while request is not None:
        lengths.append(len(request.value_of("lastname")))
        request = wire.shorten(request, 26, exact=True)
    assert lengths == [40, 20, 10, 8]


def test_which_name_is_cut_follows_the_code_or_the_length():
    guest = Guest(key="1", name="x" * 20, first_name="y" * 30, came=CAME)
    request = check_in(guest)
    assert len(wire.shorten(request, 25, exact=True).value_of("firstname")) == 15
    assert len(wire.shorten(request, 26, exact=True).value_of("lastname")) == 10
    assert len(wire.shorten(request, 26, exact=False).value_of("firstname")) == 15
    assert wire.shorten(request_of(CheckOut(room="1")), 25, exact=True) is None


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
    assert wire.rooms_in(reply) == [UcmRoom("1", True, "", "", "")]
    assert reply.seconds_banned() == 60


# --- Whom a listed room shows ---


def row(account, last="Berger", first="Anna", **more):
    return UcmRoom("1", True, account, last, first, **more)


def is_ours(shown, name, key="4711", *, was_told=False):
    tags = tags_of(Guest(key=key, name=name, came=CAME))
    return wire.is_ours(shown, tags, was_told=was_told)


@pytest.mark.parametrize(
    ("account", "last", "ours"),
    [
        ("4711", "Somebody", True),   # a name is changed more often than a number
        ("9", "Berger", False),       # a number that is another's is another's
        ("471", "Berger", False),     # too short to be the beginning of ours
        ("47111", "Berger", False),
        ("", "Berger", True),
        ("", "Other", False),
        ("", "", False),
    ],
)  # fmt: skip
def test_our_guest_is_known_by_account_else_by_name(account, last, ours):
    assert is_ours(row(account, last), "Berger") is ours


@pytest.mark.parametrize(
    ("account", "last", "ours"),
    [
        ("12345678", "Berger", True),
        ("123456789", "Berger", True),
        ("1234567", "Berger", False),      # seven characters say too little
        ("12345678", "Meyer", False),      # the next reservation may begin alike
        ("12345679", "Berger", False),
        ("1234567890123", "Berger", False),
    ],
)  # fmt: skip
def test_a_long_account_may_be_kept_by_its_beginning_beside_the_same_name(account, last, ours):
    assert is_ours(row(account, last), "Berger", key="123456789012") is ours


@pytest.mark.parametrize("account", ["", "12345678"])
def test_a_name_made_plain_is_still_the_name(account):
    assert is_ours(row(account, "OHara Bo"), "O'Hara; Bo", key="123456789012")


@pytest.mark.parametrize("was_told", [False, True])
def test_a_cut_name_is_ours_only_where_it_was_told(was_told):
    """A shorter name without an account may be somebody else's: Anderson is not Anderson-Smith."""
    assert is_ours(row("", "Anderson"), "Anderson-Smith", was_told=was_told) is was_told


@pytest.mark.parametrize("was_told", [False, True])
def test_a_name_is_never_ours_when_it_is_longer_or_shorter_than_a_cut_leaves_it(was_told):
    assert not is_ours(row("", "Anderson-Smith"), "Anderson", was_told=was_told)
    assert not is_ours(row("", "Anders"), "Anderson-Smith", was_told=was_told)
    assert not is_ours(row("", ""), "Anderson-Smith", was_told=was_told)


def test_another_account_is_not_ours_although_the_name_was_told():
    assert not is_ours(row("9", "Berger"), "Berger", was_told=True)


# --- What a listed room shows ---


def listed(**differs):
    """Berger as the list has him when all was told."""
    usual = {"language": "de", "vip": "1", "date_in": datetime(2026, 3, 14, 10, 5),
             "date_out": datetime(2026, 3, 18, 12), "cos": "3"}  # fmt: skip
    return replace(row("4711", **usual), **differs)


def test_a_row_with_everything_shows_what_was_told():
    assert wire.shown_tags(listed(), tags_of(BERGER)) == tags_of(BERGER)


@pytest.mark.parametrize(
    ("differs", "tag", "text"),
    [
        ({"account": "9"}, "account", "9"),
        ({"last_name": "Meyer"}, "lastname", "Meyer"),
        ({"last_name": ""}, "lastname", ""),
        ({"first_name": "Otto"}, "firstname", "Otto"),
        ({"first_name": ""}, "firstname", ""),
        ({"language": "fr"}, "language", "fr"),
        ({"vip": "0"}, "vipcode", "0"),
        ({"vip": ""}, "vipcode", "0"),
        ({"cos": "1"}, "cos", "1"),
        ({"date_in": datetime(2026, 3, 13, 9)}, "datein", "2026/03/13 09:00"),
        ({"date_out": datetime(2026, 3, 19, 12)}, "dateout", "2026/03/19 12:00"),
    ],
)
def test_a_row_that_differs_in_one_thing_shows_that(differs, tag, text):
    assert wire.shown_tags(listed(**differs), tags_of(BERGER)) == tags_of(BERGER) | {tag: text}


@pytest.mark.parametrize(
    "silent",
    [{"account": ""}, {"language": ""}, {"cos": None}, {"date_in": None}, {"date_out": None}],
)
def test_what_the_list_does_not_say_contradicts_nothing(silent):
    assert wire.shown_tags(listed(**silent), tags_of(BERGER)) == tags_of(BERGER)


def test_a_name_or_account_that_was_cut_or_made_plain_on_its_way_is_as_told():
    told = tags_of(Guest(key="123456789012", name="O'Hara-Smithson", first_name="Maximilian;",
                         came=CAME))  # fmt: skip
    shown = wire.shown_tags(
        row("12345678", "OHara-Sm", "Maximilian", date_in=CAME, date_out=CAME), told
    )
    assert shown == told


def test_a_room_of_which_nothing_was_told_shows_what_its_row_says():
    silent = row("9", "Meyer", "Otto", date_in=CAME)
    assert wire.shown_tags(silent, {}) == {
        "account": "9", "lastname": "Meyer", "firstname": "Otto", "vipcode": "0",
        "datein": "2026/03/14 10:05",
    }  # fmt: skip


def test_moments_and_permissions_of_a_row_are_read_where_they_mean_something():
    reply = parse_reply(
        b'{"response":{"pms_room":[{"address":"101","chki_status":"yes","vipcode":1,'
        b'"language":"de","datein":"2026-03-14 10:05:59","dateout":"2026-03-18 12:00:00",'
        b'"permission":"internal-local-national"},'
        b'{"address":"102","datein":"soon","dateout":"","permission":"own"}]},"status":0}'
    )
    assert wire.rooms_in(reply) == [
        UcmRoom("101", True, "", "", "", "de", "1", datetime(2026, 3, 14, 10, 5),
                datetime(2026, 3, 18, 12), "3"),
        UcmRoom("102", False, "", "", ""),
    ]  # fmt: skip


def test_the_ban_lasts_as_long_as_the_reply_says():
    assert Reply(-68, response={"remain_time": 120}).seconds_banned() == 120
    assert Reply(-68, response={"remain_time": "soon"}).seconds_banned() == 60
    assert Reply(-68).seconds_banned() == 60
