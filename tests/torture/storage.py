"""The disk: power cuts at every write, every write failing, bits turning over.

What was acknowledged is compared with what a disk that lost power (see `disk`) gives back. Three
disks that are known to lose must be reported as losing, or this harness proves nothing.
"""

import asyncio
import hashlib
import random
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import apsw

from gateway import logs
from gateway.house import House
from gateway.metrics import Metrics
from gateway.pipeline.intake import Intake
from gateway.simulators.hotel import Hotel
from gateway.store import (
    Batch,
    Heard,
    JournalLine,
    Refused,
    StorageCorrupt,
    StorageFailed,
    Store,
    Told,
)
from gateway.store.text import to_json
from protocols.fias import decode, normalize
from protocols.session import DataReceived
from tests.fakes import HandClock
from tests.torture.desk import intake_over
from tests.torture.disk import VFS_NAME, Disk, mount, unmount
from tests.torture.figures import Figure, counted, none_of
from tests.torture.virtual import VirtualLoop, VirtualWorker

_TABLES = (
    "SELECT * FROM room ORDER BY room",
    "SELECT * FROM ledger",
    "SELECT * FROM journal ORDER BY id",
    "SELECT * FROM refused ORDER BY id",
)


@contextmanager
def store_on(disk: Disk, folder: Path) -> Iterator[Store]:
    """A store on a disk; its handle is dropped as a crash does."""
    mount(disk, folder)
    store = None
    try:
        store = Store(folder / "outbox.db", vfs=VFS_NAME)
        yield store
    finally:
        fault, disk.fault, disk.on_operation = disk.fault, None, None
        if store is not None:
            store.engine._drop()
        disk.fault = fault
        unmount(folder)


def digest(store: Store) -> str:
    """Everything in the file."""
    everything = hashlib.sha256()
    with store.reading() as db:
        for select in _TABLES:
            for row in db.execute(select):
                everything.update(repr(row).encode())
    return everything.hexdigest()


def work(store: Store, rng: random.Random, number: int) -> None:
    """One of the things that a service does to its file, or several in one transaction."""
    with store.transaction():
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            _work(store, rng, number)


def _work(store: Store, rng: random.Random, number: int) -> None:
    rooms = [str(100 + rng.randrange(8)) for _ in range(rng.randrange(1, 4))]
    text = f"{number} " + "N" * rng.randrange(300)
    match rng.randrange(8):
        case 0 | 1 | 2 | 3:
            cause = ("GI|" * rng.randrange(40), float(number), bool(number % 2))
            heard = Heard(
                house=text if rng.random() < 0.8 else None,
                heard=(b"%d" % number, 1.0) if rng.random() < 0.5 else None,
                cause=cause if rng.random() < 0.8 else None,
            )
            refused = Refused(at=1.0, reason="lrc", body=text.encode(), advice="look at the cable")
            store.put(
                Batch(
                    rooms=dict.fromkeys(rooms, heard),
                    ledger=text if rng.random() < 0.3 else None,
                    refused=[refused] * (rng.random() < 0.2),
                )
            )
        case 4 | 5 | 6:
            line = JournalLine(at=float(number), room=rooms[0], call="update", result="0")
            told = [Told(room=room, actual=text, pending="x" * (number % 3)) for room in rooms]
            store.told(told, [line] * rng.randrange(3))
        case _ if rng.random() < 0.3:
            store.purge(float(number) - 20, float(number))
        case _:
            store.try_write()


@dataclass(slots=True)
class Cuts:
    """What power cuts left. `wrong`: images that had lost, torn or broken something."""

    images: int = 0
    lost: int = 0
    corrupt: int = 0
    wrong: list[str] = field(default_factory=list)


def power_cuts(
    seed: int, images: int, *, lies: bool = False, synchronous: str | None = None
) -> Cuts:
    """Work on a file and cut the power at every operation of the disk, so many times in all."""
    rng = random.Random(seed)
    cuts = Cuts()
    with tempfile.TemporaryDirectory() as name:
        live, left = Path(name, "live"), Path(name, "left")
        disk = Disk(lies=lies)
        with store_on(disk, live) as store:
            if synchronous is not None:  # a control; else as the store opens its file
                store.engine._db.pragma("synchronous", synchronous)
            store.engine._db.pragma("wal_autocheckpoint", rng.choice((10, 40, 1000)))
            before, number = digest(store), 0
            while cuts.images < images:
                number += 1
                taken: list[Disk] = []
                disk.on_operation = partial(_cut, disk, rng, taken)
                work(store, rng, number)
                disk.on_operation = None
                after = digest(store)
                for image in taken:
                    _judge(cuts, image, left, {before, after}, number)
                # Acknowledged from here on.
                for _ in range(2):
                    _judge(cuts, disk.after_power_loss(rng), left, {after}, number)
                before = after
    return cuts


def _cut(disk: Disk, rng: random.Random, taken: list[Disk], operation: str) -> None:
    if operation != "read":
        taken.append(disk.after_power_loss(rng))


def _judge(cuts: Cuts, image: Disk, folder: Path, allowed: set[str], number: int) -> None:
    cuts.images += 1
    try:
        with store_on(image, folder) as store:
            if digest(store) not in allowed:
                cuts.lost += 1
                cuts.wrong.append(f"step {number}: not what was acknowledged")
            elif found := store.audit():
                cuts.corrupt += 1
                cuts.wrong.append(f"step {number}: {found[0]}")
    except StorageFailed as error:
        cuts.corrupt += 1
        cuts.wrong.append(f"step {number}: {error}")


# --- Each operation fails once ---

FAULTS = {
    "input/output error": {
        "write": apsw.SQLITE_IOERR_WRITE,
        "sync": apsw.SQLITE_IOERR_FSYNC,
        "read": apsw.SQLITE_IOERR_READ,
        "truncate": apsw.SQLITE_IOERR_TRUNCATE,
        "delete": apsw.SQLITE_IOERR_DELETE,
        "open": apsw.SQLITE_CANTOPEN,
    },
    "disk full": {"write": apsw.SQLITE_FULL, "open": apsw.SQLITE_FULL},
    "half a write": {"write": -apsw.SQLITE_IOERR_WRITE},
}


def fault_at(kind: str, first: int, length: int, *, answers: bool, records: int) -> list[str]:
    """Take records while the disk fails from its operation `first` on. Returns what is wrong.

    A line that answers asks for each refused record again; one that does not waits with it. In
    the end each record has had its effect once, in order.
    """
    disk = Disk()
    disk.fault = lambda operation, number: (
        FAULTS[kind].get(operation) if first <= number < first + length else None
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with suppress(StorageFailed), store_on(disk, folder):
            pass  # the first open may fail: systemd starts us again
        fault, disk.fault = disk.fault, None
        with store_on(disk, folder) as store:
            disk.fault = fault
            meant = Meant(records)
            taken = _in_virtual_time(_take_all(store, meant, answers=answers))
            disk.fault = None
            assert disk.operations >= first, "the fault never came"
            wrong = store.audit() + meant.differs(taken, "in memory")
            wrong += meant.differs(_read_back(store), "on disk")
        image = disk.after_power_loss(random.Random(first))
        with store_on(image, folder) as store:
            wrong += meant.differs(_read_back(store), "after a power cut")
    return [f"{kind} at {first}+{length}, answers={answers}: {each}" for each in wrong]


class Meant:
    """A hotel's records and what they come to, each taken once, in order, on a disk that works."""

    def __init__(self, records: int) -> None:
        hotel = Hotel(rooms=tuple(str(room) for room in range(101, 109)), seed=7)
        self.texts: list[str] = []
        while len(self.texts) < records:
            # The same text twice in a row is a repeat on a line that answers.
            self.texts += [text for text in hotel.random_deed() if text not in self.texts]
        self.clock = HandClock()
        self.house = House(zone=self.clock.zone)
        self.causes: dict[str, str] = {}
        for text in self.texts:
            for fact in normalize(decode(text.encode("cp1252"), "cp1252")):
                told = self.house.apply(fact, self.clock.wall())
                self.causes |= dict.fromkeys(told.rooms, text)

    def differs(self, intake: Intake, where: str) -> list[str]:
        """How the house, what the UCM has to be told, and why, differ from what is meant.

        A record that had its effect twice shows in the counters of what was said outright, and in
        the numbers of the stays.
        """
        pairs = {
            "rooms": (intake.house.rooms, self.house.rooms),
            "ledger": (to_json(intake.house.ledger), to_json(self.house.ledger)),
            "waiting rooms": (
                set(intake.outbox.waiting),
                {room for room, kept in self.house.rooms.items() if not kept.is_unheard},
            ),
            "causes": (
                {room: entry.record for room, entry in intake.outbox.entries.items()},
                self.causes,
            ),
        }
        return [
            f"{where}: other {what}" for what, (is_so, meant) in pairs.items() if is_so != meant
        ]


async def _take_all(store: Store, meant: Meant, *, answers: bool) -> Intake:
    """Take the records until each is taken."""
    worker = VirtualWorker(store)
    intake = intake_over(worker, meant.clock, Metrics(version="1", site="x"), answers=answers)
    for text in meant.texts:
        body = text.encode("cp1252")
        read = [DataReceived(decode(body, "cp1252"), body)]
        for _ in range(200):
            try:
                await intake.take(list(read) if answers else read)
            except StorageFailed:
                continue
            break
        else:
            raise AssertionError("it was never taken")
    return intake


def _read_back(store: Store) -> Intake:
    """What a start from this file would know."""
    clock = HandClock()
    return intake_over(VirtualWorker(store), clock, Metrics(version="1", site="x"), answers=False)


def _in_virtual_time(what: Coroutine[Any, Any, Intake]) -> Intake:
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(what)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


# --- Bits that turn over ---


def flips(seed: int, count: int) -> tuple[int, int, int]:
    """Turn so many bits over, one at a time. Returns noticed, harmless, believed."""
    rng = random.Random(seed)
    noticed = harmless = believed = 0
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "outbox.db"
        store = Store(path)
        for number in range(60):
            work(store, rng, number)
        wanted = digest(store)
        store.close()
        whole = path.read_bytes()
        for _ in range(count):
            bits = bytearray(whole)
            bits[rng.randrange(len(bits))] ^= 1 << rng.randrange(8)
            path.write_bytes(bits)
            try:
                store = Store(path)
                try:
                    if store.audit():  # in a page that nothing has read yet
                        noticed += 1
                    elif digest(store) == wanted:
                        harmless += 1
                    else:
                        believed += 1
                finally:
                    store.engine._drop()
            except StorageCorrupt:
                noticed += 1
            except StorageFailed as error:
                noticed += 1
                if "newer version" not in str(error):
                    print(f"noticed otherwise: {error}", file=sys.stderr)
            for side in ("-wal", "-journal"):
                path.with_name(path.name + side).unlink(missing_ok=True)
    return noticed, harmless, believed


def torture(scale: float, seed: int) -> list[Figure]:
    """100,000 images, 2,000 operations failing in each way, 10,000 bits."""
    logs.set_up(quiet=True)
    share = max(200, int(100_000 * scale / 20))
    with ProcessPoolExecutor() as pool:
        cuts = list(pool.map(partial(power_cuts, images=share), range(seed, seed + 20)))
        controls = {
            "synchronous = NORMAL": pool.submit(power_cuts, seed, 2000, synchronous="NORMAL"),
            "synchronous = OFF": pool.submit(power_cuts, seed, 2000, synchronous="OFF"),
            "a disk that lies about sync": pool.submit(power_cuts, seed, 2000, lies=True),
        }
        step = max(1, int(1 / scale / 4))
        faults = [
            pool.submit(fault_at, kind, first, length, answers=answers, records=20 + first // 10)
            for kind in FAULTS
            for answers in (False, True)
            for first in range(1 + seed % step, 2000, step)
            for length in ((1, 2, 30) if first % 10 == 1 else (1, 2))
        ]
        failed = [text for future in faults for text in future.result()]
        noticed, harmless, believed = flips(seed, max(300, int(10_000 * scale)))
        lost = {word: future.result() for word, future in controls.items()}
    for text in [each for cut in cuts for each in cut.wrong][:10] + failed[:10]:
        print(text, file=sys.stderr)
    return [
        counted("disks after a power cut", sum(cut.images for cut in cuts)),
        none_of("of them without an acknowledged transaction", sum(cut.lost for cut in cuts)),
        none_of("of them damaged", sum(cut.corrupt for cut in cuts)),
        *(
            Figure(f"control, {word}: images that lost", control.lost + control.corrupt, "some",
                   ok=control.lost + control.corrupt > 0)
            for word, control in lost.items()
        ),
        counted("runs in which an operation of the disk failed", len(faults)),
        none_of("of them with a record lost, doubled or out of order", len(failed)),
        counted("bits turned over at rest, noticed", noticed),
        counted("bits turned over at rest, harmless", harmless),
        none_of("bits turned over at rest, believed", believed),
    ]  # fmt: skip
