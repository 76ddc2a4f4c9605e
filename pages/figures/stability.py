"""Products of random matrices: their growth beside the predicted one, the matrices, their singular values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlp_core.words import Message, from_log10, rounded, significant
from pages.figures.axes import Log10Axis, axis, hidden_axis
from pages.figures.figure import Figure, Floats, diagram, figure, filled, heatmap, legend_entry, markers, polyline
from pages.figures.marks import Marks, note, vertical_line
from pages.figures.palette import DIVERGING, FAULT, GREY, HEALTHY, MEASURED, ORANGE, PURPLE, THEORY, WARNING, series_style, translucent
from pages.figures.series import evenly_spread, segments
from pages.language import _

CURVE_POINTS = 160  # of a median: more than a person can tell apart
TRIAL_POINTS, MOST_TRIALS = 40, 12
QUANTILES = (5, 95)
NORMAL_95 = 1.6449  # the 95 % point of N(0, 1)
MOST_SINGULAR_VALUES = 8
MOST_WRITTEN = 6  # rows of a matrix whose entries are written out
BAND: dict[str, Any] = {"fillcolor": translucent(MEASURED, 0.22), "line": {"width": 0, "color": MEASURED}}
NEAR_LIMIT = 0.6  # a limit that the data come this near to is part of the picture


@dataclass(frozen=True)
class NumberRange:
    """A number format, and log10 of its smallest and largest positive number."""

    name: str
    smallest_log10: float
    largest_log10: float


@dataclass(frozen=True)
class Growth:
    """Predicted growth of log10 size: `rate` a factor; `scatter`, the standard deviation of one factor's step; and what it is called."""

    rate: float
    scatter: float
    name: str = Message("theory")


def product_growth(sizes: Floats, k: int, theory: Growth, numbers: NumberRange, crossings: Floats, *, literal: bool = False) -> Figure:
    """log10 max|M| against the number of factors: median and 5-95 % of all trials, single trials, and theory's line and band.

    Args:
        sizes: (trials, factors); -inf for 0, inf or NaN for what is not finite. The first trial is the one that is watched.
        k: the factor at which the matrix is shown, counted from 1.
        theory: its slope and scatter, of which the band is made: that of a column's length.
        numbers: the number format whose ends are drawn.
        crossings: (trials,) factors at which the trials left that format, NaN if never.
        literal: whether sizes are as that format holds them; then theory ends where the format does.
    """
    sizes = np.where(np.isnan(sizes), math.inf, sizes)
    factors = np.arange(1, sizes.shape[1] + 1)
    kept = evenly_spread(len(factors), CURVE_POINTS)
    x = factors[kept]
    low, high = np.percentile(sizes[:, kept], QUANTILES, axis=0, method="inverted_cdf")  # of some trial, which may be ±inf
    median = np.median(sizes[:, kept], axis=0)
    center, half = theory.rate * x, NORMAL_95 * theory.scatter * np.sqrt(x)
    predicted = np.stack([center, center - half, center + half])
    if literal:
        predicted[(predicted < numbers.smallest_log10) | (predicted > numbers.largest_log10)] = math.nan
    limit = numbers.largest_log10 if theory.rate > 0 else numbers.smallest_log10
    near = np.abs(sizes[np.isfinite(sizes)]).max(initial=0.0) > NEAR_LIMIT * abs(limit)
    scale = Log10Axis.around([low, high, sizes[0, kept], np.nan_to_num(predicted, nan=float(center[0])), [limit] if near else []])
    sparse = evenly_spread(sizes.shape[1], TRIAL_POINTS)
    singles = scale.place(sizes[1 : MOST_TRIALS + 1])[:, sparse]
    singles_x = np.tile(np.append(sparse + 1.0, np.nan), len(singles))
    words = np.array([
        _("{median} (5–95 %: {low} to {high})", median=_size(b), low=_size(a), high=_size(c))
        for a, b, c in zip(low, median, high, strict=True)
    ])  # fmt: skip
    traces = [
        filled(x, scale.place(low), scale.place(high), name=_("5–95 % of the trials"), **BAND),
        polyline(singles_x, segments(singles), {"color": translucent(MEASURED, 0.45), "width": 1}, name=_("single trials")),
        polyline(x, scale.place(sizes[0, kept]), {"color": PURPLE, "width": 1.5}, name=_("the trial shown")),
        polyline(x, scale.place(median), {"color": MEASURED, "width": 3}, "%{customdata}", customdata=words, name=_("median")),
        polyline(x, predicted[0], {"color": THEORY, "width": 2.5, "dash": "dash"}, "10<sup>%{y:.1f}</sup>", name=_(theory.name)),
        polyline(
            np.concatenate([x, [np.nan], x]), np.concatenate([predicted[1], [np.nan], predicted[2]]),
            {"color": THEORY, "width": 1, "dash": "dot"}, name=_("{theory}, 5–95 %", theory=theory.name),
        ),
        markers([k], scale.place(sizes[0, k - 1 : k]), {"color": PURPLE, "size": 10}, name=_("the matrix shown"), showlegend=False),
    ]  # fmt: skip
    marks = Marks()
    if near:
        ends = _("{format} overflows to ∞", format=numbers.name) if limit > 0 else _("{format} underflows to 0", format=numbers.name)
        marks.level(limit, ends)
        crossed = crossings[np.isfinite(crossings)]
        tick = {"symbol": "line-ns-open", "size": 9, "color": FAULT, "line": {"width": 1}}
        traces.append(markers(crossed, np.full(len(crossed), limit), tick, name=_("a trial leaves {format}", format=numbers.name)))
    return figure(traces, xaxis=_factor_axis(len(factors)), yaxis=scale.layout(_("size of the product, max |M|")), **marks.layout)


def survivors(sizes: Floats, name: str) -> Figure:
    """How many trials a number format still holds after each factor, how many are exactly 0, how many not finite, in percent.

    Args:
        sizes: (trials, factors) log10; -inf for 0, inf or NaN for what is not finite.
        name: of the number format.
    """
    factors = sizes.shape[1]
    kept = evenly_spread(factors, CURVE_POINTS)
    shown = sizes[:, kept]
    states = (
        (_("a number"), np.isfinite(shown), HEALTHY),
        (_("exactly 0"), shown == -math.inf, WARNING),
        (_("∞ or NaN"), np.isnan(shown) | (shown == math.inf), FAULT),
    )
    traces = [
        polyline(
            kept + 1, 100 * mask.mean(axis=0), {"width": 0, "color": color}, _("{number} %", number="%{y:.0f}"),
            name=label, stackgroup="one", fillcolor=translucent(color, 0.55),
        )
        for label, mask, color in states
    ]  # fmt: skip
    return figure(traces, xaxis=_factor_axis(factors), yaxis=axis(_("trials in {format} (%)", format=name), range=[0, 100]))


def singular_values(at: Sequence[int], path: Floats, rates: Floats, k: int, theory: str = Message("theory")) -> Figure:
    """All singular values of the trial shown against the number of factors (at most eight of them), each with its exponent's line.

    Args:
        at: (m,) numbers of factors.
        path: (m, n) log10 of the singular values, descending.
        rates: (n,) predicted log10 a factor, descending; NaN where there is no prediction.
        k: the factor at which the matrix is shown.
        theory: what the prediction is called.
    """
    n = path.shape[1]
    chosen = evenly_spread(n, MOST_SINGULAR_VALUES)
    x = np.asarray(at, dtype=np.float64)
    predicted = chosen[np.isfinite(rates[chosen])]
    scale = Log10Axis.around([path[:, chosen], x[-1] * rates[predicted]])
    traces = []
    ends = np.array([0.0, x[-1]])
    for place, index in enumerate(chosen):
        color = series_style(place)["color"]
        name = f"σ<sub>{index + 1}</sub>"
        traces.append(polyline(x, path[:, index], {"color": color, "width": 2}, "10<sup>%{y:.1f}</sup>", name=name))
        if index in predicted:
            traces.append(polyline(ends, rates[index] * ends, {"color": color, "width": 1.5, "dash": "dash"}, name=name, showlegend=False))
    traces.append(legend_entry(_(theory), line={"color": GREY, "dash": "dash"}))
    return figure(
        traces, xaxis=_factor_axis(at[-1]), yaxis=scale.layout(_("singular values of the product")), shapes=[vertical_line(k, PURPLE)]
    )


def matrix_picture(values: Floats) -> Figure:
    """A square matrix (n, n) as colors, 0 in the middle of the scale; up to six rows are written out; what is not finite is a fault."""
    n = len(values)
    finite = np.isfinite(values)
    largest = float(np.abs(values[finite]).max(initial=0.0)) or 1.0
    written = np.vectorize(_entry, otypes=[object])(values)
    shared: dict[str, Any] = {"x": np.arange(1, n + 1), "y": np.arange(1, n + 1), "xgap": 1, "ygap": 1, "showscale": False}
    shared |= {"customdata": written, "hovertemplate": f"{_('row %{y}, column %{x}: %{customdata}')}<extra></extra>"}
    if n <= MOST_WRITTEN:
        shared |= {"text": written, "texttemplate": "%{text}"}
    traces = [
        heatmap(z=np.where(finite, values, np.nan), zmin=-largest, zmax=largest, colorscale=DIVERGING, **shared),
        heatmap(z=np.where(finite, np.nan, 1.0), colorscale=[[0, FAULT], [1, FAULT]], **shared),
    ]
    return diagram(
        traces,
        xaxis=hidden_axis(constrain="domain"),
        yaxis=hidden_axis(constrain="domain", autorange="reversed", scaleanchor="x"),
    )


def critical_scales(critical: Floats, mean_square: Floats, n: int, scale: float) -> Figure:
    """The scale at which products of n x n matrices neither grow nor die, the one that keeps the mean square, and where the controls stand.

    Args:
        critical, mean_square: (N,) for n = 1 .. N.
    """
    sizes = np.arange(1, len(critical) + 1)
    traces = [
        polyline(sizes, critical, {"color": THEORY, "width": 2.5, "dash": "dash"}, "%{y:.4f}", name=_("neither: exp(−λ₁)")),
        polyline(sizes, mean_square, {"color": ORANGE, "width": 1.5, "dash": "dot"}, "%{y:.4f}", name=_("keeps the mean square")),
        markers([n], [scale], {"color": PURPLE, "size": 11}, "σ = %{y:.4g}", name=_("here")),
    ]
    places = ((_("grows"), 0.75, 0.85), (_("dies"), 0.12, 0.1))
    words = [note(text, x, y, xref="paper", yref="paper", opacity=0.75) for text, x, y in places]
    xaxis = axis("n", type="log", tickvals=[1, 2, 4, 8, 16, 32, 64])
    return figure(traces, xaxis=xaxis, yaxis=axis("σ", type="log", tickvals=[0.1, 0.2, 0.5, 1, 2]), annotations=words)


def _factor_axis(factors: int) -> dict[str, Any]:
    return axis(_("factors k"), range=[0, factors * 1.01], zeroline=False, uirevision=f"{factors} factors")


def _entry(value: float) -> str:
    return rounded(value, 2) if value == 0 or 0.01 <= abs(value) < 100 else significant(value, 2)


def _size(log10: float) -> str:
    """A power of ten with its tenths; 0 and ∞ where it is that."""
    return f"10<sup>{rounded(log10, 1)}</sup>" if math.isfinite(log10) else from_log10(log10)
