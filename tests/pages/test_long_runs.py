"""What the tiles of a run say of a long one: its newest steps, though the older ones are kept in pieces only."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean

import pytest

from mlp_core.records import STEP_CAPACITY, History, HistorySnapshot, StepRecord
from mlp_core.reports.diagnosis.verdict import Case
from mlp_core.spec import RunSpec
from pages.ui.run.readings import readings
from tests.support.kept import snapshot


def loss_at(step: int) -> float:
    return 1.0 + math.sin(1.7 * step) + (3.0 if step % 16 == 0 else 0.0)


@pytest.fixture(scope="module")
def long() -> HistorySnapshot:
    history = History()
    for step in range(1, STEP_CAPACITY + 5000):
        history.steps.append(StepRecord(step, loss_at(step), step % 10 / 10))
    return history.snapshot()


@pytest.mark.parametrize("members", [False, True])
def test_the_mean_of_the_last_minibatches_is_theirs_after_the_log_was_thinned(long: HistorySnapshot, members: bool) -> None:
    assert long.pieces.end > 0
    loss, accuracy, *_ = readings(replace(snapshot(RunSpec(), long), members=(long, long) if members else ()))
    newest = range(STEP_CAPACITY + 4980, STEP_CAPACITY + 5000)
    assert loss.value == f"{fmean(map(loss_at, newest)):.4f}"
    assert accuracy.value == "45.0 %"
    assert loss.help.startswith("Mean of the last 20 minibatches")


def test_a_verdict_judges_by_the_last_steps_themselves(long: HistorySnapshot) -> None:
    case = Case(RunSpec(), long)
    newest = range(STEP_CAPACITY + 5000 - case.window, STEP_CAPACITY + 5000)
    assert case.loss == pytest.approx(fmean(map(loss_at, newest)))


def test_looking_back_the_mean_is_of_the_pieces_there_and_says_of_how_many_steps(long: HistorySnapshot) -> None:
    past = long.until(4000)
    loss, *_ = readings(snapshot(RunSpec(), past))
    _, _, steps = past.recent(20)
    assert loss.help.startswith(f"Mean of the last {steps} minibatches")
    assert 20 <= steps < 60
    assert loss.value == f"{fmean(loss_at(step) for step in range(past.pieces.end - steps + 1, past.pieces.end + 1)):.4f}"
