"""A normal distribution pushed through an activation: histograms, saturated and dead fractions, E[φ'²]. Knows nothing of networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlp_core.activation_facts import normal_quantiles
from mlp_core.activations import Activation, evaluate
from mlp_core.spec import Bounds

Floats = npt.NDArray[np.float64]

POINTS = 20_000
BINS = 60
MEAN_BOUNDS = Bounds(-5.0, 5.0)
STD_BOUNDS = Bounds(0.05, 10.0)


@dataclass(frozen=True)
class Histogram:
    """`edges` (n+1,) and the share of all values that falls into each bin, (n,): all of them, and the saturated ones among them."""

    edges: Floats
    shares: Floats
    saturated_shares: Floats


@dataclass(frozen=True)
class Pushed:
    """z ~ N(mean, std²) and φ(z). Fractions are of the finite outputs; `finite_fraction` says how many those are.

    `saturated_fraction` is None for an activation whose output does not tell; `dead_fraction` is where φ'(z) is exactly 0.
    """

    inputs: Histogram
    outputs: Histogram
    finite_fraction: float
    saturated_fraction: float | None
    dead_fraction: float
    mean_output: float
    mean_square_output: float
    mean_square_gradient: float


def push_through(activation: Activation, mean: float, std: float, **parameters: float) -> Pushed:
    """Push N(mean, std²) through an activation.

    Computed in float64 on `POINTS` evenly spaced quantiles, not on random draws: the same answer every time and no noise in it.

    Raises:
        SpecError: a mean or std outside its bounds.
    """
    z = MEAN_BOUNDS.check("mean", mean) + STD_BOUNDS.check("std", std) * normal_quantiles(POINTS)
    curve = evaluate(activation, z, **parameters)
    finite = torch.isfinite(curve.value) & torch.isfinite(curve.gradient)
    z, value, gradient = z[finite], curve.value[finite], curve.gradient[finite]
    saturated = activation.saturated(value, *parameters.values())
    return Pushed(
        inputs=_histogram(z, saturated),
        outputs=_histogram(value, saturated),
        finite_fraction=len(z) / POINTS,
        saturated_fraction=None if activation.saturated_margin is None else _mean(saturated),
        dead_fraction=_mean(gradient == 0),
        mean_output=_mean(value),
        mean_square_output=_mean(value**2),
        mean_square_gradient=_mean(gradient**2),
    )


def gradient_scale_log10(mean_square_gradient: float, weight_variance: float, depth: int) -> float:
    """By what power of ten a gradient changes over `depth` layers that all see the same distribution.

    Formula: log10 (σ_w² E[φ'²])^(L/2), for weights of variance σ_w²/n_in.

    Reference: Schoenholz et al. (2017), section 3: χ = σ_w² E[φ'²].
    """
    chi = weight_variance * mean_square_gradient
    return depth / 2 * math.log10(chi) if chi > 0 else -math.inf


def _mean(values: Tensor) -> float:
    return float(values.to(torch.float64).mean()) if len(values) else math.nan


def _histogram(values: Tensor, saturated: Tensor) -> Histogram:
    if not len(values):
        return Histogram(np.zeros(1), np.zeros(0), np.zeros(0))
    numbers = values.numpy()
    edges = np.histogram_bin_edges(numbers, BINS)
    shares, saturated_shares = (np.histogram(part, edges)[0] / len(numbers) for part in (numbers, numbers[saturated.numpy()]))
    return Histogram(edges, shares, saturated_shares)
