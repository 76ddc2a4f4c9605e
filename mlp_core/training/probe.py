"""Measure a network on a probe batch, layer by layer. Leaves nothing behind: no hook, no gradient, no random number drawn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mlp_core.activations import Activation
from mlp_core.network.concise import Layer, Network
from mlp_core.records import LayerStats

PROBE_IMAGES = 256
SAME_UNIT = 2e-6  # relative; equal units differ by float32 rounding, in whatever order a matrix product adds


def measure(
    network: Network, activation: Activation, inputs: Tensor, labels: Tensor, parameter: float | None = None
) -> tuple[LayerStats, ...]:
    """Statistics of every layer for the loss on `inputs` (n, d) and `labels` (n,), dropout off; first hidden layer first.

    Norms and moments are accumulated in float64, since a float32 norm is 0 for gradients of 1e-26.

    Args:
        activation: that of the hidden layers, which decides what saturated means.
        parameter: the activation's own, None for its default.
    """
    return statistics(*passes(network, inputs, labels), activation, parameter)


def passes(network: Network, inputs: Tensor, labels: Tensor) -> tuple[list[Layer], tuple[Tensor, ...]]:
    """A forward pass without dropout, layer by layer, and what the backward pass says of it: dL/dW of every layer."""
    with torch.enable_grad():
        layers = network.layers(inputs)
        loss = network.loss_of(layers[-1].activation, labels)
        return layers, torch.autograd.grad(loss, [layer.weight for layer in layers])


@torch.no_grad()
def statistics(
    layers: Sequence[Layer], gradients: Sequence[Tensor], activation: Activation, parameter: float | None = None
) -> tuple[LayerStats, ...]:
    """What there is to say of the `passes`; arguments as of `measure`."""
    hidden = [
        _layer_stats(number, layer, gradient, activation.saturated(layer.activation, parameter))
        for number, (layer, gradient) in enumerate(zip(layers[:-1], gradients, strict=False), start=1)
    ]
    return (*hidden, _layer_stats(len(layers), layers[-1], gradients[-1], None))


def _layer_stats(number: int, layer: Layer, gradient: Tensor, saturated: Tensor | None) -> LayerStats:
    outputs = layer.activation.double()  # (n, units)
    deviation, mean = torch.std_mean(outputs, correction=0)
    return LayerStats(
        layer=number,
        units=outputs.shape[1],
        activation_mean=mean.item(),
        activation_std=deviation.item(),
        saturated_fraction=0.0 if saturated is None else saturated.double().mean().item(),
        dead_units=0 if saturated is None else int((outputs == 0).all(dim=0).sum().item()),
        distinct_units=_distinct_units(outputs),
        weight_norm=torch.linalg.vector_norm(layer.weight, dtype=torch.float64).item(),
        gradient_norm=torch.linalg.vector_norm(gradient, dtype=torch.float64).item(),
    )


def _distinct_units(outputs: Tensor) -> int:
    """Units (columns of (n, units) float64) that differ from each other on the probe images.

    Sorts the units by one random projection of their outputs, which brings equal ones together, and compares neighbors: not every pair.
    """
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(len(outputs), generator=generator, dtype=torch.float64).to(outputs.device)
    ordered = outputs[:, (direction @ outputs).argsort()]
    apart = torch.linalg.vector_norm(ordered.diff(dim=1), dim=0)
    scale = torch.linalg.vector_norm(outputs, dim=0).max()
    return 1 + int((apart > SAME_UNIT * scale).sum().item())
