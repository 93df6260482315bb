"""The installed program as a person or systemd runs it: processes, signals, exit codes."""

import json
import re
import signal
from pathlib import Path

import pytest

from tests.program import call, call_process, get, running, site, wait_for

assert site  # the fixture is used by its name

GOOD = Path(__file__, "../../data/config/good.toml").resolve()


def test_the_service_carries_a_day_survives_kill_9_and_stops_in_order(site, tmp_path):
    config, pms_port, http, _ = site
    script = tmp_path / "day.txt"
    script.write_text(
        "# a short day\nGI|RN101|G#1|GNRossi|GSN|\nGI|RN102|G#2|GNMeyer|GSN|\nGO|RN101|G#1|GSN|\n"
    )
    with running("run", "--config", str(config)) as first:
        with running("simulate", "pms", "--line", f"listen:127.0.0.1:{pms_port}", "--script", str(script),
                     "--every", "0.01") as pms:  # fmt: skip
            wait_for(
                lambda: (
                    'pmsgw_records_total{direction="in",record="GO"} 1.0' in get(http, "/metrics")
                )
            )
            wait_for(
                lambda: (
                    'pmsgw_outbox_entries{lane="to_ucm",state="waiting"} 0.0'
                    in get(http, "/metrics")
                )
            )
            assert pms.wait(10) == 0
        told = call_process("doctor", "--config", str(config))[1]
        assert "not tried: the service is running (process" in told
        code, _out, err = call_process("run", "--config", str(config))
        assert (code, "in use by process" in err) == (1, True)
        first.kill()
        first.wait()
    with running("run", "--config", str(config)) as second:
        wait_for(lambda: 'pmsgw_rooms{state="occupied"} 1.0' in get(http, "/metrics"))
        wait_for(lambda: "pmsgw_ucm_up 1.0" in get(http, "/metrics"))
        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0
        assert "Rossi" not in second.stdout.read()


def test_doctor_tells_each_part(site):
    config, pms_port, _, _ = site
    with running("simulate", "pms", "--line", f"listen:127.0.0.1:{pms_port}") as pms:
        pms.stdout.readline()
        code, out, _ = call("doctor", "--config", str(config))
        assert [line.split()[1] for line in out.splitlines()] == [
            "config", "secrets", "data_dir", "console", "line", "certificate", "ucm", "rooms"
        ]  # fmt: skip
        assert code == 1, out
        assert re.search(r"FAILED +secrets .*gateway.toml: chmod o= on it", out)
        assert re.search(r"ok +line .*; the PMS says LS", out)
        config.chmod(0o640)
        assert call("doctor", "--config", str(config))[0] == 0
    text = config.read_text()
    config.write_text(text.replace("api-secret", "wrong"))
    code, out, _ = call("doctor", "--config", str(config), "--json")
    parts = {each["part"]: each for each in json.loads(out)}
    assert code == 1
    assert not parts["line"]["ok"]
    assert parts["secrets"]["ok"]
    assert parts["ucm"]["words"].startswith("-37: wrong API user or password")
    config.write_text(
        re.sub(r'fingerprint = ".*"', 'fingerprint = "sha256:' + "AB" * 32 + '"', text)
    )
    code, out, _ = call("doctor", "--config", str(config))
    assert re.search(r'FAILED +certificate .*set fingerprint = "sha256:', out)
    for placeholder in ('fingerprint = "sha256:…"', ""):  # as the README has it; not there at all
        config.write_text(re.sub(r'fingerprint = ".*"', placeholder, text))
        code, out, _ = call("doctor", "--config", str(config))
        found = re.search(
            r'FAILED +certificate .*none is pinned yet.*(fingerprint = "sha256:.*")', out
        )
        assert found[1] in text  # to be pasted as it stands
        assert call("check-config", str(config))[0] == 2
        assert call("check-config", "--config", str(config))[0] == 2


def test_no_command_is_answered_with_help_on_stderr():
    code, out, err = call_process()
    assert (code, out) == (2, "")
    assert "check-config" in err
    assert call_process("--version")[1].startswith("pms-gateway ")


def test_demo_ends_with_every_room_as_the_pms_meant_it():
    code, out, _ = call_process("demo", "--once")
    assert code == 0, out[-2000:]
    assert "Every room on the UCM is as the PMS meant it." in out
    lines = [line.strip() for line in out.splitlines()]
    moved = lines.index("guest 4708 moves from 108 to 310")
    assert lines[moved + 1 : moved + 3] == [
        "UCM< move 108 to 310: done", "phone 108: nobody is in, no voice messages"
    ]  # fmt: skip
    assert "1 voice message" in lines[moved + 3]
    assert any(line.endswith("done, but the answer is lost") for line in lines)
    assert "PMS> ... 32 records, one for each free room and each guest" in lines  # of the resync
    assert "charge number 1: booked (OK)" in lines
    assert "on the guests' bills, 1.70 EUR: every call is accounted for." in out
    assert "\x1b" not in out  # no terminal, no colours


def test_demo_over_a_pseudo_terminal():
    code, out, _ = call_process("demo", "--once", "--serial")
    assert code == 0, out[-2000:]


@pytest.mark.parametrize(
    "command",
    [[], ["demo"], ["run"], ["check-config"], ["doctor"], ["line"], ["line", "decode"],
     ["line", "detect"], ["line", "send"], ["simulate"],
     ["simulate", "pms"], ["simulate", "ucm"], ["version"]],
)  # fmt: skip
def test_every_command_has_a_help_text(command):
    code, out, _ = call_process(*command, "-h")
    assert code == 0
    assert "Usage" in out


@pytest.mark.parametrize(
    "arguments", [[], ["line"], ["nonsense"], ["run", "--nonsense"], ["check-config"]]
)
def test_wrong_use_is_exit_2(arguments):
    assert call_process(*arguments)[0] == 2


def test_check_config_tells_every_mistake_and_exits_2(tmp_path):
    assert call_process("check-config", str(GOOD))[:2] == (0, f"{GOOD}: ok\n")
    bad = tmp_path / "bad.toml"
    bad.write_text(
        GOOD.read_text().replace("9600,8n1", "9601").replace("retries = 5", "retries = -5")
    )
    code, out, _ = call_process("check-config", str(bad))
    assert (code, len(out.splitlines())) == (2, 2)
    code, out, _ = call_process("check-config", str(bad), "--json")
    assert (code, len(json.loads(out)["mistakes"])) == (2, 2)
    assert call_process("run", "--config", str(bad))[0] == 2
    assert call_process("run", env={"PMSGW_CONFIG": str(bad)})[0] == 2


def test_decode_explains_an_argument_stdin_and_a_file(tmp_path):
    code, out, _ = call("line", "decode", "GI|RN0204|G#4711|GNO'Hara, Liam|GSN|")
    assert code == 0
    assert out.startswith("GI       guest ")
    assert re.search(r"RN  0204 +room number", out)
    code, out, _ = call(
        "line", "decode", "-", stdin=b"\x02RE|RN108|MLN|\x03\x02\x06\x02RE|RN108|MLN|\x03\x01"
    )
    assert code == 1
    assert [line.split()[0] for line in out.splitlines() if not line.startswith(" ")] == [
        "RE",
        "ACK",
        "lrc",
    ]
    transcript = Path(__file__, "../../data/lines/serial-comes-up.line").resolve()
    code, out, _ = call("line", "decode", "--json", str(transcript))
    names = [each["name"] for each in json.loads(out)]
    assert code == 0
    assert names[:4] == ["ENQ", "NAK", "LS", "ACK"]
    code, out, _ = call(
        "line", "decode", "--encoding", "cp850", "-", stdin=b"GI|RN1|GNM\x81ller|\n"
    )
    assert "Müller" in out
    assert call("line", "decode", "no-such-file")[0] == 2
    assert call("line", "decode", "--encoding", "klingon", "LS|")[0] == 2


def test_version_is_printed():
    assert call_process("version")[1].startswith("pms-gateway 0.")
