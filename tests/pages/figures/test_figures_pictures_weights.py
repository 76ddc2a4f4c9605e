"""First-layer weights become pictures whose colors are those of the scale beside them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.colors import sample_colorscale

from pages.figures import pictures
from pages.figures.palette import DIVERGING
from pages.figures.pictures import MIDDLE, WEIGHT_GAP
from tests.support.figures.pictures import pixels
from tests.support.figures.soundness import drawn, sound

weight_images = drawn(pictures.weight_images)


def end_of_scale(figure: go.Figure) -> float:
    marker = figure.data[1].marker
    assert marker.cmin == -marker.cmax
    return float(marker.cmax)


def test_each_weight_has_the_color_of_the_scale_at_its_place() -> None:
    weights = np.random.default_rng(0).normal(size=(5, 784))
    figure = weight_images(weights, columns=3)
    end, shown = end_of_scale(figure), pixels(figure.data[0].source)
    for unit, pixel in ((0, 0), (1, 783), (2, 400), (3, 29), (4, 5)):
        y, x = unit // 3 * (28 + WEIGHT_GAP) + pixel // 28, unit % 3 * (28 + WEIGHT_GAP) + pixel % 28
        share = np.clip((weights[unit, pixel] / end + 1) / 2, 0, 1)
        (expected,) = sample_colorscale(DIVERGING, [share], colortype="tuple")
        np.testing.assert_allclose(shown[y, x, :3] / 255, expected, atol=0.06)  # one of 63 steps
    assert (shown[..., 3] == 255).sum() == 5 * 784


def test_colors_are_symmetric_about_0() -> None:
    weights = np.linspace(-1, 1, 784)[None, :]
    plus, minus = (pixels(weight_images(w, columns=1).data[0].source)[..., :3] for w in (weights, -weights))
    np.testing.assert_array_equal(plus, minus[::-1, ::-1])
    assert len(np.unique(plus.reshape(-1, 3), axis=0)) == 2 * MIDDLE + 1


def test_scale_leaves_out_the_largest_half_percent_and_says_so() -> None:
    weights = np.linspace(0, 1, 784 * 4).reshape(4, 784)
    figure = weight_images(weights)
    assert end_of_scale(figure) == pytest.approx(0.995, abs=1e-3)
    assert figure.data[1].marker.colorbar.ticktext == ("≤ −0.99", "0", "≥ 0.99")


def test_what_is_not_finite_is_a_hole() -> None:
    weights = np.ones((1, 4))
    weights[0, 1:3] = np.nan, np.inf
    shown = pixels(weight_images(weights, columns=1).data[0].source)
    np.testing.assert_array_equal(shown[..., 3], [[255, 0], [0, 255]])


@pytest.mark.parametrize("weights", [np.zeros((3, 784)), np.full((3, 784), np.nan)])
def test_nothing_to_scale_is_no_error(weights: np.ndarray) -> None:
    assert end_of_scale(weight_images(weights)) == 1.0


def test_only_the_first_units_are_drawn_and_the_figure_is_light() -> None:
    weights = np.random.default_rng(0).normal(size=(256, 784))
    figure = weight_images(weights)
    assert len(figure.data[1].x) == 64
    assert figure.data[1].hovertext[63] == f"unit 64 of 256<br>|w| = {np.sqrt((weights[63] ** 2).sum()):.3g}"
    assert figure.layout.yaxis.scaleanchor == "x"
    sound(figure, 75_000)


def test_refuses_weights_that_are_no_square_image() -> None:
    with pytest.raises(ValueError, match="square number of weights, got 783"):
        weight_images(np.zeros((2, 783)))
