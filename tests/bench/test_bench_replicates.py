"""The bench of five seeds multiplies what five epochs and their tests do, and lets its contestants take turns."""

from __future__ import annotations

import time

import pytest
from torch.utils.flop_counter import FlopCounterMode

from mlp_core.data import load_sample
from tests.bench import bench_replicates
from tests.bench.bench_replicates import PLANE, BatchedProducts, interleaved, line, plane_line

WEIGHTS = 784 * 256 + 256 * 10


def test_the_products_are_those_of_five_epochs_and_tests() -> None:
    data = load_sample()
    train, test = len(data.train_labels) // 256 * 256, len(data.test_labels) // 1000 * 1000
    with FlopCounterMode(display=False) as counter:
        BatchedProducts(data).epoch()
    # Forward and backward take three products of two operations a weight and image; the first layer needs no gradient of its images.
    assert counter.get_total_flops() == 5 * (train * (6 * WEIGHTS - 2 * 784 * 256) + test * 2 * WEIGHTS)


def test_contestants_take_turns() -> None:
    order: list[str] = []
    seconds = interleaved({name: (lambda name=name: order.append(name)) for name in "abc"}, 4)  # type: ignore[misc]
    assert "".join(order) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert all(len(times) == 4 for times in seconds.values())


def test_a_line_gives_medians_over_the_rounds() -> None:
    text = line("label", {"five": [2.0, 9.0, 8.0], "one": [1.0, 3.0, 2.0]}, "five", "one", 10, "(goal)")
    assert text.split() == ["label", "200.0", "800.0", "3.00", "(goal)"]  # of 2, 3 and 4 times


def test_a_design_of_the_plane_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_replicates, "PLANE_ROUNDS", 1)
    monkeypatch.setattr(bench_replicates, "PLANE_EPOCHS", 1)
    monkeypatch.setattr(time, "thread_time", iter((0.0, 0.002, 1.0, 1.003)).__next__)
    assert plane_line("Spiral", PLANE["Spiral, 2-8-8-1"]).split()[:4] == ["Spiral", "2.0", "3.0", "1.50"]
