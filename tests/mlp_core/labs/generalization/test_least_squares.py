"""Polynomials of least squares are those of 150-digit arithmetic."""

from __future__ import annotations

import mpmath
import numpy as np
import numpy.typing as npt
import pytest

from mlp_core.labs.generalization.least_squares import LeastSquares
from mlp_core.labs.generalization.polynomial import Sample, draw

DIGITS = 150  # exact below 10⁻¹⁰⁰, even by normal equations


def exactly(x: npt.NDArray[np.float64], degree: int) -> mpmath.matrix:
    """The features xⁱ/i!, (n, degree + 1)."""
    return mpmath.matrix([[mpmath.mpf(float(point)) ** power / mpmath.factorial(power) for power in range(degree + 1)] for point in x])


def exact_coefficients(train: Sample, degree: int) -> mpmath.matrix:
    """Of least squares; of all where many fit, the smallest."""
    X, y = exactly(train.x, degree), mpmath.matrix([mpmath.mpf(float(value)) for value in train.y])
    return mpmath.lu_solve(X.T * X, X.T * y) if degree < len(train) else X.T * mpmath.lu_solve(X * X.T, y)


@pytest.mark.parametrize(
    ("degree", "count", "spread"),
    [(1, 5, 1.0), (19, 25, 1.0), (24, 25, 1.0), (30, 25, 1.0), (30, 31, 0.1), (30, 60, 10.0), (30, 5, 1.0), (30, 10, 10.0), (19, 14, 0.1)],
)
def test_fit_and_coefficients_are_those_of_150_digits(degree: int, count: int, spread: float) -> None:
    train, test = draw(count, 0.1, 0, spread)
    found = LeastSquares.of(train.x, train.y, degree)
    with mpmath.workdps(DIGITS):
        w = exact_coefficients(train, degree)
        fitted, elsewhere = ([float(value) for value in exactly(sample.x, degree) * w] for sample in (train, test))
        coefficients = np.array([float(value) for value in w])
    np.testing.assert_allclose(found.fitted, fitted, rtol=1e-11, atol=1e-11 * np.abs(train.y).max())
    np.testing.assert_allclose(found.values(test.x), elsewhere, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.coefficients, coefficients, rtol=1e-8, atol=1e-8 * np.abs(coefficients).max())


def test_as_many_coefficients_as_points_go_through_all_of_them() -> None:
    for degree in (24, 27, 30):
        train, _ = draw(25, 0.1, 0)
        np.testing.assert_allclose(LeastSquares.of(train.x, train.y, degree).fitted, train.y, rtol=1e-12)


def test_of_all_polynomials_through_the_points_the_smallest_is_taken() -> None:
    found = LeastSquares.of(np.array([2.0]), np.array([6.0]), 1).coefficients  # w₀ + 2 w₁ = 6
    np.testing.assert_allclose(found, [1.2, 2.4])


@pytest.mark.parametrize("x", [[], [1.0, 2.0, 1.0]])
def test_points_that_no_polynomial_goes_through_are_refused(x: list[float]) -> None:
    with pytest.raises(ValueError, match="x: must be different numbers"):
        LeastSquares.of(np.array(x), np.zeros(len(x)), 3)
