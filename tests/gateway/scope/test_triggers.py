"""A capture that begins and ends by what happens on the line."""

import pytest

from gateway.scope.profile import LineProfile
from gateway.scope.triggers import Gate, condition
from protocols.fias.framing import write_frame
from protocols.transcript import Remarked, Settings, parse, show_bytes

SERIAL = LineProfile("serial:/dev/ttyUSB0,9600,8n1")


def frame(body):
    return show_bytes(write_frame(body.encode(), lrc=True))


LINE = f"""
09:59:00 line serial:/dev/ttyUSB0,9600,8n1 lrc=on ack=on charset=cp1252
09:59:01 pms> {frame("LA|N1|")}
09:59:01.1 gw > <ACK>
10:00:00 pms> {frame("GI|RN101|GNRossi|")}
10:00:00.1 gw > <ACK>
10:00:10 pms> {frame("GI|RN102|GNMeyer|")}
10:00:10.1 gw > <NAK>
10:00:12 pms> {frame("GI|RN102|GNMeyer|")}
10:00:12.1 gw > <ACK>
10:00:14 pms> {frame("GO|RN103|")}
10:00:14.1 gw > <ACK>
10:00:40 pms> {frame("GO|RN104|")}
10:00:40.1 gw > <ACK>
"""


def caught(**conditions):
    gate = Gate(
        SERIAL, **{key: condition(v) if isinstance(v, str) else v for key, v in conditions.items()}
    )
    return [out.line_number for step in parse(LINE) for out in gate.take(step)], gate


def test_without_conditions_everything_is_caught():
    assert caught()[0] == list(range(2, 15))


def test_it_begins_with_what_came_shortly_before_and_with_how_the_line_is_spoken():
    lines, gate = caught(start="nak", before_s=15)
    assert lines == [2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert not gate.is_over


def test_it_ends_shortly_after_its_end():
    lines, gate = caught(start="nak", stop="text:GO|", before_s=1, after_s=1)
    assert lines == [2, 7, 8, 9, 10, 11, 12]
    assert gate.is_over


def test_what_began_it_does_not_end_it():
    lines, gate = caught(start="nak", stop="nak", before_s=0)
    assert lines == [2, 8, 9, 10, 11, 12, 13, 14]
    assert not gate.is_over


def test_what_never_happens_catches_nothing():
    assert caught(start="lrc")[0] == []


@pytest.mark.parametrize(
    ("trigger", "line"),
    [("timeout", f"10:00:00 pms> {frame('LA|')}\n10:00:03 pms> <ENQ>\n10:00:03.1 gw > <ACK>"),
     ("timeout", f"10:00:00 pms> {frame('LA|')}\n10:01:00 # nothing came"),
     ("lrc", "10:00:00 pms> <STX>LA|<ETX>x\n10:00:00 gw > <NAK>"),
     ("noise", "10:00:00 pms> zzzz\n10:00:03 pms> <ENQ>"),
     ("errors", "10:00:00 errors framing+2"), ("close", "10:00:00 close gone"),
     ("text:Rossi", f"10:00:00 pms> {frame('GI|RN1|GNRossi|')}\n10:00:00 gw > <ACK>"),
     ("text:plug", "10:00:00 # pulled the plug")],
)  # fmt: skip
def test_each_trigger_fires(trigger, line):
    gate = Gate(SERIAL, condition(trigger))
    assert [out for step in parse(line) for out in gate.take(step)], trigger
    calm = Gate(SERIAL, condition(trigger))
    text = f"10:00:00 pms> {frame('GI|RN101|')}\n10:00:01 gw > <ACK>\nopen\n"
    assert not [out for step in parse(text) for out in calm.take(step)], trigger


@pytest.mark.parametrize("text", ["", "nothing", "text:", "text", "NAK"])
def test_an_unknown_trigger_says_what_is_allowed(text):
    with pytest.raises(ValueError, match="expected nak, timeout"):
        condition(text)


def test_steps_without_moments_pass_too():
    gate = Gate(SERIAL, condition("text:x"))
    assert list(gate.take(Settings("a"))) == []
    assert list(gate.take(Remarked("y"))) == []
    assert list(gate.take(Remarked("x"))) == [Settings("a"), Remarked("y"), Remarked("x")]
