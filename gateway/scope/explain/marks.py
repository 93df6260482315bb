"""What is worth counting on a line, and the counts of the last hour."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Final

from gateway.scope.explain.values import Evidence

Show = Callable[[], Evidence]

BUCKETS: Final = 12
EVIDENCE: Final = 3


class Mark(Enum):
    """Something that was seen. The set is closed, so that counting stays small for ever."""

    # Bytes from the PMS since its last good frame, by what a wrong setting makes of them.
    BYTES = auto()
    TEXT_BYTES = auto()  # printable ASCII and line ends
    SEVEN_BIT_BYTES = auto()  # what FIAS is made of, whatever the eighth bit says
    HIGH_BYTES = auto()  # 80 and above
    NUL_BYTES = auto()
    STX_BYTES = auto()
    ODD_BYTES = auto()  # an odd number of one bits
    PAIRED_BYTES = auto()  # each bit came twice: the sender is half as fast
    FOURFOLD_BYTES = auto()  # each bit came four times
    SKIPPED_BYTES = auto()  # what a control byte leaves when every other bit is missed
    GLITCH_BYTES = auto()  # a short pulse on a line at rest
    # The port and the connection.
    DRIVER_FRAMING = auto()
    DRIVER_PARITY = auto()
    DRIVER_OVERRUN = auto()
    DRIVER_BREAK = auto()
    MODEM = auto()
    CLOSED = auto()
    CLOSED_AT_ONCE = auto()  # and nothing was heard
    REPLACED = auto()  # a new connection took the place of one that was spoken on
    TELNET = auto()  # a negotiation: FF and three more
    FLOW_CONTROL = auto()
    ECHO = auto()  # since a record that we had not said
    # Frames.
    GOOD = auto()
    BAD = auto()  # any refused frame, since the last good one
    BAD_CHECK = auto()
    CHECK_MISSING = auto()  # since the last good frame, as the next ones
    CHECK_WITHOUT_ETX = auto()
    CHECK_WITH_STX = auto()
    CHECK_SHIFTED = auto()  # STX in, ETX out
    CHECK_INVERTED = auto()
    CHECK_WRONG = auto()
    CHECK_UNWANTED = auto()  # a right check byte where none is read
    CUT_SHORT = auto()
    OVERLONG = auto()
    OTHER_DIALECT = auto()  # a frame that another protocol of hotels would send
    NOISE = auto()
    GARBAGE = auto()
    # Answers.
    SAID = auto()  # a frame of ours
    PMS_ACK = auto()
    PMS_NAK = auto()
    PMS_NAK_RUN = auto()  # since its last ACK
    PMS_SILENT = auto()
    PMS_SLOW = auto()
    PMS_STRAY = auto()  # an answer on a line that has none
    PMS_ENQ = auto()  # a question about nothing that we know, since the last good frame
    PMS_ASKED = auto()  # ENQ although we had answered, since it answered us
    OUR_ENQ = auto()  # asking for our turn, since the PMS answered anything
    ENQ_ALONE = auto()  # it asked for its turn, and said nothing for a while
    UNASKED = auto()  # a message that it had not asked for
    OUR_NAK = auto()  # to a good frame
    OUR_SLOW = auto()
    OUR_ACK = auto()
    # The link.
    PMS_LS = auto()
    STARTED = auto()  # its LS, since anybody described himself or said LA
    PMS_LA = auto()
    PMS_LE = auto()
    PMS_DESCRIPTION = auto()
    OUR_LS = auto()
    OUR_DESCRIPTION = auto()
    NOT_ACCEPTED = auto()
    LA_LOOP = auto()
    CHECK_UNANSWERED = auto()
    EARLY_DATA = auto()
    CLOCK_OFF = auto()
    # Records.
    DATA = auto()
    REPEATED = auto()
    NAME_UTF8 = auto()
    NAME_DOS = auto()
    NAME_WINDOWS = auto()
    NO_ROOM = auto()
    NO_NUMBER = auto()
    NUMBERED = auto()
    UNKNOWN_RECORD = auto()
    UNKNOWN_FIELD = auto()
    UNREADABLE_DATE = auto()
    NO_RECORD = auto()
    CHARGE_UNANSWERED = auto()  # the next one went out before its PA came
    CHARGE_BOOKED = auto()
    CHARGE_REFUSED = auto()
    ANSWER_WITHOUT_NUMBER = auto()
    RESYNC_UNENDED = auto()
    RESYNC_ASKED = auto()
    RESYNC_IGNORED = auto()


SINCE_GOOD: Final = frozenset({
    Mark.BYTES, Mark.TEXT_BYTES, Mark.SEVEN_BIT_BYTES, Mark.HIGH_BYTES, Mark.NUL_BYTES,
    Mark.STX_BYTES, Mark.ODD_BYTES, Mark.PAIRED_BYTES, Mark.FOURFOLD_BYTES, Mark.SKIPPED_BYTES,
    Mark.GLITCH_BYTES, Mark.DRIVER_BREAK,
    Mark.BAD, Mark.CHECK_MISSING, Mark.CHECK_WITHOUT_ETX, Mark.CHECK_WITH_STX, Mark.CHECK_SHIFTED,
    Mark.CHECK_INVERTED, Mark.CHECK_WRONG, Mark.PMS_ENQ,
})  # fmt: skip
"""A good frame proves that the settings are right: what spoke against them is forgotten."""


class Tally:
    """Counts over the last `within_s` seconds, in BUCKETS steps, with the latest evidence.

    Moments only go forward; what is asked of it is as old as the last one it was told.
    """

    def __init__(self, within_s: float) -> None:
        self._step_s = within_s / BUCKETS
        self._buckets: deque[tuple[int, Counter[Mark]]] = deque()
        self._evidence: dict[Mark, deque[tuple[int, Show]]] = {}
        self._number = -1
        self._present: set[Mark] = set()  # those that were added and not forgotten; others may age

    def add(self, mark: Mark, now: float, count: int = 1, show: Show | None = None) -> None:
        """It was seen now, `count` times. `show` makes the evidence, when it is asked for."""
        if count <= 0:
            return
        number = self.move(now)
        if not self._buckets or self._buckets[-1][0] != number:
            self._buckets.append((number, Counter()))
        self._buckets[-1][1][mark] += count
        self._present.add(mark)
        if show is not None:
            self._evidence.setdefault(mark, deque(maxlen=EVIDENCE)).append((number, show))

    def move(self, now: float) -> int:
        """Forget what is too old by now. Returns the number of the bucket."""
        number = int(now // self._step_s)
        if number == self._number:
            return number
        self._number = number
        while self._buckets and self._buckets[0][0] <= number - BUCKETS:
            self._buckets.popleft()
        for kept in self._evidence.values():
            while kept and kept[0][0] <= number - BUCKETS:
                kept.popleft()
        return number

    def forget(self, marks: Iterable[Mark]) -> None:
        """These were cured."""
        for mark in self._present.intersection(marks):
            self._present.remove(mark)
            self._evidence.pop(mark, None)
            for _, counts in self._buckets:
                counts.pop(mark, None)

    def __getitem__(self, mark: Mark) -> int:
        return sum(counts[mark] for _, counts in self._buckets)

    def evidence(self, marks: Iterable[Mark]) -> tuple[Evidence, ...]:
        """The latest lines that showed any of these, in the order of the marks."""
        found = (show() for mark in marks for _, show in self._evidence.get(mark, ()))
        return tuple(dict.fromkeys(found))[:EVIDENCE]
