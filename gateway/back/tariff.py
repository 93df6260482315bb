"""What a call costs: which row of the tariff it falls under, its units, the sum. Pure.

All sums are Decimal and are rounded once, at the end. The row of the moment at which a call began
counts for the whole call.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Final

from gateway.back.dialled import EMERGENCY, Dialled, Plan, read

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ROUNDINGS: Final = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "up": ROUND_UP}
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row.

    prefixes    of the number with + and country, or of the digits as they were dialled; empty: the
                default row, for what no other row fits
    kind        a word of `gateway.back.dialled.KINDS`; None: any
    days        0 is Monday; empty: all
    hours       from and to, which may be behind midnight; None: all
    trunk       None: any
    connect     of every call that costs anything
    free_s      a call that is no longer costs nothing: an analogue trunk counts from the seizure
    first_s, first      the first unit: how long it is, and what it costs
    step_s, step        each begun unit behind it
    """

    name: str
    prefixes: tuple[str, ...] = ()
    kind: str | None = None
    days: frozenset[int] = frozenset()
    hours: tuple[time, time] | None = None
    trunk: str | None = None
    connect: Decimal = NOTHING
    free_s: int = 0
    first_s: int = 0
    first: Decimal = NOTHING
    step_s: int = 60
    step: Decimal = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A hotel's tariff.

    decimals        of the currency: a charge is an integer of its smallest unit
    tax_percent     added, unless the rows have it in them
    margin_percent  added before the tax
    free            numbers that cost nothing, as prefixes
    """

    plan: Plan
    rows: tuple[Row, ...]
    currency: str = "EUR"
    decimals: int = 2
    rounding: str = "half_up"
    tax_percent: Decimal = NOTHING
    tax_included: bool = True
    margin_percent: Decimal = NOTHING
    minimum: Decimal = NOTHING
    maximum: Decimal | None = None
    free: tuple[str, ...] = ()
    emergency_always_free: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a call costs.

    row     the one it falls under; None: it is free, or no row fits
    amount  in the currency's smallest unit; None: no row fits
    units   begun, the first one included
    why     how the sum comes about, in words
    """

    number: Dialled
    row: Row | None = None
    amount: int | None = None
    units: int = 0
    why: str = ""


def price(tariff: Tariff, digits: str, began: datetime, talk_s: int, trunk: str = "") -> Price:
    """What a call costs that began at this moment of hotel time."""
    number = read(digits, tariff.plan)
    if number.kind == EMERGENCY and tariff.emergency_always_free:
        return Price(number=number, amount=0, why="an emergency call is free")
    if any(_begins(number, prefix) for prefix in tariff.free):
        return Price(number=number, amount=0, why="this number is free")
    row = row_for(tariff.rows, number, began, trunk)
    if row is None:
        return Price(number=number, why="no row of the tariff fits, and there is no default row")
    if talk_s <= row.free_s:
        why = f"no longer than {row.free_s} s: free"
        return Price(number=number, row=row, amount=0, why=why)
    behind = max(0, talk_s - row.first_s)
    steps = math.ceil(behind / row.step_s)
    units = steps + (row.first_s > 0)
    net = row.connect + (row.first if row.first_s else NOTHING) + row.step * steps
    why = f"{row.connect} + {row.first if row.first_s else 0} + {steps} x {row.step} = {net}"
    total = net * (1 + tariff.margin_percent / 100)
    if not tariff.tax_included:
        total *= 1 + tariff.tax_percent / 100
    if total:
        total = max(total, tariff.minimum)
    if tariff.maximum is not None:
        total = min(total, tariff.maximum)
    smallest = Decimal(1).scaleb(-tariff.decimals)
    rounded = total.quantize(smallest, ROUNDINGS[tariff.rounding])
    if rounded != net:
        why += f"; with margin, tax and limits {rounded}"
    amount = int(rounded.scaleb(tariff.decimals))
    return Price(number=number, row=row, amount=amount, units=units, why=why)


def row_for(rows: Sequence[Row], number: Dialled, began: datetime, trunk: str) -> Row | None:
    """The row with the longest prefix; among these the one with the most conditions; then the
    first one.
    """
    best: tuple[tuple[int, int], Row] | None = None
    for row in rows:
        length = max((len(each) for each in row.prefixes if _begins(number, each)), default=-1)
        if row.prefixes and length < 0:
            continue
        if not _fits(row, number, began, trunk):
            continue
        conditions = [row.kind, row.days or None, row.hours, row.trunk]
        rank = (length, sum(each is not None for each in conditions))
        if best is None or rank > best[0]:
            best = (rank, row)
    return None if best is None else best[1]


def _begins(number: Dialled, prefix: str) -> bool:
    return (number.world if prefix.startswith("+") else number.digits).startswith(prefix)


def _fits(row: Row, number: Dialled, began: datetime, trunk: str) -> bool:
    is_day = not row.days or began.weekday() in row.days
    is_hour = True
    if row.hours is not None:
        since, until = row.hours
        at = began.time()
        is_hour = since <= at < until if since < until else at >= since or at < until
    is_kind = row.kind is None or row.kind == number.kind
    return is_day and is_hour and is_kind and row.trunk in (None, trunk)
