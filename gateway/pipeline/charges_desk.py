"""The desk at a line for charges: what the PMS answers, and its night audit. It tells no guests."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.house import Ledger
from gateway.pipeline.intake import Ear, Intake
from gateway.store import Refused
from protocols.session import DataReceived, RecordRefused


@dataclass(frozen=True, slots=True)
class ChargesDesk:
    """Takes records in by the same transactions as the desk of the guests. See `pump.Desk`."""

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
