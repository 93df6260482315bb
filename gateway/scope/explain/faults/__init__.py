"""The rules, one file for each layer. Importing this fills the table, lowest layer first."""

from gateway.scope.explain.faults import (
    answers,
    cable,
    frames,
    link,
    ours,
    postings,
    records,
    settings,
    turns,
    wiring,
)
from gateway.scope.explain.table import FAULTS

# Imports stand in the order of the alphabet; what is low comes first in the table.
_ordered = sorted(FAULTS.items(), key=lambda each: each[1].layer)
FAULTS.clear()
FAULTS.update(_ordered)

__all__ = [
    "answers",
    "cable",
    "frames",
    "link",
    "ours",
    "postings",
    "records",
    "settings",
    "turns",
    "wiring",
]
