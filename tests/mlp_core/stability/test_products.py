"""Products of random matrices against plain numpy, the determinant, the inverse product, and the predicted exponents."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.stability import matrix_product_growth
from mlp_core.stability.ensembles import ENSEMBLES, PRECISIONS, drawn_factors
from mlp_core.stability.products import MOST_DRAWN, affordable_trials, literal_growth, measured_rate, product_after, singular_value_path
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
    assert np.median(literal_growth("float32", 4, 200, 300).overflow_at) == pytest.approx(156, abs=4)


@pytest.mark.parametrize("ensemble", ["gaussian", "xavier", "orthogonal"])
@pytest.mark.parametrize("n", [1, 2, 4, 16])
def test_growth_rate_is_the_largest_exponent_within_sampling_error(n: int, ensemble: str) -> None:
    trials, start, end = 200, 20, 120
    growth = matrix_product_growth(n, end, trials, scale=1.3, seed=2, ensemble=ensemble)
    rates = (growth[:, -1] - growth[:, start - 1]) * LN10 / (end - start)
    scatter = math.sqrt(lyapunov_variances(n)[0] / (end - start) / trials)
    bend = 1.0 / (end - start) / math.sqrt(trials)  # the largest entry and the length of a column differ by a bounded factor
    assert abs(rates.mean() - ENSEMBLES[ensemble].exponents(n, 1.3)[0]) < 4 * (scatter + bend)


def test_uniform_entries_of_equal_variance_grow_faster_than_the_gaussian_prediction() -> None:
    growth = matrix_product_growth(4, 300, 200, ensemble="uniform")
    assert not ENSEMBLES["uniform"].exact
    assert growth[:, -1].mean() * LN10 / 300 - lyapunov_exponents(4)[0] == pytest.approx(0.029, abs=0.01)


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


def test_number_formats_end_where_the_standards_say() -> None:
    assert PRECISIONS["float16"].largest_log10 == pytest.approx(math.log10(65504))
    assert PRECISIONS["float32"].largest_log10 == pytest.approx(math.log10(np.finfo(np.float32).max))
    assert PRECISIONS["float64"].largest_log10 == pytest.approx(math.log10(np.finfo(np.float64).max))
    smallest = {"float16": 2.0**-24, "bfloat16": 2.0**-133, "float32": float(np.finfo(np.float32).smallest_subnormal), "float64": 5e-324}
    for name, value in smallest.items():
        assert PRECISIONS[name].smallest_log10 == pytest.approx(math.log10(value))


@pytest.mark.parametrize("precision", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("scale", [2.5, 0.12])
def test_literal_products_leave_the_format_where_the_true_size_does(precision: str, scale: float) -> None:
    n, factors, trials = 4, 600, 40
    growth = matrix_product_growth(n, factors, trials, scale)
    literal = literal_growth(precision, n, factors, trials, scale=scale)
    grows = scale > 1
    limit = PRECISIONS[precision].largest_log10 if grows else PRECISIONS[precision].smallest_log10
    crossed = growth > limit if grows else growth < limit
    expected = np.argmax(crossed, axis=1) + 1
    crossings, others = (literal.overflow_at, literal.underflow_at) if grows else (literal.underflow_at, literal.overflow_at)
    assert crossed.any(axis=1).all()
    assert np.isnan(others).all()
    # Rounding near the smallest numbers is coarse: a product of small survivors may last a few factors longer or shorter.
    assert np.all(np.abs(crossings - expected) <= (1 if grows else 4))
    last = literal.size_log10[np.arange(trials), crossings.astype(int) - 1]
    assert not np.isfinite(last).any()
    assert (last == -math.inf).all() != grows


def test_literal_products_agree_with_the_stable_ones_as_long_as_they_fit() -> None:
    growth = matrix_product_growth(4, 60, 20)
    np.testing.assert_allclose(literal_growth("float64", 4, 60, 20).size_log10, growth, atol=1e-10)
    np.testing.assert_allclose(literal_growth("float32", 4, 60, 20).size_log10, growth, atol=1e-3)


@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 5), st.floats(0.05, 5.0))
@settings(max_examples=30, deadline=None)
def test_a_snapshot_belongs_to_its_trial(n: int, k: int, trial: int, scale: float) -> None:
    snapshot = product_after(k, n, scale=scale, trial=trial, seed=3, precision="float64")
    size = matrix_product_growth(n, k, trial + 1, scale, 3)[trial, -1]
    assert snapshot.exponent + math.log10(np.abs(snapshot.mantissa).max()) == pytest.approx(size, abs=1e-9)
    assert 0.999999 < np.abs(snapshot.mantissa).max() < 10.000001
    np.testing.assert_allclose(snapshot.first, scale * factors_of(n, 1, trial, 3)[0], rtol=1e-12)
    np.testing.assert_allclose(snapshot.literal, snapshot.mantissa * 10.0**snapshot.exponent, rtol=1e-9)


def test_a_snapshot_shows_infinities_and_exact_zeros() -> None:
    assert not np.isfinite(product_after(60, 4, precision="float16").literal).any()
    assert not product_after(60, 4, precision="float16", scale=0.1).literal.any()
    assert np.isfinite(product_after(900, 4).mantissa).all()


@pytest.mark.parametrize("k", [1, 4, 30, 400])
def test_singular_values_of_three_dimensions_from_norm_inverse_and_determinant(k: int) -> None:
    """The largest is the product's norm, the smallest that of the product of inverses, the middle one is what the determinant leaves."""
    product = inverse = np.eye(3)
    log_size = log_inverse = log_determinant = 0.0
    for factor in factors_of(3, k, seed=4):
        product, inverse = factor @ product, inverse @ np.linalg.inv(factor)
        log_size, product = log_size + math.log10(np.abs(product).max()), product / np.abs(product).max()
        log_inverse, inverse = log_inverse + math.log10(np.abs(inverse).max()), inverse / np.abs(inverse).max()
        log_determinant += math.log10(abs(np.linalg.det(factor)))
    largest = log_size + math.log10(np.linalg.norm(product, 2))
    smallest = -log_inverse - math.log10(np.linalg.norm(inverse, 2))
    expected = [largest, log_determinant - largest - smallest, smallest]
    np.testing.assert_allclose(singular_value_path(3, [k], seed=4)[0], expected, atol=1e-9)


def test_singular_values_of_short_products_agree_with_the_svd() -> None:
    at = list(range(1, 9))
    path = singular_value_path(12, at, scale=1.7, trial=2)
    product = np.eye(12)
    for k, factor in enumerate(factors_of(12, 8, trial=2)):
        product = 1.7 * factor @ product
        np.testing.assert_allclose(path[k], np.log10(np.linalg.svd(product, compute_uv=False)), atol=1e-4)


def test_every_singular_value_grows_at_its_own_exponent() -> None:
    n, k = 8, 900
    path = singular_value_path(n, [100, k], seed=1)
    rates = (path[1] - path[0]) * LN10 / (k - 100)
    assert np.all(np.abs(rates - lyapunov_exponents(n)) < 4 * np.sqrt(lyapunov_variances(n) / (k - 100)))
    assert np.all(np.diff(path) < 0)


def test_products_of_orthogonal_matrices_keep_all_singular_values() -> None:
    path = singular_value_path(5, [1, 50, 500], scale=0.9, ensemble="orthogonal")
    np.testing.assert_allclose(path, np.outer([1, 50, 500], np.full(5, math.log10(0.9))), atol=1e-10)


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


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="precision must be one of float16, bfloat16, float32, float64, got 'float8'"):
        literal_growth("float8")
    for at in ([], [3, 2], [1, 1]):
        with pytest.raises(ValueError, match="at must be ascending"):
            singular_value_path(3, at)
    with pytest.raises(ValueError, match="factors must be a whole number of at least 1"):
        singular_value_path(3, [0, 1])


def test_the_measured_rate_is_the_slope_of_straight_lines() -> None:
    k = np.arange(1, 41)
    rate = measured_rate(np.stack([0.2 * k + 5.0, 0.4 * k - 1.0]))
    assert rate.mean == pytest.approx(0.3 * LN10)
    assert rate.error == pytest.approx(0.1 * LN10)  # two slopes that are 0.2 apart: sd 0.2/√2, over √2
    assert math.isnan(measured_rate(np.zeros((1, 40))).error)
    assert math.isnan(measured_rate(np.zeros((3, 1))).mean)


def test_the_measured_rate_has_the_predicted_one_within_its_error() -> None:
    rate = measured_rate(matrix_product_growth(4, 300, 300, seed=9))
    assert abs(rate.mean - lyapunov_exponents(4)[0]) < 4 * rate.error
    assert rate.error == pytest.approx(math.sqrt(lyapunov_variances(4)[0] / 270 / 300), rel=0.2)


@given(st.integers(1, 64), st.integers(1, 1000))
def test_trials_that_can_be_afforded_stay_within_the_budget(n: int, factors: int) -> None:
    trials = affordable_trials(n, factors)
    assert trials == 1 or trials * factors * n * n <= MOST_DRAWN
    assert (trials + 1) * factors * n * n > MOST_DRAWN


def test_ensembles_know_where_they_neither_grow_nor_die() -> None:
    assert ENSEMBLES["gaussian"].critical_scale(4) == pytest.approx(critical_scale(4))
    assert ENSEMBLES["xavier"].critical_scale(4) == pytest.approx(2 * critical_scale(4))
    assert ENSEMBLES["orthogonal"].critical_scale(4) == 1.0
    assert not ENSEMBLES["orthogonal"].variances(4).any()
