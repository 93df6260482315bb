"""The outbox's one thread: awaits for everybody who lives in the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from gateway.outbox.store import Outbox

P = ParamSpec("P")
T = TypeVar("T")


class OutboxWorker:
    """Runs the outbox's methods in one thread, so that a slow disk never stops the loop.

    `new_entries` is set after each call that may have made rows due.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.new_entries = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")

    async def __call__(
        self, method: Callable[Concatenate[Outbox, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a method of Outbox. Raises what it raises.

        A cancelled caller does not stop the call: what was begun is finished on disk.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: method(self.outbox, *args, **kwargs)
        )

    def close(self) -> None:
        """Finish what was begun and close the file."""
        self._thread.submit(self.outbox.close).result()
        self._thread.shutdown()
