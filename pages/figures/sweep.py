"""What came of a sweep: a map over two of its settings, lines through all of them, and the curves of chosen cells, each with its seeds.

A cell that was not trained to the end has a look of its own, and is never drawn by a number. Each carries its index, for clicks.
"""

from __future__ import annotations

import html
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from mlp_core.records import EpochRecord
from mlp_core.spec import query_of
from mlp_core.words import Message, counted, joined, listed, rounded, significant
from pages.figures.axes import axis, labeled
from pages.figures.bands import BandSeries, band_chart
from pages.figures.figure import (
    LEGEND_FRAME_PX,
    LEGEND_ROW_PX,
    Figure,
    Trace,
    captions,
    figure,
    heatmap,
    legend_below,
    letters,
    markers,
    polyline,
    wrapped,
)
from pages.figures.marks import SMALL, note, vertical_line
from pages.figures.palette import FAULT, GREY, SEQUENTIAL, series_style, translucent
from pages.figures.series import POINT_LIMIT, evenly_spread, finite, spread
from pages.language import _

NARROWEST_LETTERS = 36  # of an axis title on a phone
ACCURACY = Message("test accuracy (%)")
ROW_PX, LEAST_ROWS = 44, 5  # of the map
FURNITURE_PX = 110  # above and below its rows
COLUMNS_PX = {4: 16, 6: 12, 10: 10, 14: 8}  # so many columns at most -> the size of the text in a cell; beyond, none finds room
CROWDED = 2  # places for each cell from which on a map is one of points
DECADES = 1.3  # an axis of points that spans more of them is logarithmic
MOST_WRITTEN = 24  # points with a text beside them
FARTHEST = 3.0  # colors end so many times as far from the best as the median lies: what is worse is all one color
LABEL_COLUMNS, MOST_LABELS = 14, 12  # letters of a line of a tick's label; labels of an axis
PARALLEL_PX, CURVES_PX = 420, 360
MOST_LINES = 200  # of cells
SHADES = [color for _place, color in SEQUENTIAL[2:8]]  # of the lines: those that show on white and on near-black
END = 0.06  # of an axis, beside its ends, without another label
FAN = 0.035  # how far the lines through one value part there, of the height
WIDTH_OF_SEEDS = 0.9  # beside the last axis, of the distance of two axes
BROKEN_PLACE = -0.12  # below the axes
CROSS = "✕"
TOLD = "%{text}<extra></extra>"


class SweptRun(Protocol):
    """A run as far as its curve goes."""

    @property
    def epochs(self) -> Sequence[EpochRecord]: ...


class SweptCell(Protocol):
    """A cell as far as it is drawn: its settings, its scores (test accuracies, fractions) one a seed, or why it has none.

    `mean` is NaN where not every run gave a score, `end` and `reason` say then what stopped it; they are "" while it is not finished.
    """

    @property
    def index(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def values(self) -> Mapping[str, Any]: ...
    @property
    def runs(self) -> Sequence[SweptRun]: ...
    @property
    def scores(self) -> Sequence[float]: ...
    @property
    def mean(self) -> float: ...
    @property
    def spread(self) -> float: ...
    @property
    def score(self) -> str: ...
    @property
    def end(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def epochs(self) -> int: ...


def heat_map(cells: Sequence[SweptCell], x: str, y: str) -> Figure:
    """The mean of each cell as a color and a number over two settings, with ± its standard deviation over the seeds.

    Values stand evenly spaced in their order. Of cells that share a place, since they differ in other settings, the best is drawn. Where
    nearly every cell has values of its own, drawn from intervals, it is a point at these values. Crossed out: a run of the cell broke off;
    empty: it is not finished.

    Args:
        x, y: fields that the cells differ in.
    """
    columns, rows = _ordered(cells, x), _ordered(cells, y)
    if len(columns) * len(rows) > CROWDED * len(cells) and len(cells) > 1:
        return _points(cells, x, y)
    shown: dict[tuple[int, int], SweptCell] = {}
    for cell in sorted(cells, key=_order, reverse=True):  # the best of a place last
        shown[rows.index(_text(cell, y)), columns.index(_text(cell, x))] = cell
    shape = len(rows), len(columns)
    size = next((size for most, size in COLUMNS_PX.items() if len(columns) <= most), 0)
    colors = _Colors(cells)
    looks = (
        ("", dict(colors.heat, textfont={"size": size} if size else None, texttemplate="%{text}" if size else None)),
        (FAULT, {"colorscale": _plain(FAULT, 0.3), "showscale": False}),
        (GREY, {"colorscale": _plain(GREY, 0.12), "showscale": False}),
    )
    traces = []
    for look, style in looks:
        places = {place: cell for place, cell in shown.items() if _look(cell) == look}
        z, index = np.full(shape, np.nan), np.full(shape, -1)
        text, hover = np.full(shape, "", dtype=object), np.full(shape, "", dtype=object)
        for place, cell in places.items():
            z[place] = 0.0 if look else 100 * cell.mean
            index[place], text[place], hover[place] = cell.index, _in_cell(cell), _hover(cell)
        if places or not look:
            traces.append(
                heatmap(
                    z=finite(z), x=list(range(shape[1])), y=list(range(shape[0])), text=text.tolist(), hovertext=hover.tolist(),
                    hoverinfo="text", hoverongaps=False, customdata=index.tolist(), xgap=2, ygap=2, **style,
                )
            )  # fmt: skip
    marked = [(place, cell) for place, cell in shown.items() if cell.end]
    traces += _crosses([(column, row, cell) for (row, column), cell in marked], size)
    several = len(shown) < len(cells)
    return figure(
        traces,
        height=FURNITURE_PX + ROW_PX * max(len(rows), LEAST_ROWS) + (30 if several else 0),
        margin={"l": 8, "r": 8, "t": 36 if several else 12, "b": 8},
        hovermode="closest",
        showlegend=False,
        xaxis=axis(x, range=[-0.5, shape[1] - 0.5], **_ticks(columns), **_FLAT),
        yaxis=axis(y, range=[-0.5, shape[0] - 0.5], **_ticks(rows), **_FLAT),
        annotations=[note(_("the best over the other settings"), 0, 1, xref="paper", yref="paper", xanchor="left", yanchor="bottom")]
        if several
        else [],
    )


_FLAT = {"showgrid": False, "zeroline": False, "automargin": True, "fixedrange": True}


def heat_map_alt(cells: Sequence[SweptCell], x: str, y: str) -> str:
    """What a heat map shows, for those who cannot see it."""
    return _alt(Message("A map of the {measure} over {fields}.", measure=ACCURACY, fields=listed([x, y], "and")), cells)


def parallel_coordinates(cells: Sequence[SweptCell]) -> Figure:
    """A line for each cell through its settings to its mean, in the color of that, and beside it the range of its seeds.

    Values stand evenly spaced in their order, and numbers that were drawn where they belong. Lines through one value part a little there,
    the best on top, so that they can be followed. Of many cells the best are drawn, and evenly spread ones of the others. Cells of
    which a run broke off end below, dashed; those that are not finished are left out.

    Args:
        cells: with the same settings each.
    """
    done = [cell for cell in cells if cell.end or not math.isnan(cell.mean)]
    order = sorted(done, key=_order, reverse=True)  # the best last, on top
    half = MOST_LINES // 2
    kept = order if len(order) <= MOST_LINES else [*(order[i] for i in evenly_spread(len(order) - half, half)), *order[-half:]]
    fields = list(cells[0].values) if cells else []
    scored = [cell for cell in kept if not cell.end]
    colors, last = _Colors(cells), len(fields)
    low, high = _bounds([100 * value for cell in scored for value in cell.scores])
    places = {field: _Places(cells, field) for field in fields}
    lines: dict[tuple[str, str], list[tuple[SweptCell, list[float], list[float]]]] = {}
    for rank, cell in enumerate(kept):
        fan = FAN * (2 * (rank + 0.5) / len(kept) - 1)
        heights = [places[field].of(cell) + (fan if places[field].even else 0.0) for field in fields]
        end = BROKEN_PLACE if cell.end else (100 * cell.mean - low) / (high - low)
        look = (FAULT, "dot") if cell.end else (colors.of(cell), "solid")
        lines.setdefault(look, []).append((cell, [*range(last + 1)], [*heights, end]))
    traces: list[Trace] = []
    for (color, dash), group in lines.items():
        most = max(1, POINT_LIMIT // (last + 2))
        for start in range(0, len(group), most):
            traces.append(_lines(group[start : start + most], {"color": color, "dash": dash, "width": 2}))
    traces += _seeds(scored, last, low, high, colors)
    annotations = [
        note(label, at - 0.02, place, xanchor="right") for at, field in enumerate(fields) for place, label in places[field].labels
    ]
    annotations += [note(f"<b>{html.escape(field)}</b>", at, 1.1, yanchor="bottom", xanchor="center") for at, field in enumerate(fields)]
    annotations += [note(text, last - 0.02, (value - low) / (high - low), xanchor="right") for value, text in _numbers(low, high)]
    if any(cell.end for cell in kept):
        annotations.append(note(_("broke off"), last + 0.04, BROKEN_PLACE, xanchor="left"))
    annotations.append(note(f"<b>{_(ACCURACY)}</b>", last + WIDTH_OF_SEEDS, 1.1, yanchor="bottom", xanchor="right"))
    return figure(
        traces,
        height=PARALLEL_PX,
        margin={"l": 8, "r": 8, "t": 12, "b": 56},
        hovermode="closest",
        showlegend=False,
        xaxis=axis(
            wrapped(_("settings, and the range over the seeds: the best at the right"), NARROWEST_LETTERS),
            range=[-0.45, last + WIDTH_OF_SEEDS + 0.05], showticklabels=False, showgrid=False, zeroline=False, fixedrange=True,
        ),
        yaxis={"visible": False, "range": [BROKEN_PLACE - 0.06, 1.2], "fixedrange": True},
        shapes=[vertical_line(at, GREY, dash="solid", yref="y", y0=-0.05, y1=1.05, layer="below") for at in range(last + 1)],
        annotations=annotations,
    )  # fmt: skip


def parallel_coordinates_alt(cells: Sequence[SweptCell]) -> str:
    """What parallel coordinates show, for those who cannot see them."""
    fields = listed(list(cells[0].values) if cells else [], "and")
    return _alt(Message("A line for each cell through {fields} to its {measure}.", fields=fields, measure=ACCURACY), cells)


def sweep_curves(cells: Sequence[SweptCell]) -> Figure:
    """The mean over the seeds after every epoch, of chosen cells, each with the band from its lowest to its highest seed.

    A run that broke off counts as far as it got, and its cell's label says so.

    Args:
        cells: in the order of their colors.
    """
    series, drawn = [], [cell for cell in cells if cell.runs and cell.epochs]
    for place, cell in enumerate(drawn):
        rows = np.full((len(cell.runs), cell.epochs), np.nan)
        for row, run in zip(rows, cell.runs, strict=True):
            row[: len(run.epochs)] = [100 * record.test_accuracy for record in run.epochs]
        low, mean, high = spread(finite(rows))
        style, several = series_style(place), len(cell.runs) > 1
        name = _("{cell} ({end})", cell=_named(cell), end=cell.end) if cell.end else _named(cell)
        label = wrapped(name, 2 * LABEL_COLUMNS)
        x = np.arange(1, cell.epochs + 1)
        series.append(
            BandSeries(label, x, mean, style["color"], low if several else None, high if several else None, style["dash"], markers=True)
        )
    lines, longest = sum(one.label.count("<br>") + 1 for one in series), max((cell.epochs for cell in drawn), default=1)
    legend_px = min(max(1, lines), 6) * LEGEND_ROW_PX + LEGEND_FRAME_PX
    made = band_chart(
        series,
        xaxis=axis(_("epoch"), tickformat="d", dtick=max(1, math.ceil(longest / MOST_LABELS))),
        yaxis=axis(_(ACCURACY), automargin=True),
        digits=".2f",
    )
    named = [trace for trace in made["data"] if "name" in trace]
    for trace, cell in zip(named, drawn, strict=True):
        trace["customdata"] = [cell.index] * len(trace["x"])
    made["layout"] |= {
        "height": CURVES_PX + legend_px,
        "legend": legend_below(legend_px),
        "margin": {"l": 8, "r": 12, "t": 12, "b": 44 + legend_px},
        "hoverlabel": {"namelength": -1},
        "showlegend": True,
    }
    return made


def sweep_curves_alt(cells: Sequence[SweptCell]) -> str:
    """What the curves of cells show, for those who cannot see them."""
    told = [Message("{cell}: {score}", cell=_named(cell), score=cell.score) for cell in cells]
    return _(Message("Curves of the {measure} over the epochs. At the end, {cells}.", measure=ACCURACY, cells=_parted(told)))


class _Colors:
    """Colors of means, the brightest for the best; those far behind the median share the darkest."""

    def __init__(self, cells: Iterable[SweptCell]) -> None:
        means = np.array([100 * cell.mean for cell in cells if not math.isnan(cell.mean)])
        best, median, worst = (float(means.max()), float(np.median(means)), float(means.min())) if means.size else (1.0, 0.0, 0.0)
        cut = max(worst, best - FARTHEST * (best - median)) if best > median else worst
        self.low, self.high = (cut, best) if cut < best else (best - 1.0, best)
        self._cut = cut > worst

    @property
    def heat(self) -> dict[str, Any]:
        """What a trace needs to be colored by numbers, with the scale beside it."""
        ticks = _numbers(self.low, self.high)
        if self._cut:  # the darkest color is of all that is worse, too
            far = 0.08 * (self.high - self.low)
            ticks = [(self.low, f"≤ {rounded(self.low, 1)}"), *((value, text) for value, text in ticks if value - self.low > far)]
        bar = {"title": {"text": _(ACCURACY), "side": "right"}, "thickness": 12, "len": 1, "outlinewidth": 0}
        bounds = {"zmin": self.low, "zmax": self.high, "colorscale": SEQUENTIAL}
        return bounds | {"colorbar": bar | {"tickmode": "array"} | labeled(ticks)}

    def of(self, cell: SweptCell) -> str:
        """The color of a line, one of `SHADES`."""
        share = (100 * cell.mean - self.low) / (self.high - self.low)
        return str(SHADES[round(min(1.0, max(0.0, share)) * (len(SHADES) - 1))])


class _Places:
    """Where the values of a field stand on an axis from 0 to 1."""

    def __init__(self, cells: Sequence[SweptCell], field: str) -> None:
        self._field = field
        texts = _ordered(cells, field)
        self.even = len(texts) <= MOST_LABELS or any(_number(cell.values[field]) is None for cell in cells)
        if self.even:
            self._at = {text: (i + 0.5) / len(texts) if len(texts) < 2 else i / (len(texts) - 1) for i, text in enumerate(texts)}
            kept = evenly_spread(len(texts), MOST_LABELS)
            self.labels = [(self._at[texts[i]], wrapped(texts[i], LABEL_COLUMNS)) for i in kept]
            return
        numbers = {_text(cell, field): _number(cell.values[field]) or 0.0 for cell in cells}
        placed = math.log10 if _logarithmic(numbers.values()) else float
        low, high = placed(min(numbers.values())), placed(max(numbers.values()))
        self._at = {text: (placed(value) - low) / (high - low) for text, value in numbers.items()}
        ticks = [(float(k), significant(10.0**k)) for k in range(math.ceil(low), math.floor(high) + 1)]
        inner = [((at - low) / (high - low), text) for at, text in (ticks if placed is math.log10 else _numbers(low, high))]
        ends = [(0.0, significant(min(numbers.values()))), (1.0, significant(max(numbers.values())))]
        self.labels = [*ends, *((at, text) for at, text in inner if END < at < 1 - END)]

    def of(self, cell: SweptCell) -> float:
        return self._at[_text(cell, self._field)]


def _points(cells: Sequence[SweptCell], x: str, y: str) -> Figure:
    """A map of cells whose values were drawn: each a point there, with its number beside it where there is room."""
    colors, spots = _Colors(cells), _Spots(cells, x, y)
    traces: list[Trace] = []
    scored = [cell for cell in cells if not math.isnan(cell.mean)][:POINT_LIMIT]
    heat = colors.heat
    fade = {"cmin": heat["zmin"], "cmax": heat["zmax"], "colorscale": heat["colorscale"]}
    look = {"size": 15, "color": [100 * cell.mean for cell in scored], "colorbar": heat["colorbar"], "showscale": True} | fade
    traces.append(spots.markers(scored, look | {"line": {"width": 1, "color": GREY}}))
    traces.append(spots.markers([cell for cell in cells if cell.end][:POINT_LIMIT], {"symbol": "x", "size": 10, "color": FAULT}))
    waiting = [cell for cell in cells if math.isnan(cell.mean) and not cell.end][:POINT_LIMIT]
    traces.append(spots.markers(waiting, {"symbol": "circle-open", "size": 12, "color": GREY}))
    if len(scored) <= MOST_WRITTEN:
        told = [f"{_in_cell(cell).replace('<br>', ' ')}<br> " for cell in scored]  # a line above the point, not on it
        traces.append(captions(*spots.of(scored), told, 10, "top center"))
    return figure(
        traces,
        height=PARALLEL_PX,
        margin={"l": 8, "r": 8, "t": 16, "b": 8},
        hovermode="closest",
        showlegend=False,
        xaxis=axis(x, **spots.axes[x]),
        yaxis=axis(y, **spots.axes[y]),
    )


class _Spots:
    """Points over two fields: at the numbers they are where both are numbers, else at the places of their order."""

    def __init__(self, cells: Sequence[SweptCell], *names: str) -> None:
        self._names, self.axes, self._at = names, dict[str, dict[str, Any]](), dict[str, dict[str, float]]()
        for name in names:
            numbers = {_text(cell, name): _number(cell.values[name]) for cell in cells}
            known = {text: number for text, number in numbers.items() if number is not None}
            if len(known) < len(numbers):
                texts = _ordered(cells, name)
                self._at[name] = {text: float(i) for i, text in enumerate(texts)}
                self.axes[name] = _ticks(texts) | {"automargin": True, "zeroline": False}
            else:
                self._at[name] = known
                log = _logarithmic(known.values())
                self.axes[name] = {"automargin": True, "zeroline": False, "type": "log" if log else None}
                self.axes[name] |= {"exponentformat": "power", "dtick": 1} if log else {}

    def of(self, cells: Sequence[SweptCell]) -> tuple[list[float], list[float]]:
        x, y = self._names
        return [self._at[x][_text(cell, x)] for cell in cells], [self._at[y][_text(cell, y)] for cell in cells]

    def markers(self, cells: Sequence[SweptCell], look: Mapping[str, Any]) -> Trace:
        told = {"text": [_hover(cell) for cell in cells], "customdata": [cell.index for cell in cells]}
        return markers(*self.of(cells), look, TOLD, **told)


def _lines(group: Sequence[tuple[SweptCell, list[float], list[float]]], line: Mapping[str, Any]) -> Trace:
    """Lines of one look, as one trace with gaps; each point says and carries its cell."""
    x: list[float] = []
    y: list[float] = []
    told: list[str] = []
    index: list[int] = []
    for cell, places, heights in group:
        x += [*places, math.nan]
        y += [*heights, math.nan]
        told += [_hover(cell)] * (len(places) + 1)
        index += [cell.index] * (len(places) + 1)
    return polyline(finite(x), finite(y), line, TOLD, text=told, customdata=index, opacity=0.8)


def _seeds(cells: Sequence[SweptCell], last: int, low: float, high: float, colors: _Colors) -> list[Trace]:
    """Beside the last axis, from the worst to the best: each cell's mean as a dot, and a line from its lowest to its highest seed."""
    if not cells:
        return []
    places = last + WIDTH_OF_SEEDS * (np.arange(len(cells)) + 0.75) / (len(cells) + 0.5)
    means = np.array([100 * cell.mean for cell in cells])
    lows = np.array([100 * min(cell.scores) for cell in cells])
    highs = np.array([100 * max(cell.scores) for cell in cells])
    span = high - low
    bars = {"type": "data", "symmetric": False, "array": (highs - means) / span, "arrayminus": (means - lows) / span}
    ranges = bars | {"thickness": 1.5, "width": 3, "color": GREY}
    size, shades = 9 if len(cells) <= MOST_WRITTEN else 6, [colors.of(cell) for cell in cells]
    look = {"size": size, "color": shades, "line": {"width": 1, "color": GREY}}
    told = {"text": [_hover(cell) for cell in cells], "customdata": [cell.index for cell in cells]}
    return [markers(places, (means - low) / span, look, TOLD, error_y=ranges, **told)]


def _crosses(places: Collection[tuple[int, int, SweptCell]], size: int) -> list[Trace]:
    """Cells that broke off, crossed, and with a word where there is room."""
    if not places:
        return []
    x, y = [column for column, _row, _cell in places], [row for _column, row, _cell in places]
    words = ["<br>".join((CROSS, *([wrapped(_(cell.end), LABEL_COLUMNS)] if size else []))) for _column, _row, cell in places]
    return [captions(x, y, words, min(size or SMALL, SMALL) - 1)]


def _plain(color: str, opacity: float) -> list[list[Any]]:
    return [[0, translucent(color, opacity)], [1, translucent(color, opacity)]]


def _look(cell: SweptCell) -> str:
    """How a cell is drawn: by its number, or in the color of what broke off or is not finished."""
    return FAULT if cell.end else GREY if math.isnan(cell.mean) else ""


def _in_cell(cell: SweptCell) -> str:
    """Mean and standard deviation, one below the other."""
    if math.isnan(cell.mean):
        return ""
    mean = rounded(100 * cell.mean, 1)
    return mean if math.isnan(cell.spread) else f"{mean}<br>±{rounded(100 * cell.spread, 1)}"


def _hover(cell: SweptCell) -> str:
    name = html.escape(_named(cell), quote=False)
    if cell.end:
        return f"{name}<br>{wrapped(_(cell.reason), 60)}"
    if math.isnan(cell.mean):
        return f"{name}<br>{_('not finished yet')}"
    seeds = _(counted(len(cell.scores), "over {n} seed", "over {n} seeds"))
    epochs = _(counted(cell.epochs, "after {n} epoch", "after {n} epochs"))
    return "<br>".join((name, _(cell.score), seeds, epochs))


def _named(cell: SweptCell) -> str:
    return _(cell.name)


def _alt(what: str, cells: Sequence[SweptCell]) -> str:
    order = sorted((cell for cell in cells if not math.isnan(cell.mean)), key=_order)
    broken = sum(bool(cell.end) for cell in cells)
    waiting = len(cells) - len(order) - broken
    ends = ""
    if order:
        best, worst = order[0], order[-1]
        ends = Message(
            "Best {best} ({best_cell}), worst {worst} ({worst_cell}).",
            best=best.score, best_cell=_named(best), worst=worst.score, worst_cell=_named(worst),
        )  # fmt: skip
    stopped = counted(broken, "{n} cell broke off.", "{n} cells broke off.") if broken else ""
    rest = counted(waiting, "{n} cell has not finished.", "{n} cells have not finished.") if waiting else ""
    return _(joined(what, ends, stopped, rest))


def _parted(items: Sequence[str]) -> str:
    """With semicolons, since names of cells have commas."""
    said = items[0] if items else ""
    for item in items[1:]:
        said = Message("{items}; {last_item}", items=said, last_item=item)
    return said


def _order(cell: SweptCell) -> tuple[int, float, int]:
    """Cells in order: by their means from the best, then those that broke off, then those that are not finished."""
    if math.isnan(cell.mean):
        return (1 if cell.end else 2, 0.0, cell.index)
    return 0, -cell.mean, cell.index


def _text(cell: SweptCell, field: str) -> str:
    """A value as a link says it: "0.1", "256,256"."""
    return query_of({field: cell.values[field]})[field]


def _number(value: object) -> float | None:
    """A value as a number, if it is one, or a list of one."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _ordered(cells: Iterable[SweptCell], field: str) -> list[str]:
    """The values of a field as texts: numbers by size, lists by length and then by size, words as they come, what is absent last."""
    values = {_text(cell, field): cell.values[field] for cell in cells}

    def key(text: str) -> tuple[int, tuple[float, ...]]:
        value = values[text]
        if isinstance(value, tuple):
            return len(value), value
        number = _number(value)
        return (0, (number,)) if number is not None else (1, ())

    return sorted(values, key=key)


def _ticks(texts: Sequence[str]) -> dict[str, Any]:
    """Ticks at 0, 1, 2 …, as many as find room."""
    narrow = LABEL_COLUMNS if max(map(letters, texts), default=0) > LABEL_COLUMNS // 2 and len(texts) < MOST_LABELS else 2 * LABEL_COLUMNS
    kept = evenly_spread(len(texts), 2 * MOST_LABELS)
    return labeled((float(i), wrapped(texts[i].replace(",", ", "), narrow).replace(", ", ",")) for i in kept)


def _logarithmic(numbers: Iterable[float]) -> bool:
    values = list(numbers)
    return min(values) > 0 and math.log10(max(values) / min(values)) > DECADES


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """The least and the greatest, with something between them."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _numbers(low: float, high: float) -> list[tuple[float, str]]:
    """Four to nine round numbers from low to high."""
    step = 10.0 ** math.floor(math.log10(high - low))
    step = next(one for one in (step, step / 2, step / 5) if (high - low) / one >= 4)
    return [(n * step, significant(n * step, 6)) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
