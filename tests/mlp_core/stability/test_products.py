"""Products of random matrices against plain numpy and the predicted exponents."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.labs.stability.growth import MOST_DRAWN, affordable_trials, measured_rate
from mlp_core.stability import matrix_product_growth
from mlp_core.stability.products import ENSEMBLES, drawn_factors, measured_growth
from mlp_core.theory import Array, critical_scale, lyapunov_exponents, lyapunov_variances

LN10 = math.log(10)


def factors_of(n: int, factors: int, trial: int = 0, seed: int = 0, ensemble: str = "gaussian") -> list[Array]:
    return [factor.numpy() for factor in drawn_factors(ensemble, n, factors, trial, seed)]


def test_growth_is_that_of_the_product_multiplied_out() -> None:
    growth = matrix_product_growth(n=3, factors=25, trials=4, scale=0.8, seed=11)
    for trial in range(4):
        product = np.eye(3)
        for k, factor in enumerate(factors_of(3, 25, trial, seed=11)):
            product = 0.8 * factor @ product
            assert growth[trial, k] == pytest.approx(math.log10(np.abs(product).max()), abs=1e-12)


def test_the_numbers_of_the_chapter() -> None:
    growth = matrix_product_growth(factors=101)[:, -1]
    assert growth.shape == (300,)
    assert np.median(growth) == pytest.approx(24.9, abs=0.4)  # median of 300 that scatter by 1.75
    assert np.percentile(growth, 5) == pytest.approx(21.7, abs=0.8)
    assert np.percentile(growth, 95) == pytest.approx(27.7, abs=0.8)


@pytest.mark.parametrize("ensemble", ["gaussian", "xavier", "orthogonal"])
@pytest.mark.parametrize("n", [1, 2, 4, 16])
def test_growth_rate_is_the_largest_exponent_within_sampling_error(n: int, ensemble: str) -> None:
    trials, start, end = 200, 20, 120
    growth = matrix_product_growth(n, end, trials, scale=1.3, seed=2, ensemble=ensemble)
    rates = (growth[:, -1] - growth[:, start - 1]) * LN10 / (end - start)
    scatter = math.sqrt(lyapunov_variances(n)[0] / (end - start) / trials)
    bend = 1.0 / (end - start) / math.sqrt(trials)  # the largest entry and the length of a column differ by a bounded factor
    exponents = ENSEMBLES[ensemble].exponents(n)
    assert exponents is not None
    assert abs(rates.mean() - exponents[0] - math.log(1.3)) < 4 * (scatter + bend)


def test_at_the_critical_scale_products_neither_grow_nor_die() -> None:
    trials, factors = 300, 400
    critical = matrix_product_growth(4, factors, trials, critical_scale(4))[:, -1]
    naive = matrix_product_growth(4, factors, trials, 0.5)[:, -1]
    scatter = math.sqrt(lyapunov_variances(4)[0] * factors) / LN10
    assert abs(critical.mean()) < 0.4 + 4 * scatter / math.sqrt(trials)  # 0.4: of the largest entry over a column's length
    assert naive.mean() == pytest.approx(critical.mean() - factors * math.log10(critical_scale(4) / 0.5), abs=1e-9)


@given(st.integers(1, 5), st.integers(1, 12), st.integers(1, 4), st.sampled_from(sorted(ENSEMBLES)))
@settings(max_examples=40, deadline=None)
def test_more_factors_or_trials_only_add(n: int, factors: int, trials: int, ensemble: str) -> None:
    small = matrix_product_growth(n, factors, trials, 0.9, 7, ensemble=ensemble)
    large = matrix_product_growth(n, factors + 5, trials + 3, 0.9, 7, ensemble=ensemble)
    np.testing.assert_allclose(large[:trials, :factors], small, atol=1e-10)


@given(st.floats(1e-6, 1e6))
@settings(max_examples=20, deadline=None)
def test_the_scale_shifts_every_factor_alike(scale: float) -> None:
    shift = matrix_product_growth(3, 9, 2, scale) - matrix_product_growth(3, 9, 2)
    np.testing.assert_allclose(shift, np.tile(np.arange(1, 10) * math.log10(scale), (2, 1)), atol=1e-9)


@pytest.mark.parametrize("ensemble", sorted(ENSEMBLES))
def test_ensembles_have_the_variance_they_promise(ensemble: str) -> None:
    drawn = ENSEMBLES[ensemble].draw(np.random.default_rng(0), 4000, 5)
    expected = {"xavier": 1 / 5, "orthogonal": 1 / 5}.get(ensemble, 1.0)
    assert drawn.mean() == pytest.approx(0.0, abs=0.015)  # an orthogonal Q without its signs fixed leans to one side
    assert np.diagonal(drawn, axis1=1, axis2=2).mean() == pytest.approx(0.0, abs=0.03)
    assert drawn.var() == pytest.approx(expected, rel=0.02)


def test_orthogonal_factors_are_orthogonal() -> None:
    for Q in factors_of(6, 3, ensemble="orthogonal"):
        np.testing.assert_allclose(Q.T @ Q, np.eye(6), atol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be a whole number of at least 1"),
        ({"factors": 0}, "factors must be a whole number"),
        ({"trials": 2.5}, "trials must be a whole number"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"scale": 0.0}, "scale must be a positive number"),
        ({"scale": math.nan}, "scale must be a positive number"),
        ({"ensemble": "cauchy"}, "ensemble must be one of gaussian, uniform, xavier, orthogonal, got 'cauchy'"),
    ],
)
def test_impossible_products_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        matrix_product_growth(**arguments)  # type: ignore[arg-type]


def test_the_measured_rate_is_the_slope_of_straight_lines() -> None:
    k = np.arange(1, 41)
    rate = measured_rate(np.stack([0.2 * k + 5.0, 0.4 * k - 1.0]))
    assert rate.mean == pytest.approx(0.3 * LN10)
    assert rate.error == pytest.approx(0.1 * LN10)  # two slopes that are 0.2 apart: sd 0.2/√2, over √2
    assert math.isnan(measured_rate(np.zeros((1, 40))).error)
    assert math.isnan(measured_rate(np.zeros((3, 1))).mean)


def test_the_measured_rate_has_the_predicted_one_within_its_error() -> None:
    rate = measured_rate(measured_growth(4, 300, 300, seed=9)[1])
    assert abs(rate.mean - lyapunov_exponents(4)[0]) < 4 * rate.error
    assert rate.error == pytest.approx(math.sqrt(lyapunov_variances(4)[0] / 294 / 300), rel=0.2)


@pytest.mark.parametrize(("n", "factors", "trials"), [(1, 100, 300), (16, 20, 500), (16, 100, 300), (64, 40, 60)])
def test_the_measured_rate_has_no_bias_from_the_start(n: int, factors: int, trials: int) -> None:
    """Of three seeds together: the slope of max|M| is 5 standard errors too large for n = 16 and 100 factors."""
    rates = [measured_rate(measured_growth(n, factors, trials, seed=seed)[1]) for seed in range(3)]
    mean, error = sum(rate.mean for rate in rates) / 3, math.hypot(*(rate.error for rate in rates)) / 3
    assert abs(mean - lyapunov_exponents(n)[0]) < 3.5 * error


def test_the_first_column_is_that_of_the_product() -> None:
    largest, column = measured_growth(3, 20, 2, 0.7, seed=5, ensemble="uniform")
    product = np.eye(3)
    for k, factor in enumerate(drawn_factors("uniform", 3, 20, 1, 5)):
        product = 0.7 * factor.numpy() @ product
        assert column[1, k] == pytest.approx(math.log10(np.linalg.norm(product[:, 0])), abs=1e-10)
        assert largest[1, k] == pytest.approx(math.log10(np.abs(product).max()), abs=1e-10)


@given(st.integers(1, 64), st.integers(1, 1000))
def test_trials_that_can_be_afforded_stay_within_the_budget(n: int, factors: int) -> None:
    trials = affordable_trials(n, factors)
    assert trials == 1 or trials * factors * n * n <= MOST_DRAWN
    assert (trials + 1) * factors * n * n > MOST_DRAWN
