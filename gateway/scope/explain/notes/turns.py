"""Notes on who asks for a turn with ENQ, who gets it, and what is said in it."""

from typing import Final

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight
from gateway.scope.rows import Row
from protocols.stream import ENQ

TURN_S: Final = 6.0
"""Within 3 s an ENQ is answered, and within 3 s more the message is there."""


def note_turn(sight: Sight, row: Row) -> None:
    """What this row of the PMS says of turns."""
    if row.data != bytes([ENQ]):
        sight.tally.forget([Mark.OUR_ENQ])  # it answers, or speaks itself: it is there
    if row.kind == "control" and row.data == bytes([ENQ]):
        sight.note(Mark.PMS_ENQ, row)
        sight.frames.asked_at = sight.now
    elif row.kind == "record":
        asked_at, sight.frames.asked_at = sight.frames.asked_at, None
        if asked_at is not None and sight.now - asked_at > TURN_S:
            sight.note(Mark.ENQ_ALONE, row)
        elif asked_at is None:
            sight.note(Mark.UNASKED, row)
