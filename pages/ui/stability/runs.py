"""Runs side by side on the page "Vanishing and exploding": several jobs a visitor, which end with the session. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import TrainingJob
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui import page_jobs as bench
from pages.ui import session
from pages.ui.page_jobs import Bench


class TitledJob(NamedTuple):
    """A job and what it is called beside the others."""

    title: str
    job: TrainingJob


class Group(list[TitledJob]):
    """Jobs that are trained side by side."""

    @property
    def jobs(self) -> list[TrainingJob]:
        return [job for _, job in self]


def _bench() -> Bench[Group]:
    return bench.bench_of("stability")


def jobs(group: str) -> list[TitledJob]:
    """The jobs that were last started under this name."""
    return _bench()[group] or []


def start(group: str, titled: Sequence[tuple[str, RunSpec]]) -> None:
    """Train all side by side, in the place of the group's jobs before; each spec comes with its title.

    Raises:
        SpecError, ExpressionError, MemoryBudgetError: one of them cannot be trained here; then none is.
    """
    clear(group)
    scheduler, data = session.engine()[0], load_fashion_mnist()
    started = Group()
    try:
        for title, spec in titled:
            started.append(TitledJob(title, TrainingJob(Run(spec, data), scheduler)))
    except Exception:
        for job in started.jobs:
            job.discard()
        raise
    _bench().put(group, started)
    for job in started.jobs:
        job.play()


def clear(group: str) -> None:
    """Let go of the group's jobs, which ends them."""
    _bench().clear(group)


def moving(group: str) -> bool:
    """Whether there will be something new to see."""
    return any(job.moving for _, job in jobs(group))
