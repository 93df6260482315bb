"""ACK, NAK and ENQ: frames come and go, their answers do not."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault, row
from gateway.scope.explain.values import Confidence, Layer

row(
    "pms-never-answers", Layer.ANSWERS, "The PMS speaks, and none of our frames is acknowledged.",
    Mark.PMS_SILENT, at_least=2, confidence=Confidence.LIKELY, blocks=True,
    when=lambda sight: sight[Mark.GOOD] and not (sight[Mark.PMS_ACK] or sight[Mark.PMS_NAK]),
    words="The PMS sends records, and never ACK or NAK to ours: it does not use answers.",
    do="Set ack = false under [fias], or switch the handshake on at the PMS.",
)  # fmt: skip

row(
    "unwanted-answers", Layer.ANSWERS, "ACK, NAK or ENQ come on a line on which we use none.",
    Mark.PMS_STRAY, at_least=3, confidence=Confidence.LIKELY,
    when=lambda sight: not sight.profile.ack,
    words="The PMS sends ACK, NAK or ENQ and we do not answer: it may send everything again or "
    "drop it.",
    do="Set ack = true under [fias].",
)  # fmt: skip


@fault(
    "every-frame-refused", Layer.ANSWERS, "Every frame of ours gets NAK.", blocks=True,
)  # fmt: skip
def _every_frame_refused(sight: Sight) -> Told | None:
    # One record is sent four times; a fifth NAK is about another one.
    if sight[Mark.PMS_NAK_RUN] < (5 if sight[Mark.PMS_ACK] else 3):
        return None
    return Told(
        "The PMS refuses (NAK) every frame of ours: it expects another check byte or mode.",
        f"Compare the check byte with the PMS: try lrc = {str(not sight.profile.lrc).lower()} "
        "under [fias]; then parity and data bits in pms.line.",
        (Mark.PMS_NAK,),
    )


row(
    "slow-pms", Layer.ANSWERS, "The PMS acknowledges late, or only when asked.",
    Mark.PMS_SLOW, at_least=3,
    words="The PMS needs 2 s and more for its ACK, or must be asked for it; after 3 s an answer "
    "is late.",
    do="Look at the load of the PMS machine; raise record_pacing_ms under [fias] so that it has "
    "more time for each record.",
)  # fmt: skip

row(
    "same-record-again", Layer.ANSWERS, "The same record comes again and again within a minute.",
    Mark.REPEATED, at_least=3, confidence=Confidence.LIKELY,
    words="The PMS sends the same record again and again: it does not take our answer for one.",
    do="Check ack under [fias] and the wire of our sending direction; look for an error about "
    "this interface in the PMS.",
)  # fmt: skip

row(
    "only-questions", Layer.ANSWERS, "ENQ comes again and again, and never a record.",
    Mark.PMS_ENQ, at_least=3, confidence=Confidence.POSSIBLE, is_last=True,
    words="The other side says ENQ again and again and sends no record: it waits for an answer "
    "that does not reach it, or it speaks another protocol, that begins with ENQ.",
    do="Check the wire of our sending direction; then whether this interface of the PMS is set to "
    "FIAS.",
)  # fmt: skip
