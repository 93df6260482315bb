"""Rooms without guests' numbers, the equipment of a room, marks of the night."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.house import Remark
from protocols.fias import decode, normalize
from tests.gateway.house.desk import A, B, Desk

# --- Rooms, not guests ---


def test_a_pms_without_reservations_has_one_guest_a_room(desk):
    assert desk.say("GI|RN101|GNA|") == ["in 101 A"]
    assert desk.say("GI|RN101|GNA|") == []
    assert desk.say("GI|RN101|GNB|") == ["out 101", "in 101 B"]  # another name, another guest
    assert desk.say("GC|RN101|GNC|") == ["update 101 C"]
    assert desk.say("GC|RN102|RO101|") == ["move 101>102"]
    assert desk.say("GO|RN102|") == ["out 102"]


def test_a_guest_without_a_number_has_the_rooms_key(desk):
    desk.say("GI|RN101|GNA|")
    assert desk.house.rooms["101"].shown.key == "@101"
    desk.say("GC|RN102|RO101|")
    assert desk.house.rooms["102"].shown.key == "@102"


def test_a_record_without_a_number_means_the_only_guest_of_the_room(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GC|RN101|GNAda|") == ["update 101 Ada"]
    assert [guest.key for guest in desk.house.rooms["101"].guests] == ["1"]
    assert desk.say("GC|RN205|RO101|") == ["move 101>205"]


def test_a_move_without_a_reservation_told_again_moves_nothing(desk):
    desk.say("GI|RN101|GNA|")
    assert desk.say("GC|RN205|RO101|") == ["move 101>205"]
    assert desk.say("GC|RN205|RO101|") == []
    assert desk.house.rooms["205"].shown.name == "A"


def test_a_move_without_a_reservation_into_a_taken_room(desk):
    desk.say("GI|RN101|GNA|", "GI|RN205|GNB|")
    assert desk.say("GC|RN205|RO101|") == ["out 101"]
    assert [guest.name for guest in desk.house.rooms["205"].guests] == ["B"]


def test_a_move_without_a_reservation_that_we_know_nothing_of_is_told(desk):
    assert desk.say("GC|RN205|RO101|") == ["in 205 "]


def test_a_move_from_another_room_than_we_know_takes_what_we_know_along(desk):
    desk.say("GI|RN103|G#1|GNSmith|GLFR|GSN|")
    assert desk.say("GC|RN102|RO101|G#1|GSN|GSN|") == ["move 103>102"]
    assert desk.remarks == [Remark.IMPLICIT_MOVE]


def test_a_resync_whose_start_was_missed_does_not_let_an_old_departure_empty_the_room():
    desk = Desk(infer_moves_s=60)
    desk.say(f"GI|RN101|{A}GSN|", "GO|RN101|G#1|GSN|")
    assert desk.say(f"GI|RN101|{B}SF|") == ["out 101", "in 101 B"]
    assert desk.wait(100) == []


def test_the_hour_that_comes_twice_does_not_make_a_departure_wait_for_both():
    zone = ZoneInfo("Europe/Lisbon")
    desk = Desk(infer_moves_s=30)
    desk.house.zone = zone
    desk.now = datetime(2026, 10, 25, 1, 59, 0, tzinfo=zone)
    desk.say(f"GI|RN101|{A}GSN|", "GO|RN101|G#1|GSN|")
    waited = desk.house.deadline(desk.now).astimezone(UTC) - desk.now.astimezone(UTC)
    assert waited == timedelta(seconds=30)


# --- RE ---


def test_equipment_of_a_room_that_is_in(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("RE|RN101|CS3|DNY|RS5|") == ["update 101 A", "dnd 101 True", "status 101 5"]
    assert desk.say("RE|RN101|DNN|") == ["dnd 101 False"]


def test_equipment_of_a_room_that_is_out_is_counted_but_for_its_status(desk):
    assert desk.say("RE|RN101|CS3|DNY|RS5|") == ["status 101 5"]
    assert desk.remarks == [Remark.ROOM_NOT_IN, Remark.ROOM_NOT_IN]


def test_class_of_service_stays_with_the_room_when_its_guest_leaves(desk):
    desk.say(f"GI|RN101|{A}GSN|CS1|", f"GI|RN101|{B}GSY|CS1|", "RE|RN101|CS3|", "GO|RN101|G#1|GSY|")
    assert desk.pbx.actual["101"].tags["cos"] == "4"


def test_message_lamp_and_rights_mean_nothing_to_the_pbx(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("RE|RN101|MLY|TVTN|MRML|") == []


# --- What a record comes to ---


def test_night_audit_is_a_mark(desk):
    assert desk.say("NS|") == []
    assert desk.house.ledger.night_audit
    assert desk.say("NE|") == []
    assert not desk.house.ledger.night_audit


def test_what_a_fact_came_to_is_told_once(desk):
    def rooms(record):
        (fact,) = normalize(decode(record.encode()))
        told = desk.house.apply(fact, desk.now)
        return set(told.rooms), len(told.remarks)

    assert rooms("GC|RN101|G#1|GNA|") == ({"101"}, 1)
    assert rooms(f"GI|RN102|{B}GSN|") == ({"102"}, 0)
    assert rooms(f"GI|RN102|{B}GSN|") == (set(), 0)
    assert rooms(f"GI|RN103|{B}GSN|") == ({"102", "103"}, 1)


def test_a_remark_is_counted_under_its_own_name():
    assert all(remark.value == remark.name.lower() for remark in Remark)
