"""Runs of the page "Generalization": queues of jobs, a few at a time, which end with the session. Draws their buttons, not their curves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import streamlit as st

from mlp_core.expression import ExpressionError
from mlp_core.jobs import TrainingJob
from mlp_core.jobs.job import JobSnapshot, MemoryBudgetError
from mlp_core.records import HistorySnapshot
from mlp_core.spec import SpecError
from mlp_core.training import Run
from pages.ui import page_jobs as bench
from pages.ui import session
from pages.ui.page_jobs import Bench
from pages.ui.text import plain
from pages.ui.ticking import ticking

TICK_SECONDS = 0.6


class Planned(NamedTuple):
    """A run to be made when its turn comes."""

    title: str
    make: Callable[[], Run]


class Shown(NamedTuple):
    """A run that was begun, as it stands."""

    title: str
    snapshot: JobSnapshot

    @property
    def members(self) -> tuple[HistorySnapshot, ...]:
        """One history a seed; of a single run, its own."""
        return self.snapshot.members or (self.snapshot.history,)


@dataclass(slots=True, eq=False)
class Queue:
    """Runs of one experiment, `at_once` of them at a time.

    Args:
        key: equal for equal experiments.
        waiting: not begun, first first.
    """

    key: Hashable
    waiting: list[Planned]
    at_once: int
    begun: list[tuple[str, TrainingJob]] = field(default_factory=list)
    error: str = ""

    @property
    def jobs(self) -> list[TrainingJob]:
        return [job for _, job in self.begun]

    @property
    def moving(self) -> bool:
        """Whether there will be something new to see."""
        return bool(self.waiting) or any(job.moving for job in self.jobs)

    def go_on(self, holder: object) -> None:
        """Begin what there is room for, and wake what was paused while nobody looked."""
        for job in self.jobs:
            if job.state == "paused":
                job.play()
        while self.waiting and sum(not job.ended for job in self.jobs) < self.at_once:
            planned = self.waiting.pop(0)
            try:
                job = TrainingJob(planned.make(), session.engine()[0])
            except (SpecError, ExpressionError, MemoryBudgetError) as error:
                self.error = str(error)
                self.waiting.clear()
                return
            job.claim(holder)
            job.play()
            self.begun.append((planned.title, job))

    def stop(self) -> None:
        """End what runs and drop what waits; what was reached stays to be seen."""
        self.waiting.clear()
        for job in self.jobs:
            job.stop()


def _bench() -> Bench[Queue]:
    return bench.bench_of("generalization")


def queue(name: str) -> Queue | None:
    """What was last started under this name."""
    return _bench()[name]


def start(name: str, key: Hashable, planned: Sequence[Planned], at_once: int = 1) -> None:
    """Begin an experiment, in the place of the one before, which is given up."""
    begun = Queue(key, list(planned), at_once)
    _bench().put(name, begun)
    begun.go_on(_bench())


def live(name: str, panel: Callable[[], None]) -> None:
    """Draw a panel, and again by itself for as long as its queue moves."""
    held = queue(name)
    moving = held is not None and held.moving

    def draw() -> None:
        held = queue(name)
        if held is not None:
            held.go_on(_bench())
        if (held is not None and held.moving) != moving:
            st.rerun()  # the whole page: whether the panel runs itself again is decided there
        panel()

    ticking(draw, TICK_SECONDS, moving=moving)()


def runs_panel(name: str, label: str, key: Hashable, planned: Sequence[Planned], at_once: int = 1) -> list[Shown]:
    """The buttons of a queue and where its runs stand; what has been begun. To be called from a panel that `live` draws."""
    held = queue(name)
    moving = held is not None and held.moving
    with st.container(horizontal=True):
        st.button(
            label, key=f"{name}_start", type="primary", icon=":material/play_arrow:", on_click=start, args=(name, key, planned, at_once)
        )
        stop = held.stop if held is not None else None
        st.button("Stop", key=f"{name}_stop", icon=":material/stop:", on_click=stop, disabled=not moving)
    if held is None:
        return []
    if held.error:
        st.error(f"This cannot be trained here: {plain(held.error, 200)}", icon=":material/error:")
    if held.key != key:
        st.info("These runs are of the settings before; start again to see the new ones.", icon=":material/edit_note:")
    shown = [Shown(title, job.snapshot()) for title, job in held.begun]
    if moving and shown:
        done = sum(one.snapshot.fraction_done for one in shown) / (len(shown) + len(held.waiting))
        last = shown[-1].snapshot
        st.progress(min(done, 1.0), f"{shown[-1].title}: epoch {len(last.history.epochs)} of {last.spec.epochs}")
    for one in shown:
        _trouble(one)
    return shown


def _trouble(one: Shown) -> None:
    reason = one.snapshot.stop_reason
    if reason is not None and reason.kind not in ("completed", "stopped", "abandoned"):
        st.error(f"**{one.title}.** {reason} Try a smaller learning rate.", icon=":material/error:")
