"""What stands below the plane of the playground: how far the run is, and one panel of several; only the chosen one is drawn."""

from __future__ import annotations

import streamlit as st

from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.reports.export import epochs_csv
from pages.ui import session
from pages.ui.downloads import download, page_address
from pages.ui.link import LinkState
from pages.ui.nonlinearity import pictures, seeds
from pages.ui.nonlinearity.own import points_left_out
from pages.ui.nonlinearity.seeds import seeds_panel
from pages.ui.nonlinearity.settings import OWN, PlaneSettings
from pages.ui.run.export import changes_in_words, download_figure, download_numbers
from pages.ui.run.inside import inside_panel
from pages.ui.run.rewind import RunAtStep
from pages.ui.text import count, percent
from pages.ui.widget_values import WidgetValues

CURVES, INSIDE, SEVERAL, EXPORT = "Curves", "Look inside", "Five seeds", "Take it home"
LARGE_LOSS = 1e4  # is written with a power of ten


def choose(panel: str) -> None:
    """Open a panel; to be called from a callback."""
    _panels()["plane_panel"] = panel


def record(link: LinkState, settings: PlaneSettings, job: TrainingJob, moment: RunAtStep | None = None) -> None:
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


def tiles(snapshot: JobSnapshot, settings: PlaneSettings) -> None:
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


def export_panel(link: LinkState, settings: PlaneSettings, job: TrainingJob) -> None:
    """All that can be exported of the run on screen, as it stands now."""
    snapshot, network = job.snapshot(), job.run.network
    begun = bool(snapshot.history.epochs)
    of = f"{' → '.join(map(str, job.run.sizes))} on points of the plane"
    numbers, figures = st.columns(2, gap="medium")
    with numbers:
        st.markdown("###### Numbers")
        with st.container(horizontal=True):
            download_numbers(job, snapshot)
            _seeds()
    with figures:
        st.markdown("###### Figures")
        with st.container(horizontal=True):
            if network is not None:
                download_figure("Plane", lambda: pictures.plane_figure(link, settings, network), of)
            download_figure("Loss", lambda: pictures.loss_figure(settings, snapshot), of, enabled=begun)
            if settings.points.classes:
                download_figure("Accuracy", lambda: pictures.accuracy_figure(snapshot), of, enabled=begun)
    _link(link, snapshot)


def _seeds() -> None:
    """One file of all five, where there are five."""
    if (job := session.jobs().job(seeds.JOB)) is not None:
        five = job.snapshot()
        label, enabled = "Epochs of 5 seeds (CSV)", bool(five.history.epochs)
        download(label, "seeds.csv", lambda: epochs_csv(five.history, five.members, five.spec.seed), enabled=enabled)


def _link(link: LinkState, snapshot: JobSnapshot) -> None:
    st.markdown("###### The whole experiment")
    st.code(page_address(st.query_params.to_dict()), language=None, wrap_lines=True)
    text = "The link sets every control to this experiment; the same seeds give the same numbers."
    if link["data"] == OWN and points_left_out():
        text += " Its points come from a file and are too many for a link."
    if snapshot.history.lr_changes:
        text += f" That the learning rate was changed in mid-run ({changes_in_words(snapshot.history.lr_changes)}) it cannot carry."
    st.caption(text)
