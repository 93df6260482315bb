"""The store: all that survives a restart. Durability lives here only."""

from gateway.store.file import set_aside
from gateway.store.store import Store
from gateway.store.values import (
    Batch,
    CallRow,
    CallsMark,
    DayTally,
    Heard,
    JournalLine,
    Kept,
    LevelRow,
    PostingRow,
    PostingStep,
    Refused,
    Resident,
    RoomRow,
    StorageCorrupt,
    StorageFailed,
    Told,
)
from gateway.store.worker import StoreWorker
from gateway.store.writing import Writing

__all__ = [
    "Batch",
    "CallRow",
    "CallsMark",
    "DayTally",
    "Heard",
    "JournalLine",
    "Kept",
    "LevelRow",
    "PostingRow",
    "PostingStep",
    "Refused",
    "Resident",
    "RoomRow",
    "StorageCorrupt",
    "StorageFailed",
    "Store",
    "StoreWorker",
    "Told",
    "Writing",
    "set_aside",
]
