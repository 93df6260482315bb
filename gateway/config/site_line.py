"""One line of a site to its PMS, with all defaults settled."""

from dataclasses import dataclass

from gateway.config.checks import Network
from gateway.line.spec import LineSpec
from protocols.dialects import DIALECTS, Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLine:
    """One line of the site, and how it is spoken: all defaults are settled.

    name    GUESTS or CHARGES
    kinds   of postings that go over it: see `gateway.back.kinds`
    says    what of its words it uses: see `protocols.postings`
    allow   who may dial it; nobody: everybody
    """

    name: str
    spec: LineSpec
    protocol: str
    lrc: bool
    ack: bool
    charset: str
    kinds: frozenset[str]
    says: frozenset[str]
    allow: tuple[Network, ...] = ()

    @property
    def dialect(self) -> Dialect:
        """What is spoken on it."""
        return DIALECTS[self.protocol]
