"""A strict and honest PMS interface in virtual time, written from the line's facts alone.

It shares no code with the product: its own framing, its own timers, its own idea of the link.

Source: FIAS 2.20.24, serial transport, start of the link; the resend pattern of a logged IFC.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tests.torture.noise import ETX, STX, xor_of

ENQ: Final = 0x05
ACK: Final = 0x06
NAK: Final = 0x15
T1_S: Final = 3.0
T2_S: Final = 3.0
PATTERN_S: Final = 12.0  # LS, ENQ at 3, 6 and 9 s, LS again
TURNAROUND_S: Final = 0.02
GAP_S: Final = 1.0
BYTE_S: Final = 10 / 9600

MANDATORY: Final = frozenset({"GI", "GO"})


@dataclass(slots=True)
class Told:
    """A record of the hotel on its way to the gateway.

    first_at    when it was said for the first time
    genuine     whether the ACK that ended it was a byte that the gateway said as an answer
    """

    body: bytes
    first_at: float = -1.0
    genuine: bool = True


@dataclass(slots=True)
class Peer:
    """The PMS's end of one line. Feed `hear` and `tick`, take `said`.

    ack         the line answers, and frames carry a check byte
    up          it still knows the gateway from before
    acked       records that were acknowledged to it, in order
    dropped     records given up after four NAKs, as the specification says
    """

    ack: bool
    up: bool = False
    todo: deque[Told] = field(default_factory=deque)
    acked: list[Told] = field(default_factory=list)
    dropped: list[Told] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    said: deque[bytes] = field(default_factory=deque)
    starts: int = 0
    waits_to_start: bool = False
    _links: deque[bytes] = field(default_factory=deque)
    _flying: bytes | None = None
    _told: Told | None = None
    _resends: int = 0
    _enquiries: int = 0
    _due: float = 0.0
    _next_at: float = 0.0
    _start_at: float | None = None
    _lrs: set[str] = field(default_factory=set)
    _described: bool = False
    _inside: bytearray | None = None
    _checking: bool = False
    _heard_at: float = 0.0
    _answer: int = NAK
    _answered_at: float = 0.0

    def open(self, now: float) -> None:
        """The line is there. Who is not up says LS at once."""
        if not self.up:
            self.start(now)

    def restart(self, now: float) -> None:
        """The program is started anew, in the middle of whatever it was doing: LS at once."""
        self._flying = self._told = self._inside = None
        self._checking = False
        self._answer = NAK
        self._links.clear()
        self._next_at = now
        self.start(now)

    def start(self, now: float) -> None:
        """LS, and again every twelve seconds until the description comes."""
        self.up = self._described = False
        self._lrs.clear()
        self.starts += 1
        self._links.clear()
        self._links.append(b"LS|DA260314|TI101500|")
        self._start_at = now + PATTERN_S
        self.tick(now)

    def end(self, now: float) -> None:
        """Say LE, and begin again a little later, as after closing the port."""
        self.up = self._described = False
        self._links.append(b"LE|DA260314|TI101500|")
        self._start_at = now + 4.0
        self.tick(now)

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called."""
        due = [] if self._start_at is None else [self._start_at]
        if self._flying is not None:
            due.append(self._due)
        elif self._links or (self.up and self.todo):
            due.append(self._next_at)
        return min(due, default=None)

    def tick(self, now: float) -> None:
        """Let what is due happen."""
        if self._flying is not None and now >= self._due:
            if self._enquiries < 3:
                self._enquiries += 1
                self._due = now + T2_S
                self.said.append(bytes([ENQ]))
            else:  # nobody is there: the record stays, the link begins anew
                self._flying = self._told = None
                self.start(now)
        if self._start_at is not None and now >= self._start_at:
            self._start_at = None
            if self._flying is None:
                self.start(now)
            else:
                self._start_at = now + 1.0
        if self._flying is None and now >= self._next_at:
            self._say_next(now)

    def _say_next(self, now: float) -> None:
        if self._links:
            self._flying = self._links.popleft()
        elif self.up and self.todo:
            self._told = self.todo[0]
            self._flying = self._told.body
            if self._told.first_at < 0:
                self._told.first_at = now
        else:
            return
        self._resends = 0
        self._transmit(now)
        if not self.ack:
            self._over(now, genuine=True)

    def _transmit(self, now: float) -> None:
        assert self._flying is not None
        frame = bytes([STX]) + self._flying + bytes([ETX])
        if self.ack:
            frame += bytes([xor_of(self._flying)])
        self.said.append(frame)
        self._enquiries = 0
        self._due = now + len(frame) * BYTE_S + T1_S

    def _over(self, now: float, *, genuine: bool) -> None:
        if self._told is not None:
            self._told.genuine = genuine
            self.acked.append(self._told)
            self.todo.popleft()
        self._flying = self._told = None
        self._next_at = now + TURNAROUND_S

    # --- In ---

    def hear(self, byte: int, genuine: bool, now: float) -> None:
        """One byte arrived. `genuine`: it is an answer that the gateway said as one."""
        if self._inside is not None and now - self._heard_at > GAP_S:
            self._inside, self._checking = None, False
            self._answer = NAK
        self._heard_at = now
        if self._checking:
            assert self._inside is not None
            body, self._inside, self._checking = bytes(self._inside), None, False
            if byte == xor_of(body):
                self._take(body, now)
            else:
                self._reply(NAK, now)
        elif self._inside is not None:
            self._hear_inside(byte, now)
        elif byte == STX:
            self._inside = bytearray()
        elif not self.ack:
            pass  # a lone byte on a line without answers means nothing
        elif byte == ENQ:
            late = now - self._answered_at > T1_S + T2_S
            self._reply(NAK if late else self._answer, now)
        else:
            self._answer = NAK
            self._hear_answer(byte, genuine, now)

    def _hear_inside(self, byte: int, now: float) -> None:
        assert self._inside is not None
        if byte == STX:
            self._answer = NAK
            self._inside = bytearray()
        elif byte == ETX and self.ack:
            self._checking = True
        elif byte == ETX:
            body, self._inside = bytes(self._inside), None
            self._take(body, now)
        elif byte == ENQ and self.ack:
            self._inside = None
            self._reply(NAK, now)
        else:
            self._inside.append(byte)

    def _hear_answer(self, byte: int, genuine: bool, now: float) -> None:
        """An unexpected byte is no answer: the ENQ at T1 asks for it, within what T2 allows."""
        if self._flying is None:
            return
        if byte == ACK:
            self._over(now, genuine=genuine)
        elif byte == NAK and self._resends < 3:
            self._resends += 1
            self._transmit(now)
        elif byte == NAK:  # dropped and logged, and on as if it had been acknowledged
            if self._told is not None:
                self.dropped.append(self._told)
                self.todo.popleft()
            self._flying = self._told = None
            self._next_at = now + TURNAROUND_S

    def _reply(self, answer: int, now: float) -> None:
        self._answer, self._answered_at = answer, now
        if self.ack:
            self.said.append(bytes([answer]))

    def _take(self, body: bytes, now: float) -> None:
        self._reply(ACK, now)
        match body[:3]:
            case b"LS|" if self.up:
                self._links.append(b"LA|DA260314|TI101500|")
            case b"LS|":
                self.start(now)
            case b"LD|":
                self._described = True
                self._lrs.clear()
                self._patience(now)
            case b"LR|":
                self._lrs.add(body[5:7].decode("latin-1"))
                self._patience(now)
            case b"LA|" if not self.up:
                if self._described and self._lrs >= MANDATORY:
                    self.up, self._start_at = True, None
                    self._links.append(b"LA|DA260314|TI101500|")
                else:
                    self.start(now)
            case b"LE|" if self.up:
                self._links.append(b"LE|DA260314|TI101500|")
                self.up = False
                self._start_at = now + 4.0
            case b"LA|" | b"LE|":
                pass  # not answered, or answered already
            case _ if not self.up:
                self.complaints.append(f"{body[:2]!r} while the link is down")
        self.tick(now)

    def _patience(self, now: float) -> None:
        if not self.up:
            self._start_at = now + PATTERN_S
