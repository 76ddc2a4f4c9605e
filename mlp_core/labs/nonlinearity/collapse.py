"""A stack of affine layers multiplied out to one, and how far a stack with bent layers is from any one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlp_core.initializers import initial_parameters
from mlp_core.spec import RunSpec

Floats = npt.NDArray[np.float64]

BIAS_STD = 0.1  # of the drawn biases: with none there would be nothing to multiply out but the weights


@dataclass(frozen=True, eq=False)
class Affine:
    """O = XW + b, with weight (n_in, n_out) and bias (n_out,), as in the book."""

    weight: Tensor
    bias: Tensor

    def __call__(self, X: Tensor) -> Tensor:
        return X @ self.weight + self.bias

    def to(self, dtype: torch.dtype) -> Affine:
        return Affine(self.weight.to(dtype), self.bias.to(dtype))


def random_stack(sizes: Sequence[int], seed: int) -> tuple[Affine, ...]:
    """Layers between these widths in float32: Xavier weights, so that no width shrinks the signal, and small random biases."""
    generator = torch.Generator().manual_seed(seed)
    drawn = initial_parameters(RunSpec(init="xavier_normal"), tuple(sizes), generator)
    return tuple(Affine(weight.T.contiguous(), torch.randn(len(bias), generator=generator) * BIAS_STD) for weight, bias in drawn)


def collapsed(layers: Sequence[Affine]) -> Affine:
    """The one layer that computes what the stack does.

    Formula: (XW₁ + b₁)W₂ + b₂ = X(W₁W₂) + (b₁W₂ + b₂), from the first layer to the last.
    """
    return reduce(lambda below, above: Affine(below.weight @ above.weight, above(below.bias)), layers)


def stacked(layers: Sequence[Affine], X: Tensor, slope: float = 1.0) -> Tensor:
    """The stack's outputs (n, out) for X (n, in), layer by layer.

    Args:
        slope: of a hidden unit below 0: 1 is the identity, 0 is ReLU, leaky ReLU between them.
    """
    for layer in layers[:-1]:
        X = layer(X)
        X = torch.where(X > 0, X, slope * X)
    return layers[-1](X)


def singular_values(weight: Tensor) -> Floats:
    """Singular values of a matrix in float64, the largest first."""
    values: Floats = torch.linalg.svdvals(weight.double()).numpy()
    return values


def rank(weight: Tensor) -> int:
    """Singular values above the rounding of float64: max(n_in, n_out) · ε · the largest, as numpy counts."""
    values = singular_values(weight)
    return int((values > max(weight.shape) * np.finfo(np.float64).eps * values[0]).sum())


def largest_difference(layers: Sequence[Affine], X: Tensor, slope: float = 1.0) -> float:
    """The largest |stack − one layer| over all outputs, in the precision of the layers."""
    layers = [layer.to(X.dtype) for layer in layers]
    return float((stacked(layers, X, slope) - collapsed(layers)(X)).abs().max().item())


class BestAffine:
    """The affine map that fits given outputs best, for one set of inputs: least squares on some, judged on others.

    Args:
        fitted: (n, d) inputs to fit to, n above d.
        judged: (m, d) other inputs.
    """

    def __init__(self, fitted: Tensor, judged: Tensor) -> None:
        self.fitted, self.judged = fitted.double(), judged.double()
        self._mean = self.fitted.mean(dim=0)
        centered = self.fitted - self._mean
        self._inverse = torch.linalg.pinv(centered.T @ centered, hermitian=True)  # some pixels are always 0

    def unexplained(self, fitted: Tensor, judged: Tensor) -> float:
        """Share of the variance of outputs `judged` (m, out) that the map fitted to outputs `fitted` (n, out) misses, 0 if affine."""
        mean = fitted.mean(dim=0)
        slope = self._inverse @ (self.fitted.T @ (fitted - mean))  # centered on one side is enough
        missed = judged - mean - (self.judged - self._mean) @ slope
        return float((missed.square().sum() / (judged - judged.mean(dim=0)).square().sum()).item())


@dataclass(frozen=True, eq=False)
class Bending:
    """What bending the hidden layers does, by slope: all (slopes,)."""

    slopes: Floats
    difference: Floats  # the largest |stack − product of its layers|
    unexplained: Floats  # share of the outputs' variance that no affine map explains


def bending(layers: Sequence[Affine], best: BestAffine, slopes: Sequence[float]) -> Bending:
    """Bend the hidden layers from the identity to ReLU, and compare with their product and with the best one layer there is."""
    layers = [layer.to(torch.float64) for layer in layers]
    product = collapsed(layers)(best.judged)
    difference, unexplained = [], []
    for slope in slopes:
        judged = stacked(layers, best.judged, slope)
        difference.append(float((judged - product).abs().max().item()))
        unexplained.append(best.unexplained(stacked(layers, best.fitted, slope), judged))
    return Bending(np.array(slopes), np.array(difference), np.array(unexplained))


def shapes(sizes: Sequence[int]) -> str:
    """(784 × 64) (64 × 10) = (784 × 10), for these widths."""
    factors = " ".join(f"({n_in} × {n_out})" for n_in, n_out in pairwise(sizes))
    return f"{factors} = ({sizes[0]} × {sizes[-1]})"
