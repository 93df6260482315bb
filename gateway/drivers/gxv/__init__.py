"""A Grandstream phone with a screen and an address book, over its web API."""

from gateway.drivers.gxv.phone import Phone
from gateway.drivers.gxv.values import (
    Account,
    Contact,
    Entry,
    Identity,
    LoginRefused,
    PhoneAway,
    PhoneFailed,
    PhoneOdd,
)

__all__ = [
    "Account",
    "Contact",
    "Entry",
    "Identity",
    "LoginRefused",
    "Phone",
    "PhoneAway",
    "PhoneFailed",
    "PhoneOdd",
]
