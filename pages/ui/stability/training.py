"""The act "So what?": the designs of the page trained side by side for a few seconds, each with its verdict."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mlp_core.expression import ExpressionError
from mlp_core.jobs.job import JobSnapshot, MemoryBudgetError
from mlp_core.reports.diagnosis.diagnosis import Verdict, diagnose
from mlp_core.spec import BOUNDS, Bounds, RunSpec, SpecError
from pages.figures.training import CurveSeries, accuracy_curve, loss_curve
from pages.ui.link import LinkState, number
from pages.ui.live_chart import live_chart
from pages.ui.run.inside import inside_panel
from pages.ui.stability import runs
from pages.ui.stability.designs import Design, designs_panel
from pages.ui.text import percent, plain
from pages.ui.ticking import ticking
from pages.ui.train.data_source import load_data

GROUP = "fates"
MOST_LAYERS, MOST_EPOCHS = 20, 10
TRAINED_WIDTH = 64
TICK_SECONDS = 0.7
CHART_HEIGHT = 340
FIELDS = (
    number("layers", 5, Bounds(1, MOST_LAYERS, whole=True)),
    number("epochs", 2, Bounds(1, MOST_EPOCHS, whole=True)),
    number("lr", 0.1, BOUNDS["lr"]),
)


def act(link: LinkState) -> None:
    """Train what "Depth" has measured; the gradient of the first layer decides who learns."""
    st.markdown(
        "Does a small gradient matter? The same designs, trained side by side on Fashion-MNIST: without a gradient in the first layer a "
        "network stays at **10 %**, which is guessing."
    )
    load_data()
    designs = designs_panel(link)
    layers, epochs, lr = st.columns(3, gap="medium")
    layers.slider(f"Hidden layers of {TRAINED_WIDTH} units", 1, MOST_LAYERS, key=link.key("layers"))
    epochs.slider("Epochs", 1, MOST_EPOCHS, key=link.key("epochs"))
    lr.number_input("Learning rate", BOUNDS["lr"].low, BOUNDS["lr"].high, format="%.4g", key=link.key("lr"))
    titled = [(design.label, _spec(link, design)) for design in designs]
    moving = runs.moving(GROUP)
    ticking(_runs, TICK_SECONDS, moving=moving)(titled, moving)


def _spec(link: LinkState, design: Design) -> RunSpec:
    return replace(design.spec(int(link["layers"]), TRAINED_WIDTH, int(link["seed"])), epochs=int(link["epochs"]), lr=float(link["lr"]))


def _runs(titled: list[tuple[str, RunSpec]], moving: bool) -> None:
    shown = side_by_side(GROUP, "Train side by side", titled, moving)
    if not shown:
        return
    curves(shown)
    for column, (title, snapshot) in zip(st.columns(len(shown)), shown, strict=True):
        with column.container(border=True, height="stretch"):
            fate(title, snapshot)
    _inside(shown)


def _inside(shown: list[tuple[str, JobSnapshot]]) -> None:
    """Every layer of one run, once somebody has chosen it: what nobody looks at is not measured."""
    index = st.selectbox(
        "Look inside", range(len(shown)), index=None, format_func=lambda index: shown[index][0], key=f"{GROUP}_inside_{len(shown)}",
        placeholder="Choose a design to see its layers while it trains", width=420,
    )  # fmt: skip
    if index is not None:
        job = runs.jobs(GROUP)[index].job
        inside_panel(shown[index][1], job.run.network, job.look_inside)


def side_by_side(group: str, label: str, titled: list[tuple[str, RunSpec]], moving: bool) -> list[tuple[str, JobSnapshot]]:
    """Draw the buttons of a group of runs; what it has come to, with the titles the runs were started under."""
    if runs.moving(group) != moving:
        st.rerun()  # the whole page: whether the fragment runs itself again is decided there
    start_stop(group, label, titled)
    shown = [(title, job.snapshot()) for title, job in runs.jobs(group)]
    if shown and [snapshot.spec for _, snapshot in shown] != [spec for _, spec in titled]:
        st.info("These runs are of the settings before; train again to see the new ones.", icon=":material/edit_note:")
    return shown


def start_stop(group: str, label: str, titled: list[tuple[str, RunSpec]]) -> None:
    """The buttons that start and end a group of runs, and why it could not start."""
    with st.container(horizontal=True):
        st.button(label, key=f"{group}_start", type="primary", icon=":material/play_arrow:", on_click=_start, args=(group, titled))
        st.button(
            "Stop", key=f"{group}_stop", icon=":material/stop:", on_click=runs.clear, args=(group,), disabled=not runs.moving(group)
        )  # fmt: skip
    if (error := st.session_state.get(f"_{group}_error")) is not None:
        st.error(f"These runs cannot be trained here: {plain(error, 200)}", icon=":material/error:")


def _start(group: str, titled: list[tuple[str, RunSpec]]) -> None:
    st.session_state.pop(f"_{group}_error", None)
    try:
        runs.start(group, titled)
    except (SpecError, ExpressionError, MemoryBudgetError) as error:
        st.session_state[f"_{group}_error"] = error


def curves(shown: list[tuple[str, JobSnapshot]], *, log: bool = False) -> None:
    """Loss and accuracy of all runs, one color a run."""
    series = [CurveSeries.of(snapshot.history, snapshot.steps_per_epoch, title) for title, snapshot in shown]
    epochs = max(snapshot.spec.epochs for _, snapshot in shown)
    loss, accuracy = st.columns(2, gap="medium")
    with loss:
        st.markdown("##### Loss")
        live_chart(loss_curve(series, epochs, log=log), key="fates_loss", height=CHART_HEIGHT, alt="Loss of all runs against epochs")
    with accuracy:
        st.markdown("##### Accuracy")
        live_chart(accuracy_curve(series, epochs), key="fates_accuracy", height=CHART_HEIGHT, alt="Accuracy of all runs against epochs")


def fate(title: str, snapshot: JobSnapshot) -> None:
    """Where one run stands, and its verdict."""
    last = snapshot.history.epochs[-1] if snapshot.history.epochs else None
    st.progress(snapshot.fraction_done, title)
    st.metric("Test accuracy", percent(last.test_accuracy) if last else "–")
    if snapshot.history.probes:
        norm = snapshot.history.probes[0].layers[0].gradient_norm
        st.caption(f"|∂L/∂W| of layer 1 before training: {norm:.2g}")
    verdict = diagnose(snapshot.spec, snapshot.history, snapshot.stop_reason, snapshot.inspections)
    if verdict.kind != "waiting":
        _box(verdict)


def _box(verdict: Verdict) -> None:
    text = " ".join(part for part in (f"**{verdict.sentence}**", verdict.evidence, verdict.advice) if part)
    if verdict.is_fault:
        st.warning(text, icon=":material/warning:")
    else:
        st.success(text, icon=":material/check_circle:")
