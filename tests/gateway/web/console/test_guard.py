"""Who may look at the console and who may change something."""

import pytest

from gateway.config.password_hash import fits, hash_password, is_hash
from gateway.line import is_loopback
from gateway.web.console import guard
from gateway.web.console.guard import Guard, is_own_form


class Now:
    at = 1000.0

    def __call__(self):
        return self.at


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def door(now):
    return Guard("scrypt:…", open_to_all=True, now=now)


def test_a_hash_knows_its_password_and_no_other():
    hashed = hash_password("long enough")
    assert is_hash(hashed)
    assert "long enough" not in hashed
    assert hashed != hash_password("long enough")
    assert fits("long enough", hashed)
    assert not fits("long enougH", hashed)
    assert not fits("", hashed)


@pytest.mark.parametrize(
    "text",
    ["", "secret", "scrypt:1:2:3", "scrypt:16384:8:1:!:!", "scrypt:1048576:8:1:AAAA:AAAA",
     "bcrypt:16384:8:1:AAAA:" + "A" * 43 + "=", "scrypt:16384:8:1:AAAA:AAAA"],
)  # fmt: skip
def test_what_another_hand_wrote_is_no_hash(text):
    assert not is_hash(text)
    assert not fits("x", text)


@pytest.mark.parametrize(
    ("host", "client", "may"),
    [("127.0.0.1:9843", "127.0.0.1", True), ("localhost:9843", "127.0.0.1", True),
     ("[::1]:9843", "::1", True), ("[::1]", "::1", True), ("localhost", "127.0.0.1", True),
     ("evil.example:9843", "127.0.0.1", False), ("127.0.0.1:9843", "10.0.0.7", False),
     ("10.0.0.5:9843", "127.0.0.1", False), ("", "127.0.0.1", False), ("localhost:1", "", False)],
)  # fmt: skip
def test_who_is_on_this_machine_may_look(door, host, client, may):
    assert door.may_look(None, host=host, client=client) is may


def test_on_an_open_address_only_who_knows_the_password_may_look(now):
    door = Guard("scrypt:…", open_to_all=False, now=now)
    assert not door.may_look(None, host="127.0.0.1:1", client="127.0.0.1")
    session = door.judge("c", right=True)
    assert door.may_look(session, host="gateway.example", client="10.0.0.7")


def test_a_session_ends_by_itself_and_by_leaving(door, now):
    session = door.judge("c", right=True)
    now.at += guard.SESSION_S - 1
    assert door.session(session.token) is session
    now.at += guard.SESSION_S - 1  # it was used meanwhile
    assert door.session(session.token) is session
    now.at += guard.SESSION_S + 1
    assert door.session(session.token) is None
    session = door.judge("c", right=True)
    door.end(session)
    assert door.session(session.token) is None
    assert door.session(None) is None
    assert door.session("guess") is None


def test_the_oldest_session_makes_room(door, now):
    first = door.judge("c", right=True)
    for _ in range(guard.MOST_SESSIONS):
        now.at += 1
        last = door.judge("c", right=True)
    assert door.session(first.token) is None
    assert door.session(last.token) is last


def test_guessing_is_slow(door, now):
    for _ in range(guard.FREE_GUESSES):
        assert door.pause("c") == 0
        assert door.judge("c", right=False) is None
    assert door.pause("c") == guard.GUESS_PAUSE_S
    assert door.pause("somebody else") == 0
    now.at += guard.GUESS_PAUSE_S
    assert door.pause("c") == 0
    door.judge("c", right=False)
    assert door.pause("c") > 0
    now.at += guard.GUESS_PAUSE_S
    door.judge("c", right=True)
    door.judge("c", right=False)
    assert door.pause("c") == 0


def test_a_form_of_another_page_is_refused(door):
    session = door.judge("c", right=True)
    other = door.judge("c", right=True)
    assert is_own_form(session, session.csrf)
    assert not is_own_form(session, other.csrf)
    assert not is_own_form(session, "")
    assert not is_own_form(session, "ü")


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("[::1]", True), ("localhost", True),
     ("0.0.0.0", False), ("10.0.0.1", False), ("gateway", False), ("localhost.evil", False)],
)  # fmt: skip
def test_this_machines_own_addresses(host, is_ours):
    assert is_loopback(host) is is_ours


def test_those_who_guess_are_forgotten_before_they_are_too_many(door):
    for number in range(guard.MOST_CLIENTS + 10):
        door.judge(str(number), right=False)
    assert len(door._wrong) == guard.MOST_CLIENTS


def test_an_open_page_does_not_keep_a_session(door, now):
    session = door.judge("c", right=True)
    now.at += guard.SESSION_S - 1
    assert door.session(session.token, uses=False) is session
    now.at += 2
    assert door.session(session.token, uses=False) is None
