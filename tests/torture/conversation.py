"""Whole conversations over a bad cable: what the PMS got acknowledged is in the house, once.

In virtual time. The events of the session are then taken in by the real intake, with the real
store, at the moments at which they came.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from gateway.metrics import Metrics
from gateway.pipeline.intake import Intake
from gateway.pipeline.kept import house_of
from gateway.store import Store, StoreWorker
from protocols.fias import FiasProfile, FiasSession
from protocols.session import DataReceived, LinkDown, LinkUp, SessionEvent
from tests.fakes import HandClock
from tests.torture.cable import STAMP, Cable, Way
from tests.torture.desk import intake_over
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.noise import Noise
from tests.torture.peer import Peer, Told

CONVERSATIONS: Final = 500
RECORDS: Final = 60
TWO_TIMEOUTS_S: Final = 60.0
"""Twice the 30 s in which a PMS must accept a description, or start again after its goodbye."""


@dataclass(slots=True)
class Story:
    """One conversation and what was seen of it."""

    cable: Cable
    said: list[bytes]
    heard: list[tuple[float, SessionEvent]] = field(default_factory=list)
    ups: list[bool] = field(default_factory=list)
    back_s: float = 0.0
    is_dead: bool = False

    @property
    def delivered(self) -> list[bytes]:
        """The bodies that went up, in order, repeats and all."""
        return [event.body for _, event in self.heard if isinstance(event, DataReceived)]


@dataclass(slots=True)
class Verdict:
    """Sums over all conversations."""

    sums: Counter[str] = field(default_factory=Counter)
    worst_back_s: float = 0.0


def conversations(scale: float, seed: int) -> list[Figure]:
    """All of them, and the judgement."""
    rng, verdict = random.Random(seed), Verdict()
    with TemporaryDirectory() as folder, desk(Path(folder)) as intake:
        for number in range(max(2, int(CONVERSATIONS * scale))):
            story = converse(random.Random(rng.random()), number)
            judge(story, verdict)
            asyncio.run(take_in(intake, story, verdict))
    sums = verdict.sums
    return [
        counted("conversations over a bad serial line, both ways", sums["conversations"]),
        counted("records the PMS got acknowledged", sums["acknowledged"]),
        counted("frames the session refused", sums["refused frames"]),
        counted("starts and ends of the link in the middle", sums["starts"]),
        none_of("acknowledged records that were not delivered", sums["lost"]),
        none_of("records delivered out of order", sums["disorder"]),
        none_of("acknowledged records that have not changed a room exactly once", sums["not once"]),
        none_of("conversations after which the file knows another house", sums["not on disk"]),
        counted("repeats after a lost answer that the intake recognised", sums["repeats"]),
        counted("lost to a byte that became an ACK on the way (no protocol's fault)", sums["forged"]),
        counted("lost to damage that passed its check (arithmetic)", sums["fooled"]),
        counted("lost whole, and the ACK before them repeated (the specification)", sums["vanished"]),
        none_of("LinkUp or LinkDown told twice in a row", sums["not in turn"]),
        none_of("links that stayed dead on a repaired line", sums["dead"]),
        at_most("until both sides are up on a repaired line, the worst, s",
                verdict.worst_back_s, TWO_TIMEOUTS_S),
    ]  # fmt: skip


def converse(rng: random.Random, number: int) -> Story:
    """Sixty records over a bad line on which everything else happens too; then it is repaired."""
    # Every third line loses whole writes besides; a real cable rarely does.
    lost = 0.01 if number % 3 == 0 else 0.0
    story = _story(rng, number, Noise.drawn(rng, lost_rate=lost), Noise.drawn(rng, lost_rate=lost))
    cable, peer = story.cable, story.cable.peer
    cable.open()
    peer.open(0.0)
    cable.settle()
    while peer.todo and cable.now < 3600:
        cable.run(cable.now + rng.expovariate(1 / 20), lambda: not peer.todo)
        _disturb(cable, rng)
    cable.to_gateway.noise.hush()
    cable.to_peer.noise.hush()
    cable.run(cable.now + 1.0)
    repaired_at = cable.now
    story.is_dead = not cable.run(cable.now + 600, lambda: peer.up and cable.session.is_up)
    story.back_s = cable.now - repaired_at
    tail = [b"GI|RN9%d|G#9%d|GNLast|GSN|" % (number, number)]
    story.said += tail
    peer.todo += map(Told, tail)
    peer.tick(cable.now)
    cable.settle()
    story.is_dead |= not cable.run(cable.now + 600, lambda: not peer.todo)
    return story


def _story(rng: random.Random, number: int, to_gateway: Noise, to_peer: Noise) -> Story:
    bodies: list[bytes] = []
    for each in range(RECORDS):
        room = guest = 100_000 + number * 100 + each  # nobody has been in this room before
        bodies.append(b"GI|RN%d|G#%d|GNGuest|GSN|" % (room, guest))
        if each % 7 == 0:
            bodies.append(bodies[-1])  # a PMS that says it twice
        if each % 3 == 2:
            bodies.append(b"GO|RN%d|G#%d|GSN|" % (room - 1, guest - 1))
    session = FiasSession(FiasProfile(pacing_s=rng.choice((0.0, 0.5))), lambda: STAMP)
    peer = Peer(ack=True, up=rng.random() < 0.2)
    peer.todo += map(Told, bodies)
    slow = rng.random() < 0.3
    cable = Cable(
        session=session,
        peer=peer,
        to_gateway=Way(rng, to_gateway),
        to_peer=Way(rng, to_peer),
        disk_s=(lambda: rng.random() * 2.0) if slow else float,
    )
    story = Story(cable, bodies)

    def told(event: SessionEvent, now: float) -> None:
        story.heard.append((now, event))
        if isinstance(event, LinkUp | LinkDown):
            story.ups.append(isinstance(event, LinkUp))

    cable.on_event = told
    return story


def _disturb(cable: Cable, rng: random.Random) -> None:
    """LS, LE, a pulled cable, or the gateway talking at the same time."""
    draw = rng.random()
    if draw < 0.15:
        cable.to_gateway.cut()  # perhaps in the middle of a frame
        cable.peer.restart(cable.now)
    elif draw < 0.3:
        cable.peer.end(cable.now)
    elif draw < 0.4:
        cable.lose()
        cable.run(cable.now + rng.random() * 20)
        cable.open()
    elif cable.session.is_up:
        cable.session.ask_for_resync(cable.now)
    cable.settle()


def judge(story: Story, verdict: Verdict) -> None:
    """Hold what the PMS believes against what went up."""
    sums, peer, delivered = verdict.sums, story.cable.peer, story.delivered
    known = set(story.said)
    sums["conversations"] += 1
    sums["acknowledged"] += len(peer.acked)
    sums["refused frames"] += sum(
        type(event).__name__ == "FrameRefused" for _, event in story.heard
    )
    sums["starts"] += sum(type(event).__name__ == "LinkStarted" for _, event in story.heard)
    for told in peer.acked:
        if told.body in delivered:
            continue
        if not told.genuine:
            sums["forged"] += 1
        elif not story.cable.arrived[told.body]:
            sums["vanished"] += 1
        elif any(
            now >= told.first_at and isinstance(event, DataReceived) and event.body not in known
            for now, event in story.heard
        ):
            sums["fooled"] += 1
        else:
            sums["lost"] += 1
    places = [story.said.index(body) for body in delivered if body in known]
    sums["disorder"] += sum(a > b for a, b in itertools.pairwise(places))
    sums["not in turn"] += sum(a is b for a, b in itertools.pairwise(story.ups))
    sums["dead"] += story.is_dead
    verdict.worst_back_s = max(verdict.worst_back_s, story.back_s)


# --- The real intake ---


class NotingWorker(StoreWorker):
    """The store's worker. `taken`: the records that have changed a room, as they were stored."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.taken: list[bytes] = []

    async def __call__(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        result = await super().__call__(method, *args, **kwargs)
        if method is Store.put:
            causes = {heard.cause[0]: None for heard in args[0].rooms.values() if heard.cause}
            self.taken += [record.encode("latin-1") for record in causes]
        return result


@contextmanager
def desk(folder: Path) -> Iterator[Intake]:
    """An intake over a new file."""
    store = NotingWorker(Store(folder / "outbox.db"))
    try:
        yield intake_over(store, HandClock(), Metrics(version="1", site="t"), answers=True)
    finally:
        store.close()


async def take_in(intake: Intake, story: Story, verdict: Verdict) -> None:
    """Everything that went up, at its moment; then each record must have changed its room once."""
    clock, store = intake.clock, intake.store
    assert isinstance(clock, HandClock)
    assert isinstance(store, NotingWorker)
    clock.wind(3600.0)
    began = clock.now()
    store.taken.clear()
    known = set(story.said)
    for now, event in story.heard:
        if isinstance(event, DataReceived) and event.body in known:
            clock.wind(max(0.0, began + now - clock.now()))
            await intake.take([event])
    wanted = [body for body, _ in itertools.groupby(story.delivered) if body in known]
    verdict.sums["not once"] += _differences(wanted, store.taken)
    on_disk, _ = house_of(await store(Store.load))
    verdict.sums["not on disk"] += on_disk != intake.house.rooms
    repeats = intake.metrics.registry.get_sample_value("pmsgw_records_repeated_total")
    verdict.sums["repeats"] = int(repeats or 0)


def _differences(wanted: Sequence[bytes], stored: Sequence[bytes]) -> int:
    """How many records are in one of the two and not, or not as often, in the other."""
    more, less = Counter(wanted), Counter(stored)
    wrong = sum(((more - less) + (less - more)).values())
    return wrong or int(list(wanted) != list(stored))
