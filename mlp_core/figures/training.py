"""Loss and accuracy of one run or several, over their epochs. Knows records, not runs: nothing here trains or waits."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mlp_core.figures.decimation import POINT_LIMIT, Floats, decimation_indices, exponential_average
from mlp_core.figures.marks import Marks
from mlp_core.figures.palette import GREY, TEST, TRAIN, base_layout, series_style, translucent
from mlp_core.records import EpochRecord, HistorySnapshot
from mlp_core.spec import OUTPUTS

CHANCE_LOSS = math.log(OUTPUTS)  # cross-entropy of a uniform guess, 2.303
CHANCE_PERCENT = 100 / OUTPUTS
SMOOTHING_EPOCHS = 0.05  # reach of the average to either side …
SMOOTHING_STEPS = 2.0  # … and its least value, in steps
SMOOTH_LIMIT = POINT_LIMIT // 2  # a smooth line needs fewer points
LOWEST_ON_LOG = 1e-9  # where a loss of exactly 0 is drawn on a log axis: below any that float32 can tell from 0
FEW_DECADES = 3
HIGHEST = float(np.finfo(np.float32).max)  # figures are sent in float32


@dataclass(frozen=True)
class CurveSeries:
    """One run, as the curves see it.

    Args:
        label: what the legend calls the run; shown only beside others.
        columns: steps (from 1), losses and accuracies (fractions) of single minibatches, of equal length.
        epochs: one record a finished epoch.
        steps_per_epoch: turns a step into a place on the axis.
        color: of the run among several; None takes the next of the palette.
    """

    label: str
    columns: tuple[Sequence[int], Sequence[float], Sequence[float]]
    epochs: Sequence[EpochRecord]
    steps_per_epoch: int
    color: str | None = None

    @classmethod
    def of(cls, history: HistorySnapshot, steps_per_epoch: int, label: str = "", color: str | None = None) -> CurveSeries:
        columns = (history.steps, history.losses, history.accuracies)
        return cls(label, columns, history.epochs, steps_per_epoch, color)

    @property
    def diverged_step(self) -> int | None:
        """The first recorded step after which a loss, on a minibatch or on the test images, is not finite."""
        steps, losses, _ = self.columns
        broken = [int(steps[i]) for i in np.flatnonzero(~np.isfinite(np.asarray(losses, dtype=np.float64)))[:1]]
        broken += [record.step for record in self.epochs if not math.isfinite(record.test_loss)]
        return min(broken, default=None)


class Reference(NamedTuple):
    """A band of values known from elsewhere, which holds from the epoch `since` on."""

    low: float
    high: float
    label: str
    since: float = 0.0


class _Quantity(NamedTuple):
    """What distinguishes the two figures: where the numbers lie, their unit, and how they are written."""

    column: int
    train: str
    test: str
    scale: float
    floor: float
    digits: str


_LOSS = _Quantity(1, "train_loss", "test_loss", 1.0, -HIGHEST, ".4f")
_LOG_LOSS = _LOSS._replace(floor=LOWEST_ON_LOG, digits=".3~g")
_ACCURACY = _Quantity(2, "train_accuracy", "test_accuracy", 100.0, -HIGHEST, ".2f")


def loss_curve(
    series: CurveSeries | Sequence[CurveSeries], total_epochs: float, *, log: bool = False, reference: Reference | None = None
) -> go.Figure:
    """Cross-entropy against epochs: each minibatch, a smoothed curve of them, and the mean of each epoch on train and test images.

    An epoch's training mean stands in the middle of the epoch it averages; the test value at its end, where it was measured. A run
    whose loss stopped being a number is marked there. The frame spans `total_epochs` from the start, so that a curve grows into it.

    Args:
        series: one run, or several to compare (then without the single minibatches).
        total_epochs: right end of the axis.
        log: a logarithmic loss axis; a loss of exactly 0 is drawn at `LOWEST_ON_LOG`.
        reference: band to compare with.
    """
    yaxis: dict[str, Any] = {"title": {"text": "cross-entropy (nats)"}, "uirevision": "log" if log else "linear"}
    yaxis |= _log_axis(_listed(series)) if log else {"rangemode": "tozero"}
    marks = Marks(log=log)
    marks.level(CHANCE_LOSS, f"guessing: ln {OUTPUTS} = {CHANCE_LOSS:.2f}")
    return _curves(series, total_epochs, _LOG_LOSS if log else _LOSS, yaxis=yaxis, marks=marks, reference=reference)


def accuracy_curve(series: CurveSeries | Sequence[CurveSeries], total_epochs: float, *, reference: Reference | None = None) -> go.Figure:
    """Share of images classified correctly, in percent, against epochs; drawn like `loss_curve`. `reference` is in fractions."""
    yaxis = {"title": {"text": "accuracy (%)"}, "range": [0, 100], "uirevision": "percent"}
    marks = Marks()
    marks.level(CHANCE_PERCENT, f"guessing: {CHANCE_PERCENT:g} %")
    return _curves(series, total_epochs, _ACCURACY, yaxis=yaxis, marks=marks, reference=reference)


def _listed(series: CurveSeries | Sequence[CurveSeries]) -> list[CurveSeries]:
    return [series] if isinstance(series, CurveSeries) else list(series)


def _curves(
    series: CurveSeries | Sequence[CurveSeries],
    total_epochs: float,
    quantity: _Quantity,
    *,
    yaxis: dict[str, Any],
    marks: Marks,
    reference: Reference | None,
) -> go.Figure:
    runs = [replace(run, label=html.escape(run.label, quote=False)) for run in _listed(series)]  # plotly would read a `<`
    compared = len(runs) > 1
    traces: list[go.Scatter] = []
    for index, run in enumerate(runs):
        traces.extend(_compared(run, quantity, index) if compared else _single(run, quantity))
        if run.diverged_step is not None:
            text = f"{run.label + ': ' if compared else ''}loss not finite at step {run.diverged_step:,}"
            x = run.diverged_step / run.steps_per_epoch
            marks.fault(x, text, row=index, leftward=x > total_epochs / 2)
    if compared:
        traces += [_key("train smoothed", "solid"), _key("test", "dot")]
    if reference is not None:
        low, high = reference.low * quantity.scale, reference.high * quantity.scale
        marks.band(low, high, reference.label, x0=reference.since, x1=total_epochs)
    xaxis = {
        "title": {"text": "epoch"},
        "range": [0, total_epochs],
        "uirevision": f"{total_epochs:g} epochs",  # a zoom survives new points, but not another length
        "unifiedhovertitle": {"text": "epoch %{x:.2f}"},
        "zeroline": False,
        "spikecolor": GREY,
        "spikethickness": 1,
        "spikedash": "dot",
    }
    figure = go.Figure(traces, base_layout(xaxis=xaxis, yaxis=yaxis, **marks.layout))
    return figure.update_layout(template=None)


def _log_axis(runs: Sequence[CurveSeries]) -> dict[str, Any]:
    """Written-out ticks at 1, 2, 5 where a few decades are shown; plotly's own, powers of ten, where many are."""
    losses = np.concatenate([np.array(run.columns[1], dtype=np.float64) for run in runs] or [np.empty(0)])
    losses = losses[np.isfinite(losses) & (losses > 0)]
    few = losses.size == 0 or np.ptp(np.log10(losses)) < FEW_DECADES
    return {"type": "log"} | ({"dtick": "D2", "tickformat": "~g"} if few else {"exponentformat": "power"})


def _single(run: CurveSeries, quantity: _Quantity) -> Iterator[go.Scatter]:
    yield _minibatches(run, quantity)
    yield _smoothed(run, quantity, "train smoothed", {"color": TRAIN})
    yield _train_means(run, quantity)
    yield _test(run, quantity, "test", {"color": TEST})


def _compared(run: CurveSeries, quantity: _Quantity, index: int) -> Iterator[go.Scatter]:
    style = series_style(index) | ({"color": run.color} if run.color else {})
    group = {"legendgroup": f"run {index}"}
    yield _smoothed(run, quantity, run.label, style).update(group)
    yield _test(run, quantity, f"{run.label}, test", style | {"dash": "dot"}).update(group | {"showlegend": False})


def _values(run: CurveSeries, quantity: _Quantity) -> Floats:
    """Of single minibatches, in the figure's unit; NaN, which is drawn as a gap, for what is not finite."""
    values = np.array(run.columns[quantity.column], dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return np.clip(values, -HIGHEST, HIGHEST) * quantity.scale


def _step_line(run: CurveSeries, values: Floats, quantity: _Quantity, limit: int, **style: Any) -> go.Scatter:
    kept = decimation_indices(values, limit)
    steps = np.array(run.columns[0], dtype=np.int64)[kept]
    return go.Scatter(
        x=(steps / run.steps_per_epoch).astype(np.float32), y=_drawable(values[kept], quantity), customdata=steps.astype(np.int32),
        mode="lines", **style,
    )  # fmt: skip


def _minibatches(run: CurveSeries, quantity: _Quantity) -> go.Scatter:
    line = {"color": translucent(TRAIN, 0.35), "width": 1}
    hover = f"%{{y:{quantity.digits}}} (step %{{customdata:,}})"
    return _step_line(run, _values(run, quantity), quantity, POINT_LIMIT, name="train step", line=line, hovertemplate=hover)


def _smoothed(run: CurveSeries, quantity: _Quantity, name: str, style: dict[str, str]) -> go.Scatter:
    steps = run.columns[0]
    stride = steps[1] - steps[0] if len(steps) > 1 else 1  # of a thinned log
    reach = max(SMOOTHING_EPOCHS * run.steps_per_epoch, SMOOTHING_STEPS)
    average = exponential_average(_values(run, quantity), math.exp(-stride / reach))
    line = style | {"width": 2.5}
    return _step_line(run, average, quantity, SMOOTH_LIMIT, name=name, line=line, hovertemplate=f"%{{y:{quantity.digits}}}")


def _train_means(run: CurveSeries, quantity: _Quantity) -> go.Scatter:
    epochs = np.array([record.epoch for record in run.epochs], dtype=np.int32)
    return go.Scatter(
        x=(epochs - 0.5).astype(np.float32),
        y=_epoch_values(run, quantity, quantity.train),
        customdata=epochs,
        name="train epoch",
        mode="markers",
        marker={"color": TRAIN, "size": 8, "symbol": "diamond"},
        hovertemplate=f"%{{y:{quantity.digits}}} (epoch %{{customdata}})",
    )


def _test(run: CurveSeries, quantity: _Quantity, name: str, style: dict[str, str]) -> go.Scatter:
    return go.Scatter(
        x=np.array([record.epoch for record in run.epochs], dtype=np.float32),
        y=_epoch_values(run, quantity, quantity.test),
        name=name,
        mode="lines+markers",
        line=style | {"width": 2},
        marker={"color": style["color"], "size": 7},
        cliponaxis=False,  # the last value lies on the frame
        hovertemplate=f"%{{y:{quantity.digits}}}",
    )


def _epoch_values(run: CurveSeries, quantity: _Quantity, name: str) -> npt.NDArray[np.float32]:
    return _drawable(np.array([getattr(record, name) for record in run.epochs], dtype=np.float64) * quantity.scale, quantity)


def _drawable(values: Floats, quantity: _Quantity) -> npt.NDArray[np.float32]:
    finite = np.where(np.isfinite(values), values, np.nan)
    drawable: npt.NDArray[np.float32] = np.clip(finite, quantity.floor, HIGHEST).astype(np.float32)
    return drawable


def _key(name: str, dash: str) -> go.Scatter:
    """An entry of the legend alone."""
    return go.Scatter(x=[None], y=[None], name=name, mode="lines", line={"color": GREY, "width": 2, "dash": dash}, hoverinfo="skip")
