"""What the AS of a posting's answer means.

Source: FIAS 2.20.24, answer status.
"""

from typing import Final

from protocols.facts import Verdict

VERDICTS: Final = {
    "OK": Verdict.BOOKED,
    "RY": Verdict.AGAIN,
    "NA": Verdict.NIGHT_AUDIT,
}
"""All other answers, also those that no specification lists, are final. UR is one of them, and
means less than it says: one PMS answers every trouble of its own so, and may have booked."""

_WORDS: Final = {
    "OK": "booked",
    "RY": "not now, try again",
    "NA": "not now, the night audit is running",
    "NG": "it knows no guest in this room",
    "NP": "no posting to this guest is allowed",
    "DN": "it was denied",
    "IA": "the account is not valid",
    "FX": "this link may not post",
    "CO": "the credit limit is reached",
    "UR": "it could not do it; some systems say so when they have booked it all the same",
}


def answer_in_words(answer: str | None) -> str:
    """What an AS says of a posting."""
    return _WORDS.get(answer or "", "an answer that no specification lists")
