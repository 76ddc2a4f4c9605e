"""Words for a person: numbers keep their size through rounding and units, and a stranger's text stays text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.text import count, duration, ordinal, percent, plain, scaled

SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


@given(st.text(max_size=400), st.integers(10, 100))
def test_a_strangers_text_is_one_piece_of_code_of_bounded_length(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert re.fullmatch(r"`[^`\n]+`", shown)
    assert len(shown) <= limit + 2


def test_what_is_harmless_is_shown_as_it_is() -> None:
    assert plain("[a](http://b) $x$ <i>") == "`[a](http://b) $x$ <i>`"
    assert plain(0.25) == "`0.25`"
    assert plain("") == "` `"
    assert plain("x" * 11, 10) == "`xxxxxxxxx…`"
    assert plain("a`b\n\n# c") == "`a b # c`"


@given(st.floats(1e-3, 1e15, allow_nan=False))
def test_a_scaled_number_is_right_to_three_digits_and_at_most_six_letters_long(number: float) -> None:
    digits, _, prefix = scaled(number).partition(" ")
    assert float(digits) * SIZES[prefix] == pytest.approx(number, rel=5.001e-3)
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
    assert percent(0.1, 0) == "10 %"


def test_places_in_a_line() -> None:
    said = [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "10th",
        "11th",
        "12th",
        "13th",
        "14th",
        "20th",
        "21st",
        "22nd",
        "23rd",
        "30th",
        "101st",
        "111th",
        "112th",
        "1,013th",
    ]
    assert [ordinal(int(word[:-2].replace(",", ""))) for word in said] == said
