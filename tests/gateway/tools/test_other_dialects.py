"""The bench speaks every dialect: send as either side, and a capture played again."""

import asyncio

import pytest

from gateway import logs
from gateway.clock import Clock
from gateway.line import SerialSpec
from gateway.scope.profile import LineProfile
from gateway.simulators.cable import PtyOpener
from gateway.simulators.mitel_pms import MitelPms
from gateway.tools import menu, send
from gateway.tools.peers import AsPbx
from gateway.tools.replay import through_gateway
from gateway.tools.shown import ShownOpener
from protocols.dialects import DIALECTS
from protocols.transcript import parse
from tests.gateway.tools.test_send import beside

logs.set_up(quiet=True)
MITEL = LineProfile(lrc=False, ack=True, protocol="mitel")


def part(path, **how):
    return send.Part(**{
        "spec": SerialSpec(path), "profile": MITEL, "as_pms": True, "raw": False,
        "names": False, "within_s": 10.0, **how,
    })  # fmt: skip


@pytest.mark.asyncio
async def test_a_pms_of_messages_says_them_and_is_shown():
    opener, shown = PtyOpener(), []
    tap = ShownOpener(opener, lambda _: None, MITEL, as_pms=False, names=True)
    texts = ["CHK1   101", "NAM1 ROSSI,ANNA             101"]
    said = await beside(
        AsPbx(tap, MITEL, Clock(None)), send.send(part(opener.path), texts, shown.append)
    )
    assert said
    assert "pms> <ENQ>" in shown
    assert "pms> <STX>CHK1   101<ETX>" in shown
    assert "pms> <STX>NAM1 XXXXX,XXXX             101<ETX>" in shown  # no guest unless asked for
    assert shown.count("gw > <ACK>") == 4


@pytest.mark.asyncio
async def test_the_other_side_says_what_a_maid_keyed():
    opener = PtyOpener()
    pms = MitelPms(opener=opener, answer_s=1.0)
    shown = []
    said = asyncio.create_task(
        send.send(part(opener.path, as_pms=False), ["STS3 101"], shown.append)
    )
    playing = asyncio.create_task(pms.run())
    await asyncio.sleep(0.3)
    pms.say("AREYUTHERE")  # the link is up once it has spoken
    assert await said
    playing.cancel()
    assert pms.heard == ["STS3 101"]


def test_what_is_no_message_is_said_to_be_so_before_the_line_is_opened():
    with pytest.raises(ValueError, match="grammar"):
        send.check(part("/dev/null"), ["GI|RN101|"])
    with pytest.raises(ValueError, match="nobody here plays"):
        send.check(part("/dev/null", profile=LineProfile(protocol="hobic")), [])


def test_every_sample_of_every_dialect_is_a_record():
    answers = {name: default for name, (_, default) in menu.QUESTIONS.items()}
    for name, dialect in DIALECTS.items():
        for entry in (*dialect.of_pms, *dialect.of_pbx):
            for text in menu.fill(entry, answers, Clock(None).stamp()):
                if not text.startswith("<"):
                    assert dialect.record(text.encode(), "cp1252"), (name, text)


@pytest.mark.asyncio
async def test_a_capture_of_messages_is_played_through_a_whole_gateway(tmp_path):
    steps = parse("""
        pms> <ENQ>
        gw > <ACK>
        pms> <STX>CHK1   101<ETX>
        gw > <ACK>
        pms> <ENQ>
        gw > <ACK>
        pms> <STX>NAM1 ROSSI,ANNA             101<ETX>
        gw > <ACK>
        pms> <STX>CHK0   101<ETX>
        gw > <ACK>
    """)
    found = [each async for each in through_gateway(steps, MITEL, tmp_path, config=None)]
    assert [each.record for each in found] == [
        "CHK1   101", "NAM1 XXXXX,XXXX             101", "CHK0   101",
    ]  # fmt: skip
    calls = [call.split()[0] for each in found for call in each.calls]
    assert calls == ["checkin", "checkout"] or calls == ["checkin", "update", "checkout"]
    assert found[-1].left == 0
