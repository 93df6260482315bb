"""Frames and their check bytes: the bytes are right, what is made of them is not."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault, row
from gateway.scope.explain.values import Confidence, Layer, Speech

_VARIANTS = {
    Mark.CHECK_WITHOUT_ETX: "without the ETX",
    Mark.CHECK_WITH_STX: "with the STX in it",
    Mark.CHECK_SHIFTED: "with the STX in it and without the ETX",
    Mark.CHECK_INVERTED: "with all its bits turned over",
}


@fault(
    "other-dialect", Layer.FRAMES, "Frames hold the records of another dialect.",
    speech=Speech.ANY, blocks=True,
    hides=("no-check-byte", "check-byte-differs", "check-byte-wrong", "not-fias"),
)  # fmt: skip
def _other_dialect(sight: Sight) -> Told | None:
    other, ours = sight.frames.other, sight.profile.protocol
    if sight[Mark.OTHER_DIALECT] < 2:
        return None
    return Told(
        f"This is {other}, not {ours}: see the frames in the evidence.",
        f'Set protocol = "{other}" under [pms], or this interface of the PMS to {ours}.',
        (Mark.OTHER_DIALECT,),
    )


@fault(
    "no-check-byte", Layer.FRAMES, "Every frame ends with its ETX: the check byte never comes.",
    blocks=True,
)  # fmt: skip
def _no_check_byte(sight: Sight) -> Told | None:
    missing = sight[Mark.CHECK_MISSING]
    if missing < 2 or missing < 0.6 * sight[Mark.BAD]:
        return None
    return Told(
        "Every frame is refused with a bad check byte and ends one byte early: the PMS sends no "
        "LRC.",
        "Set lrc = false under [fias], or switch the check byte on at the PMS.",
        (Mark.CHECK_MISSING,),
        Confidence.CERTAIN if missing >= 3 else Confidence.LIKELY,
    )


row(
    "unwanted-check-byte", Layer.FRAMES, "Behind each ETX stands a right check byte; we read none.",
    Mark.CHECK_UNWANTED, at_least=2,
    words="The PMS sends a check byte (LRC) behind each frame and we do not expect one.",
    do="Set lrc = true under [fias].",
)  # fmt: skip


@fault(
    "check-byte-differs", Layer.FRAMES, "Every check byte is wrong in the same way.",
    blocks=True,
)  # fmt: skip
def _check_byte_differs(sight: Sight) -> Told | None:
    variant = max(_VARIANTS, key=lambda mark: sight[mark])
    if sight[variant] < 3 or sight[variant] < 0.8 * sight[Mark.BAD]:
        return None
    return Told(
        f"The PMS computes the check byte {_VARIANTS[variant]}: every frame is refused.",
        "Ask for the check byte of the specification (from behind the STX, ETX included), or set "
        "lrc = false under [fias] until then: one stray byte behind a frame does no harm.",
        (variant,),
    )


row(
    "check-byte-wrong", Layer.FRAMES, "Every check byte is wrong, each in another way.",
    Mark.CHECK_WRONG, at_least=4, confidence=Confidence.LIKELY, blocks=True,
    when=lambda sight: sight[Mark.CHECK_WRONG] >= 0.6 * sight[Mark.BAD],
    words="Frames come whole and every check byte is wrong: the PMS uses another checksum, or "
    "bytes change on the way (a converter that translates).",
    do="Ask which checksum the PMS uses; set lrc = false under [fias] until then.",
)  # fmt: skip


@fault(
    "not-fias", Layer.FRAMES, "Readable text comes, and never an STX.", blocks=True,
)  # fmt: skip
def _not_fias(sight: Sight) -> Told | None:
    count = sight[Mark.BYTES]
    if count < 40 or sight[Mark.STX_BYTES] or sight[Mark.TEXT_BYTES] < 0.9 * count:
        return None
    return Told(
        "Readable text comes without STX and ETX: a printer, call records or another protocol.",
        "Check that this is the PMS's FIAS port and that the interface is set to FIAS with "
        "STX and ETX.",
        (Mark.BYTES, Mark.GARBAGE),
        Confidence.LIKELY,
    )


row(
    "frames-cut-short", Layer.FRAMES, "Frames stop in the middle, or another one begins there.",
    Mark.CUT_SHORT, at_least=2, confidence=Confidence.LIKELY,
    speech=Speech.ANY,
    words="Frames of the PMS stop in the middle: bytes are lost, or the sender pauses for too "
    "long.",
    do="Look at the adapter or device server on the way (buffering, flow control), and at the "
    "load of the PMS machine.",
)  # fmt: skip

row(
    "overlong-frames", Layer.FRAMES, "A frame goes on for longer than any record, without an ETX.",
    Mark.OVERLONG, at_least=1, confidence=Confidence.LIKELY, speech=Speech.ANY,
    words="A frame had no end where every record ends: its ETX was lost, or the PMS sends texts "
    "that are too long.",
    do="See the record in the evidence; ask for shorter texts at the PMS.",
)  # fmt: skip

row(
    "every-frame-bad", Layer.FRAMES, "A few frames come, and none of them is good.",
    Mark.BAD, at_least=3, confidence=Confidence.POSSIBLE, is_last=True,
    words="The last frames of the PMS were all refused; they are too few to say why.",
    do="Set lrc under [fias] as the PMS has it; then compare speed, data bits and parity in "
    "pms.line. Listen longer and explain again.",
)  # fmt: skip
