"""What a record says, as one would say it at the front desk."""

import pytest

from gateway.scope.decode import decode_body
from gateway.scope.meaning import value_in_words
from protocols.fias.records import RECORDS


def of(body):
    return decode_body(body, "cp1252").meaning


@pytest.mark.parametrize(
    ("body", "told"),
    [(b"GI|RN101|G#4711|GNRossi|GSN|", "guest 4711 checks in to 101"),
     (b"GI|RN101|G#4711|GSY|", "guest 4711 checks in to 101 (others are in too)"),
     (b"GI|RN101|G#4711|GSN|SF|", "resync: guest 4711 is in 101"),
     (b"GI|RN101|GNRossi|", "a guest checks in to 101"),
     (b"GO|RN101|G#4711|GSN|", "guest 4711 checks out of 101"),
     (b"GO|RN101|G#4711|GSY|", "guest 4711 checks out of 101 (others stay)"),
     (b"GO|RN101|SF|", "resync: 101 is vacant"), (b"GO|RN101|", "101 is checked out"),
     (b"GC|RN105|G#4710|RO101|", "guest 4710 moves from 101 to 105"),
     (b"GC|RN105|G#4710|GNRossi|", "guest 4710 in 105: something about the guest has changed"),
     (b"RE|RN101|DNY|RS3|", "101: do-not-disturb on, room status 3 (clean, vacant)"),
     (b"RE|RN101|", "101: nothing that the phone shows"),
     (b"RE|RN101|VM0102|", "101: voice mail 1 unread, 2 read"),
     (b"RE|RN101|VMY|", "101: voice mail waits"),
     (b"PS|RN101|PTT|DD0049|DU000305|P#17|",
      "charge for 101: a call of 185 s, number 17"),
     (b"PS|RN101|PTC|TA1250|P#17|",
      "charge for 101: amount 1250 without its decimal point, number 17"),
     (b"PA|RN101|ASOK|P#17|", "charge number 17: booked (OK)"),
     (b"PA|ASNG|P#17|", "charge number 17: it knows no guest in this room (NG)"),
     (b"WR|RN101|DA261126|TI070000|", "wake-up for 101 at 26 Nov 07:00"),
     (b"WC|RN101|DA261126|TI070000|", "no wake-up for 101 at 26 Nov 07:00"),
     (b"WC|RN101|DA|TI|", "no wake-up for 101 any more"),
     (b"WA|RN101|DA261126|TI070000|ASNR|", "the wake-up of 101 at 26 Nov 07:00: no answer"),
     (b"WA|RN101|DA261126|TI070000|ASXX|", "the wake-up of 101 at 26 Nov 07:00: answer XX"),
     (b"PS|RN101|PTM|MA7|M#2|MA12|M#1|P#3|",
      "charge for 101: minibar, 2 of article 7, 1 of article 12, number 3"),
     (b"LA|DA261126|TI070000|", "the link is alive"),
     (b"DS|DA261126|TI070000|", "resync begins: every room follows")],
)  # fmt: skip
def test_a_record_in_hotel_words(body, told):
    assert of(body) == told


def test_no_record_is_told_with_names_of_the_program():
    for record_id, cls in RECORDS.items():
        told = of(f"{record_id}|RN101|G#1|".encode())
        assert told, record_id
        assert cls.__name__ not in told, record_id
        assert "`" not in told, record_id


def test_what_is_no_record_is_said_to_be_none():
    assert "no record" in of(b"ZZ|RN101|")


@pytest.mark.parametrize(
    ("field_id", "text", "told"),
    [("GS", "N", "no"), ("GA", "261126", "26 Nov 2026"), ("TI", "0700", "07:00"), ("TI", "070015", "07:00:15"),
     ("DU", "000230", "150 s"), ("RS", "3", "clean, vacant"), ("RS", "17", ""), ("DA", "2611", ""),
     ("GN", "Rossi", ""), ("SF", "", ""), ("ZZ", "1", ""), ("GS", "", "")],
)  # fmt: skip
def test_a_value_in_words(field_id, text, told):
    assert value_in_words(field_id, text) == told
