"""Every record of the specification decodes as its table says, and writes itself back."""

from datetime import date, time
from pathlib import Path

import pytest

from protocols.fias.codec import decode, encode
from protocols.fias.fields import FIELDS
from protocols.fias.records import RECORDS, Sender, UnknownRecord, slots_of

ROWS = [
    line.split("\t")
    for line in Path(__file__, "../../../data/records/fias.txt")
    .resolve()
    .read_text(encoding="utf-8")
    .splitlines()
    if line and not line.startswith("#")
]


def as_text(value: object) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, tuple) and value and not isinstance(value[0], str):
        return str(len(value))
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


@pytest.mark.parametrize(("body", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_record_decodes_as_the_table_says(body, expected):
    record = decode(body.encode("cp1252"))
    name, *pairs = expected.replace(" of ", "_of_").split(" ")
    assert type(record).__name__ == name
    joined = " ".join(pairs)
    names = [word.split("=")[0] for word in pairs if "=" in word]
    for at, attribute in enumerate(names):
        start = joined.index(f"{attribute}=") + len(attribute) + 1
        rest = joined[start:]
        stop = rest.index(f" {names[at + 1]}=") if at + 1 < len(names) else len(rest)
        wanted = rest[:stop]
        if attribute == "odd":
            assert ",".join(field_id for field_id, _ in record.odd) == wanted
        else:
            assert as_text(getattr(record, attribute)) == wanted, attribute


def test_every_record_has_a_row():
    shown = {row[0][:2] for row in ROWS}
    assert set(RECORDS) <= shown


@pytest.mark.parametrize(
    "body", [row[0] for row in ROWS if row[0].endswith("|") and "TI0630|" not in row[0]]
)
def test_record_writes_itself_back_with_the_same_fields(body):
    """Order is free on the wire, so the fields are compared as a bag."""
    record = decode(body.encode("cp1252"))
    lost = {field_id for field_id, _ in record.odd}
    written = encode(record).decode("cp1252").split("|")
    wanted = [part for part in body.split("|") if part[:2] not in lost]
    emptied = [part for part in wanted if part not in written]
    assert all(len(part) == 2 for part in emptied), emptied  # `DA|`: empty is as good as absent
    assert sorted(part for part in wanted if part not in emptied) == sorted(written)


def test_a_room_move_is_written_with_each_flag_behind_its_room():
    record = decode(b"GC|RO101|GSN|RN205|GSY|G#4712|GNBerger|")
    assert encode(record) == b"GC|RN205|G#4712|GNBerger|GSY|RO101|GSN|"


def test_lr_is_written_with_ri_before_fl():
    assert encode(decode(b"LR|RIGO|FLRNG#GS|")) == b"LR|RIGO|FLRNG#GS|"


def test_every_field_that_a_record_uses_is_in_the_catalogue():
    used = {slot.field.id for cls in RECORDS.values() for _, slot in slots_of(cls)}
    assert used <= set(FIELDS)


def test_every_field_of_the_specification_is_in_the_catalogue():
    named = (
        "RN RO G# G+ GN GF GT GL GV GG GA GD GS SF NP CS MR TV VR DN ML VM RS PU ID PP CT DA TI AS"
        " P# PT PC TA DD DU MP MA M# SO X1 PX S1 S9 D1 D9 T1 T9 TP SC +0 PM WS C# CV ST T# CO MX PI"
        " BA CL A0 A1 A2 A3 A4 A5 A6 A7 A8 A9 EN EP ES EO EI ET GP IF V# RT RL RI FL CG PH RP"
        " MI MT F# FD BD BI DC LT KC KT K# KO DT SI UO $1 $2 $3 $J"
    )
    assert not set(named.split()) - set(FIELDS)


def test_every_record_says_where_it_comes_from():
    assert not [cls.__name__ for cls in RECORDS.values() if "Source:" not in (cls.__doc__ or "")]


def test_unknown_record_keeps_all_its_fields():
    record = decode(b"ZZ|RN1|XYabc|RN2|")
    assert record == UnknownRecord(id="ZZ", extra=(("RN", "1"), ("XY", "abc"), ("RN", "2")))


def test_unknown_and_repeated_fields_are_kept_in_order():
    record = decode(b"GI|RN1|Q7one|GNA|GNB|Q7two|")
    assert record.name == "A"
    assert record.extra == (("Q7", "one"), ("GN", "B"), ("Q7", "two"))


def test_a_bar_without_a_field_does_not_swallow_the_next_one():
    """A greedy grammar reads `X|GNSmith|` as the field `X|` and loses the name."""
    record = decode(b"GI|RN2781|X|GNSmith|")
    assert record.name == "Smith"
    assert record.extra == (("X", ""),)


def test_a_pbx_never_gets_what_only_it_says():
    ours = {record_id for record_id, cls in RECORDS.items() if cls.sender is Sender.GATEWAY}
    assert ours == {"LD", "LR", "DR", "VA", "WA", "PS", "PR", "XM", "XR", "LO", "LF", "KA"}


def test_what_both_sides_may_say_is_taken_from_the_pms_too():
    both = {record_id for record_id, cls in RECORDS.items() if cls.sender is Sender.BOTH}
    assert both == {"LS", "LA", "LE", "RE", "WR", "WC", "XL", "XD", "XC", "LP", "KZ"}


def test_a_record_class_knows_its_own_id():
    assert all(cls.record_id == record_id for record_id, cls in RECORDS.items())
    assert encode(RECORDS["GO"](room="1")) == b"GO|RN1|"
