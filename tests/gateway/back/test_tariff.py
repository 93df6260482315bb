"""What a call costs: rows, units, sums; and every mistake of a tariff with its line."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.back import tariff_file
from gateway.back.dialled import KINDS, Plan, read
from gateway.back.tariff import Row, Tariff, price
from gateway.back.tariff_file import TariffError, parse

EXAMPLE = Path(__file__, "../../../../deploy/tariff.toml").resolve()
NOON, NIGHT = datetime(2026, 3, 14, 12), datetime(2026, 3, 14, 23)
BERLIN = Plan("DE", area="30")


@pytest.mark.parametrize(
    ("plan", "digits", "world", "kind"),
    [
        (BERLIN, "0301234567", "+49301234567", "local"),
        (BERLIN, "1234567", "+49301234567", "local"),
        (BERLIN, "0891234567", "+49891234567", "national"),
        (BERLIN, "015112345678", "+4915112345678", "mobile"),
        (BERLIN, "00441632960001", "+441632960001", "international"),
        (BERLIN, "+441632960001", "+441632960001", "international"),
        (BERLIN, "08001234567", "+498001234567", "toll_free"),
        (BERLIN, "09001234567", "+499001234567", "premium"),
        (BERLIN, "110", "", "emergency"),
        (BERLIN, "112", "", "emergency"),
        (BERLIN, "*21*5#", "", "service"),
        (BERLIN, "", "", "service"),
        (Plan("DE", outside="0"), "00301234567", "+49301234567", "national"),
        (Plan("PT"), "911", "", "service"),
        (Plan("PT"), "912345678", "+351912345678", "mobile"),
        (Plan("US"), "12125550123", "+12125550123", "national"),
        (Plan("US"), "911", "", "emergency"),
        (Plan("US", outside="9"), "9011441632960001", "+441632960001", "international"),
    ],
)
def test_what_was_dialled_is_this_number_of_this_kind(plan, digits, world, kind):
    found = read(digits, plan)
    assert (found.world, found.kind) == (world, kind)


@given(st.text(max_size=40), st.sampled_from(["DE", "PT", "US", "JP"]))
def test_any_digits_are_some_number(digits, country):
    found = read(digits, Plan(country, area="30", outside="0"))
    assert found.kind in KINDS
    assert found.world.startswith("+") or not found.world


def tariff(*rows, **how):
    return Tariff(plan=BERLIN, rows=rows, **how)


UNITS = Row(name="all", first_s=120, first=Decimal("0.2"), step_s=60, step=Decimal("0.3"))


@pytest.mark.parametrize(
    ("talk_s", "amount", "units"),
    [
        (1, 20, 1),
        (68, 20, 1),
        (120, 20, 1),
        (121, 50, 2),
        (125, 50, 2),
        (190, 80, 3),
        (380, 170, 6),
    ],
)
def test_first_and_following_units(talk_s, amount, units):
    """The published example of another maker: 0.2 for two minutes, then 0.3 a minute."""
    found = price(tariff(UNITS), "0891234567", NOON, talk_s)
    assert (found.amount, found.units, found.row.name) == (amount, units, "all")


def cost(table, digits="0891234567", at=NOON, talk_s=60, trunk=""):
    found = price(table, digits, at, talk_s, trunk)
    return None if found.row is None else found.row.name, found.amount


def row(name, **how):
    return Row(name=name, first_s=60, first=Decimal(1), **how)


def test_the_longest_prefix_counts_then_the_most_conditions_then_the_first():
    table = tariff(
        row("default"),
        row("abroad", kind="international"),
        row("german", prefixes=("+49",)),
        row("munich", prefixes=("+4989",)),
        row("munich at night", prefixes=("+4989",), hours=(NIGHT.time(), NOON.time())),
        row("munich again", prefixes=("+4989",)),
    )
    assert cost(table)[0] == "munich"
    assert cost(table, at=NIGHT)[0] == "munich at night"
    assert cost(table, "0401234567")[0] == "german"
    assert cost(table, "0033123456789")[0] == "abroad"
    assert cost(table, "*1")[0] == "default"


def test_days_and_trunks():
    saturday, sunday = NOON, datetime(2026, 3, 15, 12)
    table = tariff(
        row("all"),
        row("saturday", days=frozenset({5})),
        row("gsm", trunk="gsm", days=frozenset({6})),
    )
    assert cost(table, at=saturday)[0] == "saturday"
    assert cost(table, at=sunday)[0] == "all"
    assert cost(table, at=sunday, trunk="gsm")[0] == "gsm"


def test_what_costs_nothing():
    table = tariff(row("all", free_s=5), free=("0800", "+4930"))
    assert cost(table, talk_s=5) == ("all", 0)
    assert cost(table, talk_s=6) == ("all", 100)
    assert cost(table, "08001234567") == (None, 0)
    assert cost(table, "110") == (None, 0)
    assert cost(tariff(row("all"), emergency_always_free=False), "110") == ("all", 100)


def test_without_a_row_there_is_no_price():
    assert cost(tariff(row("abroad", prefixes=("+44",)))) == (None, None)


@pytest.mark.parametrize(
    ("how", "amount"),
    [
        ({"tax_percent": Decimal(19), "tax_included": True}, 100),
        ({"tax_percent": Decimal(19), "tax_included": False}, 119),
        ({"margin_percent": Decimal(10), "tax_percent": Decimal(19), "tax_included": False}, 131),
        ({"minimum": Decimal(3)}, 300),
        ({"maximum": Decimal("0.5")}, 50),
        ({"decimals": 0}, 1),
        ({"decimals": 3}, 1000),
    ],
)
def test_tax_margin_limits_and_the_currency(how, amount):
    assert cost(tariff(row("all"), **how))[1] == amount


@pytest.mark.parametrize(("rounding", "amount"), [("half_up", 13), ("half_even", 12), ("up", 13)])
def test_a_sum_is_rounded_once_at_the_end(rounding, amount):
    units = Row(name="all", first_s=1, first=Decimal("0.025"), step_s=1, step=Decimal("0.025"))
    assert cost(tariff(units, rounding=rounding), talk_s=5)[1] == amount


@given(talk_s=st.integers(0, 90_000), more=st.integers(0, 5000))
def test_a_longer_call_never_costs_less(talk_s, more):
    table = tariff_file.load(EXAMPLE)
    for digits in ("0891234567", "00441632960001", "123"):
        short, long = (price(table, digits, NOON, each) for each in (talk_s, talk_s + more))
        assert 0 <= short.amount <= long.amount <= 25_000


def test_the_example_can_be_read_and_has_a_price_for_everything():
    table = tariff_file.load(EXAMPLE)
    assert cost(table, "0301234567", talk_s=61) == ("local and national", 50)
    assert cost(table, "0301234567", at=NIGHT, talk_s=61) == ("local and national, at night", 30)
    assert cost(table, "015112345678", talk_s=61) == ("mobile", 90)
    assert cost(table, "00441632960001", talk_s=60) == ("Europe", 70)
    assert cost(table, "0018005550123", talk_s=60) == ("other numbers", 150)


HOUSE = '[house]\ncountry = "DE"\n\n[[rate]]\nname = "all"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HOUSE.replace("DE", "XX"), "line 2: house.country: expected a country in two capitals"),
        (HOUSE.replace("country", "land"), "line 1: house.country: missing"),
        (HOUSE + "first = 0.3\n", 'line 6: rate.first: write a sum as a text, as "0.30"'),
        (HOUSE + '[[rate]]\nname = "b"\nstep = "-1"\n', "line 8: rate.step: expected a sum from 0"),
        (HOUSE + 'step = "1e9"\n', "line 6: rate.step: expected a sum from 0 to 999999"),
        (HOUSE + "step_s = 0\n", "line 6: rate.step_s: Input should be greater than"),
        (HOUSE + 'perfix = ["+49"]\n', "line 6: rate.perfix: unknown key"),
        (HOUSE + 'prefix = ["49 30"]\n', "line 6: rate.prefix: expected digits, or + and digits"),
        (HOUSE + 'days = "mon-fry"\n', "line 6: rate.days: expected days"),
        (HOUSE + 'hours = "8-20"\n', "line 6: rate.hours: expected hours"),
        (HOUSE + 'kind = "far"\n', "line 6: rate.kind: Input should be 'emergency'"),
        ('[house]\ncountry = "DE"\n', "line 1: rate: missing"),
        ("[house", "not TOML"),
    ],
)
def test_a_mistake_is_told_with_its_line(text, sentence):
    with pytest.raises(TariffError) as error:
        parse(text, "tariff.toml")
    assert any(sentence in each for each in error.value.sentences), error.value.sentences


def test_all_mistakes_are_told_at_once():
    with pytest.raises(TariffError) as error:
        parse(HOUSE.replace("DE", "XX") + 'step = "x"\nhours = "8"\n', "t")
    assert len(error.value.sentences) == 3


def test_days_go_round_the_week_and_hours_round_midnight():
    table = parse(HOUSE + 'days = "fri-mon"\nhours = "20:00-24:00"\n', "t")
    (only,) = table.rows
    assert (only.days, only.hours[1].hour) == (frozenset({4, 5, 6, 0}), 0)
    assert cost(table, at=NIGHT)[0] == "all"
    assert cost(table, at=NOON) == (None, None)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(TariffError, match="No such file"):
        tariff_file.load(tmp_path / "none.toml")
