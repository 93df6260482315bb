"""Where a line hands its records in: the house takes those of the guests; a line for charges has a
desk of its own, which hears the PMS's answers and its night audit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.house import Ledger
from gateway.pipeline.intake import Intake
from gateway.pipeline.reports import Ear
from gateway.store import Refused
from protocols.session import DataReceived, RecordRefused


class Desk(Protocol):
    """Where records are taken in: see `Intake`, which is one."""

    @property
    def ledger(self) -> Ledger:
        """What of a resync and of a night audit is known."""

    async def take(
        self, received: Sequence[DataReceived | RecordRefused], evidence: Sequence[Refused]
    ) -> None:
        """Take everything that one read brought. Raises StorageFailed: nothing of it is taken."""

    async def void_resync(self) -> bool:
        """A running resync will not come to its end. Returns whether one was running."""


@dataclass(frozen=True, slots=True)
class ChargesDesk:
    """Takes records in by the same transactions as the desk of the guests. See `Desk`."""

    intake: Intake
    ear: Ear

    @property
    def ledger(self) -> Ledger:
        """Of the house."""
        return self.intake.ledger

    async def take(
        self, received: Sequence[DataReceived | RecordRefused], evidence: Sequence[Refused]
    ) -> None:
        """Raises StorageFailed."""
        await self.intake.take(received, evidence, self.ear)

    async def void_resync(self) -> bool:
        """A resync is the other line's."""
        return False
