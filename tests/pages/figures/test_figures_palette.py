"""Colors tell the layers apart, from cold to warm, on white and on near-black; a choice of layers keeps both ends."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.figures.palette import OUTPUT, SERIES, SKY, VERMILION, depth_colors, series_style
from pages.figures.series import evenly_spread


def luminance(color: str) -> float:
    """Relative luminance by WCAG 2.1."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


PAGES = ("#FFFFFF", "#0E1117")  # light and dark
# What a color-blind reader sees of linear red, green and blue, at full severity (Machado, Oliveira and Fernandes 2009, table 1).
COLOR_BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
CONES = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]]
OPPONENTS = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def oklab(color: str, blindness: str) -> Any:
    """Lightness and two opponent colors as a reader sees them (Ottosson 2020); black and white are 1 apart."""
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return OPPONENTS @ np.cbrt(CONES @ np.clip(COLOR_BLINDNESS[blindness] @ linear, 0, 1))


def test_ten_runs_are_told_apart_by_color_and_dash() -> None:
    looks = [series_style(index) for index in range(10)]
    assert len({(look["color"], look["dash"]) for look in looks}) == 10
    assert all(contrast(look["color"], page) >= 3 for look in looks for page in PAGES)


@pytest.mark.parametrize(("blindness", "apart"), [("none", 0.2), ("protanopia", 0.13), ("deuteranopia", 0.13), ("tritanopia", 0.13)])
def test_colors_of_series_are_told_apart_by_every_reader(blindness: str, apart: float) -> None:
    seen = [oklab(color, blindness) for color in SERIES]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > apart


@given(st.integers(0, 100))
def test_one_color_a_layer_and_none_twice(count: int) -> None:
    colors = depth_colors(count)
    assert len(set(colors)) == len(colors) == count
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)
    assert OUTPUT.lower() not in colors


def test_the_first_is_cold_and_the_last_warm() -> None:
    assert depth_colors(1) == [SKY.lower()]
    assert [depth_colors(5)[0], depth_colors(5)[-1]] == [SKY.lower(), VERMILION.lower()]


@pytest.mark.parametrize("page", PAGES)
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
