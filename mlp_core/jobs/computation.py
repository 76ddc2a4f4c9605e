"""`Computation`: work in small pieces that goes on while nobody calls it, in turns with all runs of the process."""

import logging
import time
from collections.abc import Generator
from typing import Generic, TypeVar

from mlp_core.jobs.scheduled import TURN_SECONDS, Job
from mlp_core.jobs.scheduler import Scheduler

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class Computation(Job, Generic[Result]):
    """A job that is no run. It begins at once.

    Args:
        pieces: does a piece of work at every step and yields how much is done by then, from 0 to 1; returns the result.
        needed_bytes: what it holds until it ends; a few megabytes need not be counted.

    Attributes:
        state: "playing", "finished", "stopped", or "failed" by a defect.
        result: None until it is finished.

    Raises:
        MemoryBudgetError: the scheduler has no room for what it needs.
    """

    def __init__(self, pieces: Generator[float, None, Result], scheduler: Scheduler, needed_bytes: int = 0) -> None:
        super().__init__(scheduler)
        self.state, self.fraction_done = "playing", 0.0
        self.result: Result | None = None
        self._pieces, self._needed_bytes = pieces, needed_bytes
        scheduler.admit(self)
        scheduler.keep(self)

    @property
    def memory_bytes(self) -> int:
        return self._needed_bytes if self.moving else 0

    @property
    def moving(self) -> bool:
        return self.state == "playing"

    def stop(self) -> None:
        """End for good, after the piece under way."""
        with self._scheduler.changed:
            if self.moving:
                self.state = "stopped"
                self._scheduler.changed.notify_all()

    def expire(self) -> bool:
        """Stop what nobody claimed. Never frees much."""
        if self.lifetime.ends is not None and time.monotonic() > self.lifetime.ends:
            self.lifetime.ends = None
            self.stop()
        return False

    def take_turn(self) -> None:
        started, ended = time.perf_counter(), ""
        try:
            while self.moving and time.perf_counter() < started + TURN_SECONDS:
                self.fraction_done = next(self._pieces)
        except StopIteration as end:
            self.result, ended = end.value, "finished"
        except Exception:
            _log.exception("A computation failed")
            ended = "failed"
        with self._scheduler.changed:
            self.used_seconds += time.perf_counter() - started
            if self.moving and ended:
                self.state = ended
