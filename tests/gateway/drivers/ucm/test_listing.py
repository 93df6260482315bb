"""The UCM's list of rooms, and whether it shows what was told."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from gateway.drivers.calls import (
    CheckIn,
)
from gateway.drivers.ucm import listing, requests
from gateway.drivers.ucm.listing import UcmRoom
from gateway.drivers.ucm.replies import NotAReply, parse_reply
from gateway.drivers.ucm.requests import Words
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


def test_rooms_are_read_in_both_spellings():
    reply = parse_reply(
        b'{"response":{"pms_room":[{"address":"101","chki_status":"yes","account":"4711",'
        b'"last_name":"Berger","first_name":"Anna"},{"address":"102","chki_status":"no",'
        b'"lastname":"","firstname":null},"odd"],"total_item":9},"status":0}'
    )
    first, second = listing.rooms_in(reply)
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
    assert listing.rooms_in(reply) == [UcmRoom("1", True, "", "", "")]
    assert reply.seconds_banned() == 60


# --- Whom a listed room shows ---


def row(account, last="Berger", first="Anna", **more):
    return UcmRoom("1", True, account, last, first, **more)


def is_ours(shown, name, key="4711", *, was_told=False):
    tags = tags_of(Guest(key=key, name=name, came=CAME))
    return listing.is_ours(shown, tags, was_told=was_told)


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
    assert listing.shown_tags(listed(), tags_of(BERGER)) == tags_of(BERGER)


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
    assert listing.shown_tags(listed(**differs), tags_of(BERGER)) == tags_of(BERGER) | {tag: text}


@pytest.mark.parametrize(
    "silent",
    [{"account": ""}, {"language": ""}, {"cos": None}, {"date_in": None}, {"date_out": None}],
)
def test_what_the_list_does_not_say_contradicts_nothing(silent):
    assert listing.shown_tags(listed(**silent), tags_of(BERGER)) == tags_of(BERGER)


def test_a_name_or_account_that_was_cut_or_made_plain_on_its_way_is_as_told():
    told = tags_of(Guest(key="123456789012", name="O'Hara-Smithson", first_name="Maximilian;",
                         came=CAME))  # fmt: skip
    shown = listing.shown_tags(
        row("12345678", "OHara-Sm", "Maximilian", date_in=CAME, date_out=CAME), told
    )
    assert shown == told


def test_a_room_of_which_nothing_was_told_shows_what_its_row_says():
    silent = row("9", "Meyer", "Otto", date_in=CAME)
    assert listing.shown_tags(silent, {}) == {
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
    assert listing.rooms_in(reply) == [
        UcmRoom("101", True, "", "", "", "de", "1", datetime(2026, 3, 14, 10, 5),
                datetime(2026, 3, 18, 12), "3"),
        UcmRoom("102", False, "", "", ""),
    ]  # fmt: skip
