"""The drawn line is the perceptron's, the drawn bound the theory's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pages.figures import linear
from tests.support.figures.soundness import drawn, sound

mistakes_curve = drawn(linear.mistakes_curve)
perceptron_plane = drawn(linear.perceptron_plane)

POINTS, LABELS = np.array([[1.0, 2], [-1, 0.5], [3, -2]]), np.array([1.0, -1, 1])


@pytest.mark.parametrize("weights", [(1.0, 2.0, -3.0), (0.0, -2.0, 1.0), (4.0, 0.0, 0.0)])
def test_every_point_of_the_line_is_on_it(weights: tuple[float, float, float]) -> None:
    w = np.array(weights)
    figure = perceptron_plane(POINTS, LABELS, w, None, 1)
    sound(figure, 8000)
    minus, plus, before, line, ring = figure.data
    np.testing.assert_allclose(np.column_stack([line.x, line.y]) @ w[:2] + w[2], 0, atol=1e-9)
    assert math.hypot(line.x[0] - line.x[1], line.y[0] - line.y[1]) > 20
    assert (minus.x.tolist(), plus.x.tolist(), len(before.x)) == ([-1.0], [1.0, 3.0], 0)
    assert (ring.x[0], ring.y[0]) == (-1.0, 0.5)
    (arrow,) = figure.layout.annotations
    assert np.array([arrow.x, arrow.y]) @ w[:2] + w[2] > 0  # towards +1


def test_before_the_first_mistake_there_is_no_line() -> None:
    figure = perceptron_plane(POINTS, LABELS, np.zeros(3), np.zeros(3), None)
    sound(figure, 8000)
    assert [len(trace.x) for trace in figure.data[2:]] == [0, 0, 0]
    assert not figure.layout.annotations


def test_the_bound_is_drawn_where_it_is_near() -> None:
    near = mistakes_curve([0, 1, 1, 2, 3], 12.0)
    sound(near, 8000)
    assert near.layout.shapes[0].y0 == 12.0
    assert near.layout.yaxis.range[1] > 12
    assert not mistakes_curve([0, 1, 1, 2, 3], 1e6).layout.shapes
    assert not mistakes_curve([0, 1, 1, 2, 3], math.inf).layout.shapes


def test_a_long_history_is_thinned_and_keeps_its_end() -> None:
    figure = mistakes_curve(list(range(50_000)), math.inf)
    sound(figure, 30_000)
    assert (figure.data[0].x[-1], figure.data[0].y[-1]) == (49_999, 49_999)
