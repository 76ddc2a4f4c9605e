"""Linear models: the singular values of a stack of affine layers and what bending does to it; the perceptron's line and its mistakes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlp_core.words import fixed
from pages.figures.axes import PLANE_HALF, axis, log_axis, plane_axes
from pages.figures.figure import Figure, Floats, Trace, figure, markers, polyline
from pages.figures.marks import Marks, arrow
from pages.figures.palette import BLUE, FAULT, GREY, MEASURED, ORANGE
from pages.figures.series import POINT_LIMIT, evenly_spread, segments
from pages.language import _

LEAST = 1e-18  # of the largest: where a singular value of exactly 0 is drawn
LEAST_DIFFERENCE = 1e-17
FAR = 4 * PLANE_HALF
RING = {"color": FAULT, "symbol": "circle-open", "line": {"width": 3}}
NEARBY = 5.0  # a bound within so many times the count belongs in the picture


def singular_value_bars(values: Floats, rank: int) -> Figure:
    """Singular values of the product on a log axis, relative to the largest; those below rounding, beyond the rank, are grey.

    Args:
        values: (n,), descending.
        rank: of the product.
    """
    relative = np.maximum(values / values[0], LEAST) if values[0] > 0 else np.full(len(values), LEAST)
    number = np.arange(1, len(values) + 1)
    colors = [MEASURED if index < rank else GREY for index in range(len(values))]
    bars = polyline(segments(number, number), segments(np.full(len(values), LEAST), relative), {"color": GREY, "width": 1})
    hover = _("singular value %{x}: %{y:.2g} of the largest")
    heads = markers(number, relative, {"color": colors, "size": 10}, f"{hover}<extra></extra>")
    xaxis = axis(_("singular value"), range=[0.5, len(values) + 0.5], dtick=1 if len(values) <= 10 else None)
    yaxis = log_axis(_("size / largest"), range=[np.log10(LEAST), 0.5], dtick=6)
    return figure([bars, heads], showlegend=False, hovermode="closest", xaxis=xaxis, yaxis=yaxis)


def difference_curve(slopes: Floats, difference: Floats, slope: float) -> Figure:
    """The largest difference between the bent stack and its product, against the slope below 0; a ring where the control stands.

    Args:
        slopes, difference: (n,).
        slope: of the control.
    """
    yaxis = log_axis(_("largest difference"), range=[-17, 2], dtick=4)
    return _against_slope(slopes, np.maximum(difference, LEAST_DIFFERENCE), slope, yaxis, _("slope %{x}: %{y:.2g}"))


def missed_curve(slopes: Floats, missed: Floats, slope: float) -> Figure:
    """Share of the outputs' variance, in percent, that the best affine map misses, against the slope below 0.

    Args:
        slopes: (n,).
        missed: (n,) fractions.
        slope: of the control.
    """
    top = max(1.0, 1.15 * 100 * float(missed.max()))
    yaxis = axis(_("missed (%)"), range=[-0.03 * top, top])
    return _against_slope(slopes, 100 * missed, slope, yaxis, _("slope %{x}: %{y:.2f} %"))


def _against_slope(slopes: Floats, values: Floats, slope: float, yaxis: dict[str, Any], hover: str) -> Figure:
    here = int(np.argmin(np.abs(slopes - slope)))
    curve = polyline(slopes, values, {"color": MEASURED, "width": 2.5}, f"{hover}<extra></extra>", mode="lines+markers", marker={"size": 6})
    ring = markers(slopes[here : here + 1], values[here : here + 1], RING | {"size": 14})
    xaxis = axis(_("slope below 0"), range=[1.03, -0.03])
    return figure([curve, ring], showlegend=False, hovermode="closest", xaxis=xaxis, yaxis=yaxis)


def perceptron_plane(points: Floats, labels: Floats, weights: Floats, before: Floats | None, current: int | None) -> Figure:
    """Points of the classes −1 (blue, circles) and 1 (orange, squares), the line ⟨w, x⟩ + b = 0 with its arrow w, and the line before.

    Args:
        points: (n, 2); `labels` (n,) of −1 and 1.
        weights: (w₁, w₂, b); no line is drawn where w is 0.
        before: the weights before the last mistake; None for none.
        current: index of the sample met last, ringed.
    """
    traces = [_class_points(points[labels < 0], BLUE, "circle", "y = −1"), _class_points(points[labels > 0], ORANGE, "square", "y = +1")]
    traces.append(_boundary(before, {"color": GREY, "width": 2, "dash": "dot"}, _("before the last mistake")))
    traces.append(_boundary(weights, {"color": MEASURED, "width": 4}, "w·x + b = 0"))
    ring = points[current : current + 1] if current is not None else np.empty((0, 2))
    traces.append(markers(ring[:, 0], ring[:, 1], RING | {"size": 20}, name=_("met last")))
    return figure(traces, hovermode="closest", **plane_axes(PLANE_HALF, dtick=2), annotations=_weight_arrow(weights))


def mistakes_curve(counts: Sequence[int], bound: float) -> Figure:
    """Mistakes against samples met; the bound (R/γ)² is a line where it is near enough to be seen.

    Args:
        counts: mistakes after 0, 1, 2, … samples.
        bound: (R/γ)².
    """
    kept = evenly_spread(len(counts), POINT_LIMIT)
    stairs = {"color": FAULT, "width": 2.5, "shape": "hv"}
    curve = polyline(kept, np.asarray(counts)[kept], stairs, f"{_('%{y:,} mistakes in %{x:,} samples')}<extra></extra>")
    marks, top = Marks(), max(5.0, 1.15 * counts[-1])
    if bound <= NEARBY * max(counts[-1], 2):
        marks.level(bound, f"(R/γ)² = {fixed(bound, 1)}")
        top = max(top, 1.2 * bound)
    return figure(
        [curve],
        showlegend=False,
        hovermode="closest",
        xaxis=axis(_("samples"), range=[0, max(10, len(counts) - 1)]),
        yaxis=axis(_("mistakes"), range=[0, top]),
        **marks.layout,
    )


def _class_points(points: Floats, color: str, symbol: str, name: str) -> Trace:
    marker = {"color": color, "size": 9, "symbol": symbol, "line": {"color": "white", "width": 1}}
    return markers(points[:, 0], points[:, 1], marker, "(%{x}, %{y})<extra>" + name + "</extra>", name=name)


def _boundary(weights: Floats | None, style: dict[str, Any], name: str) -> Trace:
    """The line where ⟨w, x⟩ + b = 0, far beyond the plane at both ends."""
    ends = np.empty((0, 2))
    if weights is not None and (size := math.hypot(weights[0], weights[1])) > 0:
        normal = weights[:2] / size
        foot, along = -weights[2] / size * normal, np.array([-normal[1], normal[0]])
        ends = np.array([foot - FAR * along, foot + FAR * along])
    return polyline(ends[:, 0], ends[:, 1], style, name=name)


def _weight_arrow(weights: Floats) -> list[dict[str, Any]]:
    """w, which points to the side of +1, from the line's nearest point to the origin; its length says nothing."""
    size = math.hypot(weights[0], weights[1])
    if size == 0 or abs(weights[2]) / size > PLANE_HALF:
        return []
    foot, length = -weights[2] / size**2 * weights[:2], 1.5 * weights[:2] / size
    return [arrow(tuple(foot), tuple(foot + length), MEASURED, 2.5)]
