"""Lines: one medium a file, all alike from outside. They move bytes and know no frame."""

from gateway.line.base import Line, LineFailed, Opener
from gateway.line.gate import Gate
from gateway.line.spec import LineSpec, ListenSpec, SerialSpec, TcpSpec, is_loopback, parse_line
from gateway.line.tap import TappedOpener

__all__ = [
    "Gate",
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


def opener_for(spec: LineSpec, gate: Gate | None = None) -> Opener:
    """What opens lines of this kind; a TCP line goes through the gate. Media are imported only when
    asked for.
    """
    match spec:
        case SerialSpec():
            from gateway.line.serial import SerialOpener

            return SerialOpener(spec)
        case TcpSpec():
            from gateway.line.tcp import DialOpener

            return DialOpener(spec, gate or Gate())
        case ListenSpec():
            from gateway.line.tcp import ListenOpener

            return ListenOpener(spec, gate or Gate())
