"""The live panel: drive a run and watch it. It reads snapshots of a job and never waits for one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from mlp_core.diagnosis import Verdict, diagnose
from mlp_core.expression import ExpressionError
from mlp_core.figures.training import CurveSeries, accuracy_curve, loss_curve
from mlp_core.jobs import JobSnapshot, MemoryBudgetError, TrainingJob
from mlp_core.spec import RunSpec, SpecError
from pages.ui import session
from pages.ui.downloads import downloads_panel
from pages.ui.live_chart import live_chart
from pages.ui.predictions import predictions_panel
from pages.ui.text import count, duration, percent, plain, scaled
from pages.ui.unbroken import unbroken

TICK_SECONDS = 0.35  # about three updates a second
CROWD = 8  # so many playing jobs get ticks of that length; with more, ticks grow in proportion, or the pages starve the training
RECENT_STEPS = 20
CHART_HEIGHT = 340


def live_panel(spec: RunSpec | None) -> None:
    """Controls of the run, its progress, curves and predictions; runs itself again while there is something new to see.

    Args:
        spec: the experiment that the page's controls describe; None while they describe none.
    """
    job = session.current_job()
    moving = job is not None and job.moving
    tick = TICK_SECONDS * max(1.0, session.engine()[0].playing_count / CROWD) if moving else None
    st.fragment(_panel, run_every=tick)(spec, moving)


def _panel(spec: RunSpec | None, moving: bool) -> None:
    job = session.current_job()
    if (job is not None and job.moving) != moving:
        st.rerun()  # the whole page: whether the panel runs itself again is decided there
    snapshot = job.snapshot() if job is not None else None
    _buttons(spec, job)
    _waiting_design(spec, snapshot)
    if job is None or snapshot is None:
        return
    _progress(snapshot)
    _tiles(snapshot)
    _verdict(diagnose(snapshot.spec, snapshot.history, snapshot.stop_reason), snapshot)
    _curves(snapshot)
    predictions_panel(snapshot)
    downloads_panel(job, snapshot)


def _buttons(spec: RunSpec | None, job: TrainingJob | None) -> None:
    state = job.state if job is not None else "none"
    resting = state in ("none", "ready", "paused")
    can_start = spec is not None
    with st.container(horizontal=True, key="run_buttons"):
        if state == "playing":
            _button("Pause", "play", "T", ":material/pause:", session.on_job(TrainingJob.pause), primary=True)
        elif state == "paused":
            _button("Resume", "play", "T", ":material/play_arrow:", session.on_job(TrainingJob.play), primary=True)
        else:
            _button("Train", "play", "T", ":material/play_arrow:", partial(_begin, spec, TrainingJob.play), primary=True, enabled=can_start)
        can_step = resting and (can_start or state == "paused")
        _button("Step one batch", "step", "B", ":material/skip_next:", partial(_begin, spec, TrainingJob.step), enabled=can_step)
        _button("Step one epoch", "epoch", "E", ":material/fast_forward:", partial(_begin, spec, TrainingJob.step_epoch), enabled=can_step)
        _button("Stop", "stop", "S", ":material/stop:", session.on_job(TrainingJob.stop), enabled=state in ("playing", "paused"))
        _button("Reset", "reset", "X", ":material/restart_alt:", session.forget_job, enabled=state != "none")


def _button(
    label: str, key: str, shortcut: str, icon: str, action: Callable[[], None], *, primary: bool = False, enabled: bool = True
) -> None:
    st.button(
        label,
        key=f"run_{key}",
        shortcut=shortcut,
        icon=icon,
        on_click=unbroken(action),
        disabled=not enabled,
        type="primary" if primary else "secondary",
    )


def _begin(spec: RunSpec | None, action: Callable[[TrainingJob], None]) -> None:
    """Do `action` to the job at hand, or to a new one where there is none that can go on."""
    job = session.current_job()
    if job is None or job.ended:
        if spec is None:
            return
        try:
            job = session.start_job(spec)
        except (SpecError, ExpressionError, MemoryBudgetError) as error:
            st.session_state["_start_error"] = error
            return
    st.session_state.pop("_start_error", None)
    action(job)


def _train_anew(spec: RunSpec) -> None:
    session.forget_job()
    _begin(spec, TrainingJob.play)


def _waiting_design(spec: RunSpec | None, snapshot: JobSnapshot | None) -> None:
    """Say that the controls have moved on from the run that is shown, and what Train would do."""
    if (error := st.session_state.get("_start_error")) is not None:
        st.error(f"This network cannot be trained here: {_worded(error)}.", icon=":material/error:")
    if spec is None or snapshot is None or spec == snapshot.spec:
        return
    changes = [f"{name} {_shown(before)} → {_shown(after)}" for name, (after, before) in spec.differences(snapshot.spec).items()]
    text, button = st.columns([4, 1], vertical_alignment="center")
    running = "The run goes on undisturbed" if snapshot.state == "playing" else "The curves are of the design before"
    text.info(f"**A new design is waiting:** {'; '.join(changes)}. {running}.", icon=":material/edit_note:")
    button.button("Train the new design", key="run_new", on_click=unbroken(_train_anew), args=(spec,), width="stretch")


def _worded(error: Exception) -> str:
    return f"**{error.field}** {error.rule}, got {plain(error.value)}" if isinstance(error, SpecError) else plain(error, 300)


def _shown(value: object) -> str:
    return plain(", ".join(map(str, value)) or "none" if isinstance(value, tuple) else value)


def _progress(snapshot: JobSnapshot) -> None:
    step_in_epoch = snapshot.step % snapshot.steps_per_epoch or (snapshot.steps_per_epoch if snapshot.step else 0)
    epoch = -(-snapshot.step // snapshot.steps_per_epoch)
    parts = [f"Epoch {epoch} of {snapshot.spec.epochs}", f"step {count(step_in_epoch)} of {count(snapshot.steps_per_epoch)}"]
    if snapshot.images_per_second:
        parts.append(f"{scaled(snapshot.images_per_second)} images/s")
    if snapshot.remaining_seconds is not None:
        parts.append(f"{duration(snapshot.remaining_seconds)} left")
    elif snapshot.elapsed_seconds:
        parts.append(f"{duration(snapshot.elapsed_seconds)} of training")
    if snapshot.sharing > 1:
        parts.append(f"sharing this server with {snapshot.sharing - 1} other run{'s' if snapshot.sharing > 2 else ''}")
    st.progress(snapshot.fraction_done, " · ".join(parts))


def _tiles(snapshot: JobSnapshot) -> None:
    history = snapshot.history
    last = history.epochs[-1] if history.epochs else None
    before = history.epochs[-2] if len(history.epochs) > 1 else None
    losses, accuracies = history.losses[-RECENT_STEPS:], history.accuracies[-RECENT_STEPS:]
    recent_help = f"Mean of the last {RECENT_STEPS} minibatches, before the update each one caused."
    test_help = "All test images, at the end of the last epoch, dropout off."
    with st.container(horizontal=True, key="run_tiles"):
        _tile("Training loss", f"{sum(losses) / len(losses):.4f}" if losses else "–", None, recent_help)
        _tile("Training accuracy", percent(sum(accuracies) / len(accuracies)) if losses else "–", None, recent_help)
        change = f"{last.test_loss - before.test_loss:+.4f}" if last and before else None
        _tile("Test loss", f"{last.test_loss:.4f}" if last else "–", change, test_help, "inverse")
        change = f"{100 * (last.test_accuracy - before.test_accuracy):+.1f} points" if last and before else None
        _tile("Test accuracy", percent(last.test_accuracy) if last else "–", change, test_help)


def _tile(label: str, value: str, change: str | None, help: str, delta_color: str = "normal") -> None:
    st.metric(label, value, change, help=help, border=True, height="stretch", delta_color=delta_color)  # type: ignore[arg-type]


def _verdict(verdict: Verdict, snapshot: JobSnapshot) -> None:
    if snapshot.note:
        st.info(snapshot.note, icon=":material/pause_circle:")
    if verdict.kind == "waiting":
        return
    box = st.error if verdict.kind in ("diverged", "failed") else st.warning if verdict.is_fault else st.success
    icon = (
        ":material/error:"
        if verdict.kind in ("diverged", "failed")
        else ":material/warning:"
        if verdict.is_fault
        else ":material/check_circle:"
    )
    box(" ".join(part for part in (f"**{verdict.sentence}**", verdict.evidence, verdict.advice) if part), icon=icon)


def _curves(snapshot: JobSnapshot) -> None:
    history = snapshot.history
    series = CurveSeries("", (history.steps, history.losses, history.accuracies), history.epochs, snapshot.steps_per_epoch)
    log = st.toggle("Logarithmic loss axis", key="log_loss", help="Equal ratios look equal: shows whether a small loss still falls.")
    left, right = st.columns(2)
    with left:
        st.markdown("##### Loss")
        figure = loss_curve(series, snapshot.spec.epochs, log=log)
        live_chart(figure, key="loss", height=CHART_HEIGHT, alt="Training and test loss against epochs")
    with right:
        st.markdown("##### Accuracy")
        figure = accuracy_curve(series, snapshot.spec.epochs)
        live_chart(figure, key="accuracy", height=CHART_HEIGHT, alt="Training and test accuracy against epochs")
