"""Strict configuration: every mistake has its exact sentence, and no secret is ever printed."""

import re
import tempfile
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ConfigError, load
from gateway.line import ListenSpec, SerialSpec, TcpSpec

GOOD = Path(__file__, "../../../data/config/good.toml").resolve().read_text(encoding="utf-8")
MINIMAL = """
[pms]
line = "tcp:10.0.0.5:5010"
[ucm]
url = "https://10.0.0.9:8089/api"
username = "u"
password = "p-invented"
pms_username = "h"
pms_password = "q-invented"
tls = "insecure"
"""


def config_of(tmp_path, text):
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def mistakes(tmp_path, text):
    with pytest.raises(ConfigError) as wrong:
        config_of(tmp_path, text)
    return [
        sentence.removeprefix(f"{tmp_path}/gateway.toml: ") for sentence in wrong.value.sentences
    ]


def test_a_good_file_says_everything(tmp_path):
    config = config_of(tmp_path, GOOD)
    assert config.pms.line == SerialSpec("/dev/ttyUSB0", 9600, 8, "N", 1)
    assert config.checkout_time == time(11, 30)
    assert (config.fias.encoding, config.guests.lrc, config.guests.ack) == ("cp850", True, True)
    assert config.ucm.password.get_secret_value() == "api-invented"
    assert config.ucm.pin[:3] == b"\x00\x11\x22"
    assert config.language == {"GE": "de-at"}
    assert config.class_of_service == {"0": 1, "9": 4}
    assert str(config.zone) == "Europe/Lisbon"


def test_what_is_not_said_has_its_default(tmp_path):
    config = config_of(tmp_path, MINIMAL)
    assert (config.ucm.timeout_s, config.ucm.retries, config.ucm.retry_interval_s) == (15, 3, 60)
    assert (config.ucm.name_bytes, config.fias.record_pacing_ms, config.fias.resync) == (
        64,
        500,
        "never",
    )
    assert config.class_of_service == {"0": 1, "1": 2, "2": 3, "3": 4}
    assert config.room_status == {"1": 5, "2": 5, "3": 1, "4": 1, "5": 1, "6": 1}
    assert config.http.listen == "127.0.0.1:9843"


@pytest.mark.parametrize(
    ("line", "spec", "on"),
    [
        ("serial:/dev/ttyS0", SerialSpec("/dev/ttyS0"), True),
        ("serial:/dev/x,1200,7e1", SerialSpec("/dev/x", 1200, 7, "E", 1), True),
        ("tcp:pms.lan:5010", TcpSpec("pms.lan", 5010), False),
        ("listen:0.0.0.0:5010", ListenSpec("0.0.0.0", 5010), False),
        ("tcp:[::1]:5010", TcpSpec("::1", 5010), False),
    ],
)
def test_check_bytes_and_answers_are_on_for_serial_lines_only(tmp_path, line, spec, on):
    config = config_of(tmp_path, MINIMAL.replace("tcp:10.0.0.5:5010", line))
    assert (config.pms.line, config.guests.lrc, config.guests.ack) == (spec, on, on)
    forced = config_of(
        tmp_path, MINIMAL.replace("tcp:10.0.0.5:5010", line) + "[fias]\nlrc = true\nack = false\n"
    )
    assert (forced.guests.lrc, forced.guests.ack) == (True, False)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("[pms]", "[pms]\nspeed = 1"), "pms.speed: unknown key; allowed: allow, line, protocol"),
        (("[pms]", "[dentist]\n[pms]"), "dentist: unknown key; allowed: back, capture, charges_line, class_of_service, fias, http, language, maid, pair, phones, pms, room_status, rooms, site, store, tariff, ucm"),
        (('line = "tcp:10.0.0.5:5010"', ""), "pms.line: missing"),
        (("tcp:10.0.0.5:5010", "tcp:10.0.0.5"), "pms.line = 'tcp:10.0.0.5': expected serial:DEVICE,BAUD,MODE (as serial:/dev/ttyUSB0,9600,8n1), tcp:HOST:PORT (we dial) or listen:HOST:PORT (the PMS dials)"),
        (("tcp:10.0.0.5:5010", "tcp:10.0.0.5:99999"), "pms.line = 'tcp:10.0.0.5:99999': 99999 is no port number"),
        (("tcp:10.0.0.5:5010", "serial:/dev/x,9601"), "pms.line = 'serial:/dev/x,9601': 9601 baud is none of 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200"),
        (('tls = "insecure"', 'tls = "pinned"'), "ucm.fingerprint: tls = \"pinned\" needs it; `pms-gateway doctor` prints it, or say tls = \"ca\" or \"insecure\""),
        (('tls = "insecure"', 'tls = "none"'), "ucm.tls = 'none': expected 'pinned', 'ca' or 'insecure'"),
        (('tls = "insecure"', 'tls = "pinned"\nfingerprint = "AB"'), "ucm.fingerprint = 'AB': expected sha256: and 64 hex digits; `pms-gateway doctor` prints it"),
        (("https://10.0.0.9:8089/api", "10.0.0.9"), "ucm.url = '10.0.0.9': expected https://HOST:8089/api, or https://HOST:8443/pmsapi for the old"),
        (('password = "p-invented"', "password = 5"), "ucm.password = ***: expected a valid string"),
        (('password = "p-invented"', ""), "ucm.password: give either password or password_file"),
        (('pms_password = "q-invented"', 'pms_password_file = "nowhere"'), "ucm.pms_password_file = 'nowhere': {dir}/nowhere: No such file or directory"),
        (("[ucm]", "[ucm]\nretries = -1"), "ucm.retries = -1: expected greater than or equal to 0"),
        (("[ucm]", '[ucm]\ntimeout_s = "15"'), "ucm.timeout_s = '15': expected a valid number"),
        (("[ucm]", "[fias]\nencoding = 'klingon'\n[ucm]"), "fias.encoding = 'klingon': expected a code page with ASCII in it, as cp1252,"),
        (("[ucm]", "[site]\ntimezone = 'Mars/North'\n[ucm]"), "site.timezone = 'Mars/North': no time zone has this name; expected one as Europe/Lisbon"),
        (("[ucm]", "[site]\ncheckout_time = '25:00'\n[ucm]"), "site.checkout_time = '25:00': expected HH:MM, 00:00 to 23:59"),
        (("[ucm]", "[class_of_service]\n'1' = 7\n[ucm]"), "class_of_service.1 = 7: expected less than or equal to 4"),
        (("[ucm]", "[ucm]\nold_tls = true"), "ucm.old_tls: weak encryption needs tls = \"pinned\", or anybody can answer"),
        (("[ucm]", "allow = ['10.0.0.5']\n[ucm]"), "pms.allow: says who may dial us, so it needs a listen: line"),
        (("[ucm]", "[http]\nlisten = '9843'\n[ucm]"), "http.listen = '9843': expected HOST:PORT, as 127.0.0.1:9843"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_sentence(tmp_path, change, sentence):
    (found,) = mistakes(tmp_path, MINIMAL.replace(*change))
    assert found.startswith(sentence.replace("{dir}", str(tmp_path)))


def test_all_mistakes_are_told_at_once(tmp_path):
    text = MINIMAL.replace("tcp:10.0.0.5:5010", "usb:1").replace(
        "[ucm]", "[ucm]\nretries = -1\nfoo = 1"
    )
    text = text.replace('pms_password = "q-invented"', 'pms_password_file = "nowhere"')
    assert len(mistakes(tmp_path, text + "[site]\ntimezone = 'X'\n")) == 5


def test_keys_that_do_not_fit_together_are_told_beside_other_mistakes(tmp_path):
    text = MINIMAL.replace('tls = "insecure"', 'tls = "pinned"\nretries = -1\nnope = 3')
    text = text.replace('password = "p-invented"', "", 1).replace("/api", "/pmsapi")
    found = "\n".join(mistakes(tmp_path, text + '[language]\n"GE" = "de"\n"ge" = "at"\n'))
    for key in (
        "ucm.retries",
        "ucm.nope",
        "ucm.password",
        "ucm.fingerprint",
        "ucm.url",
        "language.GE",
    ):
        assert key in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("10.0.0.9:8089", "10.0.0.9:99999"), "ucm.url = "),
        (('"p-invented"', '""'), "ucm.password: is empty"),
        (("[ucm]", '[site]\nname = "a\\nb"\n[ucm]'), "site.name"),
        (("[ucm]", "[site]\nname = ''\n[ucm]"), "site.name = '': expected at least 1 character"),
        (("[ucm]", '[site]\ndata_dir = "a\\u0000b"\n[ucm]'), "site.data_dir = 'a\\x00b': expected"),
        (("[ucm]", "[site]\ncheckout_time = '1\u0663:00'\n[ucm]"), "site.checkout_time = "),
        (("[ucm]", f"[site]\ntimezone = '{'UTC/' * 1000}UTC'\n[ucm]"), "site.timezone = "),
        (("10.0.0.9:8089", "10.0.0.9:\u0663"), "ucm.url = "),
        (("tcp:10.0.0.5:5010", "serial:/dev/x\\u0000"), "pms.line = "),
        (('password = "p-invented"', 'password_file = "a\\u0000b"'), "ucm.password_file = 'a\\x00b': "),
        (('"insecure"', f'"insecure"\nca_file = "{"x" * 5000}"'), "does not exist"),
        (("[ucm]", '"a\\nb" = 1\n[ucm]'), "pms.'a\\nb': unknown key"),
        (("[ucm]", '[language]\n"a\\n" = "de"\n"A\\n" = "de"\n[ucm]'), "language.'A\\n': is there twice"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_told(tmp_path, change, words):
    assert words in "\n".join(mistakes(tmp_path, MINIMAL.replace(*change)))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[pms", "not TOML"), (b"\xff\xfe", "not UTF-8"), (None, "no such file"),
     (b"x = " + b"[" * 5000, "not TOML"), (b"x = " + b"1" * 5000, "not TOML")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told(tmp_path, content, words):
    path = tmp_path / "gateway.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load(path)


def test_plain_http_needs_the_word_insecure(tmp_path):
    text = MINIMAL.replace("https://", "http://").replace("insecure", "ca")
    assert mistakes(tmp_path, text) == [
        'ucm.url: plain http has no certificate; it needs tls = "insecure"'
    ]


def test_a_password_file_is_beside_the_configuration_or_a_credential(tmp_path, monkeypatch):
    text = MINIMAL.replace('password = "p-invented"', 'password_file = "secret"', 1)
    (tmp_path / "secret").write_text("beside\n")
    assert config_of(tmp_path, text).ucm.password.get_secret_value() == "beside"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert config_of(tmp_path, text).ucm.password.get_secret_value() == "beside"
    (credentials / "secret").write_text("from systemd")
    assert config_of(tmp_path, text).ucm.password.get_secret_value() == "from systemd"
    (credentials / "secret").write_text("\n")
    assert "is empty" in mistakes(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (b"secret \n", "has a blank in front of the secret or behind it: remove it"),
        (b"secret\n# of the UCM\n", "has more than one line: write the secret alone into it"),
        (b"\xff\xfes\x00", "not UTF-8 text"),
    ],
)
def test_what_an_editor_leaves_in_a_password_file_is_told(tmp_path, written, why):
    (tmp_path / "secret").write_bytes(written)
    text = MINIMAL.replace('password = "p-invented"', 'password_file = "secret"', 1)
    (found,) = mistakes(tmp_path, text)
    assert found.endswith(why)


def test_a_mark_in_front_and_windows_line_ends_are_no_part_of_anything(tmp_path):
    (tmp_path / "secret").write_bytes(b"\xef\xbb\xbfs-invented\r\n")
    text = MINIMAL.replace('password = "p-invented"', 'password_file = "secret"', 1)
    path = tmp_path / "gateway.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load(path).ucm.password.get_secret_value() == "s-invented"


@given(
    mark=st.booleans(),
    ends=st.sampled_from(["\n", "\r\n"]),
    behind=st.lists(st.sampled_from(["", " ", "\t", "# the UCM's API user"]), max_size=4),
    blanks=st.sampled_from(["", " ", "  \t"]),
)
def test_what_an_editor_adds_changes_nothing_or_is_told(mark, ends, behind, blanks):
    def written(*lines):
        return b"\xef\xbb\xbf" * mark + (ends.join(lines) + ends).encode()

    with tempfile.TemporaryDirectory() as folder:
        text = MINIMAL.replace('password = "p-invented"', 'password_file = "secret"', 1)
        path = Path(folder, "gateway.toml")
        path.write_bytes(written(*(line + blanks for line in [*text.splitlines(), *behind])))
        Path(folder, "secret").write_bytes(written("s-invented"))
        found = load(path)
        assert found.ucm.password.get_secret_value() == "s-invented"
        assert (found.ucm.username, found.pms.line) == ("u", TcpSpec("10.0.0.5", 5010))
        # Never a wrong login by what nobody sees in the file of a password.
        Path(folder, "secret").write_bytes(written(f"s-invented{blanks}", *behind))
        if blanks or any(behind):
            with pytest.raises(ConfigError, match=r"more than one line|a blank in front"):
                load(path)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (("pms_username", "pms_usrname"), "ucm.pms_usrname: unknown key; did you mean pms_username? "),
        (("\npassword =", "\npasword ="), "ucm.pasword: unknown key; did you mean password? "),
        (("[ucm]", "[site]\ntimezone = 'Europe/Lisboa'\n[ucm]"), "did you mean Europe/Lisbon?"),
        (("[ucm]", "[site]\ntimezone = Europe/Lisbon\n[ucm]"), "look at 'timezone'; texts stand between quotation marks"),
    ],
)  # fmt: skip
def test_a_slip_of_the_pen_is_answered_with_what_was_meant(tmp_path, change, hint):
    (found,) = mistakes(tmp_path, MINIMAL.replace(*change))
    assert hint in found


def test_a_sentence_about_the_toml_never_holds_a_value(tmp_path):
    text = MINIMAL.replace('password = "p-invented"', "password = p-invented", 1)
    (found,) = mistakes(tmp_path, text)
    assert "look at 'password'" in found
    assert "p-invented" not in found


def test_no_secret_is_ever_printed(tmp_path):
    """Everything printable is made, and searched for the known passwords."""
    config = config_of(tmp_path, GOOD)
    printed = "".join(
        (repr(config), str(config), repr(config.ucm), str(config.ucm), repr(config.ucm.password))
    )
    printed += "".join(mistakes(tmp_path, GOOD.replace('tls = "pinned"', 'tls = "x"\nfoo = 1')))
    printed += "".join(mistakes(tmp_path, GOOD.replace('"api-invented"', '["api-invented"]')))
    printed += "".join(mistakes(tmp_path, GOOD.replace("[ucm]", "[[ucm]]")))
    printed += "".join(mistakes(tmp_path, GOOD.replace("[ucm]", "[site.name]")))
    assert "api-invented" not in printed
    assert "pms-invented" not in printed


def test_who_may_dial_is_addresses_and_networks(tmp_path):
    text = re.sub(
        r'line = ".*"', 'line = "listen:0.0.0.0:5010"\nallow = ["10.0.0.5", "10.1.0.0/16"]', MINIMAL
    )
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    assert [str(each) for each in load(path).pms.allow] == ["10.0.0.5/32", "10.1.0.0/16"]
    (found,) = mistakes(tmp_path, text.replace("10.1.0.0/16", "10.1.0.0/99"))
    assert "expected an address or a network" in found


def test_no_secret_is_in_what_a_configuration_prints(tmp_path):
    (tmp_path / "gateway.toml").write_text(MINIMAL, encoding="utf-8")
    found = load(tmp_path / "gateway.toml")
    assert found.ucm.password.get_secret_value() == "p-invented"
    assert "invented" not in repr(found)


@pytest.mark.parametrize(
    "key", ["charges", "wake_up_results", "wake_ups_from_phones", "room_status", "voicemail", "minibar"]
)  # fmt: skip
def test_the_old_api_tells_nothing_that_could_go_back(tmp_path, key):
    value = {"charges": '"timed"', "minibar": '"total"'}.get(key, "true")
    old = MINIMAL.replace("8089/api", "8443/pmsapi").replace("[ucm]\n", '[ucm]\napi = "old"\n')
    assert mistakes(tmp_path, f"{old}[back]\n{key} = {value}\n") == [
        f'back.{key}: the old API tells nothing of it; it needs ucm.api = "new"'
    ]
    off = {"charges": '"off"', "minibar": '"off"'}.get(key, "false")
    assert config_of(tmp_path, f"{old}[back]\n{key} = {off}\n")


def test_the_password_of_the_websocket_may_stand_in_a_file(tmp_path):
    (tmp_path / "ws").write_text("ws-invented\n")
    config = config_of(tmp_path, f'{MINIMAL}[back]\nws_password_file = "ws"\n')
    assert config.back.ws_password.get_secret_value() == "ws-invented"
    assert "ws-invented" not in repr(config)
    assert mistakes(
        tmp_path, f'{MINIMAL}[back]\nws_password = "x-invented"\nws_password_file = "ws"\n'
    ) == ["back.ws_password: give either ws_password or ws_password_file"]
    assert mistakes(tmp_path, f"{MINIMAL}[back]\nwake_up_tries_s = 301\n") == [
        "back.wake_up_tries_s = 301: expected less than or equal to 300"
    ]


def test_a_dialect_has_answers_and_check_bytes_of_its_own(tmp_path):
    mitel = MINIMAL.replace("[pms]\n", '[pms]\nprotocol = "mitel"\n')
    config = config_of(tmp_path, mitel)
    assert (config.guests.ack, config.guests.lrc, config.pms.room_first) == (True, False, False)
    assert config.guests.says == frozenset()
    assert mistakes(tmp_path, MINIMAL.replace("[pms]\n", '[pms]\nprotocol = "mittel"\n')) == [
        "pms.protocol = 'mittel': expected one of fias, mitel"
    ]


def test_what_a_dialect_has_no_word_for_is_a_mistake(tmp_path):
    mitel = MINIMAL.replace("[pms]\n", '[pms]\nprotocol = "mitel"\n')
    back = (
        '[back]\ncharges = "timed"\nwake_up_results = true\nroom_status = true\nvoicemail = true\n'
    )
    assert mistakes(tmp_path, mitel + back) == [
        (
            "back.charges: a PMS that speaks mitel cannot be told of it; switch it off, "
            "or give charges a line of their own: [charges_line]"
        ),
        "back.wake_up_results: a PMS that speaks mitel cannot be told of it; switch it off",
    ]
    config = config_of(tmp_path, f"{mitel}[back]\nroom_status = true\nvoicemail = true\n")
    assert config.guests.says == {"room_status", "voicemail"}
