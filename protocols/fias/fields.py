"""Every field id of FIAS: its meaning, how its text becomes a value, its length, its source.

One field is decoded in one place: the records in `records` only name these. The list is the
field appendix of FIAS 2.20.24 for the telephone subset, and the ids of the other subsets so
that their records can be named too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final, Generic, TypeVar

T = TypeVar("T")

PIVOT_YEARS: Final = 50
"""A two-digit year is the one within 50 years of today; FIAS does not say, this is ours."""


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """Text to value and back. `decode` raises ValueError for text that is no such value."""

    name: str
    decode: Callable[[str], T]
    encode: Callable[[T], str]


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """One field id.

    length  the longest value in characters by the specification; a guide, never a refusal,
            because sites exceed it
    source  the part of FIAS 2.20.24 that defines it, or the site that showed it
    """

    id: str
    meaning: str
    codec: Codec[T]
    length: int
    source: str


_FLAGS: Final = {"Y": True, "y": True, "N": False, "n": False}


def _flag(text: str) -> bool:
    try:
        return _FLAGS[text]
    except KeyError:
        raise ValueError(text) from None


def _day(text: str) -> date:
    if len(text) != 6 or not text.isascii() or not text.isdigit():
        raise ValueError(text)
    # The century is settled by the pivot below; 2000 is a leap year, so 29 February parses.
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    return date(century_of(year), month, day)


def century_of(two_digits: int, *, today: date = date(2026, 1, 1)) -> int:
    """The year within PIVOT_YEARS of `today` that ends in these two digits, 0..99.

    `today` is fixed so that decoding stays pure: the answer is right from 1977 to 2075.
    """
    year = today.year - today.year % 100 + two_digits
    if year >= today.year + PIVOT_YEARS:
        return year - 100
    return year


def _time(text: str) -> time:
    # HHMM is seen in the field beside HHMMSS; the specification's own examples also contain
    # seven digits, which is no time at all.
    if len(text) not in (4, 6) or not text.isascii() or not text.isdigit():
        raise ValueError(text)
    return time(int(text[:2]), int(text[2:4]), int(text[4:] or 0))


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise ValueError(text)
    return int(text)


def _duration(text: str) -> int:
    # Not a time of day: a call may last longer than 24 hours.
    if len(text) < 5 or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError(text)
    minutes, seconds = divmod(int(text), 100)
    hours, minutes = divmod(minutes, 100)
    if minutes > 59 or seconds > 59:
        raise ValueError(text)
    return hours * 3600 + minutes * 60 + seconds


def _duration_text(seconds: int) -> str:
    return f"{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"


def _link_fields(text: str) -> tuple[str, ...]:
    if len(text) % 2:
        raise ValueError(text)
    return tuple(text[i : i + 2] for i in range(0, len(text), 2))


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


TEXT: Final[Codec[str]] = Codec("text", str, str)
KEY: Final[Codec[str]] = Codec("text without blanks behind it", lambda text: text.rstrip(" "), str)
FLAG: Final[Codec[bool]] = Codec("Y or N", _flag, lambda yes: "Y" if yes else "N")
MARK: Final[Codec[bool]] = Codec("present or not", lambda _: True, lambda _: "")
DAY: Final[Codec[date]] = Codec("YYMMDD", _day, lambda day: f"{day:%y%m%d}")
CLOCK: Final[Codec[time]] = Codec("HHMMSS", _time, lambda at: f"{at:%H%M%S}")
NUMBER: Final[Codec[int]] = Codec("number", _number, str)
AMOUNT: Final[Codec[int]] = Codec("amount in minor units", _number, str)
DURATION: Final[Codec[int]] = Codec("HHMMSS as seconds", _duration, _duration_text)
IDS: Final[Codec[tuple[str, ...]]] = Codec("field ids", _link_fields, "".join)
LIST: Final[Codec[tuple[str, ...]]] = Codec("values between semicolons", _list, ";".join)

_APPENDIX = "field appendix"
_LINK = "link records"

FIELDS: dict[str, Field[object]] = {}
"""All fields by id."""


def _field(
    id_: str, meaning: str, codec: Codec[T], length: int, source: str = _APPENDIX
) -> Field[T]:
    field = Field(id_, meaning, codec, length, source)
    FIELDS[id_] = field  # type: ignore[assignment]  # a Field[T] read as Field[object]
    return field


# fmt: off
# Rooms, guests and reservations
ROOM              = _field("RN", "room number, exact string",           KEY, 8)
OLD_ROOM          = _field("RO", "room before a move",                  KEY, 8)
RESERVATION       = _field("G#", "reservation number, key of a guest",  KEY, 10)
PROFILE           = _field("G+", "profile number, information only",    TEXT, 10)
NAME              = _field("GN", "name, in the format of the site",     TEXT, 200)
FIRST_NAME        = _field("GF", "first name",                          TEXT, 80)
TITLE             = _field("GT", "title",                               TEXT, 20)
LANGUAGE          = _field("GL", "language code, two spellings exist",  TEXT, 10)
VIP               = _field("GV", "VIP code",                            TEXT, 20)
GROUP             = _field("GG", "group",                               TEXT, 20)
ARRIVAL           = _field("GA", "arrival date",                        DAY, 6)
DEPARTURE         = _field("GD", "departure date",                      DAY, 6)
SHARED            = _field("GS", "others are (still) in the room",      FLAG, 1)
SWAP              = _field("SF", "this record belongs to a resync",     MARK, 0)
NO_POST           = _field("NP", "no posting; never a bar order",       FLAG, 1)
CLASS_OF_SERVICE  = _field("CS", "class of service 0..3",               TEXT, 1)
MINIBAR_RIGHT     = _field("MR", "minibar: MU, MN, ML",                 TEXT, 2)
TV_RIGHT          = _field("TV", "TV: TU, TM, TX, TN, site codes",      TEXT, 2)
VIDEO_RIGHT       = _field("VR", "video: VA, VB, VN",                   TEXT, 2)
USER_0            = _field("A0", "user definable; timeouts in LC",      TEXT, 80)
USER_1            = _field("A1", "user definable; PMS version in LC",   TEXT, 80)
USER_2            = _field("A2", "user definable; version in LC",       TEXT, 80)
USER_3            = _field("A3", "user definable; version in LC",       TEXT, 80)
USER_4            = _field("A4", "user definable",                      TEXT, 80)
USER_5            = _field("A5", "user definable",                      TEXT, 80)
USER_6            = _field("A6", "user definable",                      TEXT, 80)
USER_7            = _field("A7", "user definable",                      TEXT, 80)
USER_8            = _field("A8", "user definable",                      TEXT, 80)
USER_9            = _field("A9", "user definable",                      TEXT, 80)
# Room equipment
DO_NOT_DISTURB    = _field("DN", "do not disturb, from the PMS only",   FLAG, 1)
MESSAGE_LAMP      = _field("ML", "message lamp",                        FLAG, 1)
VOICE_MAIL        = _field("VM", "voice mail: Y, N or unread and read", TEXT, 4)
ROOM_STATUS       = _field("RS", "room or maid status, site codes",     TEXT, 2)
PERSONS           = _field("PU", "persons, with RS",                    NUMBER, 2)
USER_ID           = _field("ID", "user id",                             TEXT, 16)
PRINTER_PORT      = _field("PP", "printer port, always 0",              NUMBER, 1)
CLEAR_TEXT        = _field("CT", "clear text",                          TEXT, 50)
# Date, time, answers
DATE              = _field("DA", "date; the wake-up's in WR, WC, WA",   DAY, 6)
TIME              = _field("TI", "time; the wake-up's in WR, WC, WA",   CLOCK, 6)
ANSWER            = _field("AS", "answer status",                       TEXT, 2, "answer status")
WORKSTATION       = _field("WS", "workstation",                         TEXT, 16)
# Direct dial-in numbers
NUMBERS           = _field("EN", "direct numbers",                      LIST, 80)
NUMBER_POOLS      = _field("EP", "their pools",                         LIST, 80)
NUMBER_STATES     = _field("ES", "0 off, 1 on, 2 keep, 3 move",         LIST, 80)
OLD_NUMBERS       = _field("EO", "direct numbers of the old room",      LIST, 80)
OLD_NUMBER_POOLS  = _field("EI", "their pools",                         LIST, 80)
OLD_NUMBER_STATES = _field("ET", "their states",                        LIST, 80)
GUEST_PIN         = _field("GP", "guest PIN",                           TEXT, 6)
# Postings
POSTING_NUMBER    = _field("P#", "posting number, 1..99999999",         NUMBER, 8)
POSTING_TYPE      = _field("PT", "C direct, T telephone, M minibar",    TEXT, 1)
CALL_TYPE         = _field("PC", "L local, N national, I abroad",       TEXT, 1)
TOTAL             = _field("TA", "total amount",                        AMOUNT, 15)
DIALLED           = _field("DD", "dialled digits",                      TEXT, 20)
CALL_DURATION     = _field("DU", "duration of the call",                DURATION, 6)
PULSES            = _field("MP", "meter pulses",                        NUMBER, 10)
ARTICLE           = _field("MA", "article",                             NUMBER, 4)
ARTICLE_COUNT     = _field("M#", "number of articles",                  NUMBER, 2)
OUTLET            = _field("SO", "outlet; some sites use letters",      TEXT, 5)
EXTRA_TEXT        = _field("X1", "extra text, the first one counts",    TEXT, 25)
TRUNK             = _field("PX", "trunk",                               TEXT, 6)
PAYMENT_METHOD    = _field("PM", "payment method",                      TEXT, 5)
INQUIRY           = _field("PI", "what is looked for",                  TEXT, 40)
ROUNDING          = _field("+0", "rounding",                            AMOUNT, 15)
TIP               = _field("TP", "tip",                                 AMOUNT, 15)
SERVICE_CHARGE    = _field("SC", "service charge",                      AMOUNT, 15)
CHECK_NUMBER      = _field("C#", "check number",                        TEXT, 20)
COVERS            = _field("CV", "covers",                              NUMBER, 4)
SERVING_TIME      = _field("ST", "serving time",                        TEXT, 2)
TABLE             = _field("T#", "table",                               TEXT, 10)
CASHIER           = _field("CO", "cashier or override, by record",      TEXT, 16)
MAXIMUM           = _field("MX", "maximum",                             TEXT, 15)
BALANCE           = _field("BA", "balance, may hold a point",           TEXT, 15)
CREDIT_LIMIT      = _field("CL", "credit limit, may hold a point",      TEXT, 15)
SUBTOTALS         = tuple(_field(f"S{n}", f"subtotal {n}", AMOUNT, 15) for n in range(1, 10))
DISCOUNTS         = tuple(_field(f"D{n}", f"discount {n}", AMOUNT, 15) for n in range(1, 10))
TAXES             = tuple(_field(f"T{n}", f"tax {n}",      AMOUNT, 15) for n in range(1, 10))
# The link itself
INTERFACE         = _field("IF", "kind of interface; PB is a PBX",      TEXT, 2, _LINK)
VERSION           = _field("V#", "version of the driver",               TEXT, 10, _LINK)
REQUESTED_TYPES   = _field("RT", "what LC should tell, a sum of bits",  NUMBER, 3, _LINK)
TEXT_LENGTH       = _field("RL", "longest message text",                NUMBER, 4, _LINK)
RECORD_ID         = _field("RI", "record this link wants",              TEXT, 2, _LINK)
FIELD_LIST        = _field("FL", "its fields, two characters each",     IDS, 200, _LINK)
CRYPT             = _field("CG", "key check",                           TEXT, 80, _LINK)
HOTEL_ID          = _field("PH", "hotel id",                            TEXT, 20, _LINK)
ROOM_PAYMENTS     = _field("RP", "room payment methods",                TEXT, 80, _LINK)
# Messages, bills, locator, keys: named, not used by a telephone gateway
MESSAGE_ID        = _field("MI", "message id",                          TEXT, 10)
MESSAGE_TEXT      = _field("MT", "message text",                        TEXT, 2000)
FOLIO             = _field("F#", "folio",                               TEXT, 10)
FOLIO_FLAG        = _field("FD", "display flag of a bill item",         TEXT, 1)
BILL_TEXT         = _field("BD", "bill item text",                      TEXT, 80)
BILL_AMOUNT       = _field("BI", "bill item amount, may hold a point",  TEXT, 15)
DEPARTMENT        = _field("DC", "department code",                     TEXT, 10)
LOCATOR           = _field("LT", "locator text",                        TEXT, 40)
KEY_CODER         = _field("KC", "key coder",                           TEXT, 8)
KEY_TYPE          = _field("KT", "key type",                            TEXT, 2)
KEY_COUNT         = _field("K#", "number of keys",                      NUMBER, 2)
KEY_OPTIONS       = _field("KO", "key options",                         TEXT, 40)
DEPARTURE_TIME    = _field("DT", "departure time, HH:MM",               TEXT, 5)
SERVICE_ID        = _field("SI", "service id",                          TEXT, 10)
USER_ORDER        = _field("UO", "user order",                          TEXT, 10)
TRACK_1           = _field("$1", "magnetic track 1",                    TEXT, 80)
TRACK_2           = _field("$2", "magnetic track 2",                    TEXT, 40)
TRACK_3           = _field("$3", "magnetic track 3",                    TEXT, 110)
JOURNAL           = _field("$J", "journal text",                        TEXT, 40)
# fmt: on


def moment(day: date | None, at: time | None) -> datetime | None:
    """DA and TI as one moment of hotel time; None when either is missing."""
    return None if day is None or at is None else datetime.combine(day, at)
