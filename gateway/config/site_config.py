"""The configuration of a site as its parts ask for it: the file, and what follows from it."""

import hashlib
import math
import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gateway.back.tariff import Tariff
from gateway.config.model import File, Scraped, lines_of
from gateway.config.phones_file import SitePhone
from gateway.config.site_line import SiteLine
from gateway.line.gate import UNACKED_S
from gateway.metrics import CHARGES

REQUEST_SHARE: Final = 0.4
"""Of a lease: a request is begun within half of it, and takes this long at the most; what is left
is for the kernel, see `Config.request_unacked_s`.
"""
UNACKED_SHARE: Final = 0.1


class Config(File):
    """The file together with what is in the files that it names: `ucm.password` and
    `ucm.pms_password` are the secrets and `ucm.ca_file` is a whole path. Objects get pieces of it,
    never this.

    rates   the tariff of a site that prices its calls itself
    sets    the phones in the rooms
    """

    path: Path
    scraped: Scraped | None = None
    rates: Tariff | None = None
    sets: tuple[SitePhone, ...] = ()

    @property
    def lines(self) -> tuple[SiteLine, ...]:
        """The lines to the PMS."""
        return lines_of(self)

    @property
    def guests(self) -> SiteLine:
        """The line of the guests."""
        return self.lines[0]

    @property
    def charges(self) -> SiteLine | None:
        """The line of the charges; None: they go over that of the guests."""
        return next((line for line in self.lines if line.name == CHARGES), None)

    @property
    def maid_codes(self) -> Mapping[str, tuple[str, str]]:
        """What the PMS calls a status that a maid keys: by the UCM's own, vacant and occupied."""
        return {**self.guests.dialect.maid_codes, **self.maid}

    @property
    def kinds(self) -> frozenset[str]:
        """What goes back to the PMS; nothing: there is no way back."""
        return frozenset().union(*(line.kinds for line in self.lines))

    @property
    def request_within_s(self) -> float:
        """For one request to the UCM. In a pair it is begun within the first half of a lease, and
        it is over before the other gateway may take over.
        """
        return min(self.ucm.timeout_s, self._of_lease(REQUEST_SHARE))

    @property
    def request_unacked_s(self) -> float:
        """For what was written of a request. A kernel goes on sending it when a network comes back,
        also after the connection was closed: in a pair not when the other gateway is at work.
        """
        return min(UNACKED_S, self._of_lease(UNACKED_SHARE))

    @property
    def line_unacked_s(self) -> float:
        """The same for a TCP line: it is written to within the first half of a lease."""
        return min(UNACKED_S, self._of_lease(0.5))

    def _of_lease(self, share: float) -> float:
        return share * self.pair.lease_s if self.pair.name else math.inf

    @property
    def house_schema(self) -> str:
        """Of this site in its database: many sites share one. A name that is no word of SQL gets a
        number of its own: two hotels in one schema would be one house.
        """
        name = self.site.name
        word = re.sub(r"[^a-z0-9_]", "_", name.lower())[:40]
        number = "" if word == name else f"_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        return f"pmsgw_{word}{number}"

    @property
    def zone(self) -> ZoneInfo:
        """The hotel's time zone."""
        return ZoneInfo(self.site.timezone)

    @property
    def checkout_time(self) -> time:
        """Time of day put on a departure date."""
        return time.fromisoformat(self.site.checkout_time)
