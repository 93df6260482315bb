"""A session and a PMS on one cable, both ways at once, in virtual time."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from protocols.fias import FiasSession
from protocols.session import DataReceived, RecordRefused, SessionEvent
from tests.torture.noise import ETX, STX, Noise
from tests.torture.peer import BYTE_S, Peer

STAMP: Final = datetime(2026, 3, 14, 10, 15)


def writes_of(output: bytes, *, lrc: bool) -> Iterator[bytes]:
    """The frames and the lone answers of what a session wants written."""
    position = 0
    while position < len(output):
        end = position + 1
        if output[position] == STX:
            end = output.index(ETX, position) + 1 + lrc
        yield output[position:end]
        position = end


@dataclass(slots=True)
class Way:
    """One direction of the cable: what is said here arrives there, late, in pieces, damaged."""

    rng: random.Random
    noise: Noise
    free_at: float = 0.0
    pieces: list[tuple[float, int, list[tuple[int, bool]]]] = field(default_factory=list)
    _count: int = 0

    def say(self, write: bytes, now: float) -> int:
        """Put one frame or one answer on the cable. Returns how many bytes of it will arrive."""
        begin = max(now, self.free_at)
        self.free_at = begin + len(write) * BYTE_S
        arrived = self.noise.carry(write)
        position = 0
        while position < len(arrived):
            size = self.rng.choice((1, 5, 16, 64))
            piece = arrived[position : position + size]
            position += len(piece)
            self._count += 1
            # Only an undamaged answer counts as one; a frame's byte that looks like it does not.
            piece = [(byte, said and len(write) == 1) for byte, said in piece]
            heapq.heappush(self.pieces, (begin + position * BYTE_S, self._count, piece))
        return len(arrived)

    def cut(self) -> None:
        """The cable is pulled, or the sender died: what has not arrived never will."""
        self.pieces.clear()
        self.free_at = 0.0

    def arrived(self, now: float) -> list[tuple[int, bool]] | None:
        """The next piece that is there by now."""
        if self.pieces and self.pieces[0][0] <= now:
            return heapq.heappop(self.pieces)[2]
        return None


@dataclass(slots=True)
class Cable:
    """Both ends and what is between them.

    on_event    told every event of the session, in order
    disk_s      how long the gateway stores what one read brought; it does not read meanwhile
    arrived     how many bytes of each record of the peer reached the gateway
    """

    session: FiasSession
    peer: Peer
    to_gateway: Way
    to_peer: Way
    on_event: Callable[[SessionEvent, float], None] = lambda *_: None
    disk_s: Callable[[], float] = float
    now: float = 0.0
    arrived: dict[bytes, int] = field(default_factory=dict)
    _owed: int = 0
    _stored_at: float = 0.0

    def open(self) -> None:
        """The gateway finds the line there."""
        self.session.opened(self.now)
        self.settle()

    def lose(self) -> None:
        """The cable is pulled; on a serial line only the gateway's adapter notices."""
        self.to_gateway.cut()
        self.to_peer.cut()
        self.session.lost(self.now)
        self._accept()
        self.settle()

    def run(self, until: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass. Returns whether `done` came true before it was over."""
        while not done():
            due = self._due()
            if due > until:
                self.now = until
                return done()
            self.now = max(self.now, due)
            self._happen()
        return True

    def settle(self) -> None:
        """Whatever both ends have to say now goes onto the cable."""
        while (event := self.session.next_event()) is not None:
            if isinstance(event, DataReceived | RecordRefused):
                if not self._owed:
                    self._stored_at = self.now + self.disk_s()
                self._owed += 1
            self.on_event(event, self.now)
        for write in writes_of(self.session.bytes_to_send(), lrc=self.session.profile.lrc):
            self.to_peer.say(write, self.now)
        while self.peer.said:
            write = self.peer.said.popleft()
            count = self.to_gateway.say(write, self.now)
            if len(write) > 1:
                body = write[1 : write.index(ETX)]
                self.arrived[body] = self.arrived.get(body, 0) + count

    def _due(self) -> float:
        """When something happens next; a gateway that waits for its disk does nothing else."""
        due = [self.peer.deadline]
        if self.to_peer.pieces:
            due.append(self.to_peer.pieces[0][0])
        if self._owed:
            due.append(self._stored_at)
        else:
            due.append(self.session.deadline)
            if self.to_gateway.pieces:
                due.append(self.to_gateway.pieces[0][0])
        return min((each for each in due if each is not None), default=float("inf"))

    def _happen(self) -> None:
        while (piece := self.to_peer.arrived(self.now)) is not None:
            for byte, genuine in piece:
                self.peer.hear(byte, genuine, self.now)
        self.peer.tick(self.now)
        if self._owed and self.now >= self._stored_at:
            self._accept()
        while not self._owed and (piece := self.to_gateway.arrived(self.now)) is not None:
            if self.session.state != "closed":
                self.session.receive_data(bytes(byte for byte, _ in piece), self.now)
            self.settle()
            if self._owed and self.now >= self._stored_at:
                self._accept()
        if not self._owed:
            self.session.handle_timeout(self.now)
        self.settle()

    def _accept(self) -> None:
        for _ in range(self._owed):
            self.session.accept(self.now)
        self._owed = 0
