"""Singular values give what numpy, a loop of gradient steps and an augmented system give."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.labs.generalization.linear_fit import LinearFit

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 5)), RNG.normal(size=12)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 25), st.integers(0, 2**31 - 1))
def test_no_penalty_is_numpys_and_scipys_least_squares_of_any_shape(n: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(size=n)
    found = LinearFit.of(x).ridge(y, 0.0)
    expected, _, _, singular = np.linalg.lstsq(x, y, rcond=None)
    scale = np.abs(expected).max() * singular.max() / singular.min()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13 * scale)
    np.testing.assert_allclose(found, scipy.linalg.lstsq(x, y, lapack_driver="gelsy")[0], rtol=1e-7, atol=1e-12 * scale)


def test_gradient_descent_is_that_of_a_loop() -> None:
    rate, w = 0.1, np.zeros(5)
    for _ in range(37):
        w -= rate * X.T @ (X @ w - Y) / len(X)
    np.testing.assert_allclose(LinearFit.of(X).gradient_descent(Y, rate, 37), w, rtol=1e-11)


def test_a_direction_that_is_hardly_learned_keeps_its_digits() -> None:
    """X = diag(s): w = (1 − (1 − η s²/n)^t) y / s, about t η s y / n, where 1 − (1 − …)^t would be rounding divided by s."""
    s, rate, steps = np.array([1.0, 1e-6, 1e-9, 1e-12]), 0.1, 10_000
    found = LinearFit.of(np.diag(s)).gradient_descent(np.ones(4), rate, steps)
    with mpmath.workdps(60):
        expected = [float((1 - (1 - mpmath.mpf(rate) * mpmath.mpf(one) ** 2 / 4) ** steps) / mpmath.mpf(one)) for one in s]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_gradient_descent_ends_at_least_squares_and_begins_at_nothing() -> None:
    fit = LinearFit.of(X)
    np.testing.assert_allclose(fit.gradient_descent(Y, float(len(X) / np.linalg.norm(X, 2) ** 2), 10_000), fit.ridge(Y, 0.0), rtol=1e-10)
    assert not fit.gradient_descent(Y, 0.1, 0).any()


def test_gradient_descent_diverges_beyond_two_over_the_largest_eigenvalue_and_not_below() -> None:
    fit = LinearFit.of(X)
    eigenvalue = np.linalg.eigvalsh(X.T @ X / len(X)).max()
    assert np.abs(fit.gradient_descent(Y, 1.99 / eigenvalue, 5000)).max() < 10
    assert not np.isfinite(fit.gradient_descent(Y, 2.5 / eigenvalue, 100_000)).all()


@pytest.mark.parametrize("decay", [1e-3, 0.5, 100.0])
def test_ridge_is_least_squares_of_the_augmented_system(decay: float) -> None:
    """½‖Xw − y‖²/n + ½λ‖w‖² is ½/n of the squares of X over √(nλ) I, y over 0."""
    augmented = np.vstack([X, np.sqrt(len(X) * decay) * np.eye(5)])
    expected = np.linalg.lstsq(augmented, np.concatenate([Y, np.zeros(5)]), rcond=None)[0]
    np.testing.assert_allclose(LinearFit.of(X).ridge(Y, decay), expected, rtol=1e-10)


def test_features_of_zeros_learn_nothing() -> None:
    nothing = LinearFit.of(np.zeros((3, 2)))
    assert nothing.ridge(np.ones(3), 0.0).tolist() == nothing.gradient_descent(np.ones(3), 0.1, 5).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_features_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        LinearFit.of(np.array([[1.0, value]]))
