"""One input on its way through a network: what every unit of every layer puts out, as strips of color. Knows arrays, not networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pages.figures.figure import Figure, Floats, Trace, figure, heatmap
from pages.figures.marks import SMALL
from pages.figures.palette import BLUE, GREY, VERMILION, translucent
from pages.figures.series import evenly_spread

MOST_STRIPS = 10
MOST_CELLS = 512  # of a strip; more than pixels show nothing more
STRIP_PX, AROUND_PX = 70, 70
TITLE_SHARE = 0.36  # of the height of a strip and its title
COLORS = [[0.0, BLUE], [0.5, translucent(GREY, 0.15)], [1.0, VERMILION]]  # 0 is hardly there, on white and on near-black


def activation_strips(activations: Sequence[Floats], labels: Sequence[str]) -> Figure:
    """A strip a layer, the first at the top, a cell a unit, in order; each strip on a scale of its own, hardly colored at 0.

    Of a layer with more than `MOST_CELLS` units neighbors share a cell, which shows the largest of them in size; its title says so. Of a
    deep network `MOST_STRIPS` layers are drawn, evenly spread.

    Args:
        activations: (units,) of every layer.
        labels: the name of every layer.
    """
    shown = evenly_spread(len(activations), MOST_STRIPS).tolist()
    traces: list[Trace] = []
    layout: dict[str, Any] = {
        "height": height(len(activations)),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 62},
        "hovermode": "closest",
        "annotations": [],
    }
    for row, layer in enumerate(shown):
        suffix = "" if row == 0 else str(row + 1)
        top = 1 - row / len(shown)
        cells, share = _cells(activations[layer])
        traces.append(_strip(cells, share, len(activations[layer]), labels[layer], suffix, bar=row == 0))
        layout[f"xaxis{suffix}"] = {"visible": False, "fixedrange": True, "range": [-0.5, len(cells) - 0.5], "anchor": f"y{suffix}"}
        bottom = top - (1 - TITLE_SHARE) / len(shown) - TITLE_SHARE / len(shown)
        domain = [max(0.0, bottom + 0.04 / len(shown)), top - TITLE_SHARE / len(shown)]
        layout[f"yaxis{suffix}"] = {"visible": False, "fixedrange": True, "domain": domain, "anchor": f"x{suffix}"}
        layout["annotations"].append(
            {"text": _title(activations[layer], labels[layer], share), "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper"}
            | {"y": domain[1], "yanchor": "bottom", "showarrow": False, "font": {"size": SMALL + 1}}
        )
    return figure(traces, **layout)


def height(layers: int) -> int:
    """Of the figure of so many layers, in pixels."""
    return AROUND_PX + STRIP_PX * min(layers, MOST_STRIPS)


def _cells(values: Floats) -> tuple[Floats, int]:
    """At most `MOST_CELLS` values, each the largest in size of so many neighbors."""
    share = math.ceil(len(values) / MOST_CELLS)
    padded = np.concatenate([values, np.zeros(-len(values) % share)]).reshape(-1, share)
    largest = np.abs(np.where(np.isfinite(padded), padded, 0.0)).argmax(axis=1)
    return padded[np.arange(len(padded)), largest], share


def _strip(cells: Floats, share: int, units: int, label: str, suffix: str, *, bar: bool) -> Trace:
    finite = cells[np.isfinite(cells)]
    end = float(np.abs(finite).max(initial=0.0)) or 1.0
    if share == 1:
        names = [f"unit {index + 1}" for index in range(len(cells))]
    else:
        names = [f"units {index * share + 1} to {min((index + 1) * share, units)}, the largest" for index in range(len(cells))]
    ticks = {"tickvals": [-end, 0, end], "ticktext": ["−largest", "0", "+largest"], "tickfont": {"size": SMALL}}
    place = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": 0, "yanchor": "top", "len": 0.5, "thickness": 10}
    return heatmap(
        z=np.where(np.isfinite(cells), cells, np.nan)[None, :], zmin=-end, zmax=end, colorscale=COLORS, showscale=bar,
        text=[names], hovertemplate=f"{label}, %{{text}}: %{{z:.3g}}<extra></extra>", xaxis=f"x{suffix}", yaxis=f"y{suffix}",
        **({"colorbar": place | ticks | {"ypad": 12, "outlinewidth": 0}} if bar else {}),
    )  # fmt: skip


def _title(values: Floats, label: str, share: int) -> str:
    finite = values[np.isfinite(values)]
    parts = [f"<b>{label}</b>", f"{len(values):,} unit{'s' if len(values) > 1 else ''}"]
    if share > 1:
        parts.append(f"the largest of every {share} neighbors shown")
    if finite.size:
        parts.append(f"{finite.min():.3g} to {finite.max():.3g}".replace("-", "−"))
    if zeros := int((values == 0).sum()):
        parts.append(f"{100 * zeros / len(values):.0f} % exactly 0")
    return " · ".join(parts)
