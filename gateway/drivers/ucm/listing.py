"""The UCM's list of rooms (`listPMSRoom`), and whether it shows what was told. Pure.

Source, unless said otherwise: UCM HTTPS API, listPMSRoom.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.drivers.ucm.replies import Reply, text_of
from gateway.drivers.ucm.requests import SHORTEST_NAME, plain_text


@dataclass(frozen=True, slots=True)
class UcmRoom:
    """One row of `listPMSRoom`. Moments are minutes without a zone; None: none that we can read.

    cos     1..4; None: a permission that we do not know
    status  0..6, the UCM's own; keyed: day and minute at which a maid dialled it, and `maid` her
            number, 0000 if she gave none (seen in the UCM's own sources)
    """

    address: str
    is_in: bool
    account: str
    last_name: str
    first_name: str
    language: str = ""
    vip: str = ""
    date_in: datetime | None = None
    date_out: datetime | None = None
    cos: str | None = None
    status: str = ""
    keyed: str = ""
    maid: str = ""


def rooms_in(reply: Reply) -> list[UcmRoom]:
    """The rooms of a `listPMSRoom` reply; both spellings of the name keys are read."""
    rows = reply.response.get("pms_room")
    return [
        UcmRoom(
            address=text_of(row.get("address")),
            is_in=text_of(row.get("chki_status")).lower() == "yes",
            account=text_of(row.get("account") or ""),
            last_name=text_of(row.get("last_name", row.get("lastname")) or ""),
            first_name=text_of(row.get("first_name", row.get("firstname")) or ""),
            language=text_of(row.get("language") or ""),
            vip=text_of(row.get("vipcode") or ""),
            date_in=_listed_moment(row.get("datein")),
            date_out=_listed_moment(row.get("dateout")),
            cos=_PERMISSIONS.get(text_of(row.get("permission"))),
            status=_digits(row.get("status")),
            keyed=_digits(row.get("s_date")) + _digits(row.get("s_time")),
            maid=_digits(row.get("maid")),
        )
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ]


def _digits(value: Any) -> str:
    """A maid dials digits; anything else is not hers."""
    text = text_of(value)
    return text if text.isascii() and text.isdecimal() else ""


_PERMISSIONS: Final[Mapping[str, str]] = {
    "internal": "1",
    "internal-local": "2",
    "internal-local-national": "3",
    "internal-local-national-international": "4",
}
"""The UCM's own words for a class of service. Source: HTTPS API, listPMSRoom, `permission`."""


def _listed_moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text_of(value)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        return None


def shown_tags(row: UcmRoom, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a room which is in shows: one that the row does not contradict is as given.

    What the list does not say (an empty language, a permission of the UCM's own) contradicts
    nothing: a firmware that leaves it out would be told the same for ever.
    """
    date_in, date_out = (
        None if moment is None else f"{moment:%Y/%m/%d %H:%M}"
        for moment in (row.date_in, row.date_out)
    )
    shown = {
        "account": row.account,
        "lastname": row.last_name,
        "firstname": row.first_name,
        "vipcode": row.vip or "0",
        "language": row.language or None,
        "cos": row.cos,
        "datein": date_in,
        "dateout": date_out,
    }
    compare = {"lastname": _is_same_name, "firstname": _is_same_name, "account": _is_no_other}
    same = {
        tag
        for tag, text in shown.items()
        if tag in compare and tag in tags and compare[tag](text or "", tags[tag])
    }
    return {
        **tags,
        **{tag: text for tag, text in shown.items() if text is not None and tag not in same},
    }


def is_ours(row: UcmRoom, tags: Mapping[str, str], *, was_told: bool = False) -> bool:
    """Whether a room that is in shows the guest of these tags: by the account, or, where the list
    has none, by the last name.

    was_told    these very tags were told to this room: then a name may have been cut on its way in
    """
    ours = tags.get("lastname", "")
    if not row.account:
        return _is_same_name(row.last_name, ours) if was_told else _is_plain(row.last_name, ours)
    account = tags.get("account", "")
    # A UCM may keep only the beginning of a long account.
    return row.account == account or (
        _is_same_account(row.account, account) and _is_same_name(row.last_name, ours)
    )


def _is_same_account(shown: str, ours: str) -> bool:
    return shown == ours or (len(shown) >= SHORTEST_NAME and ours.startswith(shown))


def _is_no_other(shown: str, ours: str) -> bool:
    return shown == "" or _is_same_account(shown, ours)


def _is_plain(shown: str, ours: str) -> bool:
    return plain_text(shown) == plain_text(ours)


def _is_same_name(shown: str, ours: str) -> bool:
    """A name that had to be made plain or short on its way in is still the same name."""
    plain_shown, plain_ours = plain_text(shown), plain_text(ours)
    cut_short = len(plain_shown) >= SHORTEST_NAME and plain_ours.startswith(plain_shown)
    return plain_shown == plain_ours or cut_short
