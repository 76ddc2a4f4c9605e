"""How fast products of random matrices grow, as measured; and how many of them can be afforded."""

from __future__ import annotations

import math
from typing import NamedTuple

from mlp_core.stability.products import ENSEMBLES
from mlp_core.theory import Array

MOST_DRAWN = 12_000_000  # random numbers a product may cost; 500 trials of 1000 factors of 4 x 4 are 8 million: 0.2 s on one core


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


def crossing_factor(rate: float, limit_log10: float) -> float:
    """How many factors that grow by `rate` nats each it takes from size 1 to 10**limit_log10; inf where it goes the other way."""
    factors = limit_log10 * math.log(10.0) / rate if rate else math.inf
    return factors if factors > 0 else math.inf


def affordable_trials(n: int, factors: int, ensemble: str = "gaussian") -> int:
    """How many trials of n x n matrices fit into the time that `MOST_DRAWN` random numbers take."""
    return max(1, MOST_DRAWN // (factors * n * n * ENSEMBLES[ensemble].cost))
