"""Points of the plane and what a network makes of them: its answer as shading, its hidden space. Knows arrays only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.axes import axis
from pages.figures.figure import Figure, Floats, Trace, contour, figure, heatmap, scatter
from pages.figures.palette import BLUE, FAULT, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, translucent

HALF = 6.0  # the plane shown reaches so far
LEVELS = 240  # of shading: whole numbers up to here travel as single bytes, and no eye tells more apart
CLASS_COLORS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY)
CLASS_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
NUMBERS = [[0, BLUE], [0.5, "#F4F6FA"], [1, ORANGE]]  # of a regression's points
RIM = {"width": 1, "color": "white"}
SHADE = 0.72  # opacity where the network is sure


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points to draw: `xy` (n, 2), `labels` (n,) of classes, or of numbers where `classes` is 0."""

    xy: Floats
    labels: npt.NDArray[Any]
    classes: int


@dataclass(frozen=True, eq=False)
class Shading:
    """What colors the plane, (side, side) from the lowest y: `values` from 0 to 1 with the middle at ½, or one whole class and sureness.

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
    if classes == 2:
        return Shading(np.where(field[:, :, 1] > 0.5, 1.0, 0.0) if discrete else field[:, :, 1])
    sure = np.full(field.shape[:2], 0.999) if discrete else np.clip((field.max(axis=2) * classes - 1) / (classes - 1), 0, 0.999)
    return Shading(field.argmax(axis=2) + sure, classes, edge=False)


def shading_of_numbers(values: Floats, *, discrete: bool = False) -> Shading:
    """Numbers (side, side) of any size as shading: 0 in the middle, the largest size at the end."""
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    if discrete:
        return Shading(np.where(values > 0, 1.0, 0.0))
    return Shading(np.nan_to_num(values / largest, nan=0.0, posinf=1, neginf=-1) / 2 + 0.5)


def decision_plane(shading: Shading | None, train: Scatter, test: Scatter | None = None, regions: Sequence[Floats] = ()) -> Figure:
    """The plane shaded by what the network says, with its points; test points are hollow.

    Args:
        shading: None for the bare plane.
        test: None to leave the test points out.
        regions: corners (k, 2) of the linear regions to outline.
    """
    traces: list[Any] = _shades(shading) if shading is not None else [_blank()]
    traces.append(_outlines(regions))
    traces += _points(test or Scatter(np.empty((0, 2)), np.empty(0), train.classes), hollow=True)
    traces += _points(train, hollow=False)
    shared: dict[str, Any] = {"range": [-HALF, HALF], "zeroline": False, "showgrid": False, "showline": True, "mirror": True, "dtick": 2}
    return figure(
        traces,
        margin={"l": 44, "r": 8, "t": 8, "b": 40},
        showlegend=False,
        hovermode="closest",
        dragmode=False,
        xaxis=axis("x", constrain="domain", **shared),
        yaxis=axis("y", scaleanchor="x", constrain="domain", **shared),
    )


def _places(side: int) -> dict[str, float]:
    step = 2 * HALF / (side - 1)
    return {"x0": -HALF, "dx": step, "y0": -HALF, "dy": step}


def _shades(shading: Shading) -> list[Any]:
    top = shading.classes if shading.classes > 2 else 1
    levels = np.round(np.clip(shading.values / top, 0, 1) * LEVELS).astype(np.uint8)
    plane = heatmap(
        z=levels, zmin=0, zmax=LEVELS, colorscale=_colors(shading.classes), showscale=False, zsmooth="fast",
        hovertemplate="(%{x:.2f}, %{y:.2f})<extra></extra>", **_places(len(levels)),
    )  # fmt: skip
    thin = levels[::2, ::2] if shading.edge else np.zeros((2, 2))
    middle = LEVELS / 2
    edge = contour(
        z=thin, contours={"start": middle, "end": middle, "size": 1, "coloring": "none"}, line={"color": GREY, "width": 2},
        showscale=False, hoverinfo="skip", **_places(len(thin)),
    )  # fmt: skip
    return [plane, edge]


def _blank() -> Trace:
    """Nothing to see, but a plane that takes clicks."""
    clear = [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]]
    hover = "(%{x:.2f}, %{y:.2f})<extra></extra>"
    return heatmap(z=np.zeros((101, 101), dtype=np.uint8), colorscale=clear, showscale=False, hovertemplate=hover, **_places(101))


def _colors(classes: int) -> list[list[Any]]:
    """Faint where the network is unsure, strong where it is sure; the page shows through."""
    if classes == 2:
        faint, sure = 0.06, SHADE
        below: list[list[Any]] = [[0, translucent(BLUE, sure)], [0.5, translucent(BLUE, faint)]]
        return [*below, [0.5, translucent(ORANGE, faint)], [1, translucent(ORANGE, sure)]]
    ends = [(index / classes, (index + 1) / classes, CLASS_COLORS[index]) for index in range(classes)]
    return [stop for low, high, color in ends for stop in ([low, translucent(color, 0.1)], [high, translucent(color, SHADE)])]


def _points(points: Scatter, *, hollow: bool) -> list[Trace]:
    """One trace a class, empty or not: a symbol for each point would take plotly ten times as long to check."""
    if not points.classes:
        marker: dict[str, Any] = {"color": np.clip(points.labels.astype(np.float64), -1, 1), "cmin": -1, "cmax": 1, "colorscale": NUMBERS}
        line = {"width": 1.5, "color": GREY} if hollow else RIM
        return [_marks(points.xy, marker | {"symbol": "square" if hollow else "circle", "line": line})]
    return [
        _marks(
            points.xy[points.labels == label],
            {"color": color, "symbol": symbol + ("-open" if hollow else ""), "line": {"width": 1.5, "color": color} if hollow else RIM},
        )
        for label, (color, symbol) in enumerate(zip(CLASS_COLORS[: points.classes], CLASS_SYMBOLS, strict=False))
    ]


def _marks(xy: Floats, marker: dict[str, Any]) -> Trace:
    return scatter(x=xy[:, 0], y=xy[:, 1], mode="markers", marker={"size": 7} | marker, hoverinfo="skip")


def _outlines(regions: Sequence[Floats]) -> Trace:
    """All regions as one trace, broken between them."""
    gap = np.full((1, 2), np.nan)
    parts = [part for corners in regions for part in (corners, corners[:1], gap)]
    line = np.concatenate(parts) if parts else np.empty((0, 2))
    return scatter(x=line[:, 0], y=line[:, 1], mode="lines", line={"color": GREY, "width": 1}, hoverinfo="skip")


def hidden_space(outputs: Floats, points: Scatter, names: tuple[str, str], line: tuple[float, float, float] | None = None) -> Figure:
    """The points in the space of two hidden units, `outputs` (n, 2).

    Args:
        names: of the two units.
        line: (w₁, w₂, b) of w₁h₁ + w₂h₂ + b = 0, where the network is undecided; None where more units count.
    """
    low, high = (outputs.min(axis=0), outputs.max(axis=0)) if len(outputs) else (np.zeros(2), np.ones(2))
    room = np.maximum(0.08 * (high - low), 0.05)
    low, high = low - room, high + room
    ends = _line_within(line, low, high) if line is not None else np.empty((0, 2))
    drawn = scatter(x=ends[:, 0], y=ends[:, 1], mode="lines", line={"color": FAULT, "width": 2.5}, hoverinfo="skip")
    moved = _points(Scatter(outputs, points.labels, points.classes), hollow=False)
    return figure(
        [drawn, *moved],
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
