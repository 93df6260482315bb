"""The wires again: bytes come, but some are lost or damaged, or only one direction works."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault, row
from gateway.scope.explain.values import Confidence, Layer

NOISE: tuple[str, ...] = ("received-damaged", "line-noise")


def _is_serial(sight: Sight) -> bool:
    """A TCP line has no wires of its own; of one that nobody described, nobody knows."""
    return not sight.profile.line.startswith(("tcp", "listen"))


row(
    "sending-unheard", Layer.CABLE, "The PMS asks for answers that we have given, and gives none.",
    Mark.PMS_ASKED, at_least=3, confidence=Confidence.LIKELY, blocks=True,
    when=_is_serial,
    words="We hear the PMS, it does not hear us: it asks (ENQ) again and again for answers that "
    "we have given.",
    do="Check the wire from our pin 3 to its receive pin, and hardware flow control on its side.",
)  # fmt: skip

row(
    "overruns", Layer.CABLE, "The driver counts bytes that nobody fetched in time.",
    Mark.DRIVER_OVERRUN, at_least=3, hides=(*NOISE, "frames-cut-short"),
    words="The port lost bytes because they were not fetched in time: a busy machine or a bad "
    "adapter.",
    do="Relieve the machine, use another adapter, or ask for a lower speed on both sides (baud in "
    "pms.line).",
)  # fmt: skip

row(
    "received-damaged", Layer.CABLE, "Now and then a check byte of the PMS does not fit.",
    Mark.BAD_CHECK, at_least=2, confidence=Confidence.LIKELY,
    when=lambda sight: _is_serial(sight)
    and sight[Mark.BAD_CHECK] < sight[Mark.GOOD]
    and sight[Mark.BAD] < 3,
    words="Most frames of the PMS are right and some are damaged on the way: noise, a long cable "
    "or bad grounding.",
    do="Shorten or shield the cable, keep it away from mains, join the grounds, or lower the "
    "speed on both sides (baud in pms.line). Nothing is lost: damaged frames are sent again.",
)  # fmt: skip

row(
    "sent-damaged", Layer.CABLE, "Now and then the PMS refuses a frame of ours.",
    Mark.PMS_NAK, at_least=2, confidence=Confidence.LIKELY,
    when=lambda sight: _is_serial(sight) and sight[Mark.PMS_NAK] < sight[Mark.PMS_ACK],
    words="The PMS refuses some of our frames and takes them when they come again: they are "
    "damaged on the way to it.",
    do="Shorten or shield the cable and join the grounds, or lower the speed on both sides (baud "
    "in pms.line).",
)  # fmt: skip

row(
    "line-noise", Layer.CABLE, "Bytes that belong to nothing come between good frames.",
    Mark.NOISE, at_least=3, confidence=Confidence.LIKELY,
    when=lambda sight: _is_serial(sight) and sight[Mark.GOOD] >= 3,
    words="Between good frames there are bytes that nobody sent: noise on a line at rest.",
    do="Join the grounds, shield the cable, and see that no second device hangs on the line.",
)  # fmt: skip


@fault(
    "line-floats", Layer.CABLE, "No frame, only bytes that glitches of an open input make.",
    blocks=True, hides=("line-noise",),
)  # fmt: skip
def _line_floats(sight: Sight) -> Told | None:
    count = sight[Mark.BYTES]
    if (
        not _is_serial(sight)
        or count < 4
        or sight[Mark.GLITCH_BYTES] < count
        or sight[Mark.NUL_BYTES] == count
    ):
        return None
    return Told(
        "No frame comes, only FF and the like: nobody drives the receive wire, and it catches "
        "noise.",
        "Plug the cable in at the PMS, check the wire to our pin 2 and the ground (pin 5), and "
        "that the PMS machine is on.",
        (Mark.GARBAGE, Mark.BAD),
        Confidence.LIKELY,
    )


row(
    "bytes-over-tcp", Layer.CABLE, "Over TCP come bytes that belong to no record.",
    Mark.NOISE, at_least=3, confidence=Confidence.LIKELY,
    when=lambda sight: not _is_serial(sight),
    words="Bytes come over TCP that belong to no record: another program or protocol is at that "
    "port, or a device server whose serial side is set wrongly.",
    do="Check host and port in pms.line; at a device server compare speed, data bits and parity of "
    "its serial port with the PMS's.",
)  # fmt: skip
