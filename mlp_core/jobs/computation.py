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
        self._pieces, self._needed_bytes, self._in_turn = pieces, needed_bytes, False
        scheduler.admit(self)
        scheduler.keep(self)

    @property
    def memory_bytes(self) -> int:
        return self._needed_bytes if self.moving else 0

    @property
    def moving(self) -> bool:
        return self.state == "playing"

    def stop(self) -> None:
        """End for good, after the piece under way; what it held is free then, though somebody may go on to show how far it came."""
        with self._scheduler.changed:
            if self.moving:
                self.state = "stopped"
                if not self._in_turn:
                    self._pieces.close()
                self._scheduler.changed.notify_all()

    def expire(self) -> bool:
        """Stop what nobody claimed. Returns whether that has freed memory that counts."""
        if not self.lifetime.over():
            return False
        held = self.memory_bytes
        self.stop()
        return held > 0

    def take_turn(self) -> None:
        started, ended = time.perf_counter(), ""
        with self._scheduler.changed:
            self._in_turn = True
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
            self._in_turn = False
            if not self.moving:
                self._pieces.close()
            elif ended:
                self.state = ended
