"""One cell written out: brackets, elisions, and an equals sign only where no digit is left out."""

from __future__ import annotations

import math

import pytest

from mlp_core.labs.tensors.operations import (
    Cell,
    absolute,
    added,
    counted,
    is_exact,
    moved,
    multiplied,
    number,
    rooted,
    summed,
    written_out,
)


def cells(*values: float) -> list[Cell]:
    return [Cell((index,), value) for index, value in enumerate(values)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (-0.5, "−0.5"),
        (1 / 3, "0.33333"),
        (12345.0, "12345"),
        (1e38, "1 × 10³⁸"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
    ],
)
def test_a_number_for_a_person(value: float, text: str) -> None:
    assert number(value) == text


def test_what_five_digits_show_in_full() -> None:
    assert is_exact(0.10000000149011612)  # 0.1 as float32 has it
    assert is_exact(math.inf)
    assert not is_exact(1 / 3)
    assert not is_exact(123456.0)


def test_negative_numbers_stand_in_brackets() -> None:
    assert summed([cells(1, -4)]) == "1 + (−4)"
    assert multiplied([cells(1, -2), cells(-5, 7)]) == "1·(−5) + (−2)·7"
    assert added([cells(1), cells(-1)]) == "1 + (−1)"
    assert absolute([cells(3, -4)]) == "|3| + |−4|"
    assert rooted([cells(3, -4)]) == "√(3² + (−4)²)"


def test_places_and_sizes() -> None:
    assert moved([[Cell((1, 0), 7.0)]]) == "A[1, 0]"
    assert counted([[Cell((row, column), 0.0) for row in range(2) for column in range(3)]]) == "2·3"


def test_a_long_sum_is_cut_in_its_middle() -> None:
    assert summed([cells(*range(1, 10))]) == "1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9"
    assert summed([cells(*range(1, 65))]) == "1 + 2 + 3 + 4 + 5 + 6 + 7 + … + 64"


def test_rounding_is_admitted() -> None:
    assert written_out(summed, [cells(1, 4)], 5.0) == "1 + 4 = 5"
    assert written_out(rooted, [cells(1, 1)], math.sqrt(2)) == "√(1² + 1²) ≈ 1.4142"
    assert written_out(summed, [cells(16777216, 1)], 16777216.0) == "1.6777 × 10⁷ + 1 ≈ 1.6777 × 10⁷"
