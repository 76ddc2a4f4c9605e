"""A tensor operation as pictures: its shapes above one another, and its cells with those that made the chosen one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mlp_core.labs.tensors.operations import Operation, number
from mlp_core.labs.tensors.shapes import Lineup, tuple_text
from pages.figures.figure import Figure
from pages.figures.tensors import AxisBox, CellGrid, ShapeRow, falk_scheme, shape_lineup, tensor_equation

NAMES = ("A", "B")
SIGNS = {"hadamard": "∗", "mul": "∗", "add": "+"}


def lineup_picture(lineup: Lineup, shapes: Sequence[tuple[int, ...]]) -> Figure:
    """The shapes, axis by axis; the result's row only where there is a result."""
    all_shapes = [*shapes, *([] if lineup.shape is None else [lineup.shape])]
    rows = [
        ShapeRow(row.name, tuple_text(shape), tuple(None if axis is None else AxisBox(axis.size, axis.role.value) for axis in row.axes))
        for row, shape in zip(lineup.rows, all_shapes, strict=True)
    ]
    return shape_lineup(rows, lineup.links)


def cells_picture(
    name: str, operation: Operation, tensors: Sequence[Tensor], result: Tensor, made_by: Sequence[Tensor], cell: int
) -> tuple[Figure, float]:
    """Operands and result, the cell at a place of the flattened result marked with what made it; with the height in cells."""
    chosen = _none(result)
    chosen.view(-1)[cell] = True
    titles = [f"{letter} {tuple_text(tensor.shape)}" for letter, tensor in zip(NAMES, tensors, strict=False)]
    if operation.kind == "product" and result.ndim <= 2 and all(tensor.ndim <= 2 for tensor in tensors):
        a, b = tensors
        standing = a.ndim == 2 and b.ndim == 1  # a column below the column it came from
        return falk_scheme(
            _grid(titles[0], a, made_by[0]),
            _grid(titles[1], b, made_by[1], column=b.ndim == 1),
            _result(result, chosen, column=standing),
        )
    if operation.kind == "cellwise":
        grids = [_stretched(title, tensor, made, result, chosen) for title, tensor, made in zip(titles, tensors, made_by, strict=True)]
    else:
        grids = [_grid(title, tensor, made) for title, tensor, made in zip(titles, tensors, made_by, strict=True)]
    signs = ["→"] if operation.kind == "one" else [SIGNS.get(name, "@"), "="]
    return tensor_equation(grids, _result(result, chosen), signs)


def _none(tensor: Tensor) -> Tensor:
    return torch.zeros(tensor.shape, dtype=torch.bool)


def _result(result: Tensor, chosen: Tensor, column: bool = False) -> CellGrid:
    order = torch.arange(result.numel()).reshape(result.shape)
    grid = _grid(f"result {tuple_text(result.shape)}", result, chosen, column=column)
    return CellGrid(grid.title, grid.texts, grid.marked, order=_solid(order, column))


def _grid(title: str, tensor: Tensor, marked: Tensor, *, column: bool = False) -> CellGrid:
    return CellGrid(title, _texts(_solid(tensor, column)), _solid(marked, column))


def _stretched(title: str, tensor: Tensor, made: Tensor, result: Tensor, chosen: Tensor) -> CellGrid:
    """An operand as broadcasting sees it: repeated cells are ghosts, and the one that meets the chosen cell is marked with its origin."""
    own = (1,) * (result.ndim - tensor.ndim) + tuple(tensor.shape)
    real = torch.zeros(result.shape, dtype=torch.bool)
    real[tuple(slice(size) for size in own)] = True
    marked = chosen | (made.reshape(own).expand(result.shape) & real)
    return CellGrid(title, _texts(_solid(tensor.expand(result.shape))), _solid(marked), ~_solid(real))


def _solid(tensor: Tensor, column: bool = False) -> np.ndarray:
    """Any tensor of at most three axes as (matrices, rows, columns); a vector is one row, or one column."""
    if column and tensor.ndim == 1:
        tensor = tensor[:, None]
    return tensor.reshape((1,) * (3 - tensor.ndim) + tuple(tensor.shape)).numpy()


def _texts(values: np.ndarray) -> np.ndarray:
    return np.array([number(float(value)) for value in values.ravel()]).reshape(values.shape)
