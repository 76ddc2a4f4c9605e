"""A stack of affine layers multiplied out to one, and how far a stack with bent layers is from any one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

from mlp_core.initializers import initial_parameters
from mlp_core.spec import RunSpec

Floats = npt.NDArray[np.float64]

WHITE = 255  # the brightest pixel
EXACT_ROWS = 256  # of so many images float32 adds up squares of whole pixels without rounding: 256 · 255² < 2²⁴
PIECE_ROWS = 2000  # images that pass through a stack at a time
CONSTANT = 1e-5  # of the largest output: what varies less might be float32's rounding
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
    return _onward(layers, layers[0](X), slope)


def _onward(layers: Sequence[Affine], z: Tensor, slope: float) -> Tensor:
    """The stack's outputs from those of its first layer."""
    for layer in layers[1:]:
        z = layer(leaky_relu(z, slope))
    return z


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


@dataclass(frozen=True, eq=False)
class BestAffine:
    """For any outputs, the affine map of the pixels that fits them best on one set of images; and what it misses, there and on others.

    No affine map misses less on the images that it was fitted to; on others it misses more than the best one there is, the more so the
    fewer images it was fitted to, for it has d + 1 numbers an output to learn. The truth about all such images lies about between the two.

    Args:
        fitted: (n, d) uint8 pixels; every function sees them as 0..1.
        judged: (m, d) in float64, the pixels of other images as 0..1.
        mean, inverse: of the fitted pixels their mean (d,) and the pseudoinverse (d, d) of their centered products.
    """

    fitted: Tensor
    judged: Tensor
    mean: Tensor
    inverse: Tensor

    @classmethod
    def of(cls, fitted: Tensor, judged: Tensor) -> Generator[float, None, BestAffine]:
        """Prepare the fit; yields how much is done.

        Args:
            fitted, judged: (n, d) and (m, d) uint8 pixels.
        """
        total = torch.zeros(fitted.shape[1], dtype=torch.float64)
        squares = torch.zeros(fitted.shape[1], fitted.shape[1], dtype=torch.float64)
        pieces = torch.split(fitted, EXACT_ROWS)
        for index, piece in enumerate(pieces):
            pixels = piece.float()
            total += pixels.sum(dim=0)
            squares += pixels.T @ pixels
            yield index / len(pieces)
        mean = total / len(fitted) / WHITE
        centered = squares / WHITE**2 - len(fitted) * torch.outer(mean, mean)
        return cls(fitted, judged.double() / WHITE, mean, torch.linalg.pinv(centered, hermitian=True))  # some pixels are always 0

    def missed(self, outputs: Callable[[Tensor], Tensor]) -> Generator[float, None, tuple[Floats, Floats]]:
        """Share of the variance of each stack's outputs that its best affine map misses, 0 if the stack is affine or constant; yields how
        much is done.

        Args:
            outputs: of X (k, d) in float32 or float64, for one stack or several at once: (k, stacks, out).

        Returns:
            (stacks,) over the images that the maps were fitted to, where none misses less; (stacks,) over the images that judge.
        """
        judged = outputs(self.judged)
        stacks, out = judged.shape[1:]
        constant = (CONSTANT * judged.abs().amax(dim=(0, 2))).square() * out  # a variance that may be rounding
        origin = judged[0].float()  # near the outputs, so that their variance does not drown in their mean
        total, squares = torch.zeros(stacks, out, dtype=torch.float64), torch.zeros(stacks, dtype=torch.float64)
        products = torch.zeros(self.judged.shape[1], stacks * out, dtype=torch.float64)
        pieces = torch.split(self.fitted, PIECE_ROWS)
        for index, piece in enumerate(pieces):
            yield index / len(pieces)
            X = piece.float() / WHITE
            Y = outputs(X) - origin
            total += Y.sum(dim=0)
            squares += Y.double().square().sum(dim=(0, 2))
            products += X.T @ Y.flatten(1)
        n = len(self.fitted)
        products -= torch.outer(self.mean, total.flatten())
        slopes = self.inverse @ products
        variance = squares - total.square().sum(dim=1) / n
        explained = (slopes * products).view(-1, stacks, out).sum(dim=(0, 2))
        mean = origin + total / n
        rest = judged - mean - ((self.judged - self.mean) @ slopes).view_as(judged)
        others = (judged - judged.mean(dim=0)).square().sum(dim=(0, 2))
        least = torch.where(variance > n * constant, (variance - explained) / variance, 0.0).clamp_min(0.0)
        missed = torch.where(others > len(judged) * constant, rest.square().sum(dim=(0, 2)) / others, 0.0)
        return least.numpy(), missed.numpy()


@dataclass(frozen=True, eq=False)
class Bending:
    """What bending the hidden layers does, by slope: all (slopes,)."""

    slopes: Floats
    difference: Floats  # the largest |stack − product of its layers|
    least_missed: Floats  # share of the outputs' variance that every affine map misses, on the images that the best one was fitted to
    missed: Floats  # share that this map misses on other images


def bending(layers: Sequence[Affine], best: BestAffine, slopes: Sequence[float]) -> Generator[float, None, Bending]:
    """Bend the hidden layers from the identity to ReLU, and compare with their product and with the best one layer there is; yields how
    much is done."""

    def outputs(X: Tensor) -> Tensor:
        typed = [layer.to(X.dtype) for layer in layers]
        first = typed[0](X)
        return torch.stack([_onward(typed, first, slope) for slope in slopes], dim=1)

    difference = [largest_difference(layers, best.judged, slope) for slope in slopes]
    return Bending(np.array(slopes), np.array(difference), *(yield from best.missed(outputs)))


def shapes(sizes: Sequence[int]) -> str:
    """(784 × 64) (64 × 10) = (784 × 10), for these widths."""
    factors = " ".join(f"({n_in} × {n_out})" for n_in, n_out in pairwise(sizes))
    return f"{factors} = ({sizes[0]} × {sizes[-1]})"
