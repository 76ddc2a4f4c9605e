"""Curves with the band in which most seeds lie: one kind of picture for every sweep and comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.figure import Figure, Floats, Trace, figure, filled, polyline
from pages.figures.marks import Marks, vertical_line
from pages.figures.palette import GREY, translucent
from pages.figures.series import POINT_LIMIT, decimation_indices, finite

LEAST, MOST = 1e-12, 1e30  # what is beyond them is drawn there: float64's rounding below, a run that diverged above
BAND_OPACITY = 0.18


@dataclass(frozen=True, eq=False)
class BandSeries:
    """One curve.

    Args:
        label: for the legend.
        x, median: places and values, of equal length.
        color: `#RRGGBB`.
        low, high: edges of the band; None for a single run.
        dash: of the line.
        markers: whether each place gets a point.
    """

    label: str
    x: npt.ArrayLike
    median: npt.ArrayLike
    color: str
    low: npt.ArrayLike | None = None
    high: npt.ArrayLike | None = None
    dash: str = "solid"
    markers: bool = False


def band_chart(
    series: Sequence[BandSeries],
    *,
    xaxis: dict[str, Any],
    yaxis: dict[str, Any],
    marks: Marks | None = None,
    here: float | None = None,
    digits: str = ".3~g",
) -> Figure:
    """Curves on one pair of axes, each with its band.

    Args:
        xaxis, yaxis: plotly's axes; `{"type": "log"}` for a log axis. A value of 0 is drawn at `LEAST` there.
        marks: levels to compare with.
        here: an x to mark, where the controls stand.
        digits: how a value is written on hover.
    """
    log = yaxis.get("type") == "log"
    traces: list[Trace] = []
    for one in series:
        kept = decimation_indices(finite(one.median), POINT_LIMIT)  # long curves keep their spikes
        x, median = np.asarray(one.x, dtype=np.float64)[kept], _drawable(one.median, log)[kept]
        if one.low is not None and one.high is not None:
            low, high = _drawable(one.low, log)[kept], _drawable(one.high, log)[kept]
            style = {"line": {"width": 0}, "fillcolor": translucent(one.color, BAND_OPACITY), "legendgroup": one.label}
            traces.append(filled(x, high, low, **style, showlegend=False))
        dots = {"mode": "lines+markers" if one.markers else "lines", "marker": {"color": one.color, "size": 7}}
        line = {"color": one.color, "width": 2.5, "dash": one.dash}
        traces.append(polyline(x, median, line, f"%{{y:{digits}}}", name=one.label, legendgroup=one.label, **dots))
    marked = marks or Marks()
    shapes = [*marked.shapes]
    if here is not None:
        shapes.append(vertical_line(here, translucent(GREY, 0.9), width=1.5, layer="below"))
    return figure(traces, xaxis={"zeroline": False} | xaxis, yaxis=yaxis, shapes=shapes, annotations=marked.annotations)


def _drawable(values: npt.ArrayLike, log: bool) -> Floats:
    """Infinite values at the edge of what is drawn; NaN stays a gap."""
    clipped: Floats = np.clip(np.asarray(values, dtype=np.float64), LEAST if log else -MOST, MOST)
    return clipped
