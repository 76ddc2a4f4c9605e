"""What is left of a stack of affine layers: the singular values of its product, and what bending its layers does. Knows arrays only."""

from __future__ import annotations

from typing import Any

import numpy as np

from pages.figures.axes import axis
from pages.figures.figure import Figure, Floats, figure, scatter
from pages.figures.palette import FAULT, GREY, MEASURED

LEAST = 1e-18  # of the largest: where a singular value of exactly 0 is drawn
LEAST_DIFFERENCE = 1e-17


def singular_value_bars(values: Floats, rank: int) -> Figure:
    """Singular values of the product on a log axis, relative to the largest; those below rounding, beyond the rank, are grey."""
    relative = np.maximum(values / values[0], LEAST) if values[0] > 0 else np.full(len(values), LEAST)
    number = np.arange(1, len(values) + 1)
    colors = [MEASURED if index < rank else GREY for index in range(len(values))]
    bars = scatter(
        x=np.column_stack([number, number, np.full(len(values), np.nan)]).ravel(),
        y=np.column_stack([np.full(len(values), LEAST), relative, np.full(len(values), np.nan)]).ravel(),
        mode="lines", line={"color": GREY, "width": 1}, hoverinfo="skip",
    )  # fmt: skip
    heads = scatter(
        x=number, y=relative, mode="markers", marker={"color": colors, "size": 10},
        hovertemplate="singular value %{x}: %{y:.2g} of the largest<extra></extra>",
    )  # fmt: skip
    xaxis = axis("singular value", range=[0.5, len(values) + 0.5], dtick=1 if len(values) <= 10 else None)
    yaxis = axis("size / largest", type="log", range=[np.log10(LEAST), 0.5], exponentformat="power", dtick=6)
    return figure([bars, heads], showlegend=False, hovermode="closest", xaxis=xaxis, yaxis=yaxis)


def difference_curve(slopes: Floats, difference: Floats, slope: float) -> Figure:
    """The largest difference between the bent stack and its product, against the slope; the ring is where the dial stands."""
    yaxis = axis("largest difference", type="log", exponentformat="power", range=[-17, 2], dtick=4)
    return _against_slope(slopes, np.maximum(difference, LEAST_DIFFERENCE), slope, yaxis, "%{y:.2g}")


def unexplained_curve(slopes: Floats, unexplained: Floats, slope: float) -> Figure:
    """Share of the outputs' variance, in percent, that no single affine map explains, against the slope."""
    top = max(1.0, 1.15 * 100 * float(unexplained.max()))
    yaxis = axis("unexplained (%)", range=[-0.03 * top, top])
    return _against_slope(slopes, 100 * unexplained, slope, yaxis, "%{y:.2f} %")


def _against_slope(slopes: Floats, values: Floats, slope: float, yaxis: dict[str, Any], shown: str) -> Figure:
    here = int(np.argmin(np.abs(slopes - slope)))
    curve = scatter(
        x=slopes, y=values, mode="lines+markers", line={"color": MEASURED, "width": 2.5}, marker={"size": 6},
        hovertemplate=f"slope %{{x}}: {shown}<extra></extra>",
    )  # fmt: skip
    ring = scatter(
        x=slopes[here : here + 1], y=values[here : here + 1], mode="markers", hoverinfo="skip",
        marker={"color": FAULT, "size": 14, "symbol": "circle-open", "line": {"width": 3}},
    )  # fmt: skip
    xaxis = axis("slope below 0", range=[1.03, -0.03])
    return figure([curve, ring], showlegend=False, hovermode="closest", xaxis=xaxis, yaxis=yaxis)
