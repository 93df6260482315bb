"""What every driver asks of its sockets."""

import socket
from typing import Final

UNACKED_S: Final = 20.0
"""What a machine has not taken for so long it will not take: it is off."""


def giving_up_after(unacked_s: float) -> list[tuple[int, int, int]]:
    """Options of a socket whose kernel drops what it could not deliver within so many seconds. It
    would else go on when a network comes back, also after the connection was closed.
    """
    return [(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(unacked_s * 1000))]
