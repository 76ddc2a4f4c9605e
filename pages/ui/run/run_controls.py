"""Start, pause, step, stop and steer a run; look back at an earlier step of it, and branch off from there."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import streamlit as st

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.network import Network
from mlp_core.reports.diagnosis.fixes import Fix
from mlp_core.reports.export import Experiment
from mlp_core.spec import BOUNDS, RunSpec, SpecError
from mlp_core.training import Run
from mlp_core.training.replicates import DEFAULT_SEEDS, Replicates
from mlp_core.words import Message, count, exactly, joined
from pages.language import _
from pages.ui import session
from pages.ui.link import WHY_LOCKED
from pages.ui.refusals import accept, refusal, refuse
from pages.ui.run import kept_runs, steering
from pages.ui.run.pace import begin_at_pace
from pages.ui.text import plain, refused
from pages.ui.unbroken import button, unbroken
from pages.ui.widget_values import WidgetValues

PLAY_SECONDS = 0.2  # several turns
STEP_SECONDS = 0.3  # a step and the test after it are usually done by then
PRESS_SECONDS = 0.02  # between two looks for another press: nobody presses twice within it
SEEDS = Message("× {n} seeds", n=DEFAULT_SEEDS)
SEEDS_HELP = Message("Train {n} networks of this design at once, from {n} seeds, so that one lucky run does not mislead.", n=DEFAULT_SEEDS)
STAYS = Message("This one stays among the runs side by side.")
LR_FACTORS = (("÷ 10", 0.1), ("÷ 2", 0.5), ("× 2", 2.0), ("× 10", 10.0))

_STEPPED = "_stepped"

JobOf = Callable[[], TrainingJob | None]


class Branch(Protocol):
    """Goes on from a step with an lr."""

    def __call__(self, job: TrainingJob, step: int, /, *, lr: float) -> None: ...


def run_buttons(experiment: Experiment | None, snapshot: JobSnapshot | None) -> None:
    """Train, pause, step, stop and reset, each enabled where it makes sense; in the row that is open.

    Args:
        experiment: what the page's controls describe; None while they describe none.
        snapshot: the run on screen.
    """
    state = snapshot.state if snapshot is not None else "none"
    can_start = experiment is not None
    play: tuple[str, str, Callable[[], None]] = (_("Train"), "play_arrow", partial(_begin, experiment, _play))
    if state == "playing":
        play = (_("Pause"), "pause", session.on_job(TrainingJob.pause))
    elif state == "paused":
        play = (_("Resume"), "play_arrow", session.on_job(TrainingJob.play))
    label, icon, action = play
    button(label, "run_play", icon, action, enabled=can_start or state in ("playing", "paused"), type="primary", shortcut="T")
    stepping = (job := session.current_job()) is not None and job.stepping  # then a press adds a step
    can_step = state == "paused" or stepping or (state in ("none", "ready") and can_start)
    button(_("One batch"), "run_step", "skip_next", _begin, experiment, _step, enabled=can_step, shortcut="B")
    button(_("One epoch"), "run_epoch", "fast_forward", _begin, experiment, TrainingJob.step_epoch, enabled=can_step, shortcut="E")
    button(_("Stop"), "run_stop", "stop", session.on_job(TrainingJob.stop), enabled=state in ("playing", "paused"), shortcut="S")
    button(_("Reset"), "run_reset", "restart_alt", _put_away, enabled=state != "none", shortcut="X")
    several, can_train = partial(train_anew, experiment, seeds=True), can_start and state != "playing"
    button(_(SEEDS), "run_seeds", "stacked_line_chart", several, enabled=can_train, help=_(SEEDS_HELP))


def _begin(experiment: Experiment | None, action: Callable[[TrainingJob], None], *, seeds: bool = False) -> None:
    """Do `action` to the job at hand, or to a new one where there is none that can go on."""
    job = session.current_job()
    if job is None or job.ended:
        if experiment is None:
            return
        kind, data = Replicates if seeds else Run, load_fashion_mnist()
        job = _started(lambda: kind(experiment.spec, data, changes=experiment.changes))
    if job is not None:
        action(job)


def _play(job: TrainingJob) -> None:
    """Train on, with the first point on the page at once and not with the next tick; where others are before it, with a later one."""
    job.play()
    job.await_step(PLAY_SECONDS)


def _step(job: TrainingJob) -> None:
    """One step, seen at once like the first of many (`await_step`)."""
    job.step()
    st.session_state[_STEPPED] = True


def await_step(job: TrainingJob | None) -> None:
    """Wait for a step that was asked for by a press, so that the page shows it, but no longer than for another press.

    Not in the callback: presses that come during one are one to Streamlit.
    """
    if job is None or not st.session_state.get(_STEPPED):
        return
    ends = time.monotonic() + STEP_SECONDS
    while not job.await_rest(PRESS_SECONDS) and time.monotonic() < ends:
        st.session_state.get(_STEPPED)  # where Streamlit ends this run for another press
    st.session_state[_STEPPED] = False


def train_anew(experiment: Experiment | None, *, seeds: bool = False) -> None:
    """Train an experiment from the beginning, in the place of the run on screen, which stays among the runs side by side."""
    _put_away()
    _begin(experiment, _play, seeds=seeds)


def begin(experiment: Experiment | None) -> None:
    """Train an experiment, unless it is under way already; nothing where there is none."""
    job = session.current_job()
    going = job is not None and steering.under_way(job) and Experiment(job.run.spec, job.run.planned) == experiment
    if experiment is not None and not going:
        train_anew(experiment)


def train_fixed(set_controls: Callable[[RunSpec], None], fix: Fix) -> None:
    """Set the controls to what the fix changes and train it: anew, or on from where the run on screen was well."""
    set_controls(fix.spec)
    job = session.current_job()
    if fix.step is None or job is None or fix.step not in job.snapshot().checkpoint_steps:
        train_anew(Experiment(fix.spec), seeds=job is not None and bool(job.snapshot().members))
        return
    changed = {name: theirs for name, (_, theirs) in job.run.settings.differences(fix.spec).items()}
    branch(job, fix.step, **changed)


def branch(job: TrainingJob, step: int, **settings: Any) -> None:
    """Go on from an earlier step of `job` with other settings, in a run of its own."""
    run = job.run.branch(step, **settings)
    if (branched := _started(lambda: run)) is not None:
        branched.play()


def _started(make: Callable[[], Run]) -> TrainingJob | None:
    """A job of this tab, or None where it cannot be: then the page says why."""
    _put_away()
    try:
        job = session.start_current_job(make)
    except session.UNTRAINABLE as error:
        st.session_state["_start_error"] = error
        return None
    st.session_state.pop("_start_error", None)
    begin_at_pace(job)
    return job


def _put_away() -> None:
    """Take the run off the screen; it stays among the runs side by side."""
    if (job := session.current_job()) is not None:
        kept_runs.keep(job.snapshot())
    session.forget_current_job()


def lr_popover(snapshot: JobSnapshot, job_of: JobOf = session.current_job, *, locked: bool) -> None:
    """Change the learning rate while the run goes on; nothing once it has ended.

    Args:
        job_of: the run that is steered, at the time of a click.
        locked: whether the page's link locks it.
    """
    if snapshot.state not in ("playing", "paused"):
        return
    lr = snapshot.lr
    shown, help = exactly(lr, 6), _(WHY_LOCKED) if locked else _("Change the learning rate while it trains.")
    with st.popover(_("lr of this run: {lr}", lr=shown), icon=":material/speed:", key="run_lr", help=help, disabled=locked):
        words = _("The learning rate of this run is **{lr}**. A change counts from the next step on and is marked on the curves.", lr=shown)
        st.markdown(words)
        with st.container(horizontal=True):
            for label, factor in LR_FACTORS:
                st.button(label, key=f"lr_{factor:g}", on_click=unbroken(partial(_change_lr, job_of, factor)))
        st.text_input(
            _("Or set it to"), key="lr_wish", placeholder=f"{lr:g}", on_change=unbroken(partial(_change_lr, job_of)), max_chars=20
        )
        if (error := refusal("lr", job_of())) is not None:
            st.error(_(refused(error)), icon=":material/error:")


def _change_lr(job_of: JobOf, factor: float | None = None) -> None:
    """Multiply the learning rate, or set it to what was typed."""
    if (job := job_of()) is None:
        return
    text = f"{job.snapshot().lr * factor:.6g}" if factor is not None else st.session_state.get("lr_wish", "").strip()
    if not text:
        return
    try:
        lr = BOUNDS["lr"].read("lr", text)
    except SpecError as error:
        refuse("lr", job, error)
        return
    accept("lr")
    if factor is None:
        st.session_state["lr_wish"] = ""
    steering.steer(job, lr=lr)


class RunAtStep(NamedTuple):
    """What the panels show: a run as it stood at a step. `cursor` is that step, None where it is the newest."""

    snapshot: JobSnapshot
    network: Network | None
    cursor: int | None = None


def rewind_panel(job: TrainingJob, now: JobSnapshot, branch: Branch | None, outcome: str = STAYS) -> RunAtStep:
    """A slider over the steps that the run kept, and the moment it is at; while the run moves, the newest.

    Args:
        branch: trains on from an earlier step; may raise `SpecError`. None where one can only look.
        outcome: what then becomes of this run, as a sentence.
    """
    newest = RunAtStep(now, job.run.network)
    earlier = [step for step in now.checkpoint_steps if step < now.step]
    if job.moving or not earlier:
        return newest
    with st.container(horizontal=True, vertical_alignment="bottom", key="rewind_row"):
        name = str(now.step)  # the slider begins at the newest step whenever the run has come to rest
        chosen = WidgetValues(f"rewind_{name}", {name: now.step}, "rewind_", lasting=False)
        if chosen[name] not in earlier:
            chosen[name] = now.step
        step = st.select_slider(
            _("Look back"),
            [*earlier, now.step],
            format_func=lambda step: _("step {step}", step=count(step)) if step < now.step else _("now"),
            help=_("Moves everything on this page to a step that the run kept: few of the first steps and the ends of epochs."),
            **chosen.value(name),
        )
        chosen.keep()
        if step == now.step:
            return newest
        if branch is not None:
            lr = now.lr / 10
            suggested = _("To begin with, a tenth of this run's.")
            st.text_input(_("lr of the branch"), f"{lr:g}", key="branch_lr", width=180, max_chars=20, help=suggested)
            shares = Message("A new run that shares this one's past up to there and goes on with that lr.")
            label, help = _("Branch from step {step}", step=count(step)), _(joined(shares, outcome))
            button(label, "branch", "call_split", _branch_off, job, step, branch, help=help)
    if (error := refusal("branch", job)) is not None:
        st.error(_(refused(error)), icon=":material/error:")
    rewound = job.rewound(step)
    return RunAtStep(rewound.snapshot, rewound.network, step)


def _branch_off(job: TrainingJob, step: int, branch: Branch) -> None:
    """Branch off with the learning rate that stands in the field."""
    try:
        lr = BOUNDS["lr"].read("lr", st.session_state.get("branch_lr", "").strip())
        branch(job, step, lr=float(lr))
    except SpecError as error:
        refuse("branch", job, error)
    else:
        accept("branch")


def start_error() -> None:
    """Say why the network could not be trained, where somebody has just tried."""
    if (error := st.session_state.get("_start_error")) is not None:
        st.error(_("This network cannot be trained here: {why}.", why=refused(error)), icon=":material/error:")


def new_design_button(experiment: Experiment | None, snapshot: JobSnapshot | None) -> None:
    """Where the controls have moved on from the run that is shown: train what they describe."""
    if words := _waiting(experiment, snapshot):
        button(_("Train the new design"), "run_new", "edit_note", train_anew, experiment, help=_(words))


def waiting_design(experiment: Experiment | None, snapshot: JobSnapshot | None) -> None:
    """Say that the controls have moved on from the run that is shown."""
    if words := _waiting(experiment, snapshot):
        st.info(_(words), icon=":material/edit_note:")


def _waiting(experiment: Experiment | None, snapshot: JobSnapshot | None) -> str:
    """What sets the design of the controls apart from the run that is shown, and what becomes of the run; nothing where they are one."""
    if experiment is None or snapshot is None:
        return ""
    now = snapshot.settings if snapshot.state in ("playing", "paused") else snapshot.spec
    shown = Experiment(snapshot.spec if experiment.spec == snapshot.spec else now, snapshot.planned)
    changes = [f"{name} {_shown(before)} → {_shown(after)}" for name, (after, before) in experiment.differences(shown).items()]
    if not changes:
        return ""
    running = Message("The curves are of the design before.")
    if snapshot.state == "playing":
        running = Message("The run goes on undisturbed.")
    return joined(Message("**A new design is waiting:** {changes}.", changes=_("; ").join(changes)), running)


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return plain(text or _("none"))
