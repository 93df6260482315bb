"""The dialects that PMSs speak, by their names in the configuration: one row each.

Nothing else knows that there are several: who has a row has all that the gateway asks of a dialect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from protocols import fias, mitel
from protocols.facts import Said
from protocols.fias.controls import SERIAL_GAP_S, TCP_GAP_S
from protocols.postings import Posting
from protocols.session import AnyRecord, Session

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One dialect.

    session     the link with a PMS
    normalize   a record in hotel words, at this moment of hotel time
    record_of   a posting and its number as a record
    can_say     what it has words for
    describe    the name of a body, and what it says, without a guest's name; raises RecordError.
                None: the scope knows every field of it
    mask        a body without its guest
    maid_codes  status of a room (1 available, 2 cleaning, 3 repairing, 4 vacant, 5 dirty, 6 closed)
                -> the dialect's own when it is vacant, when occupied; 0: it has none
    enquiry     what ENQ says between two sides of it
    is_answered, has_check_byte     whatever the site says; None: as the site says
    lacks       sentences: what a hotel may miss
    """

    session: Callable[[LinkSettings, Stamp], Session]
    normalize: Callable[[Any, datetime], tuple[Said, ...]]
    record_of: Callable[[Posting, int], AnyRecord]
    can_say: frozenset[str]
    mask: Callable[[bytes], bytes]
    maid_codes: Mapping[str, tuple[str, str]]
    describe: Callable[[bytes], tuple[str, str]] | None = None
    enquiry: str = "what was your last answer?"
    lacks: tuple[str, ...] = ()
    is_answered: bool | None = None
    has_check_byte: bool | None = None


def _fias_session(site: LinkSettings, stamp: Stamp) -> Session:
    profile = fias.FiasProfile(
        charset=site.charset,
        lrc=site.lrc,
        ack=site.ack,
        pacing_s=site.pacing_s,
        driver_version=site.driver_version,
        gap_s=SERIAL_GAP_S if site.is_serial else TCP_GAP_S,
        wanted=fias.wanted_for(site.says, outlet=site.outlet),
    )
    return fias.FiasSession(profile, stamp)


DIALECTS: Final[Mapping[str, Dialect]] = {
    "fias": Dialect(
        session=_fias_session,
        normalize=lambda record, _: fias.normalize(record),
        record_of=fias.record_of,
        can_say=fias.CAN_SAY,
        mask=fias.mask_body,
        maid_codes=fias.MAID_CODES,
    ),
    "mitel": Dialect(
        session=lambda site, _: mitel.MitelSession(room_first=site.room_first),
        normalize=mitel.normalize,
        record_of=lambda posting, _: mitel.record_of(posting),
        can_say=mitel.CAN_SAY,
        mask=mitel.mask_text,
        maid_codes=mitel.MAID_CODES,
        describe=mitel.describe,
        enquiry="may I say something?",
        lacks=(
            "no reservation number: a room has one guest, known by his name",
            "no arrival, departure, language or VIP code",
            "no word for the end of a wake-up, and none for a charge",
        ),
        is_answered=True,
        has_check_byte=False,
    ),
}
