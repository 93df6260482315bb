"""One string for one line: `serial:/dev/ttyUSB0,9600,8n1`, `tcp:HOST:PORT`, `listen:HOST:PORT`."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

BAUDS: Final = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)

_SERIAL = re.compile(r"serial:(?P<path>[^,]+)(?:,(?P<baud>\d+)(?:,(?P<mode>[78][nNeEoO][12]))?)?")
_TCP = re.compile(
    r"(?P<role>tcp|listen):(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+):(?P<port>\d{1,5})"
)

ALLOWED: Final = (
    "serial:DEVICE,BAUD,MODE (as serial:/dev/ttyUSB0,9600,8n1), tcp:HOST:PORT (we dial) "
    "or listen:HOST:PORT (the PMS dials)"
)


@dataclass(frozen=True, slots=True)
class SerialSpec:
    """A serial port: 9600 8n1 unless the site says otherwise."""

    path: str
    baud: int = 9600
    data_bits: int = 8
    parity: str = "N"
    stop_bits: int = 1

    @property
    def mode(self) -> str:
        """As `8n1`."""
        return f"{self.data_bits}{self.parity.lower()}{self.stop_bits}"

    def __str__(self) -> str:
        return f"serial:{self.path},{self.baud},{self.mode}"


@dataclass(frozen=True, slots=True)
class TcpSpec:
    """A peer that we dial."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp:{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ListenSpec:
    """An address at which the PMS dials us. Port 0: any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"listen:{self.host}:{self.port}"


LineSpec = SerialSpec | TcpSpec | ListenSpec


def parse_line(text: str) -> LineSpec:
    """The line that a string names. Raises ValueError with a sentence that says what is allowed."""
    if serial := _SERIAL.fullmatch(text):
        baud = int(serial["baud"] or 9600)
        if baud not in BAUDS:
            raise ValueError(f"{baud} baud is none of {', '.join(map(str, BAUDS))}")
        mode = (serial["mode"] or "8n1").upper()
        return SerialSpec(serial["path"], baud, int(mode[0]), mode[1], int(mode[2]))
    if tcp := _TCP.fullmatch(text):
        port = int(tcp["port"])
        if port > 65535 or (port == 0 and tcp["role"] == "tcp"):
            raise ValueError(f"{port} is no port number")
        host = tcp["host"].strip("[]")
        return TcpSpec(host, port) if tcp["role"] == "tcp" else ListenSpec(host, port)
    raise ValueError(f"expected {ALLOWED}")


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
