"""The outbox: what was accepted and not yet done, on disk. Durability lives here only."""

from gateway.outbox.store import (
    Batch,
    Entry,
    NewEntry,
    Outbox,
    Refused,
    StorageFailed,
    Totals,
)
from gateway.outbox.worker import OutboxWorker

__all__ = [
    "Batch",
    "Entry",
    "NewEntry",
    "Outbox",
    "OutboxWorker",
    "Refused",
    "StorageFailed",
    "Totals",
]
