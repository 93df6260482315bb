"""What tests of the session share: two lines, and a link that has come up."""

from protocols.fias import FiasProfile
from protocols.fias.framing import write_frame
from protocols.fias.records import LinkRecordWanted

ONE_RECORD = (LinkRecordWanted(wanted="GI", fields=("RN", "G#", "GN")),)
SERIAL = FiasProfile(pacing_s=0, wanted=ONE_RECORD)
TCP = FiasProfile(pacing_s=0, wanted=ONE_RECORD, lrc=False, ack=False, gap_s=60)
UP = """
    open
    pms> <STX>LA|DA260314|TI101501|<ETX>
    gw > <STX>LA|DA260314|TI101500|<ETX>
"""


def events_of(session):
    return list(iter(session.next_event, None))


def serial(*bodies):
    return b"".join(write_frame(body, lrc=True) for body in bodies)
