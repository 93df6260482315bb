"""Body bytes to a record and back. The only file that knows construct's errors."""

import codecs
from dataclasses import dataclass, field
from typing import Any, Final

from construct import ConstructError

from protocols.errors import RecordError
from protocols.fias.records import RECORDS, Record, Slot, UnknownRecord, slots_of
from protocols.fias.wire import BODY

CHARSETS: Final = (
    "cp1252", "cp850", "cp437", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256",
    "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-9", "iso-8859-15",
    "ascii", "utf-8", "gbk", "big5", "shift_jis",
)  # fmt: skip
"""The code pages a site may choose; FIAS only says "the code page in use"."""

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
    record_id, pairs = _split(body, charset)
    cls = RECORDS.get(record_id)
    if cls is None:
        return UnknownRecord(id=record_id, extra=tuple(pairs))
    return _fill(cls, pairs)


def fields_of(body: bytes, charset: str = "cp1252") -> list[tuple[str, str]]:
    """The (field id, text) pairs of a body in the order of the wire. Raises as `decode`."""
    return _split(body, charset)[1]


def _split(body: bytes, charset: str) -> tuple[str, list[tuple[str, str]]]:
    text = body.strip(b"\r\n")
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
    pairs = list(_pairs_of(record)) + list(record.extra)
    body: bytes = BODY.build(
        {
            "id": _record_id(record).encode("latin-1"),
            "fields": [(fid.encode("latin-1"), _to_wire(text, charset)) for fid, text in pairs],
        }
    )
    return body


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


@dataclass(slots=True)
class _Plan:
    """How the fields of one dataclass are found: its slots by field id."""

    by_id: dict[str, list[tuple[str, Slot]]] = field(default_factory=dict)
    anchors: frozenset[str] = frozenset()


_PLANS: dict[type[Any], _Plan] = {}


def _plan(cls: type[Any]) -> _Plan:
    """The plan of a record class, made once."""
    if cls not in _PLANS:
        _PLANS[cls] = _make_plan(cls)
    return _PLANS[cls]


def _make_plan(cls: type[Any]) -> _Plan:
    plan = _Plan()
    anchors = set()
    for name, slot in slots_of(cls):
        plan.by_id.setdefault(slot.field.id, []).append((name, slot))
        if slot.after:
            # The room field in front decides which of two equal fields this is.
            anchors |= {slot.after, "RN"}
    plan.anchors = frozenset(anchors)
    return plan


def _fill(cls: type[Record], pairs: list[tuple[str, str]]) -> Record:
    plan = _plan(cls)
    values: dict[str, Any] = {}
    extra: list[tuple[str, str]] = []
    odd: list[tuple[str, str]] = []
    anchor: str | None = None
    block: tuple[_Plan, dict[str, Any]] | None = None
    blocks: dict[str, tuple[type[Any], list[dict[str, Any]]]] = {}
    for field_id, text in pairs:
        if field_id in plan.anchors:
            anchor = field_id
        chosen = _choose(plan.by_id.get(field_id, ()), anchor)
        if chosen and chosen[1].block is not None:
            block = (_plan(chosen[1].block), {})
            blocks.setdefault(chosen[0], (chosen[1].block, []))[1].append(block[1])
        target = values
        if block is not None and field_id in block[0].by_id:
            inner = block[0].by_id[field_id][0]
            if inner[0] not in block[1]:
                chosen, target = inner, block[1]
        if chosen is None:
            extra.append((field_id, text))
            continue
        name, slot = chosen
        try:
            value = slot.field.codec.decode(text)
        except ValueError:
            if text:  # present and empty is as good as absent where no text is meant
                odd.append((field_id, text))
            continue
        if name in target:
            extra.append((field_id, text))  # the first one counts; the others are kept
        else:
            target[name] = value
    for name, (block_class, filled) in blocks.items():
        values[name] = tuple(block_class(**each) for each in filled)
    return cls(**values, extra=tuple(extra), odd=tuple(odd))


def _choose(
    slots: list[tuple[str, Slot]] | tuple[()], anchor: str | None
) -> tuple[str, Slot] | None:
    for name, slot in slots:
        if slot.after is not None and slot.after == anchor:
            return name, slot
    return next(((name, slot) for name, slot in slots if slot.after is None), None)


def _pairs_of(record: Any) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, slot in slots_of(type(record)):
        value = getattr(record, name)
        if value is None:
            continue
        if slot.block is not None:
            for each in value:
                pairs += _pairs_of(each)
        else:
            pairs.append((slot.field.id, slot.field.codec.encode(value)))
    return pairs
