"""A simulated UCM: both of its HTTPS APIs, strict, with faults on request and a journal.

`simulator` speaks HTTP, `new_api` and `old_api` check who asks, `module` does what is asked.
"""

from gateway.simulators.ucm.faults import Dropped
from gateway.simulators.ucm.module import Call
from gateway.simulators.ucm.simulator import UcmSimulator

__all__ = ["Call", "Dropped", "UcmSimulator"]
