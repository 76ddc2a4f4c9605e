"""How many units of a layer are different from each other, over training. Knows counts only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pages.figures.axes import axis
from pages.figures.figure import Figure, figure, scatter
from pages.figures.palette import series_style

Y_MARGIN = 1.35  # a factor above all units and below one


@dataclass(frozen=True)
class DistinctSeries:
    """One run: at which steps its layer was probed, and how many units were different from each other."""

    label: str
    steps: Sequence[int]
    counts: Sequence[int]


def distinct_unit_counts(series: Sequence[DistinctSeries], units: int, steps_per_epoch: int, total_epochs: float) -> Figure:
    """Different units of a layer of `units` against epochs, on a log axis from one to all."""
    traces = []
    for index, one in enumerate(series):
        style = series_style(index)
        traces.append(
            scatter(
                x=np.asarray(one.steps) / steps_per_epoch, y=list(one.counts), name=one.label, mode="lines+markers",
                line={"color": style["color"], "width": 2}, marker={"size": 7}, hovertemplate=f"%{{y}} of {units} units",
            )
        )  # fmt: skip
    ticks = [1, *(2**power for power in range(1, 11) if 2**power < units and power % 2 == 0), units]
    return figure(
        traces,
        xaxis=axis("epoch", range=[-0.02 * total_epochs, total_epochs * 1.02], zeroline=False),
        yaxis=axis(
            "different units",
            type="log",
            tickvals=sorted(set(ticks)),
            range=[float(np.log10(1 / Y_MARGIN)), float(np.log10(units * Y_MARGIN))],
        ),
    )
