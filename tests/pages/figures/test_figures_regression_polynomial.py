"""The fit stays in a frame that its points give, and coefficients of any size and sign find a place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.figures import regression
from pages.figures.regression import symmetric_log
from tests.support.figures.soundness import drawn, sound

coefficient_stems = drawn(regression.coefficient_stems)
fitted_curve = drawn(regression.fitted_curve)

GRID = np.linspace(-2, 2, 5)
POINTS = (np.array([-1.0, 1.0]), np.array([0.0, 10.0]))


def test_the_frame_fits_the_points_however_far_the_polynomial_goes() -> None:
    figure = fitted_curve(GRID, GRID, np.array([1e30, 1, 2, 3, -math.inf]), POINTS, POINTS)
    sound(figure, 12_000)
    assert figure.layout.yaxis.range == (-2.5, 12.5)
    fitted = figure.data[3]
    assert fitted.name == "fitted"
    assert list(fitted.y[1:4]) == [1, 2, 3]
    assert np.nanmax(fitted.y) < 100
    assert math.isnan(fitted.y[4])


def test_before_anything_is_learned_there_is_no_fitted_curve() -> None:
    assert "fitted" not in [trace.name for trace in fitted_curve(GRID, GRID, None, POINTS, POINTS).data]


def test_learned_stands_beside_true_and_zero_beyond_the_true_ones() -> None:
    figure = coefficient_stems(np.array([5.1, 1.0, -100.0]), np.array([5.0, 1.2]))
    sound(figure, 8000)
    learned, true = figure.data[1], figure.data[2]
    np.testing.assert_allclose(learned.y, [1 + math.log10(5.1), 1, -3])
    np.testing.assert_allclose(true.y, [1 + math.log10(5), 1 + math.log10(1.2), 0])
    assert list(learned.text) == ["5.1", "1", "−100"]


@pytest.mark.parametrize("values", [[math.nan] * 4, [math.inf, -math.inf, 0, 1], [1e300] * 31])
def test_any_coefficients_can_be_drawn(values: list[float]) -> None:
    sound(coefficient_stems(np.array(values), np.array([5, 1.2, -3.4, 5.6])), 20_000)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_the_axis_keeps_order_and_sign(a: float, b: float) -> None:
    one, two = symmetric_log([a, b])
    assert one == -symmetric_log(-a)
    assert (one <= two) or a > b
