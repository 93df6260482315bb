"""The store's one thread: awaits for everybody who lives in the event loop, and group commit.

Whatever waits when the thread comes round goes into one transaction, and all who asked are
answered when it is durable: records, results of calls and the operator alike.
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
    "the disk fails, or somebody else wrote to the file: replace the disk; what waited is in the"
    " file that was kept; the rooms are compared with the UCM"
)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    """One call of a method of Store, and who waits for its answer."""

    call: Callable[[Store], Any]
    answer: "Future[Any]"


class StoreWorker:
    """Runs the store's methods in one thread, so that a slow disk never stops the loop.

    trouble     why the last transaction failed; empty: it did not
    is_anew     the file was damaged and has made way for an empty one, without a house
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
        """Finish what was begun and close the file; a disk that takes longer is left to itself."""
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
            self._together([job for job in waiting if job is not None])

    def _together(self, jobs: list[_Job]) -> None:
        """All of them in one transaction; who asked for something impossible fails alone."""
        done: list[tuple[_Job, Any]] = []
        try:
            with self.store.transaction() as db:
                before = db.total_changes()
                for job in jobs:
                    try:
                        done.append((job, job.call(self.store)))
                    except StorageFailed:
                        raise
                    except Exception as error:  # noqa: BLE001  # told to who asked, and only there
                        _fail(job, error)
                has_written = db.total_changes() > before
        except StorageFailed as error:
            self.trouble = str(error)
            if isinstance(error, StorageCorrupt):
                self._set_aside(error)
            for job in jobs:
                _fail(job, error)
        except BaseException as error:  # noqa: BLE001  # whatever it is, nobody waits for ever
            for job in jobs:
                _fail(job, error)
        else:
            if has_written:  # what was only read says nothing of the disk
                self.trouble = ""
            for job, result in done:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                    if job.answer.set_running_or_notify_cancel():
                        job.answer.set_result(result)

    def _set_aside(self, error: StorageCorrupt) -> None:
        try:
            aside = self.store.begin_anew()
        except StorageFailed as failed:
            logger().error("store_corrupt", error=str(failed), do=CORRUPT_ADVICE)
            return
        self.is_anew = True
        logger().error("store_corrupt", error=str(error), kept_as=str(aside), do=CORRUPT_ADVICE)


def _fail(job: _Job, error: BaseException) -> None:
    with contextlib.suppress(RuntimeError):
        if not job.answer.done() and job.answer.set_running_or_notify_cancel():
            job.answer.set_exception(error)
