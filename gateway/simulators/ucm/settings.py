"""What the installer has set on the pages of a simulated UCM, and how its firmware behaves."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Settings:
    """A test may change them at any time.

    lists_wake_ups  the API user may read `listWakeUp`
    pms_module      the PMS module is switched on
    api_enabled     the API is switched on
    permitted       our address is in the list of permitted addresses
    tries           failed logins until the ban
    token_case      which spelling of the PMS token is taken
    shape           how failures look: A..F, see `replies.failure`
    """

    username: str = "pmsgw"
    password: str = "api-secret"  # invented, for loopback
    pms_username: str = "hotel"
    pms_password: str = "pms-secret"  # invented, for loopback
    ws_username: str = "pmsgw-ws"
    ws_password: str = "ws-secret"  # invented, for loopback
    lists_wake_ups: bool = True
    pms_module: bool = True
    api_enabled: bool = True
    permitted: bool = True
    tries: int = 5
    token_case: Literal["any", "upper"] = "any"
    shape: str = "A"
    latency_s: float = 0.0
