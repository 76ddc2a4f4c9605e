"""The runs of the playground: the one on screen, made anew when its settings change, and five seeds of a design. Both end with the session.
Draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from mlp_core.jobs import TrainingJob
from mlp_core.training import Run
from pages.ui import page_jobs as bench
from pages.ui import session
from pages.ui.page_jobs import Bench

SCREEN, SEEDS = "screen", "seeds"  # places for a job


class Held(NamedTuple):
    """A job; `key` is equal for equal experiments."""

    key: Hashable
    job: TrainingJob

    @property
    def jobs(self) -> tuple[TrainingJob]:
        return (self.job,)


def _bench() -> Bench[Held]:
    return bench.bench_of("nonlinearity")


def held(place: str) -> Held | None:
    return _bench()[place]


def job_for(key: Hashable, make: Callable[[], Run]) -> TrainingJob:
    """The job on screen, made for `key`, ready to be seen; where the key has changed a new one, in the place of the one before.

    Raises:
        SpecError, ExpressionError, MemoryBudgetError: it cannot be trained here.
    """
    found = held(SCREEN)
    return found.job if found is not None and found.key == key else hold(SCREEN, key, make)


def hold(place: str, key: Hashable, make: Callable[[], Run]) -> TrainingJob:
    """A new job, ready to be seen, in the place of the one before.

    Raises:
        SpecError, ExpressionError, MemoryBudgetError: it cannot be trained here; then the place is empty.
    """
    forget(place)
    job = TrainingJob(make(), session.engine()[0])
    job.run.prepare()
    _bench().put(place, Held(key, job))
    return job


def branch(job: TrainingJob, step: int, lr: float) -> None:
    """Go on from an earlier step of the job on screen with another lr, in its place.

    Raises:
        SpecError, MemoryBudgetError: that cannot be trained here.
    """
    found, run = held(SCREEN), job.run.branch(step, lr)
    if found is not None and found.job is job:
        hold(SCREEN, found.key, lambda: run)


def forget(place: str = SCREEN) -> None:
    """Let go of a job, which ends it: the next one starts from the beginning."""
    _bench().clear(place)
