"""A stage is drawn pixel for pixel in its proportions, and neighbors in their order, each above its own words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pages.figures import pictures
from pages.figures.pictures import MOST_SIDE, NEIGHBOR_GAP, grey_colors, grey_indices
from tests.support.figures.pictures import pixels
from tests.support.figures.soundness import drawn, sound

neighbor_grid = drawn(pictures.neighbor_grid)
stage_picture = drawn(pictures.stage_picture)

NAMES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def noise(*shape: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(28, 28), (28, 17), (1, 28), (1, 1), (101, 280)])
def test_a_small_stage_keeps_every_pixel_square(shape: tuple[int, int]) -> None:
    image = noise(*shape)
    figure = stage_picture(image)
    drawn = pixels(figure.data[0].source)
    factor = drawn.shape[0] // shape[0]
    np.testing.assert_array_equal(drawn[::factor, ::factor], grey_colors()[grey_indices(image)])
    assert drawn.shape[:2] == (factor * shape[0], factor * shape[1])
    assert max(drawn.shape[:2]) >= 100
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.xaxis.range == (-0.5, drawn.shape[1] - 0.5)
    assert figure.layout.yaxis.range == (drawn.shape[0] - 0.5, -0.5)  # the first row on top


@pytest.mark.parametrize("shape", [(560, 560), (281, 40), (40, 560)])
def test_a_large_stage_is_sent_no_larger_than_it_is_drawn(shape: tuple[int, int]) -> None:
    figure = stage_picture(noise(*shape))
    height, width = pixels(figure.data[0].source).shape[:2]
    assert max(height, width) <= MOST_SIDE
    assert height * shape[1] == pytest.approx(width * shape[0], rel=0.03)
    sound(figure, 130_000)  # noise does not compress


def test_neighbors_stand_in_order_each_above_its_words() -> None:
    images, labels, distances = noise(8, 28, 28), [5, 5, 7, 9, 0, 1, 2, 3], [0, 1.234, 2, 3, 4, 5, 6, 17.5]
    figure = neighbor_grid(images, labels, distances, NAMES)
    drawn, captions = pixels(figure.data[0].source), figure.data[1]
    for i, image in enumerate(images):
        top, left = i // 4 * (28 + NEIGHBOR_GAP[0]), i % 4 * (28 + NEIGHBOR_GAP[1])
        np.testing.assert_array_equal(drawn[top : top + 28, left : left + 28], grey_colors()[grey_indices(image)])
        assert captions.text[i] == f"{NAMES[labels[i]]}<br>{distances[i]:.2f}"
        assert captions.x[i] == left + 13.5  # the middle of 28 pixels
        assert top + 27 < captions.y[i] < top + 28 + NEIGHBOR_GAP[0]
    assert (drawn[..., 3] == 255).sum() == 8 * 28 * 28  # the page shows between them
    sound(figure, 15_000)
