"""The picture of cells: every number in its place, what is marked in its color, and a product in its corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.figures import tensors
from pages.figures.palette import GREEN, GREY, ORANGE, SKY, translucent
from pages.figures.tensors import CELL_WIDTH, MOST_NUMBERED_COLUMNS, CellGrid
from tests.support.figures.soundness import checked, sound


def beside(operands: Sequence[CellGrid], result: CellGrid, signs: Sequence[str]) -> tuple[go.Figure, float]:
    figure, height = tensors.tensor_equation(operands, result, signs)
    return checked(figure), height


def corner(a: CellGrid, b: CellGrid, result: CellGrid) -> tuple[go.Figure, float]:
    figure, height = tensors.falk_scheme(a, b, result)
    return checked(figure), height


def grid(title: str, *shape: int, marked: tuple[tuple[int, ...], ...] = (), ghost: bool = False, ordered: bool = False) -> CellGrid:
    """Numbers 0, 1, 2, …, some of them marked; the ghosts are all rows but the first."""
    count = int(np.prod(shape))
    mask = np.zeros(shape, bool)
    for place in marked:
        mask[place] = True
    ghosts = np.zeros(shape, bool)
    ghosts[:, 1:] = True
    order = np.arange(count).reshape(shape) if ordered else None
    return CellGrid(title, np.arange(count).astype(str).reshape(shape), mask, ghosts if ghost else None, order)


def numbers(figure: go.Figure, title: str) -> dict[str, tuple[float, float]]:
    """Text of a cell -> its middle."""
    traces = [trace for trace in figure.data if trace.name == title]
    return {text: (x, y) for trace in traces for text, x, y in zip(trace.text, trace.x, trace.y, strict=True)}


def outlined(figure: go.Figure, color: str) -> list[tuple[float, float]]:
    """Middles of the cells whose outline has this color."""
    found: list[tuple[float, float]] = []
    for trace in figure.data:
        if trace.fill == "toself" and trace.line.color == color:
            corners = np.column_stack([trace.x, trace.y]).reshape(-1, 6, 2)[:, :4]
            found += [tuple(middle) for middle in corners.mean(axis=1).round(6).tolist()]
    return found


def titles(spec: dict[str, Any]) -> list[str]:
    return [annotation["text"] for annotation in spec["layout"]["annotations"]]


def test_grids_stand_side_by_side_with_their_signs() -> None:
    figure, height = beside([grid("A", 1, 2, 2), grid("B", 1, 2, 2)], grid("C", 1, 2, 2), ["∗", "="])
    spec = sound(figure, 20_000)
    assert titles(spec) == ["<b>∗</b>", "<b>=</b>", "A", "B", "C"]
    a, b, c = (numbers(figure, name) for name in "ABC")
    assert a["0"] == (CELL_WIDTH / 2, 0.5)
    assert a["3"] == (1.5 * CELL_WIDTH, 1.5)
    assert a["1"][0] < b["0"][0] < b["1"][0] < c["0"][0]
    assert height > 2


def test_what_is_marked_has_its_tensor_s_color() -> None:
    marked = grid("A", 1, 1, 2, marked=((0, 0, 0),)), grid("B", 1, 1, 2, marked=((0, 0, 1),))
    figure, _ = beside(marked, grid("C", 1, 1, 2, marked=((0, 0, 1),)), ["∗", "="])
    assert outlined(figure, SKY) == [numbers(figure, "A")["0"]]
    assert outlined(figure, ORANGE) == [numbers(figure, "B")["1"]]
    assert outlined(figure, GREEN) == [numbers(figure, "C")["1"]]
    assert len(outlined(figure, translucent(GREY, 0.7))) == 3


def test_ghosts_are_dotted_and_faint() -> None:
    figure, _ = beside([grid("A", 1, 2, 2, ghost=True)], grid("C", 1, 2, 2), ["→"])
    real, ghosts = (trace for trace in figure.data if trace.name == "A")
    assert (list(real.text), list(ghosts.text)) == (["0", "1"], ["2", "3"])
    assert ghosts.opacity < real.opacity
    dotted = [trace for trace in figure.data if trace.line.dash == "dot"]
    assert len(dotted) == 1
    assert np.isnan(dotted[0].x).sum() == 2  # two cells


def test_a_product_has_each_cell_where_its_row_and_its_column_cross() -> None:
    figure, height = corner(grid("A", 1, 2, 3), grid("B", 1, 3, 2), grid("C", 1, 2, 2))
    sound(figure, 20_000)
    a, b, c = (numbers(figure, name) for name in "ABC")
    for row in range(2):
        for column in range(2):
            x, y = c[str(2 * row + column)]
            assert y == a[str(3 * row)][1]
            assert x == b[str(column)][0]
    assert max(y for _, y in b.values()) < min(y for _, y in a.values())
    assert height > 5


def test_matrices_of_a_batch_stand_below_one_another_with_a_gap() -> None:
    figure, _ = beside([grid("A", 2, 2, 1)], grid("C", 1, 1, 1), ["→"])
    heights = [y for _, y in numbers(figure, "A").values()]
    assert np.diff(heights).tolist() == [1.0, 1.5, 1.0]


def test_only_the_result_tells_a_click_where_it_was() -> None:
    figure, _ = beside([grid("A", 1, 1, 2)], grid("C", 1, 2, 2, ordered=True), ["→"])
    (a,), (c,) = ([trace for trace in figure.data if trace.name == name] for name in "AC")
    assert a.customdata is None
    assert list(c.customdata) == [0, 1, 2, 3]


def test_too_many_columns_go_without_numbers() -> None:
    wide = grid("A", 1, 1, MOST_NUMBERED_COLUMNS + 1)
    assert {trace.mode for trace in beside([wide], grid("C", 1, 1, 1), ["→"])[0].data if trace.name} == {"markers"}
    assert {trace.mode for trace in beside([grid("A", 1, 1, 3)], grid("C", 1, 1, 1), ["→"])[0].data if trace.name} == {"markers+text"}
