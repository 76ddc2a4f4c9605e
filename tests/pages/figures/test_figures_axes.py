"""The axis in powers of ten keeps what a log axis drops."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pages.figures.axes import MOST_TICKS, Log10Axis, power_label

exponents = st.floats(-5000, 5000)
anything = st.one_of(exponents, st.sampled_from([math.inf, -math.inf, math.nan]))


@given(st.lists(anything, max_size=30))
def test_every_value_has_a_place_in_the_frame(values: list[float]) -> None:
    axis = Log10Axis.around([values])
    placed = axis.place(values)
    low, high = axis.layout("size")["range"]
    assert np.all((placed > low) & (placed < high))
    finite = np.isfinite(values)
    np.testing.assert_array_equal(placed[finite], np.array(values)[finite])


@given(st.lists(anything, min_size=1, max_size=30))
def test_zero_lies_below_all_numbers_and_infinity_above(values: list[float]) -> None:
    axis = Log10Axis.around([values])
    placed, array = axis.place(values), np.array(values)
    numbers = placed[np.isfinite(array)]
    assert np.all(placed[array == -math.inf] < numbers.min(initial=math.inf))
    assert np.all(placed[np.isnan(array) | (array == math.inf)] > numbers.max(initial=-math.inf))


@given(exponents, st.floats(0, 8000))
def test_ticks_are_few_and_at_even_powers_of_ten(low: float, span: float) -> None:
    layout = Log10Axis.around([[low, low + span]]).layout("size")
    places = np.array(layout["tickvals"])
    assert 1 <= len(places) <= MOST_TICKS
    assert np.all(places == np.round(places))
    assert len(set(np.diff(places))) <= 1
    assert layout["ticktext"] == [power_label(int(place)) for place in places]


def test_rails_are_labeled() -> None:
    layout = Log10Axis.around([[0.0, 8.0, -math.inf, math.nan]]).layout("size")
    assert layout["ticktext"][0] == "exactly 0"
    assert layout["ticktext"][-1] == "∞ or NaN"
    assert "exactly 0" not in Log10Axis.around([[0.0, 8.0]]).layout("size")["ticktext"]


def test_values_it_was_not_made_for_become_gaps() -> None:
    assert np.isnan(Log10Axis(0.0, 1.0).place([-math.inf, math.inf, math.nan])).all()


def test_powers_are_labeled() -> None:
    assert [power_label(exponent) for exponent in (-20, 0, 3)] == ["10<sup>−20</sup>", "1", "10<sup>3</sup>"]
