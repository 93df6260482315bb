"""The dialects that PMSs speak, by their names in the configuration: one row each.

Nothing else knows that there are several: who has a row has all that the gateway asks of a dialect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from protocols import call_records, fias, mitel
from protocols.cutter import Cutter
from protocols.facts import Said
from protocols.fias.controls import SERIAL_GAP_S, TCP_GAP_S
from protocols.framing import FrameReader
from protocols.lines import LineCutter, LineReader
from protocols.postings import Posting
from protocols.samples import Sample
from protocols.session import AnyRecord, Session
from protocols.stream import Cuts, Reads

Stamp = Callable[[], datetime]
"""Hotel time now, without a zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """What a site may say of its link; a dialect takes what it knows.

    charset             of names
    lrc, ack            whether frames carry a check byte, and whether they are answered
    is_serial           the line is one
    pacing_s            pause between the records of our description
    driver_version      told to the PMS, where it wants to know
    says                words of what goes back: see `protocols.postings`
    outlet              whether postings name one
    room_first          a name stands behind its room
    is_for_charges      the line carries charges and nothing else
    property            the code of the hotel, three letters, where call records name it
    """

    charset: str
    lrc: bool
    ack: bool
    is_serial: bool
    pacing_s: float
    driver_version: str
    says: frozenset[str]
    outlet: bool
    room_first: bool = False
    is_for_charges: bool = False
    property: str = ""


class Books(Enum):
    """What says that a charge is booked."""

    ANSWER = auto()  # a record of the PMS
    ACK = auto()  # that the line took it
    NOTHING = auto()  # nobody ever does


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One dialect.

    session     the link with a PMS
    reader      finds frames in a stream: whether they have a check byte, whether they are answered
    cutter      cuts a stream for a reader's eye: whether frames have a check byte
    record      a body of either side as a record, for who tries a line; raises RecordError
    normalize   a record in hotel words, at this moment of hotel time; None: it tells nothing of
                guests, and is for charges only
    record_of   a posting and its number as a record; raises CannotBeSaid
    can_say     what it has words for
    describe    the name of a body, and what it says, without a guest's name; raises RecordError.
                None: the scope knows every field of it
    mask        a body without its guest
    maid_codes  status of a room (1 available, 2 cleaning, 3 repairing, 4 vacant, 5 dirty, 6 closed)
                -> the dialect's own when it is vacant, when occupied; 0: it has none
    asks_first  each side asks with ENQ before it says something; else ENQ asks for the last answer
    recognises  whether a body can only be one of its records
    is_answered, has_check_byte     whatever the site says; None: as the site says
    is_answered_on_serial           where the site says nothing
    has_verdicts    the PMS answers a charge with a record of its own
    has_prices      None: it takes calls with and without their price
    lacks       sentences: what a hotel may miss
    of_pms, of_pbx  what either side says at a site, with blanks for who tries a line: see `Sample`
    """

    session: Callable[[LinkSettings, Stamp], Session]
    reader: Callable[[bool, bool], Reads]
    cutter: Callable[[bool], Cuts]
    record: Callable[[bytes, str], Any]
    normalize: Callable[[Any, datetime], tuple[Said, ...]] | None = None
    record_of: Callable[[Posting, int], AnyRecord]
    can_say: frozenset[str]
    mask: Callable[[bytes], bytes]
    maid_codes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    describe: Callable[[bytes], tuple[str, str]] | None = None
    asks_first: bool = False
    recognises: Callable[[bytes], bool] = lambda _: False
    lacks: tuple[str, ...] = ()
    of_pms: tuple[Sample, ...] = ()
    of_pbx: tuple[Sample, ...] = ()
    is_answered: bool | None = None
    has_check_byte: bool | None = None
    is_answered_on_serial: bool = True
    has_verdicts: bool = False
    has_prices: bool | None = None

    def books(self, *, is_answered: bool) -> Books:
        """What says on such a line that a charge is booked."""
        if self.has_verdicts:
            return Books.ANSWER
        return Books.ACK if is_answered else Books.NOTHING


def _fias_session(site: LinkSettings, stamp: Stamp) -> Session:
    profile = fias.FiasProfile(
        charset=site.charset,
        lrc=site.lrc,
        ack=site.ack,
        pacing_s=site.pacing_s,
        driver_version=site.driver_version,
        gap_s=SERIAL_GAP_S if site.is_serial else TCP_GAP_S,
        wanted=fias.wanted_for(site.says, outlet=site.outlet, is_for_charges=site.is_for_charges),
        interface="CA" if site.is_for_charges else "PB",
    )
    return fias.FiasSession(profile, stamp)


_call_records: Final = call_records.CallRecordSession

DIALECTS: Final[Mapping[str, Dialect]] = {
    "fias": Dialect(
        session=_fias_session,
        reader=lambda lrc, ack: fias.frame_reader(lrc=lrc, handshake=ack),
        cutter=lambda lrc: fias.cutter(lrc=lrc),
        record=fias.decode,
        normalize=lambda record, _: fias.normalize(record),
        record_of=fias.record_of,
        can_say=fias.CAN_SAY,
        mask=fias.mask_body,
        recognises=fias.begins_record,
        of_pms=fias.OF_PMS,
        of_pbx=fias.OF_PBX,
        maid_codes=fias.MAID_CODES,
        has_verdicts=True,
    ),
    "mitel": Dialect(
        session=lambda site, _: mitel.MitelSession(room_first=site.room_first),
        reader=lambda *_: mitel.frame_reader(),
        cutter=lambda _: mitel.cutter(),
        record=lambda body, _: mitel.decode_either(body),
        normalize=mitel.normalize,
        record_of=lambda posting, _: mitel.record_of(posting),
        can_say=mitel.CAN_SAY,
        mask=mitel.mask_text,
        maid_codes=mitel.MAID_CODES,
        describe=mitel.describe,
        recognises=mitel.recognises,
        of_pms=mitel.OF_PMS,
        of_pbx=mitel.OF_PBX,
        asks_first=True,
        lacks=(
            "no reservation number: a room has one guest, known by his name",
            "no arrival, departure, language or VIP code",
            "no word for the end of a wake-up, and none for a charge: that needs a [charges_line]",
        ),
        is_answered=True,
        has_check_byte=False,
    ),
    "holidex": Dialect(
        session=lambda site, _: _call_records(call_records.holidex(site.property)),
        reader=lambda *_: FrameReader(lrc=True, handshake=True, longest=call_records.LONGEST),
        cutter=lambda _: Cutter(lrc=True, longest=call_records.LONGEST),
        record=lambda body, _: call_records.read_costed(body),
        record_of=call_records.costed_record_of,
        can_say=call_records.CAN_SAY,
        mask=call_records.mask_costed,
        describe=call_records.describe_costed,
        asks_first=True,
        is_answered=True,
        has_check_byte=True,
        has_prices=True,
    ),
    "hobic": Dialect(
        session=lambda site, _: _call_records(
            call_records.costed_line(site.property, is_answered=site.ack)
        ),
        reader=lambda *_: LineReader(longest=call_records.LONGEST),
        cutter=lambda _: LineCutter(longest=call_records.LONGEST),
        record=lambda body, _: call_records.read_costed(body),
        record_of=call_records.costed_record_of,
        can_say=call_records.CAN_SAY,
        mask=call_records.mask_costed,
        describe=call_records.describe_costed,
        is_answered_on_serial=False,
        has_check_byte=False,
        has_prices=True,
    ),
    "smdr": Dialect(
        session=lambda *_: _call_records(call_records.smdr()),
        reader=lambda *_: LineReader(longest=call_records.LONGEST),
        cutter=lambda _: LineCutter(longest=call_records.LONGEST),
        record=lambda body, _: call_records.read_raw(body),
        record_of=call_records.raw_record_of,
        can_say=call_records.CAN_SAY,
        mask=call_records.mask_raw,
        describe=call_records.describe_raw,
        is_answered=False,
        has_check_byte=False,
        has_prices=False,
    ),
}


def settled(
    dialect: Dialect, *, lrc: bool | None, ack: bool | None, is_serial: bool
) -> tuple[bool, bool]:
    """Whether frames carry a check byte and whether they are answered: as the dialect has it,
    else as the site says, else as is usual.
    """
    usual_ack = is_serial and dialect.is_answered_on_serial
    has_lrc = next(each for each in (dialect.has_check_byte, lrc, is_serial) if each is not None)
    is_answered = next(each for each in (dialect.is_answered, ack, usual_ack) if each is not None)
    return has_lrc, is_answered
