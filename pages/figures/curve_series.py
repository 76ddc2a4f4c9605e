"""A run as the curves see it: its columns of numbers, made ready to be drawn. Knows records, not runs, and draws nothing."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mlp_core.records import EpochRecord, HistorySnapshot, LrChange
from pages.figures.decimation import Floats, exponential_average

SMOOTHING_EPOCHS = 0.05  # reach of the average to either side …
SMOOTHING_STEPS = 2.0  # … and its least value, in steps
HIGHEST = float(np.finfo(np.float32).max)  # figures are sent in float32


class Quantity(NamedTuple):
    """What distinguishes loss from accuracy: where the numbers lie, their unit, and how they are written."""

    column: int
    train: str
    test: str
    scale: float
    floor: float
    digits: str


@dataclass(frozen=True)
class CurveSeries:
    """One run, or several seeds of one design.

    Args:
        label: what the legend calls the run; shown only beside others.
        columns: steps (from 1), losses and accuracies (fractions) of single minibatches, of equal length.
        epochs: one record a finished epoch.
        steps_per_epoch: turns a step into a place on the axis.
        color: of the run among several; None takes the next of the palette.
        lr_changes: where the learning rate was changed.
        members: the histories of all seeds where there are several; `columns` and `epochs` are then those of the first.
    """

    label: str
    columns: tuple[Sequence[int], Sequence[float], Sequence[float]]
    epochs: Sequence[EpochRecord]
    steps_per_epoch: int
    color: str | None = None
    lr_changes: Sequence[LrChange] = ()
    members: Sequence[HistorySnapshot] = ()

    @classmethod
    def of(
        cls,
        history: HistorySnapshot,
        steps_per_epoch: int,
        label: str = "",
        color: str | None = None,
        members: Sequence[HistorySnapshot] = (),
    ) -> CurveSeries:
        columns = (history.steps, history.losses, history.accuracies)
        return cls(label, columns, history.epochs, steps_per_epoch, color, history.lr_changes, members)

    @property
    def diverged_step(self) -> int | None:
        """The first recorded step after which a loss, on a minibatch or on the test images, is not finite."""
        steps, losses, _ = self.columns
        broken = [int(steps[i]) for i in np.flatnonzero(~np.isfinite(np.asarray(losses, dtype=np.float64)))[:1]]
        broken += [record.step for record in self.epochs if not math.isfinite(record.test_loss)]
        return min(broken, default=None)

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        return np.array(self.columns[0], dtype=np.int64)

    def values(self, quantity: Quantity) -> Floats:
        """Of single minibatches, in the figure's unit; NaN, which is drawn as a gap, for what is not finite."""
        return _scaled(self.columns[quantity.column], quantity)

    def smoothed(self, quantity: Quantity) -> Floats:
        """The minibatches' values averaged over a twentieth of an epoch to either side."""
        return self._smooth(self.columns[0], self.values(quantity))

    def epoch_values(self, quantity: Quantity, name: str) -> Floats:
        """A field of the epochs' records, in the figure's unit."""
        return _scaled([getattr(record, name) for record in self.epochs], quantity)

    def step_band(self, quantity: Quantity) -> tuple[npt.NDArray[np.int64], Floats]:
        """Smoothed values of all seeds at the steps of the seed that got furthest: (n,) and (seeds, n), NaN where a seed had broken off."""
        longest = max(self.members, key=lambda member: len(member.steps))
        steps = np.array(longest.steps, dtype=np.int64)
        rows = np.full((len(self.members), len(steps)), np.nan)
        for row, member in zip(rows, self.members, strict=True):
            own = np.array(member.steps, dtype=np.int64)
            column = (member.steps, member.losses, member.accuracies)[quantity.column]
            smooth = self._smooth(member.steps, _scaled(column, quantity))
            _, here, there = np.intersect1d(steps, own, assume_unique=True, return_indices=True)
            row[here] = smooth[there]
        return steps, rows

    def epoch_band(self, quantity: Quantity, name: str) -> tuple[npt.NDArray[np.int64], Floats]:
        """A field of the epochs' records of all seeds: epochs (n,) and values (seeds, n), NaN where a seed had broken off."""
        n = max(len(member.epochs) for member in self.members)
        rows = np.full((len(self.members), n), np.nan)
        for row, member in zip(rows, self.members, strict=True):
            row[: len(member.epochs)] = _scaled([getattr(record, name) for record in member.epochs], quantity)
        return np.arange(1, n + 1), rows

    def _smooth(self, steps: Sequence[int], values: Floats) -> Floats:
        stride = steps[1] - steps[0] if len(steps) > 1 else 1  # of a thinned log
        reach = max(SMOOTHING_EPOCHS * self.steps_per_epoch, SMOOTHING_STEPS)
        return exponential_average(values, math.exp(-stride / reach))


def spread(rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Lowest, mean and highest of each column of (seeds, n), over what is finite; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns of columns that are NaN throughout
        return np.nanmin(rows, axis=0), np.nanmean(rows, axis=0), np.nanmax(rows, axis=0)


def _scaled(values: Sequence[float], quantity: Quantity) -> Floats:
    numbers = np.array(values, dtype=np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return np.clip(numbers, -HIGHEST, HIGHEST) * quantity.scale
