"""Truth, not history: random hotels through house, store, outbox and relay, in front of a model UCM
that refuses, loses replies before and after a call is done, is replaced and changed by others, and
a gateway that crashes between any two steps.
"""

import asyncio
import contextlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.simulators.hotel import Hotel, differences
from tests.site import Site

ROOMS = ("101", "102", "103", "104", "105")
FATES = ("ok", "lost", "done", "down", -9, 15, 22)


class Truth(RuleBasedStateMachine):
    """Whatever happens: it comes to rest, right, private, and nobody loses his mailbox."""

    def __init__(self):
        super().__init__()
        self.stack = contextlib.ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.path = Path(folder) / "store.db"
        self.hotel = Hotel(rooms=ROOMS, seed=0)
        self.mates = {}  # stay -> everybody who ever lived in it
        self.forgot = False  # what the UCM held of a room that is out may be gone
        self.kept = True  # nothing happened that may cost a mailbox

    def run(self, what):
        return asyncio.run(what)

    def teardown(self):
        try:
            if hasattr(self, "site"):
                self.comes_to_rest()
                self.site.store.store.close()
        finally:
            self.stack.close()

    @initialize(has_list=st.booleans())
    def open(self, has_list):
        self.site = Site(self.path, ROOMS, has_list=has_list)
        self.site.api.after_each = self.nobody_hears_a_strangers_messages
        self.run(self.site.hear("DS|", *(f"GO|RN{room}|SF|" for room in ROOMS), "DE|"))
        self.run(self.site.rest())

    def say(self, records):
        for record in records:
            self.run(self.site.hear(record))
            for room in self.site.house.rooms.values():
                if room.stay is not None:
                    mates = self.mates.setdefault(room.stay, set())
                    mates.update(guest.key for guest in (*room.guests, *room.gone))
            if not any(not room.guests for room in self.site.house.rooms.values()):
                self.kept = False  # a circle of moves may have no room to pass through

    # --- The PMS ---

    @rule(seed=st.integers(0, 2**32))
    def deed(self, seed):
        self.hotel._random.seed(seed)
        self.say(self.hotel.random_deed())

    @rule(room=st.sampled_from(ROOMS), hour=st.integers(11, 23))
    def wake_up(self, room, hour):
        self.say([f"WR|RN{room}|DA260315|TI{hour}0000|"])

    @rule(room=st.sampled_from(ROOMS))
    def no_wake_up(self, room):
        self.say([f"WC|RN{room}|DA|TI|"])

    @rule(room=st.sampled_from(ROOMS), on=st.sampled_from("YN"))
    def do_not_disturb(self, room, on):
        self.say([f"RE|RN{room}|DN{on}|"])

    @rule(seed=st.integers(0, 2**32), deeds=st.integers(1, 4))
    def silent_deeds_then_resync(self, seed, deeds):
        self.hotel._random.seed(seed)
        for _ in range(deeds):
            self.hotel.silent_deed()
        self.say(self.hotel.resync())

    # --- The UCM ---

    @rule(turns=st.lists(st.sampled_from(FATES), min_size=1, max_size=6))
    def turns(self, turns):
        self.site.api.plan[:] = turns
        for _ in turns:
            self.run(self.site.turn())
        if set(turns) & {15, 22, -9}:
            self.kept = False  # who cannot move is checked out and in
        self.site.api.plan.clear()

    @rule()
    def comes_to_rest(self):
        self.site.api.plan.clear()
        self.site.operator_retries_all()
        self.run(self.site.rest())
        assert self.site.wrong(of_vacant=not self.forgot) == []
        assert differences(self.hotel, self.site.ucm.rooms) == []

    @rule()
    def crash(self):
        self.site.start()

    @rule(room=st.sampled_from(ROOMS))
    def message(self, room):
        self.site.leave_message(room)

    @rule()
    def replaced(self):
        """Another UCM: with a list its emptiness is seen; without one nobody can know it."""
        if self.site.api.has_list:
            self.site.replaced()
            self.forgot = True
            self.site.relay.comparison.is_known = False

    @rule(room=st.sampled_from(ROOMS))
    def reception_checks_out(self, room):
        if self.site.api.has_list:
            self.site.ucm.rooms[room].forget_guest()
            self.forgot = True
            self.site.relay.comparison.is_known = False

    @rule(room=st.sampled_from(ROOMS))
    def reception_checks_in(self, room):
        there = self.site.ucm.rooms[room]
        if self.site.api.has_list and not there.is_in:
            there.is_in, there.account, there.lastname = True, "999", "Walk-in"
            there.messages = ("999",)
            self.site.relay.comparison.is_known = False

    # --- What must hold at every moment ---

    @invariant()
    def nobody_hears_a_strangers_messages(self):
        if not hasattr(self, "site"):
            return
        for number, room in self.site.ucm.rooms.items():
            if room.is_in:
                for account in self.site.mailbox(number):
                    assert self.are_mates(account, room.account), (number, room.account, account)

    def are_mates(self, one, other):
        """They lived in one stay, so that they share its mailbox."""
        return one == other or any({one, other} <= mates for mates in self.mates.values())


TestTruth = Truth.TestCase
TestTruth.settings = settings(stateful_step_count=30, deadline=None)
