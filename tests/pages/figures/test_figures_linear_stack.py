"""The pictures of the collapse show the arrays they are given."""

from __future__ import annotations

import numpy as np

from pages.figures import linear
from pages.figures.linear import LEAST
from pages.figures.palette import GREY, MEASURED
from tests.support.figures.soundness import drawn, sound

difference_curve = drawn(linear.difference_curve)
singular_value_bars = drawn(linear.singular_value_bars)
missed_curve = drawn(linear.missed_curve)

SLOPES = np.array([1.0, 0.5, 0.0])


def test_singular_values_beyond_the_rank_are_grey() -> None:
    figure = singular_value_bars(np.array([4.0, 2.0, 4e-16, 0.0]), 2)
    sound(figure, 8000)
    heads = figure.data[1]
    assert list(heads.y) == [1.0, 0.5, 1e-16, LEAST]
    assert list(heads.marker.color) == [MEASURED, MEASURED, GREY, GREY]


def test_a_product_of_zeros_can_be_drawn() -> None:
    assert list(singular_value_bars(np.zeros(3), 0).data[1].y) == [LEAST] * 3


def test_the_ring_is_where_the_dial_stands() -> None:
    for draw, scale in ((difference_curve, 1.0), (missed_curve, 100.0)):
        figure = draw(SLOPES, np.array([1e-9, 0.25, 0.5]), 0.5)
        sound(figure, 8000)
        curve, ring = figure.data
        np.testing.assert_allclose(curve.y, np.array([1e-9, 0.25, 0.5]) * scale)
        assert (ring.x[0], ring.y[0]) == (0.5, 0.25 * scale)


def test_no_difference_at_all_stays_on_the_log_axis() -> None:
    assert min(difference_curve(SLOPES, np.zeros(3), 1.0).data[0].y) > 0
