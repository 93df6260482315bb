"""A PMS that says first that somebody comes, and then who: no mailbox for the next guest."""

from datetime import timedelta

import pytest

from gateway.house.arrivals import NAMED_WITHIN
from protocols.facts import (
    GuestArrived,
    GuestDetails,
    GuestLeft,
    GuestNamed,
    ResyncBegan,
    ResyncEnded,
    RoomEquipped,
)
from tests.gateway.house.desk import Desk


class Lodge(Desk):
    """A desk that hears facts without numbers."""

    def hear(self, *facts):
        words = []
        for fact in facts:
            words += self.take(self.house.apply(fact, self.now))
        return words

    def comes(self, room="101", swap=False):
        details = GuestDetails()
        return GuestArrived(room=room, reservation=None, details=details, in_resync=swap, anew=True)

    def named(self, name, room="101", adds=True):
        return GuestNamed(room=room, name=name, adds=adds)

    @property
    def stay(self):
        return self.house.rooms["101"].stay

    @property
    def name(self):
        return self.house.rooms["101"].shown.name


LEFT = GuestLeft(room="101", reservation=None)


@pytest.fixture
def lodge():
    lodge = Lodge()
    lodge.hear(lodge.comes(), lodge.named("Rossi,Anna"))
    return lodge


def test_a_check_in_has_its_name_behind_it(lodge):
    assert (lodge.stay, lodge.name) == (1, "Rossi,Anna")


@pytest.mark.parametrize("adds", [True, False])
def test_the_same_name_again_is_the_same_guest(lodge, adds):
    lodge.hear(lodge.comes(), lodge.named("ROSSI,Anna", adds=adds))
    assert lodge.stay == 1
    assert lodge.wait(60) == []
    assert lodge.stay == 1


@pytest.mark.parametrize("swap", [True, False])
def test_the_same_name_in_other_letters_is_the_same_guest_and_is_shown_so(lodge, swap):
    lodge.hear(lodge.comes(swap=swap), lodge.named("ROSSI,Anna"))
    assert (lodge.stay, lodge.name) == (1, "ROSSI,Anna")


@pytest.mark.parametrize("adds", [True, False])
def test_another_name_is_another_guest(lodge, adds):
    words = lodge.hear(lodge.comes(), lodge.named("Verdi", adds=adds))
    assert (lodge.stay, lodge.name) == (2, "Verdi")
    assert [each.split()[0] for each in words] == ["out", "in"]


def test_no_name_in_time_is_another_guest_too(lodge):
    assert lodge.hear(lodge.comes()) == []
    assert lodge.house.deadline(lodge.now) <= lodge.now + NAMED_WITHIN
    lodge.restart()
    assert lodge.stay == 1
    words = lodge.wait(NAMED_WITHIN.total_seconds())
    assert [each.split()[0] for each in words] == ["out", "in"]
    assert (lodge.stay, lodge.name) == (2, "")
    lodge.hear(lodge.named("Late"))
    assert (lodge.stay, lodge.name) == (2, "Late")


def test_a_departure_ends_the_wait(lodge):
    lodge.hear(lodge.comes(), LEFT)
    assert lodge.house.rooms["101"].out
    assert lodge.wait(60) == []
    lodge.hear(lodge.comes(), lodge.named("Rossi,Anna"))
    assert lodge.stay == 2  # the same name behind a departure is another stay


def test_what_is_set_before_the_name_is_the_new_guests(lodge):
    cos = RoomEquipped(room="101", class_of_service="2")
    lodge.hear(lodge.comes(), cos, lodge.named("Verdi"))
    assert lodge.house.rooms["101"].shown.class_of_service == "2"


def test_a_second_name_is_a_sharer_and_the_phone_shows_the_first(lodge):
    lodge.remarks.clear()
    assert lodge.hear(lodge.named("Verdi")) == []
    assert [each.value for each in lodge.remarks] == ["sharer_without_number"]
    assert (lodge.stay, lodge.name) == (1, "Rossi,Anna")


def test_a_replaced_name_is_news_of_the_same_guest(lodge):
    words = lodge.hear(lodge.named("Rossi-Verdi", adds=False))
    assert [each.split()[0] for each in words] == ["update"] or words
    assert (lodge.stay, lodge.name) == (1, "Rossi-Verdi")


def test_a_name_before_its_check_in_is_remembered():
    lodge = Lodge()
    lodge.hear(lodge.named("Rossi"), lodge.comes())
    assert (lodge.stay, lodge.name) == (1, "Rossi")


@pytest.mark.parametrize("swap", [True, False])
def test_a_name_from_before_is_not_kept_against_the_one_that_follows(swap):
    """A check-in that was lost on the line left its name behind."""
    lodge = Lodge()
    lodge.hear(LEFT, lodge.named("Kowalski"))
    begin, end = ([ResyncBegan()], [ResyncEnded()]) if swap else ([], [])
    lodge.hear(*begin, lodge.comes(swap=swap), lodge.named("Rossi"), *end)
    assert (lodge.stay, lodge.name) == (1, "Rossi")
    assert lodge.wait(60) == []
    lodge.hear(lodge.named("Verdi"))  # later it is a sharer's
    assert (lodge.stay, lodge.name) == (1, "Rossi")


def test_a_resync_changes_nothing_that_it_says_again(lodge):
    words = lodge.hear(
        ResyncBegan(), lodge.comes(swap=True), lodge.named("Rossi,Anna"), ResyncEnded()
    )
    assert words == []
    assert lodge.wait(60) == []
    assert lodge.stay == 1


def test_a_resync_without_names_throws_nobody_out(lodge):
    assert lodge.hear(ResyncBegan(), lodge.comes(swap=True), ResyncEnded()) == []
    assert lodge.wait(60) == []
    assert (lodge.stay, lodge.name) == (1, "Rossi,Anna")


def test_a_resync_with_another_name_is_another_guest(lodge):
    lodge.hear(
        ResyncBegan(), lodge.comes(swap=True), lodge.named("Verdi"), lodge.named("Neri"),
        ResyncEnded(),
    )  # fmt: skip
    assert (lodge.stay, lodge.name) == (2, "Verdi")
    assert lodge.wait(60) == []


def test_a_resync_names_guests_of_rooms_of_which_we_never_heard(lodge):
    cos = RoomEquipped(room="205", class_of_service="3")
    came = lodge.comes("205", swap=True)
    lodge.hear(ResyncBegan(), came, lodge.named("Neri", "205"), cos, ResyncEnded())
    guest = lodge.house.rooms["205"].shown
    assert (guest.name, guest.class_of_service) == ("Neri", "3")


def test_a_resync_says_who_has_left(lodge):
    left = GuestLeft(room="101", reservation=None, in_resync=True)
    words = lodge.hear(ResyncBegan(), left, ResyncEnded())
    assert [each.split()[0] for each in words] == ["out"]


def test_a_clock_that_jumps_back_lets_nobody_wait_for_ever(lodge):
    lodge.hear(lodge.comes())
    lodge.now -= timedelta(days=1)
    lodge.wait(0)
    assert lodge.stay == 2
