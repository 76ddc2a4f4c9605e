"""Bands are quantiles that some seed had, and a comparison counts what a person would count."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.labs.generalization.bands import SeedBand, compare

numbers = st.floats(-1e6, 1e6)


def test_of_eleven_seeds_the_band_leaves_out_the_lowest_and_the_highest() -> None:
    band = SeedBand.of(np.arange(11.0)[::-1])
    assert [float(band.low), float(band.median), float(band.high)] == [1.0, 5.0, 9.0]


@pytest.mark.parametrize("seeds", [10, 20])
def test_of_an_even_number_of_seeds_the_median_lies_between_the_two_in_the_middle(seeds: int) -> None:
    assert SeedBand.of(np.arange(seeds) ** 2.0).median == ((seeds / 2 - 1) ** 2 + (seeds / 2) ** 2) / 2


def test_each_column_has_its_own_band() -> None:
    band = SeedBand.of(np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0]]))
    assert (band.median.tolist(), band.low.tolist(), band.high.tolist()) == ([2.0, 20.0], [1.0, 10.0], [3.0, 30.0])


@given(st.lists(numbers | st.just(math.inf) | st.just(math.nan), min_size=1, max_size=30))
def test_edges_are_values_of_seeds_in_order_and_nan_is_the_worst(values: list[float]) -> None:
    known = [math.inf if math.isnan(value) else value for value in values]
    band = SeedBand.of(values)
    assert {float(band.low), float(band.high)} <= set(known)
    assert band.median == statistics.median(known)
    assert band.low <= band.median <= band.high


def test_seeds_that_agree_are_no_luck_where_the_two_bands_overlap() -> None:
    one = np.arange(20.0)
    assert SeedBand.of(one).high > SeedBand.of(one + 0.5).low
    assert compare(one, one + 0.5).chance == pytest.approx(2 * 0.5**20)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=40))
def test_counts_and_chance_are_those_of_the_sign_test(pairs: list[tuple[float, float]]) -> None:
    one, two = np.array(pairs).T
    comparison = compare(one, two)
    lower, ties = sum(a < b for a, b in pairs), sum(a == b for a, b in pairs)
    assert (comparison.first_lower, comparison.ties, comparison.seeds) == (lower, ties, len(pairs))
    untied = len(pairs) - ties
    expected = scipy.stats.binomtest(lower, untied, 0.5).pvalue if untied else 1.0
    assert comparison.chance == pytest.approx(expected)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20))
def test_the_order_of_the_two_decides_nothing_but_their_order(pairs: list[tuple[float, float]]) -> None:
    one, two = np.array(pairs).T
    there, back = compare(one, two), compare(two, one)
    assert (there.first, there.second, there.chance) == (back.second, back.first, back.chance)


@pytest.mark.parametrize(("one", "two"), [([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]]), ([], [])])
def test_what_is_not_one_number_a_seed_is_refused(one: list[float], two: list[float]) -> None:
    with pytest.raises(ValueError, match="one number a seed"):
        compare(one, two)
