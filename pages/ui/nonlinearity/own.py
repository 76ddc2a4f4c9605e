"""Points of a visitor's own: drawn by a click, undone, cleared, or read from a file; kept in the link while they fit."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mlp_core.labs.nonlinearity.plane import Points
from mlp_core.labs.nonlinearity.plane_points import (
    LINK_POINTS,
    MAX_CLASSES,
    MAX_ROWS,
    UNLIKE,
    PointsError,
    from_text,
    merged,
    read_csv,
    to_text,
)
from mlp_core.words import counted
from pages.ui.link import LinkState
from pages.ui.text import plain
from pages.ui.unbroken import button, unbroken
from pages.ui.uploads import uploaded

CLASSES = ("0", "1", "2")
CLASS_LABELS = {"0": ":blue[●] blue", "1": ":orange[■] orange", "2": ":green[◆] green"}
BRUSH = "_plane_class"
BEYOND = "_plane_beyond"
REFUSAL = "_plane_refusal"


@dataclass(slots=True)
class _Beyond:
    """Points that the link cannot hold."""

    points: Points | None = None
    merged: int = 0  # different x or y that it would make one


def _beyond() -> _Beyond:
    beyond: _Beyond = st.session_state.setdefault(BEYOND, _Beyond())
    return beyond


def drawn_points(link: LinkState) -> tuple[Hashable, Points]:
    """The visitor's points, and what is equal for equal ones."""
    beyond = _beyond().points
    return (id(beyond), beyond) if beyond is not None else (link["drawn"], from_text(link["drawn"]))


def points_left_out() -> bool:
    """Whether the link cannot hold the visitor's points."""
    return _beyond().points is not None


def own_panel(link: LinkState) -> None:
    """Choose a class, undo, clear, load a file."""
    st.segmented_control("Class of the next point", CLASSES, format_func=CLASS_LABELS.__getitem__, default="0", key=BRUSH, required=True)
    points = drawn_points(link)[1]
    with st.container(horizontal=True):
        button("Undo", "plane_undo", "undo", _undo, link, enabled=len(points) > 0)
        button("Clear", "plane_clear", "delete", _clear, link, enabled=len(points) > 0)
    st.caption(f"{counted(len(points), 'point')}. Click the plane to add one.")
    help = (
        f"A CSV file with x, y and label: at most {MAX_ROWS:,} points, up to {MAX_CLASSES} classes, from 0 or 1. "
        f"They are scaled to fill the plane: x and y alike, or each for itself where one reaches {UNLIKE:g} times as far."
    )
    st.file_uploader(
        "Or load a file of x, y, label", type=["csv", "txt"], key="plane_upload", on_change=unbroken(_load), args=(link,), help=help
    )  # fmt: skip
    if (refusal := st.session_state.get(REFUSAL)) is not None:
        st.error(plain(refusal, 200), icon=":material/error:")
    if points_left_out():
        lost = counted(_beyond().merged, "different coordinate") + " would become one with others"
        why = f"More than {LINK_POINTS} points do not fit into the link" if len(points) > LINK_POINTS else f"In the link {lost}"
        st.caption(f":material/link_off: {why}: who opens it does not get them.")


def add_point(link: LinkState, x: float, y: float) -> None:
    """Add a point of the chosen class; from a callback."""
    points = drawn_points(link)[1]
    label = int(st.session_state.get(BRUSH) or 0)
    _keep(link, np.vstack([points.xy, [x, y]]), np.append(points.labels.astype(np.int64), label))


def _keep(link: LinkState, xy: np.ndarray, labels: np.ndarray, *, loaded: bool = False) -> None:
    """Keep points, in the link where they fit: those of a file whole or not at all, a clicked one as near as it can say."""
    points = Points(xy, labels, max(2, int(labels.max(initial=0)) + 1))
    beyond, fits = _beyond(), len(points) <= LINK_POINTS
    beyond.merged = merged(points) if fits and (loaded or beyond.points is not None) else 0
    fits = fits and not beyond.merged
    link["drawn"], beyond.points = (to_text(points), None) if fits else ("", points)  # both, whatever click comes meanwhile


def _undo(link: LinkState) -> None:
    points = drawn_points(link)[1]
    _keep(link, points.xy[:-1], points.labels[:-1])


def _clear(link: LinkState) -> None:
    beyond = _beyond()
    link["drawn"], beyond.points = "", None


def _load(link: LinkState) -> None:
    st.session_state[REFUSAL] = None
    content = uploaded("plane_upload")
    if content is None:
        return
    try:
        points = read_csv(content)
    except PointsError as refusal:
        st.session_state[REFUSAL] = refusal
    else:
        _keep(link, points.xy, points.labels, loaded=True)
