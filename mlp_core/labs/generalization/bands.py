"""What several seeds say together: the median, where most of them lie, and whether a difference may be luck."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LOW, HIGH = 0.1, 0.9  # four of five seeds lie between


@dataclass(frozen=True, eq=False)
class SeedBand:
    """Median over seeds (of an even number the mean of the two in the middle), and the 10 % and 90 % quantiles, each some seed's value."""

    median: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, values: npt.ArrayLike) -> SeedBand:
        """Of values (seeds, …), over the first axis. NaN counts as infinite: the worst there is."""
        array = np.asarray(values, dtype=np.float64)
        array = np.where(np.isnan(array), np.inf, array)
        low, high = (np.quantile(array, share, axis=0, method="nearest") for share in (LOW, HIGH))
        return cls(np.median(array, axis=0), low, high)


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two ways on the same seeds.

    Args:
        first, second: their medians.
        first_lower: for how many of the `seeds` the first is lower; `ties` are of equal value.
    """

    first: float
    second: float
    first_lower: int
    ties: int
    seeds: int

    @property
    def chance(self) -> float:
        """How often pure luck splits the seeds at least so unevenly: the two-sided sign test, ties left out."""
        untied = self.seeds - self.ties
        fewer = min(self.first_lower, untied - self.first_lower)
        splits: int = sum(math.comb(untied, k) for k in range(fewer + 1))
        return min(1.0, 2 * splits / 2.0**untied)


def compare(first: npt.ArrayLike, second: npt.ArrayLike) -> PairedComparison:
    """Compare one number a seed, (seeds,), with another of the same seeds.

    Raises:
        ValueError: not the same number of seeds, or none.
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != two.shape or one.ndim != 1 or not len(one):
        raise ValueError(f"first, second: must be one number a seed each, got shapes {one.shape} and {two.shape}")
    a, b = SeedBand.of(one), SeedBand.of(two)
    return PairedComparison(float(a.median), float(b.median), int((one < two).sum()), int((one == two).sum()), len(one))
