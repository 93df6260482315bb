"""Frames and their check bytes: the bytes are right, what is made of them is not."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault
from gateway.scope.explain.values import Confidence, Layer

_VARIANTS = {
    Mark.CHECK_WITHOUT_ETX: "without the ETX",
    Mark.CHECK_WITH_STX: "with the STX in it",
    Mark.CHECK_SHIFTED: "with the STX in it and without the ETX",
    Mark.CHECK_INVERTED: "with all its bits turned over",
}


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


@fault(
    "unwanted-check-byte", Layer.FRAMES, "Behind each ETX stands a right check byte; we read none.",
)  # fmt: skip
def _unwanted_check_byte(sight: Sight) -> Told | None:
    if sight[Mark.CHECK_UNWANTED] < 2:
        return None
    return Told(
        "The PMS sends a check byte (LRC) behind each frame and we do not expect one.",
        "Set lrc = true under [fias].",
        (Mark.CHECK_UNWANTED,),
    )


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


@fault(
    "check-byte-wrong", Layer.FRAMES, "Every check byte is wrong, each in another way.",
    blocks=True,
)  # fmt: skip
def _check_byte_wrong(sight: Sight) -> Told | None:
    if sight[Mark.CHECK_WRONG] < 4 or sight[Mark.CHECK_WRONG] < 0.6 * sight[Mark.BAD]:
        return None
    return Told(
        "Frames come whole and every check byte is wrong: the PMS uses another checksum, or bytes "
        "change on the way (a converter that translates).",
        "Ask which checksum the PMS uses; set lrc = false under [fias] until then.",
        (Mark.CHECK_WRONG,),
        Confidence.LIKELY,
    )


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


@fault("frames-cut-short", Layer.FRAMES, "Frames stop in the middle, or another one begins there.")
def _frames_cut_short(sight: Sight) -> Told | None:
    if sight[Mark.CUT_SHORT] < 2:
        return None
    return Told(
        "Frames of the PMS stop in the middle: bytes are lost, or the sender pauses for too long.",
        "Look at the adapter or device server on the way (buffering, flow control), and at the "
        "load of the PMS machine.",
        (Mark.CUT_SHORT,),
        Confidence.LIKELY,
    )


@fault("overlong-frames", Layer.FRAMES, "A frame goes on for more than 8 KiB without an ETX.")
def _overlong_frames(sight: Sight) -> Told | None:
    if not sight[Mark.OVERLONG]:
        return None
    return Told(
        "A frame had no end within 8,192 bytes: its ETX was lost, or the PMS sends texts that are "
        "too long.",
        "See the record in the evidence; ask for shorter texts at the PMS.",
        (Mark.OVERLONG,),
        Confidence.LIKELY,
    )
