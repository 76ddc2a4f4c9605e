"""Networks in one compute what each computes alone: losses, gradients, masks; and nothing of one reaches another."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mlp_core.activations import ACTIVATIONS
from mlp_core.losses import LOSSES
from mlp_core.network import NETWORKS, Network, generator_for
from mlp_core.network.batched import Batched
from mlp_core.spec import RunSpec
from tests.support.engine import all_implementations

SEEDS, SIZES, BATCH = (3, 4, 7), (6, 5, 4, 3), 11
SPEC = RunSpec(hidden=(5, 4), init="he_normal", device="cpu")
DESIGNS = {
    "relu": {},
    "prelu": {"activation": "prelu"},
    "leaky relu of its own slope": {"activation": "leaky_relu", "activation_parameter": 0.2},
    "expression": {"activation": "=x*sigmoid(1.7*x)"},
    "dropout": {"dropout": (0.5, 0.2)},
    "dropout of nothing and of all": {"dropout": (0.0, 1.0)},
    "no hidden layer": {"hidden": ()},
    "random biases": {"init": "torch_default"},
    "products too small for oneDNN alone": {"hidden": (20, 10)},
    "products for oneDNN": {"hidden": (64, 64)},
}
each_design = pytest.mark.parametrize("changes", DESIGNS.values(), ids=DESIGNS)


def alone(spec: RunSpec, loss: str = "cross_entropy") -> list[Network]:
    sizes = (SIZES[0], *spec.hidden, SIZES[-1] if loss == "cross_entropy" else 1)
    return [NETWORKS[spec.implementation](replace(spec, seed=seed), sizes, loss=LOSSES[loss]) for seed in SEEDS]


def together(spec: RunSpec, loss: str = "cross_entropy") -> Batched:
    return Batched(alone(spec, loss), spec, LOSSES[loss], [generator_for(replace(spec, seed=seed), "dropout") for seed in SEEDS])


def batch(loss: str = "cross_entropy") -> tuple[Tensor, Tensor]:
    """Inputs (S, n, d) and labels (S, n), or targets (S, n, 1)."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(len(SEEDS), BATCH, SIZES[0], generator=generator)
    if loss == "squared":
        return x, torch.randn(len(SEEDS), BATCH, 1, generator=generator)
    return x, torch.randint(3 if loss == "cross_entropy" else 2, (len(SEEDS), BATCH), generator=generator)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_those_of_one_network(name: str) -> None:
    _, labels = batch(name)
    outputs = 3 * torch.randn(len(SEEDS), 3 if name == "cross_entropy" else 1, BATCH, generator=torch.Generator().manual_seed(1))
    losses = LOSSES[name].batched(outputs, labels)
    assert losses.tolist() == pytest.approx([LOSSES[name].function(o.T, y).item() for o, y in zip(outputs, labels, strict=True)], rel=1e-6)


def test_a_logistic_loss_of_a_sure_network_is_finite() -> None:
    losses = LOSSES["logistic"].batched(torch.tensor([[[200.0, -200.0]]]), torch.tensor([[0, 1]]))
    assert losses.tolist() == [200.0]  # of either; exp(200) would be infinite


def test_prelu_is_that_of_the_registry_with_an_alpha_for_every_network() -> None:
    Z = torch.tensor([[-2.0, 0.0, 3.0], [-1.0, 0.5, -4.0]])[:, None].requires_grad_()
    alpha = torch.tensor([0.25, -0.5])[:, None, None].requires_grad_()
    value = ACTIVATIONS["prelu"](Z, alpha)
    expected = torch.stack([F.prelu(z, a.reshape(1)) for z, a in zip(Z, alpha, strict=True)])
    assert value.tolist() == expected.tolist() == [[[-0.5, 0.0, 3.0]], [[0.5, 0.5, 2.0]]]
    weighted = torch.arange(1.0, 7.0).reshape(2, 1, 3)
    ours, theirs = (torch.autograd.grad((out * weighted).sum(), (Z, alpha)) for out in (value, expected))
    assert [gradient.tolist() for gradient in ours] == [gradient.tolist() for gradient in theirs]


@all_implementations
@each_design
def test_losses_and_gradients_are_those_of_each_alone(changes: dict[str, object], implementation: str) -> None:
    spec = replace(SPEC, **changes, implementation=implementation)  # type: ignore[arg-type]
    networks, common, (x, labels) = alone(spec), together(spec), batch()
    for _ in range(2):  # the second time with other masks
        losses, logits = common.loss(x, labels)
        common.backward(losses)
        for index, network in enumerate(networks):
            loss, expected = network.loss(x[index], labels[index])
            assert losses[index].item() == pytest.approx(loss.item(), rel=1e-5)
            torch.testing.assert_close(logits[index], expected)
            network.backward(loss)
            for whole, parameter in zip(common.parameters(), network.parameters(), strict=True):
                gradient, parameter.grad = parameter.grad, None
                assert whole.grad is not None
                assert gradient is not None
                turned = implementation != "concise" and gradient.ndim == 2
                torch.testing.assert_close(whole.grad[index].reshape(-1), (gradient.T if turned else gradient).reshape(-1))
        for whole in common.parameters():
            whole.grad = None


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_gradients_of_a_single_output_are_those_of_each_alone(loss: str) -> None:
    networks, common, (x, labels) = alone(SPEC, loss), together(SPEC, loss), batch(loss)
    losses, logits = common.loss(x, labels)
    assert logits.shape == (len(SEEDS), BATCH, 1)
    common.backward(losses)
    for index, network in enumerate(networks):
        expected, _ = network.loss(x[index], labels[index])
        gradients = torch.autograd.grad(expected, network.parameters())
        assert losses[index].item() == pytest.approx(expected.item(), rel=1e-5)
        for whole, gradient in zip(common.parameters(), gradients, strict=True):
            assert whole.grad is not None
            torch.testing.assert_close(whole.grad[index].reshape(-1), gradient.reshape(-1))


@all_implementations
@each_design
def test_a_test_shows_all_the_same_inputs_and_drops_nothing(changes: dict[str, object], implementation: str) -> None:
    spec = replace(SPEC, **changes, implementation=implementation)  # type: ignore[arg-type]
    networks, common, (x, labels) = alone(spec), together(spec), batch()
    losses, logits = common.test(x[0], labels[0])
    assert not losses.requires_grad
    for index, network in enumerate(networks):
        torch.testing.assert_close(logits[index], network.logits(x[0]))
        assert losses[index].item() == pytest.approx(network.loss_of(network.logits(x[0]), labels[0]).item(), rel=1e-5)


@all_implementations
def test_networks_are_views_of_the_common_parameters_until_released(implementation: str) -> None:
    common, untouched = together(replace(SPEC, implementation=implementation, activation="prelu")), alone(SPEC)
    common.release(1)
    with torch.no_grad():
        for parameter in common.parameters():
            parameter.add_(1.0)
    for index, (network, before) in enumerate(zip(common.networks, untouched, strict=True)):
        moved = 0.0 if index == 1 else 1.0
        for (weight, bias), (old_weight, old_bias) in zip(network.weights(), before.weights(), strict=True):
            torch.testing.assert_close(weight, old_weight + moved)
            torch.testing.assert_close(bias, old_bias + moved)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -3e38])
def test_a_broken_network_reaches_no_other(broken: float) -> None:
    sound, common, (x, labels) = together(SPEC), together(SPEC), batch()
    common.networks[1].weights()[0][0].fill_(broken)
    expected, losses = (network.loss(x, labels)[0] for network in (sound, common))
    assert not math.isfinite(losses[1].item())
    for network, value in ((sound, expected), (common, losses)):
        network.backward(value)
    for index in (0, 2):
        assert losses[index].item() == expected[index].item()
        for ours, theirs in zip(common.parameters(), sound.parameters(), strict=True):
            assert ours.grad is not None
            assert theirs.grad is not None
            assert torch.equal(ours.grad[index], theirs.grad[index])
