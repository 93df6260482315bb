"""What `line decode` reads: a paste of a terminal, however long its lines are."""

from time import process_time

from gateway.tools.decode import decode_input


def test_a_line_of_a_capture_is_decoded_whatever_stands_before_it():
    (control, record) = decode_input(b"10:15:00 pms> <ENQ><STX>LS|<ETX>", "cp1252", lrc=False)
    assert (control.kind, record.name) == ("control", "LS")


def test_a_long_word_costs_no_more_than_reading_it():
    started = process_time()
    decode_input(b"1" * 20_000 + b" " * 20_000, "cp1252")
    assert process_time() - started < 0.5
