"""The live panel: drive a run and watch it. It reads snapshots of a job and never waits for one.

The browser asks for what is new (static/live_run.js), which runs `_watch` alone; what stands below the curves is drawn again only when
there is something new in it (static/news.js).
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import streamlit as st

from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.reports.diagnosis.diagnosis import diagnose
from mlp_core.spec import RunSpec
from pages.figures.figure import Figure
from pages.figures.series import CurveSeries
from pages.figures.training import CurveOptions, accuracy_curve, loss_curve
from pages.ui import session
from pages.ui.link import LinkState
from pages.ui.live_chart import ensure_plotly_js, live_chart
from pages.ui.run import kept_runs
from pages.ui.run.curve_options import clips_spikes, curve_options, spike_words, turn_clipping
from pages.ui.run.export import export_panel
from pages.ui.run.inside import inside_panel
from pages.ui.run.kept_runs import kept_runs_panel
from pages.ui.run.network_state import network_state
from pages.ui.run.own_picture import own_picture_panel
from pages.ui.run.pace import pace_control
from pages.ui.run.predictions import predictions_panel
from pages.ui.run.readings import NO_BADGE, NO_WORDS, book_badge, progress, readings, reference, verdict_words
from pages.ui.run.run_controls import (
    RunAtStep,
    branch,
    lr_popover,
    new_design_button,
    rewind_panel,
    run_buttons,
    start_error,
    train_fixed,
    waiting_design,
)
from pages.ui.served_component import served_component, static_url
from pages.ui.streaming import Stream
from pages.ui.ticking import tick_seconds
from pages.ui.train.design import network_panel
from pages.ui.unbroken import button, unbroken

CROWD = 9  # playing runs from which on updates come less often: they are small
TICK_SECONDS = 0.4  # more than two updates a second, with the time that each takes
PREDICTIONS, INSIDE, OWN, RUNS, EXPORT = "Predictions", "Look inside", "Your own picture", "Runs side by side", "Take it home"
PANEL_SECONDS = 1.5  # between two drawings of the panel below, where nothing in the browser tells when it can be seen
NETWORK_SECONDS = 1.0  # between two states of the network that are sent
CHART_HEIGHT = 300  # where Streamlit draws the charts
SetControls = Callable[[RunSpec], None]


def live_panel(spec: RunSpec | None, set_controls: SetControls, pace: LinkState, lesson: str) -> None:
    """Controls of the run, the network, and the run itself: progress, readings, curves, verdict; below them what the network does.

    Args:
        spec: the experiment that the page's controls describe; None while they describe none.
        set_controls: sets them to another spec, or raises `SpecError`; called from a callback.
        pace: the choice of how fast it is played.
        lesson: what there is to see in it, said before it is trained.
    """
    job = session.current_job()
    now = job.snapshot() if job is not None else None
    if job is not None and now is not None and job.ended:
        kept_runs.keep(now)
    with st.container(horizontal=True, key="run_buttons"):
        run_buttons(spec, now)
        pace_control(pace, job)
    start_error()
    with st.container(horizontal=True, vertical_alignment="center", key="design"):
        if spec is not None:
            network_panel(spec, folded=now is not None)
        new_design_button(spec, now)
        if now is not None:
            lr_popover(now)
        options = curve_options()
    above = st.container(key="run")
    waiting_design(spec, now)
    moment = rewind_panel(job, now, branch) if job is not None and now is not None else None
    moving = job is not None and job.moving
    unasked = moving and ensure_plotly_js() is None  # no script in the browser asks for what is new
    with above:
        watch = partial(_watch, spec, set_controls, lesson, moment, options, _of_controls(now, options), moving)
        st.fragment(watch, run_every=tick_seconds(TICK_SECONDS, CROWD) if unasked else None)()
    with st.container(key="below"):
        st.fragment(_chosen_panel, run_every=tick_seconds(PANEL_SECONDS, CROWD) if unasked else None)(set_controls, moment)


def _of_controls(now: JobSnapshot | None, options: CurveOptions) -> tuple[object, ...]:
    """All of a run that its controls show, and whether they clip spikes."""
    return (options.clip, *((now.spec, now.state, now.lr) if now is not None else ()))


def _watch(
    spec: RunSpec | None,
    set_controls: SetControls,
    lesson: str,
    at: RunAtStep | None,
    options: CurveOptions,
    drawn: tuple[object, ...],
    moving: bool,
) -> None:
    """What the run on screen says and shows; sent as what is new since the browser asked last.

    Args:
        at: the moment that the page looks back to.
        drawn: what the controls showed of the run when they were drawn last.
        moving: whether it moved then.
    """
    job = session.current_job()
    now = job.snapshot() if job is not None else None
    changed = _of_controls(now, replace(options, clip=clips_spikes())) != drawn
    if changed or (job is not None and job.moving) != moving:
        st.rerun()  # the whole page: the controls lie outside this fragment
    cursor = at.cursor if at is not None else None
    shown = at.snapshot if at is not None and cursor is not None else now
    figures = _curves(spec, now, options, cursor)
    read = readings(shown)
    parts: dict[str, Any] = {
        "period": 1000 * tick_seconds(TICK_SECONDS, CROWD) if moving else 0,
        "progress": progress(now),
        "labels": [{"label": reading.label, "help": reading.help} for reading in read],
        "readings": [(reading.value, reading.beside) for reading in read],
        "verdict": NO_WORDS | {"text": lesson},
        "badge": NO_BADGE,
        "spike": spike_words(figures["loss"], options),
        "news": _news(now),
        "network": _network(job, moving),
    }
    fix: Callable[[], None] = _nothing
    if shown is not None and now is not None:
        verdict = diagnose(shown.spec, shown.history, shown.stop_reason, shown.inspections, now.checkpoint_steps)
        parts["verdict"] = verdict_words(verdict, now.note, f"Seed {shown.spec.seed}: " if shown.members else "")
        parts["badge"] = book_badge(shown)
        if verdict.fix is not None:
            fix = partial(train_fixed, set_controls, verdict.fix)
    _draw(figures, parts, fix, now.steps_per_epoch if now is not None else 1)


def _draw(figures: dict[str, Figure], parts: dict[str, Any], fix: Callable[[], None], steps_per_epoch: int) -> None:
    """Have the run drawn in the browser; where plotly's script cannot be served, by Streamlit's own elements.

    Args:
        fix: what is done when somebody asks for the fix.
    """
    if (script := ensure_plotly_js()) is None:
        return _draw_anew(figures, parts, fix)
    stream = st.session_state.setdefault("_stream", Stream())
    have = (st.session_state.get("live") or {}).get("have")
    about = {
        "script": script,
        "module": static_url("live_chart"),
        "charts": {name: {"alt": _alt(name)} for name in figures},
    }
    data = stream.message(have["version"] if have else None, figures, parts, about, steps_per_epoch)
    actions = {"on_have_change": unbroken(_nothing), "on_fix_change": unbroken(fix), "on_spike_change": unbroken(turn_clipping)}
    served_component("live_run", "This run")(key="live", data=data, **actions)
    return None


def _draw_anew(figures: dict[str, Figure], parts: dict[str, Any], fix: Callable[[], None]) -> None:
    """All of it, with every tick: heavier, and the charts blink."""
    st.progress(parts["progress"]["fraction"], parts["progress"]["text"])
    with st.container(horizontal=True):
        for label, (value, beside) in zip(parts["labels"], parts["readings"], strict=True):
            st.metric(label["label"], value, beside or None, help=label["help"], border=True, delta_color="off", delta_arrow="off")
    for column, (name, figure) in zip(st.columns(2), figures.items(), strict=True):
        with column:
            live_chart(figure, key=name, alt=_alt(name), height=CHART_HEIGHT)
    verdict, badge = parts["verdict"], parts["badge"]
    st.markdown(f"**{verdict['sentence']}** {verdict['text']}" if verdict["sentence"] else verdict["text"])
    if verdict["fix"]:
        button(verdict["fix"], "run_fix", "healing", fix, help=verdict["why"])
    if badge["label"]:
        st.caption(f"**{badge['label']}** {badge['text']}", help=badge["help"])


def _alt(name: str) -> str:
    return f"Training and test {name} against epochs"


def _network(job: TrainingJob | None, moving: bool) -> dict[str, Any] | None:
    """What the drawing of the network shows of the run; of one that moves that of the last second, as its drawing is watched, not read."""
    if job is None:
        return None
    made, state = st.session_state.get("_network", (-math.inf, None))
    if not moving or time.monotonic() - made > NETWORK_SECONDS:
        state = network_state(job)
        st.session_state["_network"] = (time.monotonic(), state)
    return cast(dict[str, Any] | None, state)


def _nothing() -> None:
    """That a callback is given is what makes Streamlit report the event."""


def _news(now: JobSnapshot | None) -> str:
    """Another text whenever there is something new in the panel below the curves."""
    if now is None:
        return ""
    tested = now.evaluation.step if now.evaluation is not None else -1
    looked = now.step if st.session_state.get("panel") in (INSIDE, OWN) else len(now.history.epochs)
    return f"{now.state} {tested} {looked}"


def _chosen_panel(set_controls: SetControls, at: RunAtStep | None) -> None:
    """One of the panels below the curves: only that one is drawn, so that what nobody looks at costs nothing.

    Args:
        at: the moment that the page looks back to, or at which it was drawn.
    """
    job = session.current_job()
    if job is None or at is None:
        if kept_runs.of_session().runs:
            kept_runs_panel(None)
        return
    now = job.snapshot()
    moment = at if at.cursor is not None else RunAtStep(now, job.run.network)
    panel = st.segmented_control(
        "Below the curves", [PREDICTIONS, INSIDE, OWN, RUNS, EXPORT], default=PREDICTIONS, required=True, key="panel",
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    snapshot = moment.snapshot
    if panel == INSIDE:
        inside_panel(snapshot, moment.network, job.look_inside)
    elif panel == OWN:
        own_picture_panel(snapshot, moment.network)
    elif panel == RUNS:
        kept_runs_panel(snapshot)
    elif panel == EXPORT:
        export_panel(job, now, set_controls)
    else:
        predictions_panel(snapshot)
    if ensure_plotly_js() is not None:
        served_component("news", "The newest")(key="news", data=_news(now).encode(), on_news_change=unbroken(_nothing), height=1)


def _curves(spec: RunSpec | None, now: JobSnapshot | None, options: CurveOptions, cursor: int | None) -> dict[str, Figure]:
    """Loss and accuracy over the epochs: of the run on screen, and of those that are kept beside it.

    Args:
        spec: gives the epochs of the frame where there is no run yet.
        cursor: step at which the rest of the page stands, if it is not the newest.
    """
    beside = kept_runs.shown_series(now)
    epochs = max([1, *(len(series.history.epochs) for series in beside)])
    shown: CurveSeries | Sequence[CurveSeries] = beside
    if now is not None:
        alone = CurveSeries(now.history, now.steps_per_epoch, members=now.members)
        shown = [kept_runs.series_of(now), *beside] if beside else alone
        epochs = max(epochs, now.spec.epochs)
    elif spec is not None and not beside:
        epochs = spec.epochs
    return {
        "loss": loss_curve(shown, epochs, options=options, cursor=cursor),
        "accuracy": accuracy_curve(shown, epochs, options=options, reference=reference(now) if now is not None else None, cursor=cursor),
    }
