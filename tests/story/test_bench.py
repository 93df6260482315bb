"""A technician at the line: listens, captures, explains, plays it again."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
import tty

import pytest

from gateway.cli import captures, watch
from gateway.scope.profile import LineProfile
from gateway.tools import watch as sources
from gateway.tools.capture_file import CaptureFile
from gateway.tools.replay import bodies as bodies_of
from protocols.fias.framing import write_frame
from protocols.transcript import Remarked, Settings, parse, show_bytes
from tests.program import call, free_port, get, running, simulated, site, wait_for

assert site  # the fixture is used by its name
assert captures
assert watch
assert sources
assert CaptureFile
DAY = "GI|RN101|G#1|GNRossi|GSN|\nGI|RN909|G#2|GNMeyer|GSN|\nGO|RN101|G#1|GSN|\n"


@pytest.fixture
def spoken(site, tmp_path):
    """A service that has heard a short day, and goes on."""
    config, pms_port, http, url = site
    script = tmp_path / "day.txt"
    script.write_text(DAY)
    with running("run", "--config", str(config)) as service:
        with running("simulate", "pms", "--line", f"listen:127.0.0.1:{pms_port}", "--script", str(script),
                     "--every", "0.01") as pms:  # fmt: skip
            wait_for(lambda: 'event="check_out"} 1.0' in get(http, "/metrics"))
            assert pms.wait(15) == 0
        yield config, service, url


def test_a_technician_sees_the_line_of_the_running_service(spoken, tmp_path):
    config, service, _ = spoken
    site = ("--config", str(config))
    assert call("line", "remark", "pulled", "the plug", *site)[0] == 0
    code, out, _ = call("line", "listen", "--for", "2", *site)
    assert code == 0
    assert "pms> GI" in out
    assert "<STX>GI|RN101|G#1|GNXxxxx|GSN|<ETX>" in out
    assert "pulled the plug" in out
    assert "Rossi" not in out
    assert "47 49 7C 52" in call("line", "listen", "--for", "2", "--hex", *site)[1]
    out = call("line", "listen", "--for", "2", "--json", "--names", *site)[1]
    rows = [json.loads(line) for line in out.splitlines()]
    assert "GNRossi" in next(row["text"] for row in rows if row["name"] == "GI")

    # Captures: what was kept, by conditions, in three forms; guests only when asked for.
    path = tmp_path / "a.line"
    wait_for(
        lambda: (
            call("line", "capture", "-o", str(path), *site)[0] == 0 and "GO|" in path.read_text()
        )
    )
    steps = parse(path.read_text())
    assert isinstance(steps[0], Settings)
    assert Remarked("pulled the plug", at=steps[-1].at) in steps or any(
        isinstance(step, Remarked) for step in steps
    )
    assert "Rossi" not in path.read_text()
    assert "Rossi" in call("line", "capture", "--names", *site)[1]
    assert "GO|" in call("line", "capture", "guests", *site)[1]  # named, and it ends all the same
    part = call("line", "capture", "--start-on", "text:GO|RN101", "--before", "0", *site)[1]
    assert "<STX>GO|RN101" in part
    assert "<STX>LD|" not in part
    pcap = tmp_path / "a.pcapng"
    assert call("line", "capture", "-o", str(pcap), *site)[0] == 0
    assert pcap.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    out = call("line", "capture", "--format", "jsonl", *site)[1]
    assert all(json.loads(line) for line in out.splitlines())
    assert call("line", "capture", "--start-on", "full-moon", *site)[0] == 2
    assert call("line", "capture", "--format", "doc", *site)[0] == 2

    # Without the service its files are still there; a comment needs it.
    service.terminate()
    assert service.wait(15) == 0
    code, out, err = call("line", "listen", "--history", "600", *site)
    assert (code, "no service runs" in err, "pms> GI" in out) == (0, True, True)
    code, _, err = call("line", "remark", "too late", *site)
    assert (code, "no service runs" in err) == (1, True)


def test_a_capture_through_a_whole_gateway_tells_what_would_have_happened(spoken, tmp_path):
    config, _, _ = spoken
    path = tmp_path / "a.line"
    wait_for(
        lambda: (
            call("line", "capture", "--names", "-o", str(path), "--config", str(config))[0] == 0
            and "GO|" in path.read_text()
        )
    )
    code, out, err = call(
        "line", "replay", str(path), "--to", "gateway", "--config", str(config), "--json"
    )
    assert code == 0, err
    told = [
        (each["record"].split("|")[0], [c.split()[0] for c in each["calls"]])
        for each in json.loads(out)
    ]
    assert told == [("GI", ["checkin"]), ("GI", ["checkin"]), ("GO", ["checkout"])]
    assert "Rossi" not in out
    out = call("line", "replay", str(path), "--to", "gateway", "--names")[1]
    assert "lastname=Rossi" in out
    assert "pms> GI" in call("line", "replay", str(path))[1]


def test_a_capture_as_a_pms_on_a_line(site, tmp_path):
    config, pms_port, http, url = site
    path = tmp_path / "day.line"
    path.write_text(
        "line tcp:a:1 lrc=off ack=off charset=cp1252\n"
        "10:00:00 pms> <STX>LS|DA260314|TI100000|<ETX>\n10:00:01 pms> <STX>LA|DA260314|TI100001|<ETX>\n"
        "10:00:02 pms> <STX>GI|RN101|G#1|GNRossi|GSN|<ETX>\n"
    )
    with running("run", "--config", str(config)):
        wait_for(lambda: get(http, "/healthz"))
        code, out, err = call(
            "line", "replay", str(path), "--to", f"listen:127.0.0.1:{pms_port}", "--speed", "4"
        )
        assert code == 0, err
        assert "gw > <STX>LD|" in out
        assert "GNXxxxx" in out
        wait_for(lambda: simulated(url, "/_sim/rooms")["101"]["is_in"])
    code, _, err = call("line", "replay", str(path), "--to", "tcp:10.0.0.5:5010")
    assert (code, "say --live" in err) == (2, True)
    code, _, err = call("line", "replay", str(path), "--to", "nowhere")
    assert (code, "expected decoder" in err) == (2, True)
    code, _, err = call("line", "replay", str(tmp_path / "none"))
    assert (code, "No such file" in err) == (2, True)
    code, _, err = call("line", "replay", str(path), "--to", f"tcp:127.0.0.1:{free_port()}")
    assert code == 1


def test_what_is_wrong_is_said_in_words(site, tmp_path):
    bad = tmp_path / "bad.line"
    frame = write_frame(b"GI|RN101|GNRossi|", lrc=False)[1:-1].decode()
    lines = ["line serial:/dev/ttyUSB0,9600,8n1 lrc=on ack=on charset=cp1252"]
    for second in range(10):
        lines += [f"10:00:{second:02} pms> <STX>{frame}<ETX>", f"10:00:{second:02}.9 gw > <NAK>"]
    bad.write_text("\n".join(lines))
    code, out, _ = call("line", "explain", str(bad))
    assert code == 1
    assert "lrc = false" in out
    assert "Rossi" not in out
    told = json.loads(call("line", "explain", str(bad), "--json")[1])
    assert told[0]["evidence"]
    code, _, err = call("line", "explain", "--config", str(site[0]))
    assert (code, "nothing was kept" in err) == (1, True)


def test_a_port_of_our_own_and_a_tap(tmp_path):
    ends = [pty.openpty() for _ in range(2)]
    for _, slave in ends:
        tty.setraw(slave)
    names = [os.ttyname(slave) for _, slave in ends]
    frame = write_frame(b"GI|RN101|GNRossi|", lrc=True)
    code, _, err = call("line", "listen", names[0], "--for", "0.2")
    assert (code, err.endswith("error counters: not available, handshake lines: not available\n")) == (
        0, True
    )  # fmt: skip
    with running("line", "listen", "--tap", *names, "--for", "3") as listening:
        wait_for(lambda: "settings" in listening.stdout.readline())
        listening.stdout.readline()  # open
        os.write(ends[0][0], frame)
        os.write(ends[1][0], b"\x06")
        assert listening.wait(20) == 0
        told = listening.stdout.read()
    assert "pms> GI        ACK" in told
    assert "GNXxxxx" in told
    code, out, err = call("line", "capture", names[0], "--for", "0.3")
    assert (code, "line serial:" in out) == (0, True), err
    for pair in ends:
        for descriptor in pair:
            os.close(descriptor)
    code, _, err = call("line", "listen", "/dev/no-such-port")
    assert (code, "no such device" in err) == (1, True)
    assert call("line", "listen", "carrier-pigeon:1")[0] == 2


def test_a_live_capture_is_on_disk_while_it_goes_on_and_ends_by_what_happens(site, tmp_path):
    config, _, http, _ = site
    where = ("--config", str(config))
    assert call("line", "capture", "--live", *where)[0] == 1  # nothing will come
    assert call("line", "capture", "-o", str(tmp_path / "no" / "x.line"), *where)[0] == 2
    path, ended = tmp_path / "a.line", tmp_path / "b.line"
    with running("run", "--config", str(config)) as service:
        wait_for(lambda: get(http, "/healthz"))
        with running("line", "capture", "--live", "-o", str(path), *where) as closed, running(
            "line", "capture", "--live", "-o", str(ended), "--stop-on", "text:enough", "--after", "1", *where
        ) as stopped:  # fmt: skip
            wait_for(lambda: path.exists() and ended.exists())
            wait_for(
                lambda: (
                    call("line", "remark", "it is enough", *where)[0] == 0
                    and "enough" in path.read_text()
                )
            )
            assert stopped.wait(10) == 0  # although nothing more was said
            assert "enough" in ended.read_text()
            call("line", "remark", "the window is closed", *where)
            time.sleep(1)
            closed.send_signal(signal.SIGHUP)
            assert closed.wait(10) == 0
            assert "the window is closed" in path.read_text()
        with running("line", "listen", *where) as listening:
            assert any("the window is closed" in line for line in listening.stdout)  # it is there
            service.terminate()
            assert listening.wait(15) == 1
            assert "the service has stopped" in listening.stdout.read()


@pytest.mark.parametrize("code", [signal.SIGTERM, signal.SIGHUP])
def test_a_job_in_the_background_ends_when_it_is_told_to(site, tmp_path, code):
    """A shell gives it a SIGINT that is ignored."""
    config, _, http, _ = site
    path = tmp_path / "a.line"
    command = (
        sys.executable,
        "-m",
        "gateway",
        "line",
        "capture",
        "--live",
        "-o",
        str(path),
        "--config",
        str(config),
    )
    with running("run", "--config", str(config)):
        wait_for(lambda: get(http, "/healthz"))
        with subprocess.Popen(["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]) as job:
            wait_for(path.exists)
            call("line", "remark", "it writes", "--config", str(config))
            wait_for(lambda: "it writes" in path.read_text())
            job.send_signal(code)
            assert job.wait(10) == 0


def test_who_reads_the_output_may_stop_reading(spoken):
    config, _, _ = spoken
    command = f"{sys.executable} -m gateway line listen --for 2 --config {config} | head -1"
    ran = subprocess.run(
        ["sh", "-c", command], check=False, capture_output=True, text=True, timeout=30
    )
    assert "Traceback" not in ran.stderr


def test_a_check_byte_that_looks_like_a_beginning_is_replayed(tmp_path):
    bodies = [
        b"GI|RN101|G#%d|GSN|GN%s|" % (number, name)
        for number in range(100)
        for name in (b"Ab", b"A", b"b", b"1")
    ]
    frames = [write_frame(body, lrc=True) for body in bodies]
    odd = [frame for frame in frames if frame[-1] in (2, 3, 5, 6)]
    assert len({frame[-1] for frame in odd}) == 4
    text = "line serial:/dev/ttyUSB0,9600,8n1 lrc=on ack=on charset=cp1252\n"
    text += "".join(f"pms> {show_bytes(frame)}\ngw > <ACK>\n" for frame in odd)
    assert [body for _, body in bodies_of(parse(text), LineProfile("serial:x"))] == [
        body for body, frame in zip(bodies, frames, strict=True) if frame in odd
    ]  # fmt: skip
