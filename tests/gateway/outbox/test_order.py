"""The outbox under everybody who uses it at once: who takes in, who delivers, and an operator.

Whatever they do in whichever order, the books add up, the heads are the heads, and in the end
nothing waits for ever.
"""

import tempfile
from datetime import datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.events import CheckIn, CheckOut, DoNotDisturb, Guest, Move, Update, WakeUp
from gateway.outbox import Batch, NewEntry, Outbox

ROOMS = ("101", "102")
ANNA = Guest(key="4711", name="Rossi", came=datetime(2026, 3, 14, 10, 0))
LONG_AFTER = 1e9

room = st.sampled_from(ROOMS)
event = st.one_of(
    st.builds(CheckIn, room=room, guest=st.just(ANNA)),
    st.builds(CheckOut, room=room),
    st.builds(Update, room=room, guest=st.just(ANNA)),
    st.builds(DoNotDisturb, room=room, on=st.booleans()),
    st.builds(WakeUp, room=room),
    st.permutations(ROOMS).map(lambda two: Move(room=two[0], from_room=two[1], guest=ANNA)),
)


class Desk(RuleBasedStateMachine):
    """One row is called at a time, those called before it may not be noted yet."""

    def __init__(self):
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.box = Outbox(Path(self._folder.name) / "outbox.db")
        self.delivered, self.alone, self.now = [], set(), 1.0

    @rule(events=st.lists(event, min_size=1, max_size=3), background=st.booleans())
    def put(self, events, background):
        self.now += 1
        self.box.put(Batch(entries=[
            NewEntry(event=each, record="", received_at=self.now, background=background)
            for each in events
        ]), len(self.delivered))  # fmt: skip

    @rule(which=st.integers(0, 2), answer=st.sampled_from(["later", "park", "alone", "lost"]))
    def call_in_vain(self, which, answer):
        entry = self._next(which)
        if entry is None:
            return
        match answer:
            case "later":
                self.box.later(entry, self.now + 3, "-9", attempts=1, unsure=False)
            case "park":
                self.box.park(entry, self.now, "15")
            case "alone":
                self.alone.update((entry.id, *entry.folded))
            case "lost":
                self.box.later(entry, self.now, "no reply", attempts=0, unsure=True)

    @rule(
        which=st.integers(0, 2),
        meanwhile=st.sampled_from(["retry", "drop", "nothing"]),
        is_noted=st.booleans(),
    )
    def call(self, which, meanwhile, is_noted):
        entry = self._next(which)
        if entry is None:
            return
        match meanwhile:
            case "retry":
                self.retry(which)
            case "drop":
                self.drop(which)
        self.delivered.append(entry)
        if is_noted:
            self._note()

    @rule(which=st.integers(0, 2))
    def retry(self, which):
        parked = self.box.rows(["parked"])
        assert not parked or self.box.retry(parked[which % len(parked)].id)

    @rule(which=st.integers(0, 2))
    def drop(self, which):
        rows = self.box.rows(["parked", "waiting"])
        assert not rows or self.box.drop(rows[which % len(rows)].id, self.now)

    def _next(self, which):
        delivered, self.delivered = self.delivered, []
        due = self.box.turn(delivered, self.now, 3, alone=self.alone)
        assert len({each.event.room for each in due}) == len(due)
        return due[which % len(due)] if due else None

    def _note(self):
        delivered, self.delivered = self.delivered, []
        self.box.done(delivered, self.now)

    @rule()
    def restart(self):
        self.box.close()
        self.box = Outbox(self.box.path)
        self.delivered = []  # they are called again

    @invariant()
    def the_books_add_up(self):
        assert self.box.audit() == []

    def teardown(self):
        for _ in range(200):
            if not (due := self.box.due("to_ucm", LONG_AFTER, 9, longest_pause_s=LONG_AFTER)):
                break
            self.box.done(due, LONG_AFTER)
        assert self.box.waiting == 0
        self.box.close()
        self._folder.cleanup()


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
