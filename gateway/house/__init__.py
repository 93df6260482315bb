"""The house: who is in which room. Start with `house`; its values are in `values`."""

from gateway.house.house import House
from gateway.house.values import Departure, Ledger, Remark, Room, Told, differs

__all__ = ["Departure", "House", "Ledger", "Remark", "Room", "Told", "differs"]
