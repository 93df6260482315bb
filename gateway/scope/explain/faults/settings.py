"""Speed, data bits and parity: the bytes themselves are read wrongly.

A wrong setting turns the few bytes that every hotel line repeats into other ones that are always
the same, so it can be told from what is read alone; the driver's counters only confirm it.
"""

import re
from functools import partial

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault, row
from gateway.scope.explain.values import Confidence, Layer

ENOUGH_BYTES = 8
SLOWEST, FASTEST = 300, 115_200
"""What pms.line takes."""

_EVIDENCE = (Mark.BYTES, Mark.BAD, Mark.GARBAGE, Mark.DRIVER_FRAMING)


def _shape(sight: Sight) -> str:
    """What the bytes since the last good frame look like; "" where nothing can be said.

    The order matters: what has come four times has also come in pairs.
    """
    count = sight[Mark.BYTES]
    if count < ENOUGH_BYTES or sight[Mark.NUL_BYTES] >= 0.9 * count:
        return ""
    if sight[Mark.SEVEN_BIT_BYTES] >= 0.6 * count and sight[Mark.HIGH_BYTES] >= 0.1 * count:
        if sight[Mark.ODD_BYTES] == 0:
            return "seven-even"
        if sight[Mark.ODD_BYTES] == count:
            return "seven-odd"
    if sight[Mark.FOURFOLD_BYTES] >= 0.9 * count:
        return "speed-quarter"
    if sight[Mark.SKIPPED_BYTES] == count:
        return ""  # records would leave other bytes too: see line-floats
    if sight[Mark.SKIPPED_BYTES] >= max(4, 0.12 * count) and sight[Mark.PAIRED_BYTES] < 0.8 * count:
        return "speed-double"
    if sight[Mark.PAIRED_BYTES] >= 0.9 * count:
        return "speed-half"
    if count >= 20 and sight[Mark.TEXT_BYTES] < 0.6 * count:
        return "speed-wrong"
    return ""


def _baud(sight: Sight, factor: float) -> str:
    """The speed to try, as it is to be written."""
    match = re.fullmatch(r"(serial:[^,]*),([0-9]{3,6})(.*)", sight.profile.line)
    baud = int(int(match[2]) * factor) if match else 0
    if match is None or not SLOWEST <= baud <= FASTEST:
        return "set the baud in pms.line to that of the PMS"
    return f'set pms.line = "{match[1]},{baud}{match[3]}"'


def _speed(sight: Sight, code: str, factor: float, words: str) -> Told | None:
    if _shape(sight) != code:
        return None
    return Told(
        f"The PMS sends at {words} our speed: its control bytes arrive as the bytes that this "
        "makes of them.",
        f"In the configuration {_baud(sight, factor)}.",
        _EVIDENCE,
        Confidence.LIKELY,
    )


for _code, _factor, _words, _looks in (
    ("speed-half", 0.5, "half", "Every bit comes twice: 66 for ENQ, 78 for ACK."),
    ("speed-quarter", 0.25, "a quarter of", "Every bit comes four times: only 78, 80, F8 and 00."),
    ("speed-double", 2, "twice", "Every other bit is missed: FE for ENQ, F9 for ACK."),
):
    _rule = partial(_speed, code=_code, factor=_factor, words=_words)
    fault(_code, Layer.SETTINGS, _looks, blocks=True)(_rule)


row(
    "speed-wrong", Layer.SETTINGS, "Bytes come, but none of them make sense.",
    Mark.BYTES, also=(Mark.BAD, Mark.GARBAGE, Mark.DRIVER_FRAMING), confidence=Confidence.POSSIBLE,
    blocks=True,
    when=lambda sight: _shape(sight) == "speed-wrong",
    words="Bytes come and none of them make sense: most likely the speed or the mode is wrong.",
    do="Ask for the speed, data bits and parity of the PMS's port and set them in pms.line; if "
    "they are right, check grounds and levels.",
)  # fmt: skip


def _seven(sight: Sight, code: str, parity: str, mode: str) -> Told | None:
    if _shape(sight) != code:
        return None
    line = re.sub(r"8n1$", mode, sight.profile.line)
    change = f'Set pms.line = "{line}"' if line else f"Set the mode in pms.line to {mode}"
    return Told(
        f"The PMS sends 7 data bits with {parity} parity, which we read as 8 bits: the parity "
        "stands in the eighth.",
        f"{change}, or ask for 8n1 at the PMS, which names with accents need.",
        _EVIDENCE,
        Confidence.CERTAIN if sight[Mark.BYTES] >= 30 else Confidence.LIKELY,
    )


for _parity, _mode, _looks in (
    ("even", "7e1", "82 for STX, 03 for ETX: the ones of every byte are even."),
    ("odd", "7o1", "02 for STX, 83 for ETX: the ones of every byte are odd."),
):
    _rule = partial(_seven, code=f"seven-{_parity}", parity=_parity, mode=_mode)
    fault(f"seven-{_parity}", Layer.SETTINGS, _looks, blocks=True)(_rule)


@fault(
    "parity-errors", Layer.SETTINGS, "The driver counts parity errors.",
    hides=("received-damaged", "line-noise"),
)  # fmt: skip
def _parity_errors(sight: Sight) -> Told | None:
    if sight[Mark.DRIVER_PARITY] < 3 or _shape(sight):
        return None
    if sight[Mark.GOOD] and not sight[Mark.BAD]:
        return Told(
            "Good frames come, and bytes with a wrong parity too: noise on the line.",
            "Check cable, shield and grounds.",
            (Mark.DRIVER_PARITY,),
            Confidence.LIKELY,
        )
    return Told(
        "The driver counts parity errors and no frame is right: the PMS uses another parity.",
        "Set the mode in pms.line to the one of the PMS: 8n1, 7e1 or 7o1.",
        (Mark.DRIVER_PARITY, Mark.BAD, Mark.GARBAGE),
    )


row(
    "software-flow-control", Layer.SETTINGS, "XON and XOFF (11 and 13) stand in the stream.",
    Mark.FLOW_CONTROL, at_least=2, confidence=Confidence.LIKELY,
    when=lambda sight: not _shape(sight),
    words="XON and XOFF bytes come: software flow control is on at the PMS's port, which damages "
    "check bytes and can stop the line.",
    do="Switch XON/XOFF off at the PMS's port or at the converter.",
)  # fmt: skip
