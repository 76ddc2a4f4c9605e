"""A job whose turns cost time of a clock of its own, for the tests of the scheduler."""

from __future__ import annotations

import math
from collections.abc import Callable

from mlp_core.jobs import Scheduler
from mlp_core.jobs.scheduled import Job
from tests.support.engine import until


class Clockwork(Job):
    """A job whose every turn takes `cost` seconds of a clock that is its own; `order` gets its name."""

    parked = False
    due = -math.inf

    def __init__(self, name: str, cost: float, turns: int, order: list[str], meanwhile: Callable[[], None] = lambda: None) -> None:
        self.name, self.cost, self.turns, self.order, self.meanwhile = name, cost, turns, order, meanwhile
        self.used_seconds, self.state = 0.0, "playing"

    @property
    def moving(self) -> bool:
        return self.turns > 0

    def expire(self) -> bool:
        return False

    def take_turn(self) -> None:
        self.order.append(self.name)
        self.meanwhile()
        self.used_seconds += self.cost
        self.turns -= 1
        if not self.moving:
            self.state = "paused"


def played(scheduler: Scheduler, *pool: Clockwork) -> None:
    """Have jobs that come at one moment played to their end."""
    with scheduler.changed:
        for job in pool:
            scheduler.keep(job)
    until(lambda: len(scheduler._threads) == 0)
