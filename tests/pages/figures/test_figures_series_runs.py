"""Several seeds of one design as arrays: the same steps side by side, gaps where a seed had broken off."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from mlp_core.records import EpochRecord, History, HistorySnapshot, StepRecord
from pages.figures.series import CurveSeries, Quantity, spread

PER_EPOCH = 10
LOSS = Quantity("losses", "train_loss", "test_loss", 1.0, -1e30, ".4f")
PERCENT = Quantity("accuracies", "train_accuracy", "test_accuracy", 100.0, -1e30, ".2f")


def history(losses: Sequence[float]) -> HistorySnapshot:
    recorded = History()
    for step, loss in enumerate(losses, start=1):
        recorded.steps.append(StepRecord(step, loss, 0.5))
        if step % PER_EPOCH == 0:
            recorded.epochs.append(EpochRecord(step // PER_EPOCH, step, loss, 0.5, 2 * loss, 0.25))
    return recorded.snapshot()


def series(*members: HistorySnapshot) -> CurveSeries:
    return CurveSeries(members[0], PER_EPOCH, members=members)


def test_seeds_of_constant_loss_stay_apart() -> None:
    steps, rows = series(history([1.0] * 25), history([3.0] * 25)).step_band(LOSS)
    assert steps.tolist() == list(range(1, 26))
    np.testing.assert_allclose(rows, np.array([[1.0], [3.0]]) * np.ones(25))
    low, mean, high = spread(rows)
    assert (low[7], mean[7], high[7]) == pytest.approx((1.0, 2.0, 3.0))


def test_a_seed_that_broke_off_leaves_a_gap_and_not_the_band() -> None:
    long, short = history([1.0] * 30), history([5.0] * 12)
    steps, rows = series(short, long).step_band(LOSS)
    assert len(steps) == 30
    assert np.isnan(rows[0, 12:]).all()
    assert not np.isnan(rows[0, :12]).any()
    low, mean, high = spread(rows)
    assert (low[20], mean[20], high[20]) == (1.0, 1.0, 1.0)
    epochs, tested = series(short, long).epoch_band(LOSS, "test_loss")
    assert epochs.tolist() == [1, 2, 3]
    assert tested[0, 0] == 10.0
    assert np.isnan(tested[0, 1:]).all()
    assert (tested[1] == 2.0).all()


def test_a_seed_in_pieces_and_a_whole_one_are_means_of_the_same_stretches() -> None:
    losses = [float(step) for step in range(1, 301)]
    thinned, whole = history(losses).thinned(220), history(losses[:270])
    assert thinned.stride == 8
    steps, rows = series(whole, thinned).step_band(LOSS, 0)
    np.testing.assert_allclose(rows[1], [(low + min(low + 7, 300)) / 2 for low in range(1, 301, 8)])
    np.testing.assert_allclose(rows[0, :33], rows[1, :33])  # up to step 264
    assert np.isnan(rows[0, 34:]).all()
    assert np.abs(steps - rows[1]).max() <= 0.5


def test_accuracy_is_in_percent_and_what_is_not_finite_is_a_gap() -> None:
    one = series(history([1.0, math.inf, math.nan]))
    assert one.values(PERCENT).tolist() == [50.0] * 3
    assert np.isnan(one.values(LOSS)[1:]).all()
    assert one.diverged_step == 2


def test_nothing_finite_in_a_column_is_a_gap_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    low, mean, high = spread(np.array([[np.nan, 1.0], [np.nan, 3.0]]))
    assert np.isnan([low[0], mean[0], high[0]]).all()
    assert (low[1], mean[1], high[1]) == (1.0, 2.0, 3.0)
    assert not recwarn.list
