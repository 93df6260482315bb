"""What is counted of one gateway at work. Labels are closed sets: never a room, a guest, an error
text.
"""

from collections.abc import Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from gateway.metrics.kinds import OpenPostings, counter, gauge, histogram
from gateway.metrics.line import GUESTS, LineMetrics, OfLines
from gateway.metrics.standby import BUILD, ROLE

_CALL_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)
_COMMIT_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 3)
_ANSWER_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_DELIVERY_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600)


class Metrics:
    """One registry and everything in it; made once by the app and handed to the edges."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, *, version: str, site: str, lines: Sequence[str] = (GUESTS,)) -> None:
        """lines    the names of its lines; of more than one, each series says which it is of"""
        # A second series for each counter, which no dashboard uses.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # upstream
        self.registry = CollectorRegistry()
        build = self._gauge("pmsgw_build_info", BUILD, "version", "site")
        build.labels(version, site).set(1)

        self.records_refused = self._counter(
            "pmsgw_records_refused",
            "Whole frames that could not be understood, by reason.",
            "reason",
        )
        self.records_repeated = self._counter(
            "pmsgw_records_repeated",
            "Records sent again after a lost ACK: acknowledged, not taken.",
        )
        self.fields_unknown = self._counter(
            "pmsgw_fields_unknown", "Fields kept aside because their record does not list them."
        )
        self.fields_odd = self._counter(
            "pmsgw_fields_odd",
            "Fields whose text is not a valid value, such as an impossible date.",
        )
        self.remarks = self._counter(
            "pmsgw_remarks", "Records that contradict what was known before, by kind.", "remark"
        )
        self.guest_events = self._counter(
            "pmsgw_guest_events", "Changes in the hotel by the PMS's word, by event.", "event"
        )
        self.outbox_entries = self._gauge(
            "pmsgw_outbox_entries",
            "Rooms that the UCM has to be told of (to_ucm), by state.",
            "lane",
            "state",
        )
        self.outbox_oldest = self._gauge(
            "pmsgw_outbox_oldest_waiting_seconds",
            "How long the room has waited that has waited longest; 0: none waits.",
            "lane",
        )
        self.outbox_commit = self._histogram(
            "pmsgw_outbox_commit_seconds",
            "Time to write the changes of one read to disk.",
            _COMMIT_BUCKETS,
        )
        self.outbox_up = self._gauge(
            "pmsgw_outbox_up", "1 while the store can be read and written, else 0."
        )
        self.outbox_failures = self._counter(
            "pmsgw_outbox_failures", "Writes to the store that failed."
        )
        self.ucm_up = self._gauge("pmsgw_ucm_up", "1 while the UCM answers, else 0.")
        self.ucm_request = self._histogram(
            "pmsgw_ucm_request_seconds",
            "One request to the UCM.",
            _CALL_BUCKETS,
            "action",
            "result",
        )
        self.ucm_retries = self._counter(
            "pmsgw_ucm_retries", "Requests to the UCM that were repeated.", "action", "reason"
        )
        self.ucm_failures = self._counter(
            "pmsgw_ucm_failures",
            "Requests to the UCM that failed, by its code or by what went wrong on the way.",
            "action",
            "code",
        )
        self.ucm_logins = self._counter("pmsgw_ucm_logins", "Logins to the UCM.", "result")
        self.ucm_certificate_expiry = self._gauge(
            "pmsgw_ucm_certificate_expiry_timestamp_seconds", "When the UCM's certificate expires."
        )
        self.ucm_certificate_refused = self._gauge(
            "pmsgw_ucm_certificate_refused",
            "1 after a certificate that is not trusted (or no TLS), until the UCM answers again.",
        )
        self.delivery = self._histogram(
            "pmsgw_delivery_seconds",
            "From the last byte of the record that changed a room to the UCM's success.",
            _DELIVERY_BUCKETS,
            "event",
        )
        self.rooms = self._gauge("pmsgw_rooms", "Rooms by the PMS's word.", "state")
        self.rooms_drifted = self._gauge(
            "pmsgw_rooms_drifted",
            "Rooms in which the UCM differed from the PMS at the last comparison.",
        )
        self.rooms_unnamed = self._gauge(
            "pmsgw_rooms_unnamed",
            "Rooms that the UCM shows as checked in and of which the PMS never said who is there.",
        )
        self.brake = self._gauge(
            "pmsgw_comparison_not_believed",
            "1 while the UCM's list differs too much to be believed; nothing is corrected.",
        )
        self.postings = OpenPostings()
        self.registry.register(self.postings)
        self.postings_total = self._counter(
            "pmsgw_postings", "What went back to the PMS, by what came of it.", "kind", "result"
        )
        self.posting_answer = self._histogram(
            "pmsgw_posting_answer_seconds",
            "From a posting to the PMS's answer.",
            _ANSWER_BUCKETS,
        )
        self.last_booked = self._gauge(
            "pmsgw_last_booked_timestamp_seconds", "When the PMS last booked a posting."
        )
        self.calls = self._counter(
            "pmsgw_calls", "Telephone calls that the UCM told of, by what they are.", "use"
        )
        self.calls_amount = self._counter(
            "pmsgw_calls_amount",
            "What these calls cost by our tariff, in the currency's smallest unit.",
            "use",
        )
        self.calls_unread = self._counter(
            "pmsgw_ucm_calls_unread", "Records of the UCM's list of calls without a readable time."
        )
        self.wake_ups = self._counter(
            "pmsgw_wake_ups",
            "Wake-ups that are over, by how they ended; no_result: the UCM never said.",
            "ending",
        )
        self.ucm_events = self._counter(
            "pmsgw_ucm_events", "What the UCM told by itself, over its WebSocket.", "event"
        )
        self.ucm_events_up = self._gauge(
            "pmsgw_ucm_events_up", "1 while the UCM tells events over its WebSocket."
        )
        self.ucm_clock_error = self._gauge(
            "pmsgw_ucm_clock_error_seconds",
            "How far the UCM's clock is ahead of this machine's, when it was last asked.",
        )
        self.calls_blind = self._gauge(
            "pmsgw_ucm_calls_blind",
            "1 while the UCM's list of calls lacks the last known one, and is not believed.",
        )
        self.last_call = self._gauge(
            "pmsgw_last_call_timestamp_seconds", "When the last call of a room ended."
        )
        self.phones = self._gauge(
            "pmsgw_phones",
            "Phones in the rooms: reachable, registered, behind (something is to be done to it).",
            "state",
        )
        self.pair_role = self._gauge("pmsgw_pair_role", ROLE, "role")
        self.pair_standbys = self._gauge(
            "pmsgw_pair_standbys", "Gateways that could take over now, as the holder sees it."
        )
        self.disk_free = self._gauge(
            "pmsgw_data_dir_free_bytes", "Free space on the disk of the data directory."
        )
        self.disk_size = self._gauge(
            "pmsgw_data_dir_size_bytes", "The size of the disk of the data directory."
        )
        self.clock = self._gauge("pmsgw_clock_timestamp_seconds", "The clock of this machine.")
        self.utc_offset = self._gauge(
            "pmsgw_utc_offset_seconds", "The offset of the hotel's time zone from UTC."
        )
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

        registries = dict.fromkeys(lines, self.registry)
        if len(lines) > 1:
            registries = {name: CollectorRegistry() for name in lines}
            self.registry.register(OfLines(registries))
        self.lines = {name: LineMetrics(registry) for name, registry in registries.items()}
        for reason in (
            "empty", "grammar", "no_room", "no_time", "no_number", "no_posting",
            "overlong_field", "ours", "too_many_rooms",
        ):  # fmt: skip
            self.records_refused.labels(reason)
        for result in ("ok", "rejected", "unreachable"):
            self.ucm_logins.labels(result)
        self.ucm_up.set(0)

    def expose(self) -> bytes:
        """The whole registry in the text format."""
        return generate_latest(self.registry)

    @property
    def guests(self) -> LineMetrics:
        """Of the line of the guests."""
        return next(iter(self.lines.values()))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return counter(self.registry, name, text, *labels)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return gauge(self.registry, name, text, *labels)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return histogram(self.registry, name, text, buckets, *labels)
