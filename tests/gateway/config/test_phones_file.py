"""The file of the phones: what it means, and each mistake with its key; all of them at once."""

from gateway.config.phones_file import USERNAME, load


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
    assert "expected a text; an address" in told["rooms.101"]
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
        "room 101: no password, neither its own nor one for all",
        "room 102: give either password or password_file",
        "rooms 101 and 102 have the same address",
    ]


def test_a_file_that_is_none(tmp_path):
    assert "not TOML" in read(tmp_path, "[rooms")[1][0]
    assert read(tmp_path, "[rooms]\n")[1] == ["rooms: names no phone"]
    found, problems = load(tmp_path / "no.toml", lambda _: "")
    assert (found, "No such file" in problems[0]) == ([], True)
