"""Body bytes to a record and back. The only file that knows construct's errors."""

import codecs
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final, NamedTuple

from protocols.errors import RecordError
from protocols.fias.records import RECORDS, Record, Slot, UnknownRecord, slots_of

CHARSETS: Final = (
    "cp1252", "cp850", "cp437", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256",
    "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-9", "iso-8859-15",
    "ascii", "utf-8", "gbk", "big5", "shift_jis",
)  # fmt: skip
"""The code pages a site may choose; FIAS only says "the code page in use"."""

_LINE_ENDS: Final = b"\r\n"
_BAR_CAN_BE_A_TRAIL_BYTE: Final = ("gbk", "big5", "shift_jis")


def decode(body: bytes, charset: str = "cp1252") -> Record:
    """The record that a body says.

    body        what stood between STX and ETX; a missing last bar and line ends are forgiven
    charset     one of CHARSETS; bytes that are no character of it become U+FFFD
    return      a record; one of an unknown id is an `UnknownRecord`

    Raises RecordError (`empty` or `grammar`) for a body that has no record id or no bar behind
    it. Nothing else, whatever the bytes.

    Source: FIAS 2.20.24, record syntax; the missing bar and `LS` alone: seen at sites.
    """
    # The short way says what the grammar says, many times faster; a property test holds the two
    # together.
    # Every code page has ASCII in it, and ASCII is the quickest to read.
    text = body.strip(_LINE_ENDS).decode("ascii" if body.isascii() else charset, "replace")
    parts = text.split("|")
    cls = RECORDS.get(parts[0])
    if cls is not None:
        record = _fill(cls, parts[1:])
        if not record.extra or all(field_id.isascii() for field_id, _ in record.extra):
            return record
    return decode_by_grammar(body, charset)


def decode_by_grammar(body: bytes, charset: str = "cp1252") -> Record:
    """What `decode` says, from the grammar alone, which has the last word: for records with an
    unknown id, for ids that are no text, and for what is no record at all.
    """
    record_id, pairs = _parse(body, charset)
    cls = RECORDS.get(record_id)
    if cls is None:
        return UnknownRecord(id=record_id, extra=tuple(pairs))
    return _fill(cls, [field_id + text for field_id, text in pairs])


def fields_of(body: bytes, charset: str = "cp1252") -> list[tuple[str, str]]:
    """The (field id, text) pairs of a body in the order of the wire. Raises as `decode`."""
    return _parse(body, charset)[1]


def _parse(body: bytes, charset: str) -> tuple[str, list[tuple[str, str]]]:
    # The grammar is slow to load and seldom asked: by a service for what it does not know.
    from construct import ConstructError

    from protocols.fias.wire import BODY

    text = body.strip(_LINE_ENDS)
    if not text:
        raise RecordError("empty", body, "an empty frame: the PMS sends frames without a record")
    if charset in _BAR_CAN_BE_A_TRAIL_BYTE:
        # In these code pages 0x7C may be the second half of a character: decode, then split.
        text, charset = text.decode(charset, "replace").encode("utf-8"), "utf-8"
    try:
        parsed = BODY.parse(text if text.endswith(b"|") else text + b"|")
    except ConstructError as error:
        raise RecordError(
            "grammar", body, "no two-letter record id with a bar behind it: not FIAS, or damaged"
        ) from error
    pairs = [
        (field_id.decode("latin-1"), value.decode(charset, "replace"))
        for field_id, value in parsed.fields
    ]
    return parsed.id.decode("latin-1"), pairs


def encode(record: Record, charset: str = "cp1252") -> bytes:
    """The body that says this record, in the order of its class.

    A bar or a control character inside a value becomes a blank (FIAS has no escape), a
    character outside the code page a question mark. Absent (None) fields are left out.
    """
    record_id, pairs = _said(record, charset)
    if len(record_id) != 2:
        return encode_by_grammar(record, charset)
    return record_id + b"|" + b"".join([field_id + text + b"|" for field_id, text in pairs])


def encode_by_grammar(record: Record, charset: str = "cp1252") -> bytes:
    """What `encode` says, from the grammar alone. Raises ConstructError for an id that is none."""
    from protocols.fias.wire import BODY

    record_id, pairs = _said(record, charset)
    return bytes(BODY.build({"id": record_id, "fields": pairs}))


def _said(record: Record, charset: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The id and the fields of a record, as they are on the wire."""
    pairs = [*_pairs_of(record), *record.extra]
    return _record_id(record).encode("latin-1"), [
        (field_id.encode("latin-1"), _to_wire(text, charset)) for field_id, text in pairs
    ]


def known_charset(name: str) -> str | None:
    """The name in CHARSETS for any spelling of a supported code page, else None."""
    try:
        wanted = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return next((each for each in CHARSETS if codecs.lookup(each).name == wanted), None)


def _record_id(record: Record) -> str:
    return record.id if isinstance(record, UnknownRecord) else record.record_id


def _to_wire(text: str, charset: str) -> bytes:
    clean = "".join(" " if char == "|" or (char < " " or char == "\x7f") else char for char in text)
    encoded = clean.encode(charset, "replace")
    if charset in _BAR_CAN_BE_A_TRAIL_BYTE:
        return encoded
    return encoded.replace(b"|", b" ")


class _Slot(NamedTuple):
    """Where one field goes.

    to_value    None: its text is the value
    then        what a field means from here on: the room in front of a GS says whose it is
    """

    name: str
    to_value: Callable[[str], Any] | None
    then: "_Slots | None" = None


_Slots = dict[str, _Slot]


class _Block(NamedTuple):
    """Fields that come again for each of several things, opened by one of them."""

    name: str
    opener: str
    cls: type[Any]


class _Plan(NamedTuple):
    """How a class is read and written.

    slots       what each field means at the beginning
    in_order    attributes with their slots, as they are written
    """

    slots: _Slots
    block: _Block | None
    in_order: tuple[tuple[str, Slot], ...]


_PLANS: dict[type[Any], _Plan] = {}


def _plan(cls: type[Any]) -> _Plan:
    """The plan of a class, made once."""
    plan = _PLANS.get(cls)
    if plan is None:
        in_order = slots_of(cls)
        blocks = [_Block(name, s.field.id, s.block) for name, s in in_order if s.block is not None]
        plan = _PLANS[cls] = _Plan(_slots(in_order), blocks[0] if blocks else None, in_order)
    return plan


def _slots(in_order: tuple[tuple[str, Slot], ...]) -> _Slots:
    first: _Slots = {}
    behind: dict[str, _Slots] = {}
    for name, slot in in_order:
        if slot.block is not None:
            continue
        place = first if slot.after is None else behind.setdefault(slot.after, {})
        place.setdefault(slot.field.id, _Slot(name, _to_value(slot)))
    if behind:
        places = {anchor: {**first, **behind.get(anchor, {})} for anchor in {*behind, "RN"}}
        for place in (first, *places.values()):
            for anchor, then in places.items():
                if anchor in place:
                    place[anchor] = place[anchor]._replace(then=then)
    return first


def _to_value(slot: Slot) -> Callable[[str], Any] | None:
    decode = slot.field.codec.decode
    return None if decode is str else decode


def _fill(cls: type[Record], parts: list[str]) -> Record:
    """The record with these fields, each of them its id and its text."""
    slots, block, _ = _plan(cls)
    values = _read(slots, parts)
    if block is not None and any(
        field_id == block.opener for field_id, _ in values.get("extra", ())
    ):
        values = _read_with_blocks(slots, block, parts)
    record = object.__new__(cls)
    vars(record).update(values)  # what is absent, the class knows
    return record


def _read(slots: _Slots, parts: list[str]) -> dict[str, Any]:
    """The values of these fields by attribute, with `extra` and `odd` where there are any."""
    values: dict[str, Any] = {}
    for part in parts:
        slot = slots.get(part[:2])
        if slot is None:
            if part:
                _keep(values, "extra", part)
            continue
        name, to_value, then = slot
        if then is not None:
            slots = then
        value: Any = part[2:]
        if to_value is not None:
            try:
                value = to_value(value)
            except ValueError:
                if value:  # present and empty is as good as absent where no text is meant
                    _keep(values, "odd", part)
                continue
        if name in values:
            _keep(values, "extra", part)  # the first one counts; the others are kept
        else:
            values[name] = value
    return values


def _read_with_blocks(slots: _Slots, block: _Block, parts: list[str]) -> dict[str, Any]:
    """As `_read`; what stands behind an opener belongs to its block, where the block has it."""
    openers = [at for at, part in enumerate(parts) if part[:2] == block.opener]
    rest = parts[: openers[0]]
    filled: list[Any] = []
    odd: tuple[tuple[str, str], ...] = ()
    for at, end in pairwise((*openers, len(parts))):
        values = _read(_plan(block.cls).slots, parts[at:end])
        rest += [field_id + text for field_id, text in values.pop("extra", ())]
        odd += values.pop("odd", ())
        filled.append(block.cls(**values))
    values = _read(slots, rest)
    values[block.name] = tuple(filled)
    if odd:
        values["odd"] = odd + values.get("odd", ())
    return values


def _keep(values: dict[str, Any], where: str, part: str) -> None:
    values[where] = (*values.get(where, ()), (part[:2], part[2:]))


def _pairs_of(record: Any) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, slot in _plan(type(record)).in_order:
        value = getattr(record, name)
        if value is None:
            continue
        if slot.block is not None:
            for each in value:
                pairs += _pairs_of(each)
        else:
            pairs.append((slot.field.id, slot.field.codec.encode(value)))
    return pairs
