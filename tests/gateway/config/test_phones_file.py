"""The file of the phones: what it means, and each mistake with its key; all of them at once."""

import pytest

from gateway.config.phones_file import USERNAME, load
from gateway.drivers.gxv import Phone


def read(folder, text, secrets=None):
    path = folder / "phones.toml"
    path.write_text(text)
    found, problems = load(path, lambda name: (secrets or {}).get(name, ""))
    return found, [each.removeprefix(f"{path}: ") for each in problems]


def test_one_login_for_all_and_one_for_one(tmp_path):
    found, problems = read(
        tmp_path,
        'password_file = "all"\n[rooms]\n"101" = "10.0.5.101"\n'
        '"102" = { address = "https://10.0.5.102:8443", username = "admin", password = "its own" }\n',
        {"all": "for all"},
    )
    assert problems == []
    first, second = found
    assert (first.room, first.address, first.username) == ("101", "10.0.5.101", USERNAME)
    assert first.password.get_secret_value() == "for all"
    assert (second.address, second.username) == ("https://10.0.5.102:8443", "admin")
    assert second.password.get_secret_value() == "its own"
    assert "its own" not in repr(found)


def test_every_mistake_is_told_and_no_value(tmp_path):
    _, problems = read(
        tmp_path,
        'colour = "red"\n[rooms]\n"101" = "not an address"\n"102" = 7\n'
        '"103" = { address = "10.0.5.103", pasword = "secret" }\n"104" = { username = "u" }\n',
    )
    assert "secret" not in str(problems)
    told = {each.split(":")[0]: each for each in problems}
    assert set(told) == {
        "colour",
        "rooms.101",
        "rooms.102",
        "rooms.103.pasword",
        "rooms.104.address",
    }
    assert "is no address of a phone; write it as " in told["rooms.101"]
    assert "unknown key" in told["colour"]
    assert told["rooms.104.address"].endswith("missing")


def test_what_is_right_alone_and_wrong_together(tmp_path):
    _, problems = read(
        tmp_path,
        '[rooms]\n"101" = "10.0.5.101"\n"102" = { address = "10.0.5.101", password = "a",'
        ' password_file = "b" }\n',
        {"b": "b"},
    )
    assert problems == [
        "room 102: give either password or password_file",
        "rooms 101 and 102 have the same address",
        "no password, neither for all nor for rooms 101",
    ]


def test_a_file_that_is_none(tmp_path):
    assert "not TOML" in read(tmp_path, "[rooms")[1][0]
    assert read(tmp_path, "[rooms]\n")[1] == ["rooms: names no phone"]
    found, problems = load(tmp_path / "no.toml", lambda _: "")
    assert (found, "No such file" in problems[0]) == ([], True)


@pytest.mark.parametrize(
    ("address", "why"),
    [("10.0.5.300", "is no IP address"), ("10.0.5", "is no IP address"), ("[::zz]", "is no address"),
     ("[1:2]", "is no IP address"), ("10.0.5.1:0", "has no such port"),
     ("10.0.5.1:99999", "has no such port"), ("ftp://10.0.5.1", "is no address"),
     ("http://", "is no address"), ("10.0.5.1/page", "is no address")],
)  # fmt: skip
def test_an_address_that_can_be_none(tmp_path, address, why):
    problems = read(tmp_path, f'password = "x"\n[rooms]\n"101" = "{address}"\n')[1]
    assert [each.startswith(f"rooms.101: {why}") for each in problems] == [True]


@pytest.mark.parametrize(
    "address", ["10.0.5.1", "phone-101.hotel", "https://[fd00::1]:8443", "http://10.0.5.1:65535"]
)
def test_an_address_that_httpx_takes_too(tmp_path, address):
    assert read(tmp_path, f'password = "x"\n[rooms]\n"101" = "{address}"\n')[1] == []
    assert Phone(address, "u", "p").api == ""


def test_a_slip_in_a_key_is_guessed(tmp_path):
    problems = read(tmp_path, '[rooms]\n"101" = { adress = "10.0.5.1", pasword = "x" }\n')[1]
    assert "rooms.101.adress: unknown key; did you mean address?" in problems
    assert "rooms.101.pasword: unknown key; did you mean password?" in problems


def test_a_password_that_is_missing_for_all_is_one_sentence(tmp_path):
    rooms = "\n".join(f'"{room}" = "10.0.5.{room}"' for room in range(101, 120))
    (problem,) = read(tmp_path, f"[rooms]\n{rooms}\n")[1]
    assert problem == (
        "no password, neither for all nor for rooms 101, 102, 103, 104, 105 and 14 more"
    )
