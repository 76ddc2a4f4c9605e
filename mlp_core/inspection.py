"""A look inside a network: what its layers put out, weigh and learn, as histograms and norms. Knows no run and no page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mlp_core.activations import Activation
from mlp_core.model import Network
from mlp_core.probe import passes, statistics
from mlp_core.records import LayerStats

BINS = 40
SAMPLED = 20_000  # values a histogram: each of 40 equal bars is then known to about 4 %


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie in each of `len(counts)` equal bins from `low` to `high`. Finite values only; without any, all counts are 0."""

    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LayerInspection:
    """One layer at one moment. `activations` and `gradients` are of the probe batch; `gradients` are those of the loss by the weights.

    `update_ratio` is |W_after − W_before| / |W_before| of the step just done, None where no step was taken between.
    """

    stats: LayerStats
    update_ratio: float | None
    activations: Histogram
    weights: Histogram
    gradients: Histogram


@dataclass(frozen=True, slots=True)
class Inspection:
    """All layers after `step` steps: first hidden layer first, output layer last."""

    step: int
    layers: tuple[LayerInspection, ...]


def inspect(
    network: Network,
    activation: Activation,
    inputs: Tensor,
    labels: Tensor,
    parameter: float | None = None,
    *,
    step: int,
    update_ratios: Sequence[float] | None = None,
) -> Inspection:
    """Look at every layer for the loss on `inputs` (n, d) and `labels` (n,), dropout off; leaves nothing behind.

    Args:
        activation: that of the hidden layers; `parameter` is its own, None for its default.
        step: how many steps the network has learned.
        update_ratios: one a layer, of the last of these steps.
    """
    layers, gradients = passes(network, inputs, labels)
    return Inspection(
        step,
        tuple(
            LayerInspection(stats, ratio, histogram(layer.activation), histogram(layer.weight), histogram(gradient))
            for stats, ratio, layer, gradient in zip(
                statistics(layers, gradients, activation, parameter), update_ratios or [None] * len(layers), layers, gradients, strict=True
            )
        ),
    )


@torch.no_grad()
def histogram(values: Tensor) -> Histogram:
    """Count `values` (n, units) in `BINS` equal bins; of more than about `SAMPLED` an evenly spaced part, with some of every unit."""
    stride = max(1, values.numel() // SAMPLED)
    while math.gcd(stride, values.shape[-1]) > 1:  # or some units would never be met
        stride += 1
    sample = values.detach().reshape(-1)[::stride].double()
    finite = sample[sample.isfinite()]
    if finite.numel() == 0:
        return Histogram(0.0, 1.0, (0,) * BINS)
    low, high = finite.min().item(), finite.max().item()
    if low == high:
        margin = abs(low) / 2 or 0.5
        low, high = low - margin, high + margin
    return Histogram(low, high, tuple(map(int, torch.histc(finite, BINS, low, high).tolist())))
