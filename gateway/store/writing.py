"""Changes of the store and of its picture in memory: one at a time, from what is on disk."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final

from gateway.store.values import StorageFailed
from gateway.store.worker import StoreWorker

Settle = Callable[[bool], Awaitable[None]]
"""Makes a picture in memory what is on disk; told whether the store is a new and empty one. Raises
StorageFailed: it cannot be read yet.
"""
_IN_DOUBT: Final = (StorageFailed, asyncio.CancelledError)


class Writing:
    """A lock, `async with`. A write that failed, or whose caller was cancelled, may be on disk all
    the same: the next holder begins when that is settled, or not at all.

    settle      in this order
    """

    def __init__(self, store: StoreWorker) -> None:
        self.settle: list[Settle] = []
        self._store = store
        self._lock = asyncio.Lock()
        self._in_doubt = False

    @property
    def in_doubt(self) -> bool:
        """Whether something is to be settled."""
        return self._in_doubt or self._store.is_anew

    async def __aenter__(self) -> None:
        """Raises StorageFailed: the store cannot be read yet."""
        await self._lock.acquire()
        try:
            if self.in_doubt:
                is_anew = self._store.is_anew
                for each in self.settle:
                    await each(is_anew)
                self._in_doubt = False
        except BaseException:  # whatever it is, also a cancelled caller: nobody has the lock then
            self._lock.release()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._in_doubt = kind is not None and issubclass(kind, _IN_DOUBT)
        self._lock.release()
