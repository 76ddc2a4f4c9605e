"""Experiments from files: the controls set to one, its curves laid beside the run on screen, or those of several files at once.

What a file tells was not measured here, and is never shown without saying so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import streamlit as st

from mlp_core.records import SettingChange
from mlp_core.reports.comparison.kept_runs import CAPACITY, KeptRun
from mlp_core.reports.comparison.saved_runs import run_of_file
from mlp_core.reports.export import Experiment, read_file
from mlp_core.reports.export.experiment import MAX_FILE_BYTES
from mlp_core.spec import RunSpec, SpecError
from mlp_core.words import Message, count, counted, joined, listed
from pages.language import _
from pages.ui.run import kept_runs
from pages.ui.text import plain
from pages.ui.unbroken import unbroken
from pages.ui.uploads import all_uploaded

Load = Callable[[RunSpec, Sequence[SettingChange]], None]

_OUTCOME, _RERUN, _TAKEN = "_experiment_outcome", "_experiment_rerun", "_experiment_uploads"
MOST_FILES = 2 * CAPACITY  # read at once
MOST_CHANGES = 5  # that get words
MOST_NAMED = 12  # refused files


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of the files that were handed in last.

    Args:
        refused: names of files, and why.
        loaded: the experiment that the controls were set to.
        drawn: names of runs; `known` says how many files told of one that was in the list already.
        bare: names of files that tell of no run.
        let_go: names of runs that made room; `left_out` says how many found none.
    """

    refused: tuple[tuple[str, SpecError], ...]
    loaded: Experiment | None
    drawn: tuple[str, ...]
    known: int
    bare: tuple[str, ...]
    let_go: tuple[str, ...]
    left_out: int


def experiment_files(load: Load) -> None:
    """A place for experiments' files, and what became of the last ones.

    Args:
        load: sets the page's controls to a spec, with changes on the way, or raises `SpecError`; called from a callback.
    """
    key = f"experiment_files_{st.session_state.get(_TAKEN, 0)}"  # a new one after each time: what was read need not be kept
    st.file_uploader(
        _("Load experiments (JSON)"),
        "json",
        accept_multiple_files=True,
        key=key,
        max_upload_size=MAX_FILE_BYTES // 1_000_000,
        on_change=unbroken(_take),
        args=(key, load),
        help=_(
            "One file sets every control to its experiment and draws its curves beside yours; several are drawn together. They are read as "
            "text; nothing in them is executed."
        ),
    )
    if st.session_state.pop(_RERUN, False):
        st.rerun()  # the whole page, whose controls and curves stand outside of a fragment
    if (outcome := st.session_state.get(_OUTCOME)) is not None:
        _say(outcome)


def changes_in_words(changes: Sequence[SettingChange]) -> str:
    """Changes in mid-run, the first few of them."""
    shown = [Message("{change} after step {step}", change=change.words, step=count(change.step)) for change in changes[:MOST_CHANGES]]
    return listed([*shown, *(["…"] if len(changes) > MOST_CHANGES else [])])


def _take(key: str, load: Load) -> None:
    files = all_uploaded(key)
    if not files:
        return
    errors, loaded, told, bare = list[tuple[str, SpecError]](), None, list[KeptRun](), list[str]()
    for number, (name, content) in enumerate(files, start=1):
        try:
            if number > MOST_FILES:
                raise SpecError("files", Message("must be at most {n} at once", n=MOST_FILES), number)
            experiment, results = read_file(content)
            if len(files) == 1:
                load(experiment.spec, experiment.changes)
                loaded = experiment
        except SpecError as error:
            errors.append((name, error))
        else:
            if results is not None:
                told.append(run_of_file(experiment, results))
            else:
                bare.append(name)
    before = kept_runs.of_session()
    together = before.keep_together(told)
    kept, ids = together.kept, together.ids
    st.session_state[_OUTCOME] = _Outcome(
        refused=tuple(errors),
        loaded=loaded,
        drawn=tuple(run.name for run in kept.runs if run.id in ids),
        known=len(told) - together.left_out - len(set(ids) - {run.id for run in before.runs}),
        bare=tuple(bare),
        let_go=together.let_go,
        left_out=together.left_out,
    )
    st.session_state[_RERUN] = True
    st.session_state[_TAKEN] = st.session_state.get(_TAKEN, 0) + 1
    st.session_state[kept_runs.KEPT] = kept  # last: a click that interrupts this has it begin again


def _say(outcome: _Outcome) -> None:
    errors = [_("{file} cannot be loaded: {why}.", file=plain(name), why=kept_runs.refused(error)) for name, error in outcome.refused]
    if len(errors) > MOST_NAMED:
        errors = [*errors[:MOST_NAMED], _("Nor can {n} more.", n=len(errors) - MOST_NAMED)]
    if errors:
        st.error("\n\n".join(errors), icon=":material/error:")
    if words := joined(*_taken(outcome)):
        st.success(_(words), icon=":material/check_circle:")
    room = [Message("{runs} made room.", runs=kept_runs.names(outcome.let_go))] if outcome.let_go else []
    if outcome.left_out:
        room.append(
            counted(
                outcome.left_out,
                "{n} run found no room: pinned runs and those of these files stay.",
                "{n} runs found no room: pinned runs and those of these files stay.",
            )
        )
    if room:
        st.warning(_(joined(*room, Message("{n} runs are kept.", n=CAPACITY))), icon=":material/inventory_2:")


def _taken(outcome: _Outcome) -> Iterator[str]:
    """Sentences on what was taken."""
    if (loaded := outcome.loaded) is not None:
        if loaded.name:
            yield Message("The controls were set to the experiment {name}.", name=plain(loaded.name))
        else:
            yield Message("The controls were set to the file's experiment.")
        if loaded.changes:
            yield Message("Train makes the same changes on the way: {changes}.", changes=changes_in_words(loaded.changes))
    if outcome.drawn:
        names = kept_runs.names(outcome.drawn)
        yield Message("Drawn beside, marked “from a file” since nothing of it was measured here: {names}.", names=names)
    if outcome.known:
        yield counted(
            outcome.known,
            "{n} file told of a run that was in the list already.",
            "{n} files told of a run that was in the list already.",
        )
    if outcome.bare:
        yield Message("No curves are in {files}.", files=listed([plain(name) for name in outcome.bare]))
