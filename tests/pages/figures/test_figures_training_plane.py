"""The curves of the playground show the records they are given, of one run and of several seeds, and what happened on the way."""

from __future__ import annotations

from array import array
from dataclasses import replace

import numpy as np
import pytest

from mlp_core.records import EpochRecord, HistorySnapshot, SettingChange
from pages.figures import training
from pages.figures.series import CurveSeries
from pages.figures.training import ACCURACY, LOSS, MOST_MARKED_SMALL, PLANE_POINTS
from tests.support.figures.soundness import drawn, sound

epoch_curves = drawn(training.epoch_curves)


def history(test_losses: list[float]) -> HistorySnapshot:
    epochs = [EpochRecord(n, 4 * n, 1 / n, 1 - 1 / n, loss, 0.5) for n, loss in enumerate(test_losses, start=1)]
    return HistorySnapshot(array("q"), array("d"), array("d"), 1, tuple(epochs), ())


def series(*test_losses: list[float], changes: tuple[SettingChange, ...] = ()) -> CurveSeries:
    histories = [history(losses) for losses in test_losses]
    return CurveSeries(replace(histories[0], changes=changes), 4, members=histories if len(histories) > 1 else ())


def test_long_curves_are_thinned_and_end_where_they_end() -> None:
    run = series([float("nan") if n == 7 else 2 / n for n in range(1, 1501)])
    figure = epoch_curves(run, LOSS, "loss", 2000)
    sound(figure, 40_000)
    train, test = figure.data
    assert len(train.x) <= PLANE_POINTS
    assert (train.x[-1], train.y[-1]) == (1500, 1 / 1500)
    assert len(test.x) <= PLANE_POINTS
    gap = epoch_curves(series([float("nan") if n == 7 else 1.0 for n in range(1, 10)]), LOSS, "loss", 2000).data[1]
    assert np.isnan(gap.y).tolist() == [epoch == 7 for epoch in range(1, 10)]
    assert epoch_curves(run, ACCURACY, "accuracy", 2000).data[0].y[-1] == pytest.approx(100 * (1 - 1 / 1500))


@pytest.mark.parametrize(("epochs", "end"), [(0, 10), (10, 10), (11, 20), (90, 100)])
def test_the_frame_doubles_up_to_the_end(epochs: int, end: int) -> None:
    assert epoch_curves(series([1.0] * epochs), LOSS, "loss", 100).layout.xaxis.range == (0, end)


def test_several_seeds_are_a_mean_between_the_lowest_and_the_highest() -> None:
    figure = epoch_curves(series([4.0, 3.0], [2.0], [3.0, 1.0]), LOSS, "loss", 100)  # the second broke off
    sound(figure, 20_000)
    low, high, mean = figure.data[3:]
    assert (low.y.tolist(), mean.y.tolist(), high.y.tolist()) == ([2, 1], [3, 2], [4, 3])
    assert high.fill == "tonexty"
    assert mean.name == "test, mean of 3 seeds"


def test_changes_of_the_learning_rate_and_the_moment_shown_are_marked() -> None:
    changes = tuple(SettingChange(4 * n + 2, "lr", 0.1 / n) for n in range(1, MOST_MARKED_SMALL + 3))
    figure = epoch_curves(series([1.0] * 9, changes=changes), LOSS, "loss", 100, cursor=6)
    sound(figure, 20_000)
    assert [shape.x0 for shape in figure.layout.shapes] == [*(change.step / 4 for change in changes), 1.5]
    assert [note.text for note in figure.layout.annotations] == ["lr 0.1", "lr 0.05", "lr 0.0333333", "lr 0.025"]
