"""Loss and accuracy of one run or several, over their epochs."""

import html
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mlp_core.bounds import SpecError
from mlp_core.spec import OUTPUTS
from mlp_core.words import Message, exactly, percent, significant
from pages.figures.axes import axis
from pages.figures.figure import (
    LEGEND,
    LEGEND_FRAME_PX,
    LEGEND_ROW_PX,
    Figure,
    Floats,
    Trace,
    figure,
    legend_below,
    legend_entry,
    markers,
    polyline,
    wrapped,
)
from pages.figures.marks import Marks
from pages.figures.palette import GREY, TEST, TRAIN, series_style, translucent
from pages.figures.series import (
    HIGHEST,
    SMOOTHING_EPOCHS,
    CurveSeries,
    Quantity,
    bucket_ends,
    bucket_starts,
    extremes,
    finite,
    spread,
)
from pages.figures.spikes import highest_usual
from pages.language import _

Range = tuple[float | None, float | None]

STEP, SMOOTHED, CLIPPED = "step", "smoothed", "clipped"  # what a trace is, as its "meta"
CHANCE_LOSS = math.log(OUTPUTS)  # cross-entropy of a uniform guess, 2.303
CHANCE_PERCENT = 100 / OUTPUTS
ROOM_ABOVE = 1.05  # of an axis that ends below a spike
SMOOTH_PX = 2.5  # width of the line of the minibatches
LEGEND_COLUMNS = 32  # characters of a line there
LEGEND_PX = 3 * LEGEND_ROW_PX + LEGEND_FRAME_PX
MARGIN = {"l": 58, "r": 14, "t": 12, "b": 40 + LEGEND_PX}  # of the plot, whatever stands around it
TITLE = {"font": {"size": 14}}
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


@dataclass(frozen=True)
class CurveOptions:
    """How the curves of a run are drawn.

    Args:
        log_y: a logarithmic loss axis; a loss of exactly 0 is drawn at `LOWEST_ON_LOG`, and its hover says 0.
        log_x: logarithmic epochs, from the first step on.
        smoothing: reach of the average over both sides, in epochs; 0 draws the minibatches alone.
        loss_range, accuracy_range: lower and upper end of the axis, in nats and in percent, None for an automatic one.
        clip: end a linear loss axis below single spikes (`highest_usual`), which are then marked at its upper edge.

    Raises:
        SpecError: a range whose lower end is not below its upper one, a reach below 0.
    """

    log_y: bool = False
    log_x: bool = False
    smoothing: float = SMOOTHING_EPOCHS
    loss_range: Range = (None, None)
    accuracy_range: Range = (None, None)
    clip: bool = True

    def __post_init__(self) -> None:
        for name in ("loss_range", "accuracy_range"):
            low, high = getattr(self, name)
            if low is not None and high is not None and not low < high:
                ends = Message("{low} to {high}", low=exactly(low), high=exactly(high))
                raise SpecError(name, Message("must have its lower end below its upper end"), ends)
        if not 0 <= self.smoothing < math.inf:
            raise SpecError("smoothing", Message("must be a number of epochs, at least 0"), self.smoothing)


AUTOMATIC = CurveOptions()


def loss_curve(
    series: CurveSeries | Sequence[CurveSeries],
    total_epochs: float,
    *,
    options: CurveOptions = AUTOMATIC,
    cursor: int | None = None,
) -> Figure:
    """Cross-entropy against epochs: each minibatch, a smoothed curve of them, and the mean of each epoch on train and test images.

    An epoch's training mean stands in the middle of the epoch it averages; the test value at its end, where it was measured. A run
    whose loss stopped being a number is marked there, and so is every change of a setting. Of several seeds it shows the mean
    and the band from the lowest to the highest. The frame spans `total_epochs` from the start, so that a curve grows into it: what is
    drawn of full buckets (`bucket_starts`) stays as it is, bit for bit; only the last one and the end of the smooth curve change.

    Args:
        series: one run, or several to compare (then without the single minibatches).
        total_epochs: right end of the axis.
        cursor: step of the first run that the rest of the page shows, if it is not the newest.
    """
    frame = _Frame(LOG_LOSS if options.log_y else LOSS, total_epochs, options)
    low, high = options.loss_range
    if options.log_y:
        low, high = (math.log10(end) if end is not None and end > 0 else None for end in (low, high))
    yaxis = axis(_("cross-entropy (nats)"), uirevision=f"{'log' if options.log_y else 'linear'} {low} {high} {options.clip}")
    yaxis |= _log_axis(_listed(series)) if options.log_y else {"rangemode": "tozero"}
    if (low, high) != (None, None):
        yaxis |= {"range": [low, high]}
    marks = frame.marks(_listed(series), log=options.log_y)
    marks.level(CHANCE_LOSS, _("guessing: ln {classes} = {loss}", classes=OUTPUTS, loss=f"{CHANCE_LOSS:.2f}"))
    return _curves(series, frame, yaxis=yaxis, marks=marks, cursor=cursor)


def accuracy_curve(
    series: CurveSeries | Sequence[CurveSeries],
    total_epochs: float,
    *,
    options: CurveOptions = AUTOMATIC,
    reference: Reference | None = None,
    cursor: int | None = None,
) -> Figure:
    """Share of images classified correctly, in percent, against epochs; drawn like `loss_curve`.

    Args:
        series, total_epochs, options, cursor: as for `loss_curve`.
        reference: band to compare with, in fractions.
    """
    frame = _Frame(IMAGE_ACCURACY, total_epochs, options)
    low, high = options.accuracy_range
    ends = [0 if low is None else low, 100 if high is None else high]
    yaxis = axis(_("accuracy (%)"), range=ends, uirevision=f"percent {ends}")
    marks = frame.marks(_listed(series))
    marks.level(CHANCE_PERCENT, _("guessing: {accuracy}", accuracy=percent(CHANCE_PERCENT / 100, 0)))
    return _curves(series, frame, yaxis=yaxis, marks=marks, reference=reference, cursor=cursor)


def is_clipped(figure: Figure) -> bool:
    """Whether a figure of `loss_curve` leaves a spike out."""
    return any(trace.get("meta") == CLIPPED for trace in figure["data"])


@dataclass(frozen=True)
class _Frame:
    """What all curves of a figure are drawn by."""

    quantity: Quantity
    total_epochs: float
    options: CurveOptions

    def starts(self, run: CurveSeries, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """Where the buckets begin of which a point or two are drawn."""
        return bucket_starts(steps, run.planned_steps(self.total_epochs), growing=self.options.log_x)

    def marks(self, runs: Sequence[CurveSeries], *, log: bool = False) -> Marks:
        first = 1 / max((run.steps_per_epoch for run in runs), default=1)
        return Marks(log=log, left=first if self.options.log_x else None, right=max(self.total_epochs, 2 * first))

    def points(self, values: Floats, told: Callable[[str], str] = str) -> dict[str, Any]:
        """Heights of points, and what their hover says; a value below the figure's lowest is drawn there, and its hover has it.

        Args:
            told: what the hover says of a value.
        """
        digits, y = self.quantity.digits, _drawable(values, self.quantity)
        if not (values < self.quantity.floor).any():
            return {"y": y, "hovertemplate": told(f"%{{y:{digits}}}")}
        return {"y": y, "hovertemplate": told("%{text}"), "text": [significant(value) for value in values.tolist()]}


def _listed(series: CurveSeries | Sequence[CurveSeries]) -> list[CurveSeries]:
    return [series] if isinstance(series, CurveSeries) else list(series)


def _curves(
    series: CurveSeries | Sequence[CurveSeries],
    frame: _Frame,
    *,
    yaxis: dict[str, Any],
    marks: Marks,
    reference: Reference | None = None,
    cursor: int | None,
) -> Figure:
    runs, quantity, total_epochs = _listed(series), frame.quantity, frame.total_epochs
    compared = len(runs) > 1 or any(run.from_file for run in runs)  # what a file tells is never drawn without its label
    traces: list[Trace] = []
    for index, run in enumerate(runs):
        traces.extend(_compared(run, frame, index) if compared else _seeds(run, frame) if run.members else _single(run, frame))
        _mark_events(marks, run, index, compared, total_epochs)
    if quantity is LOSS and frame.options.clip and frame.options.loss_range[1] is None:
        yaxis = yaxis | _clip(runs, traces, marks, frame)
    elif "range" in yaxis:
        _cut(traces)
    if compared:
        traces += [_entry_of_file(run, index) for index, run in enumerate(runs) if run.from_file]
        smooth = _("train smoothed") if frame.options.smoothing else _("train step")
        traces.append(legend_entry(smooth, line={"color": GREY, "width": SMOOTH_PX}))
        traces.append(legend_entry(_("test"), **_dotted({"color": GREY})))
    if reference is not None:
        low, high = reference.low * quantity.scale, reference.high * quantity.scale
        end = total_epochs if reference.until is None else min(reference.until, total_epochs)
        marks.band(low, high, reference.label, x0=reference.since, x1=end)
    if cursor is not None and runs:
        marks.event(runs[0].epochs_at(cursor), _("step {step}", step=f"{cursor:,}"), strong=True)
    xaxis = axis(
        _("epoch"),
        range=[0, total_epochs],
        uirevision=f"{total_epochs:g} epochs",
        unifiedhovertitle={"text": _("epoch %{x:.2f}")},
        zeroline=False,
        automargin=False,
        spikecolor=GREY,
        spikethickness=1,
        spikedash="dot",
    )
    xaxis["title"] |= TITLE | {"standoff": 2}
    yaxis["title"] |= TITLE
    if marks.left is not None:
        ends = [math.log10(marks.left), math.log10(max(total_epochs, 2 * marks.left))]
        xaxis |= {"type": "log", "range": ends, "dtick": 1, "tickformat": "~g", "uirevision": f"{total_epochs:g} log epochs"}
    legend, hover = legend_below(LEGEND_PX), {"namelength": -1}
    return figure(traces, xaxis=xaxis, yaxis=yaxis | {"automargin": False}, margin=MARGIN, legend=legend, hoverlabel=hover, **marks.layout)


def _clip(runs: Sequence[CurveSeries], traces: list[Trace], marks: Marks, frame: _Frame) -> dict[str, Any]:
    """End the axis below single spikes, and mark them at its edge: what that changes of the axis.

    What a spike is, the losses say as they were measured: smoothed, a single one is many steps wide.
    """
    losses = [_drawable(values, frame.quantity) for run in runs for values in _measured(run, frame)]
    limit = min(highest_usual(losses, 2 * CHANCE_LOSS), HIGHEST)
    if not any((values > limit).any() for values in losses):
        return {}
    top = max(np.max(values, initial=0.0, where=values <= limit) for values in losses)
    edge = float(ROOM_ABOVE * top) if top else limit
    spikes: list[tuple[float, float, str, str]] = []  # loss, epoch, color, words
    for trace in traces:
        if "name" not in trace or trace.get("meta") == SMOOTHED:  # a mean of the steps; where they are marked it may leave too
            continue
        color = TRAIN if trace.get("meta") == STEP else trace["line" if "line" in trace else "marker"]["color"]
        spikes += [(trace["y"][i], trace["x"][i], color, _spike(trace, i)) for i in _above(trace, edge)]
    if not spikes:
        return {}
    _cut(traces)
    spikes.sort(reverse=True)
    heights, epochs, colors, words = zip(*spikes, strict=True)
    look = {"symbol": "triangle-up", "size": 11, "color": colors}
    spots = markers(list(epochs), [edge] * len(heights), look, "%{text}<extra></extra>", text=words, name=_("clipped"), meta=CLIPPED)
    traces.append(spots | {"showlegend": False, "cliponaxis": False})
    shown = _("{spike} (and {n} more)", spike=words[0], n=len(spikes) - 1) if len(spikes) > 1 else words[0]
    # below the words of faults, which take a line for each run
    marks.words(epochs[0], shown, row=len(runs), leftward=epochs[0] > frame.total_epochs / 2)
    return {"range": [0, edge]}


def _measured(run: CurveSeries, frame: _Frame) -> Iterator[Floats]:
    """The values of a run, of each of its seeds where there are several, before any are averaged over neighbors."""
    for history in run.members or (run.history,):
        one = replace(run, history=history, members=())
        values = one.values(frame.quantity)
        yield values[extremes(values, frame.starts(one, one.steps))]
        yield one.epoch_values(frame.quantity, frame.quantity.train)
        yield one.epoch_values(frame.quantity, frame.quantity.test)


def _above(trace: Trace, edge: float) -> list[int]:
    """Which points of a curve lie above the axis; of neighbors on a smooth line the highest."""
    above = np.flatnonzero(trace["y"] > edge)
    if trace.get("meta") == STEP or "marker" in trace:
        return above.tolist()
    peaks = np.split(above, np.flatnonzero(np.diff(above) > 1) + 1)
    return [int(peak[np.argmax(trace["y"][peak])]) for peak in peaks if peak.size]


def _spike(trace: Trace, index: int) -> str:
    loss = significant(float(trace["y"][index]))
    if trace.get("meta") == STEP:
        return _("step {step}: loss {loss}, clipped", step=f"{trace['customdata'][index]:,}", loss=loss)
    curve, epoch = trace["name"].replace("<br>", " "), significant(float(trace["x"][index]), 4)
    return _("{curve}, epoch {epoch}: loss {loss}, clipped", curve=curve, epoch=epoch, loss=loss)


def _cut(traces: Sequence[Trace]) -> None:
    """Draw nothing beyond the axes."""
    for trace in traces:
        trace.pop("cliponaxis", None)


def _mark_events(marks: Marks, run: CurveSeries, index: int, compared: bool, total_epochs: float) -> None:
    """Where a run broke, and where its settings were changed."""
    if run.diverged_step is not None:
        x = run.epochs_at(run.diverged_step)
        words = _("loss not finite at step {step}", step=f"{run.diverged_step:,}")
        if compared:
            words = _("{run}: {event}", run=html.escape(run.label, quote=False), event=words)
        marks.fault(x, words, row=index, leftward=x > total_epochs / 2)
    color = _style(run, index)["color"] if compared else GREY
    for number, change in enumerate(run.history.changes):
        words = _(change.words) if number < MOST_MARKED else ""
        marks.event(run.epochs_at(change.step), words, color=color)


def _log_axis(runs: Sequence[CurveSeries]) -> dict[str, Any]:
    """Written-out ticks at 1, 2, 5 where a few decades are shown; plotly's own, powers of ten, where many are."""
    losses = np.concatenate([np.array(run.history.losses, dtype=np.float64) for run in runs] or [np.empty(0)])
    losses = losses[np.isfinite(losses) & (losses > 0)]
    few = losses.size == 0 or np.ptp(np.log10(losses)) < FEW_DECADES
    return {"type": "log"} | ({"dtick": "D2", "tickformat": "~g"} if few else {"exponentformat": "power"})


def _single(run: CurveSeries, frame: _Frame) -> Iterator[Trace]:
    """One run: its minibatches too."""
    quantity, smooth = frame.quantity, frame.options.smoothing
    steps, values = run.steps, run.values(quantity)
    kept = extremes(values, frame.starts(run, steps))
    line = {"color": translucent(TRAIN, 0.35), "width": 1} if smooth else {"color": TRAIN, "width": 1.5}
    points = frame.points(values[kept], lambda value: _("{value} (step %{customdata:,})", value=value))
    name = _("train step")
    if run.history.pieces.ends:
        name = _("train step: lowest and highest of up to {n}", n=run.history.stride)
    yield polyline(_places(run, steps[kept]), line=line, customdata=steps[kept].astype(np.int32), name=name, meta=STEP, **points)
    if smooth:
        yield _smoothed(run, frame, _("train smoothed"), {"color": TRAIN}) | {"meta": SMOOTHED}
    epochs = np.array([record.epoch for record in run.history.epochs], dtype=np.int32)
    points = frame.points(run.epoch_values(quantity, quantity.train), lambda value: _("{value} (epoch %{customdata})", value=value))
    marker = {"color": TRAIN, "size": 8, "symbol": "diamond"}
    yield markers((epochs - 0.5).astype(np.float32), marker=marker, customdata=epochs, name=_("train epoch"), **points)
    yield _test(run, frame, _("test"), {"color": TEST})


def _seeds(run: CurveSeries, frame: _Frame) -> Iterator[Trace]:
    """Several seeds of one design: the mean, and from the lowest to the highest."""
    n = len(run.members)
    yield from _band(run, frame, TRAIN, _("train, {n} seeds", n=n), {"color": TRAIN})
    yield from _epoch_band(run, frame, TEST, _("test, {n} seeds", n=n), {"color": TEST})


def _compared(run: CurveSeries, frame: _Frame, index: int) -> Iterator[Trace]:
    style, group, name = _style(run, index), {"legendgroup": f"run {index}"}, wrapped(run.label, LEGEND_COLUMNS)
    hidden, tested = {"showlegend": False}, _("{run}, test", run=name)
    if run.members:
        train, test = _band(run, frame, style["color"], name, style), _epoch_band(run, frame, style["color"], tested, style)
    else:
        train, test = iter([_smoothed(run, frame, name, style)]), iter([_test(run, frame, tested, style)])
    yield from _grouped(train, group | (hidden if run.from_file else {}))
    for trace in _grouped(test, group | hidden):
        yield trace | {"marker": _hollow(style)} if run.from_file and "marker" in trace else trace


def _entry_of_file(run: CurveSeries, index: int) -> Trace:
    """What stands in the legend for a run that was not measured here."""
    style, name = _style(run, index), wrapped(run.label, LEGEND_COLUMNS)
    return legend_entry(name, legendgroup=f"run {index}", mode="lines+markers", line=style, marker=_hollow(style))


def _hollow(style: dict[str, str]) -> dict[str, Any]:
    return {"color": style["color"], "size": 9, "symbol": "circle-open", "line": {"width": 2}}


def _style(run: CurveSeries, index: int) -> dict[str, str]:
    return series_style(index if run.style is None else run.style)


def _grouped(traces: Iterator[Trace], group: dict[str, Any]) -> Iterator[Trace]:
    for trace in traces:
        yield trace | group | ({"showlegend": False} if trace.get("showlegend") is False else {})


def _smoothed(run: CurveSeries, frame: _Frame, name: str, style: dict[str, str]) -> Trace:
    """The average over both sides; without one, every minibatch."""
    smooth = frame.options.smoothing
    steps, values = run.smoothed(frame.quantity, smooth)
    starts = frame.starts(run, steps)
    kept = bucket_ends(starts, len(steps)) if smooth else extremes(values, starts)

    def averaged(value: str) -> str:
        return _("{value} (averaged over ± {epochs} epochs)", value=value, epochs=_reach(run, smooth)) if smooth else value

    points = frame.points(values[kept], averaged)
    return polyline(_places(run, steps[kept]), line=style | {"width": SMOOTH_PX if smooth else 1.5}, name=name, **points)


def _reach(run: CurveSeries, smooth: float) -> str:
    """How far the average reaches to either side, in epochs."""
    return significant(run.reach_steps(smooth) / run.steps_per_epoch, 2)


def _places(run: CurveSeries, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Steps on the axis, in epochs."""
    return np.asarray(run.epochs_at(steps)).astype(np.float32)


def _test(run: CurveSeries, frame: _Frame, name: str, style: dict[str, str]) -> Trace:
    epochs = np.array([record.epoch for record in run.history.epochs], dtype=np.float32)
    return _epoch_line(epochs, run.epoch_values(frame.quantity, frame.quantity.test), frame, name, style)


def _epoch_line(
    epochs: npt.NDArray[Any], values: Floats, frame: _Frame, name: str, style: dict[str, str], told: Callable[[str], str] = str
) -> Trace:
    look = _dotted(style) | {"name": name, "cliponaxis": False}  # the last value lies on the frame
    return polyline(epochs.astype(np.float32), **frame.points(values, told), **look)


def _dotted(style: dict[str, str]) -> dict[str, Any]:
    """A line with a dot an epoch, thinner than that of the minibatches."""
    return {"mode": "lines+markers", "line": style | {"width": 1.5}, "marker": {"color": style["color"], "size": 7}}


def _band(run: CurveSeries, frame: _Frame, color: str, name: str, style: dict[str, str]) -> Iterator[Trace]:
    smooth = frame.options.smoothing
    steps, rows = run.step_band(frame.quantity, smooth)
    kept = bucket_ends(frame.starts(run, steps), len(steps))
    x, (low, mean, high) = _places(run, steps[kept]), spread(rows[:, kept])
    yield from _area(x, low, high, frame.quantity, color)

    def averaged(value: str) -> str:
        return _("{value} (mean, averaged over ± {epochs} epochs)", value=value, epochs=_reach(run, smooth)) if smooth else _mean(value)

    points = frame.points(mean, averaged)
    yield polyline(x, line=style | {"width": SMOOTH_PX}, name=name, **points)


def _epoch_band(run: CurveSeries, frame: _Frame, color: str, name: str, style: dict[str, str]) -> Iterator[Trace]:
    epochs, rows = run.epoch_band(frame.quantity, frame.quantity.test)
    low, mean, high = spread(rows)
    yield from _area(epochs, low, high, frame.quantity, color)
    yield _epoch_line(epochs, mean, frame, name, style, _mean)


def _mean(value: str) -> str:
    return _("{value} (mean)", value=value)


def _area(x: npt.NDArray[Any], low: Floats, high: Floats, quantity: Quantity, color: str) -> Iterator[Trace]:
    """The area between two lines in which there may be gaps, as two traces: plotly fills the second down to the first."""
    for edge, fill in ((low, {}), (high, {"fill": "tonexty", "fillcolor": translucent(color, 0.22)})):
        yield polyline(x.astype(np.float32), _drawable(edge, quantity), {"width": 0}, showlegend=False, **fill)


def _drawable(values: Floats, quantity: Quantity) -> npt.NDArray[np.float32]:
    return np.clip(finite(values), quantity.floor, HIGHEST).astype(np.float32)


def epoch_curves(run: CurveSeries, quantity: Quantity, title: str, total_epochs: int, *, cursor: int | None = None) -> Figure:
    """Loss or accuracy on training and test points of the plane against epochs; the frame grows by doubling, up to `total_epochs`.

    Of several seeds it shows the mean and the band from the lowest to the highest. Changes in mid-run are marked.

    Args:
        quantity: `LOSS` or `ACCURACY`.
        title: of the vertical axis.
        cursor: step that the rest of the page shows, if it is not the newest.
    """
    end, epochs = SHORTEST, max([len(run.history.epochs), *(len(member.epochs) for member in run.members)])
    while end < epochs:
        end *= 2
    end = min(end, max(total_epochs, 1))
    traces: list[Trace] = []
    n = len(run.members)
    for name, mean, color, field in (
        (_("train"), _("train, mean of {n} seeds", n=n), TRAIN, quantity.train),
        (_("test"), _("test, mean of {n} seeds", n=n), TEST, quantity.test),
    ):
        if n:
            traces += _plane_band(*run.epoch_band(quantity, field), end, mean, color, quantity)
        else:
            numbers = np.array([record.epoch for record in run.history.epochs])
            values = run.epoch_values(quantity, field)
            kept = extremes(values, bucket_starts(numbers, end, PLANE_POINTS))
            traces.append(_plane_line(numbers[kept], values[kept], name, color, quantity))
    marks = Marks()
    for number, change in enumerate(run.history.changes):
        marks.event(run.epochs_at(change.step), _(change.words) if number < MOST_MARKED_SMALL else "", row=number)
    if cursor is not None:
        marks.event(run.epochs_at(cursor), "", strong=True)
    share = quantity is ACCURACY
    return figure(
        traces,
        xaxis=axis(_("epoch"), range=[0, end], zeroline=False),
        yaxis=axis(title) | ({"range": [0, 102]} if share else {"rangemode": "tozero"}),
        legend=LEGEND | {"traceorder": "normal"},  # filled areas would turn it round
        **marks.layout,
    )


def _plane_line(epochs: npt.NDArray[Any], values: Floats, name: str, color: str, quantity: Quantity) -> Trace:
    value = f"%{{y:{quantity.digits}}}"
    hover = _("{number} %", number=value) if quantity is ACCURACY else value
    return polyline(epochs, values, {"color": color, "width": 2.5}, hover, name=name)


def _plane_band(epochs: npt.NDArray[np.int64], rows: Floats, planned: int, name: str, color: str, quantity: Quantity) -> Iterator[Trace]:
    """From the lowest to the highest seed as an area, and their mean."""
    low, mean, high = spread(rows)
    kept = extremes(mean, bucket_starts(epochs, planned, PLANE_POINTS))
    yield from _area(epochs[kept], low[kept], high[kept], quantity, color)
    yield _plane_line(epochs[kept], mean[kept], name, color, quantity)
