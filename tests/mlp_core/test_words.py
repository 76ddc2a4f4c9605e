"""Numbers in words keep their size through rounding and units, and none is written as a program writes it."""

from __future__ import annotations

import math
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.words import (
    count,
    counted,
    delta,
    duration,
    exactly,
    fixed,
    from_log10,
    joined,
    latex_number,
    percent,
    plus_minus,
    rounded,
    scaled,
    significant,
    squared,
)
from tests.support.reading import read

SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
finite = st.floats(allow_nan=False, allow_infinity=False)
NUMBER = r"−?\d[\d,]*(\.\d+)?( × 10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"


def test_what_a_person_reads_is_no_power_with_an_e_and_no_minus_zero() -> None:
    assert [significant(value) for value in (0.0123456, 1234.6, -4.51e-7, 2.64e268, 0.0, -0.0)] == [
        "0.0123", "1,235", "−4.51 × 10⁻⁷", "2.64 × 10²⁶⁸", "0", "0",
    ]  # fmt: skip
    assert [significant(value) for value in (math.inf, -math.inf, math.nan)] == ["∞", "−∞", "NaN"]
    assert [significant(value, 2) for value in (0.000999, 0.9996, 99_999.9, 100.0)] == ["0.001", "1", "1 × 10⁵", "100"]


@given(finite, st.integers(1, 6))
def test_a_number_is_right_to_its_digits(value: float, digits: int) -> None:
    text = significant(value, digits)
    assert re.fullmatch(NUMBER, text)
    assert not text.startswith("−0") or read(text) != 0
    assert abs(read(text) - Decimal(value)) <= abs(Decimal(value)) * Decimal(10) ** (1 - digits) / 2


@given(finite)
def test_a_setting_keeps_all_its_digits(value: float) -> None:
    text = exactly(value)
    assert re.fullmatch(NUMBER, text)
    assert float(read(text)) == value


def test_a_setting_is_written_with_the_zeros_it_is_known_by() -> None:
    shown = [exactly(value) for value in (1e-5, 0.1, 1e-7, 1000, 0.05, -2.5, 1.23456789)]
    assert shown == ["0.00001", "0.1", "1 × 10⁻⁷", "1,000", "0.05", "−2.5", "1.23456789"]


def test_a_rounded_number_keeps_its_decimals_and_a_zero_has_no_sign() -> None:
    assert [rounded(value, 2) for value in (1234.567, -0.001, -0.005001, 3)] == ["1,234.57", "0.00", "−0.01", "3.00"]


def test_the_square_of_a_setting_is_that_of_all_of_it() -> None:
    assert [squared(value) for value in (0.01, 1, 1e-7)] == ["0.01²", "1²", "(1 × 10⁻⁷)²"]


@given(finite, st.integers(0, 6))
def test_with_fixed_decimals_no_number_but_0_becomes_0(value: float, decimals: int) -> None:
    text = fixed(value, decimals)
    assert re.fullmatch(NUMBER, text)
    assert (read(text) == 0) == (value == 0)
    assert abs(read(text) - Decimal(value)) <= max(Decimal(10) ** -decimals / 2, abs(Decimal(value)) / 200)


def test_with_fixed_decimals() -> None:
    shown = [fixed(value, 4) for value in (0.98014, 0, -0.0, 1e-9, -0.00001, 3e32, 1234.5, math.nan)]
    assert shown == ["0.9801", "0", "0", "1 × 10⁻⁹", "−1 × 10⁻⁵", "3 × 10³²", "1,234.5000", "NaN"]


@given(st.floats(-300, 300))
def test_a_size_by_its_logarithm_is_the_number_to_two_digits(log10: float) -> None:
    assert float(read(from_log10(log10))) == pytest.approx(10**log10, rel=0.0501)


@pytest.mark.parametrize(
    ("log10", "spoken"),
    [
        (math.log10(4.5e-3), "0.0045"),
        (math.log10(4.5e-4), "4.5 × 10⁻⁴"),
        (math.log10(2e-17), "2.0 × 10⁻¹⁷"),
        (math.log10(8.7e15), "8.7 × 10¹⁵"),
        (math.log10(9.96e9), "1.0 × 10¹⁰"),
        (math.log10(0.028), "0.028"),
        (math.log10(2.84), "2.8"),
        (3.0, "1,000"),
        (-4000.5, "3.2 × 10⁻⁴⁰⁰¹"),
        (-math.inf, "0"),
        (math.inf, "∞"),
        (math.nan, "NaN"),
    ],
)
def test_sizes_by_their_logarithm(log10: float, spoken: str) -> None:
    assert from_log10(log10) == spoken


def test_a_formula_holds_no_number_that_latex_cannot_read() -> None:
    shown = [latex_number(value) for value in (3.364e-8, -1.5, 1234, 0, math.inf, -math.inf, math.nan)]
    assert shown == [r"3.36 \cdot 10^{-8}", "-1.5", "1{,}234", "0", r"\infty", r"-\infty", r"\mathrm{NaN}"]


@pytest.mark.parametrize(
    ("mean", "error", "shown"),
    [
        (8.53e-18, 0.628, "0.00 ± 0.63"),
        (-8.53e-18, 0.628, "0.00 ± 0.63"),
        (1.36004, 0.01123, "1.360 ± 0.011"),
        (-0.635, 0.0996, "−0.64 ± 0.10"),
        (1234.5, 56, "1,234 ± 56"),
        (0.58687, 0.00052, "0.58687 ± 0.00052"),
        (0.0, 5.2e-8, "0 ± 5.2 × 10⁻⁸"),
        (3.0, 0.0, "3 ± 0"),
        (2.5e12, 3e10, "2.5 × 10¹² ± 3 × 10¹⁰"),
        (math.nan, 1.0, "NaN"),
    ],
)
def test_a_number_ends_where_its_error_begins(mean: float, error: float, shown: str) -> None:
    assert plus_minus(mean, error) == shown


def test_a_difference_that_rounds_to_nothing_is_none() -> None:
    assert [delta(value, 1, "points") for value in (0.04, -0.04, 0.0, math.nan)] == [""] * 4
    assert [delta(0.0123, 4), delta(-1.5, 1, "points"), delta(1234.56, 1)] == ["+0.0123", "-1.5 points", "+1,234.6"]
    assert [delta(18_300_452_276_200.875, 4), delta(-2e5, 4)] == ["+1.83 × 10¹³", "-2 × 10⁵"]  # of a run that diverges


def test_one_of_a_thing_is_not_several() -> None:
    assert [counted(amount, "{n} layer", "{n} layers") for amount in (0, 1, 2, 1234)] == ["0 layers", "1 layer", "2 layers", "1,234 layers"]
    assert [counted(amount, "{n} pass", "{n} passes") for amount in (1, 3)] == ["1 pass", "3 passes"]


@given(st.floats(1e-3, 1e15, allow_nan=False))
def test_a_scaled_number_is_right_to_three_digits(number: float) -> None:
    digits, _, prefix = scaled(number).partition(" ")
    assert float(read(digits)) * SIZES[prefix] == pytest.approx(number, rel=5.001e-3)
    if 1 <= number < 9.995e14:
        assert re.fullmatch(r"\d{1,3}(\.\d{1,2})?", digits)


@pytest.mark.parametrize(
    ("number", "unit", "shown"),
    [
        (0, "", "0"),
        (0, "B", "0 B"),
        (999, "B", "999 B"),
        (999.6, "", "1 k"),
        (1000, "FLOP", "1 kFLOP"),
        (123_456, "", "123 k"),
        (999_400, "", "999 k"),
        (999_999, "", "1 M"),
        (407_060, "FLOP", "407 kFLOP"),
        (2.97e6, "B", "2.97 MB"),
        (1e12, "B", "1 TB"),
    ],
)
def test_scaled(number: float, unit: str, shown: str) -> None:
    assert scaled(number, unit) == shown


@given(st.floats(0, 1e6))
def test_a_duration_is_right_to_its_last_unit_and_never_has_sixty_of_one(seconds: float) -> None:
    parts = duration(seconds).split()
    amounts = dict(zip(parts[1::2], map(int, parts[::2]), strict=True))
    total = 3600 * amounts.get("h", 0) + 60 * amounts.get("min", 0) + amounts.get("s", 0)
    assert abs(total - seconds) <= (60 if "h" in amounts else 0.5)
    assert amounts.get("s", 0) < 60
    assert amounts.get("min", 0) < 60


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (75, "1 min 15 s"), (3599.7, "1 h 0 min"), (5400, "1 h 30 min")],
)
def test_duration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_counts_and_shares() -> None:
    assert count(1_234_567) == "1,234,567"
    assert count(0.5 * 10_000) == "5,000"
    assert percent(0.84375) == "84.4 %"
    assert count(2_557_261_727_322_544_640) == "2.56 × 10¹⁸"
    assert percent(0.1, 0) == "10 %"
    assert percent(-1e-9) == "0.0 %"
    assert percent(math.nan) == "–"


def test_sentences_without_words_are_left_out() -> None:
    assert joined("", "One.", "", "Two.") == "One. Two."
    assert joined() == ""
