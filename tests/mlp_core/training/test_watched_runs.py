"""A run that somebody looks into computes what it computes unseen, and what is seen of its steps is what they did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.data import Dataset
from mlp_core.labs.nonlinearity.plane import dataset, points_of, split
from mlp_core.losses import LOSSES
from mlp_core.network import network as networks
from mlp_core.spec import RunSpec
from mlp_core.training import Run, inspection
from tests.support.drawn import specs
from tests.support.engine import SPEC, all_implementations, clouds, finished, kind_of, network_of, record_of, weights_of


@pytest.fixture(autouse=True, scope="module")
def every_step() -> Iterator[None]:
    """As many inspections as there are steps: looking costs nothing and all of them are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspection, "COST_FRACTION", float("inf"))
        patch.setattr(inspection, "PAUSE_SECONDS", 0.0)
        patch.setattr(inspection, "LOOK_SECONDS", 3600.0)
        yield


def watched(spec: RunSpec, data: Dataset | None = None) -> Run:
    run = Run(spec, data or clouds())
    run.inspections.look()
    run.advance()
    return run


def steps_of(run: Run) -> list[int]:
    return [seen.step for seen in run.inspections.entries]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(spec=specs(), slices=st.lists(st.integers(0, 9), max_size=6))
def test_who_looks_changes_nothing(spec: RunSpec, slices: list[int]) -> None:
    before = torch.random.get_rng_state()
    run, unseen = Run(spec, clouds()), finished(spec)
    run.inspections.look()
    for steps in slices:
        run.advance(steps=steps)
        run.evaluate()
    run.advance()
    assert record_of(run) == record_of(unseen)
    assert weights_of(run) == weights_of(unseen)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert steps_of(run)[-1] == run.step - (kind_of(run) == "diverged")  # a step whose loss is not finite moves nothing
    assert unseen.inspections.entries == ()
    for step in run.checkpoints.steps:
        mine, other = (each.checkpoints.at(step) for each in (run, unseen))
        assert torch.equal(mine.network.dropout, other.network.dropout)
        assert torch.equal(mine.order, other.order)


@all_implementations
def test_an_update_is_the_learning_rate_times_the_gradient_before_it(implementation: str) -> None:
    """With all images in one batch the probe's gradient is that of the step: |ΔW| = η |∂L/∂W|."""
    run = watched(replace(SPEC, hidden=(8, 5), activation="tanh", batch_size=50, lr=0.3, epochs=12, implementation=implementation))
    assert steps_of(run) == list(range(1, 13))
    for before, after in zip(run.inspections.entries, run.inspections.entries[1:], strict=False):
        for was, became in zip(before.layers, after.layers, strict=True):
            assert became.update_ratio == pytest.approx(0.3 * was.stats.gradient_norm / was.stats.weight_norm, rel=1e-3)


@all_implementations
def test_what_is_seen_is_the_network_after_the_step(implementation: str) -> None:
    run = Run(replace(SPEC, implementation=implementation), clouds())
    run.inspections.look()
    run.advance(steps=3)
    images, labels = clouds().train_images.flatten(1) / 255, clouds().train_labels
    seen = run.inspections.entries[-1]
    assert seen.step == 3
    stats = inspection.measure(network_of(run), images, labels)
    for layer, expected in zip(seen.layers, stats, strict=True):
        assert layer.stats.weight_norm == expected.weight_norm
        assert layer.stats.gradient_norm == pytest.approx(expected.gradient_norm, rel=1e-5)


def test_one_stretch_of_work_pays_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "PAUSE_SECONDS", 1e-9)
    run = Run(replace(SPEC, epochs=50), clouds())
    run.inspections.look()
    for expected in ([1], [1, 6], [1, 6, 11]):
        run.advance(steps=5)
        assert steps_of(run) == expected


def test_nobody_looked_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "LOOK_SECONDS", -1.0)
    assert watched(SPEC).inspections.entries == ()


@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "squared"])
def test_points_in_the_plane(loss: str, hidden: tuple[int, ...]) -> None:
    points = points_of("plane" if loss == "squared" else "xor", 80, 0.1, 0)
    data = dataset(*split(points, 0.5, 0), ("x", "y"))
    run = Run(replace(SPEC, hidden=hidden, lr=0.03), data, LOSSES[loss])
    run.inspections.look()
    run.advance()
    assert steps_of(run) == list(range(1, run.total_steps + 1))
    assert all(layer.update_ratio for seen in run.inspections.entries for layer in seen.layers)
    kept = run.kept_step(run.total_steps)
    assert run.evaluation is not None
    assert kept.evaluation.loss == run.evaluation.loss
    branch = run.branch(1, lr=0.01)
    branch.advance()
    assert branch.finished


class TestAtRest:
    """A network that does not train is looked into once."""

    def test_evaluating_brings_an_inspection(self) -> None:
        run = Run(SPEC, clouds())
        run.advance(steps=3)
        run.evaluate()
        assert run.evaluated
        run.inspections.look()
        assert not run.evaluated
        run.evaluate(seconds=0.0)
        assert run.evaluated
        run.evaluate()
        assert steps_of(run) == [3]
        assert all(layer.update_ratio is None for layer in run.inspections.entries[0].layers)

    def test_a_look_during_the_test_does_not_repeat_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(networks, "TEST_PIECE_IMAGES", 7)
        run = Run(SPEC, clouds())
        run.advance(steps=3)
        run.evaluate(seconds=0.0)
        run.inspections.look()
        for _ in range(4):
            run.evaluate(seconds=0.0)
        assert run.evaluated

    def test_a_step_that_diverged_is_not_shown(self) -> None:
        run = watched(replace(SPEC, activation="=exp(x*x)", lr=10.0, epochs=50))
        assert run.finished
        assert steps_of(run)[-1] == run.step - 1


@pytest.mark.parametrize("changes", [{"init": "zeros"}, {"init": "constant"}, {"dropout": (1.0,)}])
def test_weights_of_nothing_and_updates_of_nothing(changes: dict[str, Any]) -> None:
    run = watched(replace(SPEC, **changes))
    first = run.inspections.entries[0]
    ratios = [layer.update_ratio for layer in first.layers]
    assert ratios == ([None, None] if changes == {"init": "zeros"} else [pytest.approx(r) for r in ratios])
    assert all(sum(layer.weights.counts) > 0 for layer in first.layers)
