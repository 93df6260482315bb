"""What a gateway tells that stands by."""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from gateway.metrics.kinds import gauge

BUILD: Final = "Version and site, always 1."
ROLE: Final = "Of two gateways: 1 for what this one is, holder or standby."


class StandbyMetrics:
    """What one of two gateways tells while it stands by: nothing of a line or a UCM, which are the
    other one's.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, *, version: str, site: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # upstream
        self.registry = CollectorRegistry()
        build = gauge(self.registry, "pmsgw_build_info", BUILD, "version", "site")
        build.labels(version, site).set(1)
        role = gauge(self.registry, "pmsgw_pair_role", ROLE, "role")
        role.labels("holder").set(0)
        role.labels("standby").set(1)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def expose(self) -> bytes:
        """The whole registry in the text format."""
        return generate_latest(self.registry)
