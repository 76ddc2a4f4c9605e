"""A look inside shows what is there: histograms against counting, norms and updates against numpy; its log keeps to time and memory."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mlp_core.losses import LOSSES
from mlp_core.network import NETWORKS, Concise, Network
from mlp_core.spec import RunSpec
from mlp_core.training import inspection
from mlp_core.training.inspection import (
    BINS,
    COST_FRACTION,
    LOOK_SECONDS,
    Inspection,
    InspectionLog,
    histogram,
    inspect,
    measure,
    update_ratios,
)

SPEC = RunSpec(hidden=(12, 9), activation="tanh", init="he_normal", device="cpu")
ALL = pytest.mark.parametrize("implementation", NETWORKS.values(), ids=NETWORKS)
FLOAT32 = st.floats(width=32, allow_nan=True, allow_infinity=True)


def batch(n: int = 40) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(n, 6, generator=generator), torch.randint(3, (n,), generator=generator)


class TestHistogram:
    """Equal bins over the finite values."""

    @given(counts=st.lists(st.integers(0, 30), min_size=BINS, max_size=BINS), width=st.sampled_from([1e-30, 1e-3, 1.0, 1e30]))
    @settings(max_examples=60, deadline=None, derandomize=True)
    def test_counts_values_in_the_middle_of_their_bins(self, counts: list[int], width: float) -> None:
        middles = torch.arange(BINS, dtype=torch.float64) + 0.5
        values = torch.cat([torch.tensor([0.0, float(BINS)]), middles.repeat_interleave(torch.tensor(counts))]) * width
        counted = histogram(values[torch.randperm(len(values), generator=torch.Generator().manual_seed(0))])
        assert counted.counts == (counts[0] + 1, *counts[1:-1], counts[-1] + 1)
        assert (counted.low, counted.high) == (0.0, BINS * width)

    @given(values=st.lists(FLOAT32, min_size=1, max_size=50))
    @settings(max_examples=200, deadline=None, derandomize=True)
    def test_is_of_all_finite_values_and_of_no_other(self, values: list[float]) -> None:
        counted = histogram(torch.tensor(values, dtype=torch.float32))
        finite = np.array(values, dtype=np.float64)[np.isfinite(values)]
        assert sum(counted.counts) == len(finite)
        assert counted.low < counted.high
        assert math.isfinite(counted.high - counted.low)
        if len(set(finite)) > 1:
            assert (counted.low, counted.high) == (finite.min(), finite.max())
        elif len(finite):
            assert counted.low < finite[0] < counted.high

    @pytest.mark.parametrize("units", [256, 2048, 250, 3 * 5 * 7 * 11])
    def test_of_many_values_takes_a_part_of_every_unit(self, units: int) -> None:
        values = torch.arange(units).float().expand(400, units)
        counts = np.array(histogram(values).counts)
        assert 10_000 <= counts.sum() <= 40_000
        expected = np.histogram(np.arange(units), BINS)[0] / units
        np.testing.assert_allclose(counts / counts.sum(), expected, atol=2e-3)


@ALL
def test_an_inspection_is_what_the_probe_measures_and_the_histograms_of_what_it_measured(implementation: type[Network]) -> None:
    network = implementation(SPEC, (6, 12, 9, 3))
    inputs, labels = batch()
    seen = inspect(network, inputs, labels, step=7)
    assert seen.step == 7
    assert tuple(layer.stats for layer in seen.layers) == measure(network, inputs, labels)
    weights = [weight.double().numpy() for weight, _ in network.weights()]
    matrices = [parameter for parameter in network.parameters() if parameter.dim() == 2]
    network.backward(network.loss(inputs, labels)[0])
    gradients = [matrix.grad.double().numpy() for matrix in matrices if matrix.grad is not None]
    output = inputs.double().numpy()
    for index, (layer, (weight, bias), gradient) in enumerate(zip(seen.layers, network.weights(), gradients, strict=True)):
        output = output @ weight.double().numpy().T + bias.double().numpy()
        output = np.tanh(output) if index < 2 else output
        for counted, values in ((layer.weights, weights[index]), (layer.gradients, gradient), (layer.activations, output)):
            assert (counted.low, counted.high) == pytest.approx((values.min(), values.max()), rel=1e-4, abs=1e-6)
            assert sum(counted.counts) == values.size
            expected = np.histogram(values, BINS, (counted.low, counted.high))[0]
            assert np.abs(np.cumsum(expected) - np.cumsum(counted.counts)).max() <= 2  # float32 rounds over the edge of a bin
        assert layer.update_ratio is None


@ALL
@pytest.mark.parametrize("loss", ["logistic", "squared"])
@pytest.mark.parametrize("hidden", [(), (5,)])
def test_other_losses_and_no_hidden_layer(implementation: type[Network], loss: str, hidden: tuple[int, ...]) -> None:
    network = implementation(replace(SPEC, hidden=hidden), (6, *hidden, 1), loss=LOSSES[loss])
    inputs, labels = batch()
    answers = (labels > 0).long() if loss == "logistic" else labels[:, None].float()
    seen = inspect(network, inputs, answers, step=0)
    assert [layer.stats.units for layer in seen.layers] == [*hidden, 1]
    logits = network.logits(inputs).double()
    slope = (logits.sigmoid() if loss == "logistic" else logits) - answers.reshape(-1, 1)
    before = torch.tanh(inputs @ network.weights()[0][0].T + network.weights()[0][1]) if hidden else inputs
    gradient = slope.T @ before.double() / len(inputs)
    assert seen.layers[-1].stats.gradient_norm == pytest.approx(gradient.norm().item(), rel=1e-5)
    assert seen.layers[-1].gradients.high == pytest.approx(gradient.max().item(), rel=1e-4)


@ALL
def test_nothing_is_left_behind(implementation: type[Network]) -> None:
    network, untouched = (implementation(replace(SPEC, dropout=(0.5, 0.5)), (6, 12, 9, 3)) for _ in range(2))
    before = torch.random.get_rng_state()
    inspect(network, *batch(), step=0)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(network.loss(*batch())[0], untouched.loss(*batch())[0]), "the next dropout mask is the same"


def test_a_network_that_is_not_finite_is_shown_as_far_as_it_is() -> None:
    network = Concise(SPEC, (6, 12, 9, 3))
    network.weights()[1][0][0, 0] = math.inf
    network.weights()[1][0][1, 1] = math.nan
    seen = inspect(network, *batch(), step=3)
    assert sum(seen.layers[1].weights.counts) == 12 * 9 - 2
    assert math.isfinite(seen.layers[1].weights.high)
    assert sum(seen.layers[2].gradients.counts) == 0


class TestUpdateRatios:
    """How far a step moved the weights, beside their size."""

    def test_are_in_float64(self) -> None:
        old = torch.full((3, 4), 1e-30)
        new = old.clone()
        new[0, 0] *= 1.5
        assert update_ratios([old], [new]) == [pytest.approx(0.5 / math.sqrt(12), rel=1e-6)]

    def test_are_absent_where_they_mean_nothing(self) -> None:
        zero, some, lost = torch.zeros(2, 2), torch.ones(2, 2), torch.full((2, 2), math.nan)
        assert update_ratios([zero, some, some, some], [some, lost, some, 3 * some]) == [None, None, 0.0, 2.0]


class Clock:
    """A clock that goes on only when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(inspection, "time", SimpleNamespace(monotonic=lambda: self.now, perf_counter=lambda: self.now))


def entry(step: int, layers: int = 2) -> Inspection:
    (layer,) = inspect(Concise(RunSpec(hidden=(), device="cpu"), (6, 3)), *batch(), step=step).layers
    return Inspection(step, (layer,) * layers)


class TestLog:
    """Inspections while somebody looks, within a budget."""

    def test_nobody_looks(self) -> None:
        log = InspectionLog()
        assert not log.due
        assert not log.lacks(0)
        assert log.entries == ()

    def test_a_look_lasts_for_some_seconds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock, log = Clock(monkeypatch), InspectionLog()
        log.look()
        assert log.due
        assert log.lacks(0)
        clock.now += LOOK_SECONDS - 0.1
        assert log.due
        clock.now += 0.2
        assert not log.due
        assert not log.lacks(0)

    def test_lacks_only_what_was_not_inspected_since_the_last_step(self) -> None:
        log = InspectionLog()
        log.look()
        log.add(entry(4))
        assert not log.lacks(4)
        assert log.lacks(5)

    @given(step_seconds=st.floats(1e-4, 2.0), costs=st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=8), wait=st.floats(0.0, 60.0))
    @settings(max_examples=100, deadline=None, derandomize=True)
    def test_costs_no_more_than_its_part_of_the_training_that_pays_for_it(
        self, step_seconds: float, costs: list[float], wait: float
    ) -> None:
        """Beside training, jobs of others pass their time (`wait`), which pays for nothing."""
        with pytest.MonkeyPatch.context() as monkeypatch:
            clock, log = Clock(monkeypatch), InspectionLog()
            trained, spent = 0.0, 0.0
            for cost in costs:
                if spent:
                    assert trained >= spent / COST_FRACTION * (1 - 1e-9)
                with log.charged():
                    clock.now += cost
                spent += cost
                log.look()
                assert not log.due
                while not log.due:
                    duration = max(step_seconds, cost / COST_FRACTION / 50)  # so that the test takes few of them
                    clock.now += duration + wait
                    trained += duration
                    log.trained(duration)
                    log.look()

    def test_thins_its_past_and_keeps_both_ends(self) -> None:
        log, one = InspectionLog(), entry(0)
        for step in range(1, 1000):
            log.add(replace(one, step=step))
            steps = [kept.step for kept in log.entries]
            assert steps[0] == 1
            assert steps[-1] == step
            assert steps == sorted(set(steps))
            assert len(steps) <= inspection.MAX_INSPECTIONS
        assert len(steps) >= inspection.MAX_INSPECTIONS // 2

    def test_of_a_deep_network_keeps_fewer(self) -> None:
        log, one = InspectionLog(), entry(0, layers=101)
        for step in range(100):
            log.add(replace(one, step=step))
            assert 101 * len(log.entries) <= inspection.MAX_LOGGED_LAYERS
