"""The home page's small figures: one glance each, no legend and little else."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from pages.figures.palette import DIVERGING, GRADIENT, MEASURED, SEQUENTIAL, TEST, THEORY, VALUE, base_layout, translucent

Array = npt.NDArray[np.float64]


def value_over_gradient(x: Array, value: Array, gradient: Array) -> go.Figure:
    """A function and its derivative on one pair of axes, named where they are highest."""
    figure = go.Figure()
    for name, y, color in (("σ(x)", value, VALUE), ("σ'(x)", gradient, GRADIENT)):
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": color, "width": 3}, name=name)
    figure.add_annotation(x=5, y=0.98, text="σ(x)", showarrow=False, yanchor="top", yshift=-8, font={"color": VALUE, "size": 15})
    figure.add_annotation(x=2, y=0.16, text="σ'(x) ≤ ¼", showarrow=False, xanchor="left", xshift=8, font={"color": GRADIENT, "size": 15})
    return figure.update_layout(_small("x", ""))


def growing_products(sizes: Array) -> go.Figure:
    """log10 of the size of products of random matrices against the number of factors: every trial one line, one trace for all."""
    trials, factors = sizes.shape
    k = np.tile(np.append(np.arange(1.0, factors + 1), np.nan), trials)
    logs = np.column_stack([sizes, np.full(trials, np.nan)]).ravel()
    line = {"color": translucent(MEASURED, 0.7), "width": 1.5}
    return go.Figure(go.Scatter(x=k, y=logs, mode="lines", line=line)).update_layout(_small("factors", "log₁₀ max |M|"))


def bent_plane(axis: Array, output: Array) -> go.Figure:
    """A function over the plane, shaded by its sign and size."""
    limit = float(np.abs(output).max())
    shading = go.Heatmap(x=axis, y=axis, z=output, zmin=-limit, zmax=limit, colorscale=DIVERGING, showscale=False, hoverinfo="skip")
    return go.Figure(shading).update_layout(_small("x", "y"))


def curve_through_noise(x: Array, truth: Array, fit: Array, xs: Array, ys: Array) -> go.Figure:
    """Points, the curve that they come from, and one that goes through them."""
    figure = go.Figure()
    figure.add_scatter(x=x, y=truth, mode="lines", name="truth", line={"color": THEORY, "width": 2, "dash": "dot"})
    figure.add_scatter(x=x, y=fit, mode="lines", name="fit", line={"color": VALUE, "width": 3})
    figure.add_scatter(x=xs, y=ys, mode="markers", name="points", marker={"color": TEST, "size": 7})
    reach = 0.6 * float(np.ptp(ys))
    layout = _small("x", "y")
    layout["yaxis"] |= {"range": [float(ys.min()) - reach, float(ys.max()) + reach]}  # the fit leaves every frame
    return figure.update_layout(layout)


def arrow_across_contour(x: Array, y: Array, values: Array, at: tuple[float, float], gradient: tuple[float, float]) -> go.Figure:
    """Level lines, and the gradient at a point: as long as a quarter of the frame's height, at a right angle to the line."""
    contour = go.Contour(
        x=x,
        y=y,
        z=values,
        colorscale=SEQUENTIAL,
        showscale=False,
        contours={"coloring": "lines"},
        line={"width": 2},
        hoverinfo="skip",
    )
    scale = 0.25 * float(np.ptp(y)) / float(np.hypot(*gradient))
    figure = go.Figure(contour)
    figure.add_scatter(
        x=[at[0], at[0] + scale * gradient[0]], y=[at[1], at[1] + scale * gradient[1]], mode="lines+markers", name="gradient",
        line={"color": GRADIENT, "width": 3}, marker={"symbol": "arrow", "angleref": "previous", "size": [0, 14], "color": GRADIENT},
    )  # fmt: skip
    layout = _small("x", "y")
    layout["yaxis"] |= {"scaleanchor": "x"}  # or the right angle would not look like one
    return figure.update_layout(layout)


def _small(x_title: str, y_title: str) -> dict[str, Any]:
    axis = {"fixedrange": True, "nticks": 5}
    return base_layout(
        margin={"l": 44, "r": 8, "t": 8, "b": 40},
        showlegend=False,
        dragmode=False,
        template=None,
        xaxis=axis | {"title": {"text": x_title}},
        yaxis=axis | {"title": {"text": y_title}},
    )
