"""Who changes the store begins from what is on disk, also after a write of unknown outcome."""

import asyncio
from types import SimpleNamespace

import pytest

from gateway.store import StorageFailed
from gateway.store.writing import Writing


class Disk:
    """What is to be settled, and how often it was. `fails`: it cannot be read now."""

    def __init__(self):
        self.store = SimpleNamespace(is_anew=False)
        self.settled, self.fails = [], False
        self.writing = Writing(self.store)
        self.writing.settle.append(self._settle)

    async def _settle(self, is_anew):
        if self.fails:
            raise StorageFailed("the disk cannot be read")
        self.settled.append(is_anew)
        self.store.is_anew = False

    async def write(self, error=None):
        async with self.writing:
            if error is not None:
                raise error


@pytest.mark.asyncio
async def test_after_a_write_that_was_stored_nothing_is_to_be_settled():
    disk = Disk()
    await disk.write()
    with pytest.raises(ValueError, match="x"):
        await disk.write(ValueError("x"))  # of the caller, not of the disk
    await disk.write()
    assert (disk.settled, disk.writing.in_doubt) == ([], False)


@pytest.mark.parametrize("error", [StorageFailed("?"), asyncio.CancelledError()])
@pytest.mark.asyncio
async def test_after_one_whose_outcome_is_not_known_the_next_settles_it_once(error):
    disk = Disk()
    with pytest.raises(type(error)):
        await disk.write(error)
    assert disk.writing.in_doubt
    await disk.write()
    await disk.write()
    assert (disk.settled, disk.writing.in_doubt) == ([False], False)


@pytest.mark.asyncio
async def test_while_it_cannot_be_settled_nobody_writes_and_nobody_waits_for_ever():
    disk = Disk()
    with pytest.raises(StorageFailed):
        await disk.write(StorageFailed("?"))
    disk.fails = True
    for _ in range(2):
        with pytest.raises(StorageFailed, match="cannot be read"):
            await disk.write()
    disk.fails = False
    await disk.write()
    assert disk.settled == [False]


@pytest.mark.asyncio
async def test_a_store_that_is_new_and_empty_is_settled_too():
    disk = Disk()
    disk.store.is_anew = True
    await disk.write()
    await disk.write()
    assert disk.settled == [True]


@pytest.mark.asyncio
async def test_one_at_a_time():
    disk, inside, most = Disk(), 0, 0

    async def one():
        nonlocal inside, most
        async with disk.writing:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one() for _ in range(5)))
    assert most == 1
