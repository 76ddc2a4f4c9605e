"""Every layer of a network: its statistics over time, its distributions, and what every unit puts out for one image."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from mlp_core.records import LayerStats
from mlp_core.words import Message, counted, exactly, percent, significant
from pages.figures.axes import Log10Axis, axis, hidden_axis, labeled
from pages.figures.figure import LEGEND, Figure, Floats, Trace, figure, heatmap, legend_entry, markers, polyline
from pages.figures.marks import SMALL, note
from pages.figures.palette import BLUE, GREY, HEALTHY, OUTPUT, VERMILION, WARNING, depth_colors, translucent
from pages.figures.series import decimation_indices, epochs_at, evenly_spread, finite
from pages.language import _

MOST_LINES = 10  # hidden layers drawn
PANEL_TICKS = 4  # of a panel as low as these
MOST_POINTS = 150  # of a line
FEW_POINTS = 15  # with so few, each is marked
PANEL_PX, STATISTICS_AROUND = 118, 112
PANEL_GAP = 0.055  # between two panels, of the plot's height
HEALTHY_NAME = Message("usual while learning")
ABOVE_LEFT: dict[str, Any] = {"xanchor": "left", "yanchor": "bottom"}  # of a panel's title

MOST_RIDGES = 10
RIDGE_PX, RIDGES_AROUND = 58, 116
RIDGE_HEIGHT = 0.86  # of a ridge, of the distance between two
SHOWN_SHARE = 0.999  # of the values of each layer; an axis out to the last one would leave the rest a line
SHARE_DIGITS = 3

MOST_STRIPS = 10
MOST_CELLS = 512  # of a strip; more than pixels show nothing more
STRIP_PX, STRIPS_AROUND = 70, 70
TITLE_SHARE = 0.36  # of the height of a strip and its title
STRIP_COLORS = [[0.0, BLUE], [0.5, translucent(GREY, 0.15)], [1.0, VERMILION]]  # 0 is hardly there, on white and on near-black


@dataclass(frozen=True)
class MeasuredLayers:
    """All layers after `step` steps, the output layer last; `update_ratios` are None where no step was watched."""

    step: int
    layers: Sequence[LayerStats]
    update_ratios: Sequence[float | None]


class LayerQuantity(NamedTuple):
    """What a panel shows of a layer: a number of its own, or None."""

    name: str
    title: str
    of: Callable[[MeasuredLayers, int], float | None]
    log: bool = False
    output: bool = True  # whether the output layer has it
    dash: str = "solid"


MEAN = LayerQuantity("mean", Message("Mean of the outputs"), lambda moment, i: moment.layers[i].activation_mean, output=False)
STD = LayerQuantity(
    "std", Message("Standard deviation of the outputs"), lambda moment, i: moment.layers[i].activation_std, log=True, output=False
)
SATURATED = LayerQuantity("flat", Message("Saturated outputs"), lambda moment, i: 100 * moment.layers[i].saturated_fraction, output=False)
DEAD = LayerQuantity("flat", Message("Dead units"), lambda moment, i: 100 * _dead(moment.layers[i]), output=False)
GRADIENT_NORM = LayerQuantity("gradient", Message("Gradient norm |∂L/∂W|"), lambda moment, i: moment.layers[i].gradient_norm, log=True)
UPDATE_RATIO = LayerQuantity("update", Message("Update-to-weight ratio"), lambda moment, i: moment.update_ratios[i], log=True)


def _dead(layer: LayerStats) -> float:
    return layer.dead_units / layer.units


def layer_statistics(
    moments: Sequence[MeasuredLayers],
    steps_per_epoch: int,
    total_epochs: float,
    healthy: Mapping[str, tuple[float, float]],
    update_rule: float,
    knots: Sequence[tuple[int, float]] = (),
) -> Figure:
    """Every layer over time: outputs, flat units, gradient and updates, each beside its healthy range.

    Panels one above the other over the same epochs, a line a layer, colored by depth; the output layer is grey and dashed.

    Of a deep network `MOST_LINES` hidden layers are drawn, evenly spread. Gradients and updates stand on axes in powers of ten, on which
    exactly 0 has a line of its own.

    Args:
        moments: in the order of their steps.
        healthy: name of a quantity -> its range, in the quantity's own unit (a share of "flat" in percent).
        update_rule: the update-to-weight ratio that a rule of thumb asks for.
        knots: of the history.
    """
    hidden = len(moments[0].layers) - 1 if moments else 0
    shown = evenly_spread(hidden, MOST_LINES).tolist()
    rows = [[MEAN], [STD], _flat_units(moments, hidden)] if hidden else []
    rows += [[GRADIENT_NORM], [UPDATE_RATIO]]
    traces: list[Trace] = []
    axes: dict[str, Any] = {}
    shapes, titles = [], []
    for row, quantities in enumerate(rows):
        panel = _Panel(row, len(rows), steps_per_epoch, total_epochs, knots)
        first = quantities[0]
        lines = [
            (quantity, layer, *_measured(quantity, moments, layer))
            for quantity in quantities
            for layer in [*shown, *([hidden] if quantity.output else [])]
        ]
        band = np.log10(healthy[first.name]) if first.log else np.array(healthy[first.name])
        scale = Log10Axis.around([band, *(values for *_, values in lines)]) if first.log else None
        for quantity, layer, steps, values in lines:
            traces += panel.line(quantity, layer, hidden, steps, values, scale)
        rule = update_rule if first is UPDATE_RATIO else None
        axes |= panel.axes(first, scale, band, [values for *_, values in lines])
        shapes += panel.shapes(band, rule)
        title = f"<b>{_panel_title(quantities, rule)}</b>"
        titles.append(note(title, 0, panel.domain[1], size=SMALL + 2, xref="paper", yref="paper", **ABOVE_LEFT))
    return figure(
        traces,
        height=statistics_px(hidden),
        margin={"l": 64, "r": 16, "t": 48, "b": 64},
        legend=LEGEND | {"y": 1 + 22 / (PANEL_PX * len(rows))},
        shapes=shapes,
        annotations=titles,
        **axes,
    )


def statistics_px(hidden: int) -> int:
    """Height of the figure of a network with so many hidden layers, in pixels."""
    return STATISTICS_AROUND + PANEL_PX * (5 if hidden else 2)


def _flat_units(moments: Sequence[MeasuredLayers], hidden: int) -> list[LayerQuantity]:
    """Saturated outputs, dead units, or both, whichever were met; dead ones where neither was."""
    dead = any(moment.layers[i].dead_units for moment in moments for i in range(hidden))
    saturated = any(moment.layers[i].saturated_fraction for moment in moments for i in range(hidden))
    if dead and saturated:
        return [SATURATED, DEAD._replace(dash="dot")]
    return [SATURATED] if saturated else [DEAD]


@dataclass(frozen=True)
class _Panel:
    """One panel of `rows`, the first at the top."""

    row: int
    rows: int
    steps_per_epoch: int
    total_epochs: float
    knots: Sequence[tuple[int, float]]

    @property
    def suffix(self) -> str:
        """Of the names of its axes."""
        return "" if self.row == 0 else str(self.row + 1)

    @property
    def last(self) -> bool:
        return self.row == self.rows - 1

    @property
    def domain(self) -> list[float]:
        """Its bottom and its top."""
        height = (1 - PANEL_GAP * (self.rows - 1)) / self.rows
        top = 1 - self.row * (height + PANEL_GAP)
        return [max(0.0, top - height), top]

    def line(self, quantity: LayerQuantity, layer: int, hidden: int, steps: Floats, values: Floats, scale: Log10Axis | None) -> list[Trace]:
        """The curve of one layer, and what has no place among its finite values."""
        layer_name, flat = _layer_name(layer, hidden), quantity.name == "flat"
        color = OUTPUT if layer == hidden else depth_colors(hidden)[layer]
        name = layer_name
        if flat:
            dead = quantity.title == DEAD.title
            name = _("{layer}, dead units", layer=layer_name) if dead else _("{layer}, saturated outputs", layer=layer_name)
        style: dict[str, Any] = {"name": name, "legendgroup": layer_name, "xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}
        kept = decimation_indices(values, MOST_POINTS)
        x, y = epochs_at(steps[kept], self.steps_per_epoch, self.knots).astype(np.float32), values[kept]
        number = "10<sup>%{y:.2f}</sup>" if quantity.log else _("{number} %", number="%{y:.3g}") if flat else "%{y:.3g}"
        dash = "dash" if layer == hidden else quantity.dash
        dots = {"mode": "lines+markers" if len(kept) <= FEW_POINTS else "lines", "marker": {"color": color, "size": 5}}
        traces = [polyline(x, finite(y), {"color": color, "width": 2, "dash": dash}, number, **style, **dots, showlegend=False)]
        gaps = ~np.isfinite(y)
        if scale is not None and gaps.any():
            words = [_("exactly 0") if value == -np.inf else _("not finite") for value in y[gaps]]
            marker = {"color": color, "size": 6, "symbol": "x-thin-open", "line": {"width": 2}}
            traces.append(markers(x[gaps], scale.place(y[gaps]), marker, "%{text}", text=words, **style, showlegend=False))
        if self.last:  # it is always there and has every layer
            traces.append(legend_entry(line={"color": color, "width": 2.5, "dash": dash}, **style))
        return traces

    def axes(self, quantity: LayerQuantity, scale: Log10Axis | None, band: Floats, values: Sequence[Floats]) -> dict[str, Any]:
        yaxis: dict[str, Any] = {"zeroline": False, "tickfont": {"size": SMALL + 1}, "domain": self.domain, "anchor": f"x{self.suffix}"}
        if scale is not None:
            yaxis |= _few_ticks(scale.layout(None))
        elif quantity.name == "flat":
            yaxis |= {"range": [-4, 104], "tickvals": [0, 50, 100]}
        else:
            known = np.concatenate([band, *(one[np.isfinite(one)] for one in values)])
            margin = 0.06 * (np.ptp(known) or 1.0)
            yaxis |= {"range": [float(known.min() - margin), float(known.max() + margin)], "nticks": 4}
        xaxis = axis(
            _("epoch") if self.last else None,
            range=[0, self.total_epochs],
            uirevision=f"{self.total_epochs:g} epochs",
            unifiedhovertitle={"text": _("epoch %{x:.2f}")},
            anchor=f"y{self.suffix}",
            zeroline=False,
            showticklabels=self.last,
            matches=None if self.row == 0 else "x",
        )
        return {f"xaxis{self.suffix}": xaxis, f"yaxis{self.suffix}": yaxis}

    def shapes(self, band: Floats, rule: float | None) -> list[dict[str, Any]]:
        """The healthy range, and the value that a rule of thumb asks for."""
        where = {"xref": f"x{self.suffix} domain", "yref": f"y{self.suffix}", "x0": 0, "x1": 1, "layer": "below"}
        fill = {"fillcolor": translucent(HEALTHY, 0.22), "line": {"width": 0}, "name": _(HEALTHY_NAME), "showlegend": self.row == 0}
        shapes = [{"type": "rect", "y0": band[0], "y1": band[1]} | fill | where]
        if rule is not None:
            line = {"color": translucent(GREY, 0.9), "width": 1.5, "dash": "dot"}
            shapes.append({"type": "line", "y0": np.log10(rule), "y1": np.log10(rule), "line": line} | where)
        return shapes


def _few_ticks(layout: dict[str, Any]) -> dict[str, Any]:
    """The axis with fewer powers of ten; the places of 0 and of what is not finite keep their words."""
    ticks = list(zip(layout["tickvals"], layout["ticktext"], strict=True))
    powers = [tick for tick in ticks if tick[1].startswith("1")]
    kept = [tick for tick in ticks if tick not in powers] + powers[:: -(-len(powers) // PANEL_TICKS) or 1]
    return layout | labeled(kept)


def _panel_title(quantities: Sequence[LayerQuantity], rule: float | None) -> str:
    if len(quantities) > 1:
        return _("Saturated outputs (solid) and dead units (dotted), %")
    title = quantities[0].title
    if quantities[0].name == "flat":
        return _("{quantity}, %", quantity=title)
    return _("{quantity}; dotted: {value}", quantity=title, value=exactly(rule)) if rule is not None else _(title)


def _measured(quantity: LayerQuantity, moments: Sequence[MeasuredLayers], layer: int) -> tuple[Floats, Floats]:
    """Steps and values of one layer, without the moments that have none; of a log quantity their log10, in which 0 is -inf."""
    pairs = [(moment.step, value) for moment in moments if (value := quantity.of(moment, layer)) is not None]
    steps, values = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    if quantity.log:
        with np.errstate(divide="ignore"):
            values = np.log10(values)
    return steps, values


class Binned(Protocol):
    """Counts in equal bins from `low` to `high`."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def counts(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class FlatRange:
    """Where an activation is flat: at or below `low` and at or above `high`; infinite where it is not."""

    low: float
    high: float


def layer_histograms(
    histograms: Sequence[Binned],
    title: str,
    *,
    hidden: int,
    flat: FlatRange | None = None,
    notes: Sequence[str] = (),
    own_scales: bool = False,
) -> Figure:
    """Distributions of the numbers in every layer: ridges, the first layer at the top, each scaled to its own peak.

    Heights are roots of shares, so that a spike leaves something of the rest.

    The axis holds `SHOWN_SHARE` of every layer's values. Of a deep network `MOST_RIDGES` layers are drawn, evenly spread.

    Args:
        histograms: one a layer, the output layer last if it is among them.
        hidden: how many layers are hidden ones; what comes after is the output layer.
        flat: shaded, behind the hidden layers.
        notes: words about each layer, written at its right after its standard deviation.
        own_scales: whether each layer is shown in units of its largest size; then nothing is shaded.
    """
    shown = evenly_spread(len(histograms), MOST_RIDGES).tolist()
    flat = None if own_scales else flat
    low, high = (-1.0, 1.0) if own_scales else _span([histograms[i] for i in shown], flat)
    colors = [*depth_colors(hidden), OUTPUT]
    traces: list[Trace] = []
    annotations = []
    for row, layer in enumerate(shown):
        base = float(len(shown) - 1 - row)
        color = colors[min(layer, hidden)]
        scale = max(abs(histograms[layer].low), abs(histograms[layer].high)) or 1.0 if own_scales else 1.0
        traces += _ridge(histograms[layer], scale, _layer_name(layer, hidden), base, color, (low, high))
        text = _("std {value}", value=significant(_std(histograms[layer]), 2)) + (f"<br>{notes[layer]}" if notes and notes[layer] else "")
        annotations.append(note(text, 1.01, base + 0.3, size=SMALL + 1, xref="paper", xanchor="left", align="left"))
    rows_hidden = sum(layer < hidden for layer in shown)
    return figure(
        traces,
        height=histograms_px(len(histograms)),
        margin={"l": 64, "r": 104, "t": 40 if flat else 12, "b": 56},
        hovermode="closest",
        xaxis=axis(title, range=[low, high], zeroline=True, uirevision=f"{title} {low:g} {high:g}"),
        yaxis={
            "tickvals": [len(shown) - 1 - row + RIDGE_HEIGHT / 3 for row in range(len(shown))],
            "ticktext": [_layer_name(layer, hidden) for layer in shown],
            "range": [-0.12, len(shown) + 0.02],
            "zeroline": False,
            "showgrid": False,
            "fixedrange": True,
        },
        annotations=annotations,
        shapes=_flat_shapes(flat, (low, high), len(shown) - rows_hidden, len(shown)) if flat and rows_hidden else [],
    )


def histograms_px(layers: int) -> int:
    """Height of the figure of so many layers, in pixels."""
    return RIDGES_AROUND + RIDGE_PX * max(2, min(layers, MOST_RIDGES))


def _ridge(histogram: Binned, scale: float, name: str, base: float, color: str, shown: tuple[float, float]) -> list[Trace]:
    """A histogram in units of `scale`, its foot at the height `base`; the part of it that is `shown`."""
    counts = np.array(histogram.counts, dtype=np.float64)
    edges = np.linspace(histogram.low / scale, histogram.high / scale, len(counts) + 1)
    inside = (edges[1:] > shown[0]) & (edges[:-1] < shown[1])
    counts, lefts, rights = counts[inside], edges[:-1][inside], edges[1:][inside]
    total = sum(histogram.counts) or 1
    peak = counts.max(initial=0.0) or 1.0
    x = np.repeat(np.append(lefts, rights[-1:]), 2)  # the outline of the bins: up and down at every edge
    y = base + RIDGE_HEIGHT * np.concatenate([[0.0], np.repeat(np.sqrt(counts / peak), 2), [0.0]])
    filling: dict[str, Any] = {"fill": "toself", "fillcolor": translucent(color, 0.35), "showlegend": False}
    shares = [float(f"{100 * count / total:.{SHARE_DIGITS}g}") for count in counts]
    middles, hover = (lefts + rights) / 2, _("{layer}: %{customdata} % near %{x:.3g}", layer=name) + "<extra></extra>"
    unseen = {"size": 18, "opacity": 0}
    return [
        polyline(np.clip(x, *shown), y, {"color": color, "width": 1.5}, **filling),
        markers(middles, np.full(len(counts), base + RIDGE_HEIGHT / 3), unseen, hover, customdata=shares, showlegend=False),
    ]


def _flat_shapes(flat: FlatRange, shown: tuple[float, float], bottom: float, top: float) -> list[dict[str, Any]]:
    name = _("saturated: the activation is flat")
    fill = {"fillcolor": translucent(WARNING, 0.25), "line": {"width": 0}, "layer": "below", "name": name}
    sides = [(shown[0], flat.low), (flat.high, shown[1])]
    drawn = [(x0, x1) for x0, x1 in sides if x0 < x1]
    return [
        {"type": "rect", "x0": x0, "x1": x1, "y0": bottom - 0.06, "y1": top, "showlegend": index == 0} | fill
        for index, (x0, x1) in enumerate(drawn)
    ]


def _span(histograms: Sequence[Binned], flat: FlatRange | None) -> tuple[float, float]:
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


def _layer_name(layer: int, hidden: int) -> str:
    return _("layer {layer}", layer=layer + 1) if layer < hidden else _("output")


def activation_strips(activations: Sequence[Floats], labels: Sequence[str]) -> Figure:
    """What every unit of every layer puts out for one image: a strip a layer, the first at the top, a cell a unit, in order.

    Each strip has a scale of its own, hardly colored at 0.
    Of a layer with more than `MOST_CELLS` units neighbors share a cell, which shows the largest of them in size; its title says so. Of a
    deep network `MOST_STRIPS` layers are drawn, evenly spread.

    Args:
        activations: (units,) of every layer.
        labels: the name of every layer.
    """
    shown = evenly_spread(len(activations), MOST_STRIPS).tolist()
    traces: list[Trace] = []
    axes: dict[str, Any] = {}
    titles = []
    for row, layer in enumerate(shown):
        suffix = "" if row == 0 else str(row + 1)
        top = 1 - row / len(shown)
        cells, share = _strip_cells(activations[layer])
        traces.append(_strip(cells, share, len(activations[layer]), labels[layer], suffix, bar=row == 0))
        bottom = top - (1 - TITLE_SHARE) / len(shown) - TITLE_SHARE / len(shown)
        domain = [max(0.0, bottom + 0.04 / len(shown)), top - TITLE_SHARE / len(shown)]
        axes[f"xaxis{suffix}"] = hidden_axis(range=[-0.5, len(cells) - 0.5], anchor=f"y{suffix}")
        axes[f"yaxis{suffix}"] = hidden_axis(domain=domain, anchor=f"x{suffix}")
        text = _strip_title(activations[layer], labels[layer], share)
        titles.append(note(text, 0, domain[1], size=SMALL + 1, xref="paper", yref="paper", **ABOVE_LEFT))
    return figure(
        traces,
        height=strips_px(len(activations)),
        margin={"l": 8, "r": 8, "t": 8, "b": 62},
        hovermode="closest",
        annotations=titles,
        **axes,
    )


def strips_px(layers: int) -> int:
    """Height of the figure of so many layers, in pixels."""
    return STRIPS_AROUND + STRIP_PX * min(layers, MOST_STRIPS)


def _strip_cells(values: Floats) -> tuple[Floats, int]:
    """At most `MOST_CELLS` values, each the largest in size of so many neighbors."""
    share = math.ceil(len(values) / MOST_CELLS)
    padded = np.concatenate([values, np.zeros(-len(values) % share)]).reshape(-1, share)
    largest = np.abs(np.where(np.isfinite(padded), padded, 0.0)).argmax(axis=1)
    return padded[np.arange(len(padded)), largest], share


def _strip(cells: Floats, share: int, units: int, label: str, suffix: str, *, bar: bool) -> Trace:
    end = float(np.abs(cells[np.isfinite(cells)]).max(initial=0.0)) or 1.0
    if share == 1:
        names = [_("unit {unit}", unit=index + 1) for index in range(len(cells))]
    else:
        ends = [(index * share + 1, min((index + 1) * share, units)) for index in range(len(cells))]
        names = [_("units {first} to {last}, the largest", first=first, last=last) for first, last in ends]
    hover = _("{layer}, %{text}: %{z:.3g}", layer=label) + "<extra></extra>"
    ticks = {"tickvals": [-end, 0, end], "ticktext": [_("−largest"), "0", _("+largest")], "tickfont": {"size": SMALL}}
    place = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": 0, "yanchor": "top", "len": 0.5, "thickness": 10}
    return heatmap(
        z=np.where(np.isfinite(cells), cells, np.nan)[None, :], zmin=-end, zmax=end, colorscale=STRIP_COLORS, showscale=bar,
        text=[names], hovertemplate=hover, xaxis=f"x{suffix}", yaxis=f"y{suffix}",
        **({"colorbar": place | ticks | {"ypad": 12, "outlinewidth": 0}} if bar else {}),
    )  # fmt: skip


def _strip_title(values: Floats, label: str, share: int) -> str:
    known = values[np.isfinite(values)]
    parts = [f"<b>{label}</b>", _(counted(len(values), "{n} unit", "{n} units"))]
    if share > 1:
        parts.append(_("the largest of every {n} neighbors shown", n=share))
    if known.size:
        parts.append(_("{low} to {high}", low=significant(float(known.min())), high=significant(float(known.max()))))
    if zeros := int((values == 0).sum()):
        parts.append(_("{share} exactly 0", share=percent(zeros / len(values), 0)))
    return " · ".join(parts)
