"""Which classes are taken for which: the confusion matrix. Knows counts alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.axes import axis
from pages.figures.figure import Figure, Trace, figure, heatmap, scatter
from pages.figures.palette import FAULT, HEALTHY, translucent

HEIGHT = 460  # px
STRONGEST = 0.8  # opacity of the largest value; below 1, so that words of the page's own color stay readable on it
SCALE_STEPS = 32

Counts = npt.NDArray[np.integer]
Shares = npt.NDArray[np.float64]
Words = npt.NDArray[np.str_]


def confusion_matrix(counts: Counts, class_names: Sequence[str], *, normalized: bool = True) -> Figure:
    """Counts of true class (row) against predicted class (column).

    Hits (the diagonal) and mistakes have a color and a scale each, both from 0 and both shown, since on one scale the hits would
    drown the mistakes. Every cell carries (true, predicted) as its customdata.

    Args:
        counts: (k, k) images.
        normalized: color by the share of the true class in percent; otherwise by images. The number written is always the count.
    """
    counts = np.asarray(counts)
    totals = counts.sum(axis=1, keepdims=True)
    percent = np.divide(100.0 * counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    values = percent if normalized else counts.astype(np.float64)
    diagonal = np.eye(len(counts), dtype=bool)
    unit = "%" if normalized else "images"
    mistakes, hits = np.where(diagonal, np.nan, values), np.where(diagonal, values, np.nan)
    ceilings = _ceiling(mistakes), 100.0 if normalized else _ceiling(hits)
    hover = _hover(counts, percent, class_names)
    traces = [
        _cells(mistakes, class_names, FAULT, ceilings[0], hover),
        _cells(hits, class_names, HEALTHY, ceilings[1], hover),
        _numbers(counts, class_names),
        _scale(FAULT, ceilings[0], "2"),
        _scale(HEALTHY, ceilings[1], "3"),
    ]
    return figure(
        traces,
        height=HEIGHT,
        margin={"l": 8, "r": 8, "t": 56, "b": 8},
        hovermode="closest",
        showlegend=False,
        xaxis=axis("predicted class", tickangle=-45, automargin=True, fixedrange=True, showgrid=False),
        yaxis=axis("true class", autorange="reversed", automargin=True, fixedrange=True, domain=[0, 0.93]) | {"showgrid": False},
        **_scale_axes("2", [0.0, 0.46], f"mistakes ({unit})"),
        **_scale_axes("3", [0.54, 1.0], f"hits ({unit})"),
    )


def _ceiling(values: Shares) -> float:
    """The largest value, or 1 where there is none above 0."""
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def _colors(color: str) -> list[list[Any]]:
    return [[0, translucent(color, 0)], [1, translucent(color, STRONGEST)]]


def _cells(values: Shares, names: Sequence[str], color: str, ceiling: float, hover: Words) -> Trace:
    k = len(values)
    pairs = np.stack(np.meshgrid(np.arange(k), np.arange(k), indexing="ij"), axis=-1)  # (k, k, 2): true, predicted
    return heatmap(
        z=values, x=list(names), y=list(names), zmin=0, zmax=ceiling, colorscale=_colors(color), showscale=False, xgap=2, ygap=2,
        hovertext=np.where(np.isfinite(values), hover, ""), hoverinfo="text", hoverongaps=False, customdata=pairs,
    )  # fmt: skip


def _hover(counts: Counts, percent: Shares, names: Sequence[str]) -> Words:
    def words(i: int, j: int) -> str:
        said = "taken for what it is" if i == j else f"taken for {names[j]}"
        share = f"<br>{percent[i, j]:.1f} % of this class" if np.isfinite(percent[i, j]) else ""
        return f"true {names[i]}, {said}<br>{counts[i, j]:,} images{share}"

    return np.array([[words(i, j) for j in range(len(names))] for i in range(len(names))])


def _numbers(counts: Counts, names: Sequence[str]) -> Trace:
    """Written over the cells in the page's own color; a count of 0 is a dot."""
    rows, columns = (indices.ravel().tolist() for indices in np.indices(counts.shape))
    texts = [str(count) if count else "·" for count in counts.ravel()]
    x, y = [names[j] for j in columns], [names[i] for i in rows]
    return scatter(x=x, y=y, text=texts, mode="text", textfont={"size": 11}, hoverinfo="skip")


def _scale(color: str, ceiling: float, axis: str) -> Trace:
    """A color bar; plotly's own would leave out the opacity."""
    z = np.linspace(0, ceiling, SCALE_STEPS)[None, :]
    return heatmap(
        z=z, x=z[0], y=[0], zmin=0, zmax=ceiling, colorscale=_colors(color), showscale=False, hoverinfo="skip",
        xaxis=f"x{axis}", yaxis=f"y{axis}",
    )  # fmt: skip


def _scale_axes(axis: str, domain: list[float], title: str) -> dict[str, Any]:
    x = {
        "domain": domain,
        "anchor": f"y{axis}",
        "title": {"text": title, "standoff": 4},
        "side": "top",
        "nticks": 5,
        "fixedrange": True,
        "showgrid": False,
    }
    y = {"domain": [0.97, 1.0], "anchor": f"x{axis}", "visible": False, "fixedrange": True}
    return {f"xaxis{axis}": x, f"yaxis{axis}": y}
