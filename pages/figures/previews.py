"""The start page's small figures: one glance each, no legend and little else."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pages.figures.axes import axis
from pages.figures.figure import Figure, Floats, Trace, contour, figure, heatmap, scatter
from pages.figures.palette import DIVERGING, GRADIENT, MEASURED, SEQUENTIAL, TEST, THEORY, VALUE, translucent
from pages.figures.series import segments
from pages.language import _


def value_over_gradient(x: Floats, value: Floats, gradient: Floats) -> Figure:
    """A function and its derivative on one pair of axes, named where they are highest."""
    traces = [
        scatter(x=x, y=y, mode="lines", line={"color": color, "width": 3}, name=name)
        for name, y, color in (("σ(x)", value, VALUE), ("σ'(x)", gradient, GRADIENT))
    ]
    names = [
        {"x": 5, "y": 0.98, "text": "σ(x)", "yanchor": "top", "yshift": -8, "font": {"color": VALUE, "size": 15}},
        {"x": 2, "y": 0.16, "text": "σ'(x) ≤ ¼", "xanchor": "left", "xshift": 8, "font": {"color": GRADIENT, "size": 15}},
    ]
    return _small(traces, "x", "", annotations=[name | {"showarrow": False} for name in names])


def growing_products(sizes: Floats) -> Figure:
    """log10 of the size of products of random matrices against the number of factors: every trial one line, one trace for all.

    Args:
        sizes: (trials, factors).
    """
    trials, factors = sizes.shape
    k, logs = np.tile(np.append(np.arange(1.0, factors + 1), np.nan), trials), segments(sizes)
    line = {"color": translucent(MEASURED, 0.7), "width": 1.5}
    return _small([scatter(x=k, y=logs, mode="lines", line=line)], _("factors"), "log₁₀ max |M|")


def bent_plane(places: Floats, output: Floats) -> Figure:
    """A function over the plane, (side, side) at `places` of both axes, shaded by its sign and size."""
    limit = float(np.abs(output).max())
    shading = heatmap(x=places, y=places, z=output, zmin=-limit, zmax=limit, colorscale=DIVERGING, showscale=False, hoverinfo="skip")
    return _small([shading], "x", "y")


def curve_through_noise(x: Floats, truth: Floats, fit: Floats, xs: Floats, ys: Floats) -> Figure:
    """Points, the curve that they come from, and one that goes through them."""
    traces = [
        scatter(x=x, y=truth, mode="lines", name=_("truth"), line={"color": THEORY, "width": 2, "dash": "dot"}),
        scatter(x=x, y=fit, mode="lines", name=_("fit"), line={"color": VALUE, "width": 3}),
        scatter(x=xs, y=ys, mode="markers", name=_("points"), marker={"color": TEST, "size": 7}),
    ]
    reach = 0.6 * float(np.ptp(ys))
    return _small(traces, "x", "y", range=[float(ys.min()) - reach, float(ys.max()) + reach])  # the fit leaves every frame


def arrow_across_contour(x: Floats, y: Floats, values: Floats, at: tuple[float, float], gradient: tuple[float, float]) -> Figure:
    """Level lines, and the gradient at a point: as long as a quarter of the frame's height, at a right angle to the line."""
    levels = contour(
        x=x, y=y, z=values, colorscale=SEQUENTIAL, showscale=False, contours={"coloring": "lines"}, line={"width": 2}, hoverinfo="skip"
    )
    scale = 0.25 * float(np.ptp(y)) / float(np.hypot(*gradient))
    arrow = scatter(
        x=[at[0], at[0] + scale * gradient[0]], y=[at[1], at[1] + scale * gradient[1]], mode="lines+markers", name=_("gradient"),
        line={"color": GRADIENT, "width": 3}, marker={"symbol": "arrow", "angleref": "previous", "size": [0, 14], "color": GRADIENT},
    )  # fmt: skip
    return _small([levels, arrow], "x", "y", scaleanchor="x")  # or the right angle would not look like one


def _small(traces: list[Trace], x_title: str, y_title: str, annotations: Sequence[dict[str, Any]] = (), **yaxis: Any) -> Figure:
    still = {"fixedrange": True, "nticks": 5}
    return figure(
        traces,
        margin={"l": 44, "r": 8, "t": 8, "b": 40},
        showlegend=False,
        dragmode=False,
        xaxis=axis(x_title, **still),
        yaxis=axis(y_title, **still, **yaxis),
        annotations=list(annotations),
    )
