"""Export a run of the playground: curves, figures and weights as files, its settings as a link."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

import streamlit as st

from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.reports.export.files import epochs_csv, steps_csv, weights_of
from pages.figures.figure import Figure
from pages.figures.standalone import figure_html
from pages.ui import session
from pages.ui.link import LinkState
from pages.ui.nonlinearity import pictures, seeds
from pages.ui.nonlinearity.own import points_left_out
from pages.ui.nonlinearity.settings import OWN, Settings
from pages.ui.train.load_experiment import changes_in_words


def export_panel(link: LinkState, settings: Settings, job: TrainingJob) -> None:
    """All that can be exported of the run on screen, as it stands now."""
    snapshot, network = job.snapshot(), job.run.network
    name = f"{' → '.join(map(str, job.run.sizes))} on points of the plane"
    numbers, figures = st.columns(2, gap="medium")
    with numbers:
        st.markdown("###### Numbers")
        with st.container(horizontal=True):
            _download("Steps (CSV)", "steps.csv", lambda: steps_csv(snapshot.history), "text/csv", snapshot.step > 0)
            _download("Epochs (CSV)", "epochs.csv", lambda: epochs_csv(snapshot.history), "text/csv", bool(snapshot.history.epochs))
            weights = "application/octet-stream"
            _download("Weights (safetensors)", "weights.safetensors", lambda: weights_of(job), weights, network is not None)
            _seeds()
    with figures:
        st.markdown("###### Figures")
        with st.container(horizontal=True):
            if network is not None:
                _page("Plane", lambda: pictures.plane_figure(link, settings, network), name)
            _page("Loss", lambda: pictures.loss_figure(settings, snapshot), name, bool(snapshot.history.epochs))
            if settings.points.classes:
                _page("Accuracy", lambda: pictures.accuracy_figure(snapshot), name, bool(snapshot.history.epochs))
    _link(link, snapshot)


def _seeds() -> None:
    """One file of all five, where there are five."""
    if (job := session.jobs().job(seeds.JOB)) is not None:
        five = job.snapshot()
        text = lambda: epochs_csv(five.history, five.members, five.spec.seed)  # noqa: E731
        _download("Epochs of 5 seeds (CSV)", "seeds.csv", text, "text/csv", bool(five.history.epochs))


def _link(link: LinkState, snapshot: JobSnapshot) -> None:
    st.markdown("###### The whole experiment")
    here = urlsplit(str(st.context.url or ""))
    st.code(here._replace(query=urlencode(st.query_params.to_dict()), fragment="").geturl() or "?", language=None, wrap_lines=True)
    text = "The link sets every control to this experiment; the same seeds give the same numbers."
    if link["data"] == OWN and points_left_out():
        text += " Its points come from a file and are too many for a link."
    if snapshot.history.lr_changes:
        text += f" That the learning rate was changed in mid-run ({changes_in_words(snapshot.history.lr_changes)}) it cannot carry."
    st.caption(text)


def _page(label: str, figure: Callable[[], Figure], name: str, enabled: bool = True) -> None:
    _download(
        f"{label} (HTML)", f"{label.lower()}.html", lambda: figure_html(figure(), f"{label} of {name}"), "text/html", enabled,
        help="A page of its own with the figure to zoom into. It works offline: 5 MB.",
    )  # fmt: skip


def _download(label: str, name: str, content: Callable[[], str | bytes], mime: str, enabled: bool, help: str | None = None) -> None:
    st.download_button(
        label,
        content,
        name,
        mime,
        key=f"plane_download_{name}",
        on_click="ignore",
        icon=":material/download:",
        disabled=not enabled,
        help=help,
    )
