"""Singular values of products against norm, inverse, determinant and SVD, and the predicted exponents."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mlp_core.labs.stability.singular_values import singular_value_path
from mlp_core.stability.products import drawn_factors
from mlp_core.theory import Array, lyapunov_exponents, lyapunov_variances

LN10 = math.log(10)


def factors_of(n: int, factors: int, trial: int = 0, seed: int = 0, ensemble: str = "gaussian") -> list[Array]:
    return [factor.numpy() for factor in drawn_factors(ensemble, n, factors, trial, seed)]


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


def test_impossible_requests_are_refused() -> None:
    for at in ([], [3, 2], [1, 1]):
        with pytest.raises(ValueError, match="at must be ascending"):
            singular_value_path(3, at)
    with pytest.raises(ValueError, match="factors must be a whole number of at least 1"):
        singular_value_path(3, [0, 1])
