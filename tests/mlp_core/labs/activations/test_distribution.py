"""A normal distribution pushed through an activation, against integrals and the normal distribution's own tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from mlp_core.activations import ACTIVATIONS
from mlp_core.expression import compile_expression
from mlp_core.labs.activations.distribution import BINS, BinShares, bin_edges, gradient_scale_log10, push_through
from mlp_core.spec import SpecError

MEANS, STDS = st.integers(-20, 20).map(lambda k: k / 10), st.integers(2, 30).map(lambda k: k / 10)


def total(histogram: BinShares) -> float:
    return float((histogram.active + histogram.saturated + histogram.dead).sum())


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(sorted(ACTIVATIONS)), MEANS, STDS)
def test_every_input_falls_into_one_bin_of_either_histogram(name: str, mean: float, std: float) -> None:
    pushed = push_through(ACTIVATIONS[name], mean, std)
    assert total(pushed.inputs) == pytest.approx(1)
    assert total(pushed.outputs) == pytest.approx(1)
    for part in ("active", "saturated", "dead"):
        assert getattr(pushed.inputs, part).sum() == pytest.approx(getattr(pushed.outputs, part).sum())
    assert pushed.inputs.dead.sum() == pytest.approx(pushed.dead_fraction, abs=1e-4)
    assert pushed.undefined_fraction == 0


@settings(deadline=None, max_examples=40)
@given(MEANS, STDS)
def test_relu_has_half_a_normal_distribution(mean: float, std: float) -> None:
    pushed = push_through(ACTIVATIONS["relu"], mean, std)
    positive = norm.cdf(mean / std)
    first, second = mean * positive + std * norm.pdf(mean / std), (mean**2 + std**2) * positive + mean * std * norm.pdf(mean / std)
    assert pushed.dead_fraction == pytest.approx(1 - positive, rel=1e-6)
    assert math.exp(pushed.log_slope_square) == pytest.approx(positive, rel=1e-6)
    assert pushed.mean_output == pytest.approx(first, rel=1e-6)
    assert pushed.std_output == pytest.approx(math.sqrt(second - first**2), rel=1e-5)
    assert pushed.saturated_fraction is None


@settings(deadline=None, max_examples=40)
@given(MEANS, STDS)
def test_tanh_saturates_where_its_output_passes_097(mean: float, std: float) -> None:
    edge = math.atanh(0.97)
    outside = norm.cdf((-edge - mean) / std) + norm.sf((edge - mean) / std)
    pushed = push_through(ACTIVATIONS["tanh"], mean, std)
    assert pushed.saturated_fraction == pytest.approx(outside, rel=1e-6)
    assert pushed.dead_fraction <= 2 * norm.sf((18 - abs(mean)) / std)  # 1 − tanh² is exactly 0 beyond 18.7
    assert pushed.inputs.saturated.sum() == pytest.approx(outside, abs=1e-4)


def test_sigmoid_saturates_outside_003_and_097() -> None:
    edge = math.log(0.97 / 0.03)
    assert push_through(ACTIVATIONS["sigmoid"], 0, 3).saturated_fraction == pytest.approx(2 * norm.sf(edge / 3), rel=1e-6)


def test_moments_of_tanh_are_its_integrals() -> None:
    mean, std = 0.5, 1.5
    density = norm(mean, std).pdf
    pushed = push_through(ACTIVATIONS["tanh"], mean, std)
    first = quad(lambda z: math.tanh(z) * density(z), -15, 15)[0]
    second = quad(lambda z: math.tanh(z) ** 2 * density(z), -15, 15)[0]
    slope = quad(lambda z: (1 - math.tanh(z) ** 2) ** 2 * density(z), -15, 15)[0]
    assert pushed.mean_output == pytest.approx(first, rel=1e-7)
    assert pushed.std_output == pytest.approx(math.sqrt(second - first**2), rel=1e-7)
    assert math.exp(pushed.log_slope_square) == pytest.approx(slope, rel=1e-7)


def test_hard_tanh_and_step_die_where_they_are_flat() -> None:
    assert push_through(ACTIVATIONS["hard_tanh"], 0, 1).dead_fraction == pytest.approx(2 * norm.sf(1), rel=1e-6)
    assert push_through(ACTIVATIONS["step"], 0, 1).dead_fraction == pytest.approx(1, rel=1e-12)


def test_the_parameter_reaches_function_and_saturation() -> None:
    pushed = push_through(ACTIVATIONS["elu"], 0, 3, alpha=2.0)
    assert pushed.saturated_fraction == pytest.approx(norm.cdf(math.log(0.03 / 2) / 3), rel=1e-6)  # 2 (exp(z) - 1) < -2 + 0.03


def test_the_histogram_of_inputs_is_normal() -> None:
    histogram = push_through(ACTIVATIONS["identity"], 1.0, 2.0).inputs
    expected = np.diff(norm(1.0, 2.0).cdf(histogram.edges))
    np.testing.assert_allclose(histogram.active, expected, atol=1e-4)


def test_the_moments_at_the_edge_are_not_those_of_a_few_quantiles() -> None:
    hard_tanh, relu = (push_through(ACTIVATIONS[name], -5, 1).log_slope_square for name in ("hard_tanh", "relu"))
    assert math.exp(hard_tanh) == pytest.approx(norm.sf(4) - norm.sf(6), rel=1e-6)  # 3.17e-5
    assert math.exp(relu) == pytest.approx(norm.sf(5), rel=1e-6)  # 2.9e-7
    fourth = push_through(compile_expression("x^4"), 0, 1)
    assert (fourth.mean_output, fourth.std_output) == pytest.approx((3, math.sqrt(96)), rel=1e-7)


def test_a_large_mean_does_not_swallow_the_spread() -> None:
    pushed = push_through(compile_expression("x + 10^7"), 0, 0.1)
    assert (pushed.mean_output, pushed.std_output) == pytest.approx((1e7, 0.1), rel=1e-6)


def test_an_integral_that_diverges_is_not_a_number() -> None:
    inverse, root = (push_through(compile_expression(text), 0, 1) for text in ("1/x", "sqrt(abs(x))"))
    assert math.isnan(inverse.mean_output)
    assert inverse.std_output == inverse.log_slope_square == root.log_slope_square == math.inf
    assert (root.mean_output, root.std_output) == pytest.approx((0.822179, math.sqrt(math.sqrt(2 / math.pi) - 0.822179**2)), rel=1e-5)


def test_what_is_undefined_is_left_out_and_counted() -> None:
    pushed = push_through(compile_expression("log(x)"), 0, 1)
    assert pushed.undefined_fraction == pytest.approx(0.5)
    assert total(pushed.outputs) == pytest.approx(1)
    assert pushed.mean_output == pytest.approx(-(np.euler_gamma + math.log(2)) / 2, rel=1e-6)  # E ln |z|
    assert pushed.log_slope_square == math.inf


def test_a_function_that_is_nowhere_finite() -> None:
    pushed = push_through(compile_expression("log(-1 - x^2)"), 0, 1)
    assert pushed.undefined_fraction == pytest.approx(1)
    assert np.isnan([pushed.mean_output, pushed.std_output, pushed.log_slope_square]).all()
    assert total(pushed.outputs) == 0


@pytest.mark.parametrize(("mean", "std", "field"), [(6, 1, "mean"), (0, 0, "std"), (math.nan, 1, "mean"), (0, 11, "std")])
def test_a_distribution_outside_its_bounds_is_refused(mean: float, std: float, field: str) -> None:
    with pytest.raises(SpecError) as refused:
        push_through(ACTIVATIONS["relu"], mean, std)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("mean_square", "variance", "depth", "power"),
    [(0.5, 2.0, 50, 0.0), (0.5, 1.0, 20, 10 * math.log10(0.5)), (1 / 16, 1.0, 10, 10 * math.log10(0.25)), (0.0, 2.0, 3, -math.inf)],
)
def test_the_gradient_through_depth(mean_square: float, variance: float, depth: int, power: float) -> None:
    slope_square = math.log(mean_square) if mean_square else -math.inf
    assert gradient_scale_log10(slope_square, variance, depth) == pytest.approx(power)


@pytest.mark.parametrize("expression", ["x+1e16", "max(x, 1e17)", "3e38*x^16", "-3e38*x^15", "0*x+1e-300", "x*1e-300", "max(x, 5)"])
def test_outputs_that_are_nearly_one_number_or_huge_fall_into_bins(expression: str) -> None:
    pushed = push_through(compile_expression(expression), 0, 1)
    edges = pushed.outputs.edges
    assert np.isfinite(edges).all()
    assert (np.diff(edges) > 0).all()
    assert total(pushed.outputs) == pytest.approx(1)


def test_bins_are_those_of_numpy_where_it_has_some() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 1000)
    assert np.allclose(bin_edges(values), np.histogram_bin_edges(values, BINS), rtol=1e-12)
    assert np.allclose(bin_edges(np.empty(0)), np.histogram_bin_edges([], BINS))
