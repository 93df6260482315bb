"""What the operator's commands say of what the service told them."""

from gateway.tools.operate import changed_rooms


def room(number, *guests):
    return {"room": number, "guests": [{"reservation": g, "name": "Rossi"} for g in guests]}


def test_rooms_with_other_guests_are_counted():
    before = [room("101", "1"), room("102", "2", "3"), room("103")]
    assert changed_rooms(before, before) == 0
    after = [room("101"), room("102", "3", "2"), room("103"), room("104", "4"), room("105")]
    assert changed_rooms(before, after) == 3  # 101 is empty, 102 shows another one, 104 is new


def test_a_guest_without_a_reservation_is_known_by_his_name():
    named = [{"room": "101", "guests": [{"reservation": None, "name": "Rossi"}]}]
    other = [{"room": "101", "guests": [{"reservation": None, "name": "Sato"}]}]
    assert (changed_rooms(named, named), changed_rooms(named, other)) == (0, 1)
