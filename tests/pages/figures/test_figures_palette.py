"""Colors tell the layers apart, from cold to warm, on white and on near-black; a choice of layers keeps both ends."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.figures.palette import OUTPUT, SKY, VERMILION, depth_colors
from pages.figures.series import evenly_spread


def luminance(color: str) -> float:
    """Relative luminance by WCAG 2.1."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@given(st.integers(0, 100))
def test_one_color_a_layer_and_none_twice(count: int) -> None:
    colors = depth_colors(count)
    assert len(set(colors)) == len(colors) == count
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)
    assert OUTPUT.lower() not in colors


def test_the_first_is_cold_and_the_last_warm() -> None:
    assert depth_colors(1) == [SKY.lower()]
    assert [depth_colors(5)[0], depth_colors(5)[-1]] == [SKY.lower(), VERMILION.lower()]


@pytest.mark.parametrize("page", ["#FFFFFF", "#0E1117"])
def test_every_line_is_seen_in_light_and_dark(page: str) -> None:
    assert min(contrast(color, page) for color in depth_colors(20)) > 2.2


@given(st.integers(0, 200), st.integers(2, 12))
def test_some_layers_are_spread_and_keep_both_ends(count: int, most: int) -> None:
    shown = evenly_spread(count, most).tolist()
    assert len(shown) == min(count, most)
    assert shown == sorted(set(shown))
    if count:
        assert (shown[0], shown[-1]) == (0, count - 1)
        gaps = [after - before for before, after in pairwise(shown)]
        assert not gaps or max(gaps) - min(gaps) <= 1
