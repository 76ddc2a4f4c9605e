"""A normal distribution pushed through an activation: histograms, saturated and dead fractions, E[φ'²]."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlp_core.activations import Activation, Curve, evaluate
from mlp_core.labs.activations.facts import normal_quantiles
from mlp_core.spec import Bounds

Floats = npt.NDArray[np.float64]

POINTS = 20_000
BINS = 50
DRAWN_POINTS = 241
DRAWN_STDS = 4.0  # 99.99 % of the inputs
MEAN_BOUNDS = Bounds(-5.0, 5.0)
STD_BOUNDS = Bounds(0.05, 10.0)


@dataclass(frozen=True)
class BinShares:
    """Shares of all values by bin: `edges` (n+1,), and (n,) each for those that pass a gradient on, are saturated, or have gradient 0."""

    edges: Floats
    active: Floats
    saturated: Floats
    dead: Floats


@dataclass(frozen=True)
class Pushed:
    """z ~ N(mean, std²) and φ(z). Fractions and means are of the finite outputs; `finite_fraction` says how many those are.

    `saturated_fraction` is None for an activation whose output does not tell; `dead_fraction` is where φ'(z) is exactly 0;
    `curve` is φ over the inputs, for a picture.
    """

    curve: Curve
    inputs: BinShares
    outputs: BinShares
    finite_fraction: float
    saturated_fraction: float | None
    dead_fraction: float
    mean_output: float
    std_output: float
    mean_square_gradient: float


def push_through(activation: Activation, mean: float, std: float, **parameters: float) -> Pushed:
    """Push N(mean, std²) through an activation.

    Computed in float64 on `POINTS` evenly spaced quantiles, not on random draws: the same answer every time and no noise in it.

    Raises:
        SpecError: a mean or std outside its bounds.
    """
    center, spread = MEAN_BOUNDS.check("mean", mean), STD_BOUNDS.check("std", std)
    pushed = evaluate(activation, center + spread * normal_quantiles(POINTS), **parameters)
    finite = torch.isfinite(pushed.value) & torch.isfinite(pushed.gradient)
    z, value, gradient = pushed.x[finite], pushed.value[finite], pushed.gradient[finite]
    saturated, dead = activation.saturated(value, *parameters.values()), gradient == 0
    drawn = torch.linspace(center - DRAWN_STDS * spread, center + DRAWN_STDS * spread, DRAWN_POINTS, dtype=torch.float64)
    return Pushed(
        curve=evaluate(activation, drawn, **parameters),
        inputs=_histogram(z, saturated, dead),
        outputs=_histogram(value, saturated, dead),
        finite_fraction=len(z) / POINTS,
        saturated_fraction=None if activation.saturated_margin is None else _mean(saturated),
        dead_fraction=_mean(dead),
        mean_output=_mean(value),
        std_output=float(value.std(correction=0)) if len(value) else math.nan,
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


def _histogram(values: Tensor, saturated: Tensor, dead: Tensor) -> BinShares:
    numbers = values.numpy()
    edges = np.histogram_bin_edges(numbers, BINS)

    def shares(mask: Tensor) -> Floats:
        return np.histogram(numbers[mask.numpy()], edges)[0] / max(len(numbers), 1)

    return BinShares(edges, shares(~saturated & ~dead), shares(saturated & ~dead), shares(dead))
