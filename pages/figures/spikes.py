"""Single values far above all others of a figure, for whose sake an axis would press everything else together."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

USUAL = 0.99  # of a curve's values; at most a hundredth are spikes
FACTOR = 5  # a value so many times higher leaves the others the lowest fifth of the axis


def highest_usual(curves: Iterable[npt.NDArray[Any]], least: float) -> float:
    """The value above which a point is a spike: `FACTOR` times the highest of all curves' 99th percentiles, or `least` if that is more.

    Of fewer than a hundred values the second highest counts as the percentile, and of a single one that one.

    Args:
        curves: (n,) each; NaN is a gap.
        least: a value that is none, whatever the others are.
    """
    limit = least
    for values in curves:
        known = np.sort(values[~np.isnan(values)])
        if known.size:
            limit = max(limit, FACTOR * float(known[int(USUAL * (known.size - 1))]))
    return limit
