"""What is said of single units is what their weights make of the inputs, recomputed here in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlp_core.labs.units import MOST_PROBED, PROBE_FLOPS, Floats, probed_images, sample_units, unit_value
from mlp_core.network import NETWORKS, Network
from mlp_core.spec import RunSpec

SIZES = (20, 9, 7, 5)
SPEC = RunSpec(hidden=(9, 7), activation="relu", init="he_normal", dropout=(0.5, 0.5))
INPUTS = np.random.default_rng(0).uniform(size=(6, 20))


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    made = NETWORKS[request.param](SPEC, SIZES, dtype=torch.float64)
    for _, bias in made.weights():
        bias.copy_(torch.linspace(-0.3, 0.4, len(bias)))
    return made


def parameters(network: Network) -> list[tuple[Floats, Floats]]:
    return [(weight.numpy(), bias.numpy()) for weight, bias in network.weights()]


def activations(network: Network, inputs: Floats) -> list[Floats]:
    """(n, units) of every layer, inputs first; the outputs are logits."""
    found = [inputs]
    layers = parameters(network)
    for number, (weight, bias) in enumerate(layers, start=1):
        z = found[-1] @ weight.T + bias
        found.append(np.maximum(z, 0) if number < len(layers) else z)
    return found


def softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def test_a_sample_holds_mean_activations_and_the_weights_between_the_units(network: Network) -> None:
    chosen = {0: [3, 19], 1: [0, 4, 8], 2: [6], 3: [0, 1, 2, 3, 4]}
    sample = sample_units(network, torch.tensor(INPUTS), chosen)
    expected = activations(network, INPUTS)
    expected[-1] = softmax(expected[-1])
    for layer, units in chosen.items():
        np.testing.assert_allclose(sample.activations[layer], expected[layer].mean(axis=0)[units], rtol=1e-12)
    np.testing.assert_allclose(sample.probabilities, expected[-1].mean(axis=0), rtol=1e-12)
    assert sorted(sample.weights) == [1, 2, 3]
    for layer in sample.weights:
        weight = parameters(network)[layer - 1][0]
        np.testing.assert_array_equal(sample.weights[layer], weight[np.ix_(chosen[layer], chosen[layer - 1])])


def test_of_layers_apart_there_are_no_weights(network: Network) -> None:
    assert sorted(sample_units(network, torch.tensor(INPUTS), {0: [1], 2: [1], 3: [2]}).weights) == [3]


def test_a_sample_stays_as_it_was(network: Network) -> None:
    sample = sample_units(network, torch.tensor(INPUTS), {0: [1], 1: [2]})
    before = sample.weights[1].copy()
    with torch.no_grad():
        network.weights()[0][0].add_(1)
    np.testing.assert_array_equal(sample.weights[1], before)


@pytest.mark.parametrize(("layer", "unit"), [(1, 0), (1, 8), (2, 3), (3, 4)])
def test_the_value_of_a_unit_is_its_weighted_sum_and_its_strongest_inputs_are_named(network: Network, layer: int, unit: int) -> None:
    value = unit_value(network, torch.tensor(INPUTS[:1]), layer, unit, strongest=4)
    every = activations(network, INPUTS[:1])
    x, (weight, bias) = every[layer - 1][0], parameters(network)[layer - 1]
    products = weight[unit] * x
    assert value.weighted_sum == pytest.approx(products.sum(), rel=1e-12)
    assert value.bias == bias[unit]
    assert value.activation == pytest.approx(every[layer][0, unit], rel=1e-12)
    assert [one.source for one in value.inputs] == np.argsort(-np.abs(products), kind="stable")[:4].tolist()
    assert [one.x * one.w for one in value.inputs] == pytest.approx(products[[one.source for one in value.inputs]].tolist(), rel=1e-12)


@pytest.mark.parametrize(("layer", "unit"), [(0, 0), (4, 0), (1, 9), (3, -1)])
def test_a_unit_that_is_not_there_is_refused(network: Network, layer: int, unit: int) -> None:
    with pytest.raises(IndexError, match=f"unit {unit} of layer {layer}"):
        unit_value(network, torch.tensor(INPUTS[:1]), layer, unit)


@pytest.mark.parametrize("hidden", [(8,), (256,), (2048, 2048)])
def test_a_look_costs_no_more_than_it_may_or_one_image(hidden: tuple[int, ...]) -> None:
    spec = RunSpec(hidden=hidden)
    network = NETWORKS["concise"](spec, spec.sizes)
    images = probed_images(network)
    cost = 2 * images * sum(n_in * n_out for n_in, n_out in zip(spec.sizes[:-1], spec.sizes[1:], strict=True))
    assert images == 1 or (images <= MOST_PROBED and cost <= PROBE_FLOPS)
