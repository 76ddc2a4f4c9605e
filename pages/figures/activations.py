"""Pictures of activations: value above gradient with a tangent, and a distribution and what an activation makes of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

import numpy as np

from pages.figures.axes import axis
from pages.figures.figure import Figure, Floats, Trace, bar, figure, markers, polyline, scatter
from pages.figures.marks import vertical_line
from pages.figures.palette import GRADIENT, GREY, VALUE, WARNING, series_style, translucent
from pages.figures.series import decimate, finite
from pages.language import _

TANGENT_SHARE = 0.14  # of the width of the plot, on either side of the point
TANGENT_RISE = 0.35  # of the height of all curves; a steeper tangent is shorter, so that it never decides the scale
VALUE_DOMAIN, GRADIENT_DOMAIN = (0.54, 1.0), (0.0, 0.46)


@dataclass(frozen=True)
class FunctionSeries:
    """One activation on a grid: three arrays (n,). What is not finite is drawn as a gap."""

    label: str
    x: Floats
    value: Floats
    gradient: Floats

    @property
    def name(self) -> str:
        """The label as plotly wants it, which takes `<…>` for a tag."""
        return escape(self.label, quote=False)


class TangentMark(Protocol):
    """A point of a function: what autograd calls its slope there, and the slopes on either side, which differ at a kink."""

    @property
    def x(self) -> float: ...
    @property
    def value(self) -> float: ...
    @property
    def gradient(self) -> float: ...
    @property
    def left_slope(self) -> float: ...
    @property
    def right_slope(self) -> float: ...
    @property
    def kink(self) -> bool: ...


class BinShares(Protocol):
    """A histogram in three parts: `edges` (n+1,), shares (n,) of what is active, saturated and without gradient."""

    @property
    def edges(self) -> Floats: ...
    @property
    def active(self) -> Floats: ...
    @property
    def saturated(self) -> Floats: ...
    @property
    def dead(self) -> Floats: ...


def function_curves(series: Sequence[FunctionSeries], mark: TangentMark | None = None) -> Figure:
    """Values above, gradients below, one x for both.

    Args:
        series: the functions, in the order of the palette.
        mark: the point at which a tangent is drawn; None for none.
    """
    traces = [trace for index, one in enumerate(series) for trace in _function(one, series_style(index))]
    if mark is not None and series:
        values = np.concatenate([finite(one.value) for one in series])
        height = float(np.nanmax(values) - np.nanmin(values)) if np.isfinite(values).any() else 1.0
        traces += _tangents(mark, TANGENT_SHARE * float(np.ptp(series[0].x)), TANGENT_RISE * height)
    shared: dict[str, Any] = {"zeroline": True, "hoverformat": ".4g"}
    return figure(
        traces,
        hoversubplots="axis",
        xaxis=axis("x", anchor="y2", showspikes=False),
        yaxis=axis(_("value φ(x)"), domain=VALUE_DOMAIN, **shared),
        yaxis2=axis(_("gradient φ′(x)"), domain=GRADIENT_DOMAIN, **shared),
        shapes=[] if mark is None else [vertical_line(mark.x, translucent(GRADIENT, 0.5), layer="below")],
    )


def pushed_distribution(curve: FunctionSeries, inputs: BinShares, outputs: BinShares) -> Figure:
    """Inputs below the curve, outputs to its right: each input goes up to the curve and across to its output.

    Args:
        curve: the activation over the inputs' range.
        inputs, outputs: their histograms.
    """
    x, y = decimate(curve.x, finite(curve.value))
    traces = [
        scatter(x=x, y=y, mode="lines", name=curve.name, line={"color": VALUE, "width": 2.5}, showlegend=False),
        *_bars(inputs, upright=True),
        *_bars(outputs, upright=False),
    ]
    share = axis(_("share"), showgrid=False, zeroline=False, tickformat=".0%", nticks=3, rangemode="tozero")
    return figure(
        traces,
        hovermode="closest",
        barmode="stack",
        bargap=0,
        xaxis=axis(_("input z"), domain=(0, 0.74), anchor="y2"),
        xaxis2=share | {"domain": (0.78, 1), "anchor": "y", "side": "top"},
        yaxis=axis(_("output φ(z)"), domain=(0.36, 1)),
        yaxis2=share | {"domain": (0, 0.3), "anchor": "x"},
    )


def _function(one: FunctionSeries, style: dict[str, str]) -> Iterator[Trace]:
    line = style | {"width": 2.5}
    for yaxis, values, name in (("y", one.value, one.name), ("y2", one.gradient, f"{one.name} ′")):
        x, y = decimate(one.x, finite(values))
        shared = {"yaxis": yaxis, "name": name, "legendgroup": one.name, "showlegend": yaxis == "y"}
        yield scatter(x=x, y=y, mode="lines", line=line, connectgaps=False, **shared)


def _tangents(mark: TangentMark, width: float, height: float) -> Iterator[Trace]:
    segments = [("solid", mark.gradient, -1.0, 1.0)]
    if mark.kink:
        segments += [("dot", mark.left_slope, -1.0, 0.0), ("dot", mark.right_slope, 0.0, 1.0)]
    for dash, slope, start, end in segments:
        if not np.isfinite([mark.value, slope]).all():
            continue
        reach = min(width, height / abs(slope)) if slope else width
        x, y = ([at + factor * reach * part for part in (start, end)] for at, factor in ((mark.x, 1.0), (mark.value, slope)))
        yield polyline(x, y, {"color": GRADIENT, "width": 2, "dash": dash}, name=_("tangent"), showlegend=False)
    for yaxis, level in (("y", mark.value), ("y2", mark.gradient)):
        if np.isfinite(level):
            yield markers([mark.x], [level], {"color": GRADIENT, "size": 9}, yaxis=yaxis, name=_("point"), showlegend=False)


def _bars(histogram: BinShares, *, upright: bool) -> Iterator[Trace]:
    centers, widths = (histogram.edges[1:] + histogram.edges[:-1]) / 2, np.diff(histogram.edges)
    parts = (
        (_("active"), histogram.active, VALUE),
        (_("saturated"), histogram.saturated, WARNING),
        (_("gradient 0"), histogram.dead, GREY),
    )
    for name, shares, color in parts:
        place: dict[str, Any] = {"x": centers, "y": shares, "xaxis": "x", "yaxis": "y2"}
        hover = "z = %{x:.3g}: %{y:.2%} " + name + "<extra></extra>"
        if not upright:
            place = {"x": shares, "y": centers, "xaxis": "x2", "yaxis": "y", "orientation": "h"}
            hover = "φ(z) = %{y:.3g}: %{x:.2%} " + name + "<extra></extra>"
        yield bar(
            **place, width=widths, name=name, legendgroup=name, showlegend=upright and bool(shares.any()), hovertemplate=hover,
            marker={"color": color, "line": {"width": 0}},
        )  # fmt: skip
