"""Limits and times of a Mitel hotel link.

Source: MiVoice Business help, PMS interface, System Transmissions and Error handling; 3CX's page of
its Mitel interface for what PMSs really do.
"""

from typing import Final

MAX_TEXT_BYTES: Final = 80
"""The longest message that was ever seen has 60: a name of 40 characters with its room in front."""

ANSWER_S: Final = 3.0
"""For each answer, and for the text behind an ENQ that was acknowledged."""
ENQUIRIES: Final = 20
"""Without an answer the PMS counts as down; then we ask every ANSWER_S for ever."""
TEXT_TRIES: Final = 6
"""The whole sequence from ENQ, so often; then the message is given up, or the PMS is down."""
GAP_S: Final = 3.0
"""How long a begun message may pause."""
RESYNC_WITHIN_S: Final = 600.0
"""Between two messages of a resync: one that pauses for longer will not come to its end."""
