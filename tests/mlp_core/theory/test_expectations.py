"""Expectations against closed forms, Gauss-Hermite quadrature and mpmath; where there is none, it is said."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import scipy.special
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from torch import Tensor

from mlp_core.activations import ACTIVATIONS
from mlp_core.expression import compile_expression
from mlp_core.theory.expectations import Function, gaussian_moments, log_expectations, log_parts, parts_mean


def moments_of(function: Function, mean: float, std: float) -> tuple[float, float, float]:
    """E[φ], E[φ²] and E[φ'²] for z ~ N(mean, std²)."""

    def quantities(value: Tensor, slope: Tensor) -> list[Tensor]:
        return [*log_parts(value), 2 * value.abs().log(), 2 * slope.abs().log()]

    logs, _ = log_expectations(function, np.array([2 * math.log(std)]), quantities, mean)
    return float(parts_mean(logs[:, :2])[0]), float(np.exp(logs[0, 2])), float(np.exp(logs[0, 3]))


@pytest.mark.parametrize("q", [1e-6, 0.3, 1.0, 40.0])
def test_moments_of_relu_in_closed_form(q: float) -> None:
    moments = gaussian_moments(torch.relu, np.log([q]))
    assert moments.mean[0] == pytest.approx(math.sqrt(q / (2 * math.pi)), rel=1e-6)
    assert math.exp(moments.log_mean_square[0]) == pytest.approx(q / 2, rel=1e-6)
    assert math.exp(moments.log_slope_square[0]) == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("q", [1e-3, 1.0, 1e4])
def test_moments_of_erf_in_closed_form(q: float) -> None:
    """Williams (1998): E[erf²] = 2/π asin(2q/(1+2q)); the slope is a Gaussian, so its square integrates too. At q = 1e4 it is narrow."""
    moments = gaussian_moments(torch.erf, np.log([q]))
    assert math.exp(moments.log_mean_square[0]) == pytest.approx(2 / math.pi * math.asin(2 * q / (1 + 2 * q)), rel=1e-6)
    assert math.exp(moments.log_slope_square[0]) == pytest.approx(4 / math.pi / math.sqrt(1 + 4 * q), rel=1e-6)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gelu", "silu", "softplus"])
@pytest.mark.parametrize("q", [0.05, 1.0])  # beyond, Gauss-Hermite itself is off by 1e-5: tanh has poles near the real axis
def test_moments_agree_with_gauss_hermite_quadrature_of_high_order(name: str, q: float) -> None:
    function = {"sigmoid": torch.sigmoid, "tanh": torch.tanh}.get(name) or getattr(torch.nn.functional, name)
    nodes, weights = scipy.special.roots_hermitenorm(150)
    x = torch.tensor(nodes * math.sqrt(q), requires_grad=True)
    value = function(x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    weights = weights / weights.sum()
    moments = gaussian_moments(function, np.log([q]))
    assert moments.mean[0] == pytest.approx(weights @ value.detach().numpy(), rel=1e-6, abs=1e-12)
    assert math.exp(moments.log_mean_square[0]) == pytest.approx(weights @ value.detach().numpy() ** 2, rel=1e-6)
    assert math.exp(moments.log_slope_square[0]) == pytest.approx(weights @ slope.numpy() ** 2, rel=1e-6)


@given(st.floats(-1400, 1400))
def test_variances_beyond_the_range_of_float64_are_no_special_case(log_q: float) -> None:
    moments = gaussian_moments(torch.relu, np.array([log_q]))
    assert moments.log_mean_square[0] == pytest.approx(log_q - math.log(2), abs=1e-3)


def test_a_constant_has_an_exact_zero_slope() -> None:
    moments = gaussian_moments(lambda x: torch.full_like(x, 2.0), np.zeros(1))
    assert moments.log_slope_square[0] == -math.inf
    assert math.exp(moments.log_mean_square[0]) == pytest.approx(4.0)


@settings(deadline=None, max_examples=30)
@given(st.floats(-5, 5), st.floats(0.2, 10))
def test_moments_of_hard_tanh_and_relu_in_the_tails(mean: float, std: float) -> None:
    """Kinks anywhere, and what is left of a function far out: P(|z| < 1), and relu's of the truncated normal distribution."""
    with mpmath.workdps(400):  # the terms cancel in the tail
        z, s = mpmath.mpf(mean), mpmath.mpf(std)
        inside = float(mpmath.ncdf((1 - z) / s) - mpmath.ncdf((-1 - z) / s))
        positive, density = mpmath.ncdf(z / s), mpmath.npdf(z / s)
        relu = float(z * positive + s * density), float((z**2 + s**2) * positive + z * s * density), float(positive)
    assert moments_of(ACTIVATIONS["hard_tanh"], mean, std)[2] == pytest.approx(inside, rel=1e-6, abs=1e-300)
    assert moments_of(ACTIVATIONS["relu"], mean, std) == pytest.approx(relu, rel=1e-6, abs=1e-300)


@settings(deadline=None, max_examples=60)
@given(st.floats(-1e-2, 1e-2), st.sampled_from([-2.5, -0.5, 0.0, 0.5, 1.5, 3.0, 6.0]))
@example(0.007184425381724134, 3.0)  # was off by 1.05e-7
def test_a_jump_anywhere_in_a_panel_is_found(near: float, place: float) -> None:
    """Near the middle of a panel all of its nodes on one side make just half of it."""
    jump = place + near
    found = moments_of(lambda x: (x > jump).to(x.dtype), 0.0, 1.0)
    assert found[0] == pytest.approx(norm.sf(jump), rel=1e-7)


@pytest.mark.parametrize("power", [4, 8, 16])
def test_moments_of_powers_reach_far_out(power: int) -> None:
    found = moments_of(lambda x: x**power, 0.0, 1.0)
    even = [scipy.special.factorial2(n - 1, exact=True) for n in (power, 2 * power, 2 * power - 2)]
    assert found == pytest.approx((even[0], even[1], power**2 * even[2]), rel=1e-8)


@pytest.mark.parametrize("power", [-0.4, 0.55, 0.6, 0.75])
def test_moments_of_functions_that_are_infinite_or_steep_at_a_point(power: float) -> None:
    """E|z|^a = 2^(a/2) Γ((a + 1)/2) / √π, for a > -1."""

    def absolute(a: float) -> float:
        return 2 ** (a / 2) * math.gamma((a + 1) / 2) / math.sqrt(math.pi) if a > -1 else math.inf

    found = moments_of(lambda x: x.abs() ** power, 0.0, 1.0)
    assert found == pytest.approx((absolute(power), absolute(2 * power), power**2 * absolute(2 * power - 2)), rel=1e-4)


def test_an_integrable_place_away_from_0_is_integrated_too() -> None:
    with mpmath.workdps(30):
        expected = mpmath.quad(lambda x: mpmath.mpf("0.5625") / mpmath.sqrt(abs(x - 1)) * mpmath.npdf(x), [-12, 0, 1, 2, 12])
    assert moments_of(compile_expression("abs(x - 1)^0.75"), 0.0, 1.0)[2] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("text", "infinite"),
    [
        ("1/x", "mean square slope"), ("1/(x - 1)", "mean square slope"), ("1/floor(x)", "mean square"), ("sqrt(abs(x))", "slope"),
        ("sqrt(abs(x - 1))", "slope"), ("abs(x)^-0.4", "slope"), ("where(x > 0, log(x), 0)", "slope"), ("log(abs(x))", "slope"),
        ("exp(0.2*x^2)", ""), ("exp(0.26*x^2)", "square slope"), ("exp(0.5*x^2)", "mean square slope"),
        ("exp(exp(x))", "mean square slope"), ("exp(x)", ""), ("x^16", ""), ("floor(x)", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mean", [0.0, 0.3])
def test_an_integral_that_diverges_has_no_number(text: str, infinite: str, mean: float) -> None:
    found = dict(zip(("mean", "square", "slope"), moments_of(compile_expression(text), mean, 1.0), strict=True))
    assert [name for name, value in found.items() if not math.isfinite(value)] == infinite.split()


@pytest.mark.parametrize("text", ["sin(1000*x)", "cos(300*x)"])
def test_a_fast_oscillation_is_resolved(text: str) -> None:
    assert moments_of(compile_expression(text), 0.0, 1.0)[1] == pytest.approx(0.5, rel=1e-6)


def test_many_jumps_are_integrated_and_what_is_too_wild_has_no_number() -> None:
    stairs = [(k / 100, norm.cdf((k + 1) / 100) - norm.cdf(k / 100)) for k in range(-800, 800)]
    assert moments_of(compile_expression("floor(100*x)/100"), 0.0, 1.0)[1] == pytest.approx(sum(p * k**2 for k, p in stairs), rel=1e-5)
    assert math.isnan(moments_of(compile_expression("sin(10000000*x)"), 0.0, 1.0)[1])


def test_what_is_undefined_is_left_out_and_its_probability_told() -> None:
    logs, undefined = log_expectations(compile_expression("log(x)"), np.zeros(1), lambda value, _: log_parts(value), -1.0)
    assert undefined[0] == pytest.approx(norm.cdf(1.0), rel=1e-7)
    with mpmath.workdps(30):
        whole = mpmath.quad(lambda x: mpmath.log(x) * mpmath.npdf(x, -1), [0, 1, 2, 15])
    assert parts_mean(logs)[0] == pytest.approx(float(whole) / norm.sf(1.0), rel=1e-6)
    for text in ("log(x)", "log(-1 - x^2)"):  # theory has no part of a network
        moments = gaussian_moments(compile_expression(text), np.zeros(1))
        assert np.isnan([moments.mean, moments.log_mean_square, moments.log_slope_square]).all()


@pytest.mark.parametrize("std", [1e3, 1e6])
@pytest.mark.parametrize("shift", [0.0, 7.0])
def test_a_narrow_slope_is_found_in_a_wide_distribution(std: float, shift: float) -> None:
    """E[tanh'²] → ∫ sech⁴ = 4/3 times the density there."""
    found = moments_of(lambda x: torch.tanh(x - shift), 0.0, std)
    assert found[2] == pytest.approx(4 / 3 * norm.pdf(shift, 0, std), rel=1e-4)
    assert found[1] == pytest.approx(1 - 2 * norm.pdf(0, 0, std), rel=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_wider_distribution_of_a_wider_function_is_the_same(name: str) -> None:
    """… though the panels lie elsewhere, as kinks and jumps do."""
    entry = ACTIVATIONS[name]
    one, other = moments_of(entry, 0.3, 2.0), moments_of(lambda x: entry(x / 7), 2.1, 14.0)
    assert other == pytest.approx((one[0], one[1], one[2] / 49), rel=1e-6, abs=1e-9)
