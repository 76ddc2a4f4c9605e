"""Laws of random matrices and number formats: what a product of random matrices is made of. Knows no product.

Trial t draws its factors from a stream of its own, so more trials or more factors only add to what was there before, and a trial can be
watched alone.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from mlp_core.theory import Array, lyapunov_exponents, lyapunov_variances

BLOCK_ENTRIES = 2_000_000  # drawn at a time: 16 MB

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A law of random n x n matrices at scale 1.

    Args:
        draw: (stream, count, n) -> (count, n, n).
        exponents: (n, scale) -> the n predicted Lyapunov exponents, descending.
        variances: n -> their variances a factor.
        exact: whether both are exact, or those of Gaussian entries with the same variance.
        cost: time to draw an entry, that of a normal variate being 1.
    """

    name: str
    label: str
    latex: str
    draw: Callable[[np.random.Generator, int, int], Array]
    exponents: Callable[[int, float], Array]
    variances: Callable[[int], Array] = lyapunov_variances
    exact: bool = True
    cost: int = 1

    def critical_scale(self, n: int) -> float:
        """The scale at which the largest predicted exponent is 0: products neither grow nor die."""
        return math.exp(-self.exponents(n, 1.0)[0])


def _gaussian(stream: np.random.Generator, count: int, n: int) -> Array:
    return stream.standard_normal((count, n, n))


def _xavier(stream: np.random.Generator, count: int, n: int) -> Array:
    return _gaussian(stream, count, n) / math.sqrt(n)


def _uniform(stream: np.random.Generator, count: int, n: int) -> Array:
    return stream.uniform(-math.sqrt(3.0), math.sqrt(3.0), (count, n, n))  # variance 1


def _orthogonal(stream: np.random.Generator, count: int, n: int) -> Array:
    Q, R = np.linalg.qr(_gaussian(stream, count, n))
    rotated: Array = Q * np.sign(np.diagonal(R, axis1=1, axis2=2))[:, None, :]  # without it Q is not Haar (Mezzadri 2007, section 5)
    return rotated


ENSEMBLES: dict[str, Ensemble] = {
    entry.name: entry
    for entry in (
        Ensemble("gaussian", "Gaussian", r"M_{ij} \sim \mathcal{N}(0, \sigma^2)", _gaussian, lyapunov_exponents),
        Ensemble("uniform", "Uniform", r"M_{ij} \sim U(-\sqrt{3}\,\sigma, \sqrt{3}\,\sigma)", _uniform, lyapunov_exponents, exact=False),
        Ensemble(
            "xavier",
            "Xavier",
            r"M_{ij} \sim \mathcal{N}\left(0, \tfrac{2\sigma^2}{n_\mathrm{in} + n_\mathrm{out}}\right)",
            _xavier,
            lambda n, scale: lyapunov_exponents(n, scale / math.sqrt(n)),
        ),
        Ensemble(
            "orthogonal",
            "Orthogonal",
            r"M = \sigma Q,\ Q^\top Q = I",
            _orthogonal,
            lambda n, scale: np.full(n, math.log(scale)),
            np.zeros,
            cost=3,  # a QR decomposition a factor
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Precision:
    """A number format, and where it ends: log10 of its largest and of its smallest positive number."""

    dtype: torch.dtype

    @property
    def largest_log10(self) -> float:
        return math.log10(torch.finfo(self.dtype).max)

    @property
    def smallest_log10(self) -> float:
        info = torch.finfo(self.dtype)
        return math.log10(info.smallest_normal) + math.log10(info.eps)  # the smallest subnormal number

    def multiply(self, left: Tensor, right: Tensor) -> Tensor:
        """The product of two batches; the 16-bit formats add up in float32 and round once, as a GPU does."""
        if self.dtype in (torch.float16, torch.bfloat16):
            return (left.float() @ right.float()).to(self.dtype)
        return left @ right


PRECISIONS: dict[str, Precision] = {
    "float16": Precision(torch.float16),
    "bfloat16": Precision(torch.bfloat16),
    "float32": Precision(torch.float32),
    "float64": Precision(torch.float64),
}


def drawn_blocks(ensemble: str, n: int, factors: int, trials: Sequence[int], seed: int) -> Iterator[Tensor]:
    """The factors in order, in blocks (count, trials, n, n) float64 of bounded size. Not to be changed: others may be given the same."""
    if ENSEMBLES[ensemble].cost > 1:
        return iter(_kept_blocks(ensemble, n, factors, tuple(trials), seed))
    return _new_blocks(ensemble, n, factors, trials, seed)


@functools.lru_cache(maxsize=1)
def _kept_blocks(ensemble: str, n: int, factors: int, trials: tuple[int, ...], seed: int) -> tuple[Tensor, ...]:
    """Factors that are dear to draw, kept for the next question about the same product: growth, what a computer gets, singular values."""
    return tuple(_new_blocks(ensemble, n, factors, trials, seed))


def _new_blocks(ensemble: str, n: int, factors: int, trials: Sequence[int], seed: int) -> Iterator[Tensor]:
    streams = [np.random.default_rng((seed, trial)) for trial in trials]
    block = max(1, BLOCK_ENTRIES // (len(streams) * n * n))
    for start in range(0, factors, block):
        count = min(block, factors - start)
        yield torch.from_numpy(np.stack([ENSEMBLES[ensemble].draw(stream, count, n) for stream in streams], axis=1))


def drawn_factors(ensemble: str, n: int, factors: int, trial: int, seed: int) -> Iterator[Tensor]:
    """The factors (n, n) of one trial, in order."""
    for block in drawn_blocks(ensemble, n, factors, [trial], seed):
        yield from block[:, 0]


def known(name: str, value: str, choices: dict[str, Choice]) -> Choice:
    """The entry called `value`.

    Raises:
        ValueError: there is none.
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    return choices[value]


def check_product(ensemble: str, scale: float, **counts: int) -> None:
    """Refuse a product that cannot be.

    Raises:
        ValueError: a count (of rows, factors, trials) below 1, a seed or the index of a trial below 0, a scale that is not positive, or
            an unknown ensemble.
    """
    for name, value in counts.items():
        least = 0 if name in ("seed", "trial") else 1
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    if not 0.0 < scale < math.inf:
        raise ValueError(f"scale must be a positive number, got {scale!r}")
    known("ensemble", ensemble, ENSEMBLES)
