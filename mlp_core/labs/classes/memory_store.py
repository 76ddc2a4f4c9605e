"""Classes in the memory of this process: nothing to install, and all that a single server needs.

A class of 200 in a lesson of ten steps weighs 0.6 MB when all have voted twice at every step, and 0.9 MB with the ten values of each
one's run; the largest that there can be weighs 5.3 MB, and there are at most 50 (measured with tracemalloc).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

from mlp_core.labs.classes.classroom import LIFETIME_SECONDS
from mlp_core.labs.classes.store import ANY, Stored, Table, Written


@dataclass(slots=True)
class _Class:
    state: bytes
    ends: float
    version: int = 1
    tables: dict[Table, dict[bytes, bytes]] = field(default_factory=lambda: {"students": {}, "votes": {}, "results": {}})


class MemoryStore:
    """A `ClassStore` that forgets with its process.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._open: dict[str, _Class] = {}
        self._counters: dict[bytes, tuple[int, float]] = {}  # value and when it ends

    def create(self, code: str, state: bytes, most: int) -> Literal["done", "taken", "full"]:
        with self._lock:
            if self._find(code) is not None:
                return "taken"
            if len(self._open) >= most:
                return "full"
            self._open[code] = _Class(state, self._clock() + LIFETIME_SECONDS)
            return "done"

    def get(self, code: str, table: Table = "students", fields: Sequence[bytes] = ()) -> Stored | None:
        with self._lock:
            if (found := self._find(code)) is None:
                return None
            return Stored(found.state, found.version, tuple(map(found.tables[table].get, fields)))

    def fields(self, code: str, table: Table) -> tuple[bytes, ...]:
        with self._lock:
            found = self._find(code)
            return () if found is None else tuple(found.tables[table])

    def change(self, code: str, old: bytes, new: bytes) -> Written:
        with self._lock:
            if (found := self._find(code)) is None or found.state != old:
                return "changed"
            found.state = new
            found.version += 1
            return "done"

    def put(self, code: str, state: bytes, table: Table, field: bytes, value: bytes, most: int = ANY) -> Written:
        with self._lock:
            if (found := self._find(code)) is None or found.state != state:
                return "changed"
            rows = found.tables[table]
            if len(rows) + (field not in rows) > most:
                return "full"
            rows[field] = value
            found.version += 1
            return "done"

    def keep(self, code: str) -> None:
        with self._lock:
            if (found := self._find(code)) is not None:
                found.ends = self._clock() + LIFETIME_SECONDS

    def delete(self, code: str) -> None:
        with self._lock:
            self._open.pop(code, None)

    def count(self, name: bytes, by: int, seconds: int) -> int:
        with self._lock:
            now = self._clock()
            self._counters = {key: counter for key, counter in self._counters.items() if counter[1] > now}
            value, ends = self._counters.pop(name, (0, now + seconds))
            if value + by > 0:
                self._counters[name] = (value + by, ends)
            return value + by

    def _find(self, code: str) -> _Class | None:
        """The class, after those have been dropped whose time is up, whichever is asked for."""
        now = self._clock()
        for ended in [code for code, one in self._open.items() if one.ends <= now]:
            del self._open[ended]
        return self._open.get(code)
