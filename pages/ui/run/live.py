"""The live panel: drive a run and watch it. It reads snapshots of a job and never waits for one.

The browser asks for what is new (static/live_run.js) at an address of its own (`pages.ui.updates`), or where that cannot be by a run of
`_watch` alone; what stands below the curves is drawn again only when there is something new in it (static/news.js).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from mlp_core.reports.comparison.kept_runs import KeptRuns
from mlp_core.reports.export import Experiment
from mlp_core.words import Message
from pages.figures.figure import Figure
from pages.language import _, current, said
from pages.ui import session
from pages.ui.class_link import class_link
from pages.ui.link import HIDE, LOCK, LinkState
from pages.ui.live_chart import ensure_plotly_js, live_chart, plotly_words
from pages.ui.run import kept_runs, watch
from pages.ui.run.curve_options import clips_spikes, curve_options, turn_clipping
from pages.ui.run.experiment_files import experiment_files
from pages.ui.run.export import export_panel
from pages.ui.run.inside import inside_panel
from pages.ui.run.kept_in_browser import lost_runs
from pages.ui.run.kept_runs import kept_runs_panel
from pages.ui.run.own_picture import own_picture_panel
from pages.ui.run.pace import pace_control
from pages.ui.run.panels import EXPORT, INSIDE, OWN, PANEL, PANELS, RUNS
from pages.ui.run.predictions import predictions_panel
from pages.ui.run.run_controls import (
    RunAtStep,
    await_step,
    branch,
    lr_popover,
    new_design_button,
    rewind_panel,
    run_buttons,
    start_error,
    train_fixed,
    waiting_design,
)
from pages.ui.run.watch import CROWD, TICK_SECONDS, Watch, Watched, controls
from pages.ui.served_component import served_component, static_url
from pages.ui.ticking import tick_seconds
from pages.ui.train.controls import LOCKABLE, PAGE, ExperimentLink
from pages.ui.train.design import network_panel
from pages.ui.unbroken import button, unbroken

PANEL_SECONDS = 1.5  # between two drawings of the panel below, where nothing in the browser tells when it can be seen
CHART_HEIGHT = 300  # where Streamlit draws the charts
ALTS = {"loss": Message("Training and test loss against epochs"), "accuracy": Message("Training and test accuracy against epochs")}
SetControls = Callable[..., None]  # to a spec, and to changes on the way


def live_panel(link: ExperimentLink, experiment: Experiment | None, beside: LinkState, lesson: str, *, alone: bool = False) -> None:
    """Controls of the run, the network, and the run itself: progress, readings, curves, verdict; below them what the network does.

    Args:
        link: the page's controls, which are set from here too.
        experiment: what they describe; None while they describe none.
        beside: what else the page's link says: the pace and the open panel.
        lesson: what there is to see in it, said before it is trained.
        alone: whether no other run is shown beside it.
    """
    job, fixed, set_controls = session.current_job(), link.fixed, link.take
    await_step(job)
    now = job.snapshot() if job is not None else None
    if job is not None and now is not None and job.ended:
        kept_runs.keep(now)
    with st.container(horizontal=True, key="run_buttons"):
        run_buttons(experiment, now)
        pace_control(beside, job)
    with st.container(key="start_error"):
        start_error()
        if not alone:
            lost_runs()
    with st.container(horizontal=True, vertical_alignment="center", key="design"):
        if experiment is not None:
            network_panel(experiment.spec, folded=now is not None)
        new_design_button(experiment, now)
        if now is not None:
            lr_popover(now, locked="lr" in fixed)
        options = curve_options()
    above = st.container(key="run")
    with st.container(key="between"):  # what comes and goes in it moves no fragment: one that stands elsewhere is another for Streamlit
        waiting_design(experiment, now)
        moment = rewind_panel(job, now, branch if "lr" not in fixed else None) if job is not None and now is not None else None
    moving = job is not None and job.moving
    unasked = moving and ensure_plotly_js() is None  # no script in the browser asks for what is new
    view = watch.of_session()
    fixed_parameters = frozenset(link.listed(LOCK) + link.listed(HIDE))
    view.watched = Watched(job, experiment, lesson, moment, options, fixed_parameters, current())
    view.kept = _beside(alone)
    with above:
        draw = partial(_watch, view, set_controls, controls(now, moving))
        st.fragment(draw, run_every=tick_seconds(TICK_SECONDS, CROWD) if unasked else None)()
    with st.container(key="below"):
        st.fragment(_chosen_panel, run_every=tick_seconds(PANEL_SECONDS, CROWD) if unasked else None)(set_controls, beside, moment, alone)


def _beside(alone: bool) -> KeptRuns:
    return KeptRuns() if alone else kept_runs.of_session()


def _watch(view: Watch, set_controls: SetControls, drawn: tuple[object, ...]) -> None:
    """What the run on screen says and shows.

    Args:
        drawn: what the controls showed of it when they were drawn last.
    """
    look = view.look()
    another_run = view.watched.job is not session.current_job()  # by a click on the fix
    if another_run or look.controls != drawn or clips_spikes() != view.watched.options.clip:
        st.rerun()  # the whole page: the controls lie outside this fragment
    fix = partial(train_fixed, set_controls, look.fix) if look.fix is not None else _nothing
    if (script := ensure_plotly_js()) is None:
        return _draw_anew(look.figures, look.parts, fix)
    about = {
        "script": script,
        "module": static_url("live_chart"),
        "updates": view.address,
        "charts": {name: {"alt": _(ALTS[name]), "words": plotly_words()} for name in look.figures},
    }
    have = (st.session_state.get("live") or {}).get("have")
    data = view.draw(look, have["version"] if have else None, about)
    actions = {"on_have_change": unbroken(_nothing), "on_fix_change": unbroken(fix), "on_spike_change": unbroken(turn_clipping)}
    served_component("live_run", Message("This run"))(key="live", data=data, **actions)
    return None


def _draw_anew(figures: dict[str, Figure], parts: dict[str, Any], fix: Callable[[], None]) -> None:
    """All of it, with every tick: heavier, and the charts blink."""
    st.progress(parts["progress"]["fraction"], parts["progress"]["text"])
    with st.container(horizontal=True):
        for label, (value, beside) in zip(parts["labels"], parts["readings"], strict=True):
            st.metric(label["label"], value, beside or None, help=label["help"], border=True, delta_color="off", delta_arrow="off")
    for column, (name, figure) in zip(st.columns(2), figures.items(), strict=True):
        with column:
            live_chart(figure, key=name, alt=_(ALTS[name]), height=CHART_HEIGHT)
    verdict, badge = parts["verdict"], parts["badge"]
    st.markdown(_("**{sentence}** {text}", sentence=verdict["sentence"], text=verdict["text"]) if verdict["sentence"] else verdict["text"])
    if verdict["fix"]:
        button(verdict["fix"], "run_fix", "healing", fix, help=verdict["why"])
    if badge["label"]:
        st.caption(f"**{badge['label']}** {badge['text']}", help=badge["help"])


def _nothing() -> None:
    """That a callback is given is what makes Streamlit report the event."""


def _chosen_panel(set_controls: SetControls, beside: LinkState, at: RunAtStep | None, alone: bool) -> None:
    """One of the panels below the curves: only that one is drawn, so that what nobody looks at costs nothing.

    Args:
        at: the moment that the page looks back to, or at which it was drawn.
        alone: whether no other run is shown beside this one.
    """
    kept_runs.follow_changes()
    job = session.current_job()
    if job is None or at is None:
        if _beside(alone).runs:
            kept_runs_panel(None)
        if not alone:
            experiment_files(set_controls)
            class_link(PAGE, LOCKABLE, panels=PANELS)
        return
    now = job.snapshot()
    moment = at if at.cursor is not None else RunAtStep(now, job.run.network)
    st.segmented_control(
        _("Below the curves"),
        format_func=said(PANELS),
        required=True,
        label_visibility="collapsed",
        **beside.default(PANEL.name),
    )
    beside.write()  # here too, since this part of the page runs by itself
    panel = beside[PANEL.name]
    view = watch.of_session()
    view.steps_count, view.kept = panel in (INSIDE, OWN), _beside(alone)
    snapshot = moment.snapshot
    if panel == INSIDE:
        inside_panel(snapshot, moment.network, job.look_inside)
    elif panel == OWN:
        own_picture_panel(snapshot, moment.network)
    elif panel == RUNS:
        kept_runs_panel(snapshot)
    elif panel == EXPORT:
        export_panel(job, now, None if alone else set_controls)
    else:
        predictions_panel(snapshot)
    if ensure_plotly_js() is not None:
        served_component("news", Message("The newest"))(
            key="news", data=view.news(now).encode(), on_news_change=unbroken(_nothing), height=1
        )
