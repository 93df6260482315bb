"""FIAS, the link records of Fidelio and OPERA, as of release 2.20.24."""

from protocols.fias.codec import CHARSETS, decode, encode, known_charset
from protocols.fias.cutter import Cutter
from protocols.fias.mask import mask, mask_body
from protocols.fias.normalize import normalize
from protocols.fias.session import FiasProfile, FiasSession

__all__ = [
    "CHARSETS",
    "Cutter",
    "FiasProfile",
    "FiasSession",
    "decode",
    "encode",
    "known_charset",
    "mask",
    "mask_body",
    "normalize",
]
