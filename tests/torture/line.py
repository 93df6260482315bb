"""The promise "the line": the PMS's records arrive whole, once, in order, whatever the line does.

Noisy frames (`frames`), random steps of the session (`link_machine`), whole conversations over a
bad cable (`conversation`), real sockets and ptys (`media`), large resyncs (`resync`).
"""

from gateway import logs
from tests.torture.conversation import conversations
from tests.torture.figures import Figure
from tests.torture.frames import noisy_frames
from tests.torture.link_machine import random_steps
from tests.torture.media import on_real_media
from tests.torture.resync import resyncs


def torture(scale: float, seed: int) -> list[Figure]:
    """Every promise of the line; scale 1.0: a million frames, 200,000 steps, 1,000 losses each."""
    logs.set_up(quiet=True)
    return [
        *noisy_frames(scale, seed),
        *random_steps(scale, seed),
        *conversations(scale, seed),
        *on_real_media(scale, seed),
        *resyncs(scale, seed),
    ]
