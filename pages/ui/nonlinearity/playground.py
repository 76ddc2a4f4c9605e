"""The section "XOR and friends": a small network on points of the plane, seen from inside while it learns."""

from __future__ import annotations

import streamlit as st

from mlp_core.expression import ExpressionError
from mlp_core.jobs import MemoryBudgetError, TrainingJob
from mlp_core.spec import SpecError
from pages.ui.link import LinkState
from pages.ui.nonlinearity import pictures, seeds, steering
from pages.ui.nonlinearity.panels import record
from pages.ui.nonlinearity.presets import preset_row
from pages.ui.nonlinearity.settings import PlaneSettings, settings_panel
from pages.ui.run.rewind import RunAtStep, rewind_panel
from pages.ui.text import plain
from pages.ui.ticking import ticking

TICK_SECONDS = 0.2
SLOWER = 3  # ticks to one of what stands below the plane, so that the plane has the time to move


def section(link: LinkState) -> None:
    """Choose points and a network, press Play, look inside."""
    st.markdown(
        "No single line separates **XOR**. One hidden layer bends the plane until a line will do: every small picture below is what one "
        "unit computes. Data, network and learning are set in the sidebar."
    )
    preset_row(link)
    settings = settings_panel(link)
    job = _job(settings) if settings.trainable else None
    if job is None:
        st.info(_why_not(settings), icon=":material/info:")
        st.fragment(pictures.bare_plane)(link, settings)
        return
    steering.buttons(link, settings, job)
    several = seeds.moving()
    if _active(job):
        ticking(_moving, TICK_SECONDS, moving=True)(link, settings, job)
        ticking(_record, SLOWER * TICK_SECONDS, moving=True)(link, settings, job, several)
    else:
        ticking(_at_rest, SLOWER * TICK_SECONDS, moving=several)(link, settings, job, several)


def _job(settings: PlaneSettings) -> TrainingJob | None:
    try:
        return steering.job_for(settings)
    except (SpecError, ExpressionError, MemoryBudgetError) as error:
        st.error(f"This cannot be trained here: {plain(error, 200)}", icon=":material/error:")
        return None


def _active(job: TrainingJob) -> bool:
    """Whether there will be something new to see."""
    return job.moving or steering.playing(job)


def _moving(link: LinkState, settings: PlaneSettings, job: TrainingJob) -> None:
    """A frame: the network and the plane, and nothing that stands still."""
    if job.ended:
        steering.rest()
    elif steering.playing(job) and not job.moving:
        _go_on(link, job)
    if not _active(job):
        st.rerun()  # the whole page: whether the pictures draw themselves again is decided there
    network = job.run.network
    with st.container():
        if network is not None:
            pictures.network_row(link, settings, job, network, moving=True)
    st.container()  # where one looks back, at rest


def _at_rest(link: LinkState, settings: PlaneSettings, job: TrainingJob, several: bool) -> None:
    """All of it, at the step that is looked back to."""
    if _active(job):
        st.rerun()
    picture = st.container()
    with st.container():
        moment = rewind_panel(job, job.snapshot(), steering.branch, "It takes the place of this one.")
    with picture:
        if moment.network is not None:
            pictures.network_row(link, settings, job, moment.network, past=moment.cursor is not None)
    _record(link, settings, job, several, moment)


def _record(link: LinkState, settings: PlaneSettings, job: TrainingJob, several: bool, moment: RunAtStep | None = None) -> None:
    """What stands below the plane.

    Args:
        several: whether five seeds moved when the page was drawn.
    """
    if seeds.moving() != several:
        st.rerun()
    record(link, settings, job, moment)


def _why_not(settings: PlaneSettings) -> str:
    if not settings.features:
        return "Choose an input in the sidebar: with none there is nothing to learn from."
    return "Click the plane to draw points of at least two classes, or load a file; then press Play."


def _go_on(link: LinkState, job: TrainingJob) -> None:
    """Train on by as much as one frame shows."""
    pace = link["pace"]
    if pace == "full":
        job.play()
    else:
        job.step({"batch": 1, "epoch": 1, "epochs": 5}[pace] * (1 if pace == "batch" else job.run.steps_per_epoch))
