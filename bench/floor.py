"""The least that has to be done for a record: read it, write it durably, answer it, tell the UCM.

python -m bench.floor PORT_OF_THE_LINE PORT_OF_THE_UCM FILE. Checks nothing, forgets nothing, and is
no gateway: it cannot be quicker and still keep what it acknowledged.
"""

import asyncio
import os
import socket
import ssl
import sys
import tty
from typing import Final

REQUEST: Final = (
    '{{"request":{{"action":"pmsapi","cookie":"sid1","token":"0123456789abcdef0123456789abcdef",'
    '"format":"xml","data":"<pms_data_request><{action}><address>{room}</address>{guest}</{action}>'
    '</pms_data_request>"}}}}'
)
GUEST: Final = (
    "<account>4711</account><datein>2026/11/21 10:15</datein><dateout>2026/11/25 12:00</dateout>"
    "<first_name></first_name><last_name>Berger</last_name>"
)
HEAD: Final = (
    "POST /api HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json;charset=UTF-8\r\n"
    "Content-Length: {length}\r\n\r\n"
)


def main(line: str, ucm: int, journal: str) -> None:
    """Carry records until killed."""
    fd = os.open(line, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    sock = socket.create_connection(("127.0.0.1", ucm))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer = context.wrap_socket(sock)
    buffer = bytearray()

    def carry() -> None:
        nonlocal buffer
        buffer += os.read(fd, 4096)
        if len(buffer) < 2 or buffer[-2] != 3:  # ETX, and the check byte behind it
            return
        frame, buffer = bytes(buffer), bytearray()
        os.write(file, frame)
        os.fdatasync(file)
        os.write(fd, b"\x06")
        action, guest = ("checkin", GUEST) if frame[1:3] == b"GI" else ("checkout", "")
        body = REQUEST.format(action=action, room=frame[6:11].decode(), guest=guest)
        peer.sendall((HEAD.format(length=len(body)) + body).encode())
        peer.recv(65536)

    loop = asyncio.new_event_loop()
    loop.add_reader(fd, carry)
    loop.run_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
