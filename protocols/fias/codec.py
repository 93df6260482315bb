"""Body bytes to a record and back. The only file that knows construct's errors."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from construct import ConstructError

from protocols.errors import RecordError
from protocols.fias.charset import readable
from protocols.fias.records import RECORDS, Record, Slot, UnknownRecord, slots_of
from protocols.fias.wire import BODY

Pair = tuple[str, str]
"""A field: its id and its text."""


def decode(body: bytes, charset: str = "cp1252") -> Record:
    """The record that a body says.

    body        what stood between STX and ETX; a missing last bar and line ends are forgiven
    charset     see `known_charset`; bytes that are no character of it become U+FFFD
    return      a record; one of an unknown id is an `UnknownRecord`

    Raises RecordError (`empty` or `grammar`) for a body that has no record id or no bar behind
    it. Nothing else, whatever the bytes.

    Source: FIAS 2.20.24, record syntax; the missing bar and `LS` alone: seen at sites.
    """
    record_id, pairs = _parse(body, charset)
    cls = RECORDS.get(record_id)
    if cls is None:
        return UnknownRecord(id=record_id, extra=tuple(pairs))
    return _fill(cls, pairs)


def fields_of(body: bytes, charset: str = "cp1252") -> list[Pair]:
    """The fields of a body in the order of the wire. Raises as `decode`."""
    return _parse(body, charset)[1]


def _parse(body: bytes, charset: str) -> tuple[str, list[Pair]]:
    text, charset = readable(body, charset)
    if not text:
        raise RecordError("empty", body, "an empty frame: the PMS sends frames without a record")
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
    record_id = record.id if isinstance(record, UnknownRecord) else record.record_id
    fields = [
        (field_id.encode("latin-1"), _to_wire(text, charset))
        for field_id, text in (*_pairs_of(record), *record.extra)
    ]
    return bytes(BODY.build({"id": record_id.encode("latin-1"), "fields": fields}))


def _to_wire(text: str, charset: str) -> bytes:
    clean = "".join(" " if char == "|" or (char < " " or char == "\x7f") else char for char in text)
    return clean.encode(charset, "replace")


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
    if cls not in _PLANS:
        in_order = slots_of(cls)
        blocks = [_Block(name, s.field.id, s.block) for name, s in in_order if s.block is not None]
        _PLANS[cls] = _Plan(_slots(in_order), blocks[0] if blocks else None, in_order)
    return _PLANS[cls]


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


def _fill(cls: type[Record], pairs: list[Pair]) -> Record:
    """The record with these fields."""
    plan = _plan(cls)
    values = _read(plan.slots, pairs)
    block = plan.block
    if block is not None and any(
        field_id == block.opener for field_id, _ in values.get("extra", ())
    ):
        values = _read_with_blocks(plan.slots, block, pairs)
    return cls(**values)


def _read(slots: _Slots, pairs: Iterable[Pair]) -> dict[str, Any]:
    """The values of these fields by attribute, with `extra` and `odd` where there are any."""
    values: dict[str, Any] = {}
    for field_id, text in pairs:
        slot = slots.get(field_id)
        if slot is None:
            _keep(values, "extra", (field_id, text))
            continue
        slots = slot.then or slots
        value: Any = text
        if slot.to_value is not None:
            try:
                value = slot.to_value(text)
            except ValueError:
                if text:  # present and empty is as good as absent where no text is meant
                    _keep(values, "odd", (field_id, text))
                continue
        if slot.name in values:
            _keep(values, "extra", (field_id, text))  # the first one counts; the others are kept
        else:
            values[slot.name] = value
    return values


def _read_with_blocks(slots: _Slots, block: _Block, pairs: list[Pair]) -> dict[str, Any]:
    """As `_read`; what stands behind an opener belongs to its block, where the block has it."""
    openers = [at for at, (field_id, _) in enumerate(pairs) if field_id == block.opener]
    rest = pairs[: openers[0]]
    filled: list[Any] = []
    odd: tuple[Pair, ...] = ()
    for at, end in pairwise((*openers, len(pairs))):
        values = _read(_plan(block.cls).slots, pairs[at:end])
        rest += values.pop("extra", ())
        odd += values.pop("odd", ())
        filled.append(block.cls(**values))
    values = _read(slots, rest)
    values[block.name] = tuple(filled)
    if odd:
        values["odd"] = odd + values.get("odd", ())
    return values


def _keep(values: dict[str, Any], where: str, pair: Pair) -> None:
    values[where] = (*values.get(where, ()), pair)


def _pairs_of(record: Any) -> list[Pair]:
    pairs: list[Pair] = []
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
