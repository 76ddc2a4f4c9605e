"""The start page's small computations against closed forms, theory and truth tables."""

from __future__ import annotations

import numpy as np
import pytest

from mlp_core.labs.previews import bowl, fitted_too_well, product_sizes, sigmoid_with_gradient, xor_by_hidden_units
from mlp_core.theory import lyapunov_exponents


def test_the_sigmoid_and_its_gradient() -> None:
    x, value, gradient = sigmoid_with_gradient()
    assert (x[0], x[-1], len(x)) == (-8, 8, 121)
    assert value == pytest.approx(0.5 * (1 + np.tanh(x / 2)), rel=1e-12)
    assert gradient == pytest.approx(0.25 / np.cosh(x / 2) ** 2, rel=1e-9)
    assert gradient.max() == gradient[60] == 0.25


def test_products_of_random_matrices_grow_at_the_rate_of_theory() -> None:
    sizes = product_sizes(trials=200, factors=100)
    assert sizes.shape == (200, 100)
    rate = (sizes[:, -1] - sizes[:, 9]).mean() / 90
    assert rate == pytest.approx(lyapunov_exponents(4)[0] / np.log(10), abs=0.01)


def test_products_are_the_products_of_their_factors_and_the_same_every_time() -> None:
    generator = np.random.default_rng(3)
    factors = [generator.standard_normal((2, 3, 3)) for _ in range(5)]
    expected = [np.log10(np.abs(np.linalg.multi_dot([factor[1] for factor in factors[: k + 1]])).max()) for k in range(1, 5)]
    assert product_sizes(trials=2, factors=5, n=3, seed=3)[1, 1:] == pytest.approx(expected, rel=1e-9)
    assert np.array_equal(product_sizes(), product_sizes())


def test_four_hidden_units_solve_xor() -> None:
    axis, output = xor_by_hidden_units()
    x, y = np.meshgrid(axis, axis)
    assert output == pytest.approx(np.abs(x - y) - np.abs(x + y), abs=1e-12)
    apart = np.minimum(np.abs(x), np.abs(y)) > 1e-9
    assert np.array_equal(output[apart] > 0, (x * y < 0)[apart])


def test_the_fit_is_nearer_to_the_points_than_the_truth_and_farther_between_them() -> None:
    x, truth, fit, xs, ys = fitted_too_well(points=2001)
    at_points = np.interp(xs, x, fit), np.interp(xs, x, truth)
    errors = [float(np.square(curve - ys).mean()) for curve in at_points]
    assert errors[0] < 0.2 * errors[1]
    assert np.abs(fit - truth).max() > 3 * np.abs(ys - at_points[1]).max()
    solution = np.linalg.lstsq(np.vander(xs, 15), ys, rcond=None)[0]
    assert fit == pytest.approx(np.vander(x, 15) @ solution, abs=1e-3)


def test_the_bowl_and_its_gradient() -> None:
    columns, rows, values, (x, y), gradient = bowl()
    assert values[10, 40] == pytest.approx(columns[40] ** 2 + 3 * rows[10] ** 2)
    step = 1e-6
    numeric = [((x + step) ** 2 - (x - step) ** 2) / (2 * step), 3 * ((y + step) ** 2 - (y - step) ** 2) / (2 * step)]
    assert gradient == pytest.approx(numeric, rel=1e-6)
