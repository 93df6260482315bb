"""ACK, NAK and ENQ: frames come and go, their answers do not."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault
from gateway.scope.explain.values import Confidence, Layer


@fault(
    "pms-never-answers", Layer.ANSWERS, "The PMS speaks, and none of our frames is acknowledged.",
    blocks=True,
)  # fmt: skip
def _pms_never_answers(sight: Sight) -> Told | None:
    answered = sight[Mark.PMS_ACK] or sight[Mark.PMS_NAK]
    if answered or sight[Mark.PMS_SILENT] < 2 or not sight[Mark.GOOD]:
        return None
    return Told(
        "The PMS sends records, and never ACK or NAK to ours: it does not use answers.",
        "Set ack = false under [fias], or switch the handshake on at the PMS.",
        (Mark.PMS_SILENT,),
        Confidence.LIKELY,
    )


@fault(
    "unwanted-answers", Layer.ANSWERS, "ACK, NAK or ENQ come on a line on which we use none.",
)  # fmt: skip
def _unwanted_answers(sight: Sight) -> Told | None:
    if sight.profile.ack or sight[Mark.PMS_STRAY] < 3:
        return None
    return Told(
        "The PMS sends ACK, NAK or ENQ and we do not answer: it may send everything again or "
        "drop it.",
        "Set ack = true under [fias].",
        (Mark.PMS_STRAY,),
        Confidence.LIKELY,
    )


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


@fault("slow-pms", Layer.ANSWERS, "The PMS acknowledges late, or only when asked.")
def _slow_pms(sight: Sight) -> Told | None:
    if sight[Mark.PMS_SLOW] < 3:
        return None
    return Told(
        "The PMS needs 2 s and more for its ACK, or must be asked for it; after 3 s an answer "
        "is late.",
        "Look at the load of the PMS machine; raise record_pacing_ms under [fias] so that it has "
        "more time for each record.",
        (Mark.PMS_SLOW,),
    )


@fault(
    "same-record-again", Layer.ANSWERS, "The same record comes again and again within a minute.",
)  # fmt: skip
def _same_record_again(sight: Sight) -> Told | None:
    if sight[Mark.REPEATED] < 3:
        return None
    return Told(
        "The PMS sends the same record again and again: it does not take our answer for one.",
        "Check ack under [fias] and the wire of our sending direction; look for an error about "
        "this interface in the PMS.",
        (Mark.REPEATED,),
        Confidence.LIKELY,
    )
