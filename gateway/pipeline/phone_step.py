"""What a phone of a room should hold, what it holds, and the next thing to do about it. Pure.

The order is the promise: nothing of a new stay is written to a phone on which anything of an old
one may still be.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Final

from gateway.house.states import Desired, Guest

NEVER: Final = -1


class PhoneStep(Enum):
    """One thing that is done to a phone, in the words of the operator."""

    WIPE = "delete contacts"
    DIRECTORY = "write the hotel's numbers"
    LANGUAGE = "set the language"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the phone of a room should hold.

    stay        who is in; None: nobody is
    departures  how many stays have ended in this room
    directory   version of the hotel's numbers; empty: it gets none
    language    of its display; empty: as it is
    """

    stay: int | None = None
    departures: int = 0
    directory: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Holds:
    """What a phone was last known to hold.

    wiped_after how many stays had ended when its contacts were deleted; NEVER: they never were
    language    of the display; it is set anew for each guest
    api         which generation it was found to be
    """

    wiped_after: int = NEVER
    directory: str = ""
    language: str = ""
    api: str = ""

    def as_json(self) -> str:
        """For the store."""
        return json.dumps(asdict(self), separators=(",", ":"))


def read_holds(text: str) -> Holds:
    """Raises ValueError for what nobody has stored."""
    try:
        return Holds(**json.loads(text))
    except TypeError as error:
        raise ValueError(str(error)) from None


def first_seen(wanted: Wanted) -> Holds:
    """Of a phone that is new to us: a guest who is in keeps his contacts."""
    return Holds(NEVER if wanted.stay is None else wanted.departures)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a site wants of its phones.

    wipes       contacts go with a guest
    version     of the hotel's numbers; empty: they are not written
    language_of the phone's word for the language of a guest; None: it is left alone
    """

    wipes: bool = True
    version: str = ""
    language_of: Callable[[Guest], str] | None = None

    def wanted(self, desired: Desired) -> Wanted | None:
        """What the phone of a room should hold. None: the PMS has never said who is in it."""
        if not desired.is_heard:
            return None
        language = ""
        if self.language_of is not None and desired.guest is not None:
            language = self.language_of(desired.guest)
        return Wanted(desired.stay, desired.departures, self.version, language)

    def step(self, desired: Desired, holds: Holds | None) -> PhoneStep | None:
        """What is to be done first. `holds`: None: it is new to us."""
        wanted = self.wanted(desired)
        if wanted is None:
            return None
        return next_step(wanted, holds or first_seen(wanted), wipes=self.wipes)


def next_step(wanted: Wanted, holds: Holds, *, wipes: bool = True) -> PhoneStep | None:
    """What is to be done first; None: nothing. `wipes`: whether contacts go with a guest."""
    if wipes and holds.wiped_after != wanted.departures:
        return PhoneStep.WIPE
    if wanted.stay is None:
        return None
    if wanted.directory and holds.directory != wanted.directory:
        return PhoneStep.DIRECTORY
    if wanted.language and holds.language != wanted.language:
        return PhoneStep.LANGUAGE
    return None


def after(step: PhoneStep, wanted: Wanted, holds: Holds) -> Holds:
    """What it holds once a step is done."""
    match step:
        case PhoneStep.WIPE:
            return replace(holds, wiped_after=wanted.departures, directory="", language="")
        case PhoneStep.DIRECTORY:
            return replace(holds, directory=wanted.directory)
        case PhoneStep.LANGUAGE:
            return replace(holds, language=wanted.language)
