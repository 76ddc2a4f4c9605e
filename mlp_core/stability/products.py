"""Products of random matrices, measured stably with logarithms; the laws that their factors are drawn from.

Trial t draws its factors from a stream of its own, so more trials or more factors only add to what was there before, and a trial can be
watched alone.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from mlp_core.theory import Array, lyapunov_exponents, lyapunov_variances
from mlp_core.words import Message

RENORMALIZE_EVERY = 16  # factors; 16 of 64 x 64 grow by 1e29 at most or so, far from 1e308
BLOCK_ENTRIES = 2_000_000  # drawn at a time: 16 MB

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A law of random n x n matrices at scale 1.

    Args:
        draw: (stream, count, n) -> (count, n, n).
        exponents: n -> the n Lyapunov exponents, descending; None where no closed form is known.
        exponent_latex: the largest of them at scale σ.
        variances: n -> their variances a factor, where the exponents are known.
        mean_square_scale: n -> the scale at which E|M x|² = |x|².
        excess_kurtosis: of an entry, E[m⁴]/E[m²]² - 3; asked for where the exponents are not known.
        cost: time to draw an entry, that of a normal variate being 1.
    """

    name: str
    label: str
    latex: str
    draw: Callable[[np.random.Generator, int, int], Array]
    exponents: Callable[[int], Array | None]
    exponent_latex: str
    variances: Callable[[int], Array]
    mean_square_scale: Callable[[int], float]
    excess_kurtosis: float = 0.0
    cost: int = 1


def _gaussian(stream: np.random.Generator, count: int, n: int) -> Array:
    return stream.standard_normal((count, n, n))


def _orthogonal(stream: np.random.Generator, count: int, n: int) -> Array:
    Q, R = np.linalg.qr(_gaussian(stream, count, n))
    rotated: Array = Q * np.sign(np.diagonal(R, axis1=1, axis2=2))[:, None, :]  # without it Q is not Haar (Mezzadri 2007, section 5)
    return rotated


ENSEMBLES: dict[str, Ensemble] = {entry.name: entry for entry in (
    Ensemble(
        "gaussian", Message("Gaussian"), r"M_{ij} \sim \mathcal{N}(0, \sigma^2)", draw=_gaussian,
        exponents=lyapunov_exponents, exponent_latex=r"\tfrac12\left(\ln 2 + \psi(\tfrac n2)\right) + \ln\sigma",
        variances=lyapunov_variances, mean_square_scale=lambda n: 1.0 / math.sqrt(n),
    ),
    Ensemble(
        "uniform", Message("Uniform"), r"M_{ij} \sim U(-\sqrt{3}\,\sigma, \sqrt{3}\,\sigma)",
        draw=lambda stream, count, n: stream.uniform(-math.sqrt(3.0), math.sqrt(3.0), (count, n, n)),  # variance 1
        # n = 1: E ln|M| and Var ln|M|; ln|M/√3| is minus an exponential variate
        exponents=lambda n: np.array([0.5 * math.log(3.0) - 1.0]) if n == 1 else None, exponent_latex=r"\ln(\sqrt3\,\sigma) - 1",
        variances=np.ones, mean_square_scale=lambda n: 1.0 / math.sqrt(n), excess_kurtosis=-1.2,
    ),
    Ensemble(
        "xavier", "Xavier", r"M_{ij} \sim \mathcal{N}\left(0, \tfrac{2\sigma^2}{n_\mathrm{in} + n_\mathrm{out}}\right)",
        draw=lambda stream, count, n: _gaussian(stream, count, n) / math.sqrt(n),
        exponents=lambda n: lyapunov_exponents(n, 1.0 / math.sqrt(n)),
        exponent_latex=r"\tfrac12\left(\ln\tfrac2n + \psi(\tfrac n2)\right) + \ln\sigma",
        variances=lyapunov_variances, mean_square_scale=lambda n: 1.0,
    ),
    Ensemble(
        "orthogonal", Message("Orthogonal"), r"M = \sigma Q,\ Q^\top Q = I", draw=_orthogonal, exponents=np.zeros,
        exponent_latex=r"\ln\sigma", variances=np.zeros, mean_square_scale=lambda n: 1.0, cost=3,  # a QR decomposition a factor
    ),
)}  # fmt: skip


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


def matrix_product_growth(
    n: int = 4, factors: int = 100, trials: int = 300, scale: float = 1.0, seed: int = 0, *, ensemble: str = "gaussian"
) -> Array:
    """log10 of max|M_k ... M_1| after each factor k = 1..factors of independent random products.

    The product is renormalized every few factors and the logarithms are added up, so nothing overflows. At scale s it is that of scale 1
    plus k log10 s, which is how it is computed: the same seed gives the same matrices at every scale.

    Returns:
        numpy float64 (trials, factors).

    Raises:
        ValueError: a size below 1, a scale that is not positive, a negative seed, or an unknown ensemble.
    """
    return measured_growth(n, factors, trials, scale, seed, ensemble=ensemble)[0]


def measured_growth(
    n: int = 4, factors: int = 100, trials: int = 300, scale: float = 1.0, seed: int = 0, *, ensemble: str = "gaussian"
) -> tuple[Array, Array]:
    """What `matrix_product_growth` returns, and log10 of the length of the products' first column, of the same shape.

    The column is what a product makes of one vector. Its growth tells the largest Lyapunov exponent from the first factors on, exactly so
    for laws that no rotation changes; that of max|M| is larger until the columns lie in one direction, after about n factors.

    Raises:
        ValueError: as there.
    """
    check_product(ensemble, scale, n=n, factors=factors, trials=trials, seed=seed)
    growth = torch.empty(2, factors, trials, dtype=torch.float64)
    product = torch.eye(n, dtype=torch.float64).expand(trials, n, n)
    total, k = torch.zeros(trials, dtype=torch.float64), 0
    for block in drawn_blocks(ensemble, n, factors, range(trials), seed):
        for chunk in torch.split(block, RENORMALIZE_EVERY):
            products = running_products(chunk, product, torch.bmm)
            largest = products.abs().amax(dim=(2, 3))
            growth[:, k : k + len(chunk)] = total + torch.log10(torch.stack([largest, products[..., 0].norm(dim=2)]))
            product = products[-1] / largest[-1, :, None, None]
            k += len(chunk)
            total = growth[0, k - 1]
    largest_entry, first_column = (rescaled(sizes.T.numpy(), scale) for sizes in growth)
    return largest_entry, first_column


def rescaled(growth: Array, scale: float, at: Sequence[int] | None = None) -> Array:
    """The growth (..., m) of the same matrices times `scale`, after each of `at` (m) factors; 1 .. m if absent."""
    factors = np.arange(1, growth.shape[-1] + 1) if at is None else np.asarray(at)
    return growth + math.log10(scale) * factors


def running_products(factors: Tensor, product: Tensor, multiply: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The product after each of `factors` (count, trials, n, n), each multiplied from the left."""
    products = torch.empty_like(factors)
    for k, factor in enumerate(factors):
        product = products[k] = multiply(factor, product)
    return products
