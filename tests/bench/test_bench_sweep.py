"""The bench of sweeps trains the same runs alone and at once, and says how far they differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlp_core.sweep.carry_out import train
from mlp_core.sweep.plan import Axis, Plan
from tests.bench.bench_sweep import furthest, parted
from tests.support.engine import SPEC, clouds

PLAN = Plan(SPEC, (Axis("lr", (0.05, 0.1, 0.2)),), seeds=2)


def test_the_same_runs_are_trained_alone_and_at_once() -> None:
    alone, together = parted(PLAN)
    assert [len(task.specs) for task in alone] == [1] * 6
    assert len(together) < len(alone)
    assert sorted(key for task in alone for key in task.keys) == sorted(key for task in together for key in task.keys)


def test_the_furthest_results_are_found() -> None:
    alone, _ = parted(PLAN)
    runs = {run.key: run for task in alone for run in train(task, clouds())}
    assert furthest(runs, runs) == (0.0, 0.0)
    key, changed = next(iter(runs.items()))
    *before, last = changed.epochs
    moved = replace(last, test_loss=1.25 * last.test_loss, test_accuracy=last.test_accuracy - 0.5)
    assert furthest(runs, runs | {key: replace(changed, epochs=(*before, moved))}) == pytest.approx((0.25, 0.5))
