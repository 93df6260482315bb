"""Lines, frames and hotels to be explained."""

from pathlib import Path

from gateway.scope.profile import LineProfile
from protocols.fias.framing import write_frame
from protocols.transcript import (
    parse,
    show_bytes,
)

DATA = Path(__file__, "../../../../data").resolve()
SERIAL_LINE = "line serial:/dev/ttyUSB0,9600,8n1 lrc=on ack=on charset=cp1252"
SERIAL = LineProfile("serial:/dev/ttyUSB0,9600,8n1")
TCP = LineProfile("tcp:10.0.0.5:5010", lrc=False, ack=False)


def steps_of(name):
    return parse((DATA / "faults" / name).read_text(encoding="utf-8"))


def codes(findings):
    return [each.fault for each in findings]


def frame(body, profile):
    return show_bytes(write_frame(body.encode(), lrc=profile.lrc))
