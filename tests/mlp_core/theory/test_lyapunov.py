"""The growth of products of Gaussian matrices against closed forms, scipy and simulation by QR."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.theory import critical_scale, lyapunov_exponents, lyapunov_variances

EULER_GAMMA = 0.5772156649015329


@pytest.mark.parametrize("n", [1, 2, 3, 4, 17, 64])
def test_lyapunov_exponents_follow_newman(n: int) -> None:
    i = np.arange(1, n + 1)
    expected = 0.5 * (math.log(2) + scipy.special.digamma((n - i + 1) / 2)) + math.log(0.7)
    np.testing.assert_allclose(lyapunov_exponents(n, 0.7), expected, rtol=0, atol=1e-13)


def test_lyapunov_exponents_of_the_book() -> None:
    np.testing.assert_allclose(lyapunov_exponents(4), [0.5580, 0.3648, 0.0580, -0.6352], atol=5e-5)


def test_one_dimension_is_the_mean_logarithm_of_a_normal_variate() -> None:
    assert lyapunov_exponents(1)[0] == pytest.approx(-(EULER_GAMMA + math.log(2)) / 2, abs=1e-14)


@pytest.mark.parametrize("n", [1, 3, 4, 9])
def test_lyapunov_exponents_and_their_scatter_agree_with_a_simulation_by_qr(n: int) -> None:
    generator, chains, factors = np.random.default_rng(5), 200, 60
    Q = np.broadcast_to(np.eye(n), (chains, n, n))
    logs = np.empty((factors, chains, n))
    for k in range(factors):
        Q, R = np.linalg.qr(generator.standard_normal((chains, n, n)) @ Q)
        logs[k] = np.log(np.abs(np.diagonal(R, axis1=1, axis2=2)))
    samples = chains * factors
    error = np.sqrt(lyapunov_variances(n) / samples)
    assert np.all(np.abs(logs.mean(axis=(0, 1)) - lyapunov_exponents(n)) < 4 * error)
    np.testing.assert_allclose(logs.var(axis=(0, 1)), lyapunov_variances(n), rtol=0.1)


def test_critical_scale_of_the_book() -> None:
    assert critical_scale(4) == pytest.approx(0.5724, abs=5e-5)


@given(st.integers(1, 64))
def test_at_the_critical_scale_the_largest_exponent_is_zero(n: int) -> None:
    assert abs(lyapunov_exponents(n, critical_scale(n))[0]) < 1e-14
    assert critical_scale(n) > 1 / math.sqrt(n)


def test_critical_scale_approaches_the_mean_square_rule_as_matrices_grow() -> None:
    ratios = [critical_scale(n) * math.sqrt(n) for n in (1, 2, 4, 16, 64, 256)]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] == pytest.approx(1.0, abs=0.003)


@pytest.mark.parametrize("n", [0, -1, 2.5, True, "4"])
def test_sizes_that_are_none_are_refused(n: object) -> None:
    with pytest.raises(ValueError, match="n must be a whole number"):
        lyapunov_exponents(n)  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_scales_that_are_not_positive_are_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale must be a positive number"):
        lyapunov_exponents(4, scale)
