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
    """A job that is no run. It begins at once; the few megabytes that it may hold are not counted.

    Args:
        pieces: does a piece of work at every step and yields how much is done by then, from 0 to 1; returns the result.

    Attributes:
        state: "playing", "finished", "stopped", or "failed" by a defect.
        result: None until it is finished.
    """

    def __init__(self, pieces: Generator[float, None, Result], scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self.state, self.fraction_done = "playing", 0.0
        self.result: Result | None = None
        self._pieces = pieces
        scheduler.keep(self)

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
