"""What a class bets, and what its runs measured: counts and spreads, without names."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mlp_core.words import Message, counted, percent
from pages.figures.axes import axis, labeled
from pages.figures.figure import Figure, Floats, Trace, bar, figure, markers, polyline, wrapped
from pages.figures.marks import Marks, note, vertical_line
from pages.figures.palette import HEALTHY, series_style, translucent
from pages.figures.series import finite, spread
from pages.language import _

LABEL_COLUMNS = 26  # characters of a line beside a bar: a phone has room for these and a bar
ROW_PX, FRAME_PX = 30, 90  # of a bar; of what stands around all of them
BINS = 20
HIDDEN = 0.25  # opacity of a single student's curve
SMALL_PX = 260
DIGITS = ".3~g"  # of a value on hover
MOST_SINGLE_TICKS = 10


def votes_chart(choices: Sequence[str], rounds: Sequence[Sequence[int]], outcome: int | None = None) -> Figure:
    """How many bet on each choice; a second round beside the first.

    Args:
        choices: their texts, in plain words.
        rounds: of each round the number of bets on each choice, (choices,).
        outcome: the choice that was measured, which is marked.
    """
    places = np.arange(len(choices))
    traces: list[Trace] = []
    for number, counts in enumerate(rounds):
        total = sum(counts)
        words = [_("{bets} ({share})", bets=count, share=percent(count / total, 0)) if count else "0" for count in counts]
        traces.append(
            bar(x=list(counts), y=places, orientation="h", text=words, textposition="outside", hoverinfo="skip", cliponaxis=False)
            | {"name": _(_round_name(number, total)), "marker": {"color": series_style(number)["color"]}}
        )
    names = [wrapped(text, LABEL_COLUMNS) for text in choices]
    if outcome is not None:
        names[outcome] = f"<b>✓ {names[outcome]}</b>"
    most = max([4, *(count for counts in rounds for count in counts)])
    lines = sum(max(len(rounds), 1 + name.count("<br>")) for name in names)
    return figure(
        traces,
        xaxis=axis(_("bets"), range=[0, 1.25 * most], **_whole_ticks(most), zeroline=False),
        yaxis=axis(None, **labeled(zip(places.tolist(), names, strict=True)), autorange="reversed", showgrid=False, zeroline=False),
        height=FRAME_PX + ROW_PX * lines,
        showlegend=len(rounds) > 1,
        barmode="group",
    )


def guesses_chart(
    rounds: Sequence[npt.ArrayLike], low: float, high: float, title: str, measured: float | None = None, *, powers: bool = False
) -> Figure:
    """How many bet on each of twenty equal intervals of a number; a second round beside the first.

    Args:
        rounds: the bets of each round, (bets,).
        low, high: between which one can bet.
        title: of the number, with its unit.
        measured: what the run gave, which is marked.
        powers: whether the numbers are powers of ten.
    """
    edges = np.linspace(low, high, BINS + 1)
    traces: list[Trace] = []
    for number, guesses in enumerate(rounds):
        values = np.clip(np.asarray(guesses, dtype=np.float64), low, high)
        counts = np.histogram(values, edges)[0]
        between = [
            _("{bets} from {low} to {high}", bets=count, low=f"{low:.4g}", high=f"{high:.4g}")
            for count, low, high in zip(counts, edges, edges[1:], strict=False)
        ]
        traces.append(
            bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, text=between, textposition="none", hovertemplate="%{text}")
            | {"name": _(_round_name(number, values.size)), "marker": {"color": series_style(number)["color"]}}
        )
    marks = Marks()
    if measured is not None:
        marks.shapes.append(vertical_line(measured, HEALTHY, width=3, dash="solid"))
        marks.annotations.append(note(_("measured"), measured, 1, yref="paper", yanchor="bottom", size=13))
    most = max([4, *(max(trace["y"]) for trace in traces)])
    return figure(
        traces,
        xaxis=_value_axis(title, powers) | {"range": _around(low, high)},
        yaxis=axis(_("bets"), range=[0, 1.1 * most], **_whole_ticks(most), zeroline=False),
        height=SMALL_PX,
        showlegend=len(rounds) > 1,
        barmode="group",
        bargap=0.08,
        hovermode="closest",
        **marks.layout,
    )


@dataclass(frozen=True, eq=False)
class ClassResult:
    """What the runs of a class gave for one measure.

    Args:
        label: of the measure, and of the run where there are several.
        rows: of each run the values after its epochs 1, 2, …; one value where it is no curve.
    """

    label: str
    rows: Sequence[Sequence[float]]

    @property
    def table(self) -> Floats:
        """(runs, epochs), NaN where a run had broken off or is not that far."""
        table = np.full((len(self.rows), max(map(len, self.rows), default=0)), np.nan)
        for row, values in zip(table, self.rows, strict=True):
            row[: len(values)] = finite(values)
        return table


def results_chart(results: Sequence[ClassResult], title: str, *, powers: bool = False) -> Figure:
    """Every run of a class as a thin curve, their mean, and the band from the lowest to the highest; single values as points in a row.

    Args:
        results: one a measure; either all of them curves or none.
        title: of the axis of the values, with its unit.
        powers: whether the values are powers of ten.
    """
    if any(len(row) > 1 for one in results for row in one.rows):
        traces = [trace for number, one in enumerate(results) for trace in _curves(number, one)]
        longest = max(one.table.shape[1] for one in results)
        xaxis = axis(_("epoch"), range=[0.8, longest + 0.2], **_whole_ticks(longest), zeroline=False)
        return figure(traces, xaxis=xaxis, yaxis=_value_axis(title, powers), height=SMALL_PX)
    traces = [trace for number, one in enumerate(results) for trace in _points(number, one)]
    names = labeled((place, wrapped(_(one.label), LABEL_COLUMNS)) for place, one in enumerate(results))
    return figure(
        traces,
        xaxis=_value_axis(title, powers),
        yaxis=axis(None, **names, range=[len(results) - 0.5, -0.5], showgrid=False, zeroline=False),
        height=FRAME_PX + 2 * ROW_PX * len(results),
        showlegend=False,
        hovermode="closest",
    )


def _curves(number: int, one: ClassResult) -> list[Trace]:
    style, table = series_style(number), one.table
    epochs = np.arange(1, table.shape[1] + 1)
    low, mean, high = spread(table)
    group = {"legendgroup": one.label}
    label = html.escape(_(one.label), quote=False)
    name = _(counted(len(table), "{label}: mean of {n} run", "{label}: mean of {n} runs", label=label))
    gaps = np.column_stack([table, np.full(len(table), np.nan)]).ravel()
    single = {"color": translucent(style["color"], HIDDEN), "width": 1}
    return [
        polyline(epochs, low, {"width": 0}, showlegend=False, **group),
        polyline(epochs, high, {"width": 0}, fill="tonexty", fillcolor=translucent(style["color"], 0.18), showlegend=False, **group),
        polyline(np.tile([*epochs, epochs[-1]], len(table)), gaps, single, showlegend=False, **group),
        polyline(epochs, mean, {"width": 2.5} | style, f"%{{y:{DIGITS}}}", name=name, mode="lines+markers", **group),
    ]


def _points(number: int, one: ClassResult) -> list[Trace]:
    """A point a run, spread over the height of its row by its place in the order; and a line at the mean."""
    color, values = series_style(number)["color"], one.table[:, 0] if one.rows else np.empty(0)
    heights = number + 0.25 * np.sin(2.4 * np.arange(values.size))  # no two neighbors on top of each other
    traces = [markers(values, heights, {"color": translucent(color, 0.6), "size": 9}, f"%{{x:{DIGITS}}}<extra></extra>")]
    if np.isfinite(values).any():
        mean, hover = float(np.nanmean(values)), f"{_('mean')} %{{x:{DIGITS}}}<extra></extra>"
        traces.append(polyline([mean, mean], [number - 0.4, number + 0.4], {"color": color, "width": 3}, hover))
    return traces


def _value_axis(title: str, powers: bool) -> dict[str, Any]:
    return axis(title, zeroline=False, **({"tickprefix": "10<sup>", "ticksuffix": "</sup>"} if powers else {}))


def _whole_ticks(most: int) -> dict[str, float]:
    """Ticks at whole numbers only, where plotly would set some between."""
    return {"tick0": 0, "dtick": 1} if most <= MOST_SINGLE_TICKS else {}


def _round_name(number: int, bets: int) -> str:
    if number == 0:
        return Message("First bets: {bets}", bets=bets)
    return Message("Second bets: {bets}", bets=bets) if number == 1 else Message("Bets {number}: {bets}", number=number + 1, bets=bets)


def _around(low: float, high: float) -> list[float]:
    margin = 0.02 * (high - low)
    return [low - margin, high + margin]
