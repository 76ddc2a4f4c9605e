"""Distributions of the numbers in every layer, one above the other over one axis. Knows counts, not what they were counted of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from pages.figures.axes import axis
from pages.figures.figure import Figure, Trace, figure, scatter
from pages.figures.marks import SMALL
from pages.figures.palette import OUTPUT, WARNING, depth_colors, translucent
from pages.figures.series import evenly_spread

MOST_RIDGES = 10
ROW_PX, AROUND_PX = 58, 116
HEIGHT = 0.86  # of a ridge, of the distance between two
SHOWN_SHARE = 0.999  # of the values of each layer; an axis out to the last one would leave the rest a line
DIGITS = 3


class Binned(Protocol):
    """Counts in equal bins from `low` to `high`."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def counts(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class Flat:
    """Where an activation is flat: at or below `low` and at or above `high`; infinite where it is not."""

    low: float
    high: float


class _Scaled(NamedTuple):
    low: float
    high: float
    counts: tuple[int, ...]

    @classmethod
    def of(cls, histogram: Binned) -> _Scaled:
        largest = max(abs(histogram.low), abs(histogram.high)) or 1.0
        return cls(histogram.low / largest, histogram.high / largest, histogram.counts)


def layer_ridges(
    histograms: Sequence[Binned],
    title: str,
    *,
    hidden: int,
    flat: Flat | None = None,
    notes: Sequence[str] = (),
    own_scales: bool = False,
) -> Figure:
    """A ridge a layer, the first at the top, each scaled to its own peak; heights are roots of shares: a spike leaves the rest.

    The axis holds `SHOWN_SHARE` of every layer's values. Of a deep network `MOST_RIDGES` layers are drawn, evenly spread.

    Args:
        histograms: one a layer, the output layer last if it is among them.
        hidden: how many layers are hidden ones; what comes after is the output layer.
        flat: shaded, behind the hidden layers.
        notes: words about each layer, written at its right after its standard deviation.
        own_scales: whether each layer is shown in units of its largest size; then nothing is shaded.
    """
    shown = evenly_spread(len(histograms), MOST_RIDGES).tolist()
    stds = [_std(histogram) for histogram in histograms]
    if own_scales:
        histograms, flat = [_Scaled.of(histogram) for histogram in histograms], None
    low, high = (-1.0, 1.0) if own_scales else _span([histograms[i] for i in shown], flat)
    colors = [*depth_colors(hidden), OUTPUT]
    traces: list[Trace] = []
    annotations = []
    for row, layer in enumerate(shown):
        base = float(len(shown) - 1 - row)
        color = colors[min(layer, hidden)]
        traces += _ridge(histograms[layer], _name(layer, hidden), base, color, (low, high))
        text = f"std {stds[layer]:.2g}" + (f"<br>{notes[layer]}" if notes and notes[layer] else "")
        annotations.append(
            {"text": text, "xref": "paper", "x": 1.01, "xanchor": "left", "align": "left", "y": base + 0.3}
            | {"showarrow": False, "font": {"size": SMALL + 1}}
        )
    rows_hidden = sum(layer < hidden for layer in shown)
    return figure(
        traces,
        height=height(len(histograms)),
        margin={"l": 64, "r": 104, "t": 40 if flat else 12, "b": 56},
        hovermode="closest",
        xaxis=axis(title, range=[low, high], zeroline=True, uirevision=f"{title} {low:g} {high:g}"),
        yaxis={
            "tickvals": [len(shown) - 1 - row + HEIGHT / 3 for row in range(len(shown))],
            "ticktext": [_name(layer, hidden) for layer in shown],
            "range": [-0.12, len(shown) + 0.02],
            "zeroline": False,
            "showgrid": False,
            "fixedrange": True,
        },
        annotations=annotations,
        shapes=_flat_shapes(flat, (low, high), len(shown) - rows_hidden, len(shown)) if flat and rows_hidden else [],
    )


def height(layers: int) -> int:
    """Of the figure of so many layers, in pixels."""
    return AROUND_PX + ROW_PX * max(2, min(layers, MOST_RIDGES))


def _ridge(histogram: Binned, name: str, base: float, color: str, shown: tuple[float, float]) -> list[Trace]:
    counts = np.array(histogram.counts, dtype=np.float64)
    edges = np.linspace(histogram.low, histogram.high, len(counts) + 1)
    inside = (edges[1:] > shown[0]) & (edges[:-1] < shown[1])
    counts, lefts, rights = counts[inside], edges[:-1][inside], edges[1:][inside]
    total = sum(histogram.counts) or 1
    peak = counts.max(initial=0.0) or 1.0
    x = np.repeat(np.append(lefts, rights[-1:]), 2)  # the outline of the bins: up and down at every edge
    y = base + HEIGHT * np.concatenate([[0.0], np.repeat(np.sqrt(counts / peak), 2), [0.0]])
    outline = scatter(
        x=np.clip(x, *shown), y=y, mode="lines", fill="toself", fillcolor=translucent(color, 0.35), line={"color": color, "width": 1.5},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    shares = [float(f"{100 * count / total:.{DIGITS}g}") for count in counts]
    targets = scatter(
        x=(lefts + rights) / 2, y=np.full(len(counts), base + HEIGHT / 3), mode="markers", marker={"size": 18, "opacity": 0},
        customdata=shares, hovertemplate=f"{name}: %{{customdata}} % near %{{x:.3g}}<extra></extra>", showlegend=False,
    )  # fmt: skip
    return [outline, targets]


def _flat_shapes(flat: Flat, shown: tuple[float, float], bottom: float, top: float) -> list[dict[str, Any]]:
    fill = {"fillcolor": translucent(WARNING, 0.25), "line": {"width": 0}, "layer": "below", "name": "saturated: the activation is flat"}
    sides = [(shown[0], flat.low), (flat.high, shown[1])]
    drawn = [(x0, x1) for x0, x1 in sides if x0 < x1]
    return [
        {"type": "rect", "x0": x0, "x1": x1, "y0": bottom - 0.06, "y1": top, "showlegend": index == 0} | fill
        for index, (x0, x1) in enumerate(drawn)
    ]


def _span(histograms: Sequence[Binned], flat: Flat | None) -> tuple[float, float]:
    """An axis that holds most of every layer, and where the activation is flat, at ends that do not move with every step."""
    ends = [end for histogram in histograms for end in _middle(histogram)]
    if flat is not None:
        margin = 0.03  # of what lies beyond, so that it is seen
        ends += [side + sign * margin for side, sign in ((flat.low, -1), (flat.high, 1)) if math.isfinite(side)]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    step = 10.0 ** math.floor(math.log10((high - low) or 1.0)) / 2
    return step / 5 * math.floor(low / (step / 5) - 0.2), step / 5 * math.ceil(high / (step / 5) + 0.2)


def _middle(histogram: Binned) -> tuple[float, float]:
    counts = np.array(histogram.counts, dtype=np.float64)
    if not counts.sum():
        return histogram.low, histogram.high
    edges = np.linspace(histogram.low, histogram.high, len(counts) + 1)
    below = np.cumsum(counts) / counts.sum()
    tail = (1 - SHOWN_SHARE) / 2
    first, last = int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1 - tail))
    return float(edges[first]), float(edges[min(last, len(counts) - 1) + 1])


def _std(histogram: Binned) -> float:
    counts = np.array(histogram.counts, dtype=np.float64)
    if not counts.sum():
        return math.nan
    edges = np.linspace(histogram.low, histogram.high, len(counts) + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    mean = np.average(middles, weights=counts)
    return float(np.sqrt(np.average((middles - mean) ** 2, weights=counts)))


def _name(layer: int, hidden: int) -> str:
    return f"layer {layer + 1}" if layer < hidden else "output"
