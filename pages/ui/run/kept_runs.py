"""Runs side by side: the list of those that were kept in this session, what sets them apart, and what a comparison can tell."""

import base64
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from statistics import mode
from typing import Any, cast

import streamlit as st

from mlp_core.jobs import JobSnapshot
from mlp_core.reports.comparison.changes import Difference, differences, instead
from mlp_core.reports.comparison.comparison import conclude
from mlp_core.reports.comparison.kept_runs import CAPACITY, MAX_NAME, MOST_UNASKED, KeptRun, KeptRuns
from mlp_core.spec import SpecError
from mlp_core.words import Message, count, counted, duration, joined, listed, percent
from pages.figures.palette import series_style
from pages.figures.series import CurveSeries
from pages.language import _
from pages.ui import text
from pages.ui.text import escaped, plain
from pages.ui.unbroken import button, unbroken

KEPT, ERROR, NOTE = "_kept_runs", "_kept_runs_error", "_kept_runs_note"
_RERUN, _CLEANED, _EDITED = "_kept_runs_rerun", "_kept_names_cleaned", "_kept_run_edited"
NOT_YET = "–"


def of_session() -> KeptRuns:
    """The runs that this session keeps."""
    return cast(KeptRuns, st.session_state.get(KEPT, KeptRuns()))


def keep(snapshot: JobSnapshot) -> None:
    """Keep a run as it stands: to be called when it ends, and before another takes its place."""
    st.session_state[KEPT] = of_session().keep(snapshot)


def series_of(kept: KeptRuns, current: JobSnapshot) -> CurveSeries:
    """The run on screen, with the label and the color that it has among the kept ones, or will have."""
    drawn = _drawn(kept, current)
    own = drawn[-1] if current.history.steps else None
    label, style = (_labels(drawn)[own.id], own.style) if own is not None else ("", None)
    return CurveSeries(current.history, current.steps_per_epoch, label, style, current.members)


def shown_series(kept: KeptRuns, current: JobSnapshot | None = None) -> list[CurveSeries]:
    """The kept runs that are to be drawn, the oldest first; without `current`, which is drawn as it is now (`series_of`)."""
    drawn = _drawn(kept, current)
    labels = _labels(drawn)
    beside = drawn[:-1] if current is not None and current.history.steps else drawn
    return [CurveSeries(run.history, run.steps_per_epoch, labels[run.id], run.style, run.members, run.from_file) for run in beside]


def _drawn(kept: KeptRuns, current: JobSnapshot | None) -> list[KeptRun]:
    """The runs that are drawn and compared, the oldest first, and last the one on screen as it is now, whether it is kept or not."""
    if current is not None:
        kept = kept.keep(current)
    own = kept.find(current) if current is not None else None
    return [*kept.shown(own), *([own] if own is not None else [])]


def _labels(runs: Sequence[KeptRun]) -> dict[int, str]:
    """What each of the runs that are drawn is called in the figure: the oldest by its name, another by what it has instead; by id."""
    labels: dict[int, str] = {}
    for run in runs:
        label = "" if run.renamed else _instead(run, runs[0])
        labels[run.id] = label if label and label not in labels.values() else run.name
    return {run.id: _named(labels[run.id], run) for run in runs}


def name_of(run: str) -> str:
    """The name of a run, or what else is told of it, as it is shown: what a person typed, or a file tells, stays."""
    return _(run) if isinstance(run, Message) else run


def names(runs: Sequence[str]) -> str:
    """The names of several runs, as Markdown that shows just them."""
    return _("; ").join(escaped(name_of(run)) for run in runs)


def _named(name: str, run: KeptRun) -> str:
    """The name of a run, with the words that it was not measured here where a file tells of it."""
    return _("{run} (from a file)", run=name) if run.from_file else name_of(name)


def refused(error: SpecError) -> str:
    """What is wrong with a file, or what the browser gave back: each part of it may be anybody's text."""
    return Message("{field} {rule}, got {value}", field=plain(error.field), rule=error.rule, value=plain(error.value))


def _instead(run: KeptRun, first: KeptRun) -> str:
    parts = [instead(run, first)]
    if len(run.members) != len(first.members):
        parts.append(counted(len(run.members) or 1, "{n} seed", "{n} seeds"))
    return listed([part for part in parts if part])


def follow_changes() -> None:
    """Where a click has changed the list, run the whole page: curves and what the browser keeps stand outside of the panel's fragment."""
    if st.session_state.pop(_RERUN, False):
        st.rerun()


def kept_runs_panel(current: JobSnapshot | None) -> None:
    """The list of kept runs with all that can be done to them, and the comparison of those that are shown.

    Args:
        current: the run on screen, which is compared too, kept or not.
    """
    kept = of_session()
    st.markdown(f"##### {_('Runs side by side')}")
    if not kept.runs:
        st.caption(_("A run that ends is kept here, the last {n} of them, so that you can lay the next one beside it.", n=CAPACITY))
        return
    if kept.let_go:
        name = plain(name_of(kept.let_go))
        st.caption(_("{run} made room for the newest: {n} runs are kept. A pinned one always stays.", run=name, n=CAPACITY))
    if note := st.session_state.get(NOTE):
        st.caption(_(note))
    _list(kept)
    _actions(kept, kept.find(current) if current is not None else None)
    _comparison(_drawn(kept, current), len(kept.runs))


def _list(kept: KeptRuns) -> None:
    """One row a run, the newest first."""
    runs = kept.runs[::-1]
    apart = differences(kept.runs)
    finals = [run.final for run in runs]
    columns: dict[str, Sequence[object]] = {
        "color": [_swatch(run) for run in runs],
        "run": [name_of(run.name) for run in runs],
        **({"source": [_("a file") if run.from_file else _("trained here") for run in runs]} if any(run.from_file for run in runs) else {}),
        "differs": [_apart(apart, len(runs) - 1 - row) for row in range(len(runs))],
        "test_accuracy": [final and 100 * final.test_accuracy for final in finals],
        "best": [final and 100 * final.best_test_accuracy for final in finals],
        "train_loss": [final and final.train_loss for final in finals],
        "test_loss": [final and final.test_loss for final in finals],
        "parameters": [count(run.parameters) for run in runs],
        "pinned": [run.pinned for run in runs],
        "time": [_(duration(run.elapsed_seconds)) for run in runs],
        "end": [name_of(run.stop_reason.detail) if run.stop_reason is not None else _("Paused.") for run in runs],
    }
    if any(run.members for run in runs):
        columns["seeds"] = [_seeds(run) for run in runs]
    words, number = st.column_config.TextColumn, st.column_config.NumberColumn
    in_percent = _("{number} %", number="%.1f") + "%"  # as printf writes a %
    config = {
        "color": st.column_config.ImageColumn("", width=30, help=_("Its line in the curves.")),
        "run": words(_("Run"), width=_width(columns["run"])),
        "differs": words(_("Differs in"), width=_width(columns["differs"]), help=_("What it has in another way than most of these runs.")),
        "test_accuracy": number(_("Test accuracy"), format=in_percent, help=_("After the last epoch; of several seeds the mean.")),
        "best": number(_("Best"), format=in_percent, help=_("Of all epochs. Chosen by the test images themselves, so a little too good.")),
        "train_loss": number(_("Train loss"), format="%.4f", help=_("Mean of the last epoch.")),
        "test_loss": number(_("Test loss"), format="%.4f", help=_("After the last epoch.")),
        "parameters": words(_("Parameters")),
        "pinned": st.column_config.CheckboxColumn(_("Pinned")),
        "time": words(_("Time")),
        "end": words(_("End")),
        "source": words(_("Source"), help=_("What stands in a file was not measured here: it is shown as it was told.")),
        "seeds": words(_("Seeds"), help=_("How many, and the lowest and highest test accuracy among them.")),
    }
    st.dataframe(columns, hide_index=True, column_config=config, height="content", alt=_("The runs that were kept, with their numbers"))


def _width(texts: Sequence[object]) -> int:
    """Of a column that cuts none of its texts, in pixels."""
    return max(120, 20 + 8 * max(len(str(text)) for text in texts))


def _apart(apart: Sequence[Difference], index: int) -> str:
    """What a run has in another way than most of them, or than the first where no value is the most frequent."""
    return _(listed([one.parts[index] for one in apart if one.values[index] not in (mode(one.values), None)])) or NOT_YET


def _seeds(run: KeptRun) -> str:
    final = run.final
    if not run.members or final is None:
        return NOT_YET
    low, high = percent(min(final.test_accuracies)), percent(max(final.test_accuracies))
    return _("{n}: {low} to {high}", n=len(run.members), low=low, high=high)


def _actions(kept: KeptRuns, on_screen: KeptRun | None) -> None:
    """Which runs are drawn beside the one on screen; and in a popover, what else can be done to one."""
    newest_first = kept.runs[::-1]
    named = {run.id: _named(run.name, run) for run in kept.runs}
    these = "_".join(map(str, named))  # with other runs, other widgets, which begin with what is kept of them
    if beside := [run.id for run in newest_first if run is not on_screen]:
        shown = [run.id for run in kept.shown(on_screen)]
        key = f"kept_shown_{these}_beside_{on_screen.id if on_screen is not None else 'none'}"
        st.pills(
            _("In the curves"),
            beside,
            selection_mode="multi",
            default=shown,
            format_func=lambda id: escaped(named[id]),
            key=key,
            on_change=unbroken(_change),
            args=(None, lambda kept: kept.show(frozenset(st.session_state[key]), frozenset(beside))),
            help=_(
                "Runs that are drawn in one figure and compared; if you choose none, the newest {n}. Click to show or hide.",
                n=MOST_UNASKED,
            ),
        )
    with st.popover(_("Rename, pin, remove"), icon=":material/edit:"):
        options, before = [run.id for run in newest_first], st.session_state.get(_EDITED)
        index = options.index(before) if before in options else 0
        # The browser sends a choice back by its label: other labels, as after a new name or in another language, are another widget's.
        labels = zlib.crc32("\n".join(named.values()).encode())
        chosen = st.selectbox(_("Run"), options, index, named.__getitem__, key=f"kept_edit_{these}_{labels:08x}")
        st.session_state[_EDITED] = chosen
        _edit(next(run for run in kept.runs if run.id == chosen))


def _edit(run: KeptRun) -> None:
    # The key is not of the name too: a renamed run would get another box, for a moment beside its old one.
    key = f"kept_name_{run.id}.{st.session_state.get(_CLEANED, 0)}"
    st.text_input(_("Name"), name_of(run.name), max_chars=MAX_NAME, key=key, on_change=unbroken(_rename), args=(run.id, key))
    of, error = st.session_state.get(ERROR) or (None, None)
    if error is not None and of == run.id:
        st.error(_("{why}.", why=text.refused(error)), icon=":material/error:")
    with st.container(horizontal=True):
        label, help = _("Pin"), _("Keep it when more than {n} runs are there.", n=CAPACITY)
        if run.pinned:
            label, help = _("Unpin"), _("Let it make room again.")
        pin = partial(KeptRuns.pin, id=run.id, pinned=not run.pinned)
        button(label, "kept_pin", "keep", _change, run.id, pin, help=help)
        button(_("Remove"), "kept_remove", "delete", _change, run.id, partial(KeptRuns.remove, id=run.id))
        button(_("Remove all"), "kept_clear", "delete_sweep", _change, run.id, KeptRuns.clear, type="tertiary")


def _rename(id: int, key: str) -> None:
    typed = st.session_state[key]
    _change(id, lambda kept: kept.rename(id, typed))
    for run in of_session().runs:  # it may have been removed meanwhile
        if run.id == id and st.session_state[ERROR] is None and run.name != typed:
            st.session_state[_CLEANED] = st.session_state.get(_CLEANED, 0) + 1  # another box, with the name as it was taken


def _change(id: int | None, change: Callable[[KeptRuns], KeptRuns]) -> None:
    """Change what is kept; where that cannot be, the page says why beside the run of this id."""
    try:
        st.session_state[KEPT], st.session_state[ERROR], st.session_state[_RERUN] = change(of_session()), None, True
    except SpecError as error:
        st.session_state[ERROR] = (id, error)


def _comparison(runs: Sequence[KeptRun], kept: int) -> None:
    """What was changed between the runs that are drawn, and what that tells.

    Args:
        kept: how many there are to choose from.
    """
    if len(runs) < 2:
        st.caption(_("Show two runs to compare them.") if kept > 1 else _("Change one thing and train again: the two are compared here."))
        return
    if told := [run.name for run in runs if run.from_file]:
        not_here = Message("Told by a file, and not measured here: {runs}.", runs=names(told))
        st.caption(_(joined(not_here, Message("To measure one, load its file alone and press Train."))))
    found = differences(runs)
    said = conclude(runs, found)
    words = _(joined(f"**{escaped(_(said.headline))}**", escaped(_(said.outcome)), escaped(_(said.advice))))
    if len(found) < 2:
        st.success(words, icon=":material/check_circle:")
    else:
        st.warning(words, icon=":material/help:")
    if found:
        columns = {"thing": [_(difference.thing.name) for difference in found]}
        columns |= {f"run {run.id}": [name_of(one.values[index] or NOT_YET) for one in found] for index, run in enumerate(runs)}
        config: dict[Any, Any] = {"thing": _("What was changed")} | {f"run {run.id}": name_of(run.name) for run in runs}
        st.dataframe(columns, hide_index=True, column_config=config, height="content", alt=_("What was changed"))


def _swatch(run: KeptRun) -> str:
    """A small picture of a run's line in the legend: its color and dash, and a hollow dot where a file tells of it."""
    look = series_style(run.style)
    dashes = {"solid": "", "dash": "8 4", "dot": "3 3"}[look["dash"]]
    line = f'<line x1="0" y1="8" x2="32" y2="8" stroke="{look["color"]}" stroke-width="6" stroke-dasharray="{dashes}"/>'
    dot = f'<circle cx="16" cy="8" r="5" fill="#fff" stroke="{look["color"]}" stroke-width="3"/>' if run.from_file else ""
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="16" viewBox="0 0 32 16">{line}{dot}</svg>'
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
