"""The messages of a Mitel hotel link, as values. Rooms are as they stand in the message.

Source: MiVoice Business help, PMS interface (names of the messages); captures of two hotels and a
PMS driver (layouts). The PBX has no word for the end of a wake-up, a price, a sharer or a guest's
number.
"""

from dataclasses import dataclass
from datetime import time
from enum import Enum
from typing import ClassVar


class Naming(Enum):
    """What a name message does. The values are on the wire."""

    ADD = "1"
    REPLACE = "2"
    DELETE = "3"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """CHK1: somebody moves in. What was set for the room before is void; NAM, RST and MW follow."""

    record_id: ClassVar[str] = "CHK1"
    room: str
    swap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOut:
    """CHK0: nobody is in any more."""

    record_id: ClassVar[str] = "CHK0"
    room: str
    swap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """NAM1, NAM2, NAM3: the name on the phone. `name`: as it stands, without the blanks around."""

    record_id: ClassVar[str] = "NAM"
    room: str
    naming: Naming
    name: str
    swap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """RST: what the phone may dial. `level`: the PMS's own digit."""

    record_id: ClassVar[str] = "RST"
    room: str
    level: str
    swap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """MW: the message lamp; goes both ways."""

    record_id: ClassVar[str] = "MW"
    room: str
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUp:
    """WKP: call the room at the next such time of day; None: do not."""

    record_id: ClassVar[str] = "WKP"
    room: str
    at: time | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncBegins:
    """GRS: every room follows."""

    record_id: ClassVar[str] = "GRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncEnds:
    """END: every room was told."""

    record_id: ClassVar[str] = "END"


@dataclass(frozen=True, slots=True, kw_only=True)
class AreYouThere:
    """The PMS asks whether the PBX is alive; the ACK is all it wants."""

    record_id: ClassVar[str] = "AREYUTHERE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """A message that a PBX knows and a UCM has no use for: its function, and nothing else of it."""

    function: str

    @property
    def record_id(self) -> str:
        return self.function


@dataclass(frozen=True, slots=True, kw_only=True)
class MaidStatus:
    """STS: what a maid keyed; from the PBX. `status`: one digit."""

    record_id: ClassVar[str] = "STS"
    room: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialise:
    """RQINZ: tell every room, please; from the PBX."""

    record_id: ClassVar[str] = "RQINZ"


FromPms = (
    CheckIn
    | CheckOut
    | Name
    | Restriction
    | Lamp
    | WakeUp
    | ResyncBegins
    | ResyncEnds
    | AreYouThere
    | Unused
)
ToPms = MaidStatus | Lamp | Initialise
Record = FromPms | MaidStatus | Initialise
