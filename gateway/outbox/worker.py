"""The outbox's one thread: awaits for everybody who lives in the event loop."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, Concatenate, ParamSpec, TypeVar

from gateway.logs import logger
from gateway.outbox.store import Outbox
from gateway.outbox.values import Batch, Entry, StorageCorrupt, StorageFailed

CORRUPT_ADVICE = (
    "the disk fails, or somebody else wrote to the file: replace the disk; what waited is in the"
    " file that was kept; the rooms are compared with the UCM"
)

_READERS = frozenset(
    {"due", "turn", "totals", "house", "heard", "refused", "rows", "row", "rooms_waiting", "audit"}
)

P = ParamSpec("P")
T = TypeVar("T")


class OutboxWorker:
    """Runs the outbox's methods in one thread, so that a slow disk never stops the loop.

    new_entries     set after each call that may have made rows due
    trouble         why the last write failed; empty: it did not
    is_anew         the file was damaged and has made way for an empty one, without a house
    coming          what is being stored and will be all that has to be delivered; until the next
                    write
    delivered       rows that are delivered, and whose note is not on its way to the disk yet
    settle          makes that note now, for somebody who looks; from who delivers
    """

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.new_entries = asyncio.Event()
        self.trouble = ""
        self.is_anew = False
        self.coming: Coming | None = None
        self.delivered = 0
        self.settle: Callable[[], Awaitable[None]] = _settled
        self._last: asyncio.Future[Any] | None = None
        self._thread = _OneThread()

    @property
    def accepted(self) -> int:
        """Entries for the UCM that were ever accepted."""
        return self.outbox.accepted

    @property
    def waiting(self) -> int:
        """Entries that wait for the UCM."""
        return self.outbox.waiting

    def __call__(
        self, method: Callable[Concatenate[Outbox, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        """Call a method of Outbox; await what comes back. Raises what it raises.

        It is in the queue when this returns, in front of whatever is called after it. A cancelled
        caller does not stop the call: what was begun is finished on disk.
        """
        reads = method.__name__ in _READERS
        if not reads:
            self.coming = None
        return self._answered(self._begin(method, *args, **kwargs), reads=reads)

    def put(self, batch: Batch) -> Coroutine[Any, Any, None]:
        """As a call of `Outbox.put`; who delivers it may make ready what is `coming`."""
        # After a failure the books that are known here may not be those of the file.
        is_known = (self._last is None or self._last.done()) and not self.trouble
        new = self.outbox.all_that_will_wait(batch, self.delivered) if is_known else None
        storing = self._begin(Outbox.put, batch, self.delivered if is_known else 0)
        self.coming = Coming(new, storing) if new is not None else None
        return self._answered(storing, reads=False)

    def _begin(
        self, method: Callable[Concatenate[Outbox, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> "asyncio.Future[T]":
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

        self._last = asyncio.get_running_loop().run_in_executor(self._thread, call)
        return self._last

    async def _answered(self, answer: Awaitable[T], *, reads: bool) -> T:
        try:
            result = await answer
        except StorageFailed as error:
            self.trouble = str(error)
            raise
        if not reads:
            self.trouble = ""
        return result

    def close(self, within_s: float | None = None) -> None:
        """Finish what was begun and close the file; a disk that takes longer is left to itself."""
        if self._thread.end(within_s):
            self.outbox.close()


async def _settled() -> None:
    """Nobody delivers, and nothing is to be noted."""


@dataclass(frozen=True, slots=True)
class Coming:
    """An entry on its way to the disk.

    stored      raises what the write raises. Who takes in waits for it too: both are cancelled
                together, or neither
    """

    entry: Entry
    stored: "asyncio.Future[None]"


class _OneThread(Executor):
    """A thread for one loop, which gets its answers as the loop's own futures: a third of what a
    ThreadPoolExecutor costs, and each record goes this way several times.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = (
            SimpleQueue()
        )
        self._is_shut = False
        self._thread = Thread(target=self._work, name="outbox", daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[], Any], /) -> asyncio.Future[Any]:  # type: ignore[override]
        if self._is_shut:
            raise RuntimeError("the outbox is closed")
        answer = asyncio.get_running_loop().create_future()
        self._calls.put((call, answer))
        return answer  # run_in_executor hands a future of its loop on as it is

    def end(self, within_s: float | None) -> bool:
        """Take no more calls and wait for the last one. False: it is not done by then."""
        self._is_shut = True
        self._calls.put(None)
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._calls.get()) is not None:
            call, answer = job
            result, error = None, None
            try:
                result = call()
            except BaseException as caught:  # noqa: BLE001  # told to who waits for it
                error = caught
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                answer.get_loop().call_soon_threadsafe(_settle, answer, result, error)
            del job, call, answer, result, error  # while it waits, it keeps nothing alive


def _settle(answer: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if answer.cancelled():
        return  # who asked has gone; what was begun is finished
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
