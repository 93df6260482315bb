"""The session in any order of causes, held against a small model of who is owed which answer.

Each example ends with a strict and honest PMS on a clean cable: the link must come up from
wherever the random steps have left it.
"""

import random
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from protocols.fias import FiasProfile, FiasSession, session
from protocols.fias.link import REFUSED, TRANSITIONS, Act, Cause, State, step
from protocols.session import DataReceived, LinkDown, LinkUp, RecordRefused
from tests.torture.cable import STAMP, Cable, Way, writes_of
from tests.torture.conversation import TWO_TIMEOUTS_S
from tests.torture.figures import Figure, at_most, counted
from tests.torture.noise import ETX, STX, Noise, xor_of
from tests.torture.peer import ACK, ENQ, NAK, Peer, Told

STEPS: Final = 200_000
STEPS_EACH: Final = 50
GIVES_UP_S: Final = 12.0  # T1, and three times T2
ASKS_WITHIN_S: Final = 6.5  # T1 and T2, and what adapters need
GAP_S: Final = 1.5
NOISE_RUN_BYTES: Final = 64

LINK_RECORDS: Final = (b"LS|DA260314|TI101500|", b"LA|", b"LE|DA260314|", b"LC|A060|")
HOTEL_RECORDS: Final = (
    b"GI|RN101|G#1|GNRossi|GSN|", b"GO|RN101|G#1|GSN|", b"GC|RN102|G#1|RO101|", b"DS|", b"DE|",
    b"RE|RN101|CS1|", b"WR|RN101|DA260314|TI063000|", b"NS|", b"NE|", b"ZZ|RN1|", b"GI",
)  # fmt: skip
ODD_RECORDS: Final = (b"", b"x", b"LD|IFPB|", b"LR|RIGI|FLRN|", b"DR|", b"WA|RN1|ASOK|")


class LinkMachine(RuleBasedStateMachine):
    """Everything that can happen to a session; the model says which answers may follow."""

    worst_back_s = 0.0
    steps = 0
    left_from: Counter[str]
    walked: set[tuple[State, Cause]]

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.ups: list[bool] = []
        self.owed: deque[list[Any]] = deque()  # [moment, True: ACK, False: NAK, None: not yet]
        self.undecided = 0
        self.last_answer, self.answered_at = NAK, 0.0
        self.inside = False  # a frame of the peer has begun and not ended
        self.byte_at = 0.0
        self.noise = 0  # bytes outside any frame that have not been told yet
        self.frames: list[bytes] = []  # what the session has said last

    @initialize(
        ack=st.booleans(), pacing=st.sampled_from((0.0, 0.5)), state=st.sampled_from(tuple(State))
    )
    def begin(self, ack: bool, pacing: float, state: State) -> None:
        self.ack, self.pacing = ack, pacing
        gap = GAP_S if ack else 60.0
        profile = FiasProfile(lrc=ack, ack=ack, pacing_s=pacing, gap_s=gap)
        self.session = FiasSession(profile, lambda: STAMP)
        for way in _WAYS_TO.get(state, ()):
            way(self)

    # --- Causes ---

    @precondition(lambda self: self.session.state == "closed")
    @rule()
    def opens(self) -> None:
        self.session.opened(self.now)
        self.owed.clear()
        self.undecided = 0
        self.last_answer, self.inside, self.noise = NAK, False, 0
        self.settle([])

    @precondition(lambda self: self.session.state != "closed")
    @rule(sometimes=st.integers(0, 9))
    def loses(self, sometimes: int) -> None:
        if sometimes != 7 and self.session.state != "left" and not self.inside:
            return
        self.session.lost(self.now)
        self.owed.clear()
        self.settle([])
        for _ in range(self.undecided):  # the pump stores what came before; nobody is answered
            self.session.accept(self.now)
        self.undecided = 0
        self.settle([])

    @precondition(lambda self: self.session.state != "closed")
    @rule(body=st.sampled_from(LINK_RECORDS), cut=st.integers(0, 30))
    def hears_the_link(self, body: bytes, cut: int) -> None:
        was, due = self.session.state, self.session.deadline
        self.hears_frame(body, cut, verdict=True)
        assert body[:2] != b"LE" or not self.session.is_up, "an LE was swallowed"
        if self.ack or self.pacing or due is None:
            return  # then what it says may have to wait
        if body[:2] == b"LS" and was != "left":
            ids = [frame[1:3] for frame in self.frames]
            assert (ids[0], ids[-1]) == (b"LD", b"LA"), "an LS without its description"
        if body[:2] == b"LA" and was in ("calling", "up"):
            assert not self.frames, "an LA was answered"

    @precondition(lambda self: self.session.state != "closed")
    @rule(body=st.sampled_from(HOTEL_RECORDS + ODD_RECORDS), cut=st.integers(0, 30))
    def hears_the_hotel(self, body: bytes, cut: int) -> None:
        if self.inside and body in (b"", b"x"):
            return  # no record begins there: it is read as more of the one that was begun
        self.hears_frame(body, cut, verdict=None)

    @precondition(lambda self: self.session.state != "closed" and self.ack)
    @rule(body=st.sampled_from(HOTEL_RECORDS + LINK_RECORDS), flip=st.integers(1, 255))
    def hears_damage(self, body: bytes, flip: int) -> None:
        """A whole frame whose check byte is wrong: NAK at once, or behind what is owed."""
        frame = bytes([STX]) + body + bytes([ETX, xor_of(body) ^ flip])
        if frame[-1] == STX:
            return  # read as the next frame's STX, as of a peer without check bytes
        self.begins_frame()
        self.session.receive_data(frame, self.now)
        expected = []
        if self.owed:
            self.owed.append([self.now, False])
        else:
            expected = [NAK]
        self.last_answer = NAK
        self.settle(expected)

    @precondition(lambda self: self.session.state != "closed")
    @rule(byte=st.sampled_from((ACK, NAK, ENQ)))
    def hears_control(self, byte: int) -> None:
        self.session.receive_data(bytes([byte]), self.now)
        self.byte_at = self.now
        self.ends_noise()
        expected = []
        if self.inside and not (byte == ENQ and self.ack):
            pass  # part of the frame's text
        elif byte == ENQ and self.ack:
            if self.inside:
                self.inside, self.last_answer = False, NAK
            if not self.owed:
                if self.now - self.answered_at > ASKS_WITHIN_S:
                    self.last_answer = NAK
                expected = [self.last_answer]
        else:
            self.last_answer = NAK
        self.settle(expected)

    @precondition(lambda self: self.session.state != "closed")
    @rule()
    def takes_our_records(self) -> None:
        """A PMS that acknowledges all we say: a description comes to its end."""
        for _ in range(12):
            self.hears_control(ACK)
            self.waits(0.5)

    @precondition(lambda self: self.session.state != "closed")
    @rule(
        garbage=st.binary(min_size=1, max_size=80).map(
            lambda each: each.translate(None, bytes([STX, ETX, ENQ, ACK, NAK]) + b"\r\n\0") or b"?"
        )
    )
    def hears_garbage(self, garbage: bytes) -> None:
        self.session.receive_data(garbage, self.now)
        self.byte_at = self.now
        if not self.inside:
            self.last_answer = NAK
            self.noise = (self.noise + len(garbage)) % NOISE_RUN_BYTES
        self.settle([])

    @precondition(lambda self: self.session.state != "closed" and not self.ack and not self.inside)
    @rule(body=st.sampled_from(HOTEL_RECORDS), size=st.integers(0, 8))
    def hears_the_rest(self, body: bytes, size: int) -> None:
        """The end of a frame whose beginning went to another line: noise, and never a record."""
        self.session.receive_data(body[size:] + bytes([ETX]), self.now)
        self.byte_at = self.now
        self.settle([])

    def ends_noise(self) -> None:
        """Noise is told in runs: one that an answer fell into makes us forget that answer too.

        Stricter than the specification, and safe: the peer sends again, the intake knows it.
        """
        if self.noise:
            self.noise, self.last_answer = 0, NAK

    @precondition(lambda self: self.session.state != "closed")
    @rule(body=st.sampled_from(HOTEL_RECORDS), size=st.integers(0, 8))
    def hears_half(self, body: bytes, size: int) -> None:
        self.begins_frame()
        self.session.receive_data(bytes([STX]) + body[:size], self.now)
        self.inside, self.byte_at = True, self.now
        self.settle([])

    @rule(seconds=st.sampled_from((0.01, 0.4, 1.4, 3.0, 6.4, 6.6, 12.5, 31.0, 301.0)))
    def time_passes(self, seconds: float) -> None:
        self.waits(seconds)

    def waits(self, seconds: float) -> None:
        until = self.now + seconds
        for _ in range(500):
            due = self.session.deadline
            if due is None or due > until:
                break
            assert due >= self.now - 1e-9, "a deadline in the past: the pump would spin"
            self.now = max(self.now, due)
            self.session.handle_timeout(self.now)
            assert self.session.deadline != due, "a deadline that does nothing: the pump would spin"
            self.settle([])
        else:
            raise AssertionError("five hundred deadlines in a row: the line storms")
        self.now = until
        if self.inside and self.now >= self.byte_at + (GAP_S if self.ack else 60.0):
            self.inside, self.last_answer = False, NAK
        if self.now >= self.byte_at + (GAP_S if self.ack else 60.0):
            self.ends_noise()

    @precondition(lambda self: self.undecided)
    @rule(verdict=st.booleans())
    def decides(self, verdict: bool) -> None:
        (self.session.accept if verdict else self.session.refuse)(self.now)
        self.undecided -= 1
        next(each for each in self.owed if each[1] is None)[1] = verdict
        self.settle(self.paid())

    @precondition(lambda self: self.session.is_up)
    @rule()
    def asks_for_resync(self) -> None:
        self.session.ask_for_resync(self.now)
        self.settle([])

    @rule(rarely=st.integers(0, 19))
    def leaves(self, rarely: int) -> None:
        if rarely == 7:
            self.session.leave(self.now)
            self.settle([])

    @invariant()
    def is_a_step(self) -> None:
        type(self).steps += 1

    # --- The model ---

    def begins_frame(self) -> None:
        """An STX: a half frame before it is given up."""
        self.last_answer, self.inside, self.noise = NAK, False, 0
        self.byte_at = self.now

    def hears_frame(self, body: bytes, cut: int, *, verdict: bool | None) -> None:
        frame = bytes([STX]) + body + bytes([ETX])
        if self.ack:
            frame += bytes([xor_of(body)])
        self.begins_frame()
        taken = self.session.state != "left" or verdict is True or body in ODD_RECORDS
        self.session.receive_data(frame[:cut], self.now)
        self.session.receive_data(frame[cut:], self.now)
        if taken:
            self.owed.append([self.now, verdict])
            self.undecided += verdict is None
        self.settle(self.paid(), whole=True)

    def paid(self) -> list[int]:
        """The answers that are due now: in order, once, and not to who has given up."""
        said = []
        while self.owed and self.owed[0][1] is not None:
            at, verdict = self.owed.popleft()
            self.last_answer = NAK
            if self.now - at <= GIVES_UP_S:
                self.last_answer, self.answered_at = (ACK if verdict else NAK), self.now
                said.append(self.last_answer)
            if self.owed:
                self.last_answer = NAK
        return said

    def settle(self, expected: list[int], *, whole: bool = False) -> None:
        """What the session says and reports now, against the model; `whole`: a frame was heard."""
        output, lrc = self.session.bytes_to_send(), self.session.profile.lrc
        self.frames = [write for write in writes_of(output, lrc=lrc) if len(write) > 1]
        writes = [write[0] for write in writes_of(output, lrc=lrc)]
        answers = [byte for byte in writes if byte in (ACK, NAK)]
        assert answers == (expected if self.ack else []), (answers, expected)
        for byte in answers:
            self.answered_at = self.now
            assert byte in (ACK, NAK)
        assert self.ack or ENQ not in writes
        while (event := self.session.next_event()) is not None:
            assert whole or not isinstance(event, DataReceived | RecordRefused), "of no frame"
            if isinstance(event, LinkUp | LinkDown):
                self.ups.append(isinstance(event, LinkUp))
                assert self.ups[-2:] not in ([True, True], [False, False]), "not in turn"
        assert (self.ups[-1:] == [True]) == self.session.is_up

    # --- The cure ---

    def teardown(self) -> None:
        """A strict and honest PMS, and a clean cable: up within two timeouts, from anywhere."""
        if not hasattr(self, "session"):
            return
        type(self).left_from[self.session.state] += 1
        for _ in range(self.undecided):
            self.session.accept(self.now)
        self.session.bytes_to_send()
        if self.session.state == "left":
            self.session.lost(self.now)
        rng = random.Random(len(self.ups))
        peer = Peer(ack=self.ack, up=bool(rng.randrange(2)))
        clean = Noise(rng)
        reports: list[bool] = []
        received = []

        def told(event: object, now: float) -> None:
            if isinstance(event, LinkUp | LinkDown):
                reports.append(isinstance(event, LinkUp))
            if isinstance(event, DataReceived | RecordRefused):
                received.append(event)

        cable = Cable(self.session, peer, Way(rng, clean), Way(rng, clean), told, now=self.now)
        if self.session.state == "closed":
            cable.open()
        peer.open(self.now)
        cable.settle()
        is_back = cable.run(self.now + 600, lambda: peer.up and self.session.is_up)
        back_s = cable.now - self.now
        assert is_back, f"dead: {self.session.state}, peer up={peer.up}"
        assert back_s <= TWO_TIMEOUTS_S, f"back only after {back_s:.0f} s"
        peer.todo.append(Told(b"GO|RN555|G#5|GSN|"))
        peer.tick(cable.now)
        cable.settle()
        assert cable.run(cable.now + 60, lambda: not peer.todo and bool(received)), "takes nothing"
        assert self.session.is_up
        type(self).worst_back_s = max(type(self).worst_back_s, back_s)


_LS, _LA, _LE = (
    lambda machine, body=body: machine.hears_frame(body, 0, verdict=True)
    for body in LINK_RECORDS[:3]
)
_WAYS_TO: Final[dict[State, tuple[Callable[[LinkMachine], None], ...]]] = {
    State.WAITING: (LinkMachine.opens,),
    State.CALLING: (LinkMachine.opens, lambda machine: machine.waits(3.0)),
    State.DESCRIBING: (LinkMachine.opens, _LS),
    State.GREETED: (LinkMachine.opens, _LS, _LA),
    State.DESCRIBED: (LinkMachine.opens, _LS, LinkMachine.takes_our_records),
    State.UP: (LinkMachine.opens, _LA, LinkMachine.takes_our_records),
    State.RENEWING: (LinkMachine.opens, _LA, LinkMachine.takes_our_records, _LS),
    State.ENDED: (LinkMachine.opens, _LA, LinkMachine.takes_our_records, _LE),
    State.LEFT: (LinkMachine.opens, _LA, lambda machine: machine.leaves(7)),
}
"""Where an example begins, so that every state is left in many ways."""


def run_machine(steps: int, seed: int) -> type[LinkMachine]:
    """So many random steps. Raises AssertionError with the shortest way to a broken promise."""
    machine = type("LinkMachine", (LinkMachine,), {"left_from": Counter(), "walked": set()})

    def noted(state: State, cause: Cause) -> tuple[State, tuple[Act, ...]] | None:
        machine.walked.add((state, cause))
        return step(state, cause)

    session.step = noted
    try:
        while machine.steps < steps:
            _run(machine, steps - machine.steps, seed + machine.steps)
    finally:
        session.step = step
    return machine


def _run(machine: type[LinkMachine], steps: int, seed: int) -> None:
    examples = max(5, steps // STEPS_EACH)
    run_state_machine_as_test(
        seeded(seed)(machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS_EACH,
            deadline=None,
            database=None,
            print_blob=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


def random_steps(scale: float, seed: int) -> list[Figure]:
    """The machine as figures."""
    try:
        machine = run_machine(max(1000, int(STEPS * scale)), seed)
    except AssertionError as error:
        steps = "\n".join([str(error), *getattr(error, "__notes__", ())])
        return [Figure(f"random steps: {steps}", "broken", "none broken", ok=False)]
    pairs = sum(map(len, TRANSITIONS.values())) + len(REFUSED)
    froms = ", ".join(f"{state} {count:,}" for state, count in sorted(machine.left_from.items()))
    return [
        counted("random steps: answers once, in order, after accept(); up and down in turn",
                machine.steps),
        counted(f"pairs of state and cause walked, of {pairs} that can happen", len(machine.walked)),
        at_most("until a strict PMS and the gateway are both up, from anywhere, the worst, s",
                machine.worst_back_s, TWO_TIMEOUTS_S),
        counted(f"cured from: {froms}", sum(machine.left_from.values())),
    ]  # fmt: skip
