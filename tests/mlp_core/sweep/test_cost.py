"""What a sweep is said to take, before anything has run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlp_core.spec import RunSpec
from mlp_core.sweep import cost
from mlp_core.sweep.plan import Axis, Plan, Task

SPEC = RunSpec(hidden=(10,), batch_size=16, train_size=3200, epochs=1)


def test_small_networks_take_as_long_as_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "flops_per_second", lambda: 1e11)
    measured = {(1, 1): 361, (1, 16): 889, (5, 1): 522, (5, 16): 1515, (40, 1): 1995, (40, 16): 9012}  # µs a step, by layers and networks
    for (layers, networks), microseconds in measured.items():
        task = Task(0, (0,) * networks, (replace(SPEC, hidden=(10,) * layers),) * networks)
        assert cost.of_task(task, test_count=0) / 200 == pytest.approx(1e-6 * microseconds, rel=0.35)


def test_rounds_take_what_their_runs_do_and_products_as_long_as_products_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "flops_per_second", lambda: 1.0)  # so slow that they are all
    plan = Plan(RunSpec(epochs=9, train_size=1000), (Axis("lr", tuple(0.1 * n for n in range(1, 10))),), "halving", seeds=2)
    a_run = 1.4 * (6 * 1000 + 2 * 500) * (785 * 256 + 257 * 10)  # forward and backward of 1,000 images, forward of 500, for an epoch
    assert cost.of_rounds(plan, 60_000, 500) == pytest.approx([2 * 9 * a_run, 2 * 3 * 3 * a_run, 2 * 9 * a_run], rel=1e-6)
