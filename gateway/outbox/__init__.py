"""The outbox: what was accepted and not yet done, on disk. Durability lives here only."""

from gateway.outbox.file import set_aside
from gateway.outbox.store import Outbox
from gateway.outbox.values import (
    LANES,
    OPEN_STATES,
    STATES,
    Batch,
    Entry,
    NewEntry,
    Refused,
    Row,
    StorageCorrupt,
    StorageFailed,
    Totals,
)
from gateway.outbox.worker import Coming, OutboxWorker

__all__ = [
    "LANES",
    "OPEN_STATES",
    "STATES",
    "Batch",
    "Coming",
    "Entry",
    "NewEntry",
    "Outbox",
    "OutboxWorker",
    "Refused",
    "Row",
    "StorageCorrupt",
    "StorageFailed",
    "Totals",
    "set_aside",
]
