"""Bring an experiment's file back: read, check, set the page's controls, or say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mlp_core.records import LrChange
from mlp_core.reports.export.experiment import MAX_FILE_BYTES, Experiment
from mlp_core.spec import RunSpec, SpecError
from pages.ui.text import plain
from pages.ui.unbroken import unbroken

_FILE = "experiment_file"
_OUTCOME = "_experiment_outcome"
_RERUN = "_experiment_rerun"
MOST_CHANGES = 5  # that get words


def load_panel(load: Callable[[RunSpec], None]) -> None:
    """A place for an experiment's file, and what became of the last one.

    Args:
        load: sets the page's controls to a spec, or raises `SpecError`; called from a callback, before anything is drawn.
    """
    st.file_uploader(
        "Load an experiment (JSON)",
        "json",
        key=_FILE,
        max_upload_size=MAX_FILE_BYTES // 1_000_000,
        on_change=unbroken(_take),
        args=(load,),
        help="Sets every control to the file's experiment. The file is read as text; nothing in it is executed.",
    )
    if st.session_state.pop(_RERUN, False):
        st.rerun()  # the whole page, whose controls stand outside of a fragment
    outcome = st.session_state.get(_OUTCOME)
    if isinstance(outcome, SpecError):
        st.error(f"This file cannot be loaded: {plain(outcome.field)} {outcome.rule}, got {plain(outcome.value)}.", icon=":material/error:")
    elif isinstance(outcome, Experiment):
        st.success(_loaded(outcome), icon=":material/check_circle:")


def changes_in_words(changes: tuple[LrChange, ...]) -> str:
    """Changes of the learning rate, the first few of them."""
    shown = [f"{change.lr:g} after step {change.step:,}" for change in changes[:MOST_CHANGES]]
    return ", ".join(shown) + (", …" if len(changes) > MOST_CHANGES else "")


def _take(load: Callable[[RunSpec], None]) -> None:
    file = st.session_state.get(_FILE)
    if file is None:
        st.session_state.pop(_OUTCOME, None)
        return
    try:
        experiment = Experiment.from_json(file.getvalue())
        load(experiment.spec)
    except SpecError as error:
        st.session_state[_OUTCOME] = error
        return
    st.session_state[_OUTCOME] = experiment
    st.session_state[_RERUN] = True


def _loaded(experiment: Experiment) -> str:
    what = f"the experiment {plain(experiment.name)}" if experiment.name else "the file's experiment"
    text = f"The controls describe {what} now."
    if experiment.lr_changes:
        text += f" In its run the learning rate was changed: {changes_in_words(experiment.lr_changes)}. Change it there while you train."
    return text
