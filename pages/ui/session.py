"""What belongs to one visitor's session: its jobs, by name, which end with it; and among them the run of the training page, which a refresh
finds again.

    job = start_job("plane", key, make)             one job, in the place of the one before under this name
    start_group("dropout", key, planned, at_once=2) several, so many of them at a time
    jobs().group("dropout")                         what was last started under a name
    jobs().give_up("dropout")                       end it
"""

import atexit
import gc
import re
import threading
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import streamlit as st
import torch
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mlp_core.expression import ExpressionError
from mlp_core.jobs import Computation, MemoryBudgetError, Scheduler, TrainingJob
from mlp_core.jobs.scheduled import Job, Lifetime
from mlp_core.runtime.devices import MatmulChoice, choose_matmul
from mlp_core.runtime.memory import available_bytes
from mlp_core.spec import SpecError
from mlp_core.training import Run
from mlp_core.words import Message
from pages.ui.navigation import NARROW_PX, tell_of_window
from pages.ui.served_component import served_component
from pages.ui.unbroken import unbroken

MEMORY_SHARE = 0.5  # of the memory free at the start: for all networks together, so that no visitor can take the server down
UNTRAINABLE = (SpecError, ExpressionError, MemoryBudgetError)  # what is raised by a run that cannot be trained here
ENDING_SECONDS = 1.0  # after which a session that has ended is no longer counted; far less than a job stays parked
TAB_JOB = "train"  # under which name a session holds the run of the training page
TAB_NAME = re.compile(r"[0-9a-f]{32}")


class Planned(NamedTuple):
    """A run to be made when its turn comes, and what it is called beside the others."""

    title: str
    make: Callable[[], Run]


class TitledJob(NamedTuple):
    """A job, and what it is called beside the others."""

    title: str
    job: TrainingJob


@dataclass(slots=True, eq=False)
class JobGroup:
    """Jobs that were started under one name, `at_once` of them at a time.

    Args:
        key: equal for equal experiments.
        waiting: not started yet, in their order.
        edited: whether a weight was set by hand, so that they are not the experiment's alone.
    """

    key: Hashable
    waiting: list[Planned] = field(default_factory=list)
    at_once: int = 1
    started: list[TitledJob] = field(default_factory=list)
    error: Exception | None = None  # why the rest could not be started
    edited: bool = False

    @property
    def jobs(self) -> list[TrainingJob]:
        return [job for _, job in self.started]

    @property
    def moving(self) -> bool:
        """Whether there will be something new to see."""
        return bool(self.waiting) or any(job.moving for job in self.jobs)

    def stop(self) -> None:
        """End what trains and drop what waits; what was reached stays to be seen."""
        self.waiting.clear()
        for job in self.jobs:
            job.stop()


@dataclass(slots=True, eq=False)
class SessionJobs:
    """A session's hold on its jobs, by name. When the session ends they are parked, and let go."""

    session: str = ""
    groups: dict[str, JobGroup] = field(default_factory=dict)
    computations: dict[str, tuple[Hashable, Computation[Any]]] = field(default_factory=dict)
    work: dict[str, Job] = field(default_factory=dict)  # which other sessions may hold too

    def group(self, name: str) -> JobGroup | None:
        """What was last started under this name."""
        return self.groups.get(name)

    def job(self, name: str) -> TrainingJob | None:
        """The one job that was last started under this name, if it could be."""
        group = self.group(name)
        return group.jobs[0] if group is not None and group.started else None

    def moving(self, name: str) -> bool:
        """Whether there will be something new to see of what was started under this name."""
        return (group := self.groups.get(name)) is not None and group.moving

    def hold(self, name: str, group: JobGroup) -> None:
        """Hold a group under this name, in the place of the one before, which ends."""
        self.give_up(name)
        for job in group.jobs:
            job.lifetime.claim(self)
        self.groups[name] = group  # last, since whoever finds a group there takes its jobs for claimed

    def advance(self, group: JobGroup) -> None:
        """Start what there is room for, and wake what was paused while nobody looked."""
        for job in group.jobs:
            if job.state == "paused":
                job.play()
        while group.waiting and sum(not job.ended for job in group.jobs) < group.at_once:
            planned = group.waiting.pop(0)
            try:
                job = TrainingJob(planned.make(), engine()[0])
            except UNTRAINABLE as error:
                group.error = error
                group.waiting.clear()
                return
            job.lifetime.claim(self)
            job.play()
            group.started.append(TitledJob(planned.title, job))

    def give_up(self, name: str) -> None:
        """Let go of what is held under this name; jobs that nobody else shows end."""
        if (group := self.groups.pop(name, None)) is not None:
            for job in group.jobs:
                job.lifetime.give_up(self)

    def computation(self, name: str, key: Hashable, pieces: Callable[[], Generator[float, None, Any]]) -> Computation[Any]:
        """What is computed for `key` under this name; begun now, in the place of what was computed for another."""
        held = self.computations.get(name)
        if held is None or held[0] != key:
            if held is not None:
                held[1].lifetime.give_up(self)
            held = self.computations[name] = key, Computation(pieces(), engine()[0])
            held[1].lifetime.claim(self)
        return held[1]

    def share(self, name: str, job: Job) -> None:
        """Hold a job under this name, in the place of the one before; it ends when nobody holds it."""
        if (held := self.work.get(name)) is not job:
            job.lifetime.claim(self)
            self.work[name] = job
            if held is not None:
                held.lifetime.give_up(self)

    def leave(self, name: str) -> None:
        """Let go of the job under this name."""
        if (held := self.work.pop(name, None)) is not None:
            held.lifetime.give_up(self)

    def lifetimes(self) -> list[Lifetime]:
        """Of everything that is held."""
        of_jobs = [job.lifetime for group in tuple(self.groups.values()) for job in group.jobs]
        of_computations = [job.lifetime for _, job in tuple(self.computations.values())]
        return of_jobs + of_computations + [job.lifetime for job in tuple(self.work.values())]

    def claim(self) -> None:
        """Hold everything again, if it is still there."""
        for lifetime in self.lifetimes():
            lifetime.claim(self)

    def park(self) -> None:
        """Perhaps nobody looks any more."""
        for lifetime in self.lifetimes():
            lifetime.park(self)

    def release(self) -> None:
        """Park every job and let go of it: nobody looks any more."""
        self.park()
        self.groups.clear()
        self.computations.clear()
        self.work.clear()


# Work is kept here, in the process itself: Streamlit's caches may be emptied for everybody, from a menu or by any page.
_lock = threading.Lock()
_engine: list[tuple[Scheduler, MatmulChoice]] = []
_sessions: dict[str, SessionJobs] = {}
_jobs_by_tab: WeakValueDictionary[str, TrainingJob] = WeakValueDictionary()  # for as long as a session or the scheduler cares for them


def engine() -> tuple[Scheduler, MatmulChoice]:
    """The process's one scheduler, and the matrix product in use."""
    with _lock:
        if not _engine:
            _engine.append(_new_engine())
        return _engine[0]


def _new_engine() -> tuple[Scheduler, MatmulChoice]:
    torch.set_num_threads(1)  # jobs take turns; two threads would fight with the server for two cores
    choice = choose_matmul()
    # Streamlit's own collection after every script run is off (.streamlit/config.toml); with everything that was imported frozen,
    # the collections that remain do not walk torch's object graph while they hold the interpreter.
    gc.collect()
    gc.freeze()
    scheduler = Scheduler(memory_bytes=int(MEMORY_SHARE * available_bytes()))
    atexit.register(scheduler.close)
    return scheduler, choice


def jobs() -> SessionJobs:
    """This session's jobs, none at first."""
    context = get_script_run_ctx()
    session = context.session_id if context is not None else ""
    with _lock:
        mine = _sessions.setdefault(session, SessionJobs(session))
    if runtime.exists() and not _goes_on(session):  # a script that has outlived its visit: nobody will tell of an end again
        _let_go(mine)
        return mine
    return _until_dropped(mine)


def _let_go(mine: SessionJobs) -> None:
    """Streamlit drops what it cached for a session: because that has ended, or because somebody has emptied the caches."""
    mine.park()
    if runtime.exists():  # it still counts a session that is just ending
        timer = threading.Timer(ENDING_SECONDS, _settle, (mine,))
        timer.daemon = True
        timer.start()
    else:
        _settle(mine)


@st.cache_resource(scope="session", show_spinner=False, on_release=_let_go)
def _until_dropped(_mine: SessionJobs) -> SessionJobs:
    """The same, and no more than a way to hear that the session ends."""
    _mine.claim()
    return _mine


def _settle(mine: SessionJobs) -> None:
    if _goes_on(mine.session):
        mine.claim()
        return
    with _lock:
        _sessions.pop(mine.session, None)
    mine.release()  # what its last script has claimed since, too


def _goes_on(session: str) -> bool:
    """Whether a browser is connected to the session."""
    return runtime.exists() and runtime.get_instance().is_active_session(session)


def start_job(name: str, key: Hashable, make: Callable[[], Run]) -> TrainingJob:
    """A new job under this name, ready to be played, in the place of the one before, which ends.

    Raises:
        SpecError, ExpressionError, MemoryBudgetError (`UNTRAINABLE`): it cannot be trained here; then there is none under this name.
    """
    jobs().give_up(name)
    job = TrainingJob(make(), engine()[0])
    jobs().hold(name, JobGroup(key, started=[TitledJob("", job)]))
    return job


def start_group(name: str, key: Hashable, planned: Sequence[Planned], at_once: int = 1) -> None:
    """Train several runs, `at_once` of them at a time, in the place of those before under this name, which end.

    Where one of the first cannot be trained here none is started, and the group says why.
    """
    group = JobGroup(key, list(planned), at_once)
    jobs().hold(name, group)
    jobs().advance(group)
    if group.error is not None:
        for job in group.jobs:
            job.lifetime.give_up(jobs())
        group.started.clear()


def current_job() -> TrainingJob | None:
    """The run of the training page in this tab, also after a refresh or a lost connection; None where there is none."""
    job = jobs().job(TAB_JOB)
    if job is None and (job := st.session_state.get("_job") or _jobs_by_tab.get(_tab() or "")) is not None:
        _adopt(job)
    return job


def on_job(action: Callable[[TrainingJob], None]) -> Callable[[], None]:
    """A callback that does `action` to this tab's job, if there is one by then."""

    def callback() -> None:
        if (job := current_job()) is not None:
            action(job)

    return callback


def start_current_job(make: Callable[[], Run]) -> TrainingJob:
    """Make the run that `make` gives this tab's own, in the place of the one before, which ends.

    Raises:
        SpecError, ExpressionError, MemoryBudgetError (`UNTRAINABLE`): the network cannot be trained here; then this tab has no run.
    """
    forget_current_job()
    job = TrainingJob(make(), engine()[0])
    _adopt(job)
    return job


def forget_current_job() -> None:
    """Let go of this tab's job, which ends it, unless a duplicate of this tab shows it too."""
    current_job()  # which a refresh may have left without a holder
    jobs().give_up(TAB_JOB)
    st.session_state.pop("_job", None)
    _jobs_by_tab.pop(_tab() or "", None)


def _adopt(job: TrainingJob) -> None:
    _remember(job)
    jobs().hold(TAB_JOB, JobGroup(None, started=[TitledJob("", job)]))  # last, since whoever finds a job there takes it for remembered


def _remember(job: TrainingJob) -> None:
    """Have this session find the job after a lost connection, and the next one after a refresh."""
    st.session_state["_job"] = job
    if (tab := _tab()) is not None:
        _jobs_by_tab[tab] = job


def _hear_from_tab() -> None:
    """It has told how wide its window is, or its name: who was quick to press Train has a job before the tab has one."""
    told = st.session_state.get("_tab") or {}
    tell_of_window(told.get("narrow") is True)
    if (secret := _name(told.get("browser"))) is not None:
        st.session_state["_browser"] = secret  # for all pages: a component's answers end with the page that it is on
    if (job := jobs().job(TAB_JOB)) is not None:
        _remember(job)


def identify_tab(
    memory: Mapping[str, Any] | None = None, bring_back: Callable[[object], None] = lambda _: None, *, browser: bool = False
) -> None:
    """Ask the browser for its tab's name, which lasts as long as the tab (static/tab_name.js), whether its window is narrow, and for the
    runs that it keeps.

    The answers come with the next reruns.

    Args:
        memory: what it has to know to keep runs (`pages.ui.run.kept_in_browser`).
        bring_back: takes what it had kept.
        browser: whether it is asked for its secret too (`browser_secret`).
    """
    component, heard = served_component("tab_name", Message("The name of this tab"), isolate_styles=True), unbroken(_hear_from_tab)
    told = {f"on_{name}_change": heard for name in ("name", "narrow", "lost", "browser")}
    given = unbroken(lambda: bring_back((st.session_state.get("_tab") or {}).get("kept")))
    data = {"narrow_px": NARROW_PX, "memory": memory, "browser": browser}
    component(key="_tab", data=data, on_kept_change=given, **told, height=1)


def browser_secret() -> str | None:
    """The same in all tabs of a browser, and known to nobody else; None until it has told."""
    return _name(st.session_state.get("_browser"))


def _tab() -> str | None:
    return _name((st.session_state.get("_tab") or {}).get("name"))


def _name(told: object) -> str | None:
    return told if isinstance(told, str) and TAB_NAME.fullmatch(told) else None
