"""What the probe measures, against a forward and backward pass written in numpy, against counting, and at the edges of float32."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from mlp_core.activations import ACTIVATIONS
from mlp_core.data import load_sample
from mlp_core.network import NETWORKS, Concise, Network
from mlp_core.records import LayerStats
from mlp_core.spec import RunSpec
from mlp_core.training.inspection import measure

SPEC = RunSpec(hidden=(12, 9), init="he_normal", device="cpu")
SIZES = (6, 12, 9, 3)
ALL = pytest.mark.parametrize("implementation", NETWORKS.values(), ids=NETWORKS)


def probe_batch(n: int = 40) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(n, 6, generator=generator), torch.randint(3, (n,), generator=generator)


def stats_of(network: Network) -> tuple[LayerStats, ...]:
    return measure(network, *probe_batch())


def doubled(network: Network) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    return [(weight.double().numpy(), bias.double().numpy()) for weight, bias in network.weights()]


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


@ALL
def test_statistics_are_those_of_a_network_in_numpy(implementation: type[Network]) -> None:
    network = implementation(replace(SPEC, activation="tanh"), SIZES)
    x, y = (part.numpy() for part in probe_batch())
    layers = doubled(network)
    outputs, inputs = [], [x.astype(np.float64)]
    for index, (W, b) in enumerate(layers):
        z = inputs[-1] @ W.T + b
        outputs.append(z if index == 2 else np.tanh(z))
        inputs.append(outputs[-1])
    delta = (softmax(outputs[-1]) - np.eye(3)[y]) / len(y)
    gradients: list[NDArray[np.float64]] = []
    for index in (2, 1, 0):
        gradients.insert(0, delta.T @ inputs[index])
        delta = (delta @ layers[index][0]) * (1 - inputs[index] ** 2)
    stats = stats_of(network)
    assert [layer.layer for layer in stats] == [1, 2, 3]
    assert [layer.units for layer in stats] == [12, 9, 3]
    for layer, output, gradient, (W, _) in zip(stats, outputs, gradients, layers, strict=True):
        assert layer.activation_mean == pytest.approx(output.mean(), rel=1e-5, abs=1e-7)
        assert layer.activation_std == pytest.approx(output.std(), rel=1e-5)
        assert layer.weight_norm == pytest.approx(np.linalg.norm(W), rel=1e-12)
        assert layer.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    for layer, output in zip(stats[:-1], outputs[:-1], strict=True):
        assert layer.saturated_fraction == pytest.approx((np.abs(output) >= 0.97).mean())
    assert (stats[-1].saturated_fraction, stats[-1].dead_units) == (0.0, 0)


@ALL
def test_nothing_is_left_behind(implementation: type[Network]) -> None:
    spec = replace(SPEC, dropout=(0.5, 0.5))
    network, untouched = (implementation(spec, SIZES) for _ in range(2))
    x, y = probe_batch()
    network.backward(network.loss(x, y)[0])
    untouched.backward(untouched.loss(x, y)[0])
    before = torch.random.get_rng_state()
    first = stats_of(network)
    assert stats_of(network) == first, "dropout is off"
    assert torch.equal(torch.random.get_rng_state(), before)
    for mine, other in zip(network.parameters(), untouched.parameters(), strict=True):
        assert torch.equal(mine, other)
        assert mine.grad is not None
        assert other.grad is not None
        assert torch.equal(mine.grad, other.grad)
    assert torch.equal(network.loss(x, y)[0], untouched.loss(x, y)[0]), "the next dropout mask is the same"


@torch.no_grad()
def set_layer(network: Network, layer: int, weight: Tensor, bias: Tensor) -> None:
    for view, value in zip(network.weights()[layer], (weight, bias), strict=True):
        view.copy_(value)


def network_with(weight: Tensor, bias: Tensor, activation: str = "relu") -> Network:
    """A network whose second layer (9, 12) is given."""
    network = Concise(replace(SPEC, activation=activation), SIZES)
    set_layer(network, 1, weight, bias)
    return network


def test_dead_units_are_those_below_0_on_every_image() -> None:
    weight = torch.randn(9, 12, generator=torch.Generator().manual_seed(0))
    bias = torch.zeros(9)
    bias[[1, 4, 8]] = -1000.0
    first, second, _ = stats_of(network_with(weight, bias))
    silent = (doubled(network_with(weight, bias))[0][0] @ probe_batch()[0].double().numpy().T).max(axis=1) <= 0
    assert first.dead_units == silent.sum()
    hidden = np.maximum(probe_batch()[0].double().numpy() @ doubled(network_with(weight, bias))[0][0].T, 0)
    assert second.dead_units == ((hidden @ weight.double().numpy().T + bias.numpy()).max(axis=0) <= 0).sum() >= 3
    assert stats_of(network_with(weight, bias, "leaky_relu"))[1].dead_units == 0


def test_a_saturated_unit_counts_on_the_images_where_it_is() -> None:
    bias = torch.zeros(9)
    bias[0], bias[1] = 50.0, -50.0
    for activation in ("sigmoid", "tanh"):
        stats = stats_of(network_with(torch.zeros(9, 12), bias, activation))
        assert stats[1].saturated_fraction == pytest.approx(2 / 9)
        assert stats[0].saturated_fraction < 2 / 9


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    groups=st.lists(st.integers(1, 40), min_size=1, max_size=40),
    kind=st.sampled_from([("relu", 1e-3), ("relu", 1e3), ("identity", 1e3), ("tanh", 1e-3), ("tanh", 1.0), ("sigmoid", 1.0)]),
)
def test_equal_units_count_once_whatever_their_rounding(groups: list[int], kind: tuple[str, float]) -> None:
    activation, size = kind
    generator = torch.Generator().manual_seed(1)
    units = sum(groups)
    rows = torch.randn(len(groups), 6, generator=generator) / 6
    rows[:, 0] += torch.linspace(0.2, 0.6, len(groups))  # awake for ReLU, and apart
    weight = rows.repeat_interleave(torch.tensor(groups), dim=0) * size
    weight *= 1 + 1e-7 * torch.randn(weight.shape, generator=generator)  # the rounding of one float32 operation
    shuffled = weight[torch.randperm(units, generator=generator)]
    network = Concise(RunSpec(hidden=(units,), activation=activation, device="cpu"), (6, units, 3))
    set_layer(network, 0, shuffled, torch.zeros(units))
    outputs = ACTIVATIONS[activation](probe_batch()[0].double() @ (rows * size).double().T)
    distances = torch.cdist(outputs.T, outputs.T).fill_diagonal_(math.inf)
    assume(distances.min() > 1e-3 * outputs.norm(dim=0).max())  # groups that saturate alike are hardly distinct themselves
    assert stats_of(network)[0].distinct_units == len(groups)


def test_random_units_are_all_distinct() -> None:
    images, labels = load_sample().train_images[:256].flatten(1) / 255, load_sample().train_labels[:256]
    for width in (256, 2048):
        network = Concise(RunSpec(hidden=(width,), device="cpu"), (784, width, 10))
        hidden, output = measure(network, images, labels)
        assert hidden.distinct_units == width - max(hidden.dead_units - 1, 0), "dead units are equal, all others differ"
        assert output.distinct_units == 10


def test_constant_weights_are_one_unit_and_zeros_too() -> None:
    for init in ("constant", "zeros"):
        for activation in ("relu", "sigmoid"):
            network = Concise(replace(SPEC, init=init, activation=activation), SIZES)
            assert [layer.distinct_units for layer in stats_of(network)] == [1, 1, 1]


@ALL
@pytest.mark.parametrize("scale", [1e-13, 1e-9, 1e9])
def test_norms_beyond_float32s_squares_are_measured(implementation: type[Network], scale: float) -> None:
    """With a linear chain the first layer's gradient is proportional to the weights behind it; here near 1e-26, 1e-18 and 1e18."""
    spec = replace(SPEC, activation="identity")
    plain, scaled = (implementation(spec, SIZES) for _ in range(2))
    for network in (plain, scaled):
        set_layer(network, 2, torch.zeros(3, 9), torch.zeros(3))  # softmax sees zeros, so that its slope stays the same
    (W2, _), (W3, _) = plain.weights()[1:]
    W3.copy_(1e-20 * torch.randn(3, 9, generator=torch.Generator().manual_seed(5)))
    scaled.weights()[2][0].copy_(W3)
    scaled.weights()[1][0].copy_(scale * W2)
    before, after = stats_of(plain)[0].gradient_norm, stats_of(scaled)[0].gradient_norm
    assert 0 < before < 1e-18
    assert after / (scale * before) == pytest.approx(1, rel=1e-5)  # a ratio, since approx takes 0 for any number below 1e-12
    assert stats_of(scaled)[1].weight_norm / (scale * W2.double().norm().item()) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("n", [1, 2])
def test_a_probe_of_one_image_and_of_one_unit(n: int) -> None:
    network = Concise(RunSpec(hidden=(1,), init="constant", device="cpu"), (6, 1, 3))
    x, y = probe_batch(n)
    hidden, _ = measure(network, x, y)
    expected = (x.double() @ torch.full((6,), 0.01, dtype=torch.float64)).numpy()
    assert hidden.activation_mean == pytest.approx(expected.mean(), rel=1e-6)
    assert hidden.activation_std == pytest.approx(expected.std(), rel=1e-4, abs=1e-9)
    assert hidden.distinct_units == 1


@ALL
def test_softmax_regression_has_an_output_layer_alone(implementation: type[Network]) -> None:
    network = implementation(replace(SPEC, hidden=()), (6, 3))
    (output,) = stats_of(network)
    assert (output.layer, output.units, output.dead_units, output.saturated_fraction) == (1, 3, 0, 0.0)


@ALL
def test_a_prelu_at_its_learned_slope(implementation: type[Network]) -> None:
    network = implementation(replace(SPEC, activation="prelu"), SIZES)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 0:
                parameter.fill_(0.5)
    hidden, *_ = stats_of(network)
    z = probe_batch()[0].double() @ network.weights()[0][0].double().T
    assert hidden.activation_mean == pytest.approx(torch.where(z > 0, z, 0.5 * z).mean().item(), rel=1e-5)
