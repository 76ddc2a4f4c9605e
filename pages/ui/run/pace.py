"""How fast a run is played where it is watched: a choice among the run's buttons, that the page's link carries."""

import streamlit as st

from mlp_core.jobs import TrainingJob
from mlp_core.words import Message
from pages.language import _, said
from pages.ui.link import LinkState, choice
from pages.ui.run.panels import PANEL
from pages.ui.widget_values import WidgetValues

PACES = {"step": Message("Steps"), "slow": Message("Slow"), "medium": Message("Medium"), "full": Message("Full speed")}
STEP_BY_STEP = 2.0  # steps a second
RUN_SECONDS = {"slow": 60.0, "medium": 15.0}  # what a whole run takes, its tests aside
FIELD = choice("pace", "slow", tuple(PACES))
PAGE, PREFIX = "run", "run_"


def run_link() -> LinkState:
    """What the training page's link says beside its experiment: the pace, which stays for the session's later runs, and the open panel."""
    return LinkState(PAGE, (FIELD, PANEL), prefix=PREFIX)


def pace_control(link: LinkState, job: TrainingJob | None) -> None:
    """Choose the pace, in the row that is open; the run that is shown keeps it from here on."""
    st.segmented_control(_("Pace"), format_func=said(PACES), required=True, label_visibility="collapsed", **link.default(FIELD.name))
    if job is not None:
        keep_pace(job, link[FIELD.name])


def begin_at_pace(job: TrainingJob) -> None:
    """Have a new run of the training page keep the chosen pace from its first step."""
    keep_pace(job, WidgetValues(PAGE, {FIELD.name: FIELD.default}, PREFIX)[FIELD.name])


def keep_pace(job: TrainingJob, pace: str) -> None:
    """Have a run keep one of `PACES`."""
    seconds = RUN_SECONDS.get(pace)
    job.set_pace(job.run.total_steps / seconds if seconds is not None else STEP_BY_STEP if pace == "step" else None)
