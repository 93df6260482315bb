"""House, store, outbox and relay of one hotel in front of a model UCM, without line and network.

Time is wound by hand, the store is a real file, and the UCM (`gateway.simulators.pbx`) does what it
is told, refuses, or loses a reply before or after the call was done. Its mailboxes hold the
accounts for which messages were left.
"""

from functools import cache

from gateway.drivers.base import Unreachable
from gateway.drivers.ucm.driver import UcmDriver
from gateway.drivers.ucm.listing import rooms_in
from gateway.drivers.ucm.replies import Reply
from gateway.drivers.ucm.requests import Words
from gateway.house import House
from gateway.house.wake_ups import next_of
from gateway.metrics import Metrics
from gateway.pipeline.compare import Comparison
from gateway.pipeline.intake import Intake
from gateway.pipeline.kept import house_of
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.reach import Reach
from gateway.pipeline.relay import Relay
from gateway.pipeline.reports import Ear, Reports
from gateway.pipeline.room_map import RoomMap
from gateway.simulators.pbx import Refusal, Rooms
from gateway.store import StorageFailed, Store
from protocols.fias import decode, normalize
from protocols.session import DataReceived
from tests.fakes import HandClock

WORDS = Words(
    class_of_service={"0": 1, "1": 2, "2": 3, "3": 4}, room_status={str(n): n for n in range(1, 7)}
)


@cache
def _metrics():
    return Metrics(version="0", site="test")  # dear to make, and nobody here counts


class Api:
    """`gateway.drivers.ucm.api.UcmApi` over a model UCM.

    plan    what happens to the next calls: ok, a code, lost (the call was not done), or done (it
            was, and its reply is lost)
    calls   what was asked, with what became of it
    """

    def __init__(self, rooms, *, has_list=True):
        self.rooms_, self.has_list = rooms, has_list
        self.plan, self.calls, self.lists = [], [], 0
        self.after_each = lambda: None
        self.is_fresh = False

    async def send(self, request):
        fate = self.plan.pop(0) if self.plan else "ok"
        self.calls.append((request.action, dict(request.tags), fate))
        if isinstance(fate, int):
            return Reply(fate)
        if fate == "lost":
            raise Unreachable("timeout", "no answer", sent=True)
        if fate == "down":
            raise Unreachable("reset", "refused", sent=False)
        try:
            reply = Reply(self.rooms_.apply(request.action, dict(request.tags)))
        except Refusal as refusal:
            reply = Reply(refusal.code)
        self.after_each()
        if fate == "done":
            raise Unreachable("timeout", "no answer", sent=True)
        return reply

    async def rooms(self):
        if self.plan and self.plan[0] == "down":
            self.plan.pop(0)
            raise Unreachable("reset", "refused", sent=False)
        self.lists += 1
        if not self.has_list:
            return None
        return rooms_in(Reply(0, response={"pms_room": self.rooms_.listed()}))

    async def log_in_again(self):
        pass

    async def probe(self):
        pass

    async def close(self):
        pass


class AtOnce:
    """`gateway.store.StoreWorker` without its thread. `fails`: so many writes, before or after."""

    def __init__(self, store):
        self.store, self.trouble, self.is_anew = store, "", False
        self.fails = []

    async def __call__(self, method, *args, **kwargs):
        how = self.fails.pop(0) if self.fails else "ok"
        if how == "before":
            raise StorageFailed("disk I/O error")
        result = method(self.store, *args, **kwargs)
        if how == "after":
            raise StorageFailed("disk I/O error")
        return result


class Site:
    """One hotel; `path` is where the store lives, and a crash leaves only that behind."""

    def __init__(self, path, rooms, *, has_list=True, retries=3, infer_moves_s=0.0, heals=True):
        self.path = path
        self.ucm = Rooms(name_bytes=64)
        self.ucm.add(*rooms)
        self.api = Api(self.ucm, has_list=has_list)
        self.clock = HandClock()
        self.is_link_up = True
        self.heals = heals
        self.metrics = _metrics()
        self._how = {"retries": retries, "infer_moves_s": infer_moves_s}
        self.store = None
        self.start()

    def start(self):
        """Begin, or begin anew with what the last one left on disk."""
        if self.store is not None:
            self.store.store.close()
        self.store = AtOnce(Store(self.path))
        kept = self.store.store.load()
        rooms, ledger = house_of(kept)
        self.house = House(rooms=rooms, ledger=ledger, infer_moves_s=self._how["infer_moves_s"])
        driver = UcmDriver(self.api, WORDS, self.metrics)
        self.outbox = Outbox(tags_of=driver.tags_of, wall=self.clock.stamp)
        self.damaged = self.outbox.restore(rooms, kept.rooms.values())
        self.intake = Intake(
            house=self.house,
            rooms=RoomMap(),
            outbox=self.outbox,
            store=self.store,
            guests=Ear(normalize, Reports(self.clock, self.metrics, self.metrics.guests)),
            clock=self.clock,
            metrics=self.metrics,
            charset="utf-8",
        )
        self.intake.restore(kept.writes)
        comparison = Comparison(self.outbox, driver, self.clock, self.metrics, heals=self.heals)
        self.relay = Relay(
            outbox=self.outbox,
            store=self.store,
            driver=driver,
            clock=self.clock,
            metrics=self.metrics,
            changed=self.intake.changed,
            retries=self._how["retries"],
            retry_interval_s=60.0,
            comparison=comparison,
            reach=Reach(self.clock, self.metrics, 60.0, rng=lambda: 1.0),
            is_link_up=lambda: self.is_link_up,
            in_resync=lambda: self.house.ledger.in_resync,
        )

    async def hear(self, *records):
        """The PMS says these records, each in a read of its own."""
        for record in records:
            self.clock.wind(0.1)
            body = record.encode()
            await self.intake.take([DataReceived(decode(body, "utf-8"), body)])

    async def tick(self):
        await self.intake.tick()

    async def turn(self):
        """One turn of the relay. False: there is nothing to do now."""
        pause = self.relay.reach.shut_until - self.clock.now()
        if pause > 0:
            self.clock.wind(pause)
        self.relay._notice()
        room = self.outbox.next(self.clock.epoch())
        if self.relay._must_look(is_idle=room is None):
            await self.relay._look()
        elif room is not None:
            await self.relay._tell(room)
        else:
            return False
        return True

    async def rest(self, *, most=2000):
        """Turns, and as much time as it takes, until nothing waits that could be told."""
        for _ in range(most):
            if await self.turn():
                continue
            waiting = [room for room in self.outbox.waiting if not self.outbox.entries[room].held]
            if not waiting:
                return
            self.clock.wind(61)
        raise AssertionError(f"no rest: {sorted(self.outbox.waiting)}")

    async def told(self, *records):
        """What the UCM is asked because of these records."""
        before = len(self.api.calls)
        await self.hear(*records)
        await self.rest()
        return [word(*call) for call in self.api.calls[before:]]

    # --- What is seen ---

    def leave_message(self, number):
        """Somebody speaks to the mailbox of a room: for whoever lives there by the UCM's word."""
        room = self.ucm.rooms[number]
        if room.is_in:
            room.messages = (*(room.messages or ()), room.account)

    def mailbox(self, number):
        return self.ucm.rooms[number].messages or ()

    def wrong(self, *, of_vacant=True):
        """Rooms in which the UCM does not show what the house means, in words."""
        found = []
        wall = self.clock.stamp()
        for number, room in self.ucm.rooms.items():
            want = self.outbox.desired.get(number)
            if want is None or not want.is_heard:
                continue
            if room.is_in != (want.guest is not None):
                found.append(f"{number}: in={room.is_in}")
                continue
            following = next_of(want.wake_ups, wall)
            pending = room.wake_up
            if pending is not None:
                at = f"{pending[0][:4]}-{pending[0][4:6]}-{pending[0][6:]}"
                at = f"{at} {pending[1][:2]}:{pending[1][2:]}"
                pending = at if at > f"{wall:%Y-%m-%d %H:%M}" else None
            wanted = f"{following:%Y-%m-%d %H:%M}" if following else None
            matters = want.guest is not None or (following is not None and of_vacant)
            if pending != wanted and matters:
                found.append(f"{number}: wake-up {pending}, wanted {following}")
            if want.guest is None:
                continue
            tags = self.outbox.tags_of(want.guest, want.stay)
            shown = {tag: getattr(room, tag) for tag in tags}
            plain = {tag: text.replace("'", "").replace(";", "") for tag, text in tags.items()}
            if shown != plain:
                found.append(f"{number}: shows {shown}, wanted {plain}")
            if room.dnd != want.dnd:
                found.append(f"{number}: dnd {room.dnd}")
        return found

    def operator_retries_all(self):
        for room in list(self.outbox._parked):
            self.outbox.retry(room)

    def replaced(self):
        """Another UCM, with the same rooms and nobody in them."""
        for room in self.ucm.rooms.values():
            room.forget_guest()


def word(action, tags, fate):
    room = tags["address"]
    words = {
        "checkin": f"in {room} {tags.get('lastname', '')}",
        "checkout": f"out {room}",
        "update": f"update {room}",
        "mov": f"move {room}>{tags.get('d_address')}",
        "dnd": f"dnd {room} {tags.get('status')}",
        "wakeup": f"wake {room} {tags.get('w_time', 'none')}",
    }[action]
    return words if fate in ("ok", 0) else f"{words} [{fate}]"
