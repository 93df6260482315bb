"""One body or one control byte, explained: its name, its meaning, its fields."""

from dataclasses import dataclass
from typing import Any, Final

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


def decode_body(body: bytes, charset: str) -> Decoded:
    """A record, or why it is none."""
    raw = show_bytes(body, charset)
    try:
        record = decode(body, charset)
    except RecordError as error:
        return Decoded("refused", error.reason, str(error), raw=raw)
    pairs = fields_of(body, charset)
    if isinstance(record, UnknownRecord):
        name, meaning = record.id, "no record of FIAS: counted, without effect"
    else:
        name = record.record_id
        meaning = f"{type(record).__name__}: {_first_sentence(type(record))}"
    odd = dict(record.odd)
    fields = tuple(
        (field_id, _meaning(field_id, unreadable=odd.get(field_id) == text), text)
        for field_id, text in pairs
    )
    return Decoded("record", name, meaning, fields, raw)


def _meaning(field_id: str, *, unreadable: bool) -> str:
    field = FIELDS.get(field_id)
    if field is None:
        return "no field of FIAS"
    return f"{field.meaning} (unreadable)" if unreadable else field.meaning


def _first_sentence(cls: type[Record]) -> str:
    return (cls.__doc__ or "").split(".")[0].replace("\n", " ").strip()


CONTROLS: Final = {
    "ack": "the last record was taken",
    "nak": "the last record was damaged: send it again",
    "enq": "what was your last answer?",
}
"""What the three control bytes say, by their names in lower case."""
