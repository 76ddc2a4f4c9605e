"""The multilayer perceptron as a textbook draws it: columns of units, the weights between them. Knows widths, not models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mlp_core.spec import INPUTS
from pages.figures.figure import Figure, Trace, figure, scatter
from pages.figures.network_geometry import Geometry, Unit, arrange
from pages.figures.network_labels import HEIGHT, PICTURE_X, UNITS_BOTTOM, UNITS_TOP, Labels
from pages.figures.palette import BLUE, GREY, ORANGE, SKY, VERMILION, translucent
from pages.figures.pictures import enlarged, grey_colors, grey_indices, pixel_grid_svg, png

LARGEST_UNIT = 14.0  # px
SIDE = 28  # pixels of an image
ENLARGEMENT = 8  # of the picture, so that its pixels stay square

Matrix = npt.NDArray[np.floating]
Segment = tuple[float, float, float]  # x of its left end, y there, y at the right end one column on


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
    traces = [*edges, _units(geometry, sizes), _dots(geometry), *Labels(geometry, sizes, activation_label, dropout)]
    axis = {"visible": False, "fixedrange": True}
    return figure(
        traces,
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        hovermode="closest",
        dragmode=False,
        xaxis=axis | {"range": [PICTURE_X - 0.4 if pictured else -0.5, geometry.columns[-1].x + 0.45]},
        yaxis=axis | {"range": [HEIGHT, 0]},
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


def _edges(geometry: Geometry) -> Iterator[tuple[int, int, Unit, Unit]]:
    """Layer from which the edge comes, its x, and the two units that it joins."""
    for left, right in geometry.joints:
        for sender in left.units:
            for receiver in right.units:
                if not sender.dropped and not receiver.dropped:
                    yield left.layer, left.x, sender, receiver


def _lines(segments: Sequence[Segment], color: str, width: float) -> Trace:
    """One trace for all segments, broken between them."""
    place = np.array(segments, dtype=np.float32).reshape(-1, 3)
    gap = np.full(len(place), np.nan, dtype=np.float32)
    x = np.column_stack([place[:, 0], place[:, 0] + 1, gap]).ravel()
    y = np.column_stack([place[:, 1], place[:, 2], gap]).ravel()
    return scatter(x=x, y=y, mode="lines", line={"color": color, "width": width}, hoverinfo="skip")


def _plain_edges(geometry: Geometry) -> list[Trace]:
    segments = [(x, sender.y, receiver.y) for _, x, sender, receiver in _edges(geometry)]
    return [_lines(segments, translucent(GREY, 0.3), 0.8)]


def _weighted_edges(geometry: Geometry, weights: Sequence[Matrix]) -> list[Trace]:
    """Edges sorted by sign and by thirds of the largest weight drawn: six traces at most, the heaviest on top."""
    edges = [(float(weights[layer][to.index, of.index]), (x, of.y, to.y)) for layer, x, of, to in _edges(geometry)]
    edges = [(weight, segment) for weight, segment in edges if weight != 0.0 and np.isfinite(weight)]
    largest = max((abs(weight) for weight, _ in edges), default=1.0)
    bins: dict[tuple[int, bool], list[Segment]] = {}
    for weight, segment in edges:
        third = min(int(3 * (abs(weight) / largest)), 2)
        bins.setdefault((third, weight > 0), []).append(segment)
    return [
        _lines(segments, translucent(VERMILION if positive else BLUE, 0.5 + 0.25 * third), 0.8 + 1.2 * third)
        for (third, positive), segments in sorted(bins.items())
    ]


def _units(geometry: Geometry, sizes: Sequence[int]) -> Trace:
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
    return scatter(
        x=[column.x for column, _ in drawn],
        y=[unit.y for _, unit in drawn],
        hovertext=[words(column.layer, unit) for column, unit in drawn],
        hoverinfo="text",
        mode="markers",
        marker={"color": colors, "symbol": symbols, "size": size, "opacity": 1, "line": {"width": 1, "color": colors}},
    )


def _dots(geometry: Geometry) -> Trace:
    """Three dots in each column that leaves units out."""
    places = [(column.x, column.gap_y + offset) for column in geometry.columns if column.gap_y is not None for offset in (-4, 0, 4)]
    marker = {"color": GREY, "size": 2.5}
    return scatter(x=[x for x, _ in places], y=[y for _, y in places], mode="markers", marker=marker, hoverinfo="skip")


def _picture(image: npt.NDArray[np.uint8] | None) -> dict[str, object]:
    return {
        "source": pixel_grid_svg(SIDE, GREY) if image is None else png(enlarged(grey_indices(image), ENLARGEMENT), grey_colors()),
        "xref": "x", "yref": "y", "x": PICTURE_X, "y": (UNITS_TOP + UNITS_BOTTOM) / 2, "xanchor": "center", "yanchor": "middle",
        "sizex": 0.62, "sizey": 120, "sizing": "contain", "layer": "above",
    }  # fmt: skip
