"""The two peers of a measurement: as quick as they can be, and each with a stopwatch.

They are not the strict simulators of the demo: those would be measured too.
"""

import json
import os
import pty
import re
import select
import socket
import ssl
import threading
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns
from typing import Any, Final

from gateway.simulators.pbx import Refusal, Rooms, parse_data
from protocols.fias.framing import frame_reader, write_frame
from protocols.session import Signal
from protocols.stream import Control, Frame

WITHIN_S: Final = 60.0
ACK: Final = b"\x06"


class TcpPms:
    """A PMS that is dialled: no check bytes, no answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._line: socket.socket | None = None

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
        self._listener.close()

    def link_up(self) -> None:
        """Wait for the gateway, and for its description; say LA."""
        self._listener.settimeout(WITHIN_S)
        self._line, _ = self._listener.accept()
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line.settimeout(WITHIN_S)
        self.say(b"LS|DA261120|TI101500|")
        heard = b""
        while b"\x02LA|" not in heard:
            heard += self._line.recv(65536) or _gone()
        self.say(b"LA|DA261120|TI101500|")
        threading.Thread(target=self._drain, daemon=True).start()

    def say(self, *bodies: bytes) -> None:
        """Records, in one write."""
        assert self._line is not None  # the link is up
        self._line.sendall(b"".join(b"\x02" + body + b"\x03" for body in bodies))

    def _drain(self) -> None:
        assert self._line is not None  # who starts it has it
        try:
            while self._line.recv(65536):
                pass
        except OSError:
            pass  # closed


class Pms:
    """A PMS on a pseudo-terminal with check bytes and answers."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        self.acks_ns: list[int] = []
        self.heard: list[bytes] = []
        self._reader = frame_reader(lrc=True, handshake=True)

    def close(self) -> None:
        """Pull the plug."""
        os.close(self.master)
        os.close(self.slave)

    def link_up(self) -> None:
        """Say LS until the gateway has described itself, then LA."""
        self._until(lambda: bool(self.heard), again=lambda: self.say(b"LS|DA261120|TI101500|"))
        self._until(lambda: any(body.startswith(b"LA") for body in self.heard))
        self.talk(b"LA|DA261120|TI101500|")

    def say(self, body: bytes) -> int:
        """One record onto the line. Returns the moment just before its last byte went."""
        frame = write_frame(body, lrc=True)
        os.write(self.master, frame[:-1])
        said = monotonic_ns()
        os.write(self.master, frame[-1:])
        return said

    def talk(self, body: bytes) -> tuple[int, int]:
        """One record and its ACK: when it was said, and when it was answered."""
        before = len(self.acks_ns)
        said = self.say(body)
        return said, self.next_ack(before)

    def next_ack(self, before: int) -> int:
        """When the answer came to what was said after so many answers."""
        self._until(lambda: len(self.acks_ns) > before)
        return self.acks_ns[before]

    def first_ack(self, body: bytes) -> None:
        """Say it until somebody answers."""
        self._until(lambda: bool(self.acks_ns), again=lambda: self.say(body), every_s=0.02)

    def rest(self, seconds: float) -> None:
        """Say nothing for so long, and answer what comes."""
        ends = monotonic_ns() + int(seconds * 1e9)
        while (left := ends - monotonic_ns()) > 0:
            self.listen(left / 1e9)

    def listen(self, seconds: float) -> None:
        """Take what comes within so long, and answer it."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return
        data = os.read(self.master, 65536)
        now = monotonic_ns()
        for item in self._reader.receive(data):
            match item:
                case Control(signal=Signal.ACK):
                    self.acks_ns.append(now)
                case Control(signal=Signal.ENQ):
                    os.write(self.master, ACK)
                case Frame(body):
                    self.heard.append(body)
                    os.write(self.master, ACK)
                case _:
                    pass  # the floor says nothing else

    def _until(
        self,
        is_so: Callable[[], bool],
        again: Callable[[], object] | None = None,
        every_s: float = 0.2,
    ) -> None:
        asked = 0
        ends = monotonic_ns() + int(WITHIN_S * 1e9)
        while not is_so():
            if again is not None and monotonic_ns() - asked > every_s * 1e9:
                asked = monotonic_ns()
                again()
            self.listen(min(0.05, every_s))
            if monotonic_ns() > ends:
                raise TimeoutError("the gateway does not answer on the line")


@dataclass(frozen=True, slots=True)
class Call:
    """What the UCM was told, and when the request's first byte was there."""

    action: str
    room: str
    began_ns: int


def room(number: int) -> str:
    """The room with this number, counted from 0, at the PMS and at the UCM."""
    return str(10000 + number)


class Ucm:
    """A UCM that says yes at once, and notes when each request began."""

    def __init__(self, certificate: Path, *, rooms: int) -> None:
        self.calls: list[Call] = []
        self.rooms = Rooms()
        self.rooms.add(*map(room, range(rooms)))
        self._came = threading.Condition()
        self._answers = threading.Event()
        self._answers.set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._lines: set[ssl.SSLSocket] = set()
        self._listen(0)

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def go_away(self) -> None:
        """As a UCM without power: nobody listens, and who is connected is hung up on."""
        self._listener.shutdown(socket.SHUT_RDWR)  # or the thread would accept one more
        self._listener.close()
        for line in tuple(self._lines):
            with suppress(OSError):  # it has gone by itself
                line.shutdown(socket.SHUT_RDWR)

    def come_back(self) -> None:
        """Listen again, at the same port, with the rooms as they were."""
        self._listen(self.port)

    def hold(self) -> None:
        """Answer no call until released."""
        self._answers.clear()

    def release(self) -> None:
        """Answer again."""
        self._answers.set()

    def wait_for(self, count: int, within_s: float = WITHIN_S) -> None:
        """Until so many calls (not logins, not lists) have come."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.calls) >= count, within_s):
                raise TimeoutError(f"{len(self.calls)} of {count} calls came")

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        listener = self._listener
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = bytearray()
        try:
            with self._context.wrap_socket(sock, server_side=True) as line:
                self._lines.add(line)
                while data := line.recv(65536):
                    began = monotonic_ns()
                    buffer += data
                    while (request := _whole(buffer)) is None:
                        buffer += line.recv(65536) or _gone()
                    line.sendall(self._answer(request, began))
                self._lines.discard(line)
        except OSError:
            pass  # the gateway has closed it

    def _answer(self, body: bytes, began: int) -> bytes:
        request = json.loads(body)["request"]
        match request["action"]:
            case "challenge":
                return _reply({"response": {"challenge": "0001"}, "status": 0})
            case "login":
                return _reply({"response": {"cookie": "sid1"}, "status": 0})
            case _ if isinstance(request["data"], dict):
                rows = self.rooms.listed()
                lists = {"page": 1, "pms_room": rows, "total_item": len(rows), "total_page": 1}
                return _reply({"response": lists, "status": 0})
        self._answers.wait(WITHIN_S)
        action, tags = parse_data(request["data"], request["format"])
        try:
            code = self.rooms.apply(action, tags)
        except Refusal as refusal:  # as a check-out of a room that was out: several came to one
            code = refusal.code
        with self._came:
            self.calls.append(Call(action, tags["address"], began))
            self._came.notify_all()
        return _reply({"response": {}, "status": code})


def _reply(payload: dict[str, Any]) -> bytes:
    body = json.dumps(payload).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body), body
    )  # fmt: skip


def _whole(buffer: bytearray) -> bytes | None:
    """The body of the first request in the buffer, taken out of it; None: not all is here."""
    head, mark, rest = bytes(buffer).partition(b"\r\n\r\n")
    if not mark:
        return None
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    if len(rest) < length:
        return None
    del buffer[: len(head) + 4 + length]
    return rest[:length]


def _gone() -> bytes:
    raise ConnectionResetError


_LENGTH: Final = re.compile(rb"(?i)content-length: (\d+)")
