"""The multilayer perceptron as a textbook draws it: columns of units, the weights between them. Knows widths, not models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mlp_core.figures.mosaic import enlarged, grey_colors, grey_indices, pixel_grid_svg, png
from mlp_core.figures.network_geometry import Geometry, Unit, arrange
from mlp_core.figures.palette import BLUE, GREY, ORANGE, SKY, VERMILION, base_layout, translucent
from mlp_core.spec import INPUTS, weight_count

HEIGHT = 260  # px; the y axis counts them from the top, so that no two lines of text meet at any width
UNITS_TOP, UNITS_BOTTOM = 50.0, 200.0
ROOMY = 4  # up to this many columns there is room for whole words
LABEL_LENGTH = 14  # characters that fit a column of a roomy network on a phone
MOST_UNIT_SIZE = 14.0  # px
SIDE = 28  # pixels of an image

Matrix = npt.NDArray[np.floating]


def network_diagram(
    sizes: Sequence[int],
    *,
    activation_label: str = "",
    dropout: Sequence[float] = (),
    max_units: int = 12,
    weights: Sequence[Matrix] | None = None,
    image: npt.NDArray[np.uint8] | None = None,
) -> go.Figure:
    """Layers as columns of units, joined by their weights.

    A wide layer shows its first and last units and dots between them; so does a network of more than ten layers. Of a layer with
    dropout the share p of the drawn units is crossed out and unconnected; which ones is for show.

    Args:
        sizes: width of every layer from input to output, at least two.
        activation_label: of the hidden layers.
        dropout: probability a hidden layer; () for none.
        max_units: most units drawn in one column.
        weights: (n_out, n_in) a layer; colours each edge by its sign and draws it the wider the larger the weight is.
        image: (28, 28) to show as the input; None shows an empty grid of pixels. Only for networks of 784 inputs.

    Raises:
        ValueError: fewer than two layers, or dropout or weights that do not fit `sizes`.
    """
    _check(sizes, dropout, weights)
    geometry = arrange(sizes, dropout, max_units, UNITS_TOP, UNITS_BOTTOM)
    pictured = sizes[0] == INPUTS
    traces = [
        *(_plain_edges(geometry) if weights is None else _weighted_edges(geometry, weights)),
        *_units(geometry, sizes),
        *_layer_labels(geometry, sizes, activation_label, dropout, pictured),
        *_weight_labels(geometry, sizes, below_dropout=any(dropout)),
    ]
    axis = {"visible": False, "fixedrange": True}
    left = -1.1 if pictured else -0.5
    layout = base_layout(
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        hovermode="closest",
        dragmode=False,
        xaxis=axis | {"range": [left, geometry.columns[-1].x + 0.45]},
        yaxis=axis | {"range": [HEIGHT, 0]},
        images=[_picture(image)] if pictured else [],
    )
    return go.Figure(traces, layout).update_layout(template=None)


def _check(sizes: Sequence[int], dropout: Sequence[float], weights: Sequence[Matrix] | None) -> None:
    if len(sizes) < 2:
        raise ValueError(f"sizes must name at least an input and an output layer, got {tuple(sizes)}")
    if dropout and len(dropout) != len(sizes) - 2:
        raise ValueError(f"dropout must have one probability a hidden layer ({len(sizes) - 2}), got {tuple(dropout)}")
    if weights is not None:
        shapes, needed = [matrix.shape for matrix in weights], [(n_out, n_in) for n_in, n_out in pairwise(sizes)]
        if shapes != needed:
            raise ValueError(f"weights must have the shapes {needed}, got {shapes}")


def _edges(geometry: Geometry) -> Iterator[tuple[int, float, Unit, Unit]]:
    """Layer of the weight, x of its left end, and the two units that it joins."""
    for left, right in geometry.joints:
        for sender in left.units:
            for receiver in right.units:
                if not sender.dropped and not receiver.dropped:
                    yield left.layer, left.x, sender, receiver


def _line_trace(segments: Sequence[tuple[float, float, float]], color: str, width: float) -> go.Scatter:
    """One trace for all segments (x of the left end, y left, y right), broken between them."""
    nan = float("nan")
    xs = [value for x, _, _ in segments for value in (x, x + 1, nan)]
    ys = [value for _, y0, y1 in segments for value in (y0, y1, nan)]
    line = {"color": color, "width": width}
    return go.Scatter(x=np.array(xs, dtype=np.float32), y=np.array(ys, dtype=np.float32), mode="lines", line=line, hoverinfo="skip")


def _plain_edges(geometry: Geometry) -> list[go.Scatter]:
    segments = [(x, sender.y, receiver.y) for _, x, sender, receiver in _edges(geometry)]
    return [_line_trace(segments, translucent(GREY, 0.3), 0.8)]


def _weighted_edges(geometry: Geometry, weights: Sequence[Matrix]) -> list[go.Scatter]:
    """Edges sorted by sign and by thirds of the largest weight drawn: six traces at most; a weight of 0 draws nothing."""
    edges = [(float(weights[layer][b.index, a.index]), (x, a.y, b.y)) for layer, x, a, b in _edges(geometry)]
    largest = max((abs(weight) for weight, _ in edges if np.isfinite(weight)), default=0.0)
    bins: dict[tuple[int, int], list[tuple[float, float, float]]] = {}
    for weight, segment in edges:
        if np.isfinite(weight) and weight != 0.0:
            third = min(int(3 * abs(weight) / largest), 2)
            bins.setdefault((third, 1 if weight > 0 else -1), []).append(segment)
    return [
        _line_trace(segments, translucent(VERMILION if sign > 0 else BLUE, 0.5 + 0.25 * third), 0.8 + 1.2 * third)
        for (third, sign), segments in sorted(bins.items())
    ]


def _units(geometry: Geometry, sizes: Sequence[int]) -> Iterator[go.Scatter]:
    last = len(sizes) - 1
    x, y, color, symbol, hover = [], [], [], [], []
    for column in geometry.columns:
        for unit in column.units:
            x.append(column.x)
            y.append(unit.y)
            role = "input" if column.layer == 0 else "output" if column.layer == last else f"hidden layer {column.layer}"
            symbol.append("square" if column.layer == 0 else "circle-x-open" if unit.dropped else "circle")
            color.append(GREY if column.layer == 0 or unit.dropped else ORANGE if column.layer == last else SKY)
            hover.append(f"{role}, unit {unit.index + 1:,} of {sizes[column.layer]:,}{', dropped' if unit.dropped else ''}")
    size = min(MOST_UNIT_SIZE, 0.65 * geometry.spacing)
    yield go.Scatter(
        x=x, y=y, hovertext=hover, hoverinfo="text", mode="markers",
        marker={"color": color, "symbol": symbol, "size": size, "opacity": 1, "line": {"width": 1, "color": color}},
    )  # fmt: skip
    gaps = [(column.x, column.gap_y + offset) for column in geometry.columns if column.gap_y is not None for offset in (-4, 0, 4)]
    if gaps:
        yield go.Scatter(
            x=[x for x, _ in gaps], y=[y for _, y in gaps], mode="markers", marker={"color": GREY, "size": 2.5}, hoverinfo="skip"
        )


def _layer_labels(
    geometry: Geometry, sizes: Sequence[int], activation: str, dropout: Sequence[float], pictured: bool
) -> Iterator[go.Scatter]:
    roomy = len(sizes) <= ROOMY
    last = len(sizes) - 1
    xs = [column.x for column in geometry.columns]
    yield _words(
        xs, 14 if roomy else 30, [f"<b>{sizes[column.layer]:,}</b>".replace(",", "") for column in geometry.columns], 14 if roomy else 12
    )
    if roomy:
        names = ["inputs" if c.layer == 0 else "outputs" if c.layer == last else _short(activation) for c in geometry.columns]
        yield _words(xs, 31, names, 12)
        if pictured:
            yield _words([-0.7], 14, ["<b>28 × 28</b>"], 14)
            yield _words([-0.7], 31, ["pixels"], 12)
        dropped = [
            (c.x, f"dropout {dropout[c.layer - 1]:g}") for c in geometry.columns if dropout and 0 < c.layer < last and dropout[c.layer - 1]
        ]
        if dropped:
            yield _words([x for x, _ in dropped], UNITS_BOTTOM + 17, [text for _, text in dropped], 12)
    else:
        yield _words([(xs[1] + xs[-2]) / 2], 12, [_common_note(activation, dropout)], 12)
    if geometry.gap_x is not None:
        yield _words([geometry.gap_x], (UNITS_TOP + UNITS_BOTTOM) / 2, [f"⋯<br>{geometry.layers_left_out} more<br>layers"], 12)


def _common_note(activation: str, dropout: Sequence[float]) -> str:
    parts = [_short(activation)] if activation else []
    if any(dropout):
        low, high = min(dropout), max(dropout)
        parts.append(f"dropout {low:g}" if low == high else f"dropout {low:g} to {high:g}")
    return f"{' and '.join(parts)} after each hidden layer" if parts else ""


def _short(label: str) -> str:
    return label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…"


def _weight_labels(geometry: Geometry, sizes: Sequence[int], *, below_dropout: bool) -> Iterator[go.Scatter]:
    roomy = len(sizes) <= ROOMY
    places, texts, hover = [], [], []
    for left, right in geometry.joints:
        n_in, n_out = sizes[left.layer], sizes[right.layer]
        places.append((left.x + right.x) / 2)
        texts.append(f"({n_in}, {n_out})<br>{n_in * n_out:,}" if roomy else f"{n_in}<br>×{n_out}<br>{_abbreviated(n_in * n_out)}")
        hover.append(
            f"W{right.layer}: ({n_in}, {n_out}), {n_in * n_out:,} weights<br>b{right.layer}: ({n_out},), {n_out:,} biases<br>"
            f"together {weight_count((n_in, n_out)):,} parameters"
        )
    y = UNITS_BOTTOM + (40 if roomy and below_dropout else 32)
    yield _words(places, y, texts, 12 if roomy else 10, hover)


def _abbreviated(count: int) -> str:
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def _words(x: Sequence[float], y: float, text: Sequence[str], size: int, hover: Sequence[str] | None = None) -> go.Scatter:
    font = {"size": size}
    return go.Scatter(
        x=list(x), y=[y] * len(x), text=list(text), mode="text", textposition="middle center", textfont=font, hovertext=hover,
        hoverinfo="skip" if hover is None else "text",
    )  # fmt: skip


def _picture(image: npt.NDArray[np.uint8] | None) -> dict[str, object]:
    return {
        "source": pixel_grid_svg(SIDE, GREY) if image is None else png(enlarged(grey_indices(image), 8), grey_colors()),
        "xref": "x", "yref": "y", "x": -0.7, "y": (UNITS_TOP + UNITS_BOTTOM) / 2, "xanchor": "center", "yanchor": "middle",
        "sizex": 0.62, "sizey": 120, "sizing": "contain", "layer": "above",
    }  # fmt: skip
