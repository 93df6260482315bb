"""Lines: one medium a file, all alike from outside. They move bytes and know no frame."""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network

from gateway.line.base import Line, LineFailed, Opener
from gateway.line.spec import LineSpec, ListenSpec, SerialSpec, TcpSpec, is_loopback, parse_line
from gateway.line.tap import TappedOpener

__all__ = [
    "Line",
    "LineFailed",
    "LineSpec",
    "ListenSpec",
    "Opener",
    "SerialSpec",
    "TappedOpener",
    "TcpSpec",
    "is_loopback",
    "opener_for",
    "parse_line",
]


def opener_for(
    spec: LineSpec,
    allow: Sequence[IPv4Network | IPv6Network] = (),
    on_refused: Callable[[str], None] = lambda _: None,
) -> Opener:
    """What opens lines of this kind. Media are imported only when asked for.

    allow, on_refused   who may dial us, and who is told of the others; see `tcp.ListenOpener`
    """
    match spec:
        case SerialSpec():
            from gateway.line.serial import SerialOpener

            return SerialOpener(spec)
        case TcpSpec():
            from gateway.line.tcp import DialOpener

            return DialOpener(spec)
        case ListenSpec():
            from gateway.line.tcp import ListenOpener

            return ListenOpener(spec, allow, on_refused)
