"""The port, the wires and the connection: nothing comes, or it comes damaged."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault
from gateway.scope.explain.values import Confidence, Layer


@fault(
    "loopback", Layer.CABLE, "What we say comes back to us, byte by byte, and nothing else does.",
    blocks=True,
)  # fmt: skip
def _loopback(sight: Sight) -> Told | None:
    if sight[Mark.ECHO] < 2:
        return None
    return Told(
        "Everything that is received is what we sent ourselves: transmit and receive are joined, "
        "or a device on the way echoes.",
        "Remove the loopback plug or switch the echo of the converter off; look for a bridge "
        "between pins 2 and 3.",
        (Mark.ECHO,),
    )


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


@fault(
    "cts-low", Layer.CABLE, "We call and are not heard, DSR is there, CTS is low.",
    blocks=True, hides=("pms-silent",),
)  # fmt: skip
def _cts_low(sight: Sight) -> Told | None:
    if sight.port.modem.get("CTS") is not False or not sight.is_deaf:
        return None
    return Told(
        "We call into silence while CTS is low: an adapter or converter that minds CTS keeps our "
        "bytes back.",
        "Switch hardware flow control off at the converter, or join RTS and CTS (pins 7 and 8) "
        "on our side.",
        (Mark.MODEM, Mark.OUR_LS),
        Confidence.POSSIBLE,
    )


@fault(
    "port-vanishes", Layer.CABLE, "A serial port closes again and again.",
)  # fmt: skip
def _port_vanishes(sight: Sight) -> Told | None:
    if not sight.profile.is_serial or sight[Mark.CLOSED] < 3:
        return None
    return Told(
        "The serial port was lost several times: a USB adapter that drops off its bus.",
        "Plug the adapter in directly, without a hub, or use another one; read the kernel's log "
        "of those moments.",
        (Mark.CLOSED,),
    )


@fault(
    "closes-at-once", Layer.CABLE, "A TCP connection ends at once, again and again.",
    blocks=True, hides=("pms-silent",),
)  # fmt: skip
def _closes_at_once(sight: Sight) -> Told | None:
    if sight.profile.is_serial or sight[Mark.CLOSED_AT_ONCE] < 3 or sight.port.heard_now:
        return None
    return Told(
        "The connection is refused, or accepted and closed without a word, each time.",
        "Check host, port and role in pms.line, that the PMS allows our IP address, and that no "
        "other client holds its only place.",
        (Mark.CLOSED_AT_ONCE,),
    )


@fault(
    "two-pms", Layer.CABLE, "On a listener, one talking connection pushes the other out.",
)  # fmt: skip
def _two_pms(sight: Sight) -> Told | None:
    if not sight.profile.line.startswith("listen:") or sight[Mark.REPLACED] < 3:
        return None
    return Told(
        "A new connection took the place of a talking one again and again: two programs dial us.",
        "Find the second one by its address in the evidence and stop it, or give it a gateway of "
        "its own with another port in pms.line.",
        (Mark.REPLACED,),
        Confidence.LIKELY,
    )


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
            (Mark.OUR_LS, Mark.SAID),
        )
    return Told(
        "The connection stands, but the PMS says nothing to our calls.",
        "Ask for the interface behind this port to be started in the PMS; check the port in "
        "pms.line, another service may be listening there.",
        (Mark.OUR_LS, Mark.SAID),
    )
