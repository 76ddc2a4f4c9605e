"""Deep networks: signal and gradient through the layers, measured beside predicted; a chain of sigmoids; units that stay alike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mlp_core.words import from_log10, significant
from pages.figures.axes import Log10Axis, axis, labeled
from pages.figures.figure import Figure, Floats, Trace, figure, filled, heatmap, legend_entry, markers, polyline
from pages.figures.marks import Marks, note
from pages.figures.palette import DIVERGING, GRADIENT, GREY, HEALTHY, THEORY, VALUE, series_style, translucent
from pages.figures.series import evenly_spread, finite
from pages.language import _

DIFFERS = 0.01  # of a decade: what float32 gets is marked where it is this far from float64
MOST_OUTPUT_RIDGES = 10
OUTPUT_RIDGE_HEIGHT = 1.6  # of the distance between two ridges
MOST_DECADES = 12.0  # of a map's color scale to either side
CROSS = {"size": 9, "symbol": "x-thin-open", "line": {"width": 2}}
MOST_NUMBERED = 20  # layers of a chain that each get a tick
UNITS_MARGIN = 1.35  # a factor above all units and below one


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


class GradientBound(NamedTuple):
    """A line to compare with: log10 at two or more layers, and its words for the legend."""

    label: str
    layers: Floats
    log10: Floats


def sizes_by_layer(series: Sequence[DepthSeries], title: str, bound: GradientBound | None = None) -> Figure:
    """Absolute sizes by layer on an axis in powers of ten; theory dashed, or as a band; what float32 makes of it as crosses.

    Exact zeros and what is not finite stand on lines of their own at the bottom and the top.

    Args:
        series: one a design.
        title: of the vertical axis.
        bound: a line to compare with; None for none.
    """
    shown = [array for one in series for array in (one.measured, one.single, one.predicted) if array is not None]
    shown += [bound.log10] if bound is not None else []
    scale = Log10Axis.around(shown)
    traces: list[Trace] = []
    for index, one in enumerate(series):
        color = series_style(index)["color"]
        traces += _predicted(one, scale, color)
        dotted = {"mode": "lines+markers", "marker": {"size": 5}, "name": one.label}
        spoken = [from_log10(value) for value in one.measured]
        line = {"color": color, "width": 2}
        traces.append(polyline(one.layers, scale.place(one.measured), line, "%{customdata}", customdata=spoken, **dotted))
        traces += _float32_crosses(one, scale, color)
    if any(one.predicted is not None for one in series):
        traces.append(_theory_entry())
    if any(one.single is not None for one in series):
        traces.append(legend_entry(_("float32, where it differs"), mode="markers", marker=CROSS | {"color": GREY}))
    if bound is not None:
        traces.append(polyline(bound.layers, bound.log10, {"color": GRADIENT, "width": 2, "dash": "dot"}, name=bound.label))
    return figure(traces, xaxis=axis(_("layer"), zeroline=False), yaxis=scale.layout(title))


def shares_by_layer(labels: Sequence[str], values: Sequence[Floats], title: str, predicted: Sequence[Floats | None] = ()) -> Figure:
    """A quantity by layer on a linear axis, one line a design; theory dashed where there is one.

    Args:
        labels: of the designs.
        values: (L,) of hidden layers 1 .. L, for every design.
        title: of the vertical axis.
        predicted: (L,) or None for every design; () for no theory at all.
    """
    traces = []
    for index, (label, numbers) in enumerate(zip(labels, values, strict=True)):
        color = series_style(index)["color"]
        layers = np.arange(1, len(numbers) + 1)
        dotted = {"mode": "lines+markers", "marker": {"size": 5}, "name": label}
        traces.append(polyline(layers, finite(numbers), {"color": color, "width": 2}, "%{y:.3g}", **dotted))
        theory = predicted[index] if predicted else None
        if theory is not None:
            traces.append(polyline(layers, finite(theory), {"color": color, "width": 1.5, "dash": "dash"}, showlegend=False))
    if any(theory is not None for theory in predicted):
        traces.append(_theory_entry())
    return figure(traces, xaxis=axis(_("hidden layer"), zeroline=False), yaxis=axis(title, automargin=True))


def activation_ridges(histograms: Floats, largest: Floats, color_index: int = 0) -> Figure:
    """Distributions of the outputs of up to ten layers, one above the other, the first at the bottom; each on its own scale.

    Args:
        histograms: (L, bins) counts from -largest to +largest.
        largest: (L,) the largest absolute output of each layer, written beside its ridge.
    """
    depth, bins = histograms.shape
    chosen = evenly_spread(depth, MOST_OUTPUT_RIDGES)
    x = (np.arange(bins) + 0.5) / bins * 2 - 1
    color = series_style(color_index)["color"]
    traces, ticks, words = [], [], []
    for place, layer in reversed(list(enumerate(chosen))):
        counts = histograms[layer]
        share = counts / (counts.max() or 1.0)
        height = OUTPUT_RIDGE_HEIGHT * np.sqrt(share)  # the root, so that a spike at 0 leaves something of the rest
        size = from_log10(math.log10(largest[layer]) if largest[layer] > 0 else -math.inf)
        traces.append(polyline(x, np.full(bins, float(place)), {"width": 0}, showlegend=False))
        filling = {"fill": "tonexty", "fillcolor": translucent(color, 0.3), "name": _("layer {number}", number=layer + 1)}
        traces.append(polyline(x, place + height, {"color": color, "width": 1.5}, showlegend=False, **filling))
        ticks.append((float(place), str(layer + 1)))
        words.append(note(size, 1.01, place, xref="paper", xanchor="left"))
    words.append(note(_("largest"), 1.01, 1.04, xref="paper", yref="paper", xanchor="left"))
    return figure(
        traces,
        xaxis=axis(_("output / largest output of its layer"), range=[-1.02, 1.02], zeroline=True),
        yaxis=axis(_("hidden layer"), **labeled(ticks), zeroline=False),
        annotations=words,
        margin={"l": 56, "r": 84, "t": 24, "b": 48},
        hovermode=False,
    )


def gradient_map(
    sigma_w: Floats,
    y: Floats,
    change_log10: Floats,
    line: tuple[Floats, Floats, npt.NDArray[np.bool_]],
    *,
    yname: str,
    ytitle: str,
    here: tuple[float, float] | None = None,
) -> Figure:
    """How much the gradient changes on its way back, over σ_w and a second quantity, with the predicted critical line on it.

    Args:
        sigma_w: (s,); y: (t,).
        change_log10: (t, s) log10 of the ratio; -inf is an exact 0.
        line: x and y (m,) of the line at which theory says that it begins to grow, and (m,) where χ jumps over 1 on it.
        here: a point to mark.
    """
    known = np.abs(change_log10[np.isfinite(change_log10)])
    most = min(float(known.max(initial=1.0)), MOST_DECADES)
    words = np.vectorize(lambda value: f"× {from_log10(value)}", otypes=[object])(change_log10)
    hover = _("σ<sub>w</sub> = %{x:.3g}, {quantity} = %{y:.3g}<br>gradient %{customdata}", quantity=yname)
    traces = [
        heatmap(
            x=sigma_w, y=y, z=np.clip(change_log10, -most, most), zmin=-most, zmax=most, colorscale=DIVERGING, customdata=words,
            hovertemplate=f"{hover}<extra></extra>", colorbar={"title": {"text": _("gradient,<br>log10"), "side": "top"}, "thickness": 12},
        ),
    ]  # fmt: skip
    x, height, jumps = line
    for name, dash, here_drawn in ((_("theory: χ = 1"), "dash", ~jumps), (_("theory: χ jumps over 1"), "dot", jumps)):
        shown = np.where(here_drawn, x, np.nan)
        if np.isfinite(shown).any():
            traces.append(polyline(shown, height, {"color": HEALTHY, "width": 4, "dash": dash}, name=name))
    if here is not None:
        marker = {"color": "#FFFFFF", "size": 12, "symbol": "diamond", "line": {"color": "#111111", "width": 2}}
        traces.append(markers([here[0]], [here[1]], marker, name=_("here")))
    return figure(
        traces,
        xaxis=axis(_("σ<sub>w</sub> (weights are N(0, σ<sub>w</sub>²/n))"), range=[float(sigma_w[0]), float(sigma_w[-1])]),
        yaxis=axis(ytitle, range=[float(y[0]), float(y[-1])]),
        hovermode="closest",
    )


def _theory_entry() -> Trace:
    return legend_entry(_("theory"), line={"color": GREY, "width": 2, "dash": "dash"})


def _predicted(one: DepthSeries, scale: Log10Axis, color: str) -> list[Trace]:
    if one.predicted is None:
        return []
    hidden: dict[str, Any] = {"name": _("{design}, theory", design=one.label), "showlegend": False}
    if one.predicted.ndim == 1:
        return [polyline(one.layers, scale.place(one.predicted), {"color": color, "width": 1.5, "dash": "dash"}, **hidden)]
    low, high = (scale.place(edge) for edge in one.predicted)
    edge = {"color": translucent(color, 0.7), "width": 1, "dash": "dash"}
    return [filled(one.layers, low, high, fillcolor=translucent(color, 0.15), line=edge, **hidden)]


def _float32_crosses(one: DepthSeries, scale: Log10Axis, color: str) -> list[Trace]:
    """Crosses where float32 ends up elsewhere than float64, exact zeros and infinities included."""
    if one.single is None:
        return []
    same = np.isclose(one.single, one.measured, rtol=0, atol=DIFFERS, equal_nan=True)
    if same.all():
        return []
    layers, values = one.layers[~same], one.single[~same]
    name = _("{design}, float32", design=one.label)
    hidden: dict[str, Any] = {"name": name, "showlegend": False, "customdata": [from_log10(value) for value in values]}
    return [markers(layers, scale.place(values), CROSS | {"color": color}, "float32: %{customdata}", **hidden)]


def sigmoid_and_gradient(x: Floats, value: Floats, gradient: Floats, chosen: Floats, chosen_gradient: Floats) -> Figure:
    """The sigmoid with its gradient, and on the gradient the points chosen for the layers, numbered.

    Args:
        x, value, gradient: (n,) a grid, σ and σ′ there.
        chosen, chosen_gradient: (L,) the input of each layer and σ′ there.
    """
    numbers = [str(layer) for layer in range(1, len(chosen) + 1)]
    traces = [
        polyline(x, value, {"color": VALUE, "width": 2.5}, "%{y:.4f}", name=_("sigmoid σ(x)")),
        polyline(x, gradient, {"color": GRADIENT, "width": 2.5}, "%{y:.4f}", name=_("gradient σ′(x)")),
        markers(
            chosen, chosen_gradient, {"color": GRADIENT, "size": 9, "line": {"color": GREY, "width": 1}},
            _("layer %{text}: σ′ = %{y:.4f}"), mode="markers+text", text=numbers, textposition="top center",
            name=_("layers"), cliponaxis=False,
        ),
    ]  # fmt: skip
    marks = Marks()
    marks.level(0.25, _("largest gradient: 1/4"))
    return figure(
        traces,
        xaxis=axis("x", zeroline=False, range=[float(x[0]), float(x[-1])]),
        yaxis=axis(_("value and gradient"), range=[-0.03, 1.03]),
        hovermode="closest",
        **marks.layout,
    )


def gradient_chain(factors_log10: Floats, bound_log10: Floats) -> Figure:
    """The running product of the layers' gradients beside its bound 0.25^l.

    Args:
        factors_log10: (L,) log10 of the gradient of each layer.
        bound_log10: (L,) log10 of the bound after each layer.
    """
    layers = np.arange(1, len(factors_log10) + 1)
    product = np.cumsum(factors_log10)
    scale = Log10Axis.around([product, bound_log10, [0.0]])
    words = [
        _("{product} (this layer × {factor})", product=from_log10(p), factor=significant(10**f))
        for p, f in zip(product, factors_log10, strict=True)
    ]
    bounds = [from_log10(bound) for bound in bound_log10]
    traces = [
        polyline(
            layers, scale.place(product), {"color": GRADIENT, "width": 2.5}, "%{customdata}",
            mode="lines+markers", marker={"size": 8}, customdata=words, name=_("product of the gradients"),
        ),
        polyline(
            layers, bound_log10, {"color": THEORY, "width": 2, "dash": "dash"}, _("at most %{customdata}"),
            customdata=bounds, name=_("bound 0.25<sup>l</sup>"),
        ),
    ]  # fmt: skip
    xaxis = axis(_("layers l multiplied so far"), dtick=1 if len(layers) <= MOST_NUMBERED else None, zeroline=False)
    return figure(traces, xaxis=xaxis, yaxis=scale.layout("σ′(x₁) ··· σ′(x<sub>l</sub>)"))


def distinct_unit_counts(
    series: Sequence[tuple[str, Sequence[int], Sequence[int]]], units: int, steps_per_epoch: int, total_epochs: float
) -> Figure:
    """How many units of a layer are different from each other against epochs, on a log axis from one to all.

    Args:
        series: of each run its name, the steps at which its layer was probed, and how many units were different then.
        units: width of the layer.
        steps_per_epoch: turns a step into a place on the axis.
        total_epochs: right end of the axis.
    """
    traces = []
    for index, (label, steps, counts) in enumerate(series):
        line = {"color": series_style(index)["color"], "width": 2}
        dotted = {"mode": "lines+markers", "marker": {"size": 7}, "name": label}
        hover = _("%{y} of {units} units", units=units)
        traces.append(polyline(np.asarray(steps) / steps_per_epoch, list(counts), line, hover, **dotted))
    ticks = [1, *(2**power for power in range(1, 11) if 2**power < units and power % 2 == 0), units]
    return figure(
        traces,
        xaxis=axis(_("epoch"), range=[-0.02 * total_epochs, total_epochs * 1.02], zeroline=False),
        yaxis=axis(
            _("different units"),
            type="log",
            tickvals=sorted(set(ticks)),
            range=[float(np.log10(1 / UNITS_MARGIN)), float(np.log10(units * UNITS_MARGIN))],
        ),
    )
