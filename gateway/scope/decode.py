"""One body or one control byte, explained: its name, its meaning, its fields."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.scope.meaning import meaning_of, value_in_words
from protocols.dialects import Dialect
from protocols.errors import RecordError
from protocols.fias import decode
from protocols.fias.codec import fields_of
from protocols.fias.fields import FIELDS
from protocols.fias.records import Record, UnknownRecord
from protocols.transcript import show_bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """One thing found: a record, a control byte, or a refusal with its reason."""

    kind: str
    name: str
    meaning: str
    fields: tuple[tuple[str, str, str], ...] = ()
    raw: str = ""
    record: Record | None = field(default=None, compare=False, repr=False, kw_only=True)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "kind": self.kind,
            "name": self.name,
            "meaning": self.meaning,
            "fields": [
                {"id": field_id, "meaning": meaning, "value": value}
                for field_id, meaning, value in self.fields
            ],
            "raw": self.raw,
        }


def describe(body: bytes, charset: str, dialect: Dialect) -> Decoded:
    """A record of a dialect that explains itself, or why it is none."""
    assert dialect.describe is not None  # else `decode_body` knows it
    raw = show_bytes(body, charset)
    try:
        name, meaning = dialect.describe(body)
    except RecordError as error:
        return Decoded("refused", error.reason, str(error), raw=raw)
    return Decoded("record", name, meaning, raw=raw)


def decode_body(body: bytes, charset: str) -> Decoded:
    """A record with all its words, or why it is none."""
    found = name_body(body, charset)
    raw = show_bytes(body, charset)
    if found.record is None:
        return replace(found, raw=raw)
    if isinstance(found.record, UnknownRecord):
        meaning = "no record of FIAS: counted, without effect"
    else:
        meaning = meaning_of(found.record)
    odd = dict(found.record.odd)
    fields = tuple(
        (field_id, _meaning(field_id, text, unreadable=odd.get(field_id) == text), text)
        for field_id, text in fields_of(body, charset)
    )
    return replace(found, meaning=meaning, fields=fields, raw=raw)


def name_body(body: bytes, charset: str) -> Decoded:
    """A record without the words for its fields, for who does not show it; or why it is none."""
    try:
        record = decode(body, charset)
    except RecordError as error:
        return Decoded("refused", error.reason, str(error))
    name = record.id if isinstance(record, UnknownRecord) else record.record_id
    return Decoded("record", name, "", record=record)


def _meaning(field_id: str, text: str, *, unreadable: bool) -> str:
    field = FIELDS.get(field_id)
    if field is None:
        return "no field of FIAS"
    if unreadable:
        return f"{field.meaning} (unreadable)"
    words = value_in_words(field_id, text)
    return f"{field.meaning}: {words}" if words else field.meaning


CONTROLS: Final = {
    "ack": "the last record was taken",
    "nak": "the last record was damaged: send it again",
    "enq": "what was your last answer?",
}
"""What the three control bytes say, by their names in lower case."""

LINK_RECORDS: Final = frozenset({"LS", "LA", "LE", "LD", "LR", "LC", "DR"})
"""What only the link is about; all others are about the hotel."""
