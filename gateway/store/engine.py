"""What the store asks of its engine: connections, transactions, and SQL that both engines read.

Statements name their parameters (`:room`), or put a `?` for each in turn. All that they use is in
both: `ON CONFLICT`, `RETURNING`, `CASE`; nothing that only one of them has.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Rows(Protocol):
    """What a statement gives."""

    def fetchone(self) -> Any:
        """The next row; None: there is none."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""

    @property
    def get(self) -> Any:
        """The one value of the one row; None: there is none."""


class Db(Protocol):
    """A connection, inside a transaction of its engine."""

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        """One statement."""

    def changes(self) -> int:
        """How many rows the last one has changed."""

    def total_changes(self) -> int:
        """How many were changed since the connection was opened."""


class Engine(Protocol):
    """SQLite in a file, or PostgreSQL. Synchronous; one thread. All of it raises StorageFailed."""

    @property
    def where(self) -> str:
        """For people: a path, or a server without a password."""

    def reading(self) -> AbstractContextManager[Db]:
        """The connection, for statements that change nothing."""

    def transaction(self) -> AbstractContextManager[Db]:
        """The connection, inside a transaction that is durable when the outermost block has ended.
        An inner block that raises takes back what it has done, and nothing else.
        """

    def begin_anew(self) -> str:
        """Set what cannot be trusted aside, begin with an empty one. Returns where the old is."""

    def made_way(self) -> bool:
        """Whether a damaged one was ever set aside."""

    def shrink(self) -> None:
        """What was deleted in this transaction must not stay readable anywhere."""

    def counted_on(self, tables: list[str]) -> None:
        """Rows with ids were put into these tables: the next one is behind the largest."""

    def audit(self) -> list[str]:
        """What is wrong with it, in words. Slow."""

    def close(self) -> None:
        """Give the connection back."""
