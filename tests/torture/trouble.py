"""Everything that goes wrong in a cupboard, one fault at a time."""

import asyncio
from contextlib import suppress

import apsw

from gateway.service.app import StartFailed
from gateway.store import StorageFailed
from tests.torture.deeds import Day, deed
from tests.torture.world import World

SICK = ("15", "17", "18")
"""With these codes a UCM refuses a room for good."""


class Trouble:
    """Everything that goes wrong in a cupboard."""

    def __init__(self, world: World, day: Day, note) -> None:
        self._world, self._day, self._note = world, day, note

    async def strike(self) -> None:
        """One fault; some last for a while, and others come meanwhile."""
        world, rng = self._world, self._world.rng
        kinds = (self._room_refused, self._operator_tries, self._ucm_fault, self._ucm_code, self._ucm_away, self._ucm_reboot, self._line_pulled,
                 self._line_noise, self._pms_again, self._gateway_killed, self._disk_fails,
                 self._disk_full, self._clock_jumps)  # fmt: skip
        kind = rng.choice(kinds)
        self._note(f"fault {kind.__name__}")
        self._day.faults += 1
        await kind()
        if world.service is None:
            await self._restart()

    async def clear(self) -> None:
        """Calm weather: everything works from now on."""
        world = self._world
        world.ucm.faults[:] = [fault for fault in world.ucm.faults if fault.times < 0]
        world.ucm.wedged = False
        world.peer.is_away = False
        world.cable.plug()
        world.cable.noise = 0.0
        world.disk.fault = None
        world.clock.off_s = 0.0
        if world.service is None:
            await self._restart()

    async def _restart(self) -> None:
        world = self._world
        for _ in range(100):
            try:
                world.switch_on()
            except StartFailed:  # the disk is still full: systemd tries again
                await asyncio.sleep(5)
                if world.rng.random() < 0.2:
                    world.disk.fault = None
            else:
                return
        raise AssertionError("it never started again")

    def mend(self) -> None:
        """No room is refused any more."""
        self._world.ucm.faults.clear()

    async def _room_refused(self) -> None:
        """From now on the UCM says no to everything about one room."""
        world, rng = self._world, self._world.rng
        phone, code = rng.choice(tuple(world.meaning.orders)), int(rng.choice(SICK))
        world.ucm.fail("code", value=code, room=phone, times=-1)
        for _ in range(rng.randrange(3)):
            deed(world, self._day)

    async def _operator_tries(self) -> None:
        """One who has mended the cause, or only hopes so."""
        world, rng = self._world, self._world.rng
        sick = [fault for fault in world.ucm.faults if fault.times < 0]
        if sick and rng.random() < 0.7:
            world.ucm.faults.remove(rng.choice(sick))
        with suppress(StorageFailed):
            await world.retry_parked()

    async def _ucm_fault(self) -> None:
        rng = self._world.rng
        kind = rng.choice(("drop", "reset", "hang", "slow", "drip", "html", "empty", "half",
                           "garbage", "cookie"))  # fmt: skip
        self._world.ucm.fail(kind, times=rng.choice((1, 1, 3, 10)), value=rng.choice((0.5, 3, 14)))

    async def _ucm_code(self) -> None:
        rng = self._world.rng
        code = rng.choice((-5, -6, -7, -8, -9, -25, -41, -45, -46, -51, -57))
        action = rng.choice((None, "checkin", "checkout", "mov", "update"))
        # No more refusals in a row than a row has tries: a parked row is right, but no calm.
        self._world.ucm.fail("code", value=code, action=action, times=rng.choice((1, 2)))

    async def _ucm_away(self) -> None:
        world = self._world
        world.peer.is_away = True
        for _ in range(world.rng.choice((1, 1, 1, 1, 6))):
            await asyncio.sleep(world.rng.choice((1, 30, 600, 3600)))
            for _ in range(world.rng.randrange(6)):
                deed(world, self._day)
        await asyncio.sleep(world.rng.choice((1, 30, 600)))
        world.peer.is_away = False

    async def _ucm_reboot(self) -> None:
        world = self._world
        world.ucm.wedged = world.rng.random() < 0.5
        await asyncio.sleep(world.rng.choice((1, 200)))
        world.peer.is_away = True
        await asyncio.sleep(120)
        world.peer.forget()
        world.ucm.reboot()
        world.peer.is_away = False

    async def _line_pulled(self) -> None:
        world = self._world
        world.cable.pull()
        for _ in range(world.rng.choice((1, 1, 1, 10))):
            await asyncio.sleep(world.rng.choice((0.005, 1, 30, 400, 1200)))
            deed(world, self._day)
        world.cable.plug()

    async def _line_noise(self) -> None:
        world = self._world
        world.cable.noise = world.rng.choice((1e-4, 1e-3, 1e-2))
        for _ in range(world.rng.randrange(5)):
            deed(world, self._day)
        await asyncio.sleep(world.rng.choice((5, 60)))
        world.cable.noise = 0.0

    async def _pms_again(self) -> None:
        self._world.pms.start_again()

    async def _gateway_killed(self) -> None:
        world = self._world
        for _ in range(world.rng.randrange(4)):
            deed(world, self._day)
        await asyncio.sleep(world.rng.random() * world.rng.choice((0.05, 0.5, 20)))
        self._day.kills += 1
        await world.kill(power=world.rng.random() < 0.5)
        await asyncio.sleep(world.rng.choice((0.1, 2, 60)))

    async def _disk_fails(self) -> None:
        world, rng = self._world, self._world.rng
        at = world.disk.operations + rng.randrange(1, 40)
        code = rng.choice(
            (apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_FSYNC, -apsw.SQLITE_IOERR_WRITE)
        )
        wanted = "sync" if code == apsw.SQLITE_IOERR_FSYNC else "write"
        last = at + rng.choice((0, 3, 100))

        def fault(operation: str, number: int) -> int | None:
            return code if operation == wanted and at <= number <= last else None

        world.disk.fault = fault
        for _ in range(rng.randrange(1, 4)):
            deed(world, self._day)
        await asyncio.sleep(rng.choice((1, 20)))
        world.disk.fault = None

    async def _disk_full(self) -> None:
        world, rng = self._world, self._world.rng
        world.disk.fault = lambda operation, _: (
            apsw.SQLITE_FULL if operation in ("write", "open") else None
        )
        for _ in range(rng.randrange(1, 4)):
            deed(world, self._day)
        await asyncio.sleep(rng.choice((1, 30, 300)))
        world.disk.fault = None

    async def _clock_jumps(self) -> None:
        world, rng = self._world, self._world.rng
        world.meaning.was_late()
        world.clock.off_s = rng.choice((-3600, 3600, 86400, -86400 * 20000, -7200.5, 0))
        deed(world, self._day)
        await asyncio.sleep(rng.choice((5, 600)))
        world.clock.off_s = 0.0
        world.meaning.was_late()
