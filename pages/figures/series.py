"""Series of numbers made ready to be drawn: thinned, averaged, with gaps; and a run as its columns of numbers."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mlp_core.records import HistorySnapshot
from pages.figures.figure import Floats

POINT_LIMIT = 500  # more points than pixels show nothing more
NEGLIGIBLE = 1e-3  # a weight that moves an average by less than a pixel
SMOOTHING_EPOCHS = 0.05  # reach of the average to either side, unless another is chosen …
SMOOTHING_STEPS = 2.0  # … and its least value, in steps
HIGHEST = float(np.finfo(np.float32).max)  # figures are sent in float32


def decimate(x: Sequence[float] | npt.ArrayLike, y: Sequence[float] | npt.ArrayLike, limit: int = POINT_LIMIT) -> tuple[Floats, Floats]:
    """Thin a curve to at most `limit` of its own points, in order, so that what stands out still does.

    The interior is cut into buckets of equal length; each gives its lowest and its highest finite point and, where it has one, its
    first point that is not finite, so that neither a spike nor a gap is lost. The first and the last point always stay.

    Args:
        x, y: (n,), any n.
        limit: at least 5.

    Raises:
        ValueError: lengths that differ, or a limit below 5.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    kept = decimation_indices(ys, limit)
    if xs.shape != ys.shape:
        raise ValueError(f"x and y must have the same length, got {xs.shape} and {ys.shape}")
    return xs[kept], ys[kept]


def decimation_indices(y: npt.ArrayLike, limit: int = POINT_LIMIT) -> npt.NDArray[np.intp]:
    """Which points `decimate` keeps, ascending, so that columns beside y can be thinned alike."""
    if limit < 5:
        raise ValueError(f"limit must be at least 5, got {limit}")
    ys = np.asarray(y, dtype=np.float64)
    n = len(ys)
    if n <= limit:
        return np.arange(n)
    known = np.isfinite(ys)
    per_bucket = 2 if known.all() else 3
    buckets = (limit - 2) // per_bucket
    width = math.ceil((n - 2) / buckets)

    def bucketed(values: npt.NDArray[np.generic], padding: float) -> npt.NDArray[np.generic]:
        padded = np.full(buckets * width, padding, dtype=values.dtype)
        padded[: n - 2] = values[1:-1]
        return padded.reshape(buckets, width)  # (buckets, width)

    lowest = bucketed(np.where(known, ys, np.inf), np.inf).argmin(axis=1)
    highest = bucketed(np.where(known, ys, -np.inf), -np.inf).argmax(axis=1)
    chosen = [lowest, highest]
    if per_bucket == 3:
        chosen.append(bucketed(~known, False).argmax(axis=1))
    starts = 1 + width * np.arange(buckets)
    interior = np.concatenate([starts + offset for offset in chosen])
    return np.unique(np.concatenate(([0, n - 1], interior[interior < n - 1])))


def bucket_starts(steps: npt.NDArray[np.int64], planned: int, limit: int = POINT_LIMIT, *, growing: bool = False) -> npt.NDArray[np.intp]:
    """Where each bucket of a run's steps begins: buckets lie fixed from step 1 on, so that those which are full never change again.

    A bucket holds ceil(planned / buckets) consecutive steps, or a single one where `limit` points hold them all.

    Args:
        steps: (n,), ascending, from 1 on; thinned or not.
        planned: how many steps the run will have.
        limit: points that are to be drawn, two a bucket and the last.
        growing: buckets of equal length on a logarithmic axis; what comes after the plan is the last one.

    Returns:
        The index of the first of `steps` in each bucket that holds one, ascending.
    """
    if planned <= limit:
        return np.arange(len(steps))
    buckets = (limit - 1) // 2
    if growing:
        ends = np.geomspace(1, planned, buckets).astype(np.int64)
        return np.flatnonzero(np.diff(np.searchsorted(ends, steps), prepend=-1))
    return np.flatnonzero(np.diff((steps - 1) // math.ceil(planned / buckets), prepend=-1))


def extremes(values: Floats, starts: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Which points stand for their bucket: its first lowest and first highest finite one, and its first that is not finite.

    A bucket in which nothing is finite gives one point, and so does one of a single point. The very last point always stays. A run ends
    with its first loss that is not finite: it is one more than two a bucket.

    Args:
        values: (n,).
        starts: first index of each bucket, as of `bucket_starts`.

    Returns:
        Indices, ascending.
    """
    if len(starts) == len(values):
        return starts
    known = np.isfinite(values)
    chosen = np.zeros(len(values), dtype=bool)
    chosen[-1:] = True
    lengths = np.diff(starts, append=len(values))
    for extreme, unknown in ((np.minimum, np.inf), (np.maximum, -np.inf)):
        filled = np.where(known, values, unknown)
        reached = np.flatnonzero(filled == np.repeat(extreme.reduceat(filled, starts), lengths))
        chosen[reached[np.searchsorted(reached, starts)]] = True
    broken = np.flatnonzero(~known)
    if broken.size:
        bucket = np.searchsorted(starts, broken, side="right")
        chosen[broken[np.flatnonzero(np.diff(bucket, prepend=0))]] = True
    return np.flatnonzero(chosen)


def bucket_ends(starts: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.intp]:
    """The first of `count` points and the last of each bucket, ascending: what is drawn of a line without spikes."""
    if not count:
        return starts
    ends = np.append(starts, count) - 1
    ends[0] = 0
    return ends[np.diff(ends, prepend=-1) > 0]


def evenly_spread(count: int, most: int) -> npt.NDArray[np.intp]:
    """Up to `most` of the indices 0 .. count - 1, ascending, the first and the last among them."""
    return np.unique(np.round(np.linspace(0, count - 1, min(count, most))).astype(np.intp))


def finite(values: npt.ArrayLike) -> Floats:
    """NaN, which is drawn as a gap, for what is not finite."""
    array = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(array), array, np.nan)


def segments(*ends: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """One coordinate of many lines as one series, with a gap after each: that of their first points (n,), of their second points …"""
    lines = np.column_stack([np.asarray(end) for end in ends])
    gap = np.full(len(lines), np.nan, dtype=np.float32)  # a series in float32 stays so
    return np.column_stack([lines, gap]).ravel()


def exponential_average(values: npt.ArrayLike, decay: float) -> Floats:
    """Average over both sides with exponentially falling weights: smooth, and not late as an average over the past alone would be.

    Formula: m_t = sum_s decay^|t-s| v_s / sum_s decay^|t-s|, over the s with |t-s| < `neighbors(decay)` for which v_s is finite. Where
    v_t is not finite, nor is m_t. So further values change none that lies at least so far before them, not in a single bit.

    Args:
        values: (n,).
        decay: weight of a neighbor, 0 <= decay < 1.

    Raises:
        ValueError: a decay outside that interval.
    """
    if not 0.0 <= decay < 1.0:
        raise ValueError(f"decay must be from 0 to below 1, got {decay}")
    raw = np.asarray(values, dtype=np.float64)
    known = np.isfinite(raw)
    terms = neighbors(decay)
    total, weight = (_both_sides(column, decay, terms) for column in (np.where(known, raw, 0.0), known.astype(np.float64)))
    return np.divide(total, weight, out=np.full_like(raw, np.nan), where=known)


def neighbors(decay: float) -> int:
    """How many terms to either side an average counts, its middle among them: a power of 2, from which on weights are `NEGLIGIBLE`."""
    terms = 1
    while decay**terms > NEGLIGIBLE:
        terms *= 2
    return terms


def _both_sides(values: Floats, decay: float, terms: int) -> Floats:
    """sum_s decay^|t-s| v_s: that over the past, that over the future, less the middle counted twice."""
    future: Floats = _past(values[::-1], decay, terms)[::-1]
    return _past(values, decay, terms) + future - values


def _past(values: Floats, decay: float, terms: int) -> Floats:
    """sum_{k < terms} decay^k v_{t-k}, by doubling: a sum over m terms plus decay^m times the same sum m places earlier is that over 2m."""
    total, shift = values.copy(), 1
    while shift < min(terms, len(total)):
        total[shift:] += decay**shift * total[:-shift]  # numpy evaluates the right side first
        shift *= 2
    return total


class Quantity(NamedTuple):
    """What distinguishes loss from accuracy: where the numbers lie, their unit, and how they are written."""

    column: str  # of a history
    train: str
    test: str
    scale: float
    floor: float
    digits: str


@dataclass(frozen=True)
class CurveSeries:
    """One run, or several seeds of one design.

    Args:
        history: of several seeds that of the first.
        steps_per_epoch: turns a step into a place on the axis.
        label: what the legend calls the run; shown only beside others.
        style: number of its color and dash in the palette, among several runs; None takes the next.
        members: the histories of all seeds where there are several.
        from_file: whether a file tells of it, and it was not measured here.
    """

    history: HistorySnapshot
    steps_per_epoch: int
    label: str = ""
    style: int | None = None
    members: Sequence[HistorySnapshot] = ()
    from_file: bool = False

    def epochs_at(self, steps: float | npt.NDArray[np.int64]) -> Any:
        """Where steps lie on the axis."""
        return epochs_at(steps, self.steps_per_epoch, self.history.knots)

    def planned_steps(self, epochs: float) -> int:
        """How many steps so many epochs take; where the batch size was changed, how many the run takes."""
        return self.history.knots[-1][0] if self.history.knots else math.ceil(epochs * self.steps_per_epoch)

    @property
    def diverged_step(self) -> int | None:
        """The first recorded step after which a loss, on a minibatch or on the test images, is not finite."""
        broken = [self.history.steps[i] for i in np.flatnonzero(~np.isfinite(self.history.losses))[:1]]
        broken += [record.step for record in self.history.epochs if not math.isfinite(record.test_loss)]
        return min(broken, default=None)

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        return np.array(self.history.steps, dtype=np.int64)

    def values(self, quantity: Quantity) -> Floats:
        """Of single minibatches, in the figure's unit; NaN, which is drawn as a gap, for what is not finite."""
        return _scaled(getattr(self.history, quantity.column), quantity)

    def smoothed(self, quantity: Quantity, reach_epochs: float = SMOOTHING_EPOCHS) -> tuple[npt.NDArray[np.int64], Floats]:
        """Steps, and the minibatches' values averaged over both sides, with weights that fall to 1/e within the reach: (n,) each.

        With no reach the values are as they are. Of a log in pieces the means of equally long stretches are averaged.
        """
        if not reach_epochs:
            return self.steps, self.values(quantity)
        stride = _stride(self.history)
        steps, values = _stretches(self.history, quantity, stride)
        return steps, self._smooth(values, stride, reach_epochs)

    def reach_steps(self, reach_epochs: float) -> float:
        """The reach of the average in steps, which has a least value."""
        return max(reach_epochs * self.steps_per_epoch, SMOOTHING_STEPS) if reach_epochs else 0.0

    def epoch_values(self, quantity: Quantity, name: str) -> Floats:
        """A field of the epochs' records, in the figure's unit."""
        return _scaled([getattr(record, name) for record in self.history.epochs], quantity)

    def step_band(self, quantity: Quantity, reach_epochs: float = SMOOTHING_EPOCHS) -> tuple[npt.NDArray[np.int64], Floats]:
        """Smoothed values of all seeds at the steps of the seed that got furthest: (n,) and (seeds, n), NaN where a seed had broken off."""
        stride = max(map(_stride, self.members))
        stretches = [_stretches(member, quantity, stride) for member in self.members]
        steps = max((steps for steps, _ in stretches), key=len)
        rows = np.full((len(self.members), len(steps)), np.nan)
        for row, (_, values) in zip(rows, stretches, strict=True):
            row[: len(values)] = self._smooth(values, stride, reach_epochs)
        return steps, rows

    def epoch_band(self, quantity: Quantity, name: str) -> tuple[npt.NDArray[np.int64], Floats]:
        """A field of the epochs' records of all seeds: epochs (n,) and values (seeds, n), NaN where a seed had broken off."""
        n = max(len(member.epochs) for member in self.members)
        rows = np.full((len(self.members), n), np.nan)
        for row, member in zip(rows, self.members, strict=True):
            row[: len(member.epochs)] = _scaled([getattr(record, name) for record in member.epochs], quantity)
        return np.arange(1, n + 1), rows

    def _smooth(self, values: Floats, stride: int, reach_epochs: float) -> Floats:
        return exponential_average(values, math.exp(-stride / self.reach_steps(reach_epochs))) if reach_epochs else values


def _stride(history: HistorySnapshot) -> int:
    """How long the stretches are of which a log in pieces knows the means."""
    return history.stride if history.pieces.ends else 1


def _stretches(history: HistorySnapshot, quantity: Quantity, stride: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Middle steps (n,), and the quantity's means (n,), of stretches of `stride` steps, the last of what is left.

    Of a piece of the log that lies in two stretches each has its share.
    """
    pieces, steps = history.pieces, np.array(history.steps, dtype=np.int64)
    steps = steps[steps > pieces.end]
    values = _scaled(getattr(history, quantity.column)[len(history.steps) - len(steps) :], quantity)
    if stride == 1:
        return steps, values
    ends = np.concatenate([[0], pieces.ends, steps]).astype(np.int64)
    means = np.concatenate([_scaled(getattr(pieces, quantity.column), quantity), values])
    sums = np.concatenate([[0.0], np.cumsum(means * np.diff(ends))])
    edges = np.append(np.arange(0, ends[-1], stride), ends[-1])
    return (edges[:-1] + 1 + edges[1:]) // 2, np.diff(np.interp(edges, ends, sums)) / np.diff(edges)


def epochs_at(steps: float | npt.NDArray[Any], steps_per_epoch: int, knots: Sequence[tuple[int, float]]) -> Any:
    """Where steps lie on an axis of epochs; `knots` as of a history."""
    return np.interp(steps, *np.transpose(knots)) if knots else steps / steps_per_epoch


def spread(rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Lowest, mean and highest of each column of (seeds, n), over what is finite; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns of columns that are NaN throughout
        return np.nanmin(rows, axis=0), np.nanmean(rows, axis=0), np.nanmax(rows, axis=0)


def _scaled(values: Sequence[float], quantity: Quantity) -> Floats:
    numbers = np.array(values, dtype=np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return np.clip(numbers, -HIGHEST, HIGHEST) * quantity.scale
