"""A sweep on the page: what it will cost, Start, Stop and Go on, how far it is, and below that what it has come to."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from mlp_core.data import Dataset
from mlp_core.jobs import MemoryBudgetError
from mlp_core.sweep import cost
from mlp_core.sweep.carry_out import Progress
from mlp_core.sweep.plan import Plan
from mlp_core.sweep.store import StoreError
from mlp_core.words import count, counted, duration, scaled
from pages.language import _
from pages.ui import session
from pages.ui.begun_by_link import begin_if_due
from pages.ui.memo import memo
from pages.ui.sweep import running
from pages.ui.sweep.controls import SweepLink
from pages.ui.sweep.results import results_panel
from pages.ui.sweep.running import OnCluster, Sweep
from pages.ui.text import plain, refused
from pages.ui.ticking import follow
from pages.ui.unbroken import button

JOB = "sweep"  # under which name the session holds it
LEFT, REFUSED = "_sweep_left", "_sweep_refused"  # in the session: the sweep that was stopped here; why one could not begin
TICK_SECONDS, STOP_SECONDS = 1.0, 1.0
MOST_IMAGES = 30_000_000  # of a sweep that is trained here: fifty runs of ten epochs with all images
MOST_IMAGES_CLUSTER = 3_000_000_000


def budget(plan: Plan, data: Dataset, *, moving: bool) -> bool:
    """Say how much the plan is, and about how long it takes; whether it may be begun.

    Args:
        moving: whether it is under way: then it is none of the other runs.
    """
    images = plan.images(len(data.train_labels))
    most = MOST_IMAGES_CLUSTER if running.cluster() else MOST_IMAGES
    cells, seeds = counted(len(plan.cells), "{n} cell", "{n} cells"), counted(plan.seeds, "{n} seed", "{n} seeds")
    runs = counted(plan.runs, "{n} run", "{n} runs")
    amount = _("**{cells} × {seeds}: {runs}, {images} training images.**", cells=cells, seeds=seeds, runs=runs, images=count(images))
    counts = len(data.train_labels), len(data.test_labels)
    seconds = memo("sweep_seconds", (plan, counts), lambda: sum(cost.of_rounds(plan, *counts)))
    if running.cluster():
        about = _("About {time} on one core; this server's sweeps go to a cluster.", time=duration(seconds))
    elif (others := session.engine()[0].playing_count - moving) > 0:
        wanted = counted(
            others,
            "About {time} if it had the server for itself; {n} other run takes its turns.",
            "About {time} if it had the server for itself; {n} other runs take their turns.",
            time=duration(seconds),
        )
        about = _(wanted)
    else:
        about = _("About {time} on this server.", time=duration(seconds))
    st.markdown(f"{amount} {about}")
    if images > most:
        words = _("A sweep on this page may use {most} images: take fewer of them, or fewer epochs, values or seeds.", most=scaled(most))
        st.error(words, icon=":material/error:")
    return images <= most


def sweep_panel(link: SweepLink, plan: Plan, data: Dataset) -> None:
    """All that is to be seen of a plan that can be carried out."""
    try:
        sweep = running.sweep_of(plan, data)
    except StoreError as error:
        st.error(_(error), icon=":material/error:")
        return
    allowed = budget(plan, data, moving=sweep is not None and sweep.moving)
    start = partial(_start, plan, data, running.cluster())
    if allowed and sweep is None:
        begin_if_due(start)
        sweep = running.sweep_of(plan, data)
    if sweep is not None and sweep.job is not None and sweep.moving and not _left(sweep) and not _another(sweep):
        session.jobs().share(JOB, sweep.job)  # who looks at a sweep has it go on, as after a reload of the tab
    _buttons(sweep, start, allowed)
    if (other := _another(sweep)) is not None:
        _say_other(other)
    if sweep is None:
        if (why := st.session_state.get(REFUSED)) is not None and why[0] == plan:
            st.error(_("This cannot be trained here: {why}", why=refused(why[1])), icon=":material/error:")
        st.info(_("Press Start: results come here one by one."), icon=":material/play_circle:")
        return

    def draw() -> None:
        _progress(sweep)
        _say_end(sweep, plan, data)
        results_panel(link, sweep)

    follow(draw, TICK_SECONDS, lambda: sweep.moving)


def _start(plan: Plan, data: Dataset, cluster: str) -> None:
    """Begin a sweep, or go on with it; the one that this session had begun before ends."""
    try:
        sweep = running.new_sweep(plan, data)
        sweep.go_on(session.engine()[0], cluster)
    except (StoreError, MemoryBudgetError) as error:
        st.session_state[REFUSED] = plan, error
        return
    st.session_state.pop(REFUSED, None)
    st.session_state.pop(LEFT, None)
    if sweep.job is not None:
        session.jobs().share(JOB, sweep.job)


def _stop(sweep: Sweep) -> None:
    """Let go of a sweep, which ends unless others look at it."""
    st.session_state[LEFT] = sweep.store.path
    session.jobs().leave(JOB)
    if sweep.job is not None:
        sweep.job.await_rest(STOP_SECONDS)


def _left(sweep: Sweep) -> bool:
    """Whether it was stopped here; others may have it go on."""
    return st.session_state.get(LEFT) == sweep.store.path


def _another(sweep: Sweep | None) -> Sweep | None:
    """Another sweep that this session has going."""
    job = session.jobs().work.get(JOB)
    found = running.sweep_with(job) if job is not None and job.state == "playing" else None
    return None if found is sweep else found


def _buttons(sweep: Sweep | None, start: Callable[[], None], allowed: bool) -> None:
    going = sweep is not None and sweep.moving and not _left(sweep)
    begun = sweep is not None and bool(sweep.store.done())
    ready = allowed and not going and not (sweep is not None and sweep.finished)
    with st.container(horizontal=True, vertical_alignment="center"):
        button(_("Go on") if begun else _("Start"), "sweep_start", "play_arrow", start, enabled=ready, type="primary")
        button(_("Stop"), "sweep_stop", "stop", lambda: _stop(sweep) if sweep is not None else None, enabled=going)


def _say_other(other: Sweep) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        done, of = len(other.store.done()), other.plan.runs
        st.info(_("The sweep that you began before goes on, {done} of {of} runs; Start ends it.", done=done, of=of))
        button(_("Stop that one"), "sweep_stop_other", "stop", _stop, other)


def _progress(sweep: Sweep) -> None:
    done, of = len(sweep.store.done()), sweep.plan.runs
    if not sweep.moving or _left(sweep):
        seconds = sum(outcome.seconds for outcome in sweep.store.outcomes())
        if sweep.finished:
            st.caption(_("Finished: {of} runs, {time} of a core.", of=of, time=duration(seconds)))
        elif sweep.moving:
            st.caption(_("Stopped here. It goes on for somebody else who looks at it: {done} of {of} runs are finished.", done=done, of=of))
        elif done:
            st.caption(_("Stopped: {done} of {of} runs are finished, and kept.", done=done, of=of))
        return
    progress, words = sweep.progress, _("{done} of {of} runs", done=done, of=of)
    if progress is not None and progress.left_seconds is not None:
        words = _("{done} of {of} runs, about {time} left", done=done, of=of, time=duration(progress.left_seconds))
    st.progress(progress.fraction if progress is not None else 0.0, words)
    if isinstance(sweep.job, OnCluster):
        _workers(progress)


def _workers(progress: Progress | None) -> None:
    """Who trains it, where that is a cluster: workers come and go there."""
    if progress is None:
        st.caption(_("Looking for the cluster."))
    elif progress.workers:
        st.caption(_(counted(progress.workers, "On {n} worker of the cluster.", "On {n} workers of the cluster.")))
    else:
        st.warning(_("The cluster has no workers now: the sweep waits for one."), icon=":material/hourglass_empty:")


def _say_end(sweep: Sweep, plan: Plan, data: Dataset) -> None:
    """Why the last go ended before its end, if anything went wrong."""
    if sweep.moving or sweep.finished or not (sweep.error or (sweep.job is not None and sweep.job.state == "failed")):
        return
    if sweep.lost:
        why = _("The cluster is lost: {why} What is finished is kept.", why=plain(sweep.error, 300))
        st.error(why, icon=":material/cloud_off:")
        button(_("Go on here"), "sweep_here", "computer", _start, plan, data, "")
    else:
        st.error(_("This could not be computed: a defect, which is in the log.") if not sweep.error else _(sweep.error))
