"""The one run of the playground: made anew when its settings change, ended with the session. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import streamlit as st

from mlp_core.jobs import TrainingJob
from mlp_core.training import Run
from pages.ui import session


@dataclass(slots=True, eq=False)
class Bench:
    """A session's hold on its job; Streamlit releases it when the session ends, which parks the job."""

    key: Hashable = None
    job: TrainingJob | None = None

    def release(self) -> None:
        if self.job is not None:
            self.job.park(self)
            self.job = None


@st.cache_resource(scope="session", show_spinner=False, on_release=Bench.release)
def _bench() -> Bench:
    return Bench()


def job_for(key: Hashable, make: Callable[[], Run]) -> TrainingJob:
    """The job made for `key`, ready to be seen; where the key has changed a new one, in the place of the one before.

    Raises:
        SpecError, ExpressionError, MemoryBudgetError: it cannot be trained here.
    """
    bench = _bench()
    if bench.job is None or bench.key != key:
        forget()
        job = TrainingJob(make(), session.engine()[0])
        job.run.prepare()
        job.claim(bench)
        bench.key, bench.job = key, job
    return bench.job


def forget() -> None:
    """Let go of the job, which ends it: the next one starts from the beginning."""
    bench = _bench()
    if bench.job is not None:
        bench.job.discard()
    bench.job = None
