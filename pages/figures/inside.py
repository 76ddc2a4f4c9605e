"""Every layer over time: outputs, flat units, gradient, updates, each beside its healthy range. Knows measured numbers, not networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mlp_core.records import LayerStats
from pages.figures.axes import Log10Axis, axis
from pages.figures.figure import Figure, Floats, Trace, figure, scatter
from pages.figures.marks import SMALL
from pages.figures.palette import GREY, HEALTHY, OUTPUT, depth_colors, translucent
from pages.figures.series import decimation_indices, evenly_spread

MOST_LINES = 10  # hidden layers drawn
MOST_TICKS = 4  # of a panel as low as these
MOST_POINTS = 150  # of a line
FEW_POINTS = 15  # with so few, each is marked
PANEL_PX, AROUND_PX = 118, 112
GAP = 0.055  # between two panels, of the plot's height
BAND = "usual while learning"


@dataclass(frozen=True)
class Moment:
    """All layers after `step` steps, the output layer last; `update_ratios` are None where no step was watched."""

    step: int
    layers: Sequence[LayerStats]
    update_ratios: Sequence[float | None]


class Quantity(NamedTuple):
    """What a panel shows of a layer: a number of its own, or None."""

    name: str
    title: str
    of: Callable[[Moment, int], float | None]
    log: bool = False
    output: bool = True  # whether the output layer has it
    dash: str = "solid"


MEAN = Quantity("mean", "Mean of the outputs", lambda moment, i: moment.layers[i].activation_mean, output=False)
STD = Quantity("std", "Standard deviation of the outputs", lambda moment, i: moment.layers[i].activation_std, log=True, output=False)
SATURATED = Quantity("flat", "Saturated outputs", lambda moment, i: 100 * moment.layers[i].saturated_fraction, output=False)
DEAD = Quantity("flat", "Dead units", lambda moment, i: 100 * _dead(moment.layers[i]), output=False)
GRADIENT = Quantity("gradient", "Gradient norm |∂L/∂W|", lambda moment, i: moment.layers[i].gradient_norm, log=True)
UPDATE = Quantity("update", "Update-to-weight ratio", lambda moment, i: moment.update_ratios[i], log=True)


def _dead(layer: LayerStats) -> float:
    return layer.dead_units / layer.units


def layers_over_time(
    moments: Sequence[Moment],
    steps_per_epoch: int,
    total_epochs: float,
    healthy: Mapping[str, tuple[float, float]],
    update_rule: float,
) -> Figure:
    """Panels one above the other over the same epochs, a line a layer, colored by depth; the output layer is grey and dashed.

    Of a deep network `MOST_LINES` hidden layers are drawn, evenly spread. Gradients and updates stand on axes in powers of ten, on which
    exactly 0 has a line of its own.

    Args:
        moments: in the order of their steps.
        healthy: name of a quantity -> its range, in the quantity's own unit (a share of "flat" in percent).
        update_rule: the update-to-weight ratio that a rule of thumb asks for.
    """
    hidden = len(moments[0].layers) - 1 if moments else 0
    shown = evenly_spread(hidden, MOST_LINES).tolist()
    panels = [[MEAN], [STD], _flat(moments, hidden)] if hidden else []
    panels += [[GRADIENT], [UPDATE]]
    traces: list[Trace] = []
    layout: dict[str, Any] = {
        "height": height(hidden),
        "margin": {"l": 64, "r": 16, "t": 48, "b": 64},
        "legend": {"orientation": "h", "x": 0, "y": 1 + 22 / (PANEL_PX * len(panels)), "xanchor": "left", "yanchor": "bottom"},
        "shapes": [],
        "annotations": [],
    }
    for row, quantities in enumerate(panels):
        figure_row = _Row(row, len(panels), steps_per_epoch, total_epochs)
        rule = update_rule if quantities[0] is UPDATE else None
        figure_row.draw(quantities, moments, shown, hidden, healthy[quantities[0].name], rule)
        traces += figure_row.traces
        layout |= figure_row.axes
        layout["shapes"] += figure_row.shapes
        layout["annotations"] += figure_row.annotations
    return figure(traces, **layout)


def height(hidden: int) -> int:
    """Of the figure of a network with so many hidden layers, in pixels."""
    return AROUND_PX + PANEL_PX * (5 if hidden else 2)


def _flat(moments: Sequence[Moment], hidden: int) -> list[Quantity]:
    """Saturated outputs, dead units, or both, whichever were met; dead ones where neither was."""
    dead = any(moment.layers[i].dead_units for moment in moments for i in range(hidden))
    saturated = any(moment.layers[i].saturated_fraction for moment in moments for i in range(hidden))
    if dead and saturated:
        return [SATURATED, DEAD._replace(dash="dot")]
    return [SATURATED] if saturated else [DEAD]


class _Row:
    """One panel: its traces, axes, healthy range and title."""

    def __init__(self, row: int, rows: int, steps_per_epoch: int, total_epochs: float) -> None:
        self.first, self.last = row == 0, row == rows - 1
        self.suffix = "" if row == 0 else str(row + 1)
        each = (1 - GAP * (rows - 1)) / rows
        self.top = 1 - row * (each + GAP)
        self.domain = [max(0.0, self.top - each), self.top]
        self.steps_per_epoch, self.total_epochs = steps_per_epoch, total_epochs
        self.traces: list[Trace] = []
        self.axes: dict[str, Any] = {}
        self.shapes: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []

    def draw(
        self,
        quantities: Sequence[Quantity],
        moments: Sequence[Moment],
        shown: Sequence[int],
        hidden: int,
        healthy: tuple[float, float],
        rule: float | None,
    ) -> None:
        lines = [
            (quantity, layer, *_line(quantity, moments, layer))
            for quantity in quantities
            for layer in [*shown, *([hidden] if quantity.output else [])]
        ]
        band = np.log10(healthy) if quantities[0].log else np.array(healthy)
        scale = Log10Axis.around([band, *(values for *_, values in lines)]) if quantities[0].log else None
        colors = depth_colors(hidden)
        for quantity, layer, steps, values in lines:
            color = OUTPUT if layer == hidden else colors[layer]
            self._line(quantity, layer, hidden, steps, values, scale, color)
        self._axes(quantities[0], scale, band, [values for *_, values in lines])
        self._band(band, rule, quantities)

    def _line(
        self,
        quantity: Quantity,
        layer: int,
        hidden: int,
        steps: Floats,
        values: Floats,
        scale: Log10Axis | None,
        color: str,
    ) -> None:
        name = "output" if layer == hidden else f"layer {layer + 1}"
        kind = f", {quantity.title.lower()}" if quantity.name == "flat" else ""
        style: dict[str, Any] = {"name": name + kind, "legendgroup": name, "xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}
        kept = decimation_indices(values, MOST_POINTS)
        x, y = (steps[kept] / self.steps_per_epoch).astype(np.float32), values[kept]
        finite = np.isfinite(y)
        few = len(kept) <= FEW_POINTS
        number = "10<sup>%{y:.2f}</sup>" if quantity.log else "%{y:.3g}" + (" %" if kind else "")
        dash = "dash" if layer == hidden else quantity.dash
        self.traces.append(
            scatter(
                x=x, y=np.where(finite, y, np.nan), mode="lines+markers" if few else "lines", hovertemplate=number,
                line={"color": color, "width": 2, "dash": dash}, marker={"color": color, "size": 5}, **style, showlegend=False,
            )
        )  # fmt: skip
        if scale is not None and not finite.all():
            words = ["exactly 0" if value == -np.inf else "not finite" for value in y[~finite]]
            marker = {"color": color, "size": 6, "symbol": "x-thin-open", "line": {"width": 2}}
            self.traces.append(
                scatter(
                    x=x[~finite], y=scale.place(y[~finite]), mode="markers", marker=marker, text=words, hovertemplate="%{text}", **style,
                    showlegend=False,
                )
            )  # fmt: skip
        if self.last:  # the last panel is always there and has every layer
            line = {"color": color, "width": 2.5, "dash": dash}
            self.traces.append(scatter(x=[None], y=[None], mode="lines", line=line, **style, hoverinfo="skip"))

    def _axes(self, quantity: Quantity, scale: Log10Axis | None, band: Floats, values: Sequence[Floats]) -> None:
        yaxis: dict[str, Any] = {"zeroline": False, "tickfont": {"size": SMALL + 1}}
        if scale is not None:
            yaxis |= _few_ticks(scale.layout(""))
        elif quantity.name == "flat":
            yaxis |= {"range": [-4, 104], "tickvals": [0, 50, 100]}
        else:
            known = np.concatenate([band, *(one[np.isfinite(one)] for one in values)])
            margin = 0.06 * (np.ptp(known) or 1.0)
            yaxis |= {"range": [float(known.min() - margin), float(known.max() + margin)], "nticks": 4}
        xaxis: dict[str, Any] = {
            "range": [0, self.total_epochs],
            "uirevision": f"{self.total_epochs:g} epochs",
            "unifiedhovertitle": {"text": "epoch %{x:.2f}"},
            "anchor": f"y{self.suffix}",
            "zeroline": False,
            "showticklabels": self.last,
        }
        xaxis |= ({} if self.first else {"matches": "x"}) | (axis("epoch") if self.last else {})
        self.axes = {f"xaxis{self.suffix}": xaxis, f"yaxis{self.suffix}": yaxis | {"domain": self.domain, "anchor": f"x{self.suffix}"}}

    def _band(self, band: Floats, rule: float | None, quantities: Sequence[Quantity]) -> None:
        where = {"xref": f"x{self.suffix} domain", "yref": f"y{self.suffix}", "x0": 0, "x1": 1, "layer": "below"}
        fill = {"fillcolor": translucent(HEALTHY, 0.22), "line": {"width": 0}}
        self.shapes.append({"type": "rect", "y0": band[0], "y1": band[1], "name": BAND, "showlegend": self.first} | fill | where)
        if rule is not None:
            line = {"color": translucent(GREY, 0.9), "width": 1.5, "dash": "dot"}
            self.shapes.append({"type": "line", "y0": np.log10(rule), "y1": np.log10(rule), "line": line} | where)
        self.annotations.append(
            {"text": f"<b>{_title(quantities, rule)}</b>", "showarrow": False, "font": {"size": SMALL + 2}}
            | {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": self.top, "yanchor": "bottom"}
        )


def _few_ticks(layout: dict[str, Any]) -> dict[str, Any]:
    """The axis without title and with fewer powers of ten; the places of 0 and of what is not finite keep their words."""
    ticks = list(zip(layout["tickvals"], layout["ticktext"], strict=True))
    powers = [tick for tick in ticks if tick[1].startswith("1")]
    kept = [tick for tick in ticks if tick not in powers] + powers[:: -(-len(powers) // MOST_TICKS) or 1]
    return layout | {"title": None, "tickvals": [value for value, _ in kept], "ticktext": [text for _, text in kept]}


def _title(quantities: Sequence[Quantity], rule: float | None) -> str:
    if len(quantities) > 1:
        return "Saturated outputs (solid) and dead units (dotted), %"
    unit = ", %" if quantities[0].name == "flat" else ""
    return quantities[0].title + unit + (f"; dotted: {rule:g}" if rule is not None else "")


def _line(quantity: Quantity, moments: Sequence[Moment], layer: int) -> tuple[Floats, Floats]:
    """Steps and values of one layer, without the moments that have none; of a log quantity their log10, in which 0 is -inf."""
    pairs = [(moment.step, value) for moment in moments if (value := quantity.of(moment, layer)) is not None]
    steps, values = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    if quantity.log:
        with np.errstate(divide="ignore"):
            values = np.log10(values)
    return steps, values
