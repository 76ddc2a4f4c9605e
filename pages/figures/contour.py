"""A function of two variables as contours, with a point, the gradient there and the contour's tangent; and its slope in every direction."""

import math
from typing import Any

import numpy as np

from pages.figures.axes import FRAMED, axis, plane_axes
from pages.figures.figure import Figure, Floats, Trace, contour, figure, legend_entry, markers, polyline
from pages.figures.marks import arrow, note, vertical_line
from pages.figures.palette import BLUE, FAULT, GRADIENT, GREEN, GREY, MEASURED, ORANGE, THEORY, translucent
from pages.language import _

STEPS = 30000  # whole numbers that the heights are rounded to: half the bytes, and no eye tells more apart
BANDS = 14
ARROW, CORNER, TANGENT = 0.3, 0.06, 0.42  # lengths, of half a side of the square
LINE = 3  # px
LEAST_SLOPE = 1e-3  # that the axis of slopes is made for: at a critical point only rounding is left


Direction = tuple[float, float]  # a unit vector


def spaced(values: Floats) -> Floats:
    """±√|f|: heights at which the contours of a bowl are evenly spaced. A contour is the same curve by either height."""
    return np.sign(values) * np.sqrt(np.abs(values))


def contour_map(
    field: Floats, half: float, point: tuple[float, float, float], gradient: Direction | None, tangent: Direction | None
) -> Figure:
    """Contours over a square, the one through the point in strong color.

    Args:
        field: (side, side) values of f from the lowest y; NaN where there is none.
        half: the square reaches from -half to half on both axes.
        point: x, y and f there (NaN for no contour through it).
        gradient, tangent: drawn at the point; None where there is no such direction.
    """
    x, y, level = point
    heights = spaced(field)
    scale = STEPS / (float(np.nanmax(np.abs(heights), initial=0.0)) or 1.0)
    whole = np.round(heights * scale)
    step = 2 * half / (len(field) - 1)
    grid = {"z": whole, "x0": -half, "dx": step, "y0": -half, "dy": step}
    traces: list[Trace] = [_all_contours(grid)]
    if math.isfinite(level):
        traces.append(_contour_at(grid, float(spaced(np.array(level))) * scale))
    if tangent:
        across, up = (TANGENT * half * part for part in tangent)
        traces.append(_line([x - across, x + across], [y - up, y + up], GREEN, "dash", _("its tangent")))
    if tangent and gradient:  # a small square at the foot of the arrow, drawn along the two directions as they were found
        size, (gx, gy), (tx, ty) = CORNER * half, gradient, tangent
        xs = [x + size * gx, x + size * (gx + tx), x + size * tx]
        ys = [y + size * gy, y + size * (gy + ty), y + size * ty]
        traces.append(_line(xs, ys, GREY, "solid", ""))
    if gradient:  # the arrow is an annotation, which has no place in a legend
        traces.append(legend_entry(_("gradient"), line={"color": GRADIENT, "width": LINE}))
    traces.append(markers([x], [y], {"color": FAULT, "size": 11, "line": {"color": "white", "width": 2}}, showlegend=False))
    # of fixed length: its direction is what is shown; how steep it is stands in numbers
    heads = [(x + ARROW * half * gradient[0], y + ARROW * half * gradient[1])] if gradient else []
    axes = plane_axes(half, dtick=1, **FRAMED)
    axes["yaxis"]["constraintoward"] = "top"
    return figure(
        traces,
        margin={"l": 44, "r": 8, "t": 36, "b": 40},
        hovermode="closest",
        dragmode=False,
        annotations=[arrow((x, y), head, GRADIENT, LINE) for head in heads],
        **axes,
    )


def slope_by_direction(angles: Floats, measured: Floats, predicted: Floats, gradient: float | None, tangents: tuple[float, ...]) -> Figure:
    """How fast f rises in each direction, measured and as ∇f·u; all angles in degrees.

    Args:
        gradient: the gradient's own direction, None where it has none.
        tangents: directions in which a contour leaves the point.
    """
    reach = 1.15 * max(float(np.nanmax(np.abs(measured), initial=0.0)), LEAST_SLOPE)
    curves = [(_("measured"), measured, {"color": MEASURED}), ("∇f·u", predicted, {"color": THEORY, "dash": "dot"})]
    traces = [polyline(angles, values, line | {"width": LINE}, "%{y:.4g}", name=name) for name, values, line in curves]
    marks = [(gradient, GRADIENT, "solid", _("gradient"))] if gradient is not None else []
    marks += [(angle, GREEN, "dash", _("contour")) for angle in tangents]
    shapes = [vertical_line(angle, color, width=2, dash=dash) for angle, color, dash, _word in marks]
    words = [note(word, angle, 1, size=12, yref="paper", yanchor="bottom") for angle, _color, _dash, word in marks]
    return figure(
        traces,
        margin={"l": 56, "r": 12, "t": 28, "b": 60},
        legend={"orientation": "h", "x": 0, "y": -0.18, "yanchor": "top"},
        shapes=shapes,
        annotations=words,
        xaxis={"range": [0, 360], "dtick": 90, "zeroline": False, "ticksuffix": "°"},
        yaxis=axis(_("slope of f"), range=[-reach, reach]),
    )


def _all_contours(grid: dict[str, Any]) -> Trace:
    """All contours, faint; the higher, the bluer."""
    finite = grid["z"][np.isfinite(grid["z"])]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return contour(
        **grid, zmin=low, zmax=high, colorscale=[[0, translucent(BLUE, 0.02)], [1, translucent(BLUE, 0.5)]], showscale=False,
        contours={"start": low, "end": high, "size": max(high - low, 1.0) / BANDS, "coloring": "heatmap"},
        line={"color": translucent(GREY, 0.9), "width": 1}, hovertemplate="(%{x:.2f}, %{y:.2f})<extra></extra>", name=_("contours"),
        showlegend=False,
    )  # fmt: skip


def _contour_at(grid: dict[str, Any], height: float) -> Trace:
    return contour(
        **grid, contours={"start": height, "end": height, "size": 1, "coloring": "none"}, line={"color": ORANGE, "width": LINE},
        showscale=False, hoverinfo="skip", name=_("contour through the point"), showlegend=True,
    )  # fmt: skip


def _line(xs: list[float], ys: list[float], color: str, dash: str, name: str) -> Trace:
    return polyline(xs, ys, {"color": color, "width": LINE if name else 1.5, "dash": dash}, name=name, showlegend=bool(name))
