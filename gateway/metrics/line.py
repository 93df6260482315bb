"""What is counted of each line to a PMS."""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from gateway.metrics.kinds import Counted, counter, gauge, histogram
from protocols.stream import Reason

GUESTS: Final = "guests"
CHARGES: Final = "charges"
"""The lines to a PMS, by the values of the label `line`."""

_ACK_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 5)


class LineMetrics:
    """What is counted of one line to the PMS."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.link_up = gauge(
            registry, "pmsgw_link_up", "1 after both sides of the PMS link said LA, else 0."
        )
        self.link_transitions = counter(
            registry, "pmsgw_link_transitions", "How often the link entered this state.", "to"
        )
        self.line_bytes = counter(
            registry,
            "pmsgw_line_bytes",
            "Bytes read from (in) and written to (out) the PMS line.",
            "direction",
        )
        self.frames_refused = counter(
            registry,
            "pmsgw_frames_refused",
            "Bytes from the PMS line that are not a valid frame, by reason.",
            "reason",
        )
        self.peers_refused = counter(
            registry,
            "pmsgw_line_peers_refused",
            "Peers that dialled the PMS line and may not be the PMS, or dial too often.",
        )
        self.slowed = counter(
            registry,
            "pmsgw_line_slowed",
            "Reads from a TCP peer delayed because it sends more than any real line carries.",
        )
        self.capture_lost = counter(
            registry,
            "pmsgw_capture_lost",
            "Pieces of the line that could not be kept in the capture.",
        )
        self.handshakes = counter(
            registry,
            "pmsgw_line_handshakes",
            "ACK, NAK and ENQ heard (in) and said (out).",
            "direction",
            "signal",
        )
        self.records = counter(
            registry,
            "pmsgw_records",
            "Records heard (in) and said (out), by their id.",
            "record",
            "direction",
        )
        self.records_given_up = counter(
            registry, "pmsgw_records_given_up", "Records of ours that the PMS never acknowledged."
        )
        self.last_record = gauge(
            registry,
            "pmsgw_last_record_timestamp_seconds",
            "When the last record from the PMS came.",
        )
        self.ack = histogram(
            registry,
            "pmsgw_ack_seconds",
            "From the last byte of a record to our ACK on the line; the PMS waits 3 s for it.",
            _ACK_BUCKETS,
        )
        self.resync_missing = gauge(
            registry,
            "pmsgw_resync_missing",
            "1 after a resync that broke off, until one is complete.",
        )
        self.examiner_failures = counter(
            registry,
            "pmsgw_examiner_failures",
            "Faults of ours in the diagnosis of the line; records go on.",
        )
        self._serial_errors = Counted(
            "pmsgw_serial_errors", "Errors counted by the driver of the serial port.", "kind"
        )
        registry.register(self._serial_errors)
        for reason in Reason:
            self.frames_refused.labels(reason.value)
        for direction in ("in", "out"):  # so that a rate exists before the first event
            self.line_bytes.labels(direction)
            for signal in ("ack", "nak", "enq"):
                self.handshakes.labels(direction, signal)
        self.link_up.set(0)

    def set_serial_errors(self, counts: dict[str, int]) -> None:
        """What the driver of the serial port counts; never called where it cannot count."""
        self._serial_errors.counts.update(counts)


class OfLines:
    """The metrics of several lines, each sample with the name of its line."""

    def __init__(self, registries: Mapping[str, CollectorRegistry]) -> None:
        self._registries = registries

    def collect(self) -> Iterable[Metric]:
        """As prometheus_client asks for it."""
        families: dict[str, Metric] = {}
        for line, registry in self._registries.items():
            for family in registry.collect():
                merged = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                merged.samples += [
                    each._replace(labels={**each.labels, "line": line}) for each in family.samples
                ]
        return families.values()
