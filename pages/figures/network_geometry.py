"""Where the units and edges of a drawn network stand, and which of them are drawn. Knows places, not colors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_COLUMNS = 10  # more layers do not fit a phone
MOST_EDGES = 600  # more lines are a blot
FEWEST_UNITS = 4  # … yet a layer still looks like one
MOST_SPACING = 30.0  # px between two units


@dataclass(frozen=True)
class Unit:
    """One drawn unit: `index` in its layer, `y` in px from the top, `dropped` by dropout."""

    index: int
    y: float
    dropped: bool


@dataclass(frozen=True)
class Column:
    """One drawn layer at `x`. `gap_y` is the place of the dots that stand for units left out, None where all are drawn."""

    layer: int
    x: int
    units: tuple[Unit, ...]
    gap_y: float | None


@dataclass(frozen=True)
class Geometry:
    """All columns, left to right; `gap_x` is the place of the dots that stand for layers left out."""

    columns: tuple[Column, ...]
    gap_x: int | None
    layers_left_out: int
    spacing: float

    @property
    def joints(self) -> Iterator[tuple[Column, Column]]:
        """Neighboring layers: those between which edges run."""
        for left, right in pairwise(self.columns):
            if right.layer == left.layer + 1:
                yield left, right


def arrange(sizes: Sequence[int], dropout: Sequence[float], max_units: int, *, top: float, bottom: float) -> Geometry:
    """Place every layer between `top` and `bottom` (px), all with one spacing, each centered.

    Args:
        sizes: width of every layer, input first.
        dropout: probability a hidden layer; () for none.
        max_units: most units drawn in one column; fewer where the edges would exceed `MOST_EDGES`.

    Raises:
        ValueError: max_units below 1.
    """
    if max_units < 1:
        raise ValueError(f"max_units must be at least 1, got {max_units}")
    layers = _drawn_layers(len(sizes))
    most = max(FEWEST_UNITS, max_units)
    while most > FEWEST_UNITS and _edge_count([min(sizes[layer], most) for layer in layers]) > MOST_EDGES:
        most -= 1
    most = min(most, max_units)
    slots = max(size if size <= most else most + 1 for size in (sizes[layer] for layer in layers))
    spacing = min(MOST_SPACING, (bottom - top) / max(slots - 1, 1))
    left_out = len(sizes) - len(layers)
    columns = []
    for place, layer in enumerate(layers):
        x = place if layer == place else place + 1  # beyond the dots
        p = dropout[layer - 1] if dropout and 0 < layer < len(sizes) - 1 else 0.0
        units, gap_y = _units(sizes[layer], most, p, middle=(top + bottom) / 2, spacing=spacing)
        columns.append(Column(layer, x, units, gap_y))
    return Geometry(tuple(columns), MOST_COLUMNS // 2 if left_out else None, left_out, spacing)


def _drawn_layers(count: int) -> list[int]:
    if count <= MOST_COLUMNS:
        return list(range(count))
    head, tail = MOST_COLUMNS // 2, MOST_COLUMNS - MOST_COLUMNS // 2 - 1  # one column is given to the dots
    return [*range(head), *range(count - tail, count)]


def _edge_count(widths: Sequence[int]) -> int:
    return sum(left * right for left, right in pairwise(widths))


def _units(size: int, most: int, p: float, *, middle: float, spacing: float) -> tuple[tuple[Unit, ...], float | None]:
    """The units drawn of a layer of `size`, and the place of the dots among them."""
    if size <= most:
        first = middle - spacing * (size - 1) / 2
        return tuple(Unit(i, first + spacing * i, _is_dropped(i, p)) for i in range(size)), None
    above, below = math.ceil(most / 2), most // 2
    first = middle - spacing * most / 2
    slots = [slot for slot in range(most + 1) if slot != above]
    indices = [*range(above), *range(size - below, size)]
    units = tuple(
        Unit(index, first + spacing * slot, _is_dropped(place, p)) for place, (index, slot) in enumerate(zip(indices, slots, strict=True))
    )
    return units, first + spacing * above


def _is_dropped(place: int, p: float) -> bool:
    """Spreads the share p evenly over the column: of the first n units, n p (rounded half up) are dropped."""
    return math.floor((place + 1) * p + 0.5) > math.floor(place * p + 0.5)
