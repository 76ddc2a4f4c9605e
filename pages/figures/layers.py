"""Layer by layer: how large the gradient is, how many units are dead or saturated. Knows measured statistics, not models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mlp_core.records import LayerStats, ProbeRecord
from pages.figures.marks import SMALL, Marks
from pages.figures.palette import FAULT, GRADIENT, GREY, WARNING, base_layout, translucent

# Networks of the chapter that learn, in their first hundred steps: 0.16 to 2.3 (d2l's own; five layers of 64, ReLU with He and tanh
# with Xavier). Those that do not: 9e-7 (ReLU, N(0, 0.01²)), 4e-3 (sigmoid, Xavier), 35 (tanh, N(0, 1)). Once a loss is nearly 0,
# so are its gradients.
USUAL_GRADIENT = (1e-2, 10.0)
# The same networks: up to 17 % dead units with ReLU and 1 % saturated outputs with tanh, against 77 % and more with tanh, N(0, 1).
USUAL_PERCENT = 20.0
MOST_NAMED = 12  # layers that each get a tick
LANE = 0.11  # height of a lane for what has no place on a log axis, of the plot's

Floats = npt.NDArray[np.float64]


def gradient_norms(probe: ProbeRecord | None, start: ProbeRecord | None = None) -> go.Figure:
    """|dL/dW| of each layer, absolute, on a log axis; what is exactly 0 or not finite has a lane of its own, since a log axis has not.

    Args:
        probe: the layers now; None before anything was measured.
        start: the layers at an earlier step, drawn faintly.
    """
    measured = [(record, faint) for record, faint in ((start, True), (probe, False)) if record is not None]
    norms = [np.array([layer.gradient_norm for layer in record.layers]) for record, _ in measured]
    together = np.concatenate([*norms, np.empty(0)])
    zeros, broken = bool((together == 0).any()), bool((~np.isfinite(together)).any())
    traces: list[go.Scatter] = []
    for (record, faint), values in zip(measured, norms, strict=True):
        traces += _norm_traces(record, values, faint)
    marks = Marks(log=True)
    marks.band(*USUAL_GRADIENT, "usual while learning", x0=0, x1=1, xref="x domain")
    layout = base_layout(
        xaxis=_layer_axis(probe.layers if probe else ()) | {"anchor": "y2" if zeros else "y"},
        showlegend=True,
        yaxis=_norm_axis(together) | {"domain": [LANE + 0.04 if zeros else 0, 1 - LANE - 0.04 if broken else 1]},
        **({"yaxis2": _lane_axis("0 exactly", [0, LANE])} if zeros else {}),
        **({"yaxis3": _lane_axis("not finite", [1 - LANE, 1])} if broken else {}),
        **marks.layout,
    )
    return go.Figure(traces, layout).update_layout(template=None)


def unit_health(probe: ProbeRecord | None) -> go.Figure:
    """Shares of each hidden layer in percent: units that are dead (0 on every probe image) and outputs that are saturated."""
    hidden = probe.layers[:-1] if probe else ()
    numbers = [layer.layer for layer in hidden]
    dead = [100 * layer.dead_units / layer.units for layer in hidden]
    saturated = [100 * layer.saturated_fraction for layer in hidden]
    counts = [f"{layer.dead_units} of {layer.units} units" for layer in hidden]
    traces = [
        go.Bar(
            x=numbers, y=dead, name="dead units", marker={"color": FAULT}, customdata=counts, hovertemplate="%{y:.1f} % (%{customdata})"
        ),
        go.Bar(x=numbers, y=saturated, name="saturated outputs", marker={"color": WARNING}, hovertemplate="%{y:.1f} %"),
    ]
    marks = Marks()
    marks.band(0, USUAL_PERCENT, f"usual: up to {USUAL_PERCENT:g} %", x0=0, x1=1, xref="x domain")
    layout = base_layout(
        xaxis=_layer_axis(hidden, output=False),
        yaxis={"title": {"text": "share of the layer (%)"}, "range": [0, 100]},
        bargap=0.35,
        **marks.layout,
    )
    return go.Figure(traces, layout).update_layout(template=None)


def _norm_traces(record: ProbeRecord, norms: Floats, faint: bool) -> list[go.Scatter]:
    layers = np.array([layer.layer for layer in record.layers], dtype=np.int32)
    color = GREY if faint else GRADIENT
    style: dict[str, Any] = {"name": f"step {record.step:,}", "legendgroup": f"step {record.step}"}
    marker = {"color": color, "size": 6 if faint else 9}
    drawable = np.where((norms > 0) & np.isfinite(norms), norms, np.nan)
    line = {"color": translucent(color, 0.7), "width": 1.5 if faint else 2.5}
    traces = [go.Scatter(x=layers, y=drawable, mode="lines+markers", marker=marker, line=line, hovertemplate="%{y:.2e}", **style)]
    for axis, where, words in (("y2", norms == 0, "0 exactly"), ("y3", ~np.isfinite(norms), "not finite")):
        if where.any():
            x = layers[where]
            traces.append(
                go.Scatter(
                    x=x, y=np.zeros(len(x), dtype=np.int32), yaxis=axis, mode="markers", marker=marker | {"symbol": "x"},
                    showlegend=False, hovertemplate=words, **style,
                )
            )  # fmt: skip
    return traces


def _norm_axis(norms: Floats) -> dict[str, Any]:
    """A log axis that holds every drawable norm and the usual range."""
    shown = np.log10([*norms[(norms > 0) & np.isfinite(norms)], *USUAL_GRADIENT])
    low, high = math.floor(shown.min() - 0.2), math.ceil(shown.max() + 0.2)
    return {"type": "log", "range": [low, high], "exponentformat": "power", "title": {"text": "gradient norm |∂L/∂W|"}} | {
        "dtick": max(1, (high - low) // 6)
    }


def _lane_axis(words: str, domain: Sequence[float]) -> dict[str, Any]:
    ticks = {"tickvals": [0], "ticktext": [words], "tickfont": {"size": SMALL}}
    return {"domain": list(domain), "range": [-1, 1], "fixedrange": True, "zeroline": False, "anchor": "x"} | ticks


def _layer_axis(layers: Sequence[LayerStats], *, output: bool = True) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": "layer" if output else "hidden layer"}, "zeroline": False}
    axis |= {"range": [0.5, max(len(layers), 1) + 0.5], "unifiedhovertitle": {"text": "layer %{x}"}}
    if len(layers) > MOST_NAMED:
        return axis
    numbers = [layer.layer for layer in layers]
    names = [str(number) for number in numbers]
    if output and names:
        names[-1] = "output"
    return axis | {"tickvals": numbers, "ticktext": names}
