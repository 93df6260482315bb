"""A sample of the UCM's torture: every habit for a while, a backlog, a resync of few changes."""

import pytest

from tests.torture.ucm import WEATHERS, at_length, backlog, misbehave, swapped_certificates


@pytest.mark.parametrize("name", WEATHERS)
def test_whatever_a_ucm_does_its_rooms_equal_the_house_in_the_end(name):
    assert misbehave(name, 5, 60) == []


def test_few_changes_are_few_calls_and_sick_rooms_hold_nobody_up():
    broken = [str(figure) for figure in at_length(0.05, 1) if not figure.ok]
    assert not broken


def test_a_wrong_certificate_hears_no_request():
    assert swapped_certificates(10) == []


@pytest.mark.timeout(200)
def test_a_long_outage_costs_two_calls_a_room_and_one_for_each_move():
    counts = ("wrong in the end", "beside the moves", "moves a room")
    figures = [figure for figure in backlog(20_000, 1) if figure.what.endswith(counts)]
    assert [str(figure) for figure in figures if not figure.ok] == []
    assert len(figures) == len(counts)
