"""A house that is told records, and an ideal PBX that follows it."""

from datetime import UTC, datetime, timedelta

from gateway.house import House, Ledger, Room
from gateway.store.text import from_json, to_json
from protocols.fias import decode, normalize
from tests.plan_play import Pbx, word

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)


class Desk:
    """A house that is told records, and an ideal PBX that follows it, in a few words."""

    def __init__(self, infer_moves_s=0.0, *, has_list=True):
        self.infer_moves_s = infer_moves_s
        self.house = House(infer_moves_s=infer_moves_s)
        self.pbx = Pbx(has_list=has_list)
        self.now = NOW
        self.remarks = []
        self.calls = []

    def say(self, *records):
        """Tell records, ten seconds apart; the calls that they cause, as words."""
        words = []
        for record in records:
            self.now += timedelta(seconds=10)
            for fact in normalize(decode(record.encode("utf-8"), "utf-8")):
                words += self.take(self.house.apply(fact, self.now))
        return words

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)
        return self.take(self.house.tick(self.now))

    def take(self, told):
        self.remarks += told.remarks
        # What is written must be what is read back: a restart knows the same.
        for number, room in self.house.book.changed_rooms().items():
            assert from_json(Room, to_json(room)) == room, number
        self.house.book.commit()
        calls = self.pbx.follow(self.house, told.rooms, self.now.replace(tzinfo=None))
        self.calls += calls
        return [word(call) for call in calls]

    def restart(self):
        """As after a power cut: only what was written is known."""
        rooms = {n: from_json(Room, to_json(room)) for n, room in self.house.rooms.items()}
        ledger = from_json(Ledger, to_json(self.house.ledger))
        self.house = House(infer_moves_s=self.infer_moves_s, rooms=rooms, ledger=ledger)


A, B, C = "G#1|GNA|", "G#2|GNB|", "G#3|GNC|"
MOVE = ["GC|RN205|GS{new}|G#1|GNA|RO101|GS{old}|", "GC|RO101|GS{old}|RN205|GS{new}|G#1|GNA|"]
