"""The limits of a FIAS line, each with its source. ENQ asks for the last answer again, and is never
a bid for the line.
"""

import re
from typing import Final

# FIAS 2.20.24, serial transport.
T1_S: Final = 3.0  # the receiver answers a record within this time
T2_S: Final = 3.0  # the sender asks (ENQ) within this time after T1 went by
MAX_ENQUIRIES: Final = 3  # then the record is dropped and logged
MAX_RESENDS: Final = 3  # four transmissions in all, then dropped as if acknowledged

# The specification says 2,000 characters; lists of guests and 200-character names get longer
# in the field, so four times that is read and anything above is refused.
MAX_BODY_BYTES: Final = 8192

# FIAS 2.20.24, link records and start of the link.
LISTEN_FIRST_S: Final = 3.0  # listen after opening, before saying LS ourselves
CALL_AGAIN_S: Final = 10.0  # between our LS to a silent PMS: just under its own pattern of 12 s
ACCEPT_WITHIN_S: Final = 30.0  # LA after a description; one Protel needs 5 s, 30 is the default
ALIVE_CHECK_S: Final = 300.0  # an LS to an alive link at most once per 5 minutes
AFTER_GOODBYE_S: Final = 30.0  # after its LE the PMS starts again by itself within seconds

# How long a begun frame may pause. A serial sender that pauses longer than this has died; at
# 1,200 baud a byte takes 8 ms, USB adapters deliver every 16 ms. It must be shorter than T1,
# so that the peer's ENQ finds us outside the broken frame. TCP may stall for a minute.
SERIAL_GAP_S: Final = 1.5
TCP_GAP_S: Final = 60.0

RECORD_START_BYTES: Final = 3
_RECORD_START: Final = re.compile(rb"([A-Z]{2}|\$.)\|", re.DOTALL)


def begins_record(ahead: bytes) -> bool:
    """Whether a record begins with these RECORD_START_BYTES: two letters (or $ and anything), then
    a bar. An STX in front of anything else is a byte of a value: a site sends names with STX in
    them.
    """
    return _RECORD_START.match(ahead) is not None
