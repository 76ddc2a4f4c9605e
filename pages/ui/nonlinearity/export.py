"""Export a run of the playground: curves, figures and weights as files, its settings as a link."""

from __future__ import annotations

import streamlit as st

from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.reports.export import epochs_csv
from pages.ui import session
from pages.ui.downloads import download, page_address
from pages.ui.link import LinkState
from pages.ui.nonlinearity import pictures, seeds
from pages.ui.nonlinearity.own import points_left_out
from pages.ui.nonlinearity.settings import OWN, Settings
from pages.ui.run.export import download_figure, download_numbers
from pages.ui.run.load_experiment import changes_in_words


def export_panel(link: LinkState, settings: Settings, job: TrainingJob) -> None:
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
