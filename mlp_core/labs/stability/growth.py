"""Products of random matrices beside the engine's: how fast they grow, what they cost, and what a number format makes of them."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from mlp_core.labs.stability.exponents import FORGOTTEN
from mlp_core.stability.products import ENSEMBLES, RENORMALIZE_EVERY, check_product, drawn_blocks, drawn_factors, known, running_products
from mlp_core.theory import Array

MOST_DRAWN = 12_000_000  # random numbers a product may cost; 500 trials of 1000 factors of 4 x 4 are 8 million: 0.2 s on one core


class Rate(NamedTuple):
    """Growth a factor in nats, averaged over trials, and its standard error; NaN where there is too little to tell."""

    mean: float
    error: float


def measured_rate(growth: Array) -> Rate:
    """λ₁ as the growth of a vector, log10 of its length (trials, factors): the slope of each trial once its direction is forgotten."""
    trials, factors = growth.shape
    start = min(FORGOTTEN, factors // 2)
    if factors - 1 <= start:
        return Rate(math.nan, math.nan)
    slopes = (growth[:, -1] - growth[:, start]) * math.log(10.0) / (factors - 1 - start)
    return Rate(float(slopes.mean()), float(slopes.std(ddof=1)) / math.sqrt(trials) if trials > 1 else math.nan)


def crossing_factor(rate: float, limit_log10: float) -> float:
    """How many factors that grow by `rate` nats each it takes from size 1 to 10**limit_log10; inf where it goes the other way."""
    factors = limit_log10 * math.log(10.0) / rate if rate else math.inf
    return factors if factors > 0 else math.inf


def affordable_trials(n: int, factors: int, ensemble: str = "gaussian") -> int:
    """How many trials of n x n matrices fit into the time that `MOST_DRAWN` random numbers take."""
    return max(1, MOST_DRAWN // (factors * n * n * ENSEMBLES[ensemble].cost))


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


PRECISIONS = {name: Precision(getattr(torch, name)) for name in ("float16", "bfloat16", "float32", "float64")}


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
        products = running_products((scale * block).to(chosen.dtype), product, chosen.multiply)
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


def _first(happened: Tensor) -> Array:
    """(trials, factors) -> the first factor, counted from 1, at which it happened, NaN if never."""
    first = happened.to(torch.int8).argmax(dim=1).double() + 1.0
    result: Array = torch.where(happened.any(dim=1), first, math.nan).numpy()
    return result
