"""The section "So what?": the designs of the page trained side by side for a few seconds, each with its verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import JobSnapshot
from mlp_core.reports.diagnosis.diagnosis import diagnose
from mlp_core.spec import BOUNDS, Bounds, RunSpec
from mlp_core.training import Run
from mlp_core.words import joined, percent, significant
from pages.figures.series import CurveSeries
from pages.figures.training import CurveOptions, accuracy_curve, loss_curve
from pages.language import _
from pages.ui import session
from pages.ui.data_source import load_data
from pages.ui.link import LinkState, number
from pages.ui.live_chart import live_chart
from pages.ui.measures import Measure, Values
from pages.ui.run.inside import inside_panel
from pages.ui.run.job_groups import ShownRun, follow_group, group_controls
from pages.ui.run.measures import OF_CLASSES, OF_LAYERS, Runs
from pages.ui.sections import beside
from pages.ui.session import Planned
from pages.ui.stability.designs import designs_of, designs_panel, designs_row
from pages.ui.widget_values import WidgetValues

GROUP = "designs"
TRAINED_WIDTH = 64
CHART_HEIGHT = 300
FIELDS = (
    number("layers", 5, Bounds(1, 20, whole=True)),
    number("epochs", 2, Bounds(1, 10, whole=True)),
    number("lr", 0.1, BOUNDS["lr"]),
)
MEASURES = OF_CLASSES | OF_LAYERS


def section(link: LinkState) -> None:
    """Train what "Depth" has measured; the gradient of the first layer decides who learns."""
    load_data()
    designs_row(link)
    controls, results = beside("training", 1.9)
    with controls:
        designs_panel(link)
        st.slider(_("Hidden layers of {units} units", units=TRAINED_WIDTH), **link.value("layers"))
        st.slider(_("Epochs"), **link.value("epochs"))
        st.number_input(_("Learning rate"), **link.value("lr"))
    runs = subject(link)
    with results:
        st.markdown(_("Without a gradient in its first layer a network stays at **10 %** of the images, which is guessing."))
        follow_group(GROUP, lambda: _runs(runs))


def subject(values: Values) -> Runs:
    """One run a design."""
    titled = []
    for design in designs_of(values):
        spec = design.spec(values["layers"], TRAINED_WIDTH, values["seed"])
        titled.append((design.label, replace(spec, epochs=values["epochs"], lr=values["lr"])))
    return on_images(GROUP, titled, MEASURES)


def _runs(runs: Runs) -> None:
    shown = side_by_side(runs, _("Train side by side"))
    if not shown:
        return
    curves(st.columns(2, gap="medium"), shown)
    for place, (title, snapshot, _job) in zip(outcome_places(len(shown)), shown, strict=True):
        with place:
            outcome(title, snapshot)
    looked_into = WidgetValues(f"{GROUP}_inside_{len(shown)}", {f"inside_{len(shown)}": None}, f"{GROUP}_", lasting=False)
    index = st.selectbox(
        _("Look inside"), format_func=lambda index: _(shown[index].title), width=420,
        placeholder=_("Choose a design to see its layers while it trains"), **looked_into.index(f"inside_{len(shown)}", range(len(shown))),
    )  # fmt: skip
    looked_into.keep()
    if index is not None:  # what nobody looks at is not measured
        _title, snapshot, job = shown[index]
        inside_panel(snapshot, job.run.network, job.look_inside)


def on_images(name: str, titled: Sequence[tuple[str, RunSpec]], measures: Mapping[str, Measure]) -> Runs:
    """Runs on Fashion-MNIST, all trained at once."""
    planned = [Planned(title, partial(_run, spec)) for title, spec in titled]
    key = tuple(spec for _title, spec in titled)
    return Runs(name, key, planned, measures, max((spec.epochs for spec in key), default=1), at_once=len(planned))


def side_by_side(runs: Runs, label: str) -> list[ShownRun]:
    """The controls of a group of runs; what they have come to. Stop takes them off the page."""
    return group_controls(
        runs.name, label, runs.key, runs.planned, at_once=runs.at_once, stop=lambda: session.jobs().give_up(runs.name)
    )  # fmt: skip


def _run(spec: RunSpec) -> Run:
    return Run(spec, load_fashion_mnist())


def curves(places: Sequence[DeltaGenerator], shown: list[ShownRun], *, log: bool = False) -> None:
    """Loss and accuracy of all runs in two places, one color a run."""
    series = [CurveSeries(snapshot.history, snapshot.steps_per_epoch, _(title)) for title, snapshot, _job in shown]
    epochs = max(one.snapshot.spec.epochs for one in shown)
    loss, accuracy = places
    with loss:
        st.markdown(f"###### {_('Loss')}")
        figure = loss_curve(series, epochs, options=CurveOptions(log_y=log))
        live_chart(figure, key="designs_loss", height=CHART_HEIGHT, alt=_("Loss of all runs against epochs"))
    with accuracy:
        st.markdown(f"###### {_('Accuracy')}")
        alt = _("Accuracy of all runs against epochs")
        live_chart(accuracy_curve(series, epochs), key="designs_accuracy", height=CHART_HEIGHT, alt=alt)


def outcome_places(count: int) -> list[DeltaGenerator]:
    """Boxes for what runs have come to: side by side, as far as their words have room (see static/page.css)."""
    with st.container(key="outcomes"):
        return [column.container(border=True, height="stretch") for column in st.columns(count)]


def outcome(title: str, snapshot: JobSnapshot) -> None:
    """Where one run stands, and its verdict."""
    last = snapshot.history.epochs[-1] if snapshot.history.epochs else None
    st.progress(snapshot.fraction_done, _(title))
    st.metric(_("Test accuracy"), _(percent(last.test_accuracy)) if last else "–")
    if snapshot.history.probes:
        norm = snapshot.history.probes[0].layers[0].gradient_norm
        st.caption(_("|∂L/∂W| of layer 1 before training: {norm}", norm=significant(norm, 2)))
    verdict = diagnose(snapshot.spec, snapshot.history, snapshot.stop_reason, snapshot.inspections)
    if verdict.kind == "waiting":
        return
    text = _("**{sentence}** {text}", sentence=verdict.sentence, text=joined(verdict.evidence, verdict.advice)).rstrip()
    if verdict.is_fault:
        st.warning(text, icon=":material/warning:")
    elif verdict.kind == "short":
        st.info(text, icon=":material/hourglass_empty:")
    else:
        st.success(text, icon=":material/check_circle:")
