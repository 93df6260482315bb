"""The port, the wires and the connection: nothing comes, or it comes damaged."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault, row
from gateway.scope.explain.values import Confidence, Layer

row(
    "loopback", Layer.CABLE, "What we say comes back to us, byte by byte, and nothing else does.",
    Mark.ECHO, at_least=2, blocks=True,
    words="Everything that is received is what we sent ourselves: transmit and receive are "
    "joined, or a device on the way echoes.",
    do="Remove the loopback plug or switch the echo of the converter off; look for a bridge "
    "between pins 2 and 3.",
)  # fmt: skip


@fault(
    "break-held", Layer.CABLE, "The receive line rests at the wrong level: breaks, or NUL on NUL.",
    blocks=True, hides=("line-noise",),
)  # fmt: skip
def _break_held(sight: Sight) -> Told | None:
    only_nul = sight[Mark.NUL_BYTES] >= 16 and sight[Mark.NUL_BYTES] >= 0.9 * sight[Mark.BYTES]
    if not only_nul and sight[Mark.DRIVER_BREAK] < 3:
        return None
    return Told(
        "The receive line is held low: the port reads breaks and NUL bytes instead of a line at "
        "rest.",
        "Check that both grounds (pin 5) are joined, that the levels are RS-232 and not TTL, and "
        "that the PMS's port is powered.",
        (Mark.DRIVER_BREAK, Mark.GARBAGE, Mark.BAD)
        if sight[Mark.DRIVER_BREAK]
        else (Mark.NUL_BYTES, Mark.BAD),
    )


@fault(
    "handshake-low", Layer.CABLE, "The PMS is silent, and its DSR or DCD is low.",
    blocks=True, hides=("pms-silent", "cts-low"),
)  # fmt: skip
def _handshake_low(sight: Sight) -> Told | None:
    low = [name for name in ("DSR", "DCD") if sight.port.modem.get(name) is False]
    if not low or not sight.is_deaf:
        return None
    return Told(
        f"Nothing comes, and {' and '.join(low)} of the port is low: nobody drives the other end.",
        "See that the PMS machine and its interface program run and that the cable is plugged in "
        "at both ends; a cable of three wires leaves these lines low for ever.",
        (Mark.MODEM, Mark.OUR_LS),
        Confidence.LIKELY,
    )


row(
    "cts-low", Layer.CABLE, "We call and are not heard, DSR is there, CTS is low.",
    Mark.MODEM, also=(Mark.OUR_LS,), confidence=Confidence.POSSIBLE, blocks=True,
    hides=("pms-silent",),
    when=lambda sight: sight.port.modem.get("CTS") is False and sight.is_deaf,
    words="We call into silence while CTS is low: an adapter or converter that minds CTS keeps "
    "our bytes back.",
    do="Switch hardware flow control off at the converter, or join RTS and CTS (pins 7 and 8) on "
    "our side.",
)  # fmt: skip

row(
    "port-vanishes", Layer.CABLE, "A serial port closes again and again.",
    Mark.CLOSED, at_least=3,
    when=lambda sight: sight.profile.is_serial,
    words="The serial port was lost several times: a USB adapter that drops off its bus.",
    do="Plug the adapter in directly, without a hub, or use another one; read the kernel's log of "
    "those moments.",
)  # fmt: skip

row(
    "closes-at-once", Layer.CABLE, "A TCP connection ends at once, again and again.",
    Mark.CLOSED_AT_ONCE, at_least=3, blocks=True, hides=("pms-silent",),
    when=lambda sight: not sight.profile.is_serial and not sight.port.heard_now,
    words="The connection is refused, or accepted and closed without a word, each time.",
    do="Check host, port and role in pms.line, that the PMS allows our IP address, and that no "
    "other client holds its only place.",
)  # fmt: skip

row(
    "telnet", Layer.CABLE, "A TCP peer begins to negotiate as telnet does (FF FB, FF FD).",
    Mark.TELNET, at_least=1, blocks=True, hides=("bytes-over-tcp",),
    words="The device server speaks telnet (FF FB and the like) and changes bytes on the way.",
    do="Set its port to raw TCP, without telnet (RFC 2217) and without a banner.",
)  # fmt: skip

row(
    "two-pms", Layer.CABLE, "On a listener, one talking connection pushes the other out.",
    Mark.REPLACED, at_least=3, confidence=Confidence.LIKELY,
    when=lambda sight: sight.profile.line.startswith("listen:"),
    words="A new connection took the place of a talking one again and again: two programs dial us.",
    do="Find the second one by its address in the evidence and stop it, or give it a gateway of "
    "its own with another port in pms.line.",
)  # fmt: skip


@fault(
    "pms-silent", Layer.CABLE, "We call for a while and not one byte comes back.",
    blocks=True,
)  # fmt: skip
def _pms_silent(sight: Sight) -> Told | None:
    if not sight.is_deaf:
        return None
    if sight.profile.is_serial:
        return Told(
            "We call, and not one byte comes back: wrong port, cable, or the PMS interface is off.",
            "Try the port with a loopback plug; if that echoes, ask for a null modem cable "
            "(2 and 3 crossed) and for the PMS interface to be started.",
            (Mark.OUR_LS, Mark.OUR_ENQ, Mark.SAID),
        )
    return Told(
        "The connection stands, but the PMS says nothing to our calls.",
        "Ask for the interface behind this port to be started in the PMS; check the port in "
        "pms.line, another service may be listening there.",
        (Mark.OUR_LS, Mark.OUR_ENQ, Mark.SAID),
    )
