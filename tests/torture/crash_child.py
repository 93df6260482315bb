"""The service in a process of its own that kills itself at a named point of the code.

python -m tests.torture.crash_child CONFIG POINT COUNT    the COUNT-th time POINT is passed

Nothing in the program knows of this: the points are wrapped from outside.
"""

import asyncio
import functools
import os
import signal
import sys
from pathlib import Path
from typing import Any

from gateway import config, logs
from gateway.drivers.ucm.https import HttpsPeer
from gateway.house import House
from gateway.line.serial import SerialLine
from gateway.line.tcp import TcpLine
from gateway.service import daemon
from gateway.store import Store, StoreWorker
from protocols.fias import FiasSession

POINTS = {
    "received": (FiasSession, "receive_data", "after"),
    "applied": (House, "apply", "after"),
    "committing": (Store, "put", "before"),
    "written": (Store, "put", "after"),  # and not yet committed
    "committed": (StoreWorker, "__call__", "after"),
    "acknowledging": (FiasSession, "accept", "after"),
    "acknowledged": (None, "write", "after"),  # the line's write that carries the ACK
    "calling": (HttpsPeer, "post", "before"),
    "answered": (HttpsPeer, "post", "after"),
    "finishing": (Store, "told", "before"),
    "done": (Store, "told", "after"),
}


def arm(point: str, count: int) -> None:
    """Wrap the point: the count-th time it is passed this process is gone."""
    owner, name, moment = POINTS[point]
    left = [count]

    def pass_point() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for cls in (owner,) if owner is not None else (SerialLine, TcpLine):
        original = getattr(cls, name)
        if asyncio.iscoroutinefunction(original):

            @functools.wraps(original)
            async def wrapped(self: Any, *args: Any, _original: Any = original, **how: Any) -> Any:
                if moment == "before":
                    pass_point()
                result = await _original(self, *args, **how)
                if moment == "after":
                    pass_point()
                return result
        else:

            @functools.wraps(original)
            def wrapped(self: Any, *args: Any, _original: Any = original, **how: Any) -> Any:
                if moment == "before":
                    pass_point()
                result = _original(self, *args, **how)
                if moment == "after":
                    pass_point()
                return result

        setattr(cls, name, wrapped)


def main() -> None:
    """Run until killed."""
    path, point, count = sys.argv[1:4]
    logs.set_up(quiet=True)
    if point != "never":
        arm(point, int(count))
    asyncio.run(daemon.run(config.load(Path(path))))


if __name__ == "__main__":
    main()
