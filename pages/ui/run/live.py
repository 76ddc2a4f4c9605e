"""The live panel: drive a run and watch it. It reads snapshots of a job and never waits for one."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.reports.diagnosis.diagnosis import diagnose
from mlp_core.spec import RunSpec
from pages.figures.series import CurveSeries
from pages.figures.training import CurveOptions, Reference, accuracy_curve, loss_curve
from pages.ui import session
from pages.ui.link import LinkState
from pages.ui.live_chart import live_chart
from pages.ui.run import kept_runs
from pages.ui.run.export import export_panel
from pages.ui.run.inside import inside_panel
from pages.ui.run.kept_runs import kept_runs_panel
from pages.ui.run.own_picture import own_picture_panel
from pages.ui.run.pace import pace_control
from pages.ui.run.predictions import predictions_panel
from pages.ui.run.readings import book_badge, progress_bar, reference, tiles, verdict_box
from pages.ui.run.run_controls import RunAtStep, branch, lr_popover, rewind_panel, run_buttons, train_fixed, waiting_design
from pages.ui.ticking import ticking

CHART_HEIGHT = 340
TICK_SECONDS = 0.45  # more than two updates a second
# Streamlit lets the bar glide to its new place: with every tick it would be painted sixty times a second, for 8 % of a core.
CALM = "<style>.st-key-run_progress [role=progressbar] * { transition: none }</style>"
PREDICTIONS, INSIDE, OWN, RUNS, EXPORT = "Predictions", "Look inside", "Your own picture", "Runs side by side", "Take it home"


def live_panel(spec: RunSpec | None, set_controls: Callable[[RunSpec], None], pace: LinkState) -> None:
    """Controls of the run, and below them its progress, curves and what the network does: only that is drawn again with every tick.

    Args:
        spec: the experiment that the page's controls describe; None while they describe none.
        set_controls: sets them to another spec, or raises `SpecError`; called from a callback.
        pace: the choice of how fast it is played.
    """
    st.html(CALM)
    job = session.current_job()
    now = job.snapshot() if job is not None else None
    with st.container(horizontal=True, key="run_buttons"):
        run_buttons(spec, now)
        pace_control(pace, job)
        if now is not None:
            lr_popover(now)
    with st.container():  # what comes and goes has a place of its own, so that the charts below keep theirs and do not blink
        waiting_design(spec, now)
    moving = job is not None and job.moving
    ticking(_watch, TICK_SECONDS, moving=moving)(set_controls, _of_controls(now), moving)


def _of_controls(now: JobSnapshot | None) -> tuple[object, ...]:
    """All of a run that its controls show."""
    return (now.spec, now.state, now.lr) if now is not None else ()


def _watch(set_controls: Callable[[RunSpec], None], drawn: tuple[object, ...], moving: bool) -> None:
    """What the run on screen says and shows.

    Args:
        drawn: what the controls showed of it when they were drawn last.
        moving: whether it moved then.
    """
    job = session.current_job()
    now = job.snapshot() if job is not None else None
    if _of_controls(now) != drawn or (job is not None and job.moving) != moving:
        st.rerun()  # the whole page: the controls lie outside this fragment
    if job is None or now is None:
        if kept_runs.of_session().runs:
            _curves(None)
            kept_runs_panel(None)
        return
    if job.ended:
        kept_runs.keep(now)
    with st.container(key="run_progress"):
        progress_bar(now)
    with st.container():
        moment = rewind_panel(job, now, branch)
    shown = moment.snapshot
    tiles(shown)
    with st.container():
        verdict = diagnose(shown.spec, shown.history, shown.stop_reason, shown.inspections)
        verdict_box(verdict, now.note, partial(train_fixed, set_controls), whose=f"Seed {shown.spec.seed}: " if shown.members else "")
        book_badge(shown)
    _curves(now, reference=reference(now), cursor=moment.cursor)
    _chosen_panel(job, now, moment, set_controls)


def _chosen_panel(job: TrainingJob, now: JobSnapshot, moment: RunAtStep, set_controls: Callable[[RunSpec], None]) -> None:
    """One of the panels below the curves: only that one is drawn, so that what nobody looks at costs nothing."""
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


def _curves(snapshot: JobSnapshot | None, *, reference: Reference | None = None, cursor: int | None = None) -> None:
    """Loss and accuracy over the epochs.

    Args:
        snapshot: the run on screen, if there is one.
        reference: band of accuracies to compare with.
        cursor: step at which the rest of the page stands, if it is not the newest.
    """
    beside = kept_runs.shown_series(snapshot)
    epochs = max([1, *(len(series.history.epochs) for series in beside)])
    shown: CurveSeries | list[CurveSeries] = beside
    if snapshot is not None:
        alone = CurveSeries(snapshot.history, snapshot.steps_per_epoch, members=snapshot.members)
        shown = [kept_runs.series_of(snapshot), *beside] if beside else alone
        epochs = max(epochs, snapshot.spec.epochs)
    elif not beside:
        return
    log = st.toggle("Logarithmic loss axis", key="log_loss", help="Equal ratios look equal: shows whether a small loss still falls.")
    figures = {
        "Loss": loss_curve(shown, epochs, options=CurveOptions(log_y=log), cursor=cursor),
        "Accuracy": accuracy_curve(shown, epochs, reference=reference, cursor=cursor),
    }
    for column, (name, figure) in zip(st.columns(2), figures.items(), strict=True):
        with column:
            st.markdown(f"##### {name}")
            live_chart(figure, key=name.lower(), height=CHART_HEIGHT, alt=f"Training and test {name.lower()} against epochs")
