"""Where classes are kept: what a store has to do, so that the rules need to be written once only.

A store checks nothing that it is given. It keeps of each class a state, which the teacher alone changes, three tables of rows, which
students write, and a version that grows with every change. Each operation is atomic, whoever else writes at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Table = Literal["students", "votes", "results"]
Written = Literal["done", "changed", "full"]

ANY = 2**31  # rows


class ClassStoreError(Exception):
    """The store cannot be reached. `str()` is a sentence for the page; the next call tries again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store has of a class, all of one moment.

    Args:
        rows: what was asked for, in order; None where there is no such row.
    """

    state: bytes
    version: int
    rows: tuple[bytes | None, ...] = ()


class ClassStore(Protocol):
    """Keeps classes until they are deleted, or until nobody has called `keep` for two hours (`LIFETIME_SECONDS`).

    Every method may be called from any thread.

    Raises:
        ClassStoreError: it does not answer.
    """

    def create(self, code: str, state: bytes, most: int) -> Literal["done", "taken", "full"]:
        """A new class at version 1, unless there is one of this code, or `most` of them already."""
        ...

    def get(self, code: str, table: Table = "students", fields: Sequence[bytes] = ()) -> Stored | None:
        """A class and some rows of one table; None where there is no such class."""
        ...

    def fields(self, code: str, table: Table) -> tuple[bytes, ...]:
        """The fields of all rows of a table, in any order."""
        ...

    def change(self, code: str, old: bytes, new: bytes) -> Written:
        """Replace the state and count a version, if it still is `old`."""
        ...

    def put(self, code: str, state: bytes, table: Table, field: bytes, value: bytes, most: int = ANY) -> Written:
        """Write a row and count a version, if the state still is `state`, and the table would have at most `most` rows."""
        ...

    def keep(self, code: str) -> None:
        """Let the class live for two hours from now."""
        ...

    def delete(self, code: str) -> None: ...

    def count(self, name: bytes, by: int, seconds: int) -> int:
        """Add to a counter, and return it. It begins at 0, and again `seconds` after it left 0."""
        ...
