"""The cashier of a simulated PMS: takes postings and answers them, strictly or as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from protocols.fias.records import Posting

NO_ANSWER: Final = ""
"""As an answer: the PMS says nothing."""


@dataclass(slots=True)
class Cashier:
    """What was posted, and how it is answered.

    answers     the AS for a posting, or NO_ANSWER; OK by default
    heard       every posting, in its order
    booked      those that were answered with OK: what is on the bills
    complaints  what was done against the specification
    """

    answers: Callable[[Posting], str] = lambda _: "OK"
    heard: list[Posting] = field(default_factory=list)
    booked: list[Posting] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _numbers: set[int] = field(default_factory=set)
    _open: int | None = None

    def take(self, posting: Posting, stamp: str, *, in_resync: bool) -> str | None:
        """A posting of the gateway. Returns the record that answers it; None: nothing does.

        stamp   DA and TI of the answer
        """
        number = posting.posting_number
        missing = [
            name
            for name, value in (
                ("RN", posting.room), ("PT", posting.posting_type), ("DA", posting.day),
                ("TI", posting.at), ("P#", number),
            )
            if value is None
        ]  # fmt: skip
        if posting.posting_type == "C" and posting.total is None:
            missing.append("TA")
        if posting.posting_type == "T" and (posting.dialled is None or posting.duration is None):
            missing.append("DD or DU")
        if missing:
            self.complaints.append(f"PS without {', '.join(missing)}")
        if in_resync:
            self.complaints.append("PS between DS and DE")
        if number in self._numbers:
            self.complaints.append(f"P# {number} twice")
        if self._open is not None:
            self.complaints.append(f"PS {number} while the answer to {self._open} is owed")
        self.heard.append(posting)
        if number is None:
            return None
        self._numbers.add(number)
        answer = self.answers(posting)
        if answer == NO_ANSWER:
            self._open = number
            return None
        self._open = None
        if answer == "OK":
            self.booked.append(posting)
        return f"PA|RN{posting.room}|AS{answer}|P#{number}|{stamp}"

    def waits_no_more(self) -> None:
        """The gateway may send the next one although the last was not answered."""
        self._open = None
