"""A small tensor as a person writes it: `1 2 3; 4 5 6` or the cells of a table.

Numbers are separated by spaces or commas, rows by semicolons or line breaks, matrices by bars. A separator at the end tells a matrix of
one row (`1 2 3;`) from a vector (`1 2 3`), and a batch of one matrix (`1 2; 3 4 |`) from a matrix.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mlp_core.words import Message, count, counted, significant

MOST_ROWS, MOST_COLUMNS, MOST_MATRICES = 8, 8, 4
MOST = (MOST_MATRICES, MOST_ROWS, MOST_COLUMNS)  # sizes of the last three axes
MAX_TEXT_LENGTH = 2000  # characters
LARGEST = torch.finfo(torch.float32).max
EXAMPLE = "1 2 3; 4 5 6"

Shape = tuple[int, ...]


class TableError(ValueError):
    """A table that is no tensor: the `place` in it, the `rule` it breaks, and the `value` there (None where there is none to show)."""

    def __init__(self, place: str, rule: str, value: str | None = None) -> None:
        self.place, self.rule, self.value = place, rule, value
        if value is None:
            super().__init__(Message("{place}: {rule}", place=place, rule=rule))
        else:
            super().__init__(Message("{place}: {value} {rule}", place=place, value=repr(value), rule=rule))

    def __reduce__(self) -> tuple[type[TableError], tuple[str, str, str | None]]:
        return TableError, (self.place, self.rule, self.value)


def read(text: str) -> Tensor:
    """The float32 tensor that a text writes: (columns,), (rows, columns) or (matrices, rows, columns).

    Raises:
        TableError: nothing there, text in place of a number, rows or matrices of unequal size, or more than `MOST`.
    """
    if len(text) > MAX_TEXT_LENGTH:
        rule = Message("has {length} characters; at most {most} are read", length=count(len(text)), most=count(MAX_TEXT_LENGTH))
        raise TableError(Message("the text"), rule)
    if not re.sub(r"[\s,;|]", "", text):
        raise TableError(Message("the table"), Message("is empty; write rows like {example}", example=EXAMPLE))
    stripped = re.sub(r"\s*\n\s*", ";", text.strip())
    blocks = _parts(stripped, "|")
    rows = [_parts(block, ";") for block in blocks]
    cells = [[_cells(row) for row in block] for block in rows]
    if "|" in stripped:
        return from_cells([row for block in cells for row in block], _batch_shape(cells))
    if ";" in stripped:
        return from_cells(cells[0], (len(cells[0]), len(cells[0][0])))
    return from_cells(cells[0], (len(cells[0][0]),))


def from_cells(rows: Sequence[Sequence[object]], shape: Shape) -> Tensor:
    """The float32 tensor of `shape` whose rows, those of all its matrices below one another, are these cells.

    Raises:
        TableError: as `read` does; a cell that is None or blank counts as empty.
    """
    things = (Message("columns"), Message("rows"), Message("matrices"))
    for size, most, thing in zip(reversed(shape), reversed(MOST), things, strict=False):
        if size > most:
            rule = Message("has {size} {things}; at most {most} are shown", size=size, things=thing, most=most)
            raise TableError(Message("the table"), rule)
    for number, row in enumerate(rows):
        if len(row) != shape[-1]:
            unequal = counted(
                len(row),
                "has {n} number, the first row has {first}: all rows of a tensor are equally long",
                "has {n} numbers, the first row has {first}: all rows of a tensor are equally long",
                first=shape[-1],
            )
            raise TableError(_row_name(number, shape), unequal)
    values = [
        _number(cell, Message("{row}, column {column}", row=_row_name(number, shape), column=column))
        for number, row in enumerate(rows)
        for column, cell in enumerate(row)
    ]
    return torch.tensor(values, dtype=torch.float32).reshape(shape)


def write(tensor: Tensor) -> str:
    """The text that `read` turns into this tensor again, every digit of it."""
    rows = [" ".join(map(number_text, row.tolist())) for row in tensor.detach().numpy().reshape(-1, tensor.shape[-1])]
    if tensor.ndim == 1:
        return rows[0]
    per_matrix = tensor.shape[-2]
    matrices = ["; ".join(rows[start : start + per_matrix]) for start in range(0, len(rows), per_matrix)]
    if tensor.ndim == 2:
        return matrices[0] + (";" if per_matrix == 1 else "")
    return " | ".join(matrices) + (" |" if len(matrices) == 1 else "")


def number_text(value: float) -> str:
    """The shortest text that float32 reads as this number: `1`, `0.1`, `1e+38`."""
    return str(np.float32(value)).removesuffix(".0")


def literal(tensor: Tensor) -> str:
    """The tensor as a line of Python makes it: `torch.tensor([[1., 2.], [3., 4.]])`."""
    return f"torch.tensor({_nested(tensor)})"


def resized(tensor: Tensor, shape: Shape) -> Tensor:
    """The same numbers in another shape of at most three axes: what does not fit is cut off, what is new is 0."""
    while tensor.ndim > len(shape):
        tensor = tensor[0]
    while tensor.ndim < len(shape):
        tensor = tensor[None]
    result = torch.zeros(shape)
    common = tuple(slice(min(old, new)) for old, new in zip(tensor.shape, shape, strict=True))
    result[common] = tensor[common]
    return result


def read_shape(text: str, most_axes: int = 3) -> Shape:
    """The sizes that a text such as `3 -1` or `(3, -1)` lists.

    Raises:
        TableError: not 1 to `most_axes` whole numbers of a few digits.
    """
    rule = Message("is no shape: write 1 to {most} whole numbers, such as 3 2 or 3 −1", most=most_axes)
    parts = re.sub(r"[(),\[\]\s]+", " ", text.replace("−", "-")).split()
    if not 1 <= len(parts) <= most_axes or not all(re.fullmatch(r"-?[0-9]{1,4}", part) for part in parts):
        raise TableError(Message("the new shape"), rule, text)
    return tuple(map(int, parts))


def _nested(tensor: Tensor) -> str:
    if tensor.ndim:
        return f"[{', '.join(map(_nested, tensor))}]"
    text = number_text(float(tensor))
    return text if any(sign in text for sign in ".en") else f"{text}."


def _parts(text: str, separator: str) -> list[str]:
    """What stands between separators; one at the end ends the last part and begins none."""
    parts = text.split(separator)
    return parts[:-1] if len(parts) > 1 and not parts[-1].strip(" ,;") else parts


def _cells(row: str) -> list[str]:
    """The cells of a row. Between two commas there is a cell even if nothing stands there."""
    parts = [part.strip() for part in row.strip().split(",")]
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    return [cell for part in parts for cell in (part.split() or [""])]


def _batch_shape(cells: list[list[list[str]]]) -> Shape:
    for number, block in enumerate(cells):
        if len(block) != len(cells[0]):
            unequal = counted(
                len(block),
                "has {n} row, the first one has {first}: all matrices of a tensor are equally large",
                "has {n} rows, the first one has {first}: all matrices of a tensor are equally large",
                first=len(cells[0]),
            )
            raise TableError(Message("matrix {matrix}", matrix=number), unequal)
    return len(cells), len(cells[0]), len(cells[0][0])


def _number(cell: object, place: str) -> float:
    text = "" if cell is None else str(cell).strip().replace("−", "-")
    if not text:
        raise TableError(place, Message("is empty"))
    try:
        if not text.isascii() or "_" in text:
            raise ValueError
        value = float(text)
    except ValueError:
        wrong, written_so = Message("is not a number"), Message("is not a number; write rows like {example}", example=EXAMPLE)
        raise TableError(place, written_so if "[" in text else wrong, str(cell)) from None
    if not math.isfinite(value):
        raise TableError(place, Message("is not a finite number"), str(cell))
    kept = float(torch.tensor(value, dtype=torch.float32))
    if math.isinf(kept):
        rule = Message("is beyond the largest number of float32, {largest}", largest=significant(LARGEST, 2))
        raise TableError(place, rule, str(cell))
    if value != 0 and kept == 0:
        raise TableError(place, Message("is so small that float32 would make it 0"), str(cell))
    return value


def _row_name(number: int, shape: Shape) -> str:
    if len(shape) == 3:
        return Message("matrix {matrix}, row {row}", matrix=number // shape[1], row=number % shape[1])
    return Message("row {row}", row=number)
