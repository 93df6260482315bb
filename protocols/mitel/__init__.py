"""Mitel SX-200 and its kin, the hotel link that PMSs also call Lodgistix."""

from protocols.mitel.codec import decode, decode_either, encode
from protocols.mitel.framing import cutter, frame_reader
from protocols.mitel.normalize import normalize
from protocols.mitel.postings import CAN_SAY, MAID_CODES, record_of
from protocols.mitel.samples import OF_PBX, OF_PMS
from protocols.mitel.session import MitelSession
from protocols.mitel.words import NAMES, describe, mask_text, recognises

__all__ = [
    "CAN_SAY",
    "MAID_CODES",
    "NAMES",
    "OF_PBX",
    "OF_PMS",
    "MitelSession",
    "cutter",
    "decode",
    "decode_either",
    "describe",
    "encode",
    "frame_reader",
    "mask_text",
    "normalize",
    "recognises",
    "record_of",
]
