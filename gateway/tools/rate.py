"""`rate try`: what a call costs, and why."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.back.tariff import Tariff, price
from gateway.config import Config


class NoTariff(Exception):
    """This site prices no calls. The text says what to do."""


def tried(
    config: Config, digits: str, at: datetime | None, talk_s: int, trunk: str
) -> dict[str, Any]:
    """What a call of this number costs. Raises NoTariff.

    at      in hotel time; None: now
    """
    tariff = config.rates
    if tariff is None:
        raise NoTariff("there is no tariff: name it under [tariff] file; deploy/tariff.toml is one")
    began = at or datetime.now(config.zone).replace(tzinfo=None, microsecond=0)
    found = price(tariff, digits, began, talk_s, trunk)
    return {
        "digits": digits,
        "number": found.number.world or found.number.digits,
        "kind": found.number.kind,
        "at": began.isoformat(),
        "seconds": talk_s,
        "row": None if found.row is None else found.row.name,
        "units": found.units,
        "amount": found.amount,
        "sum": None if found.amount is None else money(tariff, found.amount),
        "why": found.why,
    }


def money(tariff: Tariff, amount: int) -> str:
    """A sum as people write it: `1.50 EUR`."""
    return f"{Decimal(amount).scaleb(-tariff.decimals):f} {tariff.currency}"
