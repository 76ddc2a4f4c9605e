"""Runs side by side on the page "Vanishing and exploding": several jobs a visitor, which end with the session. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import streamlit as st

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import TrainingJob
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui import session


class TitledJob(NamedTuple):
    """A job and what it is called beside the others."""

    title: str
    job: TrainingJob


@dataclass(slots=True, eq=False)
class Bench:
    """A session's hold on its groups of jobs; Streamlit releases it when the session ends, which parks them all."""

    groups: dict[str, list[TitledJob]] = field(default_factory=dict)

    def release(self) -> None:
        for group in self.groups.values():
            for _, job in group:
                job.park(self)
        self.groups.clear()


@st.cache_resource(scope="session", show_spinner=False, on_release=Bench.release)
def _bench() -> Bench:
    return Bench()


def jobs(group: str) -> list[TitledJob]:
    """The jobs that were last started under this name."""
    return _bench().groups.get(group, [])


def start(group: str, titled: Sequence[tuple[str, RunSpec]]) -> None:
    """Train all side by side, in the place of the group's jobs before; each spec comes with its title.

    Raises:
        SpecError, ExpressionError, MemoryBudgetError: one of them cannot be trained here; then none is.
    """
    clear(group)
    scheduler, data = session.engine()[0], load_fashion_mnist()
    started: list[TitledJob] = []
    try:
        for title, spec in titled:
            started.append(TitledJob(title, TrainingJob(Run(spec, data), scheduler)))
    except Exception:
        for _, job in started:
            job.discard()
        raise
    bench = _bench()
    bench.groups[group] = started
    for _, job in started:
        job.claim(bench)
        job.play()


def clear(group: str) -> None:
    """Let go of the group's jobs, which ends them."""
    for _, job in _bench().groups.pop(group, []):
        job.discard()


def moving(group: str) -> bool:
    """Whether there will be something new to see."""
    return any(job.moving for _, job in jobs(group))
