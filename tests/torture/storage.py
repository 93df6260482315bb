"""The disk: power cuts at every write, every write failing, bits turning over.

What was acknowledged is compared with what a disk that lost power (see `disk`) gives back. Three
disks that are known to lose must be reported as losing, or this harness proves nothing.
"""

import asyncio
import hashlib
import random
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import apsw

from gateway import logs
from gateway.clock import Clock
from gateway.events import CheckIn, CheckOut, Guest, Move, Update
from gateway.house import House, Room
from gateway.intake import Intake
from gateway.metrics import Metrics
from gateway.outbox import (
    Batch,
    NewEntry,
    Outbox,
    OutboxWorker,
    StorageCorrupt,
    StorageFailed,
)
from gateway.rooms import RoomMap
from gateway.simulators.hotel import Hotel
from protocols.fias import decode, normalize
from protocols.session import DataReceived
from tests.torture.disk import VFS_NAME, Disk, mount, unmount
from tests.torture.figures import Figure, counted, none_of
from tests.torture.virtual import VirtualLoop

CAME = Clock(ZoneInfo("Europe/Lisbon")).stamp().replace(2026, 3, 14, 10, 0, 0, 0)
_TABLES = (
    "SELECT * FROM entry ORDER BY id",
    "SELECT * FROM house_room ORDER BY room",
    "SELECT * FROM house_ledger",
    "SELECT * FROM refused ORDER BY id",
    "SELECT * FROM tally ORDER BY lane, word",
)


@contextmanager
def outbox_on(disk: Disk, folder: Path) -> Iterator[Outbox]:
    """An outbox on a disk; its handle is dropped as a crash does."""
    mount(disk, folder)
    outbox = None
    try:
        outbox = Outbox(folder / "outbox.db", vfs=VFS_NAME)
        yield outbox
    finally:
        fault, disk.fault, disk.on_operation = disk.fault, None, None
        if outbox is not None:
            outbox._drop()
        disk.fault = fault
        unmount(folder)


def digest(outbox: Outbox) -> str:
    """Everything in the file."""
    everything = hashlib.sha256()
    with outbox.reading() as db:
        for select in _TABLES:
            for row in db.execute(select):
                everything.update(repr(row).encode())
    return everything.hexdigest()


def work(outbox: Outbox, rng: random.Random, number: int) -> None:
    """One of the things that a service does to its file."""
    guest = Guest(key=str(number), name="N" * rng.randrange(1, 60), came=CAME)
    room, other = (str(100 + rng.randrange(8)) for _ in range(2))
    due = outbox.due("to_ucm", 2.0)
    match rng.randrange(8):
        case 0 | 1 | 2 | 3:
            events = [CheckIn(room=room, guest=guest), Update(room=room, guest=guest), CheckOut(room=room),
                      Move(room=room, from_room=other, guest=guest)]  # fmt: skip
            entries = [
                NewEntry(
                    event=rng.choice(events), record="GI|" * rng.randrange(40), received_at=1.0
                )
                for _ in range(rng.randrange(4))
            ]
            rooms = {room: Room(guests=(guest,) * rng.randrange(4), told_out=bool(number % 2))}
            outbox.put(Batch(entries=entries, rooms=rooms, heard={room: (b"%d" % number, 1.0)}))
        case 4 if due:
            outbox.done([due[0]], float(number))
        case 5 if due:
            # Often to the last one: a row that is alone then is stored in another way.
            outbox.done(outbox.due("to_ucm", 2.0, 99), float(number))
        case 6 if due:
            outbox.park(due[0], float(number), "15: no")
        case 7 if due:
            outbox.later(due[0], 1.5, "busy", attempts=number, unsure=bool(number % 2))
        case _:
            parked = outbox.rows(["parked"], limit=1)
            if parked and rng.random() < 0.5:
                outbox.retry(parked[0].id)
            else:
                outbox.purge(float(number) - 20)


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
        with outbox_on(disk, live) as outbox:
            if synchronous is not None:  # a control; else as the outbox opens its file
                outbox._db.pragma("synchronous", synchronous)
            outbox._db.pragma("wal_autocheckpoint", rng.choice((10, 40, 1000)))
            before, number = digest(outbox), 0
            while cuts.images < images:
                number += 1
                taken: list[Disk] = []
                disk.on_operation = partial(_cut, disk, rng, taken)
                work(outbox, rng, number)
                disk.on_operation = None
                after = digest(outbox)
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
        with outbox_on(image, folder) as outbox:
            if digest(outbox) not in allowed:
                cuts.lost += 1
                cuts.wrong.append(f"step {number}: not what was acknowledged")
            elif found := outbox.audit():
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
        with suppress(StorageFailed), outbox_on(disk, folder):
            pass  # the first open may fail: systemd starts us again
        fault, disk.fault = disk.fault, None
        with outbox_on(disk, folder) as outbox:
            disk.fault = fault
            told = _take_all(outbox, disk, answers=answers, records=records)
            disk.fault = None
            assert disk.operations >= first, "the fault never came"
            wrong = outbox.audit()
            rows = [(row.room, row.event) for row in outbox.rows(["waiting"], limit=10**6)]
        if rows != told:
            wrong.append(f"{len(rows)} effects instead of {len(told)}, or in another order")
        image = disk.after_power_loss(random.Random(first))
        with outbox_on(image, folder) as outbox:
            kept = [(row.room, row.event) for row in outbox.rows(["waiting"], limit=10**6)]
        if kept != told:
            wrong.append("acknowledged, and gone after a power cut")
    return [f"{kind} at {first}+{length}, answers={answers}: {each}" for each in wrong]


def _take_all(outbox: Outbox, disk: Disk, *, answers: bool, records: int) -> list[tuple[str, str]]:
    """Take a hotel's records until each is taken. Returns the effects that they should have."""
    hotel = Hotel(rooms=tuple(str(room) for room in range(101, 109)), seed=7)
    texts: list[str] = []
    while len(texts) < records:
        # The same text twice in a row is a repeat on a line that answers.
        texts += [text for text in hotel.random_deed() if text not in texts]
    meant = House(zone=ZoneInfo("UTC"))
    house = House(zone=ZoneInfo("UTC"))
    loop = VirtualLoop()
    expected: list[tuple[str, str]] = []

    async def take() -> None:
        clock = Clock(ZoneInfo("UTC"))
        intake = Intake(
            house=house, rooms=RoomMap(), outbox=OutboxWorker(outbox), normalize=normalize,
            clock=clock, metrics=Metrics(version="1", site="x"), answers=answers,
        )  # fmt: skip
        for text in texts:
            body = text.encode("cp1252")
            for fact in normalize(decode(body, "cp1252")):
                events = meant.apply(fact, clock.wall()).events
                expected.extend((event.room, _word(event)) for event in events)
            read = [DataReceived(decode(body, "cp1252"), body)]
            for _ in range(200):
                try:
                    await intake.take(list(read) if answers else read)
                except StorageFailed:
                    continue
                break
            else:
                raise AssertionError("it was never taken")

    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(take())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert house.rooms == meant.rooms or _names(house) == _names(meant)
    return expected


def _names(house: House) -> dict[str, list[str]]:
    return {number: [guest.key for guest in room.guests] for number, room in house.rooms.items()}


def _word(event: object) -> str:
    from gateway.events import EVENT_NAMES

    return EVENT_NAMES[type(event)]  # type: ignore[index]  # it is one


# --- Bits that turn over ---


def flips(seed: int, count: int) -> tuple[int, int, int]:
    """Turn so many bits over, one at a time. Returns noticed, harmless, believed."""
    rng = random.Random(seed)
    noticed = harmless = believed = 0
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "outbox.db"
        outbox = Outbox(path)
        for number in range(60):
            work(outbox, rng, number)
        wanted = digest(outbox)
        outbox.close()
        whole = path.read_bytes()
        for _ in range(count):
            bits = bytearray(whole)
            bits[rng.randrange(len(bits))] ^= 1 << rng.randrange(8)
            path.write_bytes(bits)
            try:
                outbox = Outbox(path)
                try:
                    if outbox.audit():  # in a page that nothing has read yet
                        noticed += 1
                    elif digest(outbox) == wanted:
                        harmless += 1
                    else:
                        believed += 1
                finally:
                    outbox._drop()
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
