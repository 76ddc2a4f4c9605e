"""What stands below the plane of the playground: how far the run is, and one panel of several. Only the chosen one is drawn."""

from __future__ import annotations

import streamlit as st

from mlp_core.jobs import JobSnapshot, TrainingJob
from pages.ui.link import LinkState
from pages.ui.nonlinearity import pictures
from pages.ui.nonlinearity.export import export_panel
from pages.ui.nonlinearity.seeds import seeds_panel
from pages.ui.nonlinearity.settings import Settings
from pages.ui.run.inside import inside_panel
from pages.ui.run.rewind import RunAtStep
from pages.ui.text import count, percent
from pages.ui.widget_values import WidgetValues

CURVES, INSIDE, SEVERAL, EXPORT = "Curves", "Look inside", "Five seeds", "Take it home"
LARGE_LOSS = 1e4  # is written with a power of ten


def choose(panel: str) -> None:
    """Open a panel; to be called from a callback."""
    _panels()["plane_panel"] = panel


def record(link: LinkState, settings: Settings, job: TrainingJob, moment: RunAtStep | None = None) -> None:
    """What has happened so far.

    Args:
        moment: the step that is looked back to; None for the newest.
    """
    now = job.snapshot()
    moment = moment or RunAtStep(now, job.run.network)
    tiles(moment.snapshot, settings)
    if now.stop_reason is not None and now.stop_reason.kind != "completed":
        st.error(f"{now.stop_reason} Reset, and try a smaller learning rate.", icon=":material/error:")
    panels = _panels()
    panel = st.segmented_control(
        "Below the plane", required=True, label_visibility="collapsed", **panels.default("plane_panel", [CURVES, INSIDE, SEVERAL, EXPORT])
    )
    panels.keep()
    if panel == INSIDE:
        inside_panel(moment.snapshot, moment.network, job.look_inside)
    elif panel == SEVERAL:
        seeds_panel(settings)
    elif panel == EXPORT:
        export_panel(link, settings, job)
    else:
        pictures.curves_row(link, settings, now, moment)


def _panels() -> WidgetValues:
    return WidgetValues("playground", {"plane_panel": CURVES})


def tiles(snapshot: JobSnapshot, settings: Settings) -> None:
    """Epoch, loss and accuracy at the end of the last one."""
    epochs = snapshot.history.epochs
    last = epochs[-1] if epochs else None
    with st.container(horizontal=True):
        st.metric("Epoch", f"{count(len(epochs))} of {count(snapshot.spec.epochs)}", border=True)
        st.metric("Training loss", _loss(last.train_loss) if last else "–", border=True, help="Mean over the last epoch's batches.")
        st.metric("Test loss", _loss(last.test_loss) if last else "–", border=True)
        if settings.points.classes:
            st.metric("Training accuracy", percent(last.train_accuracy) if last else "–", border=True)
            st.metric("Test accuracy", percent(last.test_accuracy) if last else "–", border=True)


def _loss(value: float) -> str:
    return f"{value:.4f}" if value < LARGE_LOSS else f"{value:.1e}"
