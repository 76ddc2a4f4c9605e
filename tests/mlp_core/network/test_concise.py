"""All implementations of a network against numpy in float64, closed forms and counting; dropout against its definition."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from mlp_core.activations import trainable_activations
from mlp_core.losses import LOSSES
from mlp_core.network import NETWORKS, Concise, Network, count, generator_for
from mlp_core.network.network import PURPOSES
from mlp_core.optimizers import Optimizer
from mlp_core.spec import RunSpec

ALL = pytest.mark.parametrize("implementation", NETWORKS.values(), ids=NETWORKS)
Array = NDArray[np.float64]

# φ and φ' by hand, for the network written in numpy below
PHI: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(np.float64)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "prelu": (lambda z: np.where(z > 0, z, 0.25 * z), lambda z: np.where(z > 0, 1, 0.25)),
}


def batch(n: int, inputs: int, outputs: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(n, inputs, generator=generator).to(dtype), torch.randint(outputs, (n,), generator=generator)


def by_hand(network: Network, x: Tensor, y: Tensor, name: str, loss: str) -> tuple[float, Array, list[Array], list[Array]]:
    """(loss, logits, weight gradients (n_out, n_in), bias gradients) by the chain rule, in numpy."""
    phi, slope = PHI[name]
    weights = [(W.numpy(), b.numpy()) for W, b in network.weights()]
    inputs, pre_activations = [x.numpy()], []
    for W, b in weights:
        pre_activations.append(inputs[-1] @ W.T + b)
        inputs.append(phi(pre_activations[-1]))
    logits, n = pre_activations[-1], len(x)
    target = np.eye(logits.shape[1])[y.numpy()]
    if loss == "cross_entropy":
        softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        value, delta = float(-np.log((softmax * target).sum(axis=1)).mean()), (softmax - target) / n
    else:
        value, delta = float(((logits - target) ** 2).sum() / (2 * n)), (logits - target) / n
    weight_gradients: list[Array] = []
    bias_gradients: list[Array] = []
    for layer in reversed(range(len(weights))):
        weight_gradients.insert(0, delta.T @ inputs[layer])
        bias_gradients.insert(0, delta.sum(axis=0))
        if layer:
            delta = (delta @ weights[layer][0]) * slope(pre_activations[layer - 1])
    return value, logits, weight_gradients, bias_gradients


@ALL
@pytest.mark.parametrize("loss", ["cross_entropy", "squared"])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 5, 4)])
@pytest.mark.parametrize("activation", PHI)
def test_forward_and_backward_are_those_written_by_hand(
    implementation: type[Network], activation: str, hidden: tuple[int, ...], loss: str
) -> None:
    spec = RunSpec(hidden=hidden, activation=activation, init="torch_default")
    network: Network = implementation(spec, (7, *hidden, 3), loss=LOSSES[loss], dtype=torch.float64)
    x, labels = batch(11, 7, 3, torch.float64)
    target = labels if loss == "cross_entropy" else torch.eye(3, dtype=torch.float64)[labels]
    value, logits, weight_gradients, bias_gradients = by_hand(network, x, labels, activation, loss)

    measured, outputs = network.loss(x, target)
    network.backward(measured)

    assert measured.item() == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(outputs.numpy(), logits, rtol=1e-12)
    gradients = [parameter.grad for parameter in network.parameters() if parameter.ndim]  # without the 0-dimensional alphas
    for W_gradient, b_gradient, expected_W, expected_b in zip(
        gradients[::2], gradients[1::2], weight_gradients, bias_gradients, strict=True
    ):
        assert W_gradient is not None
        assert b_gradient is not None
        layout = W_gradient if implementation is Concise else W_gradient.T
        np.testing.assert_allclose(layout.numpy(), expected_W, rtol=1e-10, atol=1e-15)
        np.testing.assert_allclose(b_gradient.numpy(), expected_b, rtol=1e-10, atol=1e-15)


@ALL
def test_the_gradient_of_alpha_is_that_of_a_difference_quotient(implementation: type[Network]) -> None:
    spec = RunSpec(hidden=(6, 5), activation="prelu", init="he_normal")
    network: Network = implementation(spec, (7, 6, 5, 3), dtype=torch.float64)
    x, labels = batch(11, 7, 3, torch.float64)
    network.backward(network.loss(x, labels)[0])
    alphas = [parameter for parameter in network.parameters() if parameter.ndim == 0]
    assert [alpha.item() for alpha in alphas] == [0.25, 0.25]
    for alpha in alphas:
        values = []
        for step in (1e-6, -2e-6):
            alpha.data += step
            values.append(network.loss(x, labels)[0].item())
        alpha.data += 1e-6
        assert alpha.grad is not None
        assert alpha.grad.item() == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5)


@st.composite
def small_specs(draw: st.DrawFn) -> RunSpec:
    hidden = tuple(draw(st.lists(st.integers(1, 6), max_size=4)))
    return RunSpec(
        hidden=hidden,
        activation=draw(st.sampled_from((*trainable_activations(), "=x*sigmoid(1.7*x)"))),
        init=draw(st.sampled_from(["normal", "he_normal", "torch_default", "orthogonal", "constant"])),
        init_std=1.0,
        dropout=draw(st.sampled_from([(), tuple(draw(st.sampled_from([0.0, 0.5, 1.0])) for _ in hidden)])),
        seed=draw(st.integers(0, 100)),
    )


@settings(max_examples=60, deadline=None)
@given(spec=small_specs(), inputs=st.integers(1, 6), outputs=st.integers(2, 4))
def test_all_implementations_are_the_same_function_with_the_same_masks(spec: RunSpec, inputs: int, outputs: int) -> None:
    sizes = (inputs, *spec.hidden, outputs)
    a, *others = (network(spec, sizes, dtype=torch.float64) for network in NETWORKS.values())
    x, labels = batch(5, inputs, outputs, torch.float64)
    for _ in range(2):
        a_loss, a_logits = a.loss(x, labels)
        for b in others:
            torch.testing.assert_close(a.logits(x), b.logits(x), rtol=1e-12, atol=1e-12)
            b_loss, b_logits = b.loss(x, labels)
            torch.testing.assert_close(a_loss, b_loss, rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(a_logits, b_logits, rtol=1e-12, atol=1e-12)
    for b in others:
        assert [parameter.numel() for parameter in a.parameters()] == [parameter.numel() for parameter in b.parameters()]
        pairs = [pair for mine, theirs in zip(a.weights(), b.weights(), strict=True) for pair in zip(mine, theirs, strict=True)]
        assert all(torch.equal(p, q) for p, q in pairs)
    assert count(spec, sizes).parameters == sum(parameter.numel() for parameter in a.parameters())


@ALL
def test_layers_are_the_forward_pass_without_dropout_and_carry_its_graph(implementation: type[Network]) -> None:
    spec = RunSpec(hidden=(6, 5), activation="tanh", init="he_normal", dropout=(0.5, 1.0))
    network: Network = implementation(spec, (7, 6, 5, 3), dtype=torch.float64)
    x, labels = batch(11, 7, 3, torch.float64)
    layers = network.layers(x)
    h = x.numpy()
    for (W, b), layer in zip(network.weights(), layers, strict=True):
        z = h @ W.numpy().T + b.numpy()
        h = np.tanh(z) if layer is not layers[-1] else z
        np.testing.assert_allclose(layer.pre_activation.detach().numpy(), z, rtol=1e-12)
        np.testing.assert_allclose(layer.activation.detach().numpy(), h, rtol=1e-12)
    assert torch.equal(layers[-1].activation, network.logits(x))
    gradients = torch.autograd.grad(network.loss_of(layers[-1].activation, labels), [layer.weight for layer in layers])
    assert all(gradient.abs().max() > 0 for gradient in gradients)
    assert all(parameter.grad is None for parameter in network.parameters())


@ALL
def test_evaluation_has_no_graph_draws_nothing_and_drops_nothing(implementation: type[Network]) -> None:
    spec = RunSpec(hidden=(6,), dropout=(0.5,), init="he_normal")
    network: Network = implementation(spec, (7, 6, 3))
    x, labels = batch(11, 7, 3)
    before = network.state()
    logits = network.logits(x)
    network.layers(x)
    assert not logits.requires_grad
    assert torch.equal(logits, network.logits(x))
    assert torch.equal(before.dropout, network.state().dropout)
    assert not torch.equal(network.loss(x, labels)[1], network.loss(x, labels)[1])


@ALL
@pytest.mark.parametrize("activation", ["relu", "prelu"])
def test_a_restored_network_goes_on_exactly(implementation: type[Network], activation: str) -> None:
    spec = RunSpec(hidden=(16, 8), activation=activation, dropout=(0.2, 0.5), init="he_normal", momentum=0.9)
    network: Network = implementation(spec, (7, 16, 8, 3))
    optimizer = Optimizer(spec, network.parameters())
    x, labels = batch(32, 7, 3)

    def losses(steps: int) -> list[float]:
        values = []
        for _ in range(steps):
            loss, _ = network.loss(x, labels)
            network.backward(loss)
            optimizer.step()
            values.append(loss.item())
        return values

    losses(3)
    network_state, optimizer_state = network.state(), optimizer.state()
    kept = copy.deepcopy(network_state)
    first = losses(4)
    assert all(torch.equal(a, b) for a, b in zip(network_state.parameters, kept.parameters, strict=True))  # a copy, not a view
    network.load_state(network_state)
    optimizer.load_state(optimizer_state)
    assert losses(4) == first
    other: Network = implementation(replace(spec, seed=9), (7, 16, 8, 3))
    other.load_state(network_state)
    assert other.loss(x, labels)[0].item() == first[0]


@ALL
def test_building_and_training_leave_the_global_generator_alone(implementation: type[Network]) -> None:
    before = torch.get_rng_state()
    network: Network = implementation(RunSpec(hidden=(6,), dropout=(0.5,)), (7, 6, 3))
    network.loss(*batch(11, 7, 3))
    assert torch.equal(before, torch.get_rng_state())


def test_every_purpose_and_seed_has_its_own_stream() -> None:
    draws = [torch.rand(4, generator=generator_for(RunSpec(seed=seed), purpose)) for seed in range(4) for purpose in PURPOSES]
    assert len({tuple(draw.tolist()) for draw in draws}) == len(draws)
    expected = torch.Generator().manual_seed(3 * 5 + 1)
    assert torch.equal(torch.rand(4, generator=generator_for(RunSpec(seed=5), "order")), torch.rand(4, generator=expected))
    with pytest.raises(ValueError, match="not in tuple"):
        generator_for(RunSpec(), "weather")


def test_a_probability_of_zero_is_no_dropout_at_all() -> None:
    with_zero, without = (Concise(RunSpec(hidden=(6,), dropout=dropout), (7, 6, 3)) for dropout in ((0.0,), ()))
    assert torch.equal(with_zero.loss(*batch(5, 7, 3))[1], without.loss(*batch(5, 7, 3))[1])
    assert torch.equal(with_zero.state().dropout, generator_for(RunSpec(), "dropout").get_state())


def test_the_books_network_is_counted_as_the_book_counts_it() -> None:
    counts = count(RunSpec(), RunSpec().sizes)
    assert counts.parameters == 203_530
    assert [(layer.name, layer.shape, layer.parameters) for layer in counts.layers] == [
        ("hidden 1", (784, 256), 784 * 256 + 256),
        ("output", (256, 10), 256 * 10 + 10),
    ]
    assert counts.flops_per_image == 2 * (784 * 256 + 256 * 10) + 256
    assert counts.weight_bytes == counts.gradient_bytes == 4 * 203_530
    assert counts.optimizer_bytes == 0
    assert counts.activation_bytes == 4 * 256 * (784 + 256 + 256 + 10)


@pytest.mark.parametrize(("optimizer", "copies"), [("adam", 2), ("adamw", 2), ("rmsprop", 1), ("adagrad", 1)])
def test_the_optimizers_memory_is_counted(optimizer: str, copies: int) -> None:
    counts = count(RunSpec(optimizer=optimizer), RunSpec().sizes)
    assert counts.optimizer_bytes == copies * counts.weight_bytes


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "gelu", "prelu", "elu"])
@pytest.mark.parametrize("dropout", [(), (0.2, 0.5)])
def test_activation_bytes_bound_what_autograd_keeps(activation: str, dropout: tuple[float, ...]) -> None:
    spec = RunSpec(hidden=(40, 30), activation=activation, dropout=dropout, batch_size=64)
    network = Concise(spec, (50, 40, 30, 10))
    own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in own and tensor.is_floating_point() and tensor.ndim:  # the loss keeps a number
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss, _ = network.loss(*batch(64, 50, 10))
    measured = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    counted = count(spec, (50, 40, 30, 10)).activation_bytes
    assert loss.requires_grad
    assert 0.4 * counted < measured <= counted
