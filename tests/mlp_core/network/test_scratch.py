"""The network from bare tensors trains like the one from modules, and its parts are what the chapter says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.special import logsumexp
from torch import Tensor

from mlp_core.activations import ACTIVATIONS
from mlp_core.losses import CROSS_ENTROPY, LOSSES
from mlp_core.network import NETWORKS, ByHand, Concise, Network, Scratch
from mlp_core.optimizers import Optimizer
from mlp_core.spec import RunSpec

STEPS = 50
LARGEST_LOSS_DIFFERENCE = 2e-4  # relative, in float32 after 50 steps: rounding that the training has carried on
LARGEST_LOSS_DIFFERENCE_FLOAT64 = 1e-9

SPECS = {
    "the book's": RunSpec(lr=0.5),
    "softmax regression": RunSpec(hidden=()),
    "dropout": RunSpec(hidden=(64, 32), dropout=(0.2, 0.5), init="he_normal"),
    "all dropped": RunSpec(hidden=(16,), dropout=(1.0,), init="he_normal"),
    "momentum": RunSpec(momentum=0.9, nesterov=True, weight_decay=1e-3, init="xavier_uniform"),
    "prelu": RunSpec(hidden=(32,), activation="prelu", activation_parameter=0.1, init="he_uniform"),
    "silu": RunSpec(hidden=(32, 32), activation="silu", activation_parameter=2.0, init="torch_default", optimizer="adam", lr=1e-3),
    "expression": RunSpec(hidden=(32,), activation="=x*sigmoid(1.7*x)", init="orthogonal", optimizer="adamw", lr=1e-3, weight_decay=0.1),
    "rmsprop": RunSpec(hidden=(32,), init="he_normal", optimizer="rmsprop", lr=1e-3, momentum=0.5),
    "adagrad": RunSpec(hidden=(32,), init="xavier_normal", optimizer="adagrad", lr=0.01),
    "older edition": RunSpec(hidden=(32,), lr=100.0, divide_by_batch=True),
}


def clusters(generator: torch.Generator, centers: Tensor, n: int = 64) -> tuple[Tensor, Tensor]:
    labels = torch.randint(len(centers), (n,), generator=generator)
    return centers[labels] + 0.3 * torch.rand(n, centers.shape[1], generator=generator), labels


def losses(implementation: type[Network], spec: RunSpec, dtype: torch.dtype) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    centers = torch.rand(10, 30, generator=generator)
    network: Network = implementation(spec, (30, *spec.hidden, 10), dtype=dtype)
    name = next(name for name, known in NETWORKS.items() if known is implementation)
    optimizer = Optimizer(replace(spec, implementation=name), network.parameters())
    values = []
    for _ in range(STEPS):
        x, labels = clusters(generator, centers)
        loss, _ = network.loss(x.to(dtype), labels)
        network.backward(loss)
        optimizer.step()
        values.append(loss.item())
    return values


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, LARGEST_LOSS_DIFFERENCE), (torch.float64, LARGEST_LOSS_DIFFERENCE_FLOAT64)],
    ids=["float32", "float64"],
)
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("implementation", [Scratch, ByHand], ids=["scratch", "by hand"])
def test_it_prints_the_numbers_of_the_concise_implementation(
    implementation: type[Network], spec: RunSpec, dtype: torch.dtype, tolerance: float
) -> None:
    bare, concise = losses(implementation, spec, dtype), losses(Concise, spec, dtype)
    assert bare[-1] != bare[0]
    np.testing.assert_allclose(bare, concise, rtol=tolerance)


def test_training_learns_the_clusters() -> None:
    values = losses(Scratch, SPECS["momentum"], torch.float32)
    print(*((n, losses(Scratch, s, torch.float32)[-1]) for n, s in SPECS.items()))
    assert values[-1] < 0.1 * values[0]


def test_weights_are_kept_as_the_book_writes_them_and_shown_as_torch_does() -> None:
    network = Scratch(RunSpec(hidden=(5,)), (7, 5, 3))
    assert [tuple(parameter.shape) for parameter in network.parameters()] == [(7, 5), (5,), (5, 3), (3,)]
    assert [(tuple(W.shape), tuple(b.shape)) for W, b in network.weights()] == [((5, 7), (5,)), ((3, 5), (3,))]
    assert not any(tensor.requires_grad for layer in network.weights() for tensor in layer)


def scratch_relu(x: Tensor) -> Tensor:
    scratch = ACTIVATIONS["relu"].scratch
    assert scratch is not None
    return scratch[0](x)


@given(arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e300, 1e300)))
def test_relu_is_the_larger_of_x_and_zero(values: NDArray[np.float64]) -> None:
    x = torch.tensor(values, requires_grad=True)
    y = scratch_relu(x)
    y.sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert y.tolist() == np.maximum(values, 0).tolist()
    assert x.grad.tolist() == (values > 0).astype(float).tolist()  # 0 at 0, by convention


def test_relu_hides_no_nan() -> None:
    assert scratch_relu(torch.tensor([float("nan")])).isnan().item()


@given(arrays(np.float64, (4, 3), elements=st.floats(-1e4, 1e4)), st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_cross_entropy_is_log_sum_exp_less_the_labels_logit(logits: NDArray[np.float64], labels: list[int]) -> None:
    expected = (logsumexp(logits, axis=1) - logits[range(4), labels]).mean()
    o = torch.tensor(logits, requires_grad=True)
    loss = CROSS_ENTROPY.scratch(o, torch.tensor(labels))
    loss.backward()  # type: ignore[no-untyped-call]
    softmax = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    assert o.grad is not None
    assert loss.item() == pytest.approx(expected, rel=1e-12, abs=1e-11)
    np.testing.assert_allclose(o.grad.numpy(), (softmax - np.eye(3)[labels]) / 4, atol=1e-12)


def test_cross_entropy_survives_logits_whose_exponential_overflows() -> None:
    logits = torch.tensor([[1000.0, 0.0], [-1000.0, 0.0]])
    assert CROSS_ENTROPY.scratch(logits, torch.tensor([1, 1])).item() == 500.0
    assert CROSS_ENTROPY.scratch(torch.tensor([[float("nan"), 0.0]]), torch.tensor([1])).isnan()


def test_the_squared_loss_is_half_torchs_summed_over_the_outputs() -> None:
    generator = torch.Generator().manual_seed(0)
    o, y = torch.rand(6, 4, generator=generator), torch.rand(6, 4, generator=generator)
    expected = F.mse_loss(o, y).item() * 4 / 2
    assert LOSSES["squared"].scratch(o, y).item() == pytest.approx(expected, rel=1e-6)
    assert LOSSES["squared"].function(o, y).item() == pytest.approx(expected, rel=1e-6)
