"""Runs the store in one thread: awaitable calls for the event loop, with group commit.

All calls that are queued when the thread becomes free share one transaction, and each caller gets
its result once that is durable: records, results of calls and the operator alike.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from gateway.logs import logger
from gateway.store.store import Store
from gateway.store.values import StorageCorrupt, StorageFailed

CORRUPT_ADVICE: Final = (
    "the disk is failing, or another program wrote to the file: check the disk and replace it; the"
    " damaged file is kept beside the new one; the rooms are compared with the UCM"
)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    """One call of a method of Store, and the future of its answer."""

    call: Callable[[Store], Any]
    answer: "Future[Any]"


class StoreWorker:
    """Runs the store's methods in one thread, so that a slow disk never stops the loop.

    trouble     why the last transaction failed; empty: a later one that wrote something succeeded
    is_anew     the file was damaged, was set aside, and an empty one is in its place
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.trouble = ""
        self.is_anew = False
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    async def __call__(
        self, method: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a method of Store and wait until it is durable. Raises what it raises.

        A cancelled caller does not stop the call: what was begun is finished on disk.
        """
        answer: Future[T] = Future()
        self._jobs.put(_Job(lambda store: method(store, *args, **kwargs), answer))
        return await asyncio.wrap_future(answer)

    def close(self, within_s: float | None = None) -> None:
        """Finish what was begun and close the file; if the disk takes longer, it stays open."""
        self._jobs.put(None)
        self._thread.join(within_s)
        if not self._thread.is_alive():
            self.store.close()

    def _work(self) -> None:
        is_open = True
        while is_open:
            waiting = [self._jobs.get()]
            while not self._jobs.empty():
                waiting.append(self._jobs.get())
            is_open = None not in waiting
            self._run_together([job for job in waiting if job is not None])

    def _run_together(self, jobs: list[_Job]) -> None:
        """All of them in one transaction; a call that raises fails for its own caller only."""
        done: list[tuple[_Job, Any]] = []
        try:
            with self.store.transaction() as db:
                before = db.total_changes()
                for job in jobs:
                    try:
                        done.append((job, job.call(self.store)))
                    except StorageFailed:
                        raise
                    except Exception as error:  # noqa: BLE001  # raised at its caller, and only there
                        _fail(job, error)
                has_written = db.total_changes() > before
        except StorageFailed as error:
            if str(error) != self.trouble:  # once for each cause
                logger().error("store_failed", error=str(error), do=error.do)
            self.trouble = str(error)
            if isinstance(error, StorageCorrupt):
                self._set_aside(error)
            for job in jobs:
                _fail(job, error)
        except BaseException as error:  # noqa: BLE001  # whatever it is, no caller waits for ever
            for job in jobs:
                _fail(job, error)
        else:
            if has_written and self.trouble:  # a read does not prove that the disk can write
                self.trouble = ""
                logger().info("store_recovered")
            for job, result in done:
                with contextlib.suppress(RuntimeError):  # the loop is closed: no caller waits
                    if job.answer.set_running_or_notify_cancel():
                        job.answer.set_result(result)

    def _set_aside(self, error: StorageCorrupt) -> None:
        try:
            aside = self.store.engine.begin_anew()
        except StorageFailed as failed:
            logger().error("store_corrupt", error=str(failed), do=CORRUPT_ADVICE)
            return
        self.is_anew = True
        logger().error("store_corrupt", error=str(error), kept_as=aside, do=CORRUPT_ADVICE)


def _fail(job: _Job, error: BaseException) -> None:
    with contextlib.suppress(RuntimeError):
        if not job.answer.done() and job.answer.set_running_or_notify_cancel():
            job.answer.set_exception(error)
