"""Every record of FIAS as a frozen dataclass: the class reads as the specification's table.

A field that is absent is None; one that is present and empty is an empty string. Fields that
a record does not list are kept in `extra`, fields whose text is no value in `odd`: both are
counted by the edges and neither is ever fatal. Field order is not significant on the wire.

To add a record: one class here, one row in `tests/data/records/fias.txt`, one transcript, and
(if the hotel should feel it) one case in `normalize`.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from enum import Enum
from typing import Any, ClassVar, Final, TypeVar, cast, dataclass_transform

from protocols.fias import fields as f
from protocols.fias.fields import Field

T = TypeVar("T")
R = TypeVar("R", bound="Record")


class Sender(Enum):
    """Who may say a record."""

    PMS = "pms"
    GATEWAY = "gateway"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record. `extra` and `odd` hold (field id, text) in the order of the wire,
    those of blocks first.
    """

    record_id: ClassVar[str] = ""
    sender: ClassVar[Sender] = Sender.BOTH

    extra: tuple[tuple[str, str], ...] = ()
    odd: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a field of the wire lands in a dataclass.

    after   the slot takes the field only when it follows this field id (a second GS)
    block   every occurrence of this field opens another value of this dataclass
    """

    field: Field[Any]
    after: str | None = None
    block: type[Any] | None = None


def wire(field: Field[T], *, after: Field[Any] | None = None) -> T | None:
    """A slot for one field; None when the record does not have it."""
    slot = Slot(field, after=after.id if after else None)
    return cast("T | None", dataclasses.field(default=None, metadata={"slot": slot}))


def wire_blocks(field: Field[Any], block: type[T]) -> tuple[T, ...]:
    """A slot for groups of fields, each opened by `field`, as the guests of a PL."""
    slot = Slot(field, block=block)
    return cast("tuple[T, ...]", dataclasses.field(default=(), metadata={"slot": slot}))


def slots_of(cls: type[Any]) -> tuple[tuple[str, Slot], ...]:
    """The (attribute, slot) pairs of a record or block, in the order they are written."""
    return tuple(
        (field.name, field.metadata["slot"])
        for field in dataclasses.fields(cls)
        if "slot" in field.metadata
    )


RECORDS: Final[dict[str, type[Record]]] = {}
"""All records by their id on the wire."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(record_id: str, sender: Sender) -> Callable[[type[R]], type[R]]:
    """Make a class a record: a frozen dataclass with its id and its place in RECORDS."""

    def register(cls: type[R]) -> type[R]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.record_id = record_id
        made.sender = sender
        RECORDS[record_id] = made
        return made

    return register


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownRecord(Record):
    """A record with an id that FIAS does not have; all its fields are in `extra`.

    Third-party code emits MW, WK, WD, WU, RS as record ids: accepted, counted, without effect.
    """

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped(Record):
    """A record that says when it was sent, in the hotel's time."""

    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)


# --- The link -----------------------------------------------------------------------------


@record("LS", Sender.BOTH)
class LinkStart(Stamped):
    """The link starts: the gateway answers each one with its whole description.

    Source: FIAS 2.20.24, link records.
    """


@record("LA", Sender.BOTH)
class LinkAlive(Stamped):
    """The sender considers the link alive. Never answered by another LA.

    Source: FIAS 2.20.24, link records.
    """


@record("LE", Sender.BOTH)
class LinkEnd(Stamped):
    """The sender leaves; an LE comes back.

    Source: FIAS 2.20.24, link records.
    """


@record("LD", Sender.GATEWAY)
class LinkDescription(Stamped):
    """Who we are; opens the description that LR records continue.

    Source: FIAS 2.20.24, link records.
    """

    version: str | None = wire(f.VERSION)
    interface: str | None = wire(f.INTERFACE)
    requested_types: int | None = wire(f.REQUESTED_TYPES)
    text_length: int | None = wire(f.TEXT_LENGTH)
    crypt: str | None = wire(f.CRYPT)


@record("LR", Sender.GATEWAY)
class LinkRecordWanted(Record):
    """One record type that this link receives or sends, with all its fields.

    The only record whose field order counts: RI, then FL.

    Source: FIAS 2.20.24, link records.
    """

    wanted: str | None = wire(f.RECORD_ID)
    fields: tuple[str, ...] | None = wire(f.FIELD_LIST)


@record("LC", Sender.PMS)
class LinkConfiguration(Record):
    """What the PMS tells of itself when LD asked for it.

    Source: FIAS 2.20.24, link records.
    """

    timeouts: str | None = wire(f.USER_0)
    pms_version: str | None = wire(f.USER_1)
    version_2: str | None = wire(f.USER_2)
    version_3: str | None = wire(f.USER_3)
    hotel_id: str | None = wire(f.HOTEL_ID)
    room_payments: str | None = wire(f.ROOM_PAYMENTS)
    crypt: str | None = wire(f.CRYPT)


# --- Resync and night audit ---------------------------------------------------------------


@record("DR", Sender.GATEWAY)
class ResyncRequest(Stamped):
    """Tell me every room. Newer systems ignore a needless one without a word.

    Source: FIAS 2.20.24, database resync.
    """


@record("DS", Sender.PMS)
class ResyncStart(Stamped):
    """Every room follows, marked SF; live records may stand between.

    Source: FIAS 2.20.24, database resync.
    """


@record("DE", Sender.PMS)
class ResyncEnd(Stamped):
    """Every room has been told.

    Source: FIAS 2.20.24, database resync.
    """


@record("NS", Sender.PMS)
class NightAuditStart(Stamped):
    """The night audit begins; a mark, without relation to the business date.

    Source: FIAS 2.20.24, night audit.
    """


@record("NE", Sender.PMS)
class NightAuditEnd(Stamped):
    """The night audit is over.

    Source: FIAS 2.20.24, night audit.
    """


# --- Guests -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestRecord(Record):
    """What GI and GC say of a guest and his room.

    Source: FIAS 2.20.24, guest data records.
    """

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    name: str | None = wire(f.NAME)
    first_name: str | None = wire(f.FIRST_NAME)
    title: str | None = wire(f.TITLE)
    language: str | None = wire(f.LANGUAGE)
    vip: str | None = wire(f.VIP)
    group: str | None = wire(f.GROUP)
    arrival: date | None = wire(f.ARRIVAL)
    departure: date | None = wire(f.DEPARTURE)
    shared: bool | None = wire(f.SHARED)
    class_of_service: str | None = wire(f.CLASS_OF_SERVICE)
    no_post: bool | None = wire(f.NO_POST)
    minibar_right: str | None = wire(f.MINIBAR_RIGHT)
    tv_right: str | None = wire(f.TV_RIGHT)
    video_right: str | None = wire(f.VIDEO_RIGHT)
    profile: str | None = wire(f.PROFILE)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)
    workstation: str | None = wire(f.WORKSTATION)
    numbers: tuple[str, ...] | None = wire(f.NUMBERS)
    number_pools: tuple[str, ...] | None = wire(f.NUMBER_POOLS)
    number_states: tuple[str, ...] | None = wire(f.NUMBER_STATES)
    user_0: str | None = wire(f.USER_0)
    user_1: str | None = wire(f.USER_1)
    user_2: str | None = wire(f.USER_2)
    user_3: str | None = wire(f.USER_3)
    user_4: str | None = wire(f.USER_4)
    user_5: str | None = wire(f.USER_5)
    user_6: str | None = wire(f.USER_6)
    user_7: str | None = wire(f.USER_7)
    user_8: str | None = wire(f.USER_8)
    user_9: str | None = wire(f.USER_9)


@record("GI", Sender.PMS)
class GuestIn(GuestRecord):
    """A guest has checked in to a room.

    A shared room sends one record per guest; all but the first have `shared` set. Receiving
    the same record twice must change nothing.

    Source: FIAS 2.20.24, guest data records.
    """

    swap: bool | None = wire(f.SWAP)


@record("GO", Sender.PMS)
class GuestOut(Record):
    """A guest has checked out; `shared`: others are still in. In a resync without G#.

    Source: FIAS 2.20.24, guest data records.
    """

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    shared: bool | None = wire(f.SHARED)
    swap: bool | None = wire(f.SWAP)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)
    workstation: str | None = wire(f.WORKSTATION)
    numbers: tuple[str, ...] | None = wire(f.NUMBERS)
    number_pools: tuple[str, ...] | None = wire(f.NUMBER_POOLS)
    number_states: tuple[str, ...] | None = wire(f.NUMBER_STATES)


@record("GC", Sender.PMS)
class GuestChange(GuestRecord):
    """Something about a guest is different; with `old_room` it is a room move.

    In a move GS comes twice: the one behind RN speaks of the new room, the one behind RO of
    the old. The order of the two blocks is free.

    Source: FIAS 2.20.24, guest data records and room move.
    """

    old_room: str | None = wire(f.OLD_ROOM)
    old_room_shared: bool | None = wire(f.SHARED, after=f.OLD_ROOM)
    old_numbers: tuple[str, ...] | None = wire(f.OLD_NUMBERS)
    old_number_pools: tuple[str, ...] | None = wire(f.OLD_NUMBER_POOLS)
    old_number_states: tuple[str, ...] | None = wire(f.OLD_NUMBER_STATES)


@record("VA", Sender.GATEWAY)
class VirtualNumberAnswer(Record):
    """Whether a direct number could be assigned.

    Source: FIAS 2.20.24, virtual numbers.
    """

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    numbers: tuple[str, ...] | None = wire(f.NUMBERS)
    number_pools: tuple[str, ...] | None = wire(f.NUMBER_POOLS)
    number_states: tuple[str, ...] | None = wire(f.NUMBER_STATES)
    answer: str | None = wire(f.ANSWER)
    text: str | None = wire(f.CLEAR_TEXT)
    guest_pin: str | None = wire(f.GUEST_PIN)


# --- Rooms and wake-ups -------------------------------------------------------------------


@record("RE", Sender.BOTH)
class RoomEquipment(Record):
    """Something of the room was set: class of service, do-not-disturb, lamp, status.

    Several attributes may come in one record. Do-not-disturb flows from the PMS only.

    Source: FIAS 2.20.24, room equipment.
    """

    room: str | None = wire(f.ROOM)
    class_of_service: str | None = wire(f.CLASS_OF_SERVICE)
    do_not_disturb: bool | None = wire(f.DO_NOT_DISTURB)
    message_lamp: bool | None = wire(f.MESSAGE_LAMP)
    room_status: str | None = wire(f.ROOM_STATUS)
    voice_mail: str | None = wire(f.VOICE_MAIL)
    minibar_right: str | None = wire(f.MINIBAR_RIGHT)
    tv_right: str | None = wire(f.TV_RIGHT)
    reservation: str | None = wire(f.RESERVATION)
    user_id: str | None = wire(f.USER_ID)
    persons: int | None = wire(f.PERSONS)
    printer_port: int | None = wire(f.PRINTER_PORT)
    text: str | None = wire(f.CLEAR_TEXT)


@record("WR", Sender.BOTH)
class WakeUpRequest(Record):
    """Call the room at this moment. Identity: room, date and time; there is no guest in it.

    Source: FIAS 2.20.24, wake-up.
    """

    room: str | None = wire(f.ROOM)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)


@record("WC", Sender.BOTH)
class WakeUpClear(Record):
    """Do not call the room at this moment; with empty date and time: do not call it at all.

    Source: FIAS 2.20.24, wake-up.
    """

    room: str | None = wire(f.ROOM)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)


@record("WA", Sender.GATEWAY)
class WakeUpAnswer(Record):
    """What became of a wake-up: one per request, with the seconds of the request.

    Source: FIAS 2.20.24, wake-up and answer status.
    """

    room: str | None = wire(f.ROOM)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)
    answer: str | None = wire(f.ANSWER)


# --- Postings -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A pair of a minibar posting: MA, M#."""

    number: int | None = wire(f.ARTICLE)
    count: int | None = wire(f.ARTICLE_COUNT)


@record("PS", Sender.GATEWAY)
class Posting(Record):
    """A charge for a room: a call or articles from the minibar.

    Source: FIAS 2.20.24, posting simple.
    """

    room: str | None = wire(f.ROOM)
    posting_type: str | None = wire(f.POSTING_TYPE)
    articles: tuple[Article, ...] = wire_blocks(f.ARTICLE, Article)
    total: int | None = wire(f.TOTAL)
    dialled: str | None = wire(f.DIALLED)
    duration: int | None = wire(f.CALL_DURATION)
    call_type: str | None = wire(f.CALL_TYPE)
    pulses: int | None = wire(f.PULSES)
    text: str | None = wire(f.CLEAR_TEXT)
    outlet: str | None = wire(f.OUTLET)
    posting_number: int | None = wire(f.POSTING_NUMBER)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)
    trunk: str | None = wire(f.TRUNK)
    user_id: str | None = wire(f.USER_ID)
    workstation: str | None = wire(f.WORKSTATION)
    payment_method: str | None = wire(f.PAYMENT_METHOD)
    extra_text: str | None = wire(f.EXTRA_TEXT)
    rounding: int | None = wire(f.ROUNDING)
    service_charge: int | None = wire(f.SERVICE_CHARGE)
    tip: int | None = wire(f.TIP)


@record("PA", Sender.PMS)
class PostingAnswer(Record):
    """What became of a posting; matched by its number, never by the room.

    Source: FIAS 2.20.24, posting answer and answer status.
    """

    room: str | None = wire(f.ROOM)
    answer: str | None = wire(f.ANSWER)
    text: str | None = wire(f.CLEAR_TEXT)
    posting_number: int | None = wire(f.POSTING_NUMBER)
    workstation: str | None = wire(f.WORKSTATION)
    check_number: str | None = wire(f.CHECK_NUMBER)
    reservation: str | None = wire(f.RESERVATION)
    name: str | None = wire(f.NAME)
    user_id: str | None = wire(f.USER_ID)
    outlet: str | None = wire(f.OUTLET)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)


@record("PR", Sender.GATEWAY)
class PostingRequest(Record):
    """An inquiry for guests, or a posting to one of them.

    Source: FIAS 2.20.24, posting request.
    """

    inquiry: str | None = wire(f.INQUIRY)
    payment_method: str | None = wire(f.PAYMENT_METHOD)
    workstation: str | None = wire(f.WORKSTATION)
    posting_number: int | None = wire(f.POSTING_NUMBER)
    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    name: str | None = wire(f.NAME)
    total: int | None = wire(f.TOTAL)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedGuest:
    """One guest of a posting list: the block that RN opens."""

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    name: str | None = wire(f.NAME)
    first_name: str | None = wire(f.FIRST_NAME)
    no_post: bool | None = wire(f.NO_POST)
    balance: str | None = wire(f.BALANCE)
    credit_limit: str | None = wire(f.CREDIT_LIMIT)


@record("PL", Sender.PMS)
class PostingList(Record):
    """The guests that an inquiry found; the RN block repeats.

    Source: FIAS 2.20.24, posting list.
    """

    posting_number: int | None = wire(f.POSTING_NUMBER)
    workstation: str | None = wire(f.WORKSTATION)
    guests: tuple[ListedGuest, ...] = wire_blocks(f.ROOM, ListedGuest)
    payment_method: str | None = wire(f.PAYMENT_METHOD)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)


# --- Messages, bills, locator, keys: named so that they are counted by name ------------------


@record("XL", Sender.BOTH)
class MessageOnline(Record):
    """A message text as it is left. Source: FIAS 2.20.24, guest messages."""

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    message_id: str | None = wire(f.MESSAGE_ID)
    text: str | None = wire(f.MESSAGE_TEXT)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)
    journal: str | None = wire(f.JOURNAL)


@record("XM", Sender.GATEWAY)
class MessageRequest(Record):
    """Which messages has this guest? Source: FIAS 2.20.24, guest messages."""

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    requested_types: int | None = wire(f.REQUESTED_TYPES)


@record("XT", Sender.PMS)
class MessageText(Record):
    """One message of a guest. Source: FIAS 2.20.24, guest messages."""

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    message_id: str | None = wire(f.MESSAGE_ID)
    text: str | None = wire(f.MESSAGE_TEXT)


@record("XD", Sender.BOTH)
class MessageDone(Record):
    """A message was read or deleted. Source: FIAS 2.20.24, guest messages."""

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    message_id: str | None = wire(f.MESSAGE_ID)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)


@record("XR", Sender.GATEWAY)
class BillRequest(Record):
    """What has this guest to pay? Source: FIAS 2.20.24, guest bill."""

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)


@record("XI", Sender.PMS)
class BillItem(Record):
    """One item of a bill. Source: FIAS 2.20.24, guest bill."""

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    text: str | None = wire(f.BILL_TEXT)
    amount: str | None = wire(f.BILL_AMOUNT)
    department: str | None = wire(f.DEPARTMENT)
    folio: str | None = wire(f.FOLIO)
    folio_flag: str | None = wire(f.FOLIO_FLAG)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)


@record("XB", Sender.PMS)
class BillBalance(Record):
    """The sum of a bill. Source: FIAS 2.20.24, guest bill."""

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    balance: str | None = wire(f.BALANCE)
    answer: str | None = wire(f.ANSWER)


@record("XC", Sender.BOTH)
class RemoteCheckOut(Record):
    """The guest checks out by himself; done only when a GO comes.

    Source: FIAS 2.20.24, remote check-out.
    """

    room: str | None = wire(f.ROOM)
    reservation: str | None = wire(f.RESERVATION)
    balance: str | None = wire(f.BALANCE)
    answer: str | None = wire(f.ANSWER)
    text: str | None = wire(f.CLEAR_TEXT)


@record("LO", Sender.GATEWAY)
class LocatorOn(Record):
    """Where the guest is to be found. Source: FIAS 2.20.24, locator."""

    reservation: str | None = wire(f.RESERVATION)
    text: str | None = wire(f.CLEAR_TEXT)
    locator: str | None = wire(f.LOCATOR)
    day: date | None = wire(f.DATE)
    at: time | None = wire(f.TIME)


@record("LF", Sender.GATEWAY)
class LocatorOff(Record):
    """The guest is in his room again. Source: FIAS 2.20.24, locator."""

    reservation: str | None = wire(f.RESERVATION)


@record("LP", Sender.BOTH)
class LocatorRead(Record):
    """Asks for a locator, and answers. Source: FIAS 2.20.24, locator."""

    reservation: str | None = wire(f.RESERVATION)
    answer: str | None = wire(f.ANSWER)
    text: str | None = wire(f.CLEAR_TEXT)
    locator: str | None = wire(f.LOCATOR)


@record("KR", Sender.PMS)
class KeyRequest(Record):
    """Make a key. Source: FIAS 2.20.24, key service."""

    room: str | None = wire(f.ROOM)
    key_coder: str | None = wire(f.KEY_CODER)
    key_type: str | None = wire(f.KEY_TYPE)
    key_count: int | None = wire(f.KEY_COUNT)
    key_options: str | None = wire(f.KEY_OPTIONS)
    reservation: str | None = wire(f.RESERVATION)
    workstation: str | None = wire(f.WORKSTATION)


@record("KD", Sender.PMS)
class KeyDelete(Record):
    """A key is void. Source: FIAS 2.20.24, key service."""

    room: str | None = wire(f.ROOM)
    key_coder: str | None = wire(f.KEY_CODER)
    workstation: str | None = wire(f.WORKSTATION)


@record("KM", Sender.PMS)
class KeyModify(Record):
    """A key changes, perhaps its room. Source: FIAS 2.20.24, key service."""

    room: str | None = wire(f.ROOM)
    old_room: str | None = wire(f.OLD_ROOM)
    key_coder: str | None = wire(f.KEY_CODER)
    reservation: str | None = wire(f.RESERVATION)
    workstation: str | None = wire(f.WORKSTATION)


@record("KA", Sender.GATEWAY)
class KeyAnswer(Record):
    """What became of a key order. Source: FIAS 2.20.24, key service."""

    answer: str | None = wire(f.ANSWER)
    text: str | None = wire(f.CLEAR_TEXT)
    key_coder: str | None = wire(f.KEY_CODER)
    workstation: str | None = wire(f.WORKSTATION)


@record("KZ", Sender.BOTH)
class KeyRead(Record):
    """Read a key, and what it says. Source: FIAS 2.20.24, key service."""

    answer: str | None = wire(f.ANSWER)
    text: str | None = wire(f.CLEAR_TEXT)
    room: str | None = wire(f.ROOM)
    key_coder: str | None = wire(f.KEY_CODER)
    workstation: str | None = wire(f.WORKSTATION)
