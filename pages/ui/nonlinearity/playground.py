"""The section "XOR and friends": a small network on points of the plane, seen from inside while it learns.

The buttons stand outside of what runs by itself, since they change only with a click or at the end of a run.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from mlp_core.jobs import MemoryBudgetError, TrainingJob
from mlp_core.spec import MAX_SEED
from mlp_core.training.replicates import DEFAULT_SEEDS
from mlp_core.words import Message
from pages.language import _
from pages.ui import session
from pages.ui.begun_by_link import begin_if_due
from pages.ui.link import LinkState
from pages.ui.measures import Measure, State, Values, once
from pages.ui.nonlinearity import panels, pictures
from pages.ui.nonlinearity.settings import JOB, OWN, PANEL, SEVERAL, PlaneSettings, preset_row, settings_of, settings_panel
from pages.ui.run.job_groups import ShownRun, shown_runs
from pages.ui.run.measures import OF_CLASSES, state_of, unmeasured
from pages.ui.run.pace import keep_pace, pace_control
from pages.ui.run.run_controls import SEEDS_HELP, RunAtStep, lr_popover, rewind_panel
from pages.ui.session import JobGroup
from pages.ui.text import plain
from pages.ui.ticking import ticking
from pages.ui.unbroken import button

TICK_SECONDS = 0.2
SLOWER = 3  # ticks to one of what stands below the plane, so that the plane has the time to move
PLAYING = "_plane_playing"


def section(link: LinkState) -> None:
    """Choose points and a network, press Play, look inside."""
    preset_row(link)
    settings = settings_panel(link) if link.in_address else settings_of(link)
    job = _job(settings) if settings.trainable else None
    begin_if_due(lambda: _play(job, True))
    _buttons(link, settings, job)
    several = session.jobs().moving(panels.SEEDS_JOB)
    if job is not None and _active(job):
        ticking(_moving, TICK_SECONDS, moving=True)(link, settings, job)
        ticking(_record, SLOWER * TICK_SECONDS, moving=True)(link, settings, job, several)
    else:
        ticking(_at_rest, SLOWER * TICK_SECONDS, moving=several)(link, settings, job, several)


def _job(settings: PlaneSettings) -> TrainingJob | None:
    """The job on the plane, its network ready to be seen; where the settings have changed a new one, in the place of the one before.

    Where it cannot be trained here the page says why.
    """
    try:
        return _prepared(settings)
    except session.UNTRAINABLE as error:
        st.error(_("This cannot be trained here: {why}", why=plain(_(error), 200)), icon=":material/error:")
        return None


def _prepared(settings: PlaneSettings) -> TrainingJob:
    group = session.jobs().group(JOB)
    if group is not None and group.key == settings.key:
        return group.jobs[0]
    job = session.start_job(JOB, settings.key, settings.run)
    job.run.prepare()
    return job


@dataclass(frozen=True)
class PlaneRun:
    """The run on the plane that the values of a link describe."""

    values: Values

    labels: tuple[str, ...] = ()
    trains = True

    @property
    def measures(self) -> dict[str, Measure]:
        regions = Message("That the network cuts the square into; counted for ReLU and leaky ReLU on the inputs x and y")
        return OF_CLASSES | {"linear_regions": once(Message("Linear regions"), regions, "count", self._regions)}

    @property
    def epochs(self) -> int:
        return int(self.values["epochs"])

    def start(self) -> None:
        if self.state() != "moving":
            if (group := self._group) is not None and (group.edited or group.jobs[0].state != "ready"):
                _reset()
            with suppress(*session.UNTRAINABLE):  # then the page tries it again, and says why
                keep_pace(_prepared(settings_of(self.values)), self.values["pace"])
        _play(session.jobs().job(JOB), True)

    def state(self) -> State:
        return "none" if self._group is None or self._group.edited else state_of(self._group.jobs, 1)

    def unmeasured(self) -> str:
        group = session.jobs().group(JOB)
        if group is not None and group.edited:
            return Message("A weight was set by hand.")
        return unmeasured(group.jobs) if group is not None else ""

    def hidden(self) -> bool:
        return False

    def rest(self) -> None:
        st.session_state[PLAYING] = False

    def source(self, label: str | None) -> ShownRun | None:
        return None if self._group is None or self.state() == "none" else shown_runs(self._group)[0]

    def _regions(self, run: ShownRun) -> float | None:
        if run.job.run.network is None or self.state() != "done":
            return None
        regions = pictures.regions_of(settings_of(self.values), run.job.run.network)
        return len(regions) if regions is not None else None

    @property
    def _group(self) -> JobGroup | None:
        group = session.jobs().group(JOB)
        return group if group is not None and group.key == settings_of(self.values).key else None


def subject(values: Values) -> PlaneRun:
    """The run that the fields describe."""
    return PlaneRun(values)


def _playing(job: TrainingJob) -> bool:
    """Whether it is to train on, as soon as there is a frame to show it."""
    return bool(st.session_state.get(PLAYING)) and not job.ended


def _active(job: TrainingJob) -> bool:
    """Whether there will be something new to see."""
    return job.moving or _playing(job)


def _buttons(link: LinkState, settings: PlaneSettings, job: TrainingJob | None) -> None:
    """One row of them, each enabled where it makes sense; all of them stand there before there is anything to train."""
    plays, ended = job is not None and _playing(job), job is None or job.ended
    resting = not plays and not ended
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="plane_buttons"):
        label, icon = (_("Pause"), "pause") if plays else (_("Play"), "play_arrow")
        button(label, "plane_play", icon, _play, job, not plays, enabled=not ended, type="primary")
        button(_("Step one batch"), "plane_batch", "skip_next", _step, job, TrainingJob.step, enabled=resting)
        button(_("Step one epoch"), "plane_epoch", "fast_forward", _step, job, TrainingJob.step_epoch, enabled=resting)
        button(_("Reset"), "plane_reset", "restart_alt", _reset, enabled=job is not None)
        free = link["data"] != OWN and "data_seed" not in link.fixed
        button(_("Regenerate"), "plane_again", "casino", _regenerate, link, enabled=free, help=_("New points."))
        seeds, help = _("× {n} seeds", n=DEFAULT_SEEDS), _(SEEDS_HELP)
        button(seeds, "plane_seeds", "stacked_line_chart", _train_seeds, link, settings, enabled=job is not None, help=help)
        pace_control(link, job)
        if job is not None:
            lr_popover(job.snapshot(), lambda: job, locked="lr" in link.fixed)


def _step(job: TrainingJob | None, step: Callable[[TrainingJob], None]) -> None:
    if job is not None:
        step(job)


def _branch(job: TrainingJob, step: int, /, *, lr: float) -> None:
    """Train on from an earlier step with another learning rate, in the place of `job`."""
    group, run = session.jobs().group(JOB), job.run.branch(step, lr=lr)
    with suppress(MemoryBudgetError):  # then the page tries the experiment from its start, and says why that cannot be
        if group is not None and group.jobs[0] is job:
            session.start_job(JOB, group.key, lambda: run).run.prepare()
    st.session_state[PLAYING] = True


def _play(job: TrainingJob | None, wanted: bool) -> None:
    st.session_state[PLAYING] = wanted
    if job is not None:
        (job.play if wanted else job.pause)()  # at once: what steers a run is drawn where there is one under way


def _train_seeds(link: LinkState, settings: PlaneSettings) -> None:
    panels.start_seeds(settings)
    link[PANEL] = SEVERAL
    text = _("{n} seeds train at once: their curves stand below the plane.", n=DEFAULT_SEEDS)
    st.toast(text, icon=":material/stacked_line_chart:")


def _reset() -> None:
    st.session_state[PLAYING] = False
    session.jobs().give_up(JOB)


def _regenerate(link: LinkState) -> None:
    link["data_seed"] = (int(link["data_seed"]) + 1) % (MAX_SEED + 1)


def _moved_on(link: LinkState, settings: PlaneSettings) -> bool:
    """Whether a click on the plane has made another experiment of what the page was drawn for."""
    return settings_of(link).key != settings.key


def _moving(link: LinkState, settings: PlaneSettings, job: TrainingJob) -> None:
    """A frame: the network and the plane, and nothing that stands still."""
    if job.ended:
        st.session_state[PLAYING] = False
    elif _playing(job) and not job.moving:
        job.play()
    if not _active(job) or _moved_on(link, settings):
        st.rerun()  # the whole page: whether the pictures draw themselves again is decided there
    network = job.run.network
    with st.container():
        if network is not None:
            pictures.network_row(link, settings, job, network, moving=True)
    st.container()  # where one looks back, at rest


def _at_rest(link: LinkState, settings: PlaneSettings, job: TrainingJob | None, several: bool) -> None:
    """All of it, at the step that is looked back to; without a network the plane alone, where it will stay."""
    if (job is not None and _active(job)) or _moved_on(link, settings):
        st.rerun()
    picture = st.container()
    if job is None:
        with picture:
            pictures.bare_row(link, settings)
        return
    with st.container():
        outcome = _("It takes the place of this one.")
        moment = rewind_panel(job, job.snapshot(), _branch if "lr" not in link.fixed else None, outcome)
    with picture:
        if moment.network is not None:
            pictures.network_row(link, settings, job, moment.network, past=moment.cursor is not None)
    _record(link, settings, job, several, moment)


def _record(link: LinkState, settings: PlaneSettings, job: TrainingJob, several: bool, moment: RunAtStep | None = None) -> None:
    """What stands below the plane; `several` says whether five seeds moved when the page was drawn."""
    if session.jobs().moving(panels.SEEDS_JOB) != several:
        st.rerun()
    panels.record(link, settings, job, moment)
