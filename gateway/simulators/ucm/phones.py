"""The telephones of a simulated UCM: calls are made, and listed as `cdrapi` lists them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Final

MOST_RECORDS: Final = 1000
DEFAULT_TRUNK: Final = "provider"


@dataclass(slots=True)
class Phones:
    """Every call that was made, as its records.

    epoch       seconds since 1970
    zone        what the UCM's clock is set to; its texts have no zone
    nests       a call is listed with its parts under `main_cdr` and `sub_cdr_1`
    """

    epoch: Callable[[], float] = time.time  # noqa: TID251  # a PBX has a clock of its own
    zone: tzinfo = field(default_factory=lambda: timezone(timedelta(hours=-5)))
    nests: bool = False
    records: list[dict[str, Any]] = field(default_factory=list)
    _count: int = 0

    def call(
        self,
        extension: str,
        digits: str,
        *,
        talk_s: int = 60,
        ring_s: int = 4,
        ended: float | None = None,
        trunk: str = DEFAULT_TRUNK,
        **also: str,
    ) -> dict[str, Any]:
        """A call that has ended. Without a trunk it stayed in the house; talk_s 0: not answered.

        also    other values of the record
        """
        self._count += 1
        ended = self.epoch() if ended is None else ended
        began = int(ended) - ring_s - talk_s
        session = f"{began}{self._count:06}-{extension}"
        record = {
            "AcctId": str(self._count),
            "accountcode": "",
            "action_owner": extension,
            "action_type": "DIAL",
            "answer": self._local(began + ring_s) if talk_s else "",
            "billsec": str(talk_s),
            "cdr": session,
            "channel": f"PJSIP/{extension}-{self._count:08x}",
            "channel_ext": extension,
            "disposition": "ANSWERED" if talk_s else "NO ANSWER",
            "dst": digits,
            "dst_trunk_name": trunk,
            "dstchannel": f"PJSIP/{trunk or digits}-{self._count + 0x1000:08x}",
            "duration": str(ring_s + talk_s),
            "end": self._local(int(ended)),
            "session": session,
            "src": extension,
            "src_trunk_name": "",
            "start": self._local(began),
            "uniqueid": f"{began}.{self._count}",
            "userfield": "Outbound" if trunk else "Internal",
            **also,
        }
        self.records.append(record)
        return record

    def listed(self, asked: Mapping[str, Any]) -> dict[str, Any] | str:
        """The reply to `cdrapi`. A text is CSV, which is what comes without `format`."""
        if asked.get("format") != "json":
            return "AcctId,accountcode,src,dst\r\n"
        since, until = self._moment(asked.get("startTime")), self._moment(asked.get("endTime"))
        if since is None or until is None:
            return {"cdr_root": []}  # what it does not understand it answers so
        by = "end" if asked.get("timeFilterType") == "End" else "start"
        found = [record for record in self.records if since <= self._at(record, by) <= until]
        offset = int(asked.get("offset") or 0)
        count = min(int(asked.get("numRecords") or MOST_RECORDS), MOST_RECORDS)
        page = found[offset : offset + count]
        return {"cdr_root": [self._nested(each) if self.nests else each for each in page]}

    def _nested(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The same leg as the whole call, without its row number, and as its only part."""
        main = {name: value for name, value in record.items() if name != "AcctId"}
        return {"cdr": record["cdr"], "main_cdr": main, "sub_cdr_1": dict(record)}

    def _local(self, epoch: float) -> str:
        return f"{datetime.fromtimestamp(epoch, self.zone):%Y-%m-%d %H:%M:%S}"

    def _at(self, record: Mapping[str, Any], name: str) -> float:
        return datetime.fromisoformat(record[name]).replace(tzinfo=self.zone).timestamp()

    def _moment(self, text: Any) -> float | None:
        """A moment of a filter: with a T and a zone, or it is not understood."""
        try:
            moment = datetime.fromisoformat(str(text)) if "T" in str(text) else None
        except ValueError:
            return None
        return None if moment is None or moment.tzinfo is None else moment.timestamp()
