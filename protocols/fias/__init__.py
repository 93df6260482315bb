"""FIAS, the link records of Fidelio and OPERA, as of release 2.20.24."""

from protocols.fias.codec import CHARSETS, decode, encode, known_charset
from protocols.fias.normalize import normalize
from protocols.fias.session import FiasProfile, FiasSession

__all__ = [
    "CHARSETS",
    "FiasProfile",
    "FiasSession",
    "decode",
    "encode",
    "known_charset",
    "normalize",
]
