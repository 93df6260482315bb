"""Values as JSON text and back; text of another hand is an error, not an empty value."""

from datetime import date, datetime

import pytest

from gateway.house import Actual, Guest, Room
from gateway.store.text import from_json, to_json

CAME = datetime(2026, 3, 14, 15, 2)
FULL = Room(
    guests=(Guest(key="1", name="Žižek, Ana", departure=date(2026, 3, 15), came=CAME),),
    wake_ups=(datetime(2026, 3, 15, 6, 30),),
)


def test_what_is_written_reads_back():
    assert from_json(Room, to_json(FULL)) == FULL


def test_a_table_of_texts_reads_back():
    told = Actual(stay=3, tags={"lastname": "Žižek"}, wake_up=datetime(2026, 3, 15, 6, 30))
    assert from_json(Actual, to_json(told)) == told
    assert from_json(Actual, to_json(Actual(tags=None))) == Actual(tags=None)


def test_what_has_its_default_is_left_out():
    assert to_json(Room()) == "{}"
    assert from_json(Room, "{}") == Room()


@pytest.mark.parametrize("text", ["[]", "7", '"x"', "null", '{"guests":[[]]}', '{"guests":7}', "{"])
def test_text_of_another_hand_is_an_error(text):
    with pytest.raises((ValueError, KeyError, TypeError)):
        from_json(Room, text)


def test_a_key_of_a_newer_version_is_ignored():
    assert from_json(Room, '{"guests":[],"lamp":true}') == Room()
