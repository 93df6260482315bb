"""The lanes of a site: one for each line to the PMS. A posting goes over the lane of its kind."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.back.lane import Change, Lane
from gateway.back.sending import NotPossible
from gateway.back.states import Cause
from gateway.store import PostingRow, Store
from protocols.facts import PostingAnswered


@dataclass(frozen=True, slots=True)
class Lanes:
    """At least one; the first takes the kinds that no other has. Numbers are given once for all of
    them, so an answer finds its posting whatever line it comes over.
    """

    each: tuple[Lane, ...]

    def of(self, kind: str) -> Lane:
        """The lane of a kind of postings."""
        return next((lane for lane in self.each if kind in lane.kinds), self.each[0])

    def open(self) -> Iterator[PostingRow]:
        """All that somebody still has to do something about."""
        return (row for lane in self.each for row in lane.open.values())

    @property
    def has_work(self) -> bool:
        """Whether something waits, or an answer is owed."""
        return any(lane.has_work for lane in self.each)

    def restore(self, rows: Iterable[PostingRow]) -> None:
        """What was open at the last stop. What was sent then has no answer any more, unless it
        still comes: it may be booked.
        """
        self._dealt(Lane.restore, rows)

    async def settle(self, is_anew: bool) -> None:
        """See `Writing`. An empty store knows less of them than we do."""
        if not is_anew:
            self._dealt(Lane.are, await self.each[0].store(Store.open_postings))

    def stop(self) -> None:
        """Send nothing more."""
        for lane in self.each:
            lane.stop()

    # --- What the PMS says: see `Lane` ---

    def answered(self, fact: PostingAnswered, drafted: Sequence[Change]) -> Change | None:
        """What an answer of the PMS makes of the posting that it is for."""
        found = (lane.answered(fact, drafted) for lane in self.each)
        return next((change for change in found if change is not None), None)

    def has_ended(self, number: int) -> bool:
        """Whether this was the number of a posting that has ended of late: its answer comes again
        when our ACK was lost.
        """
        return any(lane.has_ended(number) for lane in self.each)

    def now_is(self, rows: Iterable[PostingRow]) -> None:
        """These postings are so, on disk."""
        self._dealt(Lane.now_is, rows)

    def _dealt(
        self, take: Callable[[Lane, list[PostingRow]], None], rows: Iterable[PostingRow]
    ) -> None:
        rows = list(rows)
        for lane in self.each:
            take(lane, [row for row in rows if self.of(row.kind) is lane])

    def counted(self, change: Change) -> None:
        """A change is on disk: count it."""
        self.of(change[0].kind).counted(change)

    # --- What an operator says ---

    async def operate(self, id_: int, cause: Cause, who: str, why: str) -> PostingRow:
        """An operator has looked: booked, again, or drop. Raises NotPossible or StorageFailed."""
        found = await self.each[0].store(Store.posting, id_)
        if found is None:
            raise NotPossible(f"there is no posting {id_}")
        return await self.of(found[0].kind).operate(id_, cause, who, why)
