"""The run of the playground and its buttons: play, step, reset, five seeds, another learning rate. They stand outside of what runs by
itself, since they change only with a click or at the end of a run.
"""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from mlp_core.jobs import MemoryBudgetError, TrainingJob
from mlp_core.training.replicates import DEFAULT_SEEDS
from pages.ui import session
from pages.ui.link import LinkState
from pages.ui.nonlinearity import seeds
from pages.ui.nonlinearity.panels import SEVERAL, choose
from pages.ui.nonlinearity.settings import PlaneSettings
from pages.ui.run.run_controls import lr_popover
from pages.ui.unbroken import unbroken

PLAYING = "_plane_playing"
JOB = "plane"  # under which name the session holds the run on the plane


def job_for(settings: PlaneSettings) -> TrainingJob:
    """The job on the plane, its network ready to be seen; where the settings have changed a new one, in the place of the one before.

    Raises:
        SpecError, ExpressionError, MemoryBudgetError: it cannot be trained here.
    """
    group = session.jobs().group(JOB)
    if group is not None and group.key == settings.key:
        return group.jobs[0]
    job = session.start_job(JOB, settings.key, settings.run)
    job.run.prepare()
    return job


def playing(job: TrainingJob) -> bool:
    """Whether it trains on from frame to frame."""
    return bool(st.session_state.get(PLAYING)) and not job.ended


def rest() -> None:
    """Train on no more."""
    st.session_state[PLAYING] = False


def buttons(link: LinkState, settings: PlaneSettings, job: TrainingJob) -> None:
    """One row of them, each enabled where it makes sense."""
    plays, ended = playing(job), job.ended
    resting = not plays and not ended
    with st.container(horizontal=True, vertical_alignment="center", key="plane_buttons"):
        label, icon = ("Pause", ":material/pause:") if plays else ("Play", ":material/play_arrow:")
        st.button(label, key="plane_play", icon=icon, type="primary", on_click=unbroken(_play), args=(job, not plays), disabled=ended)
        st.button("Step one batch", key="plane_batch", icon=":material/skip_next:", on_click=unbroken(job.step), disabled=not resting)
        st.button(
            "Step one epoch", key="plane_epoch", icon=":material/fast_forward:", on_click=unbroken(job.step_epoch), disabled=not resting
        )
        st.button("Reset", key="plane_reset", icon=":material/restart_alt:", on_click=unbroken(_reset))
        st.button(
            "Regenerate", key="plane_again", icon=":material/casino:", on_click=unbroken(_regenerate), args=(link,), help="New points."
        )
        st.button(
            f"× {DEFAULT_SEEDS} seeds", key="plane_seeds", icon=":material/stacked_line_chart:", on_click=unbroken(_train_seeds),
            args=(settings,),
            help=f"Train {DEFAULT_SEEDS} networks of this design at once, from {DEFAULT_SEEDS} seeds, so that one lucky run does not "
            "mislead.",
        )  # fmt: skip
        lr_popover(job.snapshot(), lambda: job)


def branch(job: TrainingJob, step: int, lr: float) -> None:
    """Train on from an earlier step with another learning rate, in the place of `job`."""
    group, run = session.jobs().group(JOB), job.run.branch(step, lr)
    with suppress(MemoryBudgetError):  # then the page tries the experiment from its start, and says why that cannot be
        if group is not None and group.jobs[0] is job:
            session.start_job(JOB, group.key, lambda: run).run.prepare()
    st.session_state[PLAYING] = True


def _play(job: TrainingJob, wanted: bool) -> None:
    st.session_state[PLAYING] = wanted
    if not wanted:
        job.pause()


def _train_seeds(settings: PlaneSettings) -> None:
    seeds.start(settings)
    choose(SEVERAL)
    st.toast(f"{DEFAULT_SEEDS} seeds train at once: their curves stand below the plane.", icon=":material/stacked_line_chart:")


def _reset() -> None:
    rest()
    session.jobs().give_up(JOB)


def _regenerate(link: LinkState) -> None:
    link["data_seed"] = int(link["data_seed"]) + 1
