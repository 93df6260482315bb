"""The lane to the PMS under `kill -9`: the real program, killed again and again while it posts.

Each round a few calls end, and the service is killed somewhere between reading them and the PMS's
answers. In the end each call is on a bill once, or an operator can see that nobody knows: none is
lost, none is on a bill twice.
"""

import asyncio
import json
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gateway.back.states import State
from gateway.line import ListenSpec, opener_for
from gateway.simulators.pms import PmsSimulator
from gateway.simulators.ucm import UcmSimulator
from gateway.store import Store
from tests.torture.figures import Figure, counted, none_of

SETTLED_S = 20.5
CALLS_A_ROUND = 3


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `open`: postings that an operator has to look at, by their state."""

    kills: int
    calls: int
    booked: int
    open: Counter
    broken: list


async def run(kills: int, seed: int) -> Outcome:
    """So many kills. Takes half a minute, and about a second for each."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ucm = UcmSimulator(seed=seed)
        ucm.rooms.add("101")
        listener = opener_for(ListenSpec("127.0.0.1", 0))
        await listener.listen()
        pms = PmsSimulator(opener=listener, lrc=False, ack=False, start_again_s=0.5)
        pms.cashier.answers = lambda _: rng.choice(["OK", "OK", "OK", ""])
        ucm_port = await ucm.start(None)
        config = folder / "gateway.toml"
        config.write_text(_CONFIG.format(folder=folder, pms=listener.port, ucm=ucm_port))
        playing = asyncio.create_task(pms.run())
        service = _start(config)
        try:
            pms.say("GI|RN101|G#4711|GNRossi|GA260101|GSN|")
            async with asyncio.timeout(30):
                while not ucm.rooms.rooms["101"].is_in:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(SETTLED_S + 2)  # calls that end from now on are settled at once
            for number in range(kills):
                for part in range(CALLS_A_ROUND):
                    ended = ucm.phones.epoch() - SETTLED_S
                    ucm.phones.call("101", f"{number:05}{part}", talk_s=part, ring_s=0, ended=ended)
                await asyncio.sleep(rng.uniform(0.8, 3.2))
                service.send_signal(signal.SIGKILL)
                service.wait()
                pms.cashier.waits_no_more()
                service = _start(config)
            pms.cashier.answers = lambda _: "OK"
            await asyncio.sleep(12)
            service.terminate()
            await asyncio.to_thread(service.wait)
        finally:
            service.kill()
            service.wait()
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            await listener.close()
            await ucm.stop()
        return _judge(kills, pms, ucm, folder)


def _judge(kills: int, pms: PmsSimulator, ucm: UcmSimulator, folder: Path) -> Outcome:
    store = Store(folder / "data" / "outbox.db")
    every = tuple(state.value for state in State)
    rows = {json.loads(row.body)["digits"]: row for row in store.postings(every, 10**6)}
    store.close()
    heard = Counter(posting.dialled for posting in pms.cashier.heard)
    billed = {posting.dialled for posting in pms.cashier.booked}
    charged = {record["dst"] for record in ucm.phones.records if record["billsec"] != "0"}
    broken = [f"{digits} was sent {count} times" for digits, count in heard.items() if count > 1]
    broken += [f"{digits} is lost" for digits in charged - rows.keys()]
    for digits, row in rows.items():
        if row.state == State.WAITING.value:
            broken.append(f"{digits} still waits")
        if row.state == State.BOOKED.value and digits not in billed:
            broken.append(f"{digits} is said to be booked and is on no bill")
    broken += [each for each in pms.cashier.complaints if "twice" in each]
    open_ = Counter(row.state for row in rows.values() if row.state != State.BOOKED.value)
    return Outcome(kills, len(charged), len(billed), open_, broken)


def _start(config: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", "run", "--config", str(config)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


_CONFIG = """
[site]
data_dir = "{folder}/data"
[pms]
line = "tcp:127.0.0.1:{pms}"
[fias]
record_pacing_ms = 0
[ucm]
url = "http://127.0.0.1:{ucm}/api"
username = "pmsgw"
password = "api-secret"
pms_username = "hotel"
pms_password = "pms-secret"
tls = "insecure"
[back]
charges = "timed"
poll_s = 1
answer_s = 1
[http]
listen = "127.0.0.1:0"
"""


def torture(scale: float, seed: int) -> list[Figure]:
    """1,000 kills."""
    outcome = asyncio.run(run(max(5, int(1000 * scale)), seed))
    for text in outcome.broken[:10]:
        print(text, file=sys.stderr)
    return [
        counted("kills", outcome.kills),
        counted("calls", outcome.calls),
        counted("on the bills", outcome.booked),
        counted("unknown, for an operator", outcome.open[State.UNKNOWN.value]),
        none_of("calls that are lost, doubled or stuck", len(outcome.broken)),
    ]
