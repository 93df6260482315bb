"""Mitel SX-200 and its kin, the hotel link that PMSs also call Lodgistix."""

from protocols.mitel.codec import decode, encode
from protocols.mitel.framing import cutter, frame_reader
from protocols.mitel.normalize import normalize
from protocols.mitel.postings import CAN_SAY, MAID_CODES, record_of
from protocols.mitel.session import MitelSession
from protocols.mitel.words import describe, mask_text, recognises

__all__ = [
    "CAN_SAY",
    "MAID_CODES",
    "MitelSession",
    "cutter",
    "decode",
    "describe",
    "encode",
    "frame_reader",
    "mask_text",
    "normalize",
    "recognises",
    "record_of",
]
