"""The house: who is in which room. Start with `house`; its values are in `values` and `states`."""

from gateway.house.house import House
from gateway.house.states import Actual, Desired, Guest, States
from gateway.house.values import Departure, Ledger, Remark, Room, Told

__all__ = [
    "Actual",
    "Departure",
    "Desired",
    "Guest",
    "House",
    "Ledger",
    "Remark",
    "Room",
    "States",
    "Told",
]
