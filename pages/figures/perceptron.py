"""The perceptron's line among its points, and its mistakes beside what theory allows. Knows arrays, not the rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pages.figures.axes import axis
from pages.figures.figure import Figure, Floats, Trace, figure, scatter
from pages.figures.marks import Marks
from pages.figures.palette import BLUE, FAULT, GREY, MEASURED, ORANGE
from pages.figures.series import POINT_LIMIT

HALF = 6.0  # the plane shown reaches so far
FAR = 4 * HALF
NEARBY = 5.0  # a bound within so many times the count belongs in the picture


def perceptron_plane(points: Floats, labels: Floats, weights: Floats, before: Floats | None, current: int | None) -> Figure:
    """Points of the classes −1 (blue, circles) and 1 (orange, squares), the line ⟨w, x⟩ + b = 0 with its arrow w, and the line before.

    Args:
        points: (n, 2); `labels` (n,) of −1 and 1.
        weights: (w₁, w₂, b); no line is drawn where w is 0.
        before: the weights before the last mistake; None for none.
        current: index of the sample met last, ringed.
    """
    traces = [_class(points[labels < 0], BLUE, "circle", "y = −1"), _class(points[labels > 0], ORANGE, "square", "y = +1")]
    traces.append(_line(before, {"color": GREY, "width": 2, "dash": "dot"}, "before the last mistake"))
    traces.append(_line(weights, {"color": MEASURED, "width": 4}, "w·x + b = 0"))
    ring = points[current : current + 1] if current is not None else np.empty((0, 2))
    marker = {"color": FAULT, "size": 20, "symbol": "circle-open", "line": {"width": 3}}
    traces.append(scatter(x=ring[:, 0], y=ring[:, 1], mode="markers", marker=marker, name="met last", hoverinfo="skip"))
    shared: dict[str, Any] = {"range": [-HALF, HALF], "zeroline": False, "dtick": 2}
    return figure(
        traces,
        hovermode="closest",
        xaxis=axis("x", constrain="domain", **shared),
        yaxis=axis("y", scaleanchor="x", constrain="domain", **shared),
        annotations=_arrow(weights),
    )


def mistakes_curve(counts: Sequence[int], bound: float) -> Figure:
    """Mistakes against samples met; the bound (R/γ)² is a line where it is near enough to be seen."""
    kept = np.unique(np.linspace(0, len(counts) - 1, min(len(counts), POINT_LIMIT)).round().astype(np.int64))
    curve = scatter(
        x=kept, y=np.asarray(counts)[kept], mode="lines", line={"color": FAULT, "width": 2.5, "shape": "hv"},
        hovertemplate="%{y:,} mistakes in %{x:,} samples<extra></extra>",
    )  # fmt: skip
    marks, top = Marks(), max(5.0, 1.15 * counts[-1])
    if bound <= NEARBY * max(counts[-1], 2):
        marks.level(bound, f"(R/γ)² = {bound:,.1f}")
        top = max(top, 1.2 * bound)
    return figure(
        [curve],
        showlegend=False,
        hovermode="closest",
        xaxis=axis("samples", range=[0, max(10, len(counts) - 1)]),
        yaxis=axis("mistakes", range=[0, top]),
        **marks.layout,
    )


def _class(points: Floats, color: str, symbol: str, name: str) -> Trace:
    marker = {"color": color, "size": 9, "symbol": symbol, "line": {"color": "white", "width": 1}}
    hover = "(%{x}, %{y})<extra>" + name + "</extra>"
    return scatter(x=points[:, 0], y=points[:, 1], mode="markers", marker=marker, name=name, hovertemplate=hover)


def _line(weights: Floats | None, style: dict[str, Any], name: str) -> Trace:
    """The line where ⟨w, x⟩ + b = 0, far beyond the plane at both ends."""
    ends = np.empty((0, 2))
    if weights is not None and (size := math.hypot(weights[0], weights[1])) > 0:
        normal = weights[:2] / size
        foot, along = -weights[2] / size * normal, np.array([-normal[1], normal[0]])
        ends = np.array([foot - FAR * along, foot + FAR * along])
    return scatter(x=ends[:, 0], y=ends[:, 1], mode="lines", line=style, name=name, hoverinfo="skip")


def _arrow(weights: Floats) -> list[dict[str, Any]]:
    """w, which points to the side of +1, from the line's nearest point to the origin; its length says nothing."""
    size = math.hypot(weights[0], weights[1])
    if size == 0 or abs(weights[2]) / size > HALF:
        return []
    foot, head = -weights[2] / size**2 * weights[:2], 1.5 * weights[:2] / size
    tip = foot + head
    return [
        {"x": tip[0], "y": tip[1], "ax": foot[0], "ay": foot[1], "xref": "x", "yref": "y", "axref": "x", "ayref": "y"}
        | {"showarrow": True, "arrowhead": 2, "arrowwidth": 2.5, "arrowcolor": MEASURED, "text": ""}
    ]
