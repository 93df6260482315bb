"""`line send`: one side of a conversation by hand, against the program and both simulators."""

import asyncio
import io
from datetime import datetime

import pytest
import serial
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.shared import records_of
from gateway.clock import Clock
from gateway.line import LineFailed, ListenSpec, SerialSpec, TcpSpec
from gateway.scope.profile import LineProfile
from gateway.simulators.cable import PtyOpener
from gateway.simulators.pms import PmsSimulator
from gateway.tools import menu, peers, send
from gateway.tools.peers import AsPbx, as_bytes
from gateway.tools.shown import ShownOpener
from protocols.dialects import DIALECTS
from protocols.samples import Sample
from tests.program import call, get, running, site, wait_for

assert site  # the fixture is used by its name
GUEST = "GI|RN101|G#1|GNRossi|GSN|"


@pytest.fixture(autouse=True)
def short_of_time(monkeypatch):
    monkeypatch.setattr(peers, "PACING_S", 0)


def part_of(path, **how):
    return send.Part(**{
        "spec": SerialSpec(path), "profile": LineProfile(), "as_pms": True, "raw": False,
        "names": False, "within_s": 10.0, **how,
    })  # fmt: skip


async def beside(other, doing):
    """Do something while the other side plays its part."""
    async with asyncio.TaskGroup() as group:
        playing = group.create_task(other.run())
        done = await doing
        await asyncio.sleep(0.2)  # a goodbye is on its way
        playing.cancel()
    return done


def pbx(opener, heard):
    """The gateway's own session at the other end of a cable."""
    tap = ShownOpener(opener, heard.append, LineProfile(), as_pms=False, names=True)
    return AsPbx(tap, LineProfile(), Clock(None))


@pytest.mark.asyncio
async def test_a_pms_says_its_records_and_shows_the_conversation():
    opener, heard, shown = PtyOpener(), [], []
    records = [GUEST, "GO|RN101|G#1|GSN|", "<ENQ>"]
    assert await beside(pbx(opener, heard), send.send(part_of(opener.path), records, shown.append))
    assert shown[0].startswith("pms> <STX>LS|DA")
    assert any(line.startswith("gw > <STX>LR|RIGI|FL") for line in shown)
    assert "pms> <STX>GI|RN101|G#1|GNXxxxx|GSN|<ETX>" in "\n".join(shown)  # a guest is masked
    assert "pms> <ENQ>" in shown
    place = next(place for place, line in enumerate(shown) if "GO|RN101" in line)
    assert "gw > <ACK>" in shown[place:]
    assert any("GNRossi" in line for line in heard)
    assert not [line for line in shown if line.startswith("#")]


@pytest.mark.asyncio
async def test_a_pbx_says_its_records_to_a_strict_pms():
    opener, shown, got = PtyOpener(), [], []
    pms = PmsSimulator(
        opener=opener, lrc=True, ack=True, every_room=lambda: [GUEST],
        on_record=lambda text, is_theirs: got.append(text) if is_theirs else None,
    )  # fmt: skip
    part = part_of(opener.path, as_pms=False, names=True)
    assert await beside(pms, send.send(part, ["DR|", "RE|RN101|RS3|"], shown.append))
    assert not pms.complaints
    assert "RE|RN101|RS3|" in got
    assert got[-1].startswith("LE|")  # it says goodbye, so the PMS keeps what comes later
    assert any("GNRossi" in line for line in shown if line.startswith("pms> "))
    with pytest.raises(ValueError, match="grammar"):
        send.check(part, ["nonsense"])


def test_the_gateway_hears_a_pms_from_the_bench(site):
    config, port, http, _ = site
    with running("run", "--config", str(config)):
        wait_for(lambda: get(http, "/metrics"))
        code, out, err = call(
            "line", "send", f"listen:127.0.0.1:{port}", "--as", "pms", GUEST, "GI|RN102|G#2|GNMeyer|GSN|"
        )  # fmt: skip
        assert code == 0, out + err
        assert "gw > <STX>LA|" in out
        assert "Rossi" not in out
        wait_for(lambda: 'pmsgw_rooms{state="occupied"} 2.0' in get(http, "/metrics"))
        code, _, err = call("line", "send", f"listen:127.0.0.1:{http}", "--as", "pms", GUEST)
        assert (code, "is another gateway running" in err) == (2, True)


@pytest.mark.asyncio
async def test_the_menu_asks_for_rooms_and_names_and_reads_a_pipe():
    opener, heard, shown, asked = PtyOpener(), [], [], []
    typed = io.StringIO(
        "3\n204\n7\nMeyer\n99\n\n5\n\n205\n\n\n<ACK>\nnonsense\nGO|RN205|G#7|\n10\n\n\n\nq\nGI|RN1|\n"
    )
    part = part_of(opener.path, names=True)
    doing = send.by_menu(part, shown.append, asked.append, typed)
    assert await beside(pbx(opener, heard), doing)
    said = [line for line in shown if line.startswith("pms> ")]
    told = "\n".join(said)
    assert "<STX>GI|RN204|G#7|GNMeyer|GSN|<ETX>" in told
    assert "<STX>GC|RO204|GSN|RN205|GSN|G#7|GNMeyer|<ETX>" in told  # what was answered is kept
    assert "pms> <ACK>" in said
    assert "<STX>DS|DA" in told
    assert "GI|RN1|" not in told  # behind the q
    assert any("check in" in line for line in asked)
    assert "room [204]?" in asked
    assert "99: 1 to" in "\n".join(asked)


def test_every_entry_of_the_menus_can_be_said():
    now = datetime(2026, 3, 14, 10, 15)
    answers = {name: default for name, (_, default) in menu.QUESTIONS.items()}
    fias = DIALECTS["fias"]
    for as_pms, entries in ((True, fias.of_pms), (False, fias.of_pbx)):
        part = part_of("/dev/null", as_pms=as_pms)
        for entry in entries:
            texts = menu.fill(entry, answers, now)
            assert not any("{" in text for text in texts)
            send.check(part, texts)
    entry = Sample("", ("GI|RN{room}|GN{name}|",))
    assert menu.fill(entry, {"room": "1", "name": "A|GSY<ETX>"}, now) == ["GI|RN1|GNA GSY ETX>|"]


@pytest.mark.asyncio
async def test_raw_bytes_need_no_link():
    opener, heard, shown = PtyOpener(), [], []
    part = part_of(opener.path, raw=True)
    assert await beside(
        pbx(opener, heard), send.send(part, ["<ENQ>", "LS|DA260314|TI101459|"], shown.append)
    )
    assert shown[0] == "pms> <ENQ>"
    assert "gw > <NAK>" in shown
    assert as_bytes("<STX>LS|<ETX>", LineProfile()) == b"\x02LS|\x03"


@pytest.mark.asyncio
async def test_nobody_at_the_other_end_is_told_with_what_to_try():
    opener, shown = PtyOpener(), []
    line = await opener.open()
    for how in ({}, {"as_pms": False}):
        shown.clear()
        assert not await send.send(part_of(opener.path, within_s=0.5, **how), [GUEST], shown.append)
        assert "# the link did not come up within 0.5 s: do lrc and ack fit?" in shown
        assert "null modem" in shown[-1]
    shown.clear()
    assert not await send.send(part_of(opener.path, within_s=0.5, raw=True), [GUEST], shown.append)
    assert "# not acknowledged: GI" in shown
    await line.close()
    with pytest.raises(LineFailed, match="no peer dialled"):
        part = part_of("", spec=ListenSpec("127.0.0.1", 0), within_s=0.2)
        await send.send(part, [GUEST], shown.append)


@pytest.mark.parametrize(
    ("spec", "is_elsewhere"),
    [
        (SerialSpec("/dev/ttyS0"), False),
        (TcpSpec("127.0.0.1", 1), False),
        (TcpSpec("localhost", 1), False),
        (TcpSpec("192.0.2.9", 1), True),
        (ListenSpec("0.0.0.0", 1), True),
        (TcpSpec("pms.example", 1), True),
    ],
)
def test_another_machine_is_only_spoken_to_on_purpose(spec, is_elsewhere):
    assert send.is_elsewhere(spec) is is_elsewhere


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tcp:192.0.2.9:5010", "--as", "pms", "LS|"], "--live"),
        (["tcp:127.0.0.1:1", "LS|"], "say who we are"),
        (["tcp:127.0.0.1:1", "--loopback"], "tries a serial port"),
        (["serial:/dev/no-such-adapter", "--as", "pms", "LS|"], "is the adapter plugged in"),
        (["serial:/dev/no-such-adapter", "--as", "pbx", "--encoding", "klingon"], "--encoding"),
        (["serial:/dev/ttyS0", "--as", "pms", "<STX"], "lone '<'"),
        (["nonsense", "--as", "pms"], "expected serial:"),
        (["tcp:127.0.0.1:1", "--as", "pms", "--script", "no-such-file"], "no-such-file"),
    ],
)
def test_wrong_use_is_a_sentence_and_exit_2(arguments, sentence):
    done = CliRunner().invoke(app, ["line", "send", *arguments])
    assert (done.exit_code, sentence in done.stderr) == (2, True), done.stderr


def test_a_port_that_somebody_uses_is_refused(tmp_path):
    opener = PtyOpener()
    with serial.Serial(opener.path, exclusive=True):
        done = CliRunner().invoke(
            app, ["line", "send", f"serial:{opener.path}", "--as", "pms", "LS|"]
        )
    assert (done.exit_code, "another program has the port open" in done.stderr) == (2, True)


def test_a_script_is_said_line_by_line(tmp_path):
    script = tmp_path / "day.txt"
    script.write_text(f"# a guest\n{GUEST}\n\nGO|RN101|G#1|GSN|\n")
    assert records_of(script) == [GUEST, "GO|RN101|G#1|GSN|"]
