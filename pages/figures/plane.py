"""Points of the plane and what a network makes of them: its answer as shading, its hidden space, every unit as a small picture."""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mlp_core.words import Message, significant
from pages.figures.axes import FRAMED, PLANE_HALF, axis, hidden_axis, plane_axes
from pages.figures.figure import Figure, Floats, Trace, contour, diagram, figure, heatmap, markers, polyline
from pages.figures.palette import BLUE, FAULT, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, rgb, translucent
from pages.figures.pictures import Pixels, enlarged, placed_image, png
from pages.language import _

LEVELS = 240  # of shading: whole numbers up to here travel as single bytes, and no eye tells more apart
CLASS_COLORS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY)
CLASS_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
NUMBERS = [[0, BLUE], [0.5, "#F4F6FA"], [1, ORANGE]]  # of a regression's points
RIM = {"width": 1, "color": "white"}
WHERE = "(%{x:.2f}, %{y:.2f})<extra></extra>"
SHADE = 0.72  # opacity where the network is sure
UNDEFINED, UNDEFINED_COLOR = Message("not a number"), translucent(GREY, 0.45)

TILE_HEIGHT = 0.78  # height of a unit's picture, of the distance between two units
TILE_WIDTH = 0.5  # most of a column
EDGE_WIDTHS = 4  # different ones, each for both signs
TILE_ENLARGEMENT = 3  # of a tile, so that a browser that smooths it leaves its pixels
HALF_LEVELS = 120
RIM_INDEX = 2 * HALF_LEVELS + 1  # palette index of a tile's rim
ON_THE_WAY = 0.34  # where on an edge its handle sits: the 13s + 7r of up to eight units a side rarely meet


@dataclass(frozen=True, eq=False)
class LabeledPoints:
    """Points to draw: `xy` (n, 2), `labels` (n,) of classes, or of numbers where `classes` is 0."""

    xy: Floats
    labels: npt.NDArray[Any]
    classes: int


@dataclass(frozen=True, eq=False)
class Shading:
    """What colors the plane, (side, side) from the lowest y: `values` from 0 to 1 with the middle at ½, or one whole class and sureness.

    NaN is where there is no number, which is drawn as that and in no class's color.

    Args:
        values: of two classes or of numbers: position between blue (0) and orange (1). Of more: class plus sureness below 1.
        classes: 2 also stands for numbers.
        edge: whether the middle is drawn as a line.
    """

    values: Floats
    classes: int = 2
    edge: bool = True


def shading_of(field: Floats, *, discrete: bool = False) -> Shading:
    """Probabilities (side, side, classes) as shading."""
    classes = field.shape[2]
    undefined = np.isnan(field).any(axis=2)
    if classes == 2:
        values = np.where(field[:, :, 1] > 0.5, 1.0, 0.0) if discrete else field[:, :, 1]
        return Shading(np.where(undefined, math.nan, values))
    sure = np.full(field.shape[:2], 0.999) if discrete else np.clip((field.max(axis=2) * classes - 1) / (classes - 1), 0, 0.999)
    return Shading(np.where(undefined, math.nan, field.argmax(axis=2) + sure), classes, edge=False)


def shading_of_numbers(values: Floats, *, discrete: bool = False) -> Shading:
    """Numbers (side, side) of any size as shading: 0 in the middle, the largest size at the end."""
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    shades = np.where(values > 0, 1.0, 0.0) if discrete else np.clip(values / largest, -1, 1) / 2 + 0.5
    return Shading(np.where(np.isnan(values), math.nan, shades))


def decision_plane(
    shading: Shading | None, train: LabeledPoints, test: LabeledPoints | None = None, regions: Sequence[Floats] = ()
) -> Figure:
    """The plane shaded by what the network says, with its points; test points are hollow.

    Args:
        shading: None for the bare plane.
        test: None to leave the test points out.
        regions: corners (k, 2) of the linear regions to outline.
    """
    gap = np.full((1, 2), np.nan)
    outlines = np.concatenate([np.empty((0, 2)), *(part for corners in regions for part in (corners, corners[:1], gap))])
    traces: list[Trace] = _shades(shading) if shading is not None else [_blank()]
    traces.append(polyline(outlines[:, 0], outlines[:, 1], {"color": GREY, "width": 1}))
    traces += _points(test or LabeledPoints(np.empty((0, 2)), np.empty(0), train.classes), hollow=True)
    traces += _points(train, hollow=False)
    return diagram(traces, margin={"l": 44, "r": 8, "t": 8, "b": 40}, **plane_axes(PLANE_HALF, dtick=2, **FRAMED))


def has_undefined(figure: Figure) -> bool:
    """Whether a figure of `decision_plane` has places where there is no number."""
    return any(trace.get("name") == _(UNDEFINED) for trace in figure["data"])


def _over_plane(z: npt.NDArray[Any], **properties: Any) -> dict[str, Any]:
    """What heatmaps and contours of the whole plane share."""
    step = 2 * PLANE_HALF / (len(z) - 1)
    return {"z": z, "x0": -PLANE_HALF, "dx": step, "y0": -PLANE_HALF, "dy": step, "showscale": False} | properties


def _shades(shading: Shading) -> list[Trace]:
    top = shading.classes if shading.classes > 2 else 1
    undefined = np.isnan(shading.values)
    levels = np.round(np.clip(np.where(undefined, top / 2, shading.values) / top, 0, 1) * LEVELS).astype(np.uint8)
    colors = {"zmin": 0, "zmax": LEVELS, "colorscale": _shade_colors(shading.classes), "zsmooth": "fast"}
    thin: npt.NDArray[Any] = levels[::2, ::2] if shading.edge else np.zeros((2, 2))
    if shading.edge and undefined.any():
        thin = np.where(undefined[::2, ::2], math.nan, thin)  # no line about it
    middle = {"start": LEVELS / 2, "end": LEVELS / 2, "size": 1, "coloring": "none"}
    shades = [heatmap(**_over_plane(levels, hovertemplate=WHERE), **colors)]
    if undefined.any():
        known, grey = np.where(undefined, math.nan, levels), [[0, UNDEFINED_COLOR], [1, UNDEFINED_COLOR]]
        nothing = _over_plane(np.where(undefined, 0.0, math.nan), hovertemplate=f"{_(UNDEFINED)}<br>{WHERE}", name=_(UNDEFINED))
        shades = [heatmap(**_over_plane(known, hovertemplate=WHERE), **colors | {"zsmooth": False}), heatmap(**nothing, colorscale=grey)]
    return [
        *shades,
        contour(**_over_plane(thin, hoverinfo="skip"), contours=middle, line={"color": GREY, "width": 2}),
    ]


def _blank() -> Trace:
    """Nothing to see, but a plane that takes clicks."""
    clear = [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]]
    return heatmap(**_over_plane(np.zeros((101, 101), dtype=np.uint8), hovertemplate=WHERE), colorscale=clear)


def _shade_colors(classes: int) -> list[list[Any]]:
    """Faint where the network is unsure, strong where it is sure; the page shows through."""
    if classes == 2:
        faint, sure = 0.06, SHADE
        below: list[list[Any]] = [[0, translucent(BLUE, sure)], [0.5, translucent(BLUE, faint)]]
        return [*below, [0.5, translucent(ORANGE, faint)], [1, translucent(ORANGE, sure)]]
    ends = [(index / classes, (index + 1) / classes, CLASS_COLORS[index]) for index in range(classes)]
    return [stop for low, high, color in ends for stop in ([low, translucent(color, 0.1)], [high, translucent(color, SHADE)])]


def _points(points: LabeledPoints, *, hollow: bool) -> list[Trace]:
    """One trace a class, empty or not, so that a symbol is sent once and not for each point."""
    x, y = points.xy.T
    if not points.classes:
        scale = {"color": np.clip(points.labels.astype(np.float64), -1, 1), "cmin": -1, "cmax": 1, "colorscale": NUMBERS}
        line = {"width": 1.5, "color": GREY} if hollow else RIM
        return [markers(x, y, {"size": 7, "symbol": "square" if hollow else "circle", "line": line} | scale)]
    traces = []
    for label, (color, symbol) in enumerate(zip(CLASS_COLORS[: points.classes], CLASS_SYMBOLS, strict=False)):
        here = points.labels == label
        look = {"symbol": f"{symbol}-open", "line": {"width": 1.5, "color": color}} if hollow else {"symbol": symbol, "line": RIM}
        traces.append(markers(x[here], y[here], {"size": 7, "color": color} | look))
    return traces


def hidden_space(outputs: Floats, points: LabeledPoints, names: tuple[str, str], line: tuple[float, float, float] | None = None) -> Figure:
    """The points in the space of two hidden units.

    Args:
        outputs: (n, 2) of the two units.
        points: where they came from, and their classes.
        names: of the two units.
        line: (w₁, w₂, b) of w₁h₁ + w₂h₂ + b = 0, where the network is undecided; None where more units count.
    """
    low, high = (outputs.min(axis=0), outputs.max(axis=0)) if len(outputs) else (np.zeros(2), np.ones(2))
    room = np.maximum(0.08 * (high - low), 0.05)
    low, high = low - room, high + room
    ends = _line_within(line, low, high) if line is not None else np.empty((0, 2))
    moved = _points(LabeledPoints(outputs, points.labels, points.classes), hollow=False)
    return figure(
        [polyline(ends[:, 0], ends[:, 1], {"color": FAULT, "width": 2.5}), *moved],
        margin={"l": 56, "r": 8, "t": 8, "b": 48},
        showlegend=False,
        hovermode="closest",
        xaxis=axis(names[0], range=[low[0], high[0]]),
        yaxis=axis(names[1], range=[low[1], high[1]]),
    )


def _line_within(line: tuple[float, float, float], low: Floats, high: Floats) -> Floats:
    """Two points of the line, one far beyond each side of the picture."""
    w1, w2, b = line
    size = math.hypot(w1, w2)
    if size == 0:
        return np.empty((0, 2))
    normal, middle = np.array([w1, w2]) / size, (low + high) / 2
    foot = middle - (middle @ normal + b / size) * normal
    along = np.array([-normal[1], normal[0]]) * float(np.linalg.norm(high - low)) * 2
    return np.array([foot - along, foot + along])


class Edge(NamedTuple):
    """One weight: from unit `source` of the layer below `layer` to its unit `unit`."""

    layer: int
    unit: int
    source: int
    weight: float


def playground_network(
    fields: Sequence[Floats], weights: Sequence[tuple[Floats, Floats]], inputs: Sequence[str], shown: tuple[int, int] | None = None
) -> Figure:
    """The network of a playground: every unit as a small picture of what it computes, every weight as an edge.

    Columns go from the inputs to the outputs; orange weights are positive, blue ones negative, the wider the larger.

    Args:
        fields: a layer's outputs over the plane, (units, side, side) from the lowest y, inputs first; each is shaded by its own largest.
        weights: (weight (n_out, n_in), bias (n_out,)) a layer.
        inputs: names of the inputs.
        shown: (layer, unit) of the unit that is framed, layer 0 being the inputs; None for the output.

    Every unit carries the customdata [layer, unit], every edge, on a handle near its sender, [layer, unit, source], layers from 1.
    """
    sizes = [len(layer) for layer in fields]
    places = [[(layer, (size - 1) / 2 - unit) for unit in range(size)] for layer, size in enumerate(sizes)]
    edges = [
        Edge(layer, unit, source, float(value))
        for layer, (weight, _bias) in enumerate(weights, start=1)
        for (unit, source), value in np.ndenumerate(weight)
    ]
    layer, unit = shown if shown is not None else (-1, -1)
    x, y = places[layer][unit]
    below_shown = markers([x], [y - 0.48], {"size": 9, "color": FAULT, "symbol": "triangle-up"})
    reach = max(sizes) / 2 + 0.1
    return diagram(
        [*_edge_lines(edges, places), _edge_targets(edges, places), below_shown, _unit_targets(places, weights, inputs)],
        margin=dict.fromkeys("lrtb", 0),
        xaxis=hidden_axis(range=[-0.72, len(sizes) - 0.55]),
        yaxis=hidden_axis(range=[-reach, reach + 0.1]),
        images=[tile for units, column in zip(fields, places, strict=True) for tile in _tiles(units, column)],
        annotations=[
            {"text": text, "x": x - 0.3, "y": y, "xanchor": "right", "showarrow": False}
            for text, (x, y) in zip(inputs, places[0], strict=True)
        ],
    )


def _edge_lines(edges: Sequence[Edge], places: Sequence[Sequence[tuple[float, float]]]) -> list[Trace]:
    """Two signs times `EDGE_WIDTHS` widths, always as many traces: an edge that changes moves between them."""
    largest = max((abs(edge.weight) for edge in edges if np.isfinite(edge.weight)), default=0.0) or 1.0
    segments: dict[tuple[bool, int], list[tuple[float, float]]] = {
        (sign, size): [] for size in range(EDGE_WIDTHS) for sign in (False, True)
    }
    for edge in edges:
        share = min(abs(edge.weight) / largest, 1.0) if np.isfinite(edge.weight) else 1.0
        key = (edge.weight > 0, min(int(EDGE_WIDTHS * share), EDGE_WIDTHS - 1))
        segments[key] += [places[edge.layer - 1][edge.source], places[edge.layer][edge.unit], (math.nan, math.nan)]
    traces = []
    for (positive, size), points in segments.items():
        line = {"color": translucent(ORANGE if positive else BLUE, 0.35 + 0.2 * size), "width": 0.8 + 2 * size}
        traces.append(polyline([x for x, _y in points], [y for _x, y in points], line))
    return traces


def _edge_targets(edges: Sequence[Edge], places: Sequence[Sequence[tuple[float, float]]]) -> Trace:
    """Places to point at, one an edge."""
    ends = [(places[edge.layer - 1][edge.source], places[edge.layer][edge.unit]) for edge in edges]
    return markers(
        [x0 + ON_THE_WAY * (x1 - x0) for (x0, _y0), (x1, _y1) in ends],
        [y0 + ON_THE_WAY * (y1 - y0) for (_x0, y0), (_x1, y1) in ends],
        {"size": 9, "color": GREY, "opacity": 0},
        customdata=[[edge.layer, edge.unit, edge.source] for edge in edges],
        hovertext=[_("weight {weight}; click to set it", weight=significant(edge.weight)) for edge in edges],
        hoverinfo="text",
    )


def _unit_targets(
    places: Sequence[Sequence[tuple[float, float]]], weights: Sequence[tuple[Floats, Floats]], inputs: Sequence[str]
) -> Trace:
    """Places to point at, one a unit."""
    drawn = [(layer, unit, place) for layer, units in enumerate(places) for unit, place in enumerate(units)]

    def words(layer: int, unit: int) -> str:
        if layer == 0:
            return _("input {name}", name=inputs[unit])
        bias = significant(float(weights[layer - 1][1][unit]))
        if layer == len(weights):
            return _("output {unit}, bias {bias}", unit=unit + 1, bias=bias)
        return _("hidden layer {layer}, unit {unit}, bias {bias}", layer=layer, unit=unit + 1, bias=bias)

    return markers(
        [place[0] for *_unit, place in drawn], [place[1] for *_unit, place in drawn],
        {"size": 26, "color": GREY, "opacity": 0, "symbol": "square"},
        customdata=[[layer, unit] for layer, unit, _place in drawn],
        hovertext=[words(layer, unit) for layer, unit, _place in drawn], hoverinfo="text",
    )  # fmt: skip


def _tiles(units: Floats, places: Sequence[tuple[float, float]]) -> Iterator[dict[str, Any]]:
    """The pictures of a layer's units (units, side, side), each shaded by its own largest value."""
    largest = np.abs(np.where(np.isfinite(units), units, 0.0)).max(axis=(1, 2), initial=0.0, keepdims=True)
    share = np.clip(units / np.where(largest > 0, largest, 1.0), -1, 1)
    levels = np.where(np.isnan(share), RIM_INDEX, np.round(HALF_LEVELS * (1 + np.nan_to_num(share)))).astype(np.uint8)[:, ::-1]
    pixels = enlarged(levels, TILE_ENLARGEMENT)
    pixels[:, [0, -1], :] = pixels[:, :, [0, -1]] = RIM_INDEX
    for picture, (x, y) in zip(pixels, places, strict=True):
        yield placed_image(png(picture, tile_colors()), x, y, TILE_WIDTH, TILE_HEIGHT)


@functools.cache
def tile_colors() -> Pixels:
    """(`RIM_INDEX` + 1, 4): blue below 0, near-white at 0, orange above, grey the rim; opaque, since edges end below a tile."""
    share = np.abs(np.arange(-HALF_LEVELS, HALF_LEVELS + 1))[:, None] / HALF_LEVELS
    ends = np.array([rgb(BLUE)] * HALF_LEVELS + [rgb(ORANGE)] * (HALF_LEVELS + 1))
    colors = np.full((RIM_INDEX + 1, 4), 255, dtype=np.uint8)
    colors[RIM_INDEX, :3] = rgb(GREY)
    colors[:RIM_INDEX, :3] = np.round(share * ends + (1 - share) * np.array([0xF4, 0xF6, 0xFA]))
    return colors
