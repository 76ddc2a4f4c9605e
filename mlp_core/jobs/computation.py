"""`Computation`: work in small pieces that goes on while nobody calls it, in turns with all runs of the process."""

import logging
import math
import time
from collections.abc import Generator
from typing import Generic, TypeVar

from mlp_core.jobs.scheduled import TURN_SECONDS, Lifetime
from mlp_core.jobs.scheduler import Scheduler

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class Computation(Generic[Result]):
    """The `Job` of a scheduler that is no run. It begins at once.

    Args:
        pieces: does a piece of work at every step and yields how much is done by then, from 0 to 1; returns the result.

    Attributes:
        state: "playing", "finished", "stopped", or "failed" by a defect.
        result: None until it is finished.
    """

    memory_bytes = turn_bytes = 0  # a few megabytes at the most
    due = -math.inf

    def __init__(self, pieces: Generator[float, None, Result], scheduler: Scheduler) -> None:
        self.lifetime = Lifetime(self, scheduler)
        self.used_seconds, self.fraction_done = 0.0, 0.0
        self.state = "playing"
        self.result: Result | None = None
        self._pieces, self._scheduler = pieces, scheduler
        scheduler.keep(self)

    @property
    def moving(self) -> bool:
        return self.state == "playing"

    @property
    def parked(self) -> bool:
        return self.lifetime.ends is not None

    def stop(self) -> None:
        """End for good, after the piece under way."""
        with self._scheduler.changed:
            if self.moving:
                self.state = "stopped"
                self._scheduler.changed.notify_all()

    def await_rest(self, seconds: float) -> bool:
        """Wait until it has ended, but not longer than this. Returns whether it has."""
        with self._scheduler.changed:
            return self._scheduler.changed.wait_for(lambda: not self.moving, seconds)

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
