"""The measured plane against autograd, and the predicted line against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import torch

from mlp_core.labs.stability.gradient_map import VarianceMap, gradient_map_log10


def test_the_map_agrees_with_autograd_through_one_network() -> None:
    depth, width, sigma_w, sigma_b = 6, 16, 1.3, 0.4
    generator = torch.Generator().manual_seed(2)
    draws = [torch.randn(width, width + 1, generator=generator, dtype=torch.float64) for _ in range(depth)]
    h = torch.randn(4, width, generator=generator, dtype=torch.float64).requires_grad_()
    top = torch.randn(4, width, generator=generator, dtype=torch.float64)
    signals = [h]
    for Z in draws:
        signals.append(torch.tanh(signals[-1] @ Z[:, :width].T * sigma_w / math.sqrt(width) + sigma_b * Z[:, width]))
    gradients = torch.autograd.grad((signals[-1] * top).sum(), signals)
    expected = [math.log10(gradient.norm() / top.norm()) for gradient in reversed(gradients)]
    drawn = gradient_map_log10("tanh", np.array([0.5, sigma_w]), np.array([0.0, sigma_b]), depth, width=width, seed=2)
    assert drawn.shape == (2, depth + 1)
    np.testing.assert_allclose(drawn[1], expected, atol=1e-10)


def test_the_map_of_relu_is_flat_at_the_square_root_of_two_and_shifts_with_sigma() -> None:
    sigma_w = np.array([0.1, 1.0, math.sqrt(2), 3.0])
    drawn = gradient_map_log10("relu", sigma_w, np.zeros(4), 15, width=256)
    assert np.abs(drawn[2]).max() < 0.3
    np.testing.assert_allclose(drawn[[0, 3]] - drawn[1], np.outer(np.log10([0.1, 3.0]), np.arange(16)), atol=1e-9)


def test_the_map_of_a_step_is_an_exact_zero() -> None:
    assert (gradient_map_log10("step", np.ones(1), np.zeros(1), 3)[0, 1:] == -math.inf).all()


def test_relu_is_critical_at_the_square_root_of_two() -> None:
    sigma_w = np.array([0.5, 1.0, math.sqrt(2), 2.0, 3.0])
    np.testing.assert_allclose(VarianceMap(torch.relu).chi(sigma_w, np.full(5, 0.3)), sigma_w**2 / 2, rtol=1e-6)


def test_tanh_without_bias_forgets_below_one() -> None:
    sigma_w = np.array([0.3, 0.9])
    np.testing.assert_allclose(VarianceMap(torch.tanh).chi(sigma_w, np.zeros(2)), sigma_w**2, rtol=1e-3)


@pytest.mark.parametrize(("sigma_w", "sigma_b"), [(1.5, 0.3), (2.5, 0.0), (4.0, 1.0)])
def test_fixed_point_agrees_with_a_root_found_on_gauss_hermite_nodes(sigma_w: float, sigma_b: float) -> None:
    nodes, weights = scipy.special.roots_hermitenorm(200)
    weights = weights / weights.sum()

    def excess(q: float) -> float:
        return float(sigma_w**2 * (weights @ np.tanh(math.sqrt(q) * nodes) ** 2) + sigma_b**2 - q)

    root = scipy.optimize.brentq(excess, 1e-3, 50.0)
    slope_square = weights @ np.cosh(math.sqrt(root) * nodes) ** -4.0
    variance_map = VarianceMap(torch.tanh)
    at = np.array([sigma_w]), np.array([sigma_b])
    assert variance_map.fixed_point(*at)[0] == pytest.approx(root, rel=2e-3)
    assert variance_map.chi(*at)[0] == pytest.approx(sigma_w**2 * slope_square, rel=1e-2)


def test_the_critical_line_of_relu_is_upright_and_that_of_the_sigmoid_is_far() -> None:
    np.testing.assert_allclose(VarianceMap(torch.relu).critical_sigma_w(np.array([0.0, 1.0]), 4.0), math.sqrt(2), atol=0.01)
    sigmoid = VarianceMap(torch.sigmoid)
    assert np.isnan(sigmoid.critical_sigma_w(np.zeros(1), 4.0)).all()
    line = sigmoid.critical_sigma_w(np.array([0.0, 2.0]), 20.0)
    np.testing.assert_allclose(sigmoid.chi(line, np.array([0.0, 2.0])), 1.0, atol=0.01)
