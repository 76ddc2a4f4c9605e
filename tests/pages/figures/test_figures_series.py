"""Thinning keeps what stands out; the moving average is the one in the book."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.figures.series import (
    bucket_ends,
    bucket_starts,
    decimate,
    decimation_indices,
    exponential_average,
    extremes,
    neighbors,
)

anything = st.lists(st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=300)
finite = st.floats(-1e6, 1e6)


@settings(deadline=None)
@given(anything, st.integers(5, 60))
def test_keeps_ends_order_and_extremes(values: list[float], limit: int) -> None:
    y = np.array(values, dtype=np.float64)
    kept = decimation_indices(y, limit)
    assert len(kept) <= max(limit, 0)
    assert (np.diff(kept) > 0).all()
    if len(y):
        assert kept[0] == 0
        assert kept[-1] == len(y) - 1
    drawn, everything = y[kept][np.isfinite(y[kept])], y[np.isfinite(y)]
    if everything.size:
        assert drawn.min() == everything.min()
        assert drawn.max() == everything.max()
    assert np.isfinite(y[kept]).all() == np.isfinite(y).all()


@settings(deadline=None)
@given(st.integers(0, 999), st.sampled_from([1e3, -1e3, math.nan, math.inf]), st.integers(5, 100))
def test_a_single_spike_survives_anywhere(place: int, spike: float, limit: int) -> None:
    y = np.sin(np.arange(1000.0))
    y[place] = spike
    assert place in decimation_indices(y, limit)


@settings(deadline=None)
@given(st.lists(finite, max_size=50))
def test_a_short_curve_is_left_alone(values: list[float]) -> None:
    x, y = decimate(range(len(values)), values, limit=50)
    assert x.tolist() == list(range(len(values)))
    assert y.tolist() == values


def test_every_stretch_keeps_its_own_extremes() -> None:
    y = np.random.default_rng(0).normal(size=10_000)
    x, thinned = decimate(np.arange(10_000), y, 500)
    for start in range(1, 9_999 - 100, 100):  # longer than two buckets of 41 points, so one lies inside
        stretch = thinned[(x >= start) & (x < start + 100)]
        inside = y[start + 41 : start + 59]  # in the middle of the stretch, whatever bucket it belongs to
        assert stretch.max() >= inside.max()
        assert stretch.min() <= inside.min()
    assert len(x) > 400  # the limit is used


def test_refuses_a_limit_that_cannot_hold_a_bucket_and_columns_of_different_lengths() -> None:
    with pytest.raises(ValueError, match="limit must be at least 5, got 4"):
        decimation_indices([1.0], 4)
    with pytest.raises(ValueError, match="same length"):
        decimate([1.0, 2.0], [1.0])


def of_one_bucket(points: list[tuple[int, float]]) -> set[int]:
    """The indices that stand for (index, value) pairs."""
    known = [(index, value) for index, value in points if math.isfinite(value)]
    kept = [index for index, value in points if not math.isfinite(value)][:1]
    if known:
        kept += [min(known, key=lambda point: point[1])[0], max(known, key=lambda point: point[1])[0]]
    return set(kept)


@settings(deadline=None)
@given(anything, st.integers(1, 400), st.integers(4, 40), st.sampled_from([1, 2, 4]))
def test_each_bucket_of_steps_gives_its_extremes_and_the_line_its_end(values: list[float], planned: int, limit: int, stride: int) -> None:
    y, steps = np.array(values, dtype=np.float64), stride * np.arange(1, len(values) + 1)
    width = 1 if planned <= limit else -(-planned // ((limit - 1) // 2))
    buckets: dict[int, list[tuple[int, float]]] = {}
    for index, (step, value) in enumerate(zip(steps.tolist(), values, strict=True)):
        buckets.setdefault((step - 1) // width, []).append((index, value))
    starts = bucket_starts(steps, planned, limit)
    assert starts.tolist() == [points[0][0] for points in buckets.values()]
    assert extremes(y, starts).tolist() == sorted(set(range(len(values))[-1:]).union(*map(of_one_bucket, buckets.values())))
    assert bucket_ends(starts, len(y)).tolist() == sorted({*[0][: len(y)], *(points[-1][0] for points in buckets.values())})


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(1, 3000))
def test_a_planned_run_gives_no_more_points_than_the_limit(steps: int, planned: int) -> None:
    y = np.random.default_rng(steps).normal(size=min(steps, planned))
    starts = bucket_starts(np.arange(1, len(y) + 1), planned)
    assert len(extremes(y, starts)) <= 500
    assert len(bucket_ends(starts, len(y))) <= 500


def counted(decay: float) -> int:
    """The first power of 2 at which a weight is at most a thousandth."""
    return next(terms for terms in (1 << power for power in range(20)) if decay**terms <= 1e-3)


@settings(deadline=None)
@given(anything, st.floats(0, 0.999))
def test_average_weighs_each_finite_neighbor_by_its_distance(values: list[float], decay: float) -> None:
    average = exponential_average(values, decay)
    for t, value in enumerate(values):
        if not math.isfinite(value):
            assert math.isnan(average[t])
            continue
        near = [(decay ** abs(t - s), v) for s, v in enumerate(values) if math.isfinite(v) and abs(t - s) < counted(decay)]
        expected = math.fsum(weight * v for weight, v in near) / math.fsum(weight for weight, _ in near)
        assert average[t] == pytest.approx(expected, rel=1e-9, abs=1e-12 * max(abs(v) for _, v in near))


def test_average_of_a_straight_line_is_not_late() -> None:
    line = np.arange(1000.0)
    np.testing.assert_allclose(exponential_average(line, 0.9)[300:-300], line[300:-300], rtol=1e-9)


@settings(deadline=None)
@given(anything, st.integers(0, 300), st.floats(0, 0.999))
def test_what_comes_later_changes_no_average_farther_away_than_its_reach(values: list[float], begun: int, decay: float) -> None:
    early, late = exponential_average(values[:begun], decay), exponential_average(values, decay)
    settled = max(len(early) + 1 - neighbors(decay), 0)
    assert early[:settled].tobytes() == late[:settled].tobytes()


def test_what_an_average_leaves_out_is_small() -> None:
    values, decay = np.random.default_rng(1).normal(size=20_000), 0.995

    def past(column: list[float]) -> list[float]:
        total, sums = 0.0, []
        for value in column:
            total = decay * total + value
            sums.append(total)
        return sums

    forward, backward = past(values.tolist()), past(values[::-1].tolist())[::-1]
    weight = np.add(past([1.0] * 20_000), past([1.0] * 20_000)[::-1]) - 1
    expected = (np.add(forward, backward) - values) / weight
    np.testing.assert_allclose(exponential_average(values, decay), expected, atol=1e-3 * np.ptp(values))


@pytest.mark.parametrize("decay", [-0.1, 1.0, math.nan])
def test_average_refuses_a_decay_outside_its_interval(decay: float) -> None:
    with pytest.raises(ValueError, match="decay must be"):
        exponential_average([1.0], decay)
