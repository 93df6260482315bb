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
def test_a_backlog_is_delivered_whole():
    figures = backlog(20_000, 1)
    whole = [figure for figure in figures if figure.what.endswith("wrong in the end")]
    assert [figure.ok for figure in whole] == [True]
