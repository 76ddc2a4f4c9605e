"""A normal distribution pushed through an activation: histograms, saturated and dead fractions, E[φ'²]."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlp_core.activations import Activation, Curve, evaluate
from mlp_core.spec import Bounds
from mlp_core.theory.expectations import log_expectations, log_parts, parts_mean

Floats = npt.NDArray[np.float64]

POINTS = 20_000  # of the histograms
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
    """z ~ N(mean, std²) and φ(z). Histograms are of the finite outputs, all else of the z for which φ and φ' are numbers.

    `undefined_fraction` is the probability of the other z; `saturated_fraction` is None for an activation whose output does not tell;
    `dead_fraction` is where φ'(z) is exactly 0; `curve` is φ over the inputs, for a picture.
    """

    curve: Curve
    inputs: BinShares
    outputs: BinShares
    undefined_fraction: float
    saturated_fraction: float | None
    dead_fraction: float
    mean_output: float  # NaN where E|φ| diverges
    std_output: float  # inf where it diverges
    log_slope_square: float  # ln E[φ'²], inf where it diverges: of a far tail it is below ln of any float64


def push_through(activation: Activation, mean: float, std: float, **parameters: float) -> Pushed:
    """Push N(mean, std²) through an activation.

    Fractions and moments are integrals over the distribution; the histograms are of `POINTS` evenly spaced quantiles. Nothing is drawn at
    random. A moment is NaN where the function is nowhere defined, or too wild to be integrated.

    Raises:
        SpecError: a mean or std outside its bounds.
    """
    center, spread = MEAN_BOUNDS.check("mean", mean), STD_BOUNDS.check("std", std)
    probabilities = (torch.arange(POINTS, dtype=torch.float64) + 0.5) / POINTS
    pushed = evaluate(activation, center + spread * torch.special.ndtri(probabilities), **parameters)
    finite = torch.isfinite(pushed.value) & torch.isfinite(pushed.gradient)
    z, value, gradient = pushed.x[finite], pushed.value[finite], pushed.gradient[finite]
    saturated, dead = activation.saturated(value, *parameters.values()), gradient == 0

    def quantities(value: Tensor, slope: Tensor) -> Sequence[Tensor]:
        shares = activation.saturated(value, *parameters.values()), slope == 0
        return *log_parts(value), 2 * slope.abs().log(), *(share.double().log() for share in shares)

    def integrate(quantities: Callable[[Tensor, Tensor], Sequence[Tensor]]) -> tuple[Floats, float]:
        logs, undefined = log_expectations(
            lambda x: activation(x, *parameters.values()), np.array([2 * math.log(spread)]), quantities, center
        )
        return logs[0], float(undefined[0])

    logs, undefined = integrate(quantities)
    mean_output = float(parts_mean(logs[None, :2])[0])
    variance, _ = integrate(lambda value, _: [2 * (value - (0 if math.isnan(mean_output) else mean_output)).abs().log()])
    drawn = torch.linspace(center - DRAWN_STDS * spread, center + DRAWN_STDS * spread, DRAWN_POINTS, dtype=torch.float64)
    return Pushed(
        curve=evaluate(activation, drawn, **parameters),
        inputs=_histogram(z, saturated, dead),
        outputs=_histogram(value, saturated, dead),
        undefined_fraction=undefined,
        saturated_fraction=None if activation.saturated_margin is None else math.exp(logs[3]),
        dead_fraction=math.exp(logs[4]),
        mean_output=mean_output,
        std_output=float(np.exp(0.5 * variance[0])),
        log_slope_square=float(logs[2]),
    )


def gradient_scale_log10(log_slope_square: float, weight_variance: float, depth: int) -> float:
    """By what power of ten a gradient changes over `depth` layers that all see the same distribution, from ln E[φ'²].

    Formula: log10 (σ_w² E[φ'²])^(L/2), for weights of variance σ_w²/n_in.

    Reference: Schoenholz et al. (2017), section 3: χ = σ_w² E[φ'²].
    """
    return depth / 2 * (math.log(weight_variance) + log_slope_square) / math.log(10)


def bin_edges(values: Floats) -> Floats:
    """The edges (n+1,) of equal bins over all finite `values`; wider than these where they are too near each other for so many numbers."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if high / 2 - low / 2 < BINS * np.spacing(max(abs(low), abs(high))):
        margin = max(0.5, max(abs(low), abs(high)) / 2)
        low, high = low - margin, high + margin
    share = np.linspace(0.0, 1.0, BINS + 1)
    return (1.0 - share) * low + share * high  # which does not overflow, as high − low may


def _histogram(values: Tensor, saturated: Tensor, dead: Tensor) -> BinShares:
    numbers = values.numpy()
    edges = bin_edges(numbers)

    def shares(mask: Tensor) -> Floats:
        return np.histogram(numbers[mask.numpy()], edges)[0] / max(len(numbers), 1)

    return BinShares(edges, shares(~saturated & ~dead), shares(saturated & ~dead), shares(dead))
