"""What a hotel day came to, and what its guests do and order."""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

from tests.torture.world import World, at_minute


@dataclass(slots=True)
class Day:
    """What one day came to. `wrong`: broken promises in words; empty: none."""

    seed: int
    wrong: list[str] = field(default_factory=list)
    told: deque[str] = field(default_factory=lambda: deque(maxlen=4000))
    records: int = 0
    calls: int = 0
    kills: int = 0
    faults: int = 0
    parked: int = 0
    messages: int = 0
    digest: str = ""


def deed(world: World, day: Day) -> None:
    """The PMS says something, or guests order something."""
    draw = world.rng.random()
    if draw < 0.03:
        for _ in range(world.rng.randrange(3)):
            world.hotel.silent_deed()
        records = world.hotel.resync()
    elif draw < 0.18:
        records = _order(world)
    else:
        records = world.hotel.random_deed()
    day.records += len(records)
    world.say(*records)


def _order(world: World) -> list[str]:
    """A guest wants to be called, or not any more, or not to be disturbed."""
    rng = world.rng
    room = rng.choice(world.hotel.rooms)
    stay = world.meaning.stays[world.hotel.phones[room]]
    if stay is None or not world.hotel.told[room]:
        return []
    wall = at_minute(world.clock.true_wall().replace(tzinfo=None))
    match rng.randrange(5):
        case 0 | 1:
            at = wall + timedelta(minutes=rng.choice((3, 30, 300, 1200)) + rng.randrange(60))
            stay.wake_ups.add(at)
            return [f"WR|RN{room}|DA{at:%y%m%d}|TI{at:%H%M}00|"]
        case 2 if stay.wake_ups:
            at = rng.choice(sorted(stay.wake_ups))
            stay.wake_ups.discard(at)
            return [f"WC|RN{room}|DA{at:%y%m%d}|TI{at:%H%M}00|"]
        case 3 if rng.random() < 0.5:
            stay.wake_ups.clear()
            return [f"WC|RN{room}|DA|TI|"]
        case _:
            stay.dnd = rng.random() < 0.5
            return [f"RE|RN{room}|DN{'Y' if stay.dnd else 'N'}|"]
