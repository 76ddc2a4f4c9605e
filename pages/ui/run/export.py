"""Export a run: as a program that repeats it, as numbers, figures and weights, and whole; and bring an experiment's file back."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.reports.export import (
    AMPLIFIED,
    STYLES,
    Experiment,
    Origin,
    epochs_csv,
    file_name,
    notebook_of,
    script_of,
    steps_csv,
    weights_of,
)
from mlp_core.runtime.devices import ONEDNN, find_device
from mlp_core.words import Message, joined
from pages.figures.figure import Figure
from pages.figures.series import CurveSeries
from pages.figures.standalone import figure_html
from pages.figures.training import accuracy_curve, loss_curve
from pages.language import _, said, written
from pages.ui import session
from pages.ui.class_link import class_link
from pages.ui.downloads import download, page_address
from pages.ui.link import link_to
from pages.ui.memo import memo
from pages.ui.run import kept_runs
from pages.ui.run.experiment_files import Load, changes_in_words, experiment_files
from pages.ui.run.pace import FIELD
from pages.ui.run.panels import PANELS
from pages.ui.sweep.controls import query_with_design
from pages.ui.train.controls import LOCKABLE, PAGE
from pages.ui.train.sidebar import IMPLEMENTATION_LABELS


def export_panel(job: TrainingJob, snapshot: JobSnapshot, load: Load | None) -> None:
    """All ways to export a run, and one to bring an experiment back.

    Args:
        snapshot: the job as it stands now.
        load: sets the page's controls to a file's experiment (`experiment_files`); None where no files are taken.
    """
    with st.container(key="export"):
        _program(snapshot)
        numbers, figures = st.columns(2)
        with numbers:
            st.markdown(f"##### {_('Numbers')}")
            with st.container(horizontal=True):
                download_numbers(job, snapshot)
        with figures:
            _figures(snapshot)
        _whole(snapshot)
        if load is not None:
            experiment_files(load)


def _program(snapshot: JobSnapshot) -> None:
    st.markdown(f"##### {_('Run it yourself')}")
    st.caption(
        _(
            "A program of its own for exactly this run. It needs PyTorch and nothing of this playground, draws the same random numbers, "
            "and on the same computer prints the losses that you see here."
        )
    )
    spec, changes = snapshot.spec, snapshot.changes
    device = find_device(spec.device).type
    origin = Origin(  # all runs of this process go through the same matrix product and the same images
        device=device,
        onednn=device == "cpu" and session.engine()[1].name == ONEDNN,
        sample=load_fashion_mnist().is_sample,
        seeds=max(1, len(snapshot.members)),
        link=page_address(Experiment(spec, changes).to_query(), PAGE),
    )
    style = st.segmented_control(
        _("Style"), STYLES, default=spec.implementation, required=True, format_func=said(IMPLEMENTATION_LABELS), key="export_style"
    )
    style = style or spec.implementation
    with st.container(horizontal=True):
        script, notebook = (partial(of, spec, style, changes, origin=origin, say=written) for of in (script_of, notebook_of))
        download(_("Script (.py)"), file_name(style), script, "text/x-python")
        download(_("Notebook (.ipynb)"), file_name(style, "ipynb"), notebook, "application/x-ipynb+json")
    if style != spec.implementation:
        st.caption(_(joined(Message("This run was trained in another style, which rounds differently."), AMPLIFIED)))
    elif origin.seeds > 1:
        alone = Message("Alone a network is rounded differently than beside others, so this repeats only approximately.")
        st.caption(_(joined(alone, AMPLIFIED)))
    with st.expander(_("Read the script")):
        st.code(memo("script", (spec, style, changes, origin), script), height=420)


def download_numbers(job: TrainingJob, snapshot: JobSnapshot) -> None:
    """The buttons of a run's curves and weights, in the row that is open."""
    history, members, seed = snapshot.history, snapshot.members, snapshot.spec.seed
    pieces = max((one.pieces.end for one in (history, *members)), default=0)
    note = None
    if pieces:
        note = _("Steps up to {step} are kept in pieces: a line has the mean, the lowest and the highest of several.", step=f"{pieces:,}")
    download(_("Steps (CSV)"), written("steps.csv"), lambda: steps_csv(history, members, seed), enabled=snapshot.step > 0, help=note)
    download(_("Epochs (CSV)"), written("epochs.csv"), lambda: epochs_csv(history, members, seed), enabled=bool(history.epochs))
    has_weights = job.run.network is not None
    fits = _("Named for load_state_dict of the same nn.Sequential, as in the concise program.")
    if members:
        fits = _(
            "Of all {n} seeds, each name with its seed before it ({example}). The program loads those of its own.",
            n=len(members),
            example=f"seed{seed}.0.weight",
        )
    weights = partial(weights_of, job)
    download(_("Weights (safetensors)"), "weights.safetensors", weights, "application/octet-stream", enabled=has_weights, help=fits)


def _figures(snapshot: JobSnapshot) -> None:
    st.markdown(f"##### {_('Figures')}")
    epochs = snapshot.spec.epochs
    series = CurveSeries(snapshot.history, snapshot.steps_per_epoch, members=snapshot.members)
    of = Message("{network} on Fashion-MNIST", network=" → ".join(map(str, snapshot.spec.sizes)))
    with st.container(horizontal=True):
        for label, figure in ((Message("Loss"), loss_curve), (Message("Accuracy"), accuracy_curve)):
            download_figure(label, partial(figure, series, epochs), of, enabled=snapshot.step > 0)


def download_figure(label: str, figure: Callable[[], Figure], of: str, *, enabled: bool = True) -> None:
    """The button of a figure, as a page that holds it and nothing else.

    Args:
        of: what the figure is of, for its title.
    """
    help = _("A page of its own with the figure to zoom into. It works offline: 5 MB.")
    title = written("{figure} of {network}", figure=label, network=of)
    name, html = f"{written(label).lower()}.html", lambda: figure_html(figure(), title)
    download(_("{figure} (HTML)", figure=label), name, html, "text/html", enabled=enabled, help=help)


def _whole(snapshot: JobSnapshot) -> None:
    st.markdown(f"##### {_('The whole experiment')}")
    kept = kept_runs.of_session().find(snapshot)
    experiment = Experiment(snapshot.spec, snapshot.changes, kept.name if kept is not None and kept.renamed else "")
    query, changes = experiment.to_query(), changes_in_words(experiment.changes)
    st.code(page_address(query, PAGE), language=None, wrap_lines=True)
    text = Message("The link sets every control to this experiment. The file has it all, and the results.")
    if "changes" in query:
        text = Message(
            "The link sets every control to this experiment, and has the same settings change at the same steps ({changes}). The file has "
            "it all, and the results.",
            changes=changes,
        )
    elif changes:
        text = Message(
            "The link sets every control to this experiment; what was changed in mid-run ({changes}) is too long for it. The file has it "
            "all, and the results.",
            changes=changes,
        )
    st.caption(_(text))
    pace = {name: value for name, value in st.query_params.items() if name == FIELD.name}
    with st.container(horizontal=True):
        download(_("Experiment (JSON)"), written("experiment.json"), lambda: experiment.to_json(snapshot), "application/json")
        link_to("sweep", _("Sweep over this design"), query_with_design(snapshot.spec), ":material/grid_view:")
        class_link(PAGE, LOCKABLE, query | pace, panels=PANELS, changes=changes if "changes" in query else "")
