"""Long curves made short enough to send and calm enough to read. Knows arrays only, not what they mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

POINT_LIMIT = 500  # more points than pixels show nothing more
NEGLIGIBLE = 1e-17  # a factor below float64's resolution


def decimate(x: Sequence[float] | npt.ArrayLike, y: Sequence[float] | npt.ArrayLike, limit: int = POINT_LIMIT) -> tuple[Floats, Floats]:
    """Thin a curve to at most `limit` of its own points, in order, so that what stands out still does.

    The interior is cut into buckets of equal length; each gives its lowest and its highest finite point and, where it has one, its
    first point that is not finite, so that neither a spike nor a gap is lost. The first and the last point always stay.

    Args:
        x, y: (n,), any n.
        limit: at least 5.

    Raises:
        ValueError: lengths that differ, or a limit below 5.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    kept = decimation_indices(ys, limit)
    if xs.shape != ys.shape:
        raise ValueError(f"x and y must have the same length, got {xs.shape} and {ys.shape}")
    return xs[kept], ys[kept]


def decimation_indices(y: npt.ArrayLike, limit: int = POINT_LIMIT) -> npt.NDArray[np.intp]:
    """Which points `decimate` keeps, ascending, so that columns beside y can be thinned alike."""
    if limit < 5:
        raise ValueError(f"limit must be at least 5, got {limit}")
    ys = np.asarray(y, dtype=np.float64)
    n = len(ys)
    if n <= limit:
        return np.arange(n)
    finite = np.isfinite(ys)
    per_bucket = 2 if finite.all() else 3
    buckets = (limit - 2) // per_bucket
    width = math.ceil((n - 2) / buckets)

    def bucketed(values: npt.NDArray[np.generic], padding: float) -> npt.NDArray[np.generic]:
        padded = np.full(buckets * width, padding, dtype=values.dtype)
        padded[: n - 2] = values[1:-1]
        return padded.reshape(buckets, width)  # (buckets, width)

    lowest = bucketed(np.where(finite, ys, np.inf), np.inf).argmin(axis=1)
    highest = bucketed(np.where(finite, ys, -np.inf), -np.inf).argmax(axis=1)
    chosen = [lowest, highest]
    if per_bucket == 3:
        chosen.append(bucketed(~finite, False).argmax(axis=1))
    starts = 1 + width * np.arange(buckets)
    interior = np.concatenate([starts + offset for offset in chosen])
    return np.unique(np.concatenate(([0, n - 1], interior[interior < n - 1])))


def exponential_average(values: npt.ArrayLike, decay: float) -> Floats:
    """Average over both sides with exponentially falling weights: smooth, and not late as an average over the past alone would be.

    Formula: m_t = sum_s decay^|t-s| v_s / sum_s decay^|t-s|, over the s for which v_s is finite. Where v_t is not finite, nor is m_t.

    Args:
        values: (n,).
        decay: weight of a neighbor, 0 <= decay < 1.

    Raises:
        ValueError: a decay outside that interval.
    """
    if not 0.0 <= decay < 1.0:
        raise ValueError(f"decay must be from 0 to below 1, got {decay}")
    raw = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(raw)
    total, weight = (_both_sides(column, decay) for column in (np.where(finite, raw, 0.0), finite.astype(np.float64)))
    return np.divide(total, weight, out=np.full_like(raw, np.nan), where=finite)


def _both_sides(values: Floats, decay: float) -> Floats:
    """sum_s decay^|t-s| v_s: that over the past, that over the future, less the middle counted twice."""
    future: Floats = _past(values[::-1], decay)[::-1]
    return _past(values, decay) + future - values


def _past(values: Floats, decay: float) -> Floats:
    """sum_k decay^k v_{t-k}, by doubling: a sum over m terms plus decay^m times the same sum m places earlier is that over 2m terms."""
    total, shift = values.copy(), 1
    while shift < len(total) and (factor := decay**shift) > NEGLIGIBLE:
        total[shift:] += factor * total[:-shift]  # numpy evaluates the right side first
        shift *= 2
    return total
