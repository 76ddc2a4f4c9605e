"""Runs side by side that outlive their session: the tab of the browser keeps them too, and gives them to a session that does not know them,
after a reload or a restart of the server (static/tab_name.js).

The browser is told when there is something new to keep, and fetches it beside the pages. What it gives back may be anything: it is read
as a file is.
"""

from typing import Any, cast

import streamlit as st

from mlp_core.reports.comparison.changes import short_name
from mlp_core.reports.comparison.kept_runs import MAX_NAME, KeptRuns
from mlp_core.reports.comparison.saved_runs import MAX_LENGTH, MAX_STEPS, read_back, saved
from mlp_core.spec import SpecError
from mlp_core.words import Message, count, counted, joined
from pages.language import _
from pages.ui import session
from pages.ui.run import kept_runs
from pages.ui.text import escaped
from pages.ui.updates import new_address

_LOST = "_lost_runs"


class _Memory:
    """What a session has its browser keep.

    Attributes:
        version: another one for every change of it; 0 while there was nothing to keep.
        heard: whether the browser has given what it had from a session before.
    """

    def __init__(self) -> None:
        self.version, self.heard = 0, False
        self.address = new_address(self)
        self._kept = KeptRuns()

    def keep(self, kept: KeptRuns) -> None:
        if _contents(kept) != _contents(self._kept):
            self.version += 1
        self._kept = kept

    def answer(self, _have: int) -> bytes:
        return saved(self._kept).encode()


def _contents(kept: KeptRuns) -> list[tuple[object, ...]]:
    """Another value for every change that somebody sees."""
    return [(run.id, run.name, run.pinned, run.shown, run.stop_reason, run.history.steps[-1], len(run.history.epochs)) for run in kept.runs]


def memory_of_tab() -> dict[str, Any]:
    """What the browser has to know: whether there is something new to keep, and where it is; which run would be lost with this session."""
    memory = _of_session()
    memory.keep(kept_runs.of_session())
    job = session.current_job()
    run = short_name(job.snapshot(), MAX_NAME) if job is not None and not job.ended else ""
    return {"address": memory.address, "version": memory.version, "heard": memory.heard, "run": run, "longest": MAX_LENGTH}


def bring_back(given: object) -> None:
    """Take what the browser had kept, beside what this session keeps by now; and find words for what is not there any more."""
    memory, kept = _of_session(), kept_runs.of_session()
    if memory.heard:
        return
    content = given if isinstance(given, dict) else {}
    text, run, words = content.get("kept"), content.get("run"), list[str]()
    if isinstance(run, str) and run and session.current_job() is None:
        words.append(
            Message(
                "The run **{run}** is gone: it ended with its server, or because its page was closed for too long.",
                run=escaped(run[:MAX_NAME]),
            )
        )
    if text:
        try:
            earlier, unread, left_out = read_back(str(text), kept.next_id)
        except SpecError as error:
            earlier, unread, left_out = KeptRuns(next_id=kept.next_id), error, 0
        if unread is not None:
            words.append(
                Message("Not all that this browser had kept of runs side by side can be read: {why}.", why=kept_runs.refused(unread))
            )
        if left_out:
            words.append(
                counted(
                    left_out,
                    "{n} older run had found no room in this browser.",
                    "{n} older runs had found no room in this browser.",
                )
            )
        if earlier.runs:
            back = counted(
                len(earlier.runs),
                "Back from this browser: {n} run, with no more than {steps} steps of a curve.",
                "Back from this browser: {n} runs, with no more than {steps} steps of a curve.",
                steps=count(MAX_STEPS),
            )
            st.session_state[kept_runs.NOTE] = back
            words += [back] if words else []
        for own in kept.runs:
            earlier = earlier.keep(own)
        st.session_state[kept_runs.KEPT] = earlier
    st.session_state[_LOST] = joined(*words)
    memory.heard = True  # last: a click that interrupts this has it begin again


def lost_runs() -> None:
    """Say what could not be brought back, until another run is begun."""
    if words := st.session_state.get(_LOST):
        if session.current_job() is not None:
            st.session_state[_LOST] = ""
        else:
            st.warning(_(words), icon=":material/restore:")


def _of_session() -> _Memory:
    if "_memory" not in st.session_state:
        st.session_state["_memory"] = _Memory()
    return cast(_Memory, st.session_state["_memory"])
