"""Small tensors as grids of cells with their numbers, side by side or a product in its corner. Knows arrays and places, no operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.figure import Figure, Trace, figure, scatter
from pages.figures.palette import GREEN, GREY, ORANGE, SKY, translucent

Mask = npt.NDArray[np.bool_]

CELL_WIDTH = 1.5  # of its height: numbers are wider than high
MATRIX_GAP, TENSOR_GAP = 0.5, 1.6
TITLE_HEIGHT = 0.9
MOST_NUMBERED_COLUMNS = 30  # in one picture: beyond, cells are too narrow for a number
COLORS = (SKY, ORANGE)  # of the marked cells of the first and the second operand
FONT = 14  # px


@dataclass(frozen=True, eq=False)
class CellGrid:
    """One tensor as it is drawn; arrays of shape (matrices, rows, columns), a vector as one row or one column.

    Args:
        texts: the numbers.
        marked: the cells that made the chosen one, or the chosen one.
        ghost: cells that broadcasting repeats; None for none.
        order: for the tensor that can be clicked, each cell's place in the flattened tensor.
    """

    title: str
    texts: npt.NDArray[np.str_]
    marked: Mask
    ghost: Mask | None = None
    order: npt.NDArray[np.int64] | None = None

    @property
    def rows(self) -> float:
        """Height in cells."""
        matrices, rows = int(self.texts.shape[0]), int(self.texts.shape[1])
        return matrices * rows + (matrices - 1) * MATRIX_GAP

    @property
    def columns(self) -> int:
        return int(self.texts.shape[2])


@dataclass(frozen=True, eq=False)
class Placed:
    """A grid and the upper left corner of its cells; y grows downward, 1 a row, x `CELL_WIDTH` a column."""

    grid: CellGrid
    x: float
    y: float
    color: str

    @property
    def right(self) -> float:
        return self.x + CELL_WIDTH * self.grid.columns

    @property
    def bottom(self) -> float:
        return self.y + self.grid.rows

    def centers(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Middle of every cell, in the order of memory."""
        matrix, row, column = np.indices(self.grid.texts.shape).reshape(3, -1)
        y = self.y + matrix * (self.grid.texts.shape[1] + MATRIX_GAP) + row + 0.5
        return self.x + CELL_WIDTH * (column + 0.5), y


def beside(operands: Sequence[CellGrid], result: CellGrid, signs: Sequence[str]) -> tuple[Figure, float]:
    """Operands and result in a row, with a sign after every operand.

    Returns:
        The figure and its height in cells.
    """
    grids = (*operands, result)
    height = max(grid.rows for grid in grids)
    placed: list[Placed] = []
    words = []
    x = 0.0
    for grid, color in zip(grids, _colors(len(operands)), strict=True):
        placed.append(Placed(grid, x, (height - grid.rows) / 2, color))
        x = placed[-1].right + TENSOR_GAP
    for one, sign in zip(placed, signs, strict=False):
        words.append(_words(one.right + TENSOR_GAP / 2, height / 2, f"<b>{sign}</b>", 20))
    return _figure(placed, words), height + TITLE_HEIGHT


def corner(a: CellGrid, b: CellGrid, result: CellGrid) -> tuple[Figure, float]:
    """A product as it is done by hand: A at the left, B above, and each cell of the result where a row of A and a column of B cross.

    Returns:
        The figure and its height in cells.

    Reference: S. Falk (1951), "Ein übersichtliches Schema für die Matrizenmultiplikation", ZAMM 31.
    """
    colors = _colors(2)
    left = Placed(a, 0.0, b.rows + TITLE_HEIGHT + 0.4, colors[0])
    x = left.right + TENSOR_GAP / 2
    placed = [left, Placed(b, x, 0.0, colors[1]), Placed(result, x, left.y, colors[2])]
    return _figure(placed, []), left.bottom + TITLE_HEIGHT


def _colors(operands: int) -> tuple[str, ...]:
    return (*COLORS[:operands], GREEN)


def _figure(placed: Sequence[Placed], words: list[dict[str, Any]]) -> Figure:
    right, bottom = max(one.right for one in placed), max(one.bottom for one in placed)
    numbered = right <= MOST_NUMBERED_COLUMNS * CELL_WIDTH
    traces = [trace for one in placed for trace in _traces(one, numbered)]
    titles = [_words((one.x + one.right) / 2, one.y - 0.4, one.grid.title, FONT) for one in placed]
    pad = max(0.0, (4 * CELL_WIDTH - right) / 2)  # a title is wider than a single cell
    return figure(
        traces,
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        showlegend=False,
        hovermode="closest",
        hoverdistance=40,
        dragmode=False,
        annotations=words + titles,
        xaxis={"range": [-0.3 - pad, right + 0.3 + pad], "visible": False, "fixedrange": True, "constrain": "domain"},
        yaxis={"range": [bottom + 0.1, -TITLE_HEIGHT], "visible": False, "fixedrange": True, "scaleanchor": "x", "constrain": "domain"},
    )


def _traces(one: Placed, numbered: bool) -> list[Trace]:
    grid = one.grid
    x, y = one.centers()
    marked, ghost = grid.marked.ravel(), (np.zeros(grid.marked.size, bool) if grid.ghost is None else grid.ghost.ravel())
    plain = {"color": translucent(GREY, 0.7), "width": 1}
    outlines = [
        _cells(x, y, ~marked & ~ghost, translucent(GREY, 0.1), plain),
        _cells(x, y, ~marked & ghost, "rgba(0,0,0,0)", plain | {"dash": "dot"}),
        _cells(x, y, marked & ~ghost, translucent(one.color, 0.4), {"color": one.color, "width": 3}),
        _cells(x, y, marked & ghost, translucent(one.color, 0.2), {"color": one.color, "width": 2, "dash": "dot"}),
    ]
    return [*(trace for trace in outlines if trace is not None), *_numbers(one, x, y, ghost, numbered)]


def _cells(x: npt.NDArray[Any], y: npt.NDArray[Any], chosen: Mask, fill: str, line: dict[str, Any]) -> Trace | None:
    """One trace for all cells that look alike; each a closed outline with a gap after it."""
    if not chosen.any():
        return None
    half_width, half_height = 0.46 * CELL_WIDTH, 0.46
    across = np.array([-1, 1, 1, -1, -1, np.nan]) * half_width
    down = np.array([-1, -1, 1, 1, -1, np.nan]) * half_height
    return scatter(
        x=(x[chosen, None] + across).ravel(), y=(y[chosen, None] + down).ravel(),
        mode="lines", fill="toself", fillcolor=fill, line=line, hoverinfo="skip",
    )  # fmt: skip


def _numbers(one: Placed, x: npt.NDArray[Any], y: npt.NDArray[Any], ghost: Mask, numbered: bool) -> Iterable[Trace]:
    """The numbers, faint in cells that are not really there; an unseen marker in every cell takes hover and click."""
    texts = one.grid.texts.ravel()
    for chosen, opacity in ((~ghost, 1.0), (ghost, 0.45)):
        if chosen.any():
            yield scatter(
                x=x[chosen], y=y[chosen], mode="markers+text" if numbered else "markers", text=texts[chosen], textfont={"size": FONT},
                textposition="middle center", marker={"size": 26, "opacity": 0, "symbol": "square"}, opacity=opacity, name=one.grid.title,
                customdata=None if one.grid.order is None else one.grid.order.ravel()[chosen], hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip


def _words(x: float, y: float, text: str, size: int) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": size}}
