"""From calls to the UCM's requests."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.calls import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.drivers.ucm import requests
from gateway.drivers.ucm.requests import Request, Words
from gateway.house.states import Guest

CAME = datetime(2026, 3, 14, 10, 5)
WORDS = Words(class_of_service={"2": 3}, room_status={"3": 1})
BERGER = Guest(
    key="4711", name="Berger", first_name="Anna", language="ge", vip="2", class_of_service="2",
    arrival=date(2026, 3, 14), departure=date(2026, 3, 18), came=CAME,
)  # fmt: skip


def tags_of(guest, words=WORDS, stay=7):
    return requests.guest_tags(guest, stay, words)


def request_of(call, words=WORDS):
    return requests.request_of(call, words)


def check_in(guest, room="1"):
    return request_of(CheckIn(room=room, tags=tags_of(guest)))


# --- What a room shows ---


def test_check_in_carries_everything_in_the_order_of_the_guide():
    assert requests.to_xml(check_in(BERGER, "101")) == (
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
    assert requests.account_of(guest, stay) == account
    assert tags_of(guest, stay=stay)["account"] == account


def test_two_guests_of_the_same_name_without_numbers_have_different_accounts():
    smith = Guest(key="@101", name="Smith", came=CAME)
    assert requests.account_of(smith, 7) != requests.account_of(smith, 8)


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
    assert "<lastname></lastname>" in requests.to_xml(request)


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
    assert requests.clean(text) == kept


@given(st.text(max_size=200))
def test_any_name_makes_xml_that_a_strict_parser_reads_back(name):
    from xml.etree import ElementTree as ET

    request = check_in(Guest(key="1", name=name, came=CAME))
    root = ET.fromstring(requests.to_xml(request))
    assert root.findtext("checkin/lastname") == request.value_of("lastname")


@given(st.text(max_size=100), st.integers(8, 64))
def test_names_are_cut_at_a_character_boundary(name, limit):
    kept = requests.cut(name.encode(errors="replace").decode(), limit)
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
        request = requests.shorten(request, 26, exact=True)
    assert lengths == [40, 20, 10, 8]


def test_which_name_is_cut_follows_the_code_or_the_length():
    guest = Guest(key="1", name="x" * 20, first_name="y" * 30, came=CAME)
    request = check_in(guest)
    assert len(requests.shorten(request, 25, exact=True).value_of("firstname")) == 15
    assert len(requests.shorten(request, 26, exact=True).value_of("lastname")) == 10
    assert len(requests.shorten(request, 26, exact=False).value_of("firstname")) == 15
    assert requests.shorten(request_of(CheckOut(room="1")), 25, exact=True) is None


def test_sensitive_characters_are_taken_out_of_every_tag():
    assert requests.plain(Request("update", (("lastname", "O'Ha\"r`a;\\"),))).tags == (
        ("lastname", "OHara"),
    )
