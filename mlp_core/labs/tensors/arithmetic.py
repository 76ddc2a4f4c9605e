"""One cell of a result written out, as `1·5 + 2·7 = 19`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

MOST_TERMS = 9
DIGITS = 5  # significant ones


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of an operand."""

    index: tuple[int, ...]
    value: float


Operands = Sequence[Sequence[Cell]]  # for each operand, the cells that made the result's, in the order of memory
Writer = Callable[[Operands], str]


def number(value: float) -> str:
    """A number for a person: five significant digits, a real minus, ∞ for infinity."""
    return f"{value:.{DIGITS}g}".replace("-", "−").replace("inf", "∞").replace("nan", "NaN")


def is_exact(value: float) -> bool:
    """Whether `number` shows all of a float32: then an equals sign is true."""
    return not math.isfinite(value) or float(np.float32(f"{value:.{DIGITS}g}")) == value


def written_out(writer: Writer, operands: Operands, result: float) -> str:
    """The arithmetic with its result; ≈ where digits are left out."""
    exact = all(is_exact(cell.value) for cells in operands for cell in cells) and is_exact(result)
    return f"{writer(operands)} {'=' if exact else '≈'} {number(result)}"


def counted(operands: Operands) -> str:
    """2·3: the sizes of a tensor all of whose cells are given."""
    return "·".join(str(size + 1) for size in operands[0][-1].index)


def summed(operands: Operands) -> str:
    """1 + 4."""
    return _joined([_term(cell) for cell in operands[0]])


def added(operands: Operands) -> str:
    """1 + 10."""
    return _joined([_term(operands[0][0]), _term(operands[1][0])])


def multiplied(operands: Operands) -> str:
    """1·5 + 2·7: each cell of A with its partner of B."""
    return _joined([f"{_term(first)}·{_term(second)}" for first, second in zip(*operands, strict=True)])


def absolute(operands: Operands) -> str:
    """|1| + |−4|."""
    return _joined([f"|{number(cell.value)}|" for cell in operands[0]])


def rooted(operands: Operands) -> str:
    """√(1² + (−4)²)."""
    return f"√({_joined([f'{_term(cell)}²' for cell in operands[0]])})"


def moved(operands: Operands) -> str:
    """A[1, 0]: where the number stood before."""
    return f"A[{', '.join(map(str, operands[0][0].index))}]"


def _term(cell: Cell) -> str:
    text = number(cell.value)
    return f"({text})" if text.startswith("−") else text


def _joined(terms: list[str]) -> str:
    if len(terms) > MOST_TERMS:
        terms = [*terms[: MOST_TERMS - 2], "…", terms[-1]]
    return " + ".join(terms)
