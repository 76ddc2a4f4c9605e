"""Points of a visitor's own: drawn by a click, undone, cleared, or read from a file; kept in the link while they fit."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from mlp_core.labs.nonlinearity.plane import Points
from mlp_core.labs.nonlinearity.plane_points import LINK_POINTS, MAX_CLASSES, PointsError, from_text, merged, to_text
from mlp_core.labs.nonlinearity.point_table import LEAST_COLUMNS, MAX_ROWS, UNLIKE, Columns, Table, points_of, read_table, usual_columns
from mlp_core.words import Message, count, counted, listed
from pages.language import _, current, said
from pages.ui.link import LinkState
from pages.ui.text import plain
from pages.ui.unbroken import button, unbroken
from pages.ui.uploads import uploaded
from pages.ui.widget_values import WidgetValues

CLASSES = ("0", "1", "2")
MARKS = (":blue[●]", ":orange[■]", ":green[◆]", ":violet[▲]", ":red[✚]", ":blue[★]")  # as the plane marks the classes
CLASS_LABELS = {
    "0": Message("{mark} blue", mark=MARKS[0]),
    "1": Message("{mark} orange", mark=MARKS[1]),
    "2": Message("{mark} green", mark=MARKS[2]),
}
ROLES = {"x": "x", "y": "y", "label": Message("Label")}
BRUSH = "_plane_class"
BEYOND = "_plane_beyond"
LOADED = "_plane_loaded"
UPLOAD = "plane_upload"


@dataclass(slots=True)
class _Beyond:
    """Points that the link cannot hold."""

    points: Points | None = None
    merged: int = 0  # different x or y that it would make one


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What is said of the file that was loaded last.

    Args:
        number: of the file, counted in this session.
        columns: what its columns are called; none where it is no table.
        chosen: those that are meant.
        index: the one that only counts the rows, if it is not among these.
        classes: what the classes of the points are called, which may be those of the file before, where this one is refused.
    """

    number: int
    columns: tuple[str, ...] = ()
    chosen: Columns | None = None
    index: int | None = None
    classes: tuple[str, ...] = ()
    refusal: PointsError | None = None

    @property
    def choice_wanted(self) -> bool:
        """Whether there are columns to choose from, and it is not plain which are meant."""
        return bool(self.columns) and (len(self.columns) > LEAST_COLUMNS or self.chosen != Columns(0, 1, 2) or self.refusal is not None)


def _beyond(values: Mapping[str, Any]) -> _Beyond:
    """What the page's own link cannot hold; of an experiment that is shown elsewhere, nothing."""
    if not isinstance(values, LinkState) or not values.in_address:
        return _Beyond()
    beyond: _Beyond = st.session_state.setdefault(BEYOND, _Beyond())
    return beyond


def drawn_points(link: Mapping[str, Any]) -> tuple[Hashable, Points]:
    """The visitor's points, and what is equal for equal ones."""
    beyond = _beyond(link).points
    return (id(beyond), beyond) if beyond is not None else (link["drawn"], from_text(link["drawn"]))


def points_left_out(link: LinkState) -> bool:
    """Whether the link cannot hold the visitor's points."""
    return _beyond(link).points is not None


def own_panel(link: LinkState) -> None:
    """Choose a class, undo, clear, load a file."""
    brush = _brush()
    st.segmented_control(_("Class of the next point"), format_func=said(CLASS_LABELS), required=True, **brush.default(BRUSH, CLASSES))
    brush.keep()
    points = drawn_points(link)[1]
    with st.container(horizontal=True):
        button(_("Undo"), "plane_undo", "undo", _undo, link, enabled=len(points) > 0)
        button(_("Clear"), "plane_clear", "delete", _clear, link, enabled=len(points) > 0)
    drawn = counted(len(points), "{n} point. Click the plane to add one.", "{n} points. Click the plane to add one.")
    st.caption(_(drawn) if len(points) else _("No point yet. Click the plane to add one."))
    help = _(
        "A CSV file with x, y and label: at most {rows} points, up to {classes} classes, counted from 0 or 1 or named. "
        "Of more columns, choose three. "
        "The points are scaled to fill the plane: x and y alike, or each for itself where one reaches {times} times as far.",
        rows=count(MAX_ROWS), classes=MAX_CLASSES, times=f"{UNLIKE:g}",
    )  # fmt: skip
    st.file_uploader(
        _("Or load a file of x, y, label"), type=["csv", "txt"], key=UPLOAD, on_change=unbroken(_load), args=(link,), help=help
    )  # fmt: skip
    _file_panel(link)
    if points_left_out(link):
        why = Message("More than {most} points do not fit into the link: who opens it does not get them.", most=LINK_POINTS)
        if len(points) <= LINK_POINTS:
            why = counted(
                _beyond(link).merged,
                "In the link {n} different coordinate would become one with others: who opens it does not get them.",
                "In the link {n} different coordinates would become one with others: who opens it does not get them.",
            )
        st.caption(f":material/link_off: {_(why)}")


def _brush() -> WidgetValues:
    return WidgetValues("plane_brush", {BRUSH: CLASSES[0]}, lasting=False)


def add_point(link: LinkState, x: float, y: float) -> None:
    """Add a point of the chosen class; from a callback."""
    points = drawn_points(link)[1]
    label = int(_brush()[BRUSH])
    _keep(link, np.vstack([points.xy, [x, y]]), np.append(points.labels.astype(np.int64), label))


def _keep(link: LinkState, xy: np.ndarray, labels: np.ndarray, *, loaded: bool = False) -> None:
    """Keep points, in the link where they fit: those of a file whole or not at all, a clicked one as near as it can say."""
    if "drawn" in link.fixed:
        return
    points = Points(xy, labels, max(2, int(labels.max(initial=0)) + 1))
    beyond, fits = _beyond(link), len(points) <= LINK_POINTS
    beyond.merged = merged(points) if fits and (loaded or beyond.points is not None) else 0
    fits = fits and not beyond.merged
    if not fits and not link.in_address:
        return
    link["drawn"], beyond.points = (to_text(points), None) if fits else ("", points)  # both, whatever click comes meanwhile


def _undo(link: LinkState) -> None:
    points = drawn_points(link)[1]
    _keep(link, points.xy[:-1], points.labels[:-1])


def _clear(link: LinkState) -> None:
    if "drawn" not in link.fixed:
        link["drawn"], _beyond(link).points = "", None
    st.session_state[LOADED] = replace(_loaded(), classes=())


def _file_panel(link: LinkState) -> None:
    """What became of the file: which of its columns are read, what is wrong with them, which class is which."""
    loaded = _loaded()
    if loaded.refusal is not None:
        st.error(plain(_(loaded.refusal), 200), icon=":material/error:")
    if loaded.chosen is not None and loaded.choice_wanted and uploaded(UPLOAD) is not None:
        for role, label in ROLES.items():
            chosen, key = getattr(loaded.chosen, role), _column_key(loaded, role)
            names = list(map(_named, loaded.columns))
            st.selectbox(_(label), range(len(names)), chosen, names.__getitem__, key=key, on_change=unbroken(_choose), args=(link,))
    if loaded.index is not None:
        st.caption(_("{column} only counts the rows: it is left out.", column=plain(_named(loaded.columns[loaded.index]))))
    if loaded.classes and loaded.classes != tuple(map(str, range(len(loaded.classes)))):
        classes = listed([f"{mark} {plain(name)}" for mark, name in zip(MARKS, loaded.classes, strict=False)])
        st.caption(_("Classes of the points: {classes}.", classes=classes))


def _named(column: str) -> str:
    """What a column is called: as the file calls it, or in the language of who looks where it has no name, or one of several."""
    return _(column) if isinstance(column, Message) else column


def _load(link: LinkState) -> None:
    """Take another file, or none."""
    before, content = _loaded(), uploaded(UPLOAD)
    if content is None:
        st.session_state[LOADED] = replace(before, columns=(), index=None, refusal=None)
        return
    try:
        table = read_table(content)
    except PointsError as refusal:
        st.session_state[LOADED] = _Loaded(before.number + 1, classes=before.classes, refusal=refusal)
        return
    _read(link, table, usual_columns(table), before.number + 1)


def _choose(link: LinkState) -> None:
    """Read other columns of the same file."""
    loaded, content = _loaded(), uploaded(UPLOAD)
    if content is None:
        return
    try:
        chosen, table = Columns(*(st.session_state[_column_key(loaded, role)] for role in ROLES)), read_table(content)
    except (KeyError, PointsError):
        return  # the file is another one since the boxes were drawn, and is read by itself
    if table.names == loaded.columns:
        _read(link, table, chosen, loaded.number)


def _read(link: LinkState, table: Table, chosen: Columns, number: int) -> None:
    """Take the points of these columns, or say why not."""
    index = None if table.index in (chosen.x, chosen.y, chosen.label) else table.index
    try:
        points, classes = points_of(table, chosen)
    except PointsError as refusal:
        st.session_state[LOADED] = _Loaded(number, table.names, chosen, index, _loaded().classes, refusal)
        return
    _keep(link, points.xy, points.labels, loaded=True)
    st.session_state[LOADED] = _Loaded(number, table.names, chosen, index, classes)


def _loaded() -> _Loaded:
    loaded: _Loaded = st.session_state.get(LOADED, _Loaded(0))
    return loaded


def _column_key(loaded: _Loaded, role: str) -> str:
    return f"plane_column_{role}_{loaded.number}_{current().short}"  # a choice is sent back by its words
