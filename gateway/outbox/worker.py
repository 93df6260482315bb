"""The outbox's one thread: awaits for everybody who lives in the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from gateway.logs import logger
from gateway.outbox.store import Outbox
from gateway.outbox.values import StorageCorrupt, StorageFailed

CORRUPT_ADVICE = (
    "the disk fails, or somebody else wrote to the file: replace the disk; what waited is in the"
    " file that was kept; the rooms are compared with the UCM"
)

_READERS = frozenset(
    {"due", "totals", "house", "heard", "refused", "rows", "row", "rooms_waiting", "audit"}
)

P = ParamSpec("P")
T = TypeVar("T")


class OutboxWorker:
    """Runs the outbox's methods in one thread, so that a slow disk never stops the loop.

    new_entries     set after each call that may have made rows due
    trouble         why the last write failed; empty: it did not
    is_anew         the file was damaged and has made way for an empty one, without a house
    """

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.new_entries = asyncio.Event()
        self.trouble = ""
        self.is_anew = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")

    @property
    def accepted(self) -> int:
        """Entries for the UCM that were ever accepted."""
        return self.outbox.accepted

    async def __call__(
        self, method: Callable[Concatenate[Outbox, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a method of Outbox. Raises what it raises.

        A cancelled caller does not stop the call: what was begun is finished on disk.
        """
        loop = asyncio.get_running_loop()

        def call() -> T:
            try:
                return method(self.outbox, *args, **kwargs)
            except StorageCorrupt as error:
                aside = self.outbox.begin_anew()
                self.is_anew = True
                logger().error(
                    "outbox_corrupt", error=str(error), kept_as=str(aside), do=CORRUPT_ADVICE
                )
                raise

        try:
            result = await loop.run_in_executor(self._thread, call)
        except StorageFailed as error:
            self.trouble = str(error)
            raise
        if method.__name__ not in _READERS:
            self.trouble = ""
        return result

    def close(self) -> None:
        """Finish what was begun and close the file."""
        self._thread.submit(self.outbox.close).result()
        self._thread.shutdown()
