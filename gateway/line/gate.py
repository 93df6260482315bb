"""Who may be the peer of a TCP line, how often it may dial, and how much it may say."""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

BYTES_PER_S: Final = 256 * 1024
"""Twenty serial lines at 115,200 baud: no PMS says that much for long, a flood does."""
BYTES_AT_ONCE: Final = 8 * 1024 * 1024
"""A resync of 10,000 rooms, four times over."""
DIALS_PER_S: Final = 16
DIALS_AT_ONCE: Final = 256
UNACKED_S: Final = 20.0
"""What the peer's machine has not taken for so long will not be taken: it is off."""


class Bucket:
    """So much at once, so much a second in the long run."""

    def __init__(self, per_s: float, at_once: float) -> None:
        self._per_s, self._at_once = per_s, at_once
        self._left, self._seen_at = at_once, 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until something may be taken; 0: now."""
        self._left = min(self._at_once, self._left + (now - self._seen_at) * self._per_s)
        self._seen_at = now
        return max(0.0, -self._left / self._per_s)

    def take(self, amount: float) -> None:
        """Take it. It may be more than is left: the next one waits for it."""
        self._left -= amount


class Gate:
    """What stands between a network and a line. Nothing that was said is lost by it.

    allow       networks from which the PMS may dial us; none: from anywhere
    on_refused  told the address of a peer that may not be the PMS, or dials too often
    on_slowed   told each time that a peer is read later because it says too much
    unacked_s   after so long a dial is given up, and what the peer's machine does not take: the
                kernel never delivers it later
    """

    def __init__(
        self,
        allow: Sequence[IPv4Network | IPv6Network] = (),
        on_refused: Callable[[str], None] = lambda _: None,
        on_slowed: Callable[[], None] = lambda: None,
        unacked_s: float | None = None,
    ) -> None:
        self.unacked_s = UNACKED_S if unacked_s is None else unacked_s
        self._allow, self._on_refused, self._on_slowed = tuple(allow), on_refused, on_slowed
        self._bytes = Bucket(BYTES_PER_S, BYTES_AT_ONCE)
        self._dials = Bucket(DIALS_PER_S, DIALS_AT_ONCE)

    def lets_in(self, address: str, now: float) -> bool:
        """Whether this peer may have a line; told if not."""
        if self._allows(address) and not self._dials.wait_s(now):
            self._dials.take(1)
            return True
        self.refuse(address)
        return False

    def refuse(self, address: str) -> None:
        """Tell that this one was sent away."""
        self._on_refused(address)

    def pause_s(self, now: float) -> float:
        """Seconds for which the peer is left waiting before the next bytes are taken from it."""
        pause = self._bytes.wait_s(now)
        if pause:
            self._on_slowed()
        return pause

    def passed(self, size: int) -> None:
        """So many bytes were taken from the peer."""
        self._bytes.take(size)

    def _allows(self, address: str) -> bool:
        if not self._allow:
            return True
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)  # an IPv6 listener tells IPv4 peers so
        return any((mapped or found) in network for network in self._allow)
