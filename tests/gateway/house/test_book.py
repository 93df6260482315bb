"""What is written, what is taken back, what is forgotten."""

from datetime import timedelta

from gateway.house import Guest, Ledger, Room
from gateway.house.book import Book
from protocols.fias import decode, normalize
from tests.gateway.house.desk import A, B, C


def test_a_guest_announced_long_ago_who_never_came_is_forgotten(desk):
    desk.say("GC|RN101|G#1|GNA|GLFR|")
    before = desk.now.replace(tzinfo=None)
    desk.say("GC|RN101|G#2|GNB|GLGE|")
    desk.house.forget(before)
    assert [guest.key for guest in desk.house.rooms["101"].expected] == ["1", "2"]
    desk.house.forget(before + timedelta(microseconds=1))
    assert [guest.key for guest in desk.house.rooms["101"].expected] == ["2"]


def test_a_change_that_was_on_disk_after_all_is_made_again(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    for record in (f"GC|RN205|GSN|{A}RO101|GSN|", "NS|"):
        for fact in normalize(decode(record.encode())):
            desk.house.apply(fact, desk.now)
    rooms, ledger = dict(desk.house.book.changed_rooms()), desk.house.book.changed_ledger()
    desk.house.book.rollback()
    desk.house.book.adopt(rooms, ledger, {})
    assert desk.house.rooms["205"].shown.name == "A"
    assert desk.house.ledger.night_audit
    assert (desk.house.book.changed_rooms(), desk.house.book.changed_ledger()) == ({}, None)
    desk.house.book.adopt({}, None, {})
    assert desk.house.ledger.night_audit
    desk.say("GO|RN205|G#1|GSN|")
    assert desk.house.rooms["205"].out


def test_only_what_differs_from_the_disk_is_to_be_written(desk):
    def hear(*records):
        for record in records:
            for fact in normalize(decode(record.encode())):
                desk.house.apply(fact, desk.now)

    hear("NS|")
    assert desk.house.book.changed_ledger() == Ledger(night_audit=True)
    hear("NE|")
    assert desk.house.book.changed_ledger() is None
    hear(f"GI|RN101|{A}GSN|", "NS|")
    assert list(desk.house.book.changed_rooms()) == ["101"]
    desk.house.book.commit()
    hear("GC|RN101|G#1|GNAda|", "GC|RN101|G#1|GNA|", "DS|", "NE|")
    assert desk.house.book.changed_rooms() == {}  # it is as it was
    desk.house.book.rollback()
    assert desk.house.ledger == Ledger(stays=1, night_audit=True)
    assert (desk.house.book.changed_rooms(), desk.house.book.changed_ledger()) == ({}, None)


def test_rollback_forgets_what_was_not_stored(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    before = dict(desk.house.rooms), desk.house.ledger
    for record in (
        f"GC|RN205|GSN|{A}RO101|GSN|",
        "GO|RN102|",
        f"GI|RN9|{C}|",
        "DS|",
        "GO|RN205|SF|",
    ):
        for fact in normalize(decode(record.encode())):
            desk.house.apply(fact, desk.now)
    assert desk.house.book.changed_rooms()
    desk.house.book.rollback()
    assert (dict(desk.house.rooms), desk.house.ledger) == before
    assert desk.house.book.changed_rooms() == {}
    assert desk.say(f"GC|RN205|GSN|{A}RO101|GSN|") == ["move 101>205"]


def test_who_has_left_the_house_is_not_mentioned_any_more(desk):
    book = Book(rooms={"101": Room(guests=(Guest(key="1", came=desk.now.replace(tzinfo=None)),))})
    book.mention("1")
    book.commit()
    book.put("101", Room(out=True))
    assert book.mentioned == set()
    assert book.changed_mentions() == {"1": False}
    book.rollback()
    assert book.mentioned == {"1"}
