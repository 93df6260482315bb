"""`simulate`: the two simulators on their own, for a site test or a lab."""

import asyncio
import contextlib
import random
import signal
from collections.abc import Callable
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from gateway.clock import local_zone
from gateway.line import LineSpec, SerialSpec, opener_for
from gateway.simulators.cable import PtyOpener
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.charge_port import NO_ANSWER, YES, ChargePort
from gateway.simulators.hotel import Hotel
from gateway.simulators.lodge import Lodge
from gateway.simulators.mitel_pms import MitelPms
from gateway.simulators.phone import PhoneSimulator
from gateway.simulators.pms import PmsSimulator
from gateway.simulators.ucm import UcmSimulator
from protocols.dialects import DIALECTS
from protocols.stream import NAK


async def pms(
    show: Callable[[str], None],
    *,
    line: LineSpec | None,
    lrc: bool | None,
    ack: bool | None,
    charset: str,
    script: list[str] | None,
    rooms: tuple[str, ...],
    seed: int,
    records: int,
    every_s: float,
    answer: str = "OK",
) -> bool:
    """Play a PMS until its records are said. Returns False when the gateway broke a rule.

    line        None: a new pseudo-terminal, whose path is printed
    script      records to say; None: a random day from `seed`
    records     how many deeds a random day has; 0: without an end
    answer      the AS of the answer to every charge; empty: none
    """
    opener = PtyOpener() if line is None else opener_for(line)
    serial = line is None or isinstance(line, SerialSpec)
    hotel = Hotel(rooms=rooms, seed=seed, today=datetime.now(local_zone()).date())
    player = PmsSimulator(
        opener=opener,
        lrc=serial if lrc is None else lrc,
        ack=serial if ack is None else ack,
        charset=charset,
        every_room=lambda: hotel.resync()[1:-1],
        on_record=lambda text, from_gateway: show(f"{'gw >' if from_gateway else 'pms>'} {text}"),
        on_failure=lambda why: show(f"# {why}; trying again"),
    )
    player.cashier.answers = lambda _: answer
    show(f"# PMS on {opener.describe()}, lrc {player.lrc}, ack {player.ack}")
    async with asyncio.TaskGroup() as group:
        playing = group.create_task(player.run())
        await player.link_up()
        pace = random.Random(seed)
        deeds = (hotel.random_deed() for _ in (range(records) if records else count()))
        for record in chain.from_iterable(deeds) if script is None else script:
            player.say(record)
            await player.all_said()
            await asyncio.sleep(every_s * (0.5 + pace.random()))
        await asyncio.sleep(1.0)
        playing.cancel()
    complaints = player.complaints + player.cashier.complaints
    for complaint in complaints:
        show(f"# COMPLAINT {complaint}")
    return not complaints


async def mitel(
    show: Callable[[str], None],
    *,
    line: LineSpec | None,
    script: list[str] | None,
    rooms: tuple[str, ...],
    seed: int,
    records: int,
    every_s: float,
) -> bool:
    """The same for a PMS that speaks as to a Mitel. Returns False when a text was refused."""
    opener = PtyOpener() if line is None else opener_for(line)
    lodge = Lodge(rooms, seed)
    player = MitelPms(
        opener=opener,
        on_record=lambda text, from_gateway: show(f"{'gw >' if from_gateway else 'pms>'} {text}"),
    )
    show(f"# PMS on {opener.describe()}, Mitel")
    async with asyncio.TaskGroup() as group:
        playing = group.create_task(player.run())
        pace = random.Random(seed)
        deeds = (lodge.random_deed() for _ in (range(records) if records else count()))
        for text in chain.from_iterable(deeds) if script is None else script:
            player.say(text)
            await player.all_said()
            await asyncio.sleep(every_s * (0.5 + pace.random()))
        await asyncio.sleep(1.0)
        playing.cancel()
    for text in (*player.refused, *player.complaints):
        show(f"# COMPLAINT {text}")
    return not player.refused and not player.complaints


async def charge_port(
    show: Callable[[str], None], *, line: LineSpec | None, protocol: str, answer: str
) -> bool:
    """Hear call records until interrupted. Returns False when one was against the rules.

    answer  OK: each is answered with ACK, where that is usual; anything else: NAK; empty: none is
    """
    opener = PtyOpener() if line is None else opener_for(line)
    describe = DIALECTS[protocol].describe
    assert describe is not None  # these dialects explain themselves

    def tell(record: bytes) -> None:
        show(f"gw > {record.decode('ascii', 'replace')}")
        show(f"     {describe(record)[1]}")

    player = ChargePort(opener, protocol, on_record=tell)
    says = YES if answer == "OK" else bytes([NAK])
    player.answer = lambda _: says if answer and protocol != "smdr" else NO_ANSWER
    show(f"# charge port on {opener.describe()}, {protocol}")
    with contextlib.suppress(asyncio.CancelledError):
        await player.run()
    for text in player.complaints:
        show(f"# COMPLAINT {text}")
    return not player.complaints


async def ucm(
    show: Callable[[str], None],
    *,
    host: str,
    port: int,
    old_port: int | None,
    rooms: tuple[str, ...],
    username: str,
    password: str,
    pms_username: str,
    pms_password: str,
    folder: Path,
    shape: str,
    latency_s: float,
    plain: bool,
) -> None:
    """A UCM until it is interrupted. Its certificate is made in `folder`, and kept there."""
    simulator = UcmSimulator()
    simulator.rooms.add(*rooms)
    simulator.settings.username, simulator.settings.password = username, password
    simulator.settings.pms_username, simulator.settings.pms_password = pms_username, pms_password
    simulator.settings.shape, simulator.settings.latency_s = shape, latency_s
    simulator.on_call = lambda call: show(f"{call.action:<10} {call.room:<8} [{call.code}]")
    pem = None
    if not plain:
        pem = await asyncio.to_thread(_certificate_in, folder)
    scheme = "http" if plain else "https"
    bound = await simulator.start(pem, host=host, port=port)
    show(f"# new API  {scheme}://{host}:{bound}/api")
    show(f"# old API  {scheme}://{host}:{bound}/pmsapi")
    if old_port is not None:
        also = await simulator.start(pem, host=host, port=old_port)
        show(f"# old API  {scheme}://{host}:{also}/pmsapi")
    show(f"# control  {scheme}://{host}:{bound}/_sim/rooms  /journal  /faults  /reboot  /unban")
    show("#          /calls  /maids  /messages  /wake_ups  /rings  /minibars: see --help")
    # These are invented, or the caller's own: who runs a simulator pastes them.
    show(f'# username = "{username}", password = "{password}"')
    show(f'# pms_username = "{pms_username}", pms_password = "{pms_password}"')
    ws = simulator.settings
    show(f'# ws_username = "{ws.ws_username}", ws_password = "{ws.ws_password}"')
    if pem is not None:
        show(f'# fingerprint = "{fingerprint_of(pem)}"')
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    await simulator.stop()


def _certificate_in(folder: Path) -> Path:
    """The certificate of an earlier start, so that a pin stays right; else a new one."""
    folder.mkdir(parents=True, exist_ok=True)
    return next(iter(sorted(folder.glob("*.pem"))), None) or write_certificate(folder)


async def phone(
    show: Callable[[str], None], host: str, simulator: PhoneSimulator, port: int
) -> None:
    """Play a phone until somebody ends it; each action is told."""
    simulator.on_done = show
    await simulator.start(port, host)
    show(f"# {simulator.model} {simulator.firmware} on http://{host}:{simulator.port}"
         f" ({simulator.generation}), user {simulator.username}")  # fmt: skip
    await asyncio.Event().wait()
