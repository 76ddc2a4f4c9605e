"""What belongs to one visitor: the run on screen, and what was chosen before. With its neighbors in `pages.ui` the only place that touches
`st.session_state`. Draws nothing that a person sees.
"""

from __future__ import annotations

import atexit
import gc
import re
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

import streamlit as st
import torch

from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.runtime.matmul import MatmulChoice, choose_matmul
from mlp_core.runtime.memory import available_bytes
from mlp_core.training import Run

MEMORY_SHARE = 0.5  # of the memory free at the start: for all networks together, so that no visitor can take the server down
TAB_NAME = re.compile(r"[0-9a-f]{32}")

# A tab keeps a random name for as long as it lives, so that a refresh, which begins a new session, finds its run again. It is kept in
# sessionStorage and not in the address: a link that is passed on must not pass on the run. A duplicated tab begins with a copy of that
# storage: a living tab holds a lock on its name, and who does not get that lock takes another name. Browsers have locks only on https and
# on localhost. Elsewhere, as with http in a classroom's network, a tab asks the others, which answer when they are not busy.
_TAB_SCRIPT = """
const PATIENCE_MS = 1000;
export default function({ setStateValue }) {
  window.mlpTab ??= nameOfThisTab();
  window.mlpTab.then((name) => setStateValue("name", name));
}
async function nameOfThisTab() {
  const hold = navigator.locks ? lock : claim;
  let name = sessionStorage.getItem("mlp-tab");
  if (!/^[0-9a-f]{32}$/.test(name ?? "") || !await hold(name)) {
    name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("mlp-tab", name);
    hold(name, true);
  }
  return name;
}
// Both resolve to whether this tab has the name now, and keep it for as long as the tab lives.
function lock(name) {
  return new Promise((answer) => {
    const keep = () => { answer(true); return new Promise(() => {}); };
    const gone = { signal: AbortSignal.timeout(PATIENCE_MS) };  // a tab that is being reloaded lets go of its lock meanwhile
    navigator.locks.request(`mlp-tab ${name}`, gone, keep).catch(() => answer(false));
  });
}
function claim(name, fresh) {
  const tabs = new BroadcastChannel("mlp-tabs");
  return new Promise((answer) => {
    const keep = () => {
      tabs.onmessage = ({ data }) => { if (data.asked === name) tabs.postMessage({ taken: name }); };
      answer(true);
    };
    const own = setTimeout(keep, fresh ? 0 : PATIENCE_MS);
    tabs.onmessage = ({ data }) => { if (data.taken === name) { clearTimeout(own); tabs.close(); answer(false); } };
    tabs.postMessage({ asked: name });
  });
}
"""


@dataclass(slots=True, eq=False)
class Lease:
    """A session's hold on its job; Streamlit releases it when the session ends, which parks the job."""

    job: TrainingJob | None = None

    def hold(self, job: TrainingJob) -> None:
        self.job = job
        job.claim(self)

    def release(self) -> None:
        if self.job is not None:
            self.job.park(self)
            self.job = None

    def give_up(self) -> None:
        if self.job is not None:
            self.job.give_up(self)
            self.job = None


@st.cache_resource(show_spinner=False)
def engine() -> tuple[Scheduler, MatmulChoice]:
    """The process's one scheduler, and the matrix product in use."""
    torch.set_num_threads(1)  # jobs take turns; two threads would fight with the server for two cores
    choice = choose_matmul()
    # Streamlit's own collection after every script run is off (.streamlit/config.toml); with everything that was imported frozen,
    # the collections that remain do not walk torch's object graph while they hold the interpreter.
    gc.collect()
    gc.freeze()
    scheduler = Scheduler(memory_bytes=int(MEMORY_SHARE * available_bytes()))
    atexit.register(scheduler.close)
    return scheduler, choice


@st.cache_resource(show_spinner=False)
def _jobs_by_tab() -> WeakValueDictionary[str, TrainingJob]:
    """Tab -> its job, for as long as a session or the scheduler cares for it."""
    return WeakValueDictionary()


@st.cache_resource(scope="session", show_spinner=False, on_release=Lease.release)
def _lease() -> Lease:
    return Lease()


def current_job() -> TrainingJob | None:
    """The job of this tab, also after a refresh or a lost connection; None where there is none."""
    lease = _lease()
    if lease.job is None:
        job = st.session_state.get("_job") or _jobs_by_tab().get(_tab() or "")
        if job is not None:
            _adopt(job)
    return lease.job


def on_job(action: Callable[[TrainingJob], None]) -> Callable[[], None]:
    """A callback that does `action` to this tab's job, if there is one by then."""

    def act() -> None:
        if (job := current_job()) is not None:
            action(job)

    return act


def start_job(make: Callable[[], Run]) -> TrainingJob:
    """Make the run that `make` gives this tab's own, in the place of the one before, which ends.

    Raises:
        SpecError, ExpressionError, MemoryBudgetError: the network cannot be trained here; then this tab has no run.
    """
    forget_job()
    job = TrainingJob(make(), engine()[0])
    _adopt(job)
    return job


def forget_job() -> None:
    """Let go of this tab's job, which ends it, unless a duplicate of this tab shows it too."""
    if current_job() is not None:
        _lease().give_up()
    st.session_state.pop("_job", None)
    _jobs_by_tab().pop(_tab() or "", None)


def _adopt(job: TrainingJob) -> None:
    st.session_state["_job"] = job
    if (tab := _tab()) is not None:
        _jobs_by_tab()[tab] = job
    _lease().hold(job)  # last, since whoever finds a job there takes it for adopted


def _remember_job() -> None:
    """Who was quick to press Train has a job before the tab has a name."""
    if (job := _lease().job) is not None:
        _adopt(job)


def identify_tab() -> None:
    """Ask the browser for its tab's name; the answer comes with the next rerun."""
    _tab_component()(key="_tab", on_name_change=_remember_job, height=1)


@st.cache_resource(show_spinner=False)
def _tab_component():  # type: ignore[no-untyped-def]
    return st.components.v2.component("tab_name", js=_TAB_SCRIPT, html="")


def _tab() -> str | None:
    name = (st.session_state.get("_tab") or {}).get("name")
    return name if isinstance(name, str) and TAB_NAME.fullmatch(name) else None
