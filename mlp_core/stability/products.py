"""Products of random matrices, measured: stably with logarithms, and literally in the number format chosen. Draws no conclusion.

`gradient_norms_by_depth`, the same question asked of a network, is in `mlp_core.stability.depth`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mlp_core.stability.depth import gradient_norms_by_depth
from mlp_core.stability.ensembles import ENSEMBLES, PRECISIONS, check_product, drawn_blocks, drawn_factors, known
from mlp_core.theory import Array

__all__ = [
    "LiteralGrowth", "ProductSnapshot", "Rate", "affordable_trials", "gradient_norms_by_depth", "literal_growth", "matrix_product_growth",
    "measured_rate", "product_after", "rescaled", "singular_value_path",
]  # fmt: skip

MOST_DRAWN = 12_000_000  # random numbers a product may cost; 500 trials of 1000 factors of 4 x 4 are 8 million: 0.2 s on one core
RENORMALIZE_EVERY = 16  # factors; 16 of 64 x 64 grow by 1e29 at most or so, far from 1e308
QR_EVERY = 4  # factors; 4 of 64 x 64 spread their singular values over e^11, of which float64 keeps all
DIRECT_SPREAD = 30.0  # nats between the outermost singular values; at e^30 the float64 SVD still has the smallest to 1e-3
SWEEPS = 12


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
    check_product(ensemble, scale, n=n, factors=factors, trials=trials, seed=seed)
    growth = torch.empty(factors, trials, dtype=torch.float64)
    product = torch.eye(n, dtype=torch.float64).expand(trials, n, n)
    total, k = torch.zeros(trials, dtype=torch.float64), 0
    for block in drawn_blocks(ensemble, n, factors, range(trials), seed):
        for chunk in torch.split(block, RENORMALIZE_EVERY):
            products = _running_products(chunk, product, torch.bmm)
            largest = products.abs().amax(dim=(2, 3))
            growth[k : k + len(chunk)] = total + torch.log10(largest)
            product = products[-1] / largest[-1, :, None, None]
            k += len(chunk)
            total = growth[k - 1]
    return rescaled(growth.T.numpy(), scale)


def rescaled(growth: Array, scale: float, at: Sequence[int] | None = None) -> Array:
    """The growth (..., m) of the same matrices times `scale`, after each of `at` (m) factors; 1 .. m if absent."""
    factors = np.arange(1, growth.shape[-1] + 1) if at is None else np.asarray(at)
    return growth + math.log10(scale) * factors


class Rate(NamedTuple):
    """Growth a factor in nats, averaged over trials, and its standard error; NaN where there is too little to tell."""

    mean: float
    error: float


def measured_rate(growth: Array) -> Rate:
    """The slope of each trial (trials, factors) from a tenth of the way to the end: the start still bends."""
    trials, factors = growth.shape
    start = factors // 10
    if factors - 1 <= start:
        return Rate(math.nan, math.nan)
    slopes = (growth[:, -1] - growth[:, start]) * math.log(10.0) / (factors - 1 - start)
    return Rate(float(slopes.mean()), float(slopes.std(ddof=1)) / math.sqrt(trials) if trials > 1 else math.nan)


def affordable_trials(n: int, factors: int, ensemble: str = "gaussian") -> int:
    """How many trials of n x n matrices fit into the time that `MOST_DRAWN` random numbers take."""
    return max(1, MOST_DRAWN // (factors * n * n * ENSEMBLES[ensemble].cost))


@dataclass(frozen=True, slots=True)
class LiteralGrowth:
    """What the computer gets in one number format: log10 of max|M| as it stands there, inf, -inf (all entries 0) and NaN included."""

    size_log10: Array  # (trials, factors)
    overflow_at: Array  # (trials,) the first k at which an entry is not finite; NaN if never
    underflow_at: Array  # (trials,) the first k at which every entry is 0; NaN if never


def literal_growth(
    precision: str, n: int = 4, factors: int = 100, trials: int = 300, *, scale: float = 1.0, seed: int = 0, ensemble: str = "gaussian"
) -> LiteralGrowth:
    """The same products as `matrix_product_growth`, multiplied out in `precision` without any care.

    Raises:
        ValueError: as there, or an unknown precision.
    """
    check_product(ensemble, scale, n=n, factors=factors, trials=trials, seed=seed)
    chosen = known("precision", precision, PRECISIONS)
    size = torch.empty(factors, trials, dtype=torch.float64)
    product = torch.eye(n, dtype=chosen.dtype).expand(trials, n, n)
    k = 0
    for block in drawn_blocks(ensemble, n, factors, range(trials), seed):
        products = _running_products((scale * block).to(chosen.dtype), product, chosen.multiply)
        size[k : k + len(block)] = products.abs().amax(dim=(2, 3))
        product, k = products[-1], k + len(block)
    sizes = size.T
    return LiteralGrowth(torch.log10(sizes).numpy(), _first(~torch.isfinite(sizes)), _first(sizes == 0.0))


@dataclass(frozen=True, slots=True)
class ProductSnapshot:
    """One trial after k factors: the product is `mantissa` x 10**`exponent`, whatever its size; `literal` is what the format holds."""

    first: Array  # (n, n) the first factor
    mantissa: Array  # (n, n), largest absolute entry from 1 to below 10
    exponent: int
    literal: Array  # (n, n) in float64, inf and NaN included


def product_after(
    k: int, n: int = 4, *, scale: float = 1.0, seed: int = 0, ensemble: str = "gaussian", precision: str = "float32", trial: int = 0
) -> ProductSnapshot:
    """Trial `trial` of `matrix_product_growth` after k >= 1 factors, with its entries.

    Raises:
        ValueError: as `literal_growth`.
    """
    check_product(ensemble, scale, n=n, k=k, seed=seed, trial=trial)
    chosen = known("precision", precision, PRECISIONS)
    factors = drawn_factors(ensemble, n, k, trial, seed)
    first = stable = next(factors)
    literal, log10_size = (scale * first).to(chosen.dtype), k * math.log10(scale)
    for index, factor in enumerate(factors):
        stable = factor @ stable
        literal = chosen.multiply((scale * factor).to(chosen.dtype), literal)
        if index % RENORMALIZE_EVERY == 0:
            largest = stable.abs().max()
            stable, log10_size = stable / largest, log10_size + math.log10(largest)
    log10_size += math.log10(stable.abs().max())
    exponent = math.floor(log10_size)
    mantissa = stable / stable.abs().max() * 10.0 ** (log10_size - exponent)
    return ProductSnapshot((scale * first).numpy(), mantissa.numpy(), exponent, literal.double().numpy())


def singular_value_path(
    n: int, at: Sequence[int], *, scale: float = 1.0, seed: int = 0, ensemble: str = "gaussian", trial: int = 0
) -> Array:
    """log10 of all singular values of trial `trial`'s product after each of `at` factors (ascending, at least 1).

    An SVD of the product would lose every value below 1e-16 of the largest. So the product is kept as Q D T with Q orthogonal, D
    diagonal (its logarithm is kept) and T unit upper triangular, which QR renews every few factors without ever forming the product.

    Returns:
        (len(at), n), descending in each row.

    Raises:
        ValueError: as `matrix_product_growth`; `at` empty or not ascending.

    Reference: Benettin et al. (1980), part 1, section 3, for the exponents; Stewart (1997), The triangular matrices of Gaussian
        elimination and related decompositions, section 4, for the sweeps.
    """
    if not at or list(at) != sorted(set(at)):
        raise ValueError(f"at must be ascending numbers of factors, got {list(at)!r}")
    check_product(ensemble, scale, n=n, factors=at[0], seed=seed, trial=trial)
    wanted = set(at)
    running = T = torch.eye(n, dtype=torch.float64)
    log_d = torch.zeros(n, dtype=torch.float64)
    kept: list[tuple[Tensor, Tensor]] = []
    for k, factor in enumerate(drawn_factors(ensemble, n, at[-1], trial, seed), start=1):
        running = factor @ running
        if k % QR_EVERY and k not in wanted:
            continue
        Q, R = torch.linalg.qr(running)
        signs = R.diagonal().sign()
        running, R = Q * signs, R * signs[:, None]
        T = (R / R.diagonal()[:, None] * torch.exp(log_d[None, :] - log_d[:, None])).triu() @ T
        log_d = log_d + R.diagonal().log()
        if k in wanted:
            kept.append((log_d, T))
    singular = _log_singular_values(torch.stack([d for d, _ in kept]), torch.stack([t for _, t in kept]))
    return rescaled(singular.numpy().T / math.log(10.0), scale, at).T


def _running_products(factors: Tensor, product: Tensor, multiply: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The product after each of `factors` (count, trials, n, n), each multiplied from the left."""
    products = torch.empty_like(factors)
    for k, factor in enumerate(factors):
        product = products[k] = multiply(factor, product)
    return products


def _log_singular_values(log_d: Tensor, T: Tensor) -> Tensor:
    """ln of the singular values (m, n), descending, of diag(exp(log_d)) T, for log_d (m, n) and T (m, n, n) unit upper triangular."""
    wide = log_d.amax(dim=1) - log_d.amin(dim=1) > DIRECT_SPREAD
    near = log_d[~wide]
    largest = near.amax(dim=1, keepdim=True)
    singular = torch.empty_like(log_d)
    singular[~wide] = torch.linalg.svdvals(torch.exp(near - largest).unsqueeze(2) * T[~wide]).log() + largest
    singular[wide] = _swept(log_d[wide], T[wide])
    return singular


def _swept(log_d: Tensor, T: Tensor) -> Tensor:
    """The same where they are so far apart that an SVD would lose the small ones: QR of the transpose, again and again, in logarithms.

    Each sweep brings diag(exp(log_d)) T nearer to a diagonal matrix, the faster the farther its singular values are apart.
    """
    S = T.mT  # the transpose has the same singular values: they are those of S diag(exp(log_d))
    for _ in range(SWEEPS):
        S = torch.linalg.qr(S).R
        pivots = S.diagonal(dim1=1, dim2=2).abs()
        log_d = log_d + pivots.log()
        S = S / pivots.unsqueeze(1)
        S = S.mT * torch.exp(log_d.unsqueeze(2) - log_d.unsqueeze(1)).tril()
    return torch.sort(log_d, dim=1, descending=True).values


def _first(happened: Tensor) -> Array:
    """(trials, factors) -> the first factor, counted from 1, at which it happened, NaN if never."""
    first = happened.to(torch.int8).argmax(dim=1).double() + 1.0
    result: Array = torch.where(happened.any(dim=1), first, math.nan).numpy()
    return result
