"""One meaning for a setting that may change in mid-run: moved while a run is under way it changes that run, from its next step on.

It is the next run's too. Where the two differ, since a preset or a link set the controls, or the run was steered beside its buttons, the
sidebar's is named as the next run's.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mlp_core.jobs import TrainingJob
from mlp_core.spec import RunSpec, SpecError

STEER_SECONDS = 0.3  # a step that is under way is usually done by then, and the page shows the run as it was steered


def under_way(job: TrainingJob) -> bool:
    """Whether it has begun and can go on."""
    return job.state in ("playing", "paused")


def steer(job: TrainingJob, **settings: Any) -> None:
    """Have a run go on with other settings, and the page show it at once.

    Raises:
        SpecError: what `TrainingJob.steer` raises.
    """
    job.steer(**settings)
    job.await_settings(STEER_SECONDS, **settings)


def moved(job: TrainingJob | None, name: str, spec_of: Callable[[], RunSpec]) -> None:
    """A control was moved by hand: the run under way goes on with what it says.

    Args:
        spec_of: the experiment that the controls describe; may raise `SpecError`.
    """
    if job is not None and under_way(job):
        with suppress(SpecError):  # what this run cannot take waits for the next, and what none can take the page names
            steer(job, **{name: getattr(spec_of(), name)})


def of_next_run(job: TrainingJob | None, lr: float) -> bool:
    """Whether the controls' lr is the next run's alone, since the run under way has another."""
    return job is not None and under_way(job) and job.run.settings.lr != lr
