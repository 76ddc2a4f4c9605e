"""Shapes above one another, axis by axis: a box an axis, colored and worded by what becomes of it. Knows no tensor and no operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pages.figures.figure import Figure, figure, scatter
from pages.figures.palette import FAULT, GREEN, GREY, ORANGE, PURPLE, SKY, translucent

# role -> color; the word stands in the box too, so that no color has to be told from another
COLORS = {"equal": GREEN, "stretched": ORANGE, "counts as 1": ORANGE, "summed": PURPLE, "stays": SKY, "clash": FAULT}
DASHED = ("counts as 1",)
WIDTH, HEIGHT = 0.84, 0.74  # of a box whose column and row are 1 apart
SIZE_FONT, WORD_FONT, NAME_FONT = 20, 11, 15  # px


@dataclass(frozen=True, slots=True)
class AxisBox:
    """One axis: its size and a role of `COLORS`."""

    size: int
    role: str


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """One tensor: its name, its shape as text, and its axes by column (None: no axis there)."""

    name: str
    shape: str
    boxes: tuple[AxisBox | None, ...]


def shape_lineup(rows: Sequence[ShapeRow], links: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()) -> Figure:
    """Rows from the top; `links` join boxes, given as (row, column), that belong together across columns."""
    columns = max(1, *(len(row.boxes) for row in rows))
    shapes = [_link(rows, start, end) for start, end in links]
    words: list[dict[str, Any]] = []
    for y, row in enumerate(rows):
        words.append(_words(-0.62, y - 0.13, f"<b>{row.name}</b>", NAME_FONT, xanchor="right"))
        words.append(_words(-0.62, y + 0.2, row.shape, WORD_FONT + 1, xanchor="right", opacity=0.75))
        for x, box in enumerate(row.boxes):
            if box is not None:
                shapes.append(_box(x, y, box.role))
                words += [_words(x, y - 0.1, f"<b>{box.size}</b>", SIZE_FONT), _words(x, y + 0.24, box.role, WORD_FONT, opacity=0.85)]
    return figure(
        [scatter(x=[0], y=[0], mode="markers", marker={"opacity": 0}, hoverinfo="skip")],
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        showlegend=False,
        hovermode=False,
        dragmode=False,
        shapes=shapes,
        annotations=words,
        xaxis=_axis([-1.75, max(columns, 3) - 0.4]),
        yaxis=_axis([len(rows) - 0.5, -0.5]),
    )


def _axis(span: list[float]) -> dict[str, Any]:
    return {"range": span, "visible": False, "fixedrange": True}


def _box(x: int, y: int, role: str) -> dict[str, Any]:
    color = COLORS[role]
    line = {"color": color, "width": 3 if role == "clash" else 2, "dash": "dot" if role in DASHED else "solid"}
    corners = {"x0": x - WIDTH / 2, "x1": x + WIDTH / 2, "y0": y - HEIGHT / 2, "y1": y + HEIGHT / 2}
    return {"type": "rect", "fillcolor": translucent(color, 0.2), "line": line, **corners}


def _link(rows: Sequence[ShapeRow], start: tuple[int, int], end: tuple[int, int]) -> dict[str, Any]:
    """A line from the lower edge of one box to the upper edge of another."""
    (from_row, from_column), (to_row, to_column) = start, end
    box = rows[from_row].boxes[from_column]
    color = COLORS[box.role] if box is not None else GREY
    ends = {"x0": from_column, "y0": from_row + HEIGHT / 2, "x1": to_column, "y1": to_row - HEIGHT / 2}
    return {"type": "line", "line": {"color": color, "width": 3}, **ends}


def _words(x: float, y: float, text: str, size: int, **where: Any) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": size}} | where
