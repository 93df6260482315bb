"""The UCM's list of calls (`cdrapi`): how it is asked for, and its records as legs. Pure.

There is no parameter here, and no way to give one, that deletes a call.

Source: UCM HTTPS API, cdrapi (the guide's sample prints the action as cdraapi; clients that run say
cdrapi); the CDR API guides of the UCM6100 and 6510 for parameters and nesting.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from gateway.drivers.legs import Leg
from gateway.drivers.ucm.replies import Reply, text_of

PAGE: Final = 200
"""Records of one reply. A thousand, the most a UCM gives, are a megabyte or more, and a check-in
would wait for them."""
EARLIEST, LATEST = 2000, 2100
"""Years: before and behind them no UCM has recorded a call, and not every zone can say them."""
DEEPEST: Final = 8
"""Of records within records; four are seen."""

_QUARTER_S: Final = 900
_FORMAT: Final = "%Y-%m-%dT%H:%M:%S+00:00"


@dataclass(frozen=True, slots=True)
class Page:
    """One reply: its legs, how many records it had, and how many of them could not be read."""

    legs: tuple[Leg, ...]
    records: int
    unread: int


def request(since: float, until: float, offset: int) -> dict[str, str]:
    """The parameters for the calls that ended in this time, from the offset on.

    By their end: a long call that has begun before the last look is found when it is over. The
    moments have a T and a zone: without either some firmwares answer with an empty list, and no
    error.
    """
    return {
        "format": "json",
        "numRecords": str(PAGE),
        "offset": str(offset),
        "startTime": datetime.fromtimestamp(since, UTC).strftime(_FORMAT),
        "endTime": datetime.fromtimestamp(until, UTC).strftime(_FORMAT),
        "timeFilterType": "End",
    }


def page_of(reply: Reply, zone: tzinfo) -> Page:
    """The calls of a reply. What is no list has none: see `Reply.response`.

    zone    of the UCM's clock, for records that do not say by themselves when they were
    """
    root = reply.response.get("cdr_root")
    elements = root if isinstance(root, list) else []
    legs: list[Leg] = []
    unread = 0
    for element in elements:
        for record in _records(element):
            leg = _leg(record, zone)
            if leg is None:
                unread += 1
            else:
                legs.append(leg)
    return Page(tuple(legs), len(elements), unread)


def _records(element: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Flat records, or `main_cdr` and any number of `sub_cdr_n`, nested."""
    if not isinstance(element, Mapping) or depth > DEEPEST:
        return
    if "start" in element:
        yield element
    for value in element.values():
        if isinstance(value, Mapping):
            yield from _records(value, depth + 1)


def _leg(record: Mapping[str, Any], zone: tzinfo) -> Leg | None:
    # Half a surrogate is no character, but JSON can say it, and a store cannot.
    text = {name: text_of(record.get(name)).encode(errors="replace").decode() for name in _READ}
    began = _began(text, zone)
    if began is None:
        return None
    duration, talk_s = _seconds(text["duration"]), _seconds(text["billsec"])
    session = text["session"] or text["cdr"] or text["uniqueid"]
    parts = (text["uniqueid"], session, text["channel"], text["dstchannel"], text["start"])
    return Leg(
        key=hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:32],
        session=session,
        began=began,
        ended=began + max(duration, talk_s),
        talk_s=talk_s if text["disposition"].upper() == "ANSWERED" else 0,
        extension=text["channel_ext"] or text["src"],
        dialled=text["dst"],
        owner=text["action_owner"],
        trunk_in=text["src_trunk_name"],
        trunk_out=text["dst_trunk_name"],
        channel_out=text["dstchannel"],
        is_outgoing=text["userfield"].lower() == "outbound",
    )


_READ: Final = (
    "uniqueid", "session", "cdr", "channel", "dstchannel", "start", "duration", "billsec",
    "disposition", "channel_ext", "src", "dst", "action_owner", "src_trunk_name",
    "dst_trunk_name", "userfield",
)  # fmt: skip


def _began(text: Mapping[str, str], zone: tzinfo) -> float | None:
    """The moment of a call: `uniqueid` begins with it, in seconds since 1970, whatever the UCM's
    zone is. Without it the local text of `start` has to do, which has two meanings in the hour that
    a clock is set back.

    Source: the guide's sample, 1574857028.56 for 07:17:08 at UTC-5.
    """
    head, dot, _ = text["uniqueid"].partition(".")
    if dot and re.fullmatch(r"[123][0-9]{9}", head):  # 2001 to 2096
        return float(head)
    start = _local(text["start"])
    if start is None or not EARLIEST <= start.year < LATEST:
        return None
    return start.replace(tzinfo=zone).timestamp()


def clock_offset_s(reply: Reply) -> int | None:
    """How far the UCM's local time is ahead of UTC, by the newest record; None: none says so.

    A record has its beginning both in UTC and in the UCM's own time: their difference is the zone
    that the UCM is set to.
    """
    root = reply.response.get("cdr_root")
    for element in reversed(root if isinstance(root, list) else []):
        for record in _records(element):
            epoch = text_of(record.get("uniqueid")).partition(".")[0]
            start = _local(text_of(record.get("start")))
            if start is not None and epoch.isascii() and epoch.isdecimal() and len(epoch) == 10:
                ahead = start.replace(tzinfo=UTC).timestamp() - int(epoch)
                return round(ahead / _QUARTER_S) * _QUARTER_S
    return None


def _local(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if len(text) == len("YYYY-MM-DD HH:MM:SS") else None
    except ValueError:
        return None


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 7 else 0
