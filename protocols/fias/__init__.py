"""FIAS, the link records of Fidelio and OPERA, as of release 2.20.24."""

from protocols.fias.charset import CHARSETS, known_charset
from protocols.fias.codec import decode, encode
from protocols.fias.controls import begins_record
from protocols.fias.framing import cutter, frame_reader
from protocols.fias.mask import mask, mask_body
from protocols.fias.normalize import normalize
from protocols.fias.postings import CAN_SAY, LARGEST_NUMBER, MAID_CODES, record_of, wanted_for
from protocols.fias.profile import FiasProfile
from protocols.fias.samples import OF_PBX, OF_PMS
from protocols.fias.session import FiasSession

__all__ = [
    "CAN_SAY",
    "CHARSETS",
    "LARGEST_NUMBER",
    "MAID_CODES",
    "OF_PBX",
    "OF_PMS",
    "FiasProfile",
    "FiasSession",
    "begins_record",
    "cutter",
    "decode",
    "encode",
    "frame_reader",
    "known_charset",
    "mask",
    "mask_body",
    "normalize",
    "record_of",
    "wanted_for",
]
