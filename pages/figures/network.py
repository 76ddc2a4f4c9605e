"""The multilayer perceptron as a textbook draws it: columns of units, the weights between them."""

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mlp_core.spec import INPUTS, weight_count
from pages.figures.axes import hidden_axis
from pages.figures.figure import Figure, Trace, captions, diagram, markers, polyline
from pages.figures.palette import BLUE, GREY, ORANGE, SKY, VERMILION, translucent
from pages.figures.pictures import enlarged, grey_colors, grey_indices, pixel_grid_svg, placed_image, png
from pages.figures.series import segments

MOST_COLUMNS = 10  # more layers do not fit a phone
MOST_EDGES = 600  # more lines are a blot
FEWEST_UNITS = 4  # … yet a layer still looks like one
MOST_SPACING = 30.0  # px between two units

# px from the top of a figure of this height; the units stand between UNITS_TOP and UNITS_BOTTOM
DIAGRAM_PX = 260
UNITS_TOP, UNITS_BOTTOM = 50.0, 200.0
FIRST_LINE, SECOND_LINE = 14, 31
NOTE_LINE, WIDTHS_BELOW_NOTE = 12, 30
DROPOUT_LINE = 217
WEIGHTS_LINE, WEIGHTS_BELOW_DROPOUT = 232, 240

ROOMY = 4  # up to this many layers there is room for whole words
LABEL_LENGTH = 12  # characters that fit a layer of a roomy network on a phone
PICTURE_X = -0.7  # the middle of the picture, in layers left of the input

LARGEST_UNIT = 14.0  # px
SIDE = 28  # pixels of an image
PICTURE_ENLARGEMENT = 8  # of the picture, so that its pixels stay square

Matrix = npt.NDArray[np.floating]
Segment = tuple[float, float, float]  # x of its left end, y there, y at the right end one column on


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
    """A text in the diagram; its size in px."""

    x: float
    y: float
    text: str
    size: int


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


def network_diagram(
    sizes: Sequence[int],
    *,
    activation_label: str = "",
    dropout: Sequence[float] = (),
    max_units: int = 12,
    weights: Sequence[Matrix] | None = None,
    image: npt.NDArray[np.uint8] | None = None,
) -> Figure:
    """Layers as columns of units, joined by their weights.

    A wide layer shows its first and last units and dots between them; so does a network of more than ten layers. Of a layer with
    dropout the share p of the drawn units is crossed out and unconnected; which ones is for show.

    Args:
        sizes: width of every layer from input to output, at least two.
        activation_label: of the hidden layers.
        dropout: probability a hidden layer; () for none.
        max_units: most units drawn in one column.
        weights: (n_out, n_in) a layer; an edge is vermilion where its weight is positive, blue where it is negative, and the wider
            the larger the weight is. A weight that is 0 or not finite has no edge.
        image: (28, 28) to show as the input; None shows an empty grid of pixels. Only for networks of 784 inputs.

    Raises:
        ValueError: fewer than two layers, dropout or weights that do not fit `sizes`, or max_units below 1.
    """
    _check(sizes, dropout, weights)
    geometry = arrange(sizes, dropout, max_units, top=UNITS_TOP, bottom=UNITS_BOTTOM)
    pictured = sizes[0] == INPUTS
    edges = _plain_edges(geometry) if weights is None else _weighted_edges(geometry, weights)
    traces = [*edges, _unit_markers(geometry, sizes), _dots(geometry), *_labels(geometry, sizes, activation_label, dropout)]
    return diagram(
        traces,
        height=DIAGRAM_PX,
        margin=dict.fromkeys("lrtb", 0),
        xaxis=hidden_axis(range=[PICTURE_X - 0.4 if pictured else -0.5, geometry.columns[-1].x + 0.45]),
        yaxis=hidden_axis(range=[DIAGRAM_PX, 0]),
        images=[_picture(image)] if pictured else [],
    )


def _check(sizes: Sequence[int], dropout: Sequence[float], weights: Sequence[Matrix] | None) -> None:
    if len(sizes) < 2:
        raise ValueError(f"sizes must name at least an input and an output layer, got {tuple(sizes)}")
    if dropout and len(dropout) != len(sizes) - 2:
        raise ValueError(f"dropout must have one probability a hidden layer ({len(sizes) - 2}), got {tuple(dropout)}")
    if weights is not None:
        shapes, needed = [matrix.shape for matrix in weights], [(n_out, n_in) for n_in, n_out in pairwise(sizes)]
        if shapes != needed:
            raise ValueError(f"weights must have the shapes {needed}, got {shapes}")


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
        units, gap_y = _placed_units(sizes[layer], most, p, middle=(top + bottom) / 2, spacing=spacing)
        columns.append(Column(layer, x, units, gap_y))
    return Geometry(tuple(columns), MOST_COLUMNS // 2 if left_out else None, left_out, spacing)


def _drawn_layers(count: int) -> list[int]:
    if count <= MOST_COLUMNS:
        return list(range(count))
    head, tail = MOST_COLUMNS // 2, MOST_COLUMNS - MOST_COLUMNS // 2 - 1  # one column is given to the dots
    return [*range(head), *range(count - tail, count)]


def _edge_count(widths: Sequence[int]) -> int:
    return sum(left * right for left, right in pairwise(widths))


def _placed_units(size: int, most: int, p: float, *, middle: float, spacing: float) -> tuple[tuple[Unit, ...], float | None]:
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


def _labels(geometry: Geometry, sizes: Sequence[int], activation: str, dropout: Sequence[float]) -> Iterator[Trace]:
    """Traces of text alone, in the page's own color: as few as can be, since each takes a browser milliseconds."""
    roomy = len(sizes) <= ROOMY
    labels = list((_roomy_labels if roomy else _crowded_labels)(geometry, sizes, activation, dropout))
    if geometry.gap_x is not None:
        labels.append(Label(geometry.gap_x, (UNITS_TOP + UNITS_BOTTOM) / 2, f"⋯<br>{geometry.layers_left_out} more<br>layers", 12))
    for size in sorted({label.size for label in labels}):
        yield _words([label for label in labels if label.size == size])
    yield _weight_labels(geometry, sizes, _weights_line(dropout) if roomy else WEIGHTS_LINE, roomy=roomy)


def _weights_line(dropout: Sequence[float]) -> float:
    return WEIGHTS_BELOW_DROPOUT if any(dropout) else WEIGHTS_LINE


def _roomy_labels(geometry: Geometry, sizes: Sequence[int], activation: str, dropout: Sequence[float]) -> Iterator[Label]:
    """Two lines above each layer, and below it its dropout."""
    xs = [column.x for column in geometry.columns]
    hidden = range(1, len(sizes) - 1)
    for x, width, role in zip(xs, _widths(geometry, sizes), ["inputs", *(_shortened(activation) for _ in hidden), "outputs"], strict=True):
        yield Label(x, FIRST_LINE, width, 14)
        yield Label(x, SECOND_LINE, role, 12)
    for layer in hidden:
        if dropout and dropout[layer - 1] > 0:
            yield Label(layer, DROPOUT_LINE, f"dropout {dropout[layer - 1]:g}", 12)
    if sizes[0] == INPUTS:
        yield Label(PICTURE_X, FIRST_LINE, "<b>28 × 28</b>", 14)
        yield Label(PICTURE_X, SECOND_LINE, "pixels", 12)
        yield Label(PICTURE_X, _weights_line(dropout), "shape of W<br>weights", 12)


def _crowded_labels(geometry: Geometry, sizes: Sequence[int], activation: str, dropout: Sequence[float]) -> Iterator[Label]:
    """One note for all hidden layers, and narrow columns of figures."""
    xs = [column.x for column in geometry.columns]
    parts = [_shortened(activation)] if activation else []
    if any(dropout):
        low, high = min(dropout), max(dropout)
        parts.append(f"dropout {low:g}" if low == high else f"dropout {low:g} to {high:g}")
    if parts:
        middle = xs[-1] / 2 + (PICTURE_X / 2 if sizes[0] == INPUTS else 0)
        yield Label(middle, NOTE_LINE, f"each hidden layer: {', '.join(parts)}", 12)
    for x, width in zip(xs, _widths(geometry, sizes), strict=True):
        yield Label(x, WIDTHS_BELOW_NOTE, width, 12)


def _widths(geometry: Geometry, sizes: Sequence[int]) -> list[str]:
    return [f"<b>{sizes[column.layer]}</b>" for column in geometry.columns]


def _weight_labels(geometry: Geometry, sizes: Sequence[int], y: float, *, roomy: bool) -> Trace:
    """Shape and size of every weight drawn, as X W is written, between its layers."""

    def text(n_in: int, n_out: int) -> str:
        return f"({n_in}, {n_out})<br>{n_in * n_out:,}" if roomy else f"{n_in}<br>×{n_out}<br>{abbreviated(n_in * n_out)}"

    shapes = [(right.layer, sizes[left.layer], sizes[right.layer]) for left, right in geometry.joints]
    hover = [
        f"W{number}: ({n_in}, {n_out}), {n_in * n_out:,} weights<br>b{number}: ({n_out},), {n_out:,} biases<br>"
        f"together {weight_count((n_in, n_out)):,} parameters"
        for number, n_in, n_out in shapes
    ]
    places = [(left.x + right.x) / 2 for left, right in geometry.joints]
    labels = [Label(x, y, text(n_in, n_out), 12 if roomy else 10) for x, (_, n_in, n_out) in zip(places, shapes, strict=True)]
    return _words(labels) | {"hovertext": hover, "hoverinfo": "text"}


def _words(labels: Sequence[Label]) -> Trace:
    """Texts of one size."""
    x, y, texts, sizes = map(list, zip(*labels, strict=True))
    return captions(x, y, texts, sizes[0], "middle center")


def _shortened(label: str) -> str:
    """A label that fits above a layer, and is text: a visitor's own expression may hold a `<`."""
    return html.escape(label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…", quote=False)


def abbreviated(count: int) -> str:
    """A count in at most four characters: 640, 4.1k, 50k, 1.6M."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if count >= 0.9995 * unit:
            return f"{count / unit:.1f}{name}" if count < 9.95 * unit else f"{count / unit:.0f}{name}"
    return str(count)


def _edges(geometry: Geometry) -> Iterator[tuple[int, int, int, Segment]]:
    """Layer from which the edge comes, the indices of the two units that it joins, and where it is drawn."""
    for left, right in geometry.joints:
        for sender, receiver in product(left.units, right.units):
            if not sender.dropped and not receiver.dropped:
                yield left.layer, sender.index, receiver.index, (left.x, sender.y, receiver.y)


def _lines(places: Sequence[Segment], color: str, width: float) -> Trace:
    """One trace for all segments, broken between them."""
    place = np.array(places, dtype=np.float32).reshape(-1, 3)
    x, y = segments(place[:, 0], place[:, 0] + 1), segments(place[:, 1], place[:, 2])
    return polyline(x, y, {"color": color, "width": width})


def _plain_edges(geometry: Geometry) -> list[Trace]:
    return [_lines([segment for *_, segment in _edges(geometry)], translucent(GREY, 0.3), 0.8)]


def _weighted_edges(geometry: Geometry, weights: Sequence[Matrix]) -> list[Trace]:
    """Edges sorted by sign and by thirds of the largest weight drawn: six traces at most, the heaviest on top."""
    edges = [(float(weights[layer][receiver, sender]), segment) for layer, sender, receiver, segment in _edges(geometry)]
    edges = [(weight, segment) for weight, segment in edges if weight != 0.0 and np.isfinite(weight)]
    largest = max((abs(weight) for weight, _ in edges), default=1.0)
    bins: dict[tuple[int, bool], list[Segment]] = {}
    for weight, segment in edges:
        third = min(int(3 * (abs(weight) / largest)), 2)
        bins.setdefault((third, weight > 0), []).append(segment)
    return [
        _lines(places, translucent(VERMILION if positive else BLUE, 0.5 + 0.25 * third), 0.8 + 1.2 * third)
        for (third, positive), places in sorted(bins.items())
    ]


def _unit_markers(geometry: Geometry, sizes: Sequence[int]) -> Trace:
    """One trace for all units: squares for pixels, circles for neurons, crossed out where dropped."""
    last = len(sizes) - 1
    drawn = [(column, unit) for column in geometry.columns for unit in column.units]

    def color(layer: int, dropped: bool) -> str:
        return GREY if layer == 0 or dropped else ORANGE if layer == last else SKY

    def words(layer: int, unit: Unit) -> str:
        role = "input" if layer == 0 else "output" if layer == last else f"hidden layer {layer}"
        return f"{role}, unit {unit.index + 1:,} of {sizes[layer]:,}{', dropped' if unit.dropped else ''}"

    colors = [color(column.layer, unit.dropped) for column, unit in drawn]
    symbols = ["square" if column.layer == 0 else "circle-x-open" if unit.dropped else "circle" for column, unit in drawn]
    size = min(LARGEST_UNIT, 0.65 * geometry.spacing)
    marker = {"color": colors, "symbol": symbols, "size": size, "opacity": 1, "line": {"width": 1, "color": colors}}
    hover = [words(column.layer, unit) for column, unit in drawn]
    return markers([column.x for column, _ in drawn], [unit.y for _, unit in drawn], marker, hovertext=hover, hoverinfo="text")


def _dots(geometry: Geometry) -> Trace:
    """Three dots in each column that leaves units out."""
    places = [(column.x, column.gap_y + offset) for column in geometry.columns if column.gap_y is not None for offset in (-4, 0, 4)]
    return markers([x for x, _ in places], [y for _, y in places], {"color": GREY, "size": 2.5})


def _picture(image: npt.NDArray[np.uint8] | None) -> dict[str, Any]:
    source = pixel_grid_svg(SIDE, GREY) if image is None else png(enlarged(grey_indices(image), PICTURE_ENLARGEMENT), grey_colors())
    return placed_image(source, PICTURE_X, (UNITS_TOP + UNITS_BOTTOM) / 2, 0.62, 120)
