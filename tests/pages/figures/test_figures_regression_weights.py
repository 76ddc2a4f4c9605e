"""λ = 0 has a place on a logarithmic axis, and weights are shown in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.figures import regression
from pages.figures.regression import ZERO_GAP, penalty_axis, penalty_places
from tests.support.figures.soundness import drawn, sound

ordered_weights = drawn(regression.ordered_weights)


def test_zero_stands_left_of_the_smallest() -> None:
    assert penalty_places([0.0, 0.01, 1.0, 100.0]) == pytest.approx([-2 - ZERO_GAP, -2, 0, 2])


@given(st.lists(st.floats(1e-6, 100), min_size=1, max_size=20, unique=True))
def test_places_are_in_the_order_of_the_penalties(decays: list[float]) -> None:
    places = penalty_places([0.0, *sorted(decays)])
    assert (np.diff(places) >= 0).all()
    assert places[0] < places[1]


def test_the_axis_names_zero_and_the_powers_of_ten() -> None:
    axis = penalty_axis([0.0, 0.01, 0.5, 30.0])
    assert axis["ticktext"] == ["0", "0.01", "0.1", "1", "10"]
    assert axis["tickvals"] == pytest.approx([-2 - ZERO_GAP, -2, -1, 0, 1])
    assert axis["range"][0] < -2 - ZERO_GAP < np.log10(30) < axis["range"][1]


def test_weights_are_in_order_beside_the_true_value() -> None:
    figure = ordered_weights({"L2": np.array([3.0, -1, 2]), "L1": np.array([0.0, np.inf, 1])}, 0.01)
    sound(figure, 6000)
    assert list(figure.data[0].y) == [-1, 2, 3]
    assert list(figure.data[1].y[:2]) == [0, 1]
    assert list(figure.data[2].y) == [0.01, 0.01]


def test_the_picture_is_as_high_as_the_penalized_weights_need() -> None:
    figure = ordered_weights({"L2": np.array([-0.2, 0.1]), "L1": np.array([0.0, np.nan])}, 0.01, {"λ = 0": np.array([-3.0, 3.0])})
    sound(figure, 6000)
    low, high = figure.layout.yaxis.range
    assert -0.25 < low < -0.2
    assert 0.1 < high < 0.15
    assert list(figure.data[2].y) == [-3, 3]


def test_weights_that_are_all_gone_still_have_a_picture() -> None:
    low, high = ordered_weights({"L2": np.array([np.inf, np.nan]), "L1": np.zeros(2)}, 0.0).layout.yaxis.range
    assert low < 0 < high
