"""The kinds of metrics, and two that prometheus_client has not."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric


def counter(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Counter:
    """One that only rises."""
    return Counter(name, text, labels, registry=registry)


def gauge(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Gauge:
    """One that rises and falls."""
    return Gauge(name, text, labels, registry=registry)


def histogram(
    registry: CollectorRegistry, name: str, text: str, buckets: tuple[float, ...], *labels: str
) -> Histogram:
    """One of durations, in seconds."""
    return Histogram(name, text, labels, registry=registry, buckets=buckets)


class Counted:
    """A counter that the kernel keeps. Absent while empty."""

    def __init__(self, name: str, text: str, label: str) -> None:
        self._name, self._text, self._label = name, text, label
        self.counts: dict[str, int] = {}

    def collect(self) -> Iterable[Metric]:
        """As prometheus_client asks for it."""
        if self.counts:
            family = CounterMetricFamily(self._name, self._text, labels=[self._label])
            for value, count in self.counts.items():
                family.add_metric([value], count)
            yield family

    def describe(self) -> Iterable[Metric]:
        """The name, without asking anybody: it is taken even while there is nothing to tell."""
        yield CounterMetricFamily(self._name, self._text, labels=[self._label])


class OpenPostings:
    """`pmsgw_postings`, a gauge beside the counter `pmsgw_postings_total`: in the text format these
    are two names, for prometheus_client they are one, so this one is not claimed from it.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}

    def collect(self) -> Iterable[Metric]:
        """As prometheus_client asks for it."""
        text = "What goes back to the PMS and is not done, by state."
        family = GaugeMetricFamily("pmsgw_postings", text, labels=["kind", "state"])
        for labels, count in self.counts.items():
            family.add_metric(labels, count)
        yield family

    def describe(self) -> Iterable[Metric]:
        """No name."""
        return ()
