"""Ten minutes of fast hotel days with faults on both sides; ends in agreement or says where not.

python -m tests.soak --minutes 10 [--serial] [--seed 1] [--protocol mitel]
"""

import argparse
import asyncio
import random
import resource
import sys
import tempfile
from pathlib import Path

from gateway import logs
from gateway.demo import ROOMS, STAGES, LodgeStage, Stage

FAULTS = ("drop", "reset", "html", "half", "cookie", "garbage", "empty", "slow")


async def soak(minutes: float, *, serial: bool, seed: int, protocol: str) -> bool:
    """One soak. Prints a line a minute, returns whether all rooms agreed each time."""
    rng = random.Random(seed)
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        async with STAGES[protocol](Path(folder), serial=serial, rooms=ROOMS, seed=seed) as on:
            until, round_, records, disagreements = loop.time() + minutes * 60, 0, 0, 0
            while loop.time() < until:
                round_ += 1
                records += await _round(on, rng, serial=serial)
                on.ucm.faults.clear()
                on.pms.damage = None
                differences = await on.settle(120)
                disagreements += bool(differences)
                status = await on.service.status()
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                print(
                    f"round {round_}: {records} records, {len(on.ucm.journal)} requests, "
                    f"{on.pms.links} links, {on.ucm.logins} logins, {on.ucm.failed_logins} failed, "
                    f"parked {status['outbox']['parked']}, {memory} MiB, "
                    f"{differences or 'agreed'}",
                    flush=True,
                )
            return disagreements == 0


async def _round(on: Stage | LodgeStage, rng: random.Random, *, serial: bool) -> int:
    """A burst of deeds while things go wrong, then a resync as after an outage."""
    said, hotel = 0, on.hotel if isinstance(on, Stage) else on.lodge
    for _ in range(30):
        if rng.random() < 0.3:
            kind = rng.choice(FAULTS)
            on.ucm.fail(kind, times=rng.randrange(1, 4), value=0.3 if kind == "slow" else 0)
        if rng.random() < 0.1:
            on.ucm.fail("code", times=1, value=rng.choice((-9, -45 if rng.random() < 0.1 else -25)))
        if serial and rng.random() < 0.3:
            on.pms.damage = lambda frame: _damaged(frame, rng)
        records = hotel.random_deed()
        if rng.random() < 0.2:
            records = records * (1 if len(records) > 1 else 2)
        on.pms.say(*records)
        said += len(records)
        if rng.random() < 0.05:
            on.ucm.reboot()
        if rng.random() < 0.05:
            await on.pms.all_said()
            await asyncio.sleep(0.1)  # TCP without ACK: what dies in a socket is the PMS's loss
            if not serial:
                on.pms.cut()
            elif isinstance(on, Stage):
                on.pms.start_again()
        await asyncio.sleep(rng.random() * 0.1)
    async with asyncio.timeout(120):
        await on.pms.all_said()
    for _ in range(rng.randrange(4)):
        hotel.silent_deed()
    resync = hotel.resync()
    on.pms.say(*resync)
    return said + len(resync)


def _damaged(frame: bytes, rng: random.Random) -> bytes:
    """Now and then one bit is wrong; the check byte finds it, or the next resync, where there is none."""
    if rng.random() < 0.85 or len(frame) < 2:
        return frame
    at = rng.randrange(1, len(frame))
    return frame[:at] + bytes([frame[at] ^ (1 << rng.randrange(8))]) + frame[at + 1 :]


def main() -> None:
    """Arguments, and the verdict as exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--serial", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--protocol", choices=STAGES, default="fias")
    given = parser.parse_args()
    logs.set_up(quiet=True)
    agreed = asyncio.run(
        soak(given.minutes, serial=given.serial, seed=given.seed, protocol=given.protocol)
    )
    print("Every room agreed, every time." if agreed else "Rooms did not agree.")
    sys.exit(0 if agreed else 1)


if __name__ == "__main__":
    main()
