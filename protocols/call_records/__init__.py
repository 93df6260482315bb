"""Call records for a charge port: costed lines (HOBIC, Holidex) and Mitel's raw ones (SMDR)."""

from protocols.call_records.postings import (
    CAN_SAY,
    costed_record_of,
    raw_record_of,
)
from protocols.call_records.session import CallRecordSession, Delivery, costed_line, holidex, smdr
from protocols.call_records.wire import LONGEST, read_costed, read_raw
from protocols.call_records.words import (
    describe_costed,
    describe_raw,
    mask_costed,
    mask_raw,
)

__all__ = [
    "CAN_SAY",
    "LONGEST",
    "CallRecordSession",
    "Delivery",
    "costed_line",
    "costed_record_of",
    "describe_costed",
    "describe_raw",
    "holidex",
    "mask_costed",
    "mask_raw",
    "raw_record_of",
    "read_costed",
    "read_raw",
    "smdr",
]
