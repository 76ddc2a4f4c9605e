"""Signal and gradient through the layers of deep networks, measured beside predicted. Knows arrays, not networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pages.figures.axes import Log10Axis, axis, spoken_size
from pages.figures.figure import Figure, Floats, Trace, figure, heatmap, scatter
from pages.figures.marks import SMALL
from pages.figures.palette import DIVERGING, GRADIENT, GREY, HEALTHY, series_style, translucent

DIFFERS = 0.01  # of a decade: what float32 gets is marked where it is this far from float64
MOST_RIDGES = 10
RIDGE_HEIGHT = 1.6  # of the distance between two ridges
MOST_DECADES = 12.0  # of a map's color scale to either side
LINE = {"color": GREY, "width": 2}


@dataclass(frozen=True)
class DepthSeries:
    """One design's sizes by layer, as log10.

    Args:
        label: for the legend.
        layers: (m,) their numbers on the axis.
        measured: (m,) in float64.
        single: (m,) in float32, or None where that is not shown.
        predicted: (m,) theory's line, (2, m) theory's band, or None.
    """

    label: str
    layers: Floats
    measured: Floats
    single: Floats | None = None
    predicted: Floats | None = None


class Bound(NamedTuple):
    """A line to compare with: log10 at two or more layers, and its words for the legend."""

    label: str
    layers: Floats
    log10: Floats


def sizes_by_layer(series: Sequence[DepthSeries], title: str, bound: Bound | None = None) -> Figure:
    """Absolute sizes by layer on an axis in powers of ten; theory dashed, or as a band; what float32 makes of it as crosses.

    Exact zeros and what is not finite stand on lines of their own at the bottom and the top.
    """
    shown = [array for one in series for array in (one.measured, one.single, one.predicted) if array is not None]
    shown += [bound.log10] if bound is not None else []
    scale = Log10Axis.around(shown)
    traces: list[Trace] = []
    for index, one in enumerate(series):
        color = series_style(index)["color"]
        traces += _predicted(one, scale, color)
        traces.append(_measured(one, scale, color))
        traces += _single(one, scale, color)
    traces += _key(series)
    if bound is not None:
        dotted = {"color": GRADIENT, "width": 2, "dash": "dot"}
        traces.append(scatter(x=bound.layers, y=bound.log10, name=bound.label, mode="lines", line=dotted, hoverinfo="skip"))
    return _layered(traces, scale.layout(title), "layer")


def shares_by_layer(labels: Sequence[str], values: Sequence[Floats], title: str, predicted: Sequence[Floats | None] = ()) -> Figure:
    """A quantity by layer on a linear axis, one line a design (hidden layers 1 .. L); theory dashed where there is one."""
    traces = []
    for index, (label, numbers) in enumerate(zip(labels, values, strict=True)):
        color = series_style(index)["color"]
        layers = np.arange(1, len(numbers) + 1)
        style: dict[str, Any] = {"mode": "lines+markers", "line": {"color": color, "width": 2}, "marker": {"size": 5}}
        traces.append(scatter(x=layers, y=_drawn(numbers), name=label, hovertemplate="%{y:.3g}", **style))
        theory = predicted[index] if predicted else None
        if theory is not None:
            dashed = {"color": color, "width": 1.5, "dash": "dash"}
            traces.append(scatter(x=layers, y=_drawn(theory), mode="lines", line=dashed, showlegend=False, hoverinfo="skip"))
    if any(theory is not None for theory in predicted):
        traces.append(_entry("theory", "lines", line=LINE | {"dash": "dash"}))
    return _layered(traces, axis(title, automargin=True), "hidden layer")


def activation_ridges(histograms: Floats, largest: Floats, color_index: int = 0) -> Figure:
    """Distributions of the outputs of up to ten layers, one above the other, the first at the bottom; each on its own scale.

    Args:
        histograms: (L, bins) counts from -largest to +largest.
        largest: (L,) the largest absolute output of each layer, written beside its ridge.
    """
    depth, bins = histograms.shape
    chosen = np.unique(np.round(np.linspace(0, depth - 1, min(depth, MOST_RIDGES))).astype(int))
    x = (np.arange(bins) + 0.5) / bins * 2 - 1
    color = series_style(color_index)["color"]
    traces, ticks, words = [], [], []
    for place, layer in reversed(list(enumerate(chosen))):
        counts = histograms[layer]
        height = RIDGE_HEIGHT * np.sqrt(counts / (counts.max() or 1.0))  # the root, so that a spike at 0 leaves something of the rest
        size = spoken_size(math.log10(largest[layer]) if largest[layer] > 0 else -math.inf)
        base = scatter(x=x, y=np.full(bins, float(place)), mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip")
        ridge = scatter(
            x=x, y=place + height, mode="lines", line={"color": color, "width": 1.5}, fill="tonexty", fillcolor=translucent(color, 0.3),
            name=f"layer {layer + 1}", showlegend=False, hoverinfo="skip",
        )  # fmt: skip
        traces += [base, ridge]
        ticks.append((float(place), str(layer + 1)))
        words.append({"text": size, "xref": "paper", "x": 1.01, "xanchor": "left", "y": place, "showarrow": False, "font": {"size": SMALL}})
    words.append(
        {
            "text": "largest",
            "xref": "paper",
            "x": 1.01,
            "xanchor": "left",
            "y": 1.04,
            "yref": "paper",
            "showarrow": False,
            "font": {"size": SMALL},
        }
    )
    return figure(
        traces,
        xaxis=axis("output / largest output of its layer", range=[-1.02, 1.02], zeroline=True),
        yaxis=axis("hidden layer", tickvals=[t for t, _ in ticks], ticktext=[t for _, t in ticks], zeroline=False),
        annotations=words,
        margin={"l": 56, "r": 84, "t": 24, "b": 48},
        hovermode=False,
    )


def gradient_map(
    sigma_w: Floats,
    y: Floats,
    change_log10: Floats,
    critical: tuple[Floats, Floats],
    *,
    yname: str,
    ytitle: str,
    here: tuple[float, float] | None = None,
) -> Figure:
    """How much the gradient changes on its way back, over σ_w and a second quantity, with the predicted critical line on it.

    Args:
        sigma_w: (s,); y: (t,).
        change_log10: (t, s) log10 of the ratio; -inf is an exact 0.
        critical: x and y of the line on which theory says that it neither grows nor dies.
        here: a point to mark.
    """
    finite = np.abs(change_log10[np.isfinite(change_log10)])
    most = min(float(finite.max(initial=1.0)), MOST_DECADES)
    words = np.vectorize(lambda value: f"× {spoken_size(value)}", otypes=[object])(change_log10)
    traces: list[Any] = [
        heatmap(
            x=sigma_w, y=y, z=np.clip(change_log10, -most, most), zmin=-most, zmax=most, colorscale=DIVERGING, customdata=words,
            hovertemplate="σ<sub>w</sub> = %{x:.3g}, " + yname + " = %{y:.3g}<br>gradient %{customdata}<extra></extra>",
            colorbar={"title": {"text": "gradient,<br>log10", "side": "top"}, "thickness": 12},
        ),
        scatter(
            x=critical[0], y=critical[1], mode="lines", name="theory: χ = 1", hoverinfo="skip",
            line={"color": HEALTHY, "width": 4, "dash": "dash"},
        ),
    ]  # fmt: skip
    if here is not None:
        marker = {"color": "#FFFFFF", "size": 12, "symbol": "diamond", "line": {"color": "#111111", "width": 2}}
        traces.append(scatter(x=[here[0]], y=[here[1]], mode="markers", name="here", marker=marker, hoverinfo="skip"))
    return figure(
        traces,
        xaxis=axis("σ<sub>w</sub> (weights are N(0, σ<sub>w</sub>²/n))", range=[float(sigma_w[0]), float(sigma_w[-1])]),
        yaxis=axis(ytitle, range=[float(y[0]), float(y[-1])]),
        hovermode="closest",
    )


def _measured(one: DepthSeries, scale: Log10Axis, color: str) -> Trace:
    return scatter(
        x=one.layers, y=scale.place(one.measured), name=one.label, mode="lines+markers",
        line={"color": color, "width": 2}, marker={"size": 5},
        customdata=[spoken_size(value) for value in one.measured], hovertemplate="%{customdata}",
    )  # fmt: skip


def _predicted(one: DepthSeries, scale: Log10Axis, color: str) -> list[Trace]:
    if one.predicted is None:
        return []
    hidden: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip", "showlegend": False, "name": f"{one.label}, theory"}
    if one.predicted.ndim == 1:
        return [scatter(x=one.layers, y=scale.place(one.predicted), line={"color": color, "width": 1.5, "dash": "dash"}, **hidden)]
    low, high = (scale.place(edge) for edge in one.predicted)
    x, y = np.concatenate([one.layers, one.layers[::-1]]), np.concatenate([low, high[::-1]])
    edge = {"color": translucent(color, 0.7), "width": 1, "dash": "dash"}
    return [scatter(x=x, y=y, fill="toself", fillcolor=translucent(color, 0.15), line=edge, **hidden)]


def _single(one: DepthSeries, scale: Log10Axis, color: str) -> list[Trace]:
    """Crosses where float32 ends up elsewhere than float64, exact zeros and infinities included."""
    if one.single is None:
        return []
    same = np.isclose(one.single, one.measured, rtol=0, atol=DIFFERS, equal_nan=True)
    if same.all():
        return []
    return [
        scatter(
            x=one.layers[~same], y=scale.place(one.single[~same]), mode="markers", name=f"{one.label}, float32", showlegend=False,
            marker={"color": color, "size": 9, "symbol": "x-thin-open", "line": {"width": 2}},
            customdata=[spoken_size(value) for value in one.single[~same]], hovertemplate="float32: %{customdata}",
        )
    ]  # fmt: skip


def _key(series: Sequence[DepthSeries]) -> list[Trace]:
    """Entries of the legend that tell measured from predicted and from float32."""
    entries = []
    if any(one.predicted is not None for one in series):
        entries.append(_entry("theory", "lines", line=LINE | {"dash": "dash"}))
    if any(one.single is not None for one in series):
        entries.append(
            _entry("float32, where it differs", "markers", marker={"color": GREY, "size": 9, "symbol": "x-thin-open", "line": {"width": 2}})
        )
    return entries


def _entry(name: str, mode: str, **style: Any) -> Trace:
    return scatter(x=[None], y=[None], name=name, mode=mode, hoverinfo="skip", **style)


def _layered(traces: Sequence[Trace], yaxis: dict[str, Any], xtitle: str) -> Figure:
    return figure(traces, xaxis=axis(xtitle, zeroline=False), yaxis=yaxis)


def _drawn(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)
