"""Small tensors as grids of cells with their numbers, and shapes above one another, axis by axis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.axes import hidden_axis
from pages.figures.figure import Figure, Trace, diagram, markers, polyline
from pages.figures.marks import note
from pages.figures.palette import FAULT, GREEN, GREY, ORANGE, PURPLE, SKY, translucent
from pages.language import _

Mask = npt.NDArray[np.bool_]

CELL_WIDTH = 1.5  # of its height: numbers are wider than high
MATRIX_GAP, TENSOR_GAP = 0.5, 1.6
TITLE_HEIGHT = 0.9
MOST_NUMBERED_COLUMNS = 30  # in one picture: beyond, cells are too narrow for a number
OPERAND_COLORS, RESULT_COLOR = (SKY, ORANGE), GREEN  # of the marked cells
NUMBER_FONT = 14  # px

# role -> color; the word stands in the box too, so that no color has to be told from another
ROLE_COLORS = {"equal": GREEN, "stretched": ORANGE, "counts as 1": ORANGE, "summed": PURPLE, "stays": SKY, "clash": FAULT}
DASHED = ("counts as 1",)
BOX_WIDTH, BOX_HEIGHT = 0.84, 0.74  # of a box whose column and row are 1 apart
SIZE_FONT, WORD_FONT, NAME_FONT = 20, 11, 15  # px


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
class PlacedGrid:
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


def tensor_equation(operands: Sequence[CellGrid], result: CellGrid, signs: Sequence[str]) -> tuple[Figure, float]:
    """Operands and result as grids of cells in a row.

    Args:
        signs: what stands after each operand.

    Returns:
        The figure and its height in cells.
    """
    grids = (*operands, result)
    height = max(grid.rows for grid in grids)
    placed: list[PlacedGrid] = []
    words = []
    x = 0.0
    for grid, color in zip(grids, (*OPERAND_COLORS[: len(operands)], RESULT_COLOR), strict=True):
        placed.append(PlacedGrid(grid, x, (height - grid.rows) / 2, color))
        x = placed[-1].right + TENSOR_GAP
    for one, sign in zip(placed, signs, strict=False):
        words.append(note(f"<b>{sign}</b>", one.right + TENSOR_GAP / 2, height / 2, size=20))
    return _cells_figure(placed, words), height + TITLE_HEIGHT


def falk_scheme(a: CellGrid, b: CellGrid, result: CellGrid) -> tuple[Figure, float]:
    """A product as it is done by hand: A at the left, B above, and each cell of the result where a row of A and a column of B cross.

    Returns:
        The figure and its height in cells.

    Reference: S. Falk (1951), "Ein übersichtliches Schema für die Matrizenmultiplikation", ZAMM 31.
    """
    left = PlacedGrid(a, 0.0, b.rows + TITLE_HEIGHT + 0.4, OPERAND_COLORS[0])
    x = left.right + TENSOR_GAP / 2
    placed = [left, PlacedGrid(b, x, 0.0, OPERAND_COLORS[1]), PlacedGrid(result, x, left.y, RESULT_COLOR)]
    return _cells_figure(placed, []), left.bottom + TITLE_HEIGHT


def _cells_figure(placed: Sequence[PlacedGrid], words: list[dict[str, Any]]) -> Figure:
    right, bottom = max(one.right for one in placed), max(one.bottom for one in placed)
    numbered = right <= MOST_NUMBERED_COLUMNS * CELL_WIDTH
    traces = [trace for one in placed for trace in _grid_traces(one, numbered)]
    titles = [note(one.grid.title, (one.x + one.right) / 2, one.y - 0.4, size=NUMBER_FONT) for one in placed]
    pad = max(0.0, (4 * CELL_WIDTH - right) / 2)  # a title is wider than a single cell
    return diagram(
        traces,
        hoverdistance=40,
        annotations=words + titles,
        xaxis=hidden_axis(range=[-0.3 - pad, right + 0.3 + pad], constrain="domain"),
        yaxis=hidden_axis(range=[bottom + 0.1, -TITLE_HEIGHT], constrain="domain", scaleanchor="x"),
    )


def _grid_traces(one: PlacedGrid, numbered: bool) -> Iterator[Trace]:
    """All cells that look alike as one outline; the numbers, faint in cells that are not really there."""
    grid = one.grid
    x, y = one.centers()
    marked, ghost = grid.marked.ravel(), (np.zeros(grid.marked.size, bool) if grid.ghost is None else grid.ghost.ravel())
    plain = {"color": translucent(GREY, 0.7), "width": 1}
    looks = (
        (~marked & ~ghost, translucent(GREY, 0.1), plain),
        (~marked & ghost, "rgba(0,0,0,0)", plain | {"dash": "dot"}),
        (marked & ~ghost, translucent(one.color, 0.4), {"color": one.color, "width": 3}),
        (marked & ghost, translucent(one.color, 0.2), {"color": one.color, "width": 2, "dash": "dot"}),
    )
    across = np.array([-1, 1, 1, -1, -1, np.nan]) * 0.46 * CELL_WIDTH  # closed outlines with a gap after each
    down = np.array([-1, -1, 1, 1, -1, np.nan]) * 0.46
    for chosen, fill, line in looks:
        if chosen.any():
            outline = (x[chosen, None] + across).ravel(), (y[chosen, None] + down).ravel()
            yield polyline(*outline, line, fill="toself", fillcolor=fill)
    unseen = {"size": 26, "opacity": 0, "symbol": "square"}  # in every cell, to hover over and to click
    font = {"textfont": {"size": NUMBER_FONT}, "textposition": "middle center", "mode": "markers+text" if numbered else "markers"}
    for chosen, opacity in ((~ghost, 1.0), (ghost, 0.45)):
        if chosen.any():
            yield markers(
                x[chosen], y[chosen], unseen, "%{text}<extra></extra>", text=grid.texts.ravel()[chosen], opacity=opacity, name=grid.title,
                customdata=None if grid.order is None else grid.order.ravel()[chosen], **font,
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AxisBox:
    """One axis: its size and a role of `ROLE_COLORS`."""

    size: int
    role: str


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """One tensor: its name, its shape as text, and its axes by column (None: no axis there)."""

    name: str
    shape: str
    boxes: tuple[AxisBox | None, ...]


def shape_lineup(rows: Sequence[ShapeRow], links: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()) -> Figure:
    """Shapes above one another, axis by axis: a box an axis, colored and worded by what becomes of it.

    Args:
        rows: from the top.
        links: join boxes, given as (row, column), that belong together across columns.
    """
    columns = max(1, *(len(row.boxes) for row in rows))
    shapes = [_link(rows, start, end) for start, end in links]
    words: list[dict[str, Any]] = []
    for y, row in enumerate(rows):
        words.append(note(f"<b>{row.name}</b>", -0.62, y - 0.13, size=NAME_FONT, xanchor="right"))
        words.append(note(row.shape, -0.62, y + 0.2, size=WORD_FONT + 1, xanchor="right", opacity=0.75))
        for x, box in enumerate(row.boxes):
            if box is not None:
                shapes.append(_box(x, y, box.role))
                words += [
                    note(f"<b>{box.size}</b>", x, y - 0.1, size=SIZE_FONT),
                    note(_(box.role), x, y + 0.24, size=WORD_FONT, opacity=0.85),
                ]
    return diagram(
        [markers([0], [0], {"opacity": 0})],
        hovermode=False,
        shapes=shapes,
        annotations=words,
        xaxis=hidden_axis(range=[-1.75, max(columns, 3) - 0.4]),
        yaxis=hidden_axis(range=[len(rows) - 0.5, -0.5]),
    )


def _box(x: int, y: int, role: str) -> dict[str, Any]:
    color = ROLE_COLORS[role]
    line = {"color": color, "width": 3 if role == "clash" else 2, "dash": "dot" if role in DASHED else "solid"}
    corners = {"x0": x - BOX_WIDTH / 2, "x1": x + BOX_WIDTH / 2, "y0": y - BOX_HEIGHT / 2, "y1": y + BOX_HEIGHT / 2}
    return {"type": "rect", "fillcolor": translucent(color, 0.2), "line": line, **corners}


def _link(rows: Sequence[ShapeRow], start: tuple[int, int], end: tuple[int, int]) -> dict[str, Any]:
    """A line from the lower edge of one box to the upper edge of another."""
    (from_row, from_column), (to_row, to_column) = start, end
    box = rows[from_row].boxes[from_column]
    color = ROLE_COLORS[box.role] if box is not None else GREY
    ends = {"x0": from_column, "y0": from_row + BOX_HEIGHT / 2, "x1": to_column, "y1": to_row - BOX_HEIGHT / 2}
    return {"type": "line", "line": {"color": color, "width": 3}, **ends}
