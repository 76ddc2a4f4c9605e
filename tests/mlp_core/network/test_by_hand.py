"""Gradients written out are those of autograd through the same network, for every activation of the registry and one's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mlp_core.activations import ACTIVATIONS, evaluate, trainable_activations
from mlp_core.losses import LOSSES
from mlp_core.network import ByHand, Network, Scratch
from mlp_core.spec import RunSpec

SIZES = (7, 6, 5, 3)
EXPRESSIONS = ("=x*sigmoid(1.7*x)", "=(x > 0) + floor(x)", "=where(1 > 0, x, 2)")
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}  # relative to the largest entry
SINGLE_SLOPE = {"hard_sigmoid": 1e-7}  # PyTorch's own derivative is a float32 number, in float64 too
in_both_dtypes = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


def gradients(network: Network, x: Tensor, labels: Tensor) -> list[Tensor]:
    loss, _ = network.loss(x, labels)
    network.backward(loss)
    return [torch.zeros_like(parameter) if parameter.grad is None else parameter.grad for parameter in network.parameters()]


def assert_same_gradients(spec: RunSpec, dtype: torch.dtype, sizes: tuple[int, ...] = SIZES, loss: str = "cross_entropy") -> None:
    generator = torch.Generator().manual_seed(0)
    x = (4 * torch.rand(11, sizes[0], generator=generator) - 2).to(dtype)
    labels = torch.randint(sizes[-1] if loss == "cross_entropy" else 2, (11,), generator=generator)
    target = torch.randn(11, sizes[-1], generator=generator).to(dtype) if loss == "squared" else labels
    by_hand, by_autograd = (gradients(made(spec, sizes, dtype=dtype, loss=LOSSES[loss]), x, target) for made in (ByHand, Scratch))
    for mine, expected in zip(by_hand, by_autograd, strict=True):
        tolerance = max(TOLERANCE[dtype], SINGLE_SLOPE.get(spec.activation, 0.0))
        assert mine.dtype == dtype
        torch.testing.assert_close(mine, expected, rtol=0.0, atol=tolerance * expected.abs().max().item())
    assert any(gradient.abs().max() > 0 for gradient in by_hand)


@in_both_dtypes
@pytest.mark.parametrize("activation", [*trainable_activations(), *EXPRESSIONS])
def test_gradients_are_those_of_autograd(activation: str, dtype: torch.dtype) -> None:
    assert_same_gradients(RunSpec(hidden=SIZES[1:-1], activation=activation, init="torch_default"), dtype)


@in_both_dtypes
@pytest.mark.parametrize("dropout", [(0.3, 0.0), (0.0, 0.5), (0.5, 1.0)])
@pytest.mark.parametrize("activation", ["tanh", "prelu"])
def test_gradients_go_through_the_masks(activation: str, dropout: tuple[float, ...], dtype: torch.dtype) -> None:
    assert_same_gradients(RunSpec(hidden=SIZES[1:-1], activation=activation, dropout=dropout, init="torch_default"), dtype)


@pytest.mark.parametrize("name", [name for name, entry in ACTIVATIONS.items() if entry.parameter is not None and entry.trainable])
def test_the_activations_own_parameter_counts(name: str) -> None:
    spec = RunSpec(hidden=SIZES[1:-1], activation=name, activation_parameter=0.7, init="torch_default")
    assert_same_gradients(spec, torch.float64)


@pytest.mark.parametrize("sizes", [(7, 3), (1, 1, 2), (4, *(5,) * 10, 3)], ids=["no hidden layer", "one unit", "ten layers"])
def test_any_depth_and_width(sizes: tuple[int, ...]) -> None:
    assert_same_gradients(RunSpec(hidden=sizes[1:-1], activation="tanh", init="torch_default"), torch.float64, sizes)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_begins_the_way_back(loss: str) -> None:
    outputs = 1 if LOSSES[loss].single else 3
    assert_same_gradients(RunSpec(hidden=(5,), activation="tanh", init="torch_default"), torch.float64, (7, 5, outputs), loss)


def test_autograd_records_nothing_and_nothing_is_kept_after_the_way_back() -> None:
    network = ByHand(RunSpec(hidden=(5,), activation="prelu", dropout=(0.5,)), (7, 5, 3))
    loss, logits = network.loss(torch.rand(4, 7), torch.tensor([0, 1, 2, 0]))
    assert loss.grad_fn is None
    assert not logits.requires_grad
    network.backward(loss)
    assert network._kept == []


@pytest.mark.parametrize("name", [name for name, entry in ACTIVATIONS.items() if entry.derivative is not None])
def test_a_written_derivative_is_autograds(name: str) -> None:
    entry = ACTIVATIONS[name]
    x = torch.linspace(-8, 8, 1600, dtype=torch.float64)  # without 0, 1 and 3, where some have a corner
    assert entry.derivative is not None
    for parameter in [{}] if entry.parameter is None else [{entry.parameter.name: value} for value in (entry.parameter.default, 0.4)]:
        slope = entry.derivative[0](x, *parameter.values())
        assert slope.dtype == x.dtype
        torch.testing.assert_close(slope, evaluate(name, x, **parameter).gradient, rtol=SINGLE_SLOPE.get(name, 1e-13), atol=1e-13)
