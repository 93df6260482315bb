"""What was dialled, as a number of the world, and what kind of number it is. Pure.

Parsing and kinds come from phonenumbers, Google's tables of every country's plan.
"""

from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, shortnumberinfo
from phonenumbers.phonemetadata import PhoneMetadata

EMERGENCY: Final = "emergency"
LOCAL: Final = "local"
NATIONAL: Final = "national"
MOBILE: Final = "mobile"
INTERNATIONAL: Final = "international"
TOLL_FREE: Final = "toll_free"
PREMIUM: Final = "premium"
SERVICE: Final = "service"
KINDS: Final = (
    EMERGENCY, LOCAL, NATIONAL, MOBILE, INTERNATIONAL, TOLL_FREE, PREMIUM, SERVICE,
)  # fmt: skip
"""`service`: a short number, or one that no plan has."""

_KINDS: Final = {
    PhoneNumberType.TOLL_FREE: TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: PREMIUM,
    PhoneNumberType.SHARED_COST: PREMIUM,
    PhoneNumberType.MOBILE: MOBILE,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the hotel is.

    country     two letters, as DE
    area        its area code without the national prefix, as 30; empty: numbers are always dialled
                whole
    outside     what is dialled for a line to the outside and the PBX has left in the number
    """

    country: str
    area: str = ""
    outside: str = ""


@dataclass(frozen=True, slots=True)
class Dialled:
    """digits: as the exchange got them; world: with + and the country, empty for a short number."""

    digits: str
    world: str
    kind: str


def read(digits: str, plan: Plan) -> Dialled:
    """The number behind these digits."""
    digits = "".join(each for each in digits if each in "0123456789+*#")
    if plan.outside and digits.startswith(plan.outside):
        digits = digits[len(plan.outside) :]
    if shortnumberinfo.is_emergency_number(digits, plan.country):
        return Dialled(digits, "", EMERGENCY)
    if not digits or "*" in digits or "#" in digits:
        return Dialled(digits, "", SERVICE)
    try:
        number = phonenumbers.parse(_with_area(digits, plan), plan.country)
    except NumberParseException:
        return Dialled(digits, "", SERVICE)
    if not phonenumbers.is_possible_number(number):
        return Dialled(digits, "", SERVICE)
    world = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    home = phonenumbers.country_code_for_region(plan.country)
    kind = _KINDS.get(phonenumbers.number_type(number))
    if number.country_code != home and kind != PREMIUM:
        kind = INTERNATIONAL
    is_local = bool(plan.area) and world.startswith(f"+{home}{plan.area}")
    return Dialled(digits, world, kind or (LOCAL if is_local else NATIONAL))


def _with_area(digits: str, plan: Plan) -> str:
    """A number within the area is dialled without its code: with it, it can be parsed."""
    metadata = PhoneMetadata.metadata_for_region(plan.country)
    prefix = (metadata.national_prefix or "") if metadata is not None else ""
    if not plan.area or not prefix or digits.startswith((prefix, "+")):
        return digits
    return f"{prefix}{plan.area}{digits}"
