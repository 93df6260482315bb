"""An operator at the keyboard: what is parked and why, tried again, given up; who is where; a resync."""

import json

from gateway.web import control
from tests.program import call, get, running, simulated, site, wait_for

assert site  # the fixture is used by its name


def listed(config, *arguments):
    """What a command lists."""
    code, out, err = call(*arguments, "--json", "--config", str(config))
    assert code in (0, 1), err
    return json.loads(out)


def test_an_operator_sees_mends_and_repairs(site, tmp_path):
    config, pms_port, http, url = site
    script = tmp_path / "day.txt"
    script.write_text(
        "GI|RN909|G#1|GNRossi|GSN|\nGI|RN101|G#2|GNMeyer|GSN|\nGI|RN908|G#3|GNSato|GSN|\n"
    )
    with running("run", "--config", str(config)) as service:
        wait_for(lambda: get(http, "/healthz"))
        with running("simulate", "pms", "--line", f"listen:127.0.0.1:{pms_port}", "--script", str(script),
                     "--every", "0.01") as pms:  # fmt: skip
            wait_for(lambda: len(listed(config, "outbox", "list", "--state", "parked")) == 2)
            assert pms.wait(10) == 0

        # What stands still, why, and what to do.
        parked = {each["room"]: each for each in listed(config, "outbox", "list")}
        assert parked.keys() == {"908", "909"}
        assert (parked["909"]["next_call"], parked["909"]["state"]) == ("check-in of 909", "parked")
        assert "GNRossi" in parked["909"]["record"]
        assert parked["909"]["reason"].startswith("18: the UCM has no such room: add it there")
        # A room may be called anything: a service answers, and has never heard of it.
        for room in ("Suite 1", "Café", "P#1", "A&B"):
            assert listed(config, "outbox", "list", "--room", room) == []
        code, out, err = call("outbox", "list", "--config", str(config))
        assert (code, len(out.splitlines()), "2 rooms" in err) == (0, 3, True)
        code, out, _ = call("outbox", "show", "909", "--config", str(config))
        assert code == 0
        assert "outbox retry 909" in out

        # Mend the cause and put it back; give the other one up.
        simulated(url, "/_sim/rooms", {"add": ["909"]})
        code, out, _ = call("outbox", "retry", "909", "--config", str(config))
        assert (code, out) == (0, "909 is told again; now it is told\n")
        code, out, _ = call("outbox", "retry", "908", "--config", str(config))
        assert out.startswith("908 is told again; now it is parked: 18: the UCM has no such room")
        assert code == 1
        wait_for(lambda: simulated(url, "/_sim/rooms")["909"]["is_in"])
        assert call("outbox", "drop", "908", "--config", str(config))[0] == 0
        code, _, err = call("outbox", "drop", "908", "--config", str(config))
        assert (code, "is dropped: there is nothing to drop" in err) == (1, True)
        code, _, err = call("outbox", "retry", "101", "--config", str(config))
        assert (code, "is told: only a refused room can be tried again" in err) == (1, True)
        code, _, err = call("outbox", "show", "999", "--config", str(config))
        assert (code, "nothing was ever heard of room 999" in err) == (1, True)
        assert listed(config, "outbox", "list") == []
        states = {
            each["room"]: each["state"]
            for each in listed(config, "outbox", "list", "--state", "all")
        }
        assert states["908"] == "dropped"
        assert {state for room, state in states.items() if room != "908"} == {"told"}
        shown = listed(config, "outbox", "show", "908")[0]
        assert [line["call"] for line in shown["journal"]] == [
            "check_in",
            "retry",
            "check_in",
            "drop",
        ]
        assert 'pmsgw_outbox_entries{lane="to_ucm",state="waiting"} 0.0' in get(http, "/metrics")
        assert 'pmsgw_outbox_entries{lane="to_ucm",state="parked"} 0.0' in get(http, "/metrics")

        # Who is where, and where the UCM thinks otherwise.
        rooms = {room["room"]: room for room in listed(config, "rooms")}
        assert rooms["101"]["guests"][0]["name"] == "Meyer"
        assert "2 Meyer" in call("rooms", "--config", str(config))[1]
        code, out, _ = call("rooms", "--diff", "--json", "--config", str(config))
        drifts = json.loads(out)
        assert code == 1
        assert [(drift["room"], drift["kind"]) for drift in drifts] == [("908", "unlisted")]
        assert "pmsgw_rooms_drifted 1.0" in get(http, "/metrics")

        # A resync needs the link.
        code, _, err = call("resync", "--config", str(config))
        assert (code, "once it is up" in err) == (1, True)
        with running("simulate", "pms", "--line", f"listen:127.0.0.1:{pms_port}", "--records", "0",
                     "--rooms", "101-103", "--every", "30"):  # fmt: skip
            wait_for(lambda: "pmsgw_link_up 1.0" in get(http, "/metrics"))
            code, out, _ = call("resync", "--wait", "--config", str(config))
            assert (code, out.splitlines()[-1]) == (
                0,
                "the PMS has told every room; other guests than before in no room",
            )
            wait_for(
                lambda: (
                    'pmsgw_records_total{direction="in",record="DE"} 1.0' in get(http, "/metrics")
                )
            )
        # The PMS is gone again, and what was kept of it looked right.
        wait_for(
            lambda: (
                "The line is not open now" in call("line", "explain", "--config", str(config))[1]
            )
        )
        code, _, err = call("rooms", "--diff", "--heal", "--config", str(config))
        assert (code, "give one of them" in err) == (2, True)
        service.terminate()
        assert service.wait(15) == 0

    # While nothing runs: reading only.
    assert not (tmp_path / "data" / control.SOCKET_NAME).exists()
    before = (tmp_path / "data" / "outbox.db").read_bytes()
    assert len(listed(config, "outbox", "list", "--state", "all")) >= 3
    assert {room["room"] for room in listed(config, "rooms")} >= {"101", "908", "909"}
    assert {drift["room"] for drift in listed(config, "rooms", "--diff")} >= {"908"}
    for words in (["outbox", "retry", "908"], ["outbox", "drop", "908"], ["resync"]):
        code, _, err = call(*words, "--config", str(config))
        assert (code, "start it first" in err) == (1, True)
    assert (tmp_path / "data" / "outbox.db").read_bytes() == before


def test_a_room_that_waits_for_an_absent_ucm_says_so(site):
    config, pms_port, http, url = site
    config.write_text(config.read_text().replace(url, "https://127.0.0.1:9/api"))
    with running("run", "--config", str(config)) as service:
        wait_for(lambda: get(http, "/healthz"))
        with running("simulate", "pms", "--line", f"listen:127.0.0.1:{pms_port}", "--records", "0",
                     "--rooms", "101-103", "--every", "30") as pms:  # fmt: skip
            wait_for(lambda: "pmsgw_link_up 1.0" in get(http, "/metrics"))
            assert call("resync", "--wait", "--config", str(config))[0] == 0
            pms.terminate()
        rows = listed(config, "outbox", "list")
        assert {row["room"] for row in rows} == {"101", "102", "103"}
        assert all(row["reason"].startswith("the UCM does not answer: ") for row in rows)
        code, out, _ = call("rooms", "--heal", "--config", str(config))
        assert (code, out.startswith("asked; the UCM does not answer now (")) == (0, True)
        service.terminate()
        assert service.wait(15) == 0


def test_wrong_use_is_told_from_failure(tmp_path):
    assert call("outbox", "list", "--config", str(tmp_path / "none.toml"))[0] == 2
    assert call("outbox", "retry")[0] == 2
    config = tmp_path / "gateway.toml"
    config.write_text(
        f'[site]\ndata_dir = "{tmp_path}/data"\n[pms]\nline = "tcp:127.0.0.1:9"\n[ucm]\n'
        'url = "http://127.0.0.1:9/api"\nusername = "u"\npassword = "p"\npms_username = "h"\n'
        'pms_password = "p"\ntls = "insecure"\n'
    )
    code, _, err = call("outbox", "list", "--state", "broken", "--config", str(config))
    assert (code, "expected waiting, parked, dropped, told or all" in err) == (2, True)
    code, _, err = call("rooms", "--config", str(config))
    assert (code, "has the service ever run" in err) == (1, True)
    code, _, err = call("check-config", str(config), "--config", str(tmp_path / "other.toml"))
    assert (code, "give one of them" in err) == (2, True)


def test_only_the_owner_may_ask(site, tmp_path):
    config, *_ = site
    with running("run", "--config", str(config)):
        socket = tmp_path / "data" / control.SOCKET_NAME
        wait_for(socket.exists)
        assert socket.stat().st_mode & 0o777 == 0o600
