"""Notes on frames, check bytes and answers."""

import re
from typing import Final

from gateway.scope.explain.marks import SINCE_GOOD, Mark
from gateway.scope.explain.notes.turns import note_turn
from gateway.scope.explain.sight import Sight
from gateway.scope.explain.values import Speech
from gateway.scope.rows import Row
from protocols.checksums import lrc
from protocols.dialects import DIALECTS
from protocols.fias.controls import MAX_ENQUIRIES
from protocols.stream import ACK, ENQ, ETX, NAK, STX

SLOW_S: Final = 2.0
"""An answer is due within T1, 3 s: from here on a busy minute is enough to miss it."""

_ECHO_BYTES: Final = 6
_UNECHOED: Final = 2
_FRAME: Final = re.compile(rb"\x02([^\x02\x03]{3,})")
_NEXT_BYTES: Final = frozenset({STX, ACK, NAK, ENQ, 0x0D, 0x0A})
"""What follows ETX where no check byte does: whatever is said next, or a line end."""

_VARIANTS: Final = {
    0x03: Mark.CHECK_WITHOUT_ETX,
    0x02: Mark.CHECK_WITH_STX,
    0x01: Mark.CHECK_SHIFTED,
    0xFF: Mark.CHECK_INVERTED,
}
"""How the check byte differs from the right one, by what was counted in or left out."""

_REFUSED: Final = {
    "unfinished": Mark.CUT_SHORT,
    "restarted": Mark.CUT_SHORT,
    "overlong": Mark.OVERLONG,
}
_ANSWERED: Final = {"ack": Mark.PMS_ACK, "nak": Mark.PMS_NAK, "silence": Mark.PMS_SILENT}
_TEXT: Final = bytes(range(0x20, 0x7F)) + b"\r\n\t\x0c"
_FLOW: Final = b"\x11\x13"


def note_frames(sight: Sight, row: Row) -> None:
    """What this row says of the frames and answers of the line."""
    if not row.from_pms:
        _note_ours(sight, row)
        return
    _note_dialect(sight, row)
    if sight.speech is Speech.TURNS:
        note_turn(sight, row)
    elif row.kind == "control":
        _note_control(sight, row)
    if row.kind == "record" or (row.decoded and row.decoded.name in ("empty", "grammar")):
        _note_good(sight, row)
    elif row.kind == "refused":
        _note_refused(sight, row)


def _note_dialect(sight: Sight, row: Row) -> None:
    """Whether the frame is of another dialect."""
    frame = _FRAME.search(row.data) if row.kind == "refused" or row.decoded is None else None
    if frame is None:
        return
    for name, dialect in DIALECTS.items():
        if name != sight.profile.protocol and dialect.recognises(frame[1]):
            sight.frames.other = name
            sight.note(Mark.OTHER_DIALECT, row)


def _note_ours(sight: Sight, row: Row) -> None:
    if sight.speech is Speech.TURNS and row.data == bytes([ENQ]):
        sight.note(Mark.OUR_ENQ, row)
    if row.kind != "record":
        return
    sight.note(Mark.SAID, row)
    sight.port.unechoed += 1
    if sight.port.unechoed > _UNECHOED:  # two LS of one second: a plug would return all of it
        sight.tally.forget([Mark.ECHO])
    if row.answer in _ANSWERED:
        sight.note(_ANSWERED[row.answer], row)
    if row.answer in ("ack", "nak"):
        sight.tally.forget([Mark.PMS_ASKED])
    if row.answer == "ack":
        sight.tally.forget([Mark.PMS_NAK_RUN])
    elif row.answer == "nak":
        sight.note(Mark.PMS_NAK_RUN, row)
    is_slow = row.latency_s is not None and row.latency_s >= SLOW_S
    if row.answer == "ack" and (is_slow or row.enquiries):
        sight.note(Mark.PMS_SLOW, row)


def _note_control(sight: Sight, row: Row) -> None:
    is_check = sight.frames.last_check is not None and row.data == bytes([sight.frames.last_check])
    if not sight.profile.lrc and is_check:
        sight.note(Mark.CHECK_UNWANTED, row)
    elif not sight.profile.ack:
        sight.note(Mark.PMS_STRAY, row)
    elif row.data == bytes([ENQ]) and sight.frames.is_answered:
        sight.note(Mark.PMS_ASKED, row)
        sight.frames.asked += 1
    elif row.data == bytes([ENQ]):
        sight.note(Mark.PMS_ENQ, row)
    sight.frames.last_check = None


def _note_good(sight: Sight, row: Row) -> None:
    if row.kind == "record":
        sight.tally.forget(SINCE_GOOD)
    sight.note(Mark.GOOD, row)
    body = body_of(sight, row)
    frames = sight.frames
    if frames.last_check is not None:
        sight.tally.forget([Mark.CHECK_UNWANTED])  # the frame before had none
    if frames.asked < MAX_ENQUIRIES:
        sight.tally.forget([Mark.PMS_ASKED])  # it goes on before it must: it has heard us
    frames.last_check, frames.asked = lrc(body) ^ ETX, 0
    frames.is_answered = row.answer in ("ack", "nak")
    _note_echo(sight, row)
    _note_flow(sight, row, body)
    if row.answer == "ack":
        sight.note(Mark.OUR_ACK)
    if row.answer == "ack" and row.latency_s is not None and row.latency_s >= SLOW_S:
        sight.note(Mark.OUR_SLOW, row)
    if row.answer == "nak":
        sight.note(Mark.OUR_NAK, row)


def body_of(sight: Sight, row: Row) -> bytes:
    """What stands between STX and ETX of a good frame."""
    return row.data[row.data.find(STX) + 1 : len(row.data) - 1 - sight.profile.lrc]


def _note_refused(sight: Sight, row: Row) -> None:
    reason = row.decoded.name if row.decoded else ""
    _note_echo(sight, row)
    _note_flow(sight, row, row.data)
    if reason == "garbage":
        _note_garbage(sight, row)
        return
    sight.note(Mark.BAD, row)
    sight.frames.is_answered = False
    if reason in _REFUSED:
        sight.note(_REFUSED[reason], row)
    elif reason in ("lrc", "no_lrc"):
        _note_bad_check(sight, row)
    sight.frames.last_check = None


def _note_bad_check(sight: Sight, row: Row) -> None:
    sight.note(Mark.BAD_CHECK, row)
    body, etx, check = row.data[1:].partition(bytes([ETX]))
    if not check or check[0] in _NEXT_BYTES:
        sight.note(Mark.CHECK_MISSING, row)
        return
    difference = check[0] ^ lrc(body + etx)
    sight.note(_VARIANTS.get(difference, Mark.CHECK_WRONG), row)


def _note_garbage(sight: Sight, row: Row) -> None:
    check, sight.frames.last_check = sight.frames.last_check, None
    sight.note(Mark.GARBAGE, row)
    sight.frames.is_answered = False  # an ENQ behind it asks about these bytes
    if check is not None and not sight.profile.lrc and row.data[:1] == bytes([check]):
        sight.note(Mark.CHECK_UNWANTED, row)
    elif row.data.translate(None, _TEXT + _FLOW):
        sight.note(Mark.NOISE, row)


def _note_echo(sight: Sight, row: Row) -> None:
    # Two that say LA in the same second say the same.
    if row.decoded is not None and row.decoded.name == "LA":
        return
    if row.kind == "record" and len(row.data) >= _ECHO_BYTES and row.data in sight.port.sent:
        sight.note(Mark.ECHO, row)
        sight.port.unechoed = 0
    elif row.kind == "record" or STX in row.data:
        sight.tally.forget([Mark.ECHO])


def _note_flow(sight: Sight, row: Row, data: bytes) -> None:
    sight.note(Mark.FLOW_CONTROL, row, len(data) - len(data.translate(None, _FLOW)))
