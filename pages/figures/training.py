"""Loss and accuracy of one run or several, over their epochs."""

import html
import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mlp_core.spec import OUTPUTS
from pages.figures.axes import axis
from pages.figures.figure import LEGEND, LEGEND_ROW_PX, Figure, Floats, Trace, figure, legend_below, legend_entry, markers, polyline
from pages.figures.marks import Marks
from pages.figures.palette import GREY, TEST, TRAIN, series_style, translucent
from pages.figures.series import (
    HIGHEST,
    CurveSeries,
    Quantity,
    bucket_ends,
    bucket_starts,
    decimation_indices,
    extremes,
    finite,
    spread,
)

CHANCE_LOSS = math.log(OUTPUTS)  # cross-entropy of a uniform guess, 2.303
CHANCE_PERCENT = 100 / OUTPUTS
SMOOTH_PX = 2.5  # width of the line of the minibatches
LEGEND_COLUMNS = 32  # characters of a line there
LEGEND_ROWS = 3
MARGIN = {"l": 60, "r": 14, "t": 12, "b": 44 + LEGEND_ROWS * LEGEND_ROW_PX}  # of the plot, whatever stands around it
LOWEST_ON_LOG = 1e-9  # where a loss of exactly 0 is drawn on a log axis: below any that float32 can tell from 0
FEW_DECADES = 3
MOST_MARKED = 8  # changes of lr that get words; a person who drags a slider makes many
MOST_MARKED_SMALL = 4  # … in the small figures of points of the plane
PLANE_POINTS = 250  # of a curve there
SHORTEST = 10  # epochs; the frame grows from there by doubling


class Reference(NamedTuple):
    """A band of values known from elsewhere, which holds from the epoch `since` to `until`, None for the end."""

    low: float
    high: float
    label: str
    since: float = 0.0
    until: float | None = None


LOSS = Quantity("losses", "train_loss", "test_loss", 1.0, -HIGHEST, ".4f")
LOG_LOSS = LOSS._replace(floor=LOWEST_ON_LOG, digits=".3~g")
ACCURACY = Quantity("accuracies", "train_accuracy", "test_accuracy", 100.0, -HIGHEST, ".1f")
IMAGE_ACCURACY = ACCURACY._replace(digits=".2f")  # of ten thousand test images


def loss_curve(
    series: CurveSeries | Sequence[CurveSeries],
    total_epochs: float,
    *,
    log: bool = False,
    reference: Reference | None = None,
    cursor: int | None = None,
) -> Figure:
    """Cross-entropy against epochs: each minibatch, a smoothed curve of them, and the mean of each epoch on train and test images.

    An epoch's training mean stands in the middle of the epoch it averages; the test value at its end, where it was measured. A run
    whose loss stopped being a number is marked there, and so is every change of the learning rate. Of several seeds it shows the mean
    and the band from the lowest to the highest. The frame spans `total_epochs` from the start, so that a curve grows into it: what is
    drawn of full buckets (`bucket_starts`) stays as it is, bit for bit; only the last one and the end of the smooth curve change.

    Args:
        series: one run, or several to compare (then without the single minibatches).
        total_epochs: right end of the axis.
        log: a logarithmic loss axis; a loss of exactly 0 is drawn at `LOWEST_ON_LOG`.
        reference: band to compare with.
        cursor: step of the first run that the rest of the page shows, if it is not the newest.
    """
    yaxis: dict[str, Any] = axis("cross-entropy (nats)", uirevision="log" if log else "linear")
    yaxis |= _log_axis(_listed(series)) if log else {"rangemode": "tozero"}
    marks = Marks(log=log)
    marks.level(CHANCE_LOSS, f"guessing: ln {OUTPUTS} = {CHANCE_LOSS:.2f}")
    return _curves(series, total_epochs, LOG_LOSS if log else LOSS, yaxis=yaxis, marks=marks, reference=reference, cursor=cursor)


def accuracy_curve(
    series: CurveSeries | Sequence[CurveSeries], total_epochs: float, *, reference: Reference | None = None, cursor: int | None = None
) -> Figure:
    """Share of images classified correctly, in percent, against epochs; drawn like `loss_curve`.

    Args:
        series, total_epochs, cursor: as for `loss_curve`.
        reference: band to compare with, in fractions.
    """
    yaxis = axis("accuracy (%)", range=[0, 100], uirevision="percent")
    marks = Marks()
    marks.level(CHANCE_PERCENT, f"guessing: {CHANCE_PERCENT:g} %")
    return _curves(series, total_epochs, IMAGE_ACCURACY, yaxis=yaxis, marks=marks, reference=reference, cursor=cursor)


def _listed(series: CurveSeries | Sequence[CurveSeries]) -> list[CurveSeries]:
    return [series] if isinstance(series, CurveSeries) else list(series)


def _curves(
    series: CurveSeries | Sequence[CurveSeries],
    total_epochs: float,
    quantity: Quantity,
    *,
    yaxis: dict[str, Any],
    marks: Marks,
    reference: Reference | None,
    cursor: int | None,
) -> Figure:
    runs = _listed(series)
    compared = len(runs) > 1
    traces: list[Trace] = []
    for index, run in enumerate(runs):
        planned = math.ceil(total_epochs * run.steps_per_epoch)
        if compared:
            traces.extend(_compared(run, quantity, planned, index))
        else:
            traces.extend((_seeds if run.members else _single)(run, quantity, planned))
        _mark_events(marks, run, index, compared, total_epochs)
    if compared:
        traces.append(legend_entry("train smoothed", line={"color": GREY, "width": SMOOTH_PX}))
        traces.append(legend_entry("test", **_dotted({"color": GREY})))
    if reference is not None:
        low, high = reference.low * quantity.scale, reference.high * quantity.scale
        end = total_epochs if reference.until is None else min(reference.until, total_epochs)
        marks.band(low, high, reference.label, x0=reference.since, x1=end)
    if cursor is not None and runs:
        marks.event(cursor / runs[0].steps_per_epoch, f"step {cursor:,}", strong=True)
    xaxis = axis(
        "epoch",
        range=[0, total_epochs],
        uirevision=f"{total_epochs:g} epochs",
        unifiedhovertitle={"text": "epoch %{x:.2f}"},
        zeroline=False,
        automargin=False,
        spikecolor=GREY,
        spikethickness=1,
        spikedash="dot",
    )
    legend, hover = legend_below(LEGEND_ROWS), {"namelength": -1}
    return figure(traces, xaxis=xaxis, yaxis=yaxis | {"automargin": False}, margin=MARGIN, legend=legend, hoverlabel=hover, **marks.layout)


def _mark_events(marks: Marks, run: CurveSeries, index: int, compared: bool, total_epochs: float) -> None:
    """Where a run broke, and where its learning rate was changed."""
    name = f"{html.escape(run.label, quote=False)}: " if compared else ""
    if run.diverged_step is not None:
        x = run.diverged_step / run.steps_per_epoch
        marks.fault(x, f"{name}loss not finite at step {run.diverged_step:,}", row=index, leftward=x > total_epochs / 2)
    color = _style(run, index)["color"] if compared else GREY
    for number, change in enumerate(run.history.lr_changes):
        words = f"lr {change.lr:g}" if number < MOST_MARKED else ""
        marks.event(change.step / run.steps_per_epoch, words, row=index, color=color)


def _log_axis(runs: Sequence[CurveSeries]) -> dict[str, Any]:
    """Written-out ticks at 1, 2, 5 where a few decades are shown; plotly's own, powers of ten, where many are."""
    losses = np.concatenate([np.array(run.history.losses, dtype=np.float64) for run in runs] or [np.empty(0)])
    losses = losses[np.isfinite(losses) & (losses > 0)]
    few = losses.size == 0 or np.ptp(np.log10(losses)) < FEW_DECADES
    return {"type": "log"} | ({"dtick": "D2", "tickformat": "~g"} if few else {"exponentformat": "power"})


def _single(run: CurveSeries, quantity: Quantity, planned: int) -> Iterator[Trace]:
    """One run: its minibatches too."""
    steps, values = run.steps, run.values(quantity)
    kept = extremes(values, bucket_starts(steps, planned))
    line = {"color": translucent(TRAIN, 0.35), "width": 1}
    hover = f"%{{y:{quantity.digits}}} (step %{{customdata:,}})"
    x, y, own = _places(run, steps[kept]), _drawable(values[kept], quantity), steps[kept].astype(np.int32)
    yield polyline(x, y, line, hover, customdata=own, name="train step")
    yield _smoothed(run, quantity, planned, "train smoothed", {"color": TRAIN})
    epochs = np.array([record.epoch for record in run.history.epochs], dtype=np.int32)
    means = _drawable(run.epoch_values(quantity, quantity.train), quantity)
    marker, hover = {"color": TRAIN, "size": 8, "symbol": "diamond"}, f"%{{y:{quantity.digits}}} (epoch %{{customdata}})"
    yield markers((epochs - 0.5).astype(np.float32), means, marker, hover, customdata=epochs, name="train epoch")
    yield _test(run, quantity, "test", {"color": TEST})


def _seeds(run: CurveSeries, quantity: Quantity, planned: int) -> Iterator[Trace]:
    """Several seeds of one design: the mean, and from the lowest to the highest."""
    n = len(run.members)
    yield from _band(run, quantity, planned, TRAIN, f"train, {n} seeds", {"color": TRAIN})
    yield from _epoch_band(run, quantity, TEST, f"test, {n} seeds", {"color": TEST})


def _compared(run: CurveSeries, quantity: Quantity, planned: int, index: int) -> Iterator[Trace]:
    style, group, name = _style(run, index), {"legendgroup": f"run {index}"}, _wrapped(run.label)
    if run.members:
        yield from _grouped(_band(run, quantity, planned, style["color"], name, style), group)
        yield from _grouped(_epoch_band(run, quantity, style["color"], f"{name}, test", style), group | {"showlegend": False})
        return
    yield _smoothed(run, quantity, planned, name, style) | group
    yield _test(run, quantity, f"{name}, test", style) | group | {"showlegend": False}


def _style(run: CurveSeries, index: int) -> dict[str, str]:
    return series_style(index if run.style is None else run.style)


def _wrapped(label: str) -> str:
    """Over several lines of the legend where it is long."""
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(label, LEGEND_COLUMNS))  # plotly would read a `<`


def _grouped(traces: Iterator[Trace], group: dict[str, Any]) -> Iterator[Trace]:
    for trace in traces:
        yield trace | group | ({"showlegend": False} if trace.get("showlegend") is False else {})


def _smoothed(run: CurveSeries, quantity: Quantity, planned: int, name: str, style: dict[str, str]) -> Trace:
    steps, values = run.steps, run.smoothed(quantity)
    kept = bucket_ends(bucket_starts(steps, planned), len(steps))
    line, hover = style | {"width": SMOOTH_PX}, f"%{{y:{quantity.digits}}}"
    return polyline(_places(run, steps[kept]), _drawable(values[kept], quantity), line, hover, name=name)


def _places(run: CurveSeries, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Steps on the axis, in epochs."""
    return (steps / run.steps_per_epoch).astype(np.float32)


def _test(run: CurveSeries, quantity: Quantity, name: str, style: dict[str, str]) -> Trace:
    epochs = np.array([record.epoch for record in run.history.epochs], dtype=np.float32)
    return _epoch_line(epochs, run.epoch_values(quantity, quantity.test), quantity, name, style)


def _epoch_line(epochs: npt.NDArray[Any], values: Floats, quantity: Quantity, name: str, style: dict[str, str]) -> Trace:
    look = _dotted(style) | {"name": name, "cliponaxis": False}  # the last value lies on the frame
    return polyline(epochs.astype(np.float32), _drawable(values, quantity), hover=f"%{{y:{quantity.digits}}}", **look)


def _dotted(style: dict[str, str]) -> dict[str, Any]:
    """A line with a dot an epoch, thinner than that of the minibatches."""
    return {"mode": "lines+markers", "line": style | {"width": 1.5}, "marker": {"color": style["color"], "size": 7}}


def _band(run: CurveSeries, quantity: Quantity, planned: int, color: str, name: str, style: dict[str, str]) -> Iterator[Trace]:
    steps, rows = run.step_band(quantity)
    kept = bucket_ends(bucket_starts(steps, planned), len(steps))
    x, (low, mean, high) = _places(run, steps[kept]), spread(rows[:, kept])
    yield from _area(x, low, high, quantity, color)
    line, hover = style | {"width": SMOOTH_PX}, f"%{{y:{quantity.digits}}} (mean)"
    yield polyline(x, _drawable(mean, quantity), line, hover, name=name)


def _epoch_band(run: CurveSeries, quantity: Quantity, color: str, name: str, style: dict[str, str]) -> Iterator[Trace]:
    epochs, rows = run.epoch_band(quantity, quantity.test)
    low, mean, high = spread(rows)
    yield from _area(epochs, low, high, quantity, color)
    yield _epoch_line(epochs, mean, quantity, name, style) | {"hovertemplate": f"%{{y:{quantity.digits}}} (mean)"}


def _area(x: npt.NDArray[Any], low: Floats, high: Floats, quantity: Quantity, color: str) -> Iterator[Trace]:
    """The area between two lines in which there may be gaps, as two traces: plotly fills the second down to the first."""
    for edge, fill in ((low, {}), (high, {"fill": "tonexty", "fillcolor": translucent(color, 0.22)})):
        yield polyline(x.astype(np.float32), _drawable(edge, quantity), {"width": 0}, showlegend=False, **fill)


def _drawable(values: Floats, quantity: Quantity) -> npt.NDArray[np.float32]:
    return np.clip(finite(values), quantity.floor, HIGHEST).astype(np.float32)


def epoch_curves(run: CurveSeries, quantity: Quantity, title: str, total_epochs: int, *, cursor: int | None = None) -> Figure:
    """Loss or accuracy on training and test points of the plane against epochs; the frame grows by doubling, up to `total_epochs`.

    Of several seeds it shows the mean and the band from the lowest to the highest. Changes of the learning rate are marked.

    Args:
        quantity: `LOSS` or `ACCURACY`.
        title: of the vertical axis.
        cursor: step that the rest of the page shows, if it is not the newest.
    """
    traces: list[Trace] = []
    for name, color, field in (("train", TRAIN, quantity.train), ("test", TEST, quantity.test)):
        if run.members:
            traces += _plane_band(*run.epoch_band(quantity, field), name, color, quantity)
        else:
            numbers = np.array([record.epoch for record in run.history.epochs])
            values = run.epoch_values(quantity, field)
            kept = decimation_indices(values, PLANE_POINTS)
            traces.append(_plane_line(numbers[kept], values[kept], name, color, quantity))
    marks = Marks()
    for number, change in enumerate(run.history.lr_changes):
        marks.event(change.step / run.steps_per_epoch, f"lr {change.lr:g}" if number < MOST_MARKED_SMALL else "", row=number)
    if cursor is not None:
        marks.event(cursor / run.steps_per_epoch, "", strong=True)
    share = quantity is ACCURACY
    end, epochs = SHORTEST, max([len(run.history.epochs), *(len(member.epochs) for member in run.members)])
    while end < epochs:
        end *= 2
    return figure(
        traces,
        xaxis=axis("epoch", range=[0, min(end, max(total_epochs, 1))], zeroline=False),
        yaxis=axis(title) | ({"range": [0, 102]} if share else {"rangemode": "tozero"}),
        legend=LEGEND | {"traceorder": "normal"},  # filled areas would turn it round
        **marks.layout,
    )


def _plane_line(epochs: npt.NDArray[Any], values: Floats, name: str, color: str, quantity: Quantity) -> Trace:
    written = f"%{{y:{quantity.digits}}}" + (" %" if quantity is ACCURACY else "")
    return polyline(epochs, values, {"color": color, "width": 2.5}, written, name=name)


def _plane_band(epochs: npt.NDArray[Any], rows: Floats, name: str, color: str, quantity: Quantity) -> Iterator[Trace]:
    """From the lowest to the highest seed as an area, and their mean."""
    low, mean, high = spread(rows)
    kept = decimation_indices(mean, PLANE_POINTS)
    yield from _area(epochs[kept], low[kept], high[kept], quantity, color)
    yield _plane_line(epochs[kept], mean[kept], f"{name}, mean of {len(rows)} seeds", color, quantity)
