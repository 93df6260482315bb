"""Noisy frames: nothing that fails its check becomes an event, and one good frame restores step."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from protocols.fias import FiasProfile, FiasSession
from protocols.session import DataReceived, Direction, LinkRecord, RecordRefused
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.noise import Noise, framed, passing

FRAMES: Final = 1_000_000
BURST: Final = 50

_PATTERNS: Final = (
    b"GI|RN%d|G#4711|GNM\xfcller|GSN|", b"GO|RN%d|G#4711|GSN|", b"GC|RN%d|G#4711|GNBerger|RO101|",
    b"RE|RN%d|MLN|", b"RE|RN%d|MLY|", b"RE|RN%d|RS1|", b"WR|RN%d|DA260106|TI063000|",
    b"LS|DA260105|TI08%d|", b"LA|DA260105|TI08%d|", b"LE|DA260105|TI08%d|", b"LC|A0%d|",
    b"DS|DA%d|", b"DE|DA%d|", b"ZZ|XX%d|", b"GI%d",
)  # fmt: skip
"""Records of the link and of the hotel; `RE` over all rooms has every control byte as its check."""


@dataclass(slots=True)
class Tally:
    """What was fed, and what came of it."""

    frames: int = 0
    damaged: int = 0
    events: int = 0
    fooled: int = 0
    unchecked: int = 0
    bursts: int = 0
    first_lost: int = 0
    most_lost: int = 0


def noisy_frames(scale: float, seed: int) -> list[Figure]:
    """The session under noisy frames, with and without answers, cut anywhere."""
    rng, tally = random.Random(seed), Tally()
    for ack in (True, False):
        session = FiasSession(FiasProfile(ack=ack, lrc=True), lambda: datetime(2026, 3, 14))
        session.opened(0.0)
        now = 0.0
        for _ in range(max(1, int(FRAMES * scale / BURST / 2))):
            now += 10.0
            _burst(session, rng, now, tally)
    return [
        counted("noisy frames fed to the session", tally.frames),
        counted("of them damaged, lost or doubled", tally.damaged),
        counted("damaged, and passed their check by arithmetic (two flips, one column)", tally.fooled),
        none_of(f"events of a frame that fails its check, of {tally.events:,} events", tally.unchecked),
        at_most("good frames lost after a burst of noise, the worst", tally.most_lost, 1),
        counted(f"bursts that cost a good frame, of {tally.bursts:,}", tally.first_lost),
    ]  # fmt: skip


def _burst(session: FiasSession, rng: random.Random, now: float, tally: Tally) -> None:
    """Fifty noisy frames and three good ones at once, without a pause that would help."""
    noise = Noise.drawn(rng, lost_rate=0.01, twice_rate=0.01)
    stream, said = bytearray(), set()
    for _ in range(BURST):
        body = rng.choice(_PATTERNS) % rng.randrange(100, 1000)
        said.add(body)
        frame = framed(body)
        arrived = bytes(byte for byte, _ in noise.carry(frame))
        tally.damaged += arrived != frame
        stream += arrived
    tally.frames += BURST
    if rng.random() < 0.2:
        # The worst end for the frame behind: its own STX may be taken for our check byte.
        stream += framed(b"GO|RN1|")[: rng.randrange(1, 10)]
    good = [b"GO|RN9%d|G#%d|GSN|" % (each, tally.bursts) for each in range(3)]
    stream += b"".join(map(framed, good))

    judged = passing(bytes(stream))
    tally.fooled += sum(body not in said and body not in good for body in judged)
    heard = list(_events(session, bytes(stream), rng, now))
    tally.events += len(heard)
    candidates = iter(judged)
    for text, whole in heard:  # in the order of the stream, each with a passed check of its own
        if not any(body == text if whole else body.startswith(text) for body in candidates):
            tally.unchecked += 1
            break
    lost = next((at for at, body in enumerate(good) if (body, True) in heard), len(good))
    tally.first_lost += lost > 0
    tally.most_lost = max(tally.most_lost, lost)
    tally.bursts += 1


def _events(
    session: FiasSession, stream: bytes, rng: random.Random, now: float
) -> Iterator[tuple[bytes, bool]]:
    """The body of each record the session reports; of a link record only its id, and False."""
    position = 0
    while position < len(stream):
        size = rng.choice((1, 7, 64, 999))
        session.receive_data(stream[position : position + size], now)
        position += size
        while (event := session.next_event()) is not None:
            match event:
                case DataReceived(body=body) | RecordRefused(body=body):
                    session.accept(now)
                    yield body, True
                case LinkRecord(record, Direction.IN):
                    yield record.record_id.encode(), False
        session.bytes_to_send()
    session.handle_timeout(now)
