"""What is counted and logged of records, behind their commit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.clock import Clock
from gateway.drivers.calls import CALL_NAMES
from gateway.house import Remark
from gateway.logs import logger
from gateway.metrics import LineMetrics, Metrics
from protocols.facts import Said
from protocols.session import RecordRefused

NO_USE: Final = "no_use"
"""The remark on a record that is understood and means nothing to a phone system."""


NO_POSTING: Final = (
    "no posting waits for an answer under this number; if it says OK, and the posting was sent"
    " again since under another number, look at the bill: it may be booked twice"
)


@dataclass(slots=True)
class Reports:
    """The metrics and the log of what comes in.

    last    id and moment of the last record of the hotel; None: none since the start
    """

    clock: Clock
    metrics: Metrics
    line: LineMetrics
    last: tuple[str, float] | None = None

    def __post_init__(self) -> None:
        # A series that begins with its first event has no step that a Prometheus could see.
        for word in (*(remark.value for remark in Remark), NO_USE):
            self.metrics.remarks.labels(word)
        for word in CALL_NAMES.values():
            self.metrics.guest_events.labels(word)

    def remark(self, remarks: Sequence[Remark]) -> None:
        """What did not fit."""
        for remark in remarks:
            self.metrics.remarks.labels(remark.value).inc()

    def events(self, events: Iterable[tuple[str, str]]) -> None:
        """What happened in the hotel: the words of calls, and their rooms."""
        for word, room in events:
            self.metrics.guest_events.labels(word).inc()
            logger().info("guest_event", kind=word, room=room)

    def missed(self, room: str) -> None:
        """A wake-up rang before the UCM knew of it."""
        self.metrics.remarks.labels(Remark.WAKE_UP_MISSED.value).inc()
        do = "call the guest: the UCM could not be told in time"
        logger().error("wake_up_missed", room=room, do=do)

    def refused(self, item: RecordRefused) -> None:
        """A record that could not be understood."""
        self.metrics.records_refused.labels(item.reason).inc()
        logger().warning("record_refused", reason=item.reason, do=item.advice)

    def record(self, record: Any, *, understood: bool) -> None:
        """A record that was taken."""
        self.last = (record.record_id or "other", self.clock.epoch())
        self.line.last_record.set(self.last[1])
        self.line.records.labels(record.record_id or "other", "in").inc()
        # Of a dialect whose records have fields by name; fixed columns have nothing beside them.
        odd = getattr(record, "odd", ())
        self.metrics.fields_unknown.inc(len(getattr(record, "extra", ())))
        self.metrics.fields_odd.inc(len(odd))
        if not understood:
            self.metrics.remarks.labels(NO_USE).inc()
        if odd:
            ids = ",".join(sorted({field_id for field_id, _ in odd}))
            logger().warning(
                "field_unreadable", record=record.record_id, fields=ids, do="taken as absent"
            )

    def repeat(self, record_id: str) -> None:
        """A record that came again."""
        self.line.records.labels(record_id, "in").inc()
        self.metrics.records_repeated.inc()
        logger().info("record_repeated", record=record_id)


Normalize = Callable[[Any], tuple[Said, ...]]


@dataclass(frozen=True, slots=True)
class Ear:
    """How the records of one line are understood and counted.

    normalize   the dialect's upper end
    is_for_charges  the line is for charges: of the hotel only the night audit is believed
    """

    normalize: Normalize
    reports: Reports
    is_for_charges: bool = False


def tell(reports: Sequence[Callable[[], None]]) -> None:
    """Count and log what a commit has made so."""
    for report in reports:
        report()
