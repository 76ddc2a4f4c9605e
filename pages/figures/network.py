"""The multilayer perceptron as a textbook draws it, as plain data for `static/network.js`: columns of units, and words around them."""

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt

from mlp_core.spec import INPUTS, weight_count
from mlp_core.words import Message, counted, exactly, listed
from pages.language import _

MOST_COLUMNS = 10  # more layers do not fit a phone
MOST_EDGES = 600  # more lines are a blot
FEWEST_UNITS = 4  # … yet a layer still looks like one
MOST_SPACING = 30.0  # px between two units

# px from the top of a drawing of this height; the units stand between UNITS_TOP and UNITS_BOTTOM
DRAWING_PX = 260
UNITS_TOP, UNITS_BOTTOM = 52.0, 192.0
FIRST_LINE, SECOND_LINE = 13, 33
NOTE_LINE, WIDTHS_BELOW_NOTE = 12, 32
DROPOUT_LINE = 208
WEIGHTS_LINE, WEIGHTS_BELOW_DROPOUT = 226, 238

ROOMY = 4  # up to this many layers there is room for whole words
LABEL_LENGTH = 12  # characters that fit a layer of a roomy network on a phone
WIDE_PX, WIDE_TIMES = 640, 1.2  # a drawing as wide as this has letters so much larger
PICTURE_X = -0.7  # the middle of the picture, in layers left of the input
SIDE = 28  # pixels of an image
MIDDLE_COLUMN = SIDE // 2  # of its pixels, of which some stand for all: those at its corners are black in every image

Values = npt.NDArray[np.floating[Any]]
LEVELS = 127  # of a weight or an activation on either side of 0: an eye tells no more apart
NOT_FINITE = -128


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


class Label(NamedTuple):
    """Lines of text centered at a place in the drawing, their size in px, and what they say to a pointer that rests on them."""

    x: float
    y: float
    lines: tuple[str, ...]
    size: int
    bold: bool = False
    hint: str = ""


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


class DrawnLayer(TypedDict):
    """One layer as it is sent: places in the drawing, and of each unit its index, y, hint, and whether it is dropped."""

    layer: int
    x: int
    kind: str
    gap: float | None
    units: list[tuple[int, float, str, bool]]


class Drawing(TypedDict):
    """A network as it is sent to a browser. x counts layers from `left` to `right`, y px from the top of `height`.

    `of` names what is drawn: weights and activations that are sent later bear the same name.
    """

    of: str
    height: int
    left: float
    right: float
    spacing: float
    wide: tuple[int, float]
    layers: list[DrawnLayer]
    labels: list[Label]
    picture: dict[str, Any] | None


def network_drawing(
    sizes: Sequence[int],
    *,
    activation_label: str = "",
    dropout: Sequence[float] = (),
    max_units: int = 12,
    image: npt.NDArray[np.uint8] | None = None,
) -> Drawing:
    """Layers as columns of units, joined by their weights.

    A wide layer shows its first and last units and dots between them; so does a network of more than ten layers. Of an image's pixels
    some of its middle column are drawn. Of a layer with dropout the share p of the drawn units is crossed out and unconnected; which
    ones is for show.

    Args:
        sizes: width of every layer from input to output, at least two.
        activation_label: of the hidden layers.
        dropout: probability a hidden layer; () for none.
        max_units: most units drawn in one column.
        image: (28, 28) to show as the input; None shows an empty grid of pixels. Only for networks of 784 inputs.

    Raises:
        ValueError: fewer than two layers, dropout that does not fit `sizes`, or max_units below 1.
    """
    geometry = arrange(sizes, dropout, max_units)
    pictured = sizes[0] == INPUTS
    return {
        "of": _name(sizes, activation_label),
        "height": DRAWING_PX,
        "left": PICTURE_X - 0.4 if pictured else -0.5,
        "right": geometry.columns[-1].x + 0.45,
        "spacing": geometry.spacing,
        "wide": (WIDE_PX, WIDE_TIMES),
        "layers": [_drawn_layer(column, sizes) for column in geometry.columns],
        "labels": list(_labels(geometry, sizes, activation_label, dropout)),
        "picture": {"x": PICTURE_X, "y": (UNITS_TOP + UNITS_BOTTOM) / 2, "pixels": None if image is None else base64_of(image)}
        if pictured
        else None,
    }


def _name(sizes: Sequence[int], activation: str) -> str:
    return f"{tuple(sizes)} {activation}"


def arrange(sizes: Sequence[int], dropout: Sequence[float], max_units: int) -> Geometry:
    """Place every layer, all with one spacing, each centered.

    Args:
        sizes: width of every layer, input first.
        dropout: probability a hidden layer; () for none.
        max_units: most units drawn in one column; fewer where the edges would exceed `MOST_EDGES`.

    Raises:
        ValueError: fewer than two layers, dropout that does not fit `sizes`, or max_units below 1.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes must name at least an input and an output layer, got {tuple(sizes)}")
    if dropout and len(dropout) != len(sizes) - 2:
        raise ValueError(f"dropout must have one probability a hidden layer ({len(sizes) - 2}), got {tuple(dropout)}")
    if max_units < 1:
        raise ValueError(f"max_units must be at least 1, got {max_units}")
    layers = _drawn_layers(len(sizes))
    most = max(FEWEST_UNITS, max_units)
    while most > FEWEST_UNITS and _edge_count([min(sizes[layer], most) for layer in layers]) > MOST_EDGES:
        most -= 1
    most = min(most, max_units)
    slots = max(size if size <= most else most + 1 for size in (sizes[layer] for layer in layers))
    spacing = min(MOST_SPACING, (UNITS_BOTTOM - UNITS_TOP) / max(slots - 1, 1))
    left_out = len(sizes) - len(layers)
    columns = []
    for place, layer in enumerate(layers):
        x = place if layer == place else place + 1  # beyond the dots
        p = dropout[layer - 1] if dropout and 0 < layer < len(sizes) - 1 else 0.0
        indices = _drawn_units(sizes[layer], most, pixels=layer == 0 and sizes[0] == INPUTS)
        columns.append(Column(layer, x, *_placed(indices, sizes[layer], p, spacing)))
    return Geometry(tuple(columns), MOST_COLUMNS // 2 if left_out else None, left_out, spacing)


def _drawn_layers(count: int) -> list[int]:
    if count <= MOST_COLUMNS:
        return list(range(count))
    head, tail = MOST_COLUMNS // 2, MOST_COLUMNS - MOST_COLUMNS // 2 - 1  # one column is given to the dots
    return [*range(head), *range(count - tail, count)]


def _edge_count(widths: Sequence[int]) -> int:
    return sum(left * right for left, right in pairwise(widths))


def _drawn_units(size: int, most: int, *, pixels: bool) -> list[int]:
    """Indices of the units drawn of a layer of `size`."""
    if size <= most:
        return list(range(size))
    if pixels:  # from top to bottom
        return [SIDE * (SIDE * (2 * place + 1) // (2 * most)) + MIDDLE_COLUMN for place in range(most)]
    return [*range(math.ceil(most / 2)), *range(size - most // 2, size)]


def _placed(indices: Sequence[int], size: int, p: float, spacing: float) -> tuple[tuple[Unit, ...], float | None]:
    """The units drawn of a layer of `size`, and the place of the dots among them."""
    whole = len(indices) == size
    above = len(indices) if whole else math.ceil(len(indices) / 2)
    first = (UNITS_TOP + UNITS_BOTTOM) / 2 - spacing * (len(indices) - whole) / 2  # the dots take a place, as a unit does
    units = tuple(Unit(index, first + spacing * (place + (place >= above)), _is_dropped(place, p)) for place, index in enumerate(indices))
    return units, None if whole else first + spacing * above


def _is_dropped(place: int, p: float) -> bool:
    """Spreads the share p evenly over the column: of the first n units, n p (rounded half up) are dropped."""
    return math.floor((place + 1) * p + 0.5) > math.floor(place * p + 0.5)


def _drawn_layer(column: Column, sizes: Sequence[int]) -> DrawnLayer:
    layer, last = column.layer, len(sizes) - 1
    kind = "input" if layer == 0 else "output" if layer == last else "hidden"

    def hint(unit: Unit) -> str:
        if kind == "input" and sizes[0] == INPUTS:
            row, place = divmod(unit.index, SIDE)
            return _("input, pixel in row {row}, column {column} of {side}", row=row + 1, column=place + 1, side=SIDE)
        which = {"unit": f"{unit.index + 1:,}", "units": f"{sizes[layer]:,}"}
        if kind == "input":
            return _("input, unit {unit} of {units}", **which)
        if kind == "output":
            return _("output, unit {unit} of {units}", **which)
        if unit.dropped:
            return _("hidden layer {layer}, unit {unit} of {units}, dropped", layer=layer, **which)
        return _("hidden layer {layer}, unit {unit} of {units}", layer=layer, **which)

    units = [(unit.index, round(unit.y, 2), hint(unit), unit.dropped) for unit in column.units]
    return {"layer": layer, "x": column.x, "kind": kind, "gap": column.gap_y, "units": units}


def _labels(geometry: Geometry, sizes: Sequence[int], activation: str, dropout: Sequence[float]) -> Iterator[Label]:
    roomy = len(sizes) <= ROOMY
    yield from (_roomy_labels if roomy else _crowded_labels)(geometry, sizes, activation, dropout)
    if geometry.gap_x is not None:
        more = _("{n} more<br>layers", n=geometry.layers_left_out).split("<br>")
        yield Label(geometry.gap_x, (UNITS_TOP + UNITS_BOTTOM) / 2, ("⋯", *more), 12)
    yield from _weight_labels(geometry, sizes, _weights_line(dropout) if roomy else WEIGHTS_LINE, roomy=roomy)


def _weights_line(dropout: Sequence[float]) -> float:
    return WEIGHTS_BELOW_DROPOUT if any(dropout) else WEIGHTS_LINE


def _roomy_labels(geometry: Geometry, sizes: Sequence[int], activation: str, dropout: Sequence[float]) -> Iterator[Label]:
    """Two lines above each layer, and below it its dropout."""
    hidden = range(1, len(sizes) - 1)
    roles = [_("inputs"), *[_shortened(_(activation))] * len(hidden), _("outputs")]
    for column, role in zip(geometry.columns, roles, strict=True):
        yield Label(column.x, FIRST_LINE, (str(sizes[column.layer]),), 14, bold=True)
        yield Label(column.x, SECOND_LINE, (role,), 12)
    for layer in hidden:
        if dropout and dropout[layer - 1] > 0:
            yield Label(layer, DROPOUT_LINE, (_("dropout {p}", p=exactly(dropout[layer - 1], 6)),), 12)
    if sizes[0] == INPUTS:
        yield Label(PICTURE_X, FIRST_LINE, ("28 × 28",), 14, bold=True)
        yield Label(PICTURE_X, SECOND_LINE, (_("pixels"),), 12)
        yield Label(PICTURE_X, _weights_line(dropout), (_("shape of W"), _("weights")), 12)


def _crowded_labels(geometry: Geometry, sizes: Sequence[int], activation: str, dropout: Sequence[float]) -> Iterator[Label]:
    """One note for all hidden layers, and narrow columns of figures."""
    parts = [_shortened(_(activation))] if activation else []
    if any(dropout):
        low, high = exactly(min(dropout), 6), exactly(max(dropout), 6)
        parts.append(Message("dropout {p}", p=low) if low == high else Message("dropout {low} to {high}", low=low, high=high))
    if parts:
        middle = geometry.columns[-1].x / 2 + (PICTURE_X / 2 if sizes[0] == INPUTS else 0)
        yield Label(middle, NOTE_LINE, (_("each hidden layer: {settings}", settings=listed(parts)),), 12)
    for column in geometry.columns:
        yield Label(column.x, WIDTHS_BELOW_NOTE, (str(sizes[column.layer]),), 12, bold=True)


def _weight_labels(geometry: Geometry, sizes: Sequence[int], y: float, *, roomy: bool) -> Iterator[Label]:
    """Shape and size of every weight drawn, as X W is written, between its layers."""
    for left, right in geometry.joints:
        number, n_in, n_out = right.layer, sizes[left.layer], sizes[right.layer]
        count = n_in * n_out
        lines = (f"({n_in}, {n_out})", f"{count:,}") if roomy else (str(n_in), f"×{n_out}", abbreviated(count))
        hint = _(
            "W{number}: ({n_in}, {n_out}), {weights}\nb{number}: ({n_out},), {biases}\ntogether {parameters}",
            number=number,
            n_in=n_in,
            n_out=n_out,
            weights=counted(count, "{n} weight", "{n} weights"),
            biases=counted(n_out, "{n} bias", "{n} biases"),
            parameters=counted(weight_count((n_in, n_out)), "{n} parameter", "{n} parameters"),
        )
        yield Label((left.x + right.x) / 2, y, lines, 12 if roomy else 10, hint=hint)


def _shortened(label: str) -> str:
    """A label that fits above a layer."""
    return label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…"


def abbreviated(count: int) -> str:
    """A count in at most four characters: 640, 4.1k, 50k, 1.6M."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if count >= 0.9995 * unit:
            return f"{count / unit:.1f}{name}" if count < 9.95 * unit else f"{count / unit:.0f}{name}"
    return str(count)


def drawn_units(sizes: Sequence[int], max_units: int = 12) -> dict[int, list[int]]:
    """Layer, counted from 0, the inputs -> indices of the units that `network_drawing` draws of it."""
    return {column.layer: [unit.index for unit in column.units] for column in arrange(sizes, (), max_units).columns}


def network_state(
    sizes: Sequence[int],
    activation_label: str,
    step: int,
    image: int | None,
    weights: Mapping[int, Values],
    activations: Mapping[int, Values],
) -> dict[str, Any]:
    """What a drawn network does now, as it is sent: one byte an edge and one a unit, in base64.

    A byte is the value over the largest size drawn in its layer, from -127 to 127, and -128 where it is not finite; inputs and outputs,
    which lie from 0 to 1, are measured by 1. Edges come in the order of the layers, then of the units that they leave, then of those
    that they reach.

    Args:
        sizes, activation_label: as of `network_drawing`.
        step: steps trained.
        image: number of the image that the activations are of; None for the mean over several.
        weights: layer -> (k, j) of its drawn units, from the drawn units of the layer below.
        activations: layer -> (k,) of its drawn units.
    """
    edges = [quantized(weights[layer].T).ravel() for layer in sorted(weights)]
    units = [quantized(activations[layer], 1.0 if layer in (0, len(sizes) - 1) else None) for layer in sorted(activations)]
    return {
        "of": _name(sizes, activation_label),
        "step": step,
        "image": image,
        "edges": base64_of(np.concatenate(edges)),
        "units": base64_of(np.concatenate(units)),
    }


def quantized(values: Values, largest: float | None = None) -> npt.NDArray[np.int8]:
    """Values as whole numbers from -127 to 127, which stand for -`largest` to `largest`, by default the largest size among them."""
    finite = np.isfinite(values)
    known = np.where(finite, values, 0.0).astype(np.float64)
    scale = largest or float(np.abs(known).max(initial=0.0)) or 1.0
    return np.where(finite, np.round(LEVELS * np.clip(known / scale, -1, 1)), NOT_FINITE).astype(np.int8)


def base64_of(values: npt.NDArray[np.integer[Any]]) -> str:
    """The bytes of an array, row by row."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
