"""Requests and replies of both generations, as the guides have them; and whatever else may come."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.gxv.values import (
    Account,
    Contact,
    Entry,
    LoginRefused,
    NoSuchPage,
    PhoneAway,
    PhoneFailed,
    PhoneOdd,
    Reply,
    SessionOver,
)
from gateway.drivers.gxv.wire import GENERATIONS, CgiBin, Manager, secret

MANAGER, CGI = Manager(), CgiBin()
CONTACTS = (
    '{ "res":"success", "msg":[ { "contactID":"0", "contactName":"xxx", "groupID":"0", "work":"8819",'
    ' "home":"", "mobile":"", "fax":"", "email":"" } ] }'
)
"""Web API guide, "Get Contact"."""


def reply(text, status=200):
    return Reply(status, text.encode() if isinstance(text, str) else json.dumps(text).encode())


def test_the_secret_is_the_md5_of_user_random_and_password():
    # printf gmiadmin:abc:admin | md5sum
    assert secret("gmiadmin", "admin", "abc") == "f519a45f634f4259bad94ee59202a798"


@pytest.mark.parametrize("api", GENERATIONS, ids=lambda api: api.name)
def test_contacts_and_groups_are_told_alike_by_both(api):
    assert api.read_contacts(reply(CONTACTS)) == [Contact("0", "xxx", "8819", "0")]
    groups = '{"res":"success","msg":[{"groupID":"0","groupName":"default"}]}'
    assert api.read_groups(reply(groups)) == {"default": "0"}


def test_a_name_does_not_part_the_columns_of_a_contact():
    sent = dict(MANAGER.save_contact(Entry("Bar :: Lounge", "79"), "5").query)
    assert sent["contactInfo"] == "::Bar :  Lounge::5::79::::::::"


def test_accounts_as_each_guide_shows_them():
    old = (
        '{"Response":"Success","Data":[{"Index":"1","Number":"3882","Status":"1","Activate":"1"}]}'
    )
    new = '{ "response":"success", "body":[ { "id":4, "sip_id":"1016", "reg":0 } ] }'
    assert MANAGER.read_accounts(reply(old)) == [Account("3882", is_registered=True)]
    assert CGI.read_accounts(reply(new)) == [Account("1016", is_registered=False)]


@pytest.mark.parametrize(
    ("api", "text", "error"),
    [
        (MANAGER, {"res": "error", "msg": "authentication required"}, SessionOver),
        (MANAGER, {"res": "error", "msg": "authentication failed"}, LoginRefused),
        (MANAGER, {"res": "error", "msg": "phone rebooting"}, PhoneAway),
        (MANAGER, {"res": "error", "msg": "command not found"}, NoSuchPage),
        (MANAGER, {"res": "error", "msg": "wrong format"}, PhoneOdd),
        (CGI, {"response": "error", "body": {"status": "session-expired"}}, SessionOver),
        (CGI, {"response": "success", "body": "unauthorized"}, SessionOver),
        (CGI, {"response": "error", "body": "wrong3"}, LoginRefused),
        (CGI, {"response": "error", "body": "locked5"}, LoginRefused),
        (CGI, {"response": "error", "body": ""}, PhoneOdd),
    ],
)
def test_each_no_says_what_it_means(api, text, error):
    with pytest.raises(error):
        api.done(reply(text))


@pytest.mark.parametrize(
    ("status", "error"), [(401, SessionOver), (404, NoSuchPage), (403, PhoneOdd), (503, PhoneAway)]
)
@pytest.mark.parametrize("api", GENERATIONS, ids=lambda api: api.name)
def test_each_status_says_what_it_means(api, status, error):
    with pytest.raises(error):
        api.done(reply("<html>", status))


def test_a_random_string_is_bare_quoted_or_not_known():
    assert MANAGER.random(reply("a1b2")) == CGI.random(reply('"a1b2"\n')) == "a1b2"
    assert MANAGER.random(reply({"res": "error", "msg": "command not found"})) == ""
    assert CGI.random(reply("", 404)) == ""
    with pytest.raises(NoSuchPage):
        MANAGER.random(reply("", 404))  # it is of the other generation


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["res", "msg", "response", "body", "Data", "Response", "sid", "status", "x"]),
        inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
READERS = (
    "done", "random", "logged_in", "read_contacts", "read_groups", "read_accounts", "read_identity",
)  # fmt: skip


@given(st.sampled_from(GENERATIONS), st.sampled_from(READERS), st.sampled_from([200, 302, 401, 500]),
       JSON | st.binary(max_size=60))  # fmt: skip
def test_whatever_comes_is_read_or_is_a_failure_with_words(api, reader, status, content):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        getattr(api, reader)(Reply(status, body))
    except PhoneFailed as failed:
        assert str(failed)
