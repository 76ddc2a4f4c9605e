"""The pictures, labels and fractions shown are those of the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pages.figures import predictions
from pages.figures.palette import FAULT, GREY, HEALTHY
from pages.figures.pictures import grey_colors, grey_indices, png, tile
from pages.figures.predictions import TILE_GAP
from tests.support.figures.pictures import pixels
from tests.support.figures.soundness import drawn, sound

NAMES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
confusion_matrix, prediction_grid = drawn(predictions.confusion_matrix), drawn(predictions.prediction_grid)
probability_bars = drawn(predictions.probability_bars)
CLASSES = st.integers(0, 9)


def noise(n: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def grid(n: int = 7, columns: int = 3, **changes: Any) -> go.Figure:
    true, predicted = np.arange(n) % 10, np.where(np.arange(n) % 2, np.arange(n) % 10, 5)
    shown: dict[str, Any] = {"images": noise(n), "true": true, "predicted": predicted, "class_names": NAMES}
    shown.update(changes, columns=columns)
    return prediction_grid(**shown)


def frames(figure: go.Figure, color: str) -> npt.NDArray[np.float64]:
    """(n, 4): left, top, right, bottom of each frame of that color."""
    (trace,) = [trace for trace in figure.select_traces({"mode": "lines"}) if trace.line.color == color]
    x, y = np.asarray(trace.x, dtype=np.float64).reshape(-1, 6)[:, :5], np.asarray(trace.y, dtype=np.float64).reshape(-1, 6)[:, :5]
    return np.column_stack([x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)])


@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 4))),
    st.integers(1, 4),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
@settings(deadline=None)
def test_tile_puts_every_pixel_in_its_place(images: npt.NDArray[np.uint8], columns: int, gap: tuple[int, int]) -> None:
    n, height, width = images.shape
    canvas = tile(images, columns, gap, 99)
    rows = -(-n // columns)
    assert canvas.shape == (rows * (height + gap[0]) - gap[0], columns * (width + gap[1]) - gap[1])
    covered = np.zeros(canvas.shape, dtype=bool)
    for i, y, x in np.ndindex(n, height, width):
        place = (i // columns * (height + gap[0]) + y, i % columns * (width + gap[1]) + x)
        assert canvas[place] == images[i, y, x]
        covered[place] = True
    assert (canvas[~covered] == 99).all()


@settings(deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))), arrays.arrays(np.uint8, (256, 4)))
def test_png_reads_back_as_it_was_written(indices: npt.NDArray[np.uint8], colors: npt.NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(pixels(png(indices, colors)), colors[indices])


def test_grey_tiles_keep_the_order_of_brightness_and_are_opaque() -> None:
    shades = grey_colors()[grey_indices(np.arange(256, dtype=np.uint8))].astype(int)
    assert (shades[:, 3] == 255).all()
    assert (np.diff(shades[:, :3].sum(axis=1)) >= 0).all()
    assert len({tuple(shade) for shade in shades}) > 200


def test_grid_shows_each_image_at_its_place_and_the_page_between() -> None:
    images = noise(7)
    shown = pixels(grid().data[0].source)
    for i, image in enumerate(images):
        top, left = i // 3 * (28 + TILE_GAP[0]), i % 3 * (28 + TILE_GAP[1])
        patch = shown[top : top + 28, left : left + 28]
        np.testing.assert_array_equal(patch, grey_colors()[np.minimum(image, 254)])
    assert shown.shape == (3 * 28 + 2 * TILE_GAP[0], 3 * 28 + 2 * TILE_GAP[1], 4)
    assert (shown[..., 3] == 255).sum() == 7 * 28 * 28  # gaps and the two empty places are transparent


def test_frames_enclose_right_images_in_green_and_wrong_ones_in_vermilion() -> None:
    right = {i for i in range(7) if i % 2 or i == 5}
    for color, members in ((HEALTHY, right), (FAULT, set(range(7)) - right)):
        for (left, top, *rest), i in zip(frames(grid(), color).tolist(), sorted(members), strict=True):
            x, y = i % 3 * (28 + TILE_GAP[1]), i // 3 * (28 + TILE_GAP[0])
            assert left < x - 0.5  # pixel x spans x - 0.5 to x + 0.5
            assert top < y - 0.5
            assert rest[0] > x + 27.5
            assert rest[1] > y + 27.5
            assert rest[0] - left < 28 + TILE_GAP[1]  # … and does not reach the next


@given(st.lists(st.tuples(CLASSES, CLASSES), min_size=1, max_size=12))
@settings(deadline=None, max_examples=25)
def test_captions_say_right_or_wrong_without_color(pairs: list[tuple[int, int]]) -> None:
    true, predicted = zip(*pairs, strict=True)
    indices = [7 * index for index in range(len(pairs))]
    figure = grid(len(pairs), images=noise(len(pairs)), true=true, predicted=predicted, indices=indices)
    (captions,) = [trace.text for trace in figure.select_traces({"mode": "text"})]
    for caption, (is_, said) in zip(captions, pairs, strict=True):
        assert caption == (f"✓ {NAMES[is_]}" if is_ == said else f"✗ {NAMES[said]}<br>is {NAMES[is_]}")
    assert list(figure.data[-1].customdata) == indices
    assert len(frames(figure, HEALTHY)) + len(frames(figure, FAULT)) == len(pairs)


def test_hover_names_the_three_likeliest_classes_in_order() -> None:
    probabilities = np.zeros((1, 10))
    probabilities[0, [3, 7, 1, 0]] = 0.5, 0.3, 0.15, 0.05
    hover = grid(1, images=noise(1), true=[7], predicted=[3], probabilities=probabilities).data[-1].hovertext[0]
    assert hover == "true: sneaker<br>predicted: dress<br>dress 50.0 %<br>sneaker 30.0 %<br>trouser 15.0 %"


def test_images_keep_their_shape_and_the_grid_is_light() -> None:
    figure = grid(24, 8, images=noise(24))
    assert figure.layout.yaxis.scaleanchor == "x"
    sound(figure, 40_000)  # noise does not compress: 25 kB of base64, in which plotly writes each slash as six characters


def test_probability_bars_are_percent_and_colored_by_truth() -> None:
    probabilities = np.array([0.1, 0.6, 0.3])
    for true, expected in ((1, HEALTHY), (2, FAULT), (None, HEALTHY)):
        figure = probability_bars(probabilities, ("a", "b", "c"), true)
        (bars,) = figure.data
        np.testing.assert_allclose(bars.x, [10, 60, 30])
        assert list(bars.marker.color) == [GREY, expected, GREY]
        assert list(bars.y) == [f"✓ {name}" if i == true else name for i, name in enumerate("abc")]
        sound(figure, 2_000)


def test_the_bar_of_the_given_prediction_is_colored_even_if_it_is_not_the_likeliest() -> None:
    (bars,) = probability_bars(np.array([0.5, 0.5]), ("a", "b"), true=0, predicted=1).data
    assert list(bars.marker.color) == [GREY, FAULT]


counts_of = arrays.arrays(np.int64, (10, 10), elements=st.integers(0, 1000))


@given(counts_of)
@settings(deadline=None, max_examples=25)
def test_confusion_colors_are_shares_and_numbers_are_counts(counts: npt.NDArray[np.int64]) -> None:
    figure = confusion_matrix(counts, NAMES)
    mistakes, hits, numbers = (np.asarray(figure.data[0].z), np.asarray(figure.data[1].z), figure.data[2])
    for i, j in np.ndindex(10, 10):
        total = sum(counts[i].tolist())
        mine, other = (hits, mistakes) if i == j else (mistakes, hits)
        assert np.isnan(other[i, j])
        if total == 0:
            assert np.isnan(mine[i, j])
        else:
            assert mine[i, j] == pytest.approx(100 * counts[i, j] / total)
        place = 10 * i + j
        assert (numbers.y[place], numbers.x[place]) == (NAMES[i], NAMES[j])
        assert numbers.text[place] == (str(counts[i, j]) if counts[i, j] else "·")
    sound(figure, 22_000)


def test_confusion_cells_know_their_classes_and_say_their_numbers() -> None:
    counts = np.zeros((10, 10), dtype=np.int64)
    counts[6] = [150, 0, 100, 0, 50, 0, 700, 0, 0, 0]
    figure = confusion_matrix(counts, NAMES)
    for heatmap in figure.data[:2]:
        assert np.asarray(heatmap.customdata)[6, 0].tolist() == [6, 0]
        assert np.asarray(heatmap.customdata)[2, 9].tolist() == [2, 9]
    assert figure.data[0].hovertext[6, 0] == "true shirt, taken for t-shirt<br>150 images<br>15.0 % of this class"
    assert figure.data[1].hovertext[6, 6] == "true shirt, taken for what it is<br>700 images<br>70.0 % of this class"
    assert figure.data[0].hovertext[6, 6] == ""
    assert list(figure.data[0].y) == list(figure.data[0].x) == list(NAMES)


def test_each_color_scale_starts_at_0_and_is_drawn_up_to_its_end() -> None:
    figure = confusion_matrix(np.array([[900, 100], [80, 120]]), ("a", "b"))
    for cells, scale, end in ((figure.data[0], figure.data[3], 40.0), (figure.data[1], figure.data[4], 100.0)):
        assert (cells.zmin, cells.zmax) == (scale.zmin, scale.zmax) == (0, end)
        assert cells.colorscale == scale.colorscale
        assert (scale.x[0], scale.x[-1]) == (0, end)
        np.testing.assert_allclose(np.asarray(scale.z)[0], scale.x)
    assert [figure.layout[axis].title.text for axis in ("xaxis2", "xaxis3")] == ["mistakes (%)", "hits (%)"]


def test_a_classifier_without_mistakes_still_has_a_scale() -> None:
    figure = confusion_matrix(np.diag([5, 5]), ("a", "b"))
    assert figure.data[0].zmax > 0
    assert np.nanmax(np.asarray(figure.data[0].z)) == 0
