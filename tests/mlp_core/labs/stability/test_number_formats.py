"""Products in a number format: where the standards say that it ends, and like the stable ones as long as they fit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.labs.stability.growth import PRECISIONS, literal_growth, product_after
from mlp_core.stability import matrix_product_growth
from mlp_core.stability.products import drawn_factors
from mlp_core.theory import Array


def factors_of(n: int, factors: int, trial: int = 0, seed: int = 0, ensemble: str = "gaussian") -> list[Array]:
    return [factor.numpy() for factor in drawn_factors(ensemble, n, factors, trial, seed)]


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
    # A sum overflows with its largest term, also where the terms cancel; and rounding near the smallest numbers is coarse. So a product may
    # last a few factors longer or shorter.
    assert np.all(np.abs(crossings - expected) <= 4)
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


def test_float32_overflows_where_the_chapter_says() -> None:
    assert np.median(literal_growth("float32", 4, 200, 300).overflow_at) == pytest.approx(156, abs=4)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="precision must be one of float16, bfloat16, float32, float64, got 'float8'"):
        literal_growth("float8")
