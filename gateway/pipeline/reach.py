"""Whether the UCM answers, and until when it is left alone."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.clock import Clock
from gateway.drivers.base import Paused
from gateway.logs import logger
from gateway.metrics import Metrics

FIRST_PAUSE_S: Final = 1.0


@dataclass(slots=True)
class Reach:
    """One UCM as a whole.

    longest_pause_s     to an absent UCM
    is_up, trouble      whether it answered last, and what it said or did instead
    since               when `is_up` changed last, seconds since 1970; None: not since the start
    shut_until          it is not called before this moment
    asked_at            when it was called last; long ago, once it has not answered: so the first
                        thing to do then is to ask
    """

    clock: Clock
    metrics: Metrics
    longest_pause_s: float
    rng: Callable[[], float] = random.random
    is_up: bool = False
    trouble: str = "not asked yet"
    since: float | None = None
    shut_until: float = float("-inf")
    asked_at: float = float("-inf")
    _pause_s: float = FIRST_PAUSE_S

    def asked(self) -> None:
        """It is being called."""
        self.asked_at = self.clock.now()

    def answered(self) -> bool:
        """It has answered. Returns whether it was away before."""
        was_away = not self.is_up
        if was_away:
            self.since = self.clock.epoch()
            logger().info("ucm_up")
        self.is_up, self.trouble = True, ""
        self._pause_s = FIRST_PAUSE_S
        self.metrics.ucm_up.set(1)
        return was_away

    def unanswered(self, kind: str, why: str, *, at_least_s: float = 0.0) -> float:
        """It is away: returns for how many seconds it is left alone, longer each time."""
        if self.is_up or self.trouble != why:
            logger().warning("ucm_unreachable", kind=kind, why=why)
        self._down(why)
        # Jitter, so that many gateways do not fall on a UCM that has just come back.
        pause_s = min(self._pause_s, self.longest_pause_s)
        self._pause_s = pause_s * 2
        pause_s = max(pause_s * (0.5 + self.rng() / 2), at_least_s)
        self.shut_until = self.clock.now() + pause_s
        return pause_s

    def shut(self, error: Paused) -> None:
        """It wants to be left alone, or an operator must act first."""
        self.shut_until = self.clock.now() + error.seconds
        self.asked_at = float("-inf")
        if error.loud:
            self._down(str(error))
            logger().error("ucm_stopped", why=str(error), again_in_s=error.seconds)
        else:
            logger().warning("ucm_paused", why=str(error), again_in_s=error.seconds)

    def _down(self, why: str) -> None:
        if self.is_up or self.since is None:
            self.since = self.clock.epoch()
        self.is_up, self.trouble = False, why
        self.asked_at = float("-inf")
        self.metrics.ucm_up.set(0)
