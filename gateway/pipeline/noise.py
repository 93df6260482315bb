"""Bytes of the line that are no frame: each is counted, the log hears of them once a minute."""

from dataclasses import dataclass, field
from typing import Final

from gateway.clock import Clock
from gateway.logs import logger
from gateway.metrics import LineMetrics
from gateway.store import Refused

KEEP_EVERY_S: Final = 1.0
"""A hostile stream must not fill the disk."""
TELL_EVERY_S: Final = 60.0


@dataclass(slots=True)
class Noise:
    """What was refused of one line.

    evidence    bytes to be kept for the technician
    """

    clock: Clock
    metrics: LineMetrics
    evidence: list[Refused] = field(default_factory=list)
    _told_at: float = float("-inf")
    _kept_at: float = float("-inf")
    _untold: int = 0

    def refused(self, reason: str, data: bytes) -> None:
        """These bytes are no frame."""
        self.metrics.frames_refused.labels(reason).inc()
        self._untold += 1
        now, do = self.clock.now(), _ADVICE.get(reason, "")
        if now - self._kept_at >= KEEP_EVERY_S:
            self._kept_at = now
            at = self.clock.epoch()
            self.evidence.append(Refused(at=at, reason=reason, body=data, advice=do))
        if now - self._told_at >= TELL_EVERY_S:
            logger().warning(
                "frame_refused",
                reason=reason,
                bytes=len(data),
                since_last_told=self._untold,
                do=do or "compare the line settings with the PMS's",
            )
            self._told_at, self._untold = now, 0

    def taken(self) -> list[Refused]:
        """The evidence; it is the caller's from now on."""
        evidence, self.evidence = self.evidence, []
        return evidence


_ADVICE: Final = {
    "lrc": "`pms-gateway line explain` says why: another check byte or protocol, or the cable",
    "no_lrc": "`pms-gateway line explain` says why: no check byte (lrc = false), another protocol",
    "overlong": "no end of record: check baud rate, parity and data bits",
    "restarted": "ends of records are lost: check cable and baud rate",
    "unfinished": "the PMS stopped in the middle of a record: check the cable",
    "garbage": "bytes outside any record: check baud rate and parity",
}
