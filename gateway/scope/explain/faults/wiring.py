"""The wires again: bytes come, but some are lost or damaged, or only one direction works."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault
from gateway.scope.explain.values import Confidence, Layer

NOISE: tuple[str, ...] = ("received-damaged", "line-noise")


@fault(
    "sending-unheard", Layer.CABLE, "The PMS asks for answers that we have given, and gives none.",
    blocks=True,
)  # fmt: skip
def _sending_unheard(sight: Sight) -> Told | None:
    if sight[Mark.PMS_ASKED] < 3:
        return None
    return Told(
        "We hear the PMS, it does not hear us: it asks (ENQ) again and again for answers that we "
        "have given.",
        "Check the wire from our pin 3 to its receive pin, and hardware flow control on its side.",
        (Mark.PMS_ASKED,),
        Confidence.LIKELY,
    )


@fault(
    "overruns", Layer.CABLE, "The driver counts bytes that nobody fetched in time.",
    hides=(*NOISE, "frames-cut-short"),
)  # fmt: skip
def _overruns(sight: Sight) -> Told | None:
    if sight[Mark.DRIVER_OVERRUN] < 3:
        return None
    return Told(
        "The port lost bytes because they were not fetched in time: a busy machine or a bad "
        "adapter.",
        "Relieve the machine, use another adapter, or ask for a lower speed on both sides "
        "(baud in pms.line).",
        (Mark.DRIVER_OVERRUN,),
    )


@fault(
    "received-damaged", Layer.CABLE, "Now and then a check byte of the PMS does not fit.",
)  # fmt: skip
def _received_damaged(sight: Sight) -> Told | None:
    bad = sight[Mark.BAD_CHECK]
    if bad < 2 or bad >= sight[Mark.GOOD] or sight[Mark.BAD] >= 3:
        return None
    return Told(
        "Most frames of the PMS are right and some are damaged on the way: noise, a long cable or "
        "bad grounding.",
        "Shorten or shield the cable, keep it away from mains, join the grounds, or lower the "
        "speed on both sides (baud in pms.line). Nothing is lost: damaged frames are sent again.",
        (Mark.BAD_CHECK,),
        Confidence.LIKELY,
    )


@fault(
    "sent-damaged", Layer.CABLE, "Now and then the PMS refuses a frame of ours.",
)  # fmt: skip
def _sent_damaged(sight: Sight) -> Told | None:
    if sight[Mark.PMS_NAK] < 2 or sight[Mark.PMS_NAK] >= sight[Mark.PMS_ACK]:
        return None
    return Told(
        "The PMS refuses some of our frames and takes them when they come again: they are damaged "
        "on the way to it.",
        "Shorten or shield the cable and join the grounds, or lower the speed on both sides "
        "(baud in pms.line).",
        (Mark.PMS_NAK,),
        Confidence.LIKELY,
    )


@fault(
    "line-noise", Layer.CABLE, "Bytes that belong to nothing come between good frames.",
)  # fmt: skip
def _line_noise(sight: Sight) -> Told | None:
    if sight[Mark.NOISE] < 3 or sight[Mark.GOOD] < 3:
        return None
    return Told(
        "Between good frames there are bytes that nobody sent: noise on a line at rest.",
        "Join the grounds, shield the cable, and see that no second device hangs on the line.",
        (Mark.NOISE,),
        Confidence.LIKELY,
    )


@fault(
    "line-floats", Layer.CABLE, "No frame, only bytes that glitches of an open input make.",
    blocks=True, hides=("line-noise",),
)  # fmt: skip
def _line_floats(sight: Sight) -> Told | None:
    count = sight[Mark.BYTES]
    if count < 4 or sight[Mark.GLITCH_BYTES] < count or sight[Mark.NUL_BYTES] == count:
        return None
    return Told(
        "No frame comes, only FF and the like: nobody drives the receive wire, and it catches "
        "noise.",
        "Plug the cable in at the PMS, check the wire to our pin 2 and the ground (pin 5), and "
        "that the PMS machine is on.",
        (Mark.GARBAGE, Mark.BAD),
        Confidence.LIKELY,
    )
