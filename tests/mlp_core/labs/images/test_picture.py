"""A picture made of a Fashion-MNIST image is that image again; and every stage says and shows what was done."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlp_core.data import load_sample
from mlp_core.labs.images.file import Picture, PictureError
from mlp_core.labs.images.prepared import SIDE, STANDS_OUT, Background, Prepared, area_mean, prepare, prepare_drawing, read_drawing

Pixels = npt.NDArray[np.uint8]
images_of_any_size = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))


def picture(pixels: npt.NDArray[Any]) -> Picture:
    return Picture(pixels.astype(np.uint8), "PNG", (pixels.shape[1], pixels.shape[0]))


def on_canvas(thing: Pixels, height: int, width: int, top: int, left: int, background: int = 0) -> Pixels:
    canvas = np.full((height, width), background, dtype=np.uint8)
    canvas[top : top + thing.shape[0], left : left + thing.shape[1]] = thing
    return canvas


def enlarged(image: Pixels, times: int) -> Pixels:
    return np.repeat(np.repeat(image, times, axis=0), times, axis=1)


def gaps(image: Pixels) -> tuple[int, int, int, int]:
    """Empty rows above and below, empty columns left and right of what stands out."""
    rows, columns = (np.flatnonzero((image > STANDS_OUT).any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(len(image) - 1 - rows[-1]), int(columns[0]), int(len(image) - 1 - columns[-1])


def fills_its_frame(image: Pixels) -> bool:
    """Whether its outermost rows or columns stand out: a few images end in fainter ones."""
    above, below, left, right = gaps(image)
    return min(above + below, left + right) == 0 and above - below in (0, 1) and left - right in (0, 1)


@pytest.fixture(scope="module")
def garments() -> Pixels:
    """Every 20th training image of the bundled sample."""
    images: Pixels = load_sample().train_images.numpy()[::20]
    return images


def test_an_enlarged_garment_black_on_white_comes_back_as_itself(garments: Pixels) -> None:
    """All of it but faint rows and columns outside of what stands out."""
    whole = [image for image in garments if fills_its_frame(image)]
    assert len(whole) > 0.85 * len(garments)
    for image in whole:
        above, below, left, right = gaps(image)
        expected = np.zeros_like(image)
        expected[above : 28 - below, left : 28 - right] = image[above : 28 - below, left : 28 - right]
        np.testing.assert_array_equal(prepare(picture(enlarged(255 - image, 10))).pixels, expected)
        np.testing.assert_allclose(expected, image, atol=STANDS_OUT)


@given(st.integers(0, 48), st.integers(0, 88), st.integers(2, 4))
def test_place_and_size_in_the_picture_do_not_matter(top: int, left: int, times: int) -> None:
    image = enlarged(np.eye(28, 21, dtype=np.uint8) * 160 + 40, 1)
    canvas = on_canvas(enlarged(255 - image, times), 160, 200, top, left, 255)
    np.testing.assert_array_equal(prepare(picture(canvas)).pixels, on_canvas(image, 28, 28, 0, 4))


@example(np.array([[0] * 11 + [80], [40] * 12], dtype=np.uint8))  # so uneven that all up to the middle is background
@given(images_of_any_size)
def test_light_and_dark_change_places_without_a_trace(pixels: Pixels) -> None:
    assume(np.median(np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])) != 127.5)
    results = []
    for one in (pixels, 255 - pixels):
        try:
            results.append(prepare(picture(one)).pixels.tolist())
        except PictureError:
            results.append([])
    assert results[0] == results[1]


@pytest.mark.parametrize("level", [20, 90, 165, 250])
def test_an_even_background_becomes_black(level: int) -> None:
    thing = np.linspace(0, 1, 28 * 20).reshape(28, 20) * 0.8 + 0.2
    toward = 255 if level < 128 else 0
    pixels = np.full((60, 60), float(level))
    pixels[10:38, 10:30] = level + thing * (toward - level)
    np.testing.assert_allclose(prepare(picture(np.rint(pixels))).pixels[:, 4:24], 255 * thing, atol=2)


def test_a_gradient_and_noise_do_not_widen_the_crop() -> None:
    noise = np.random.default_rng(0).normal(235, 2.5, (300, 200)) + np.linspace(-5, 5, 200)
    noise[60:200, 50:120] = 40
    noise[5, 7] = noise[290, 190] = 0  # two specks
    cropped = prepare(picture(np.clip(noise, 0, 255))).stages[2]
    assert cropped.pixels.shape == (140, 70)
    assert "from row 61, column 51:" in cropped.caption


@pytest.mark.parametrize(
    ("background", "row"),
    [("auto", 255), ("light", 255), ("dark", 0)],
)
def test_the_visitor_has_the_last_word_on_the_background(background: Background, row: int) -> None:
    pixels = on_canvas(np.zeros((10, 10), dtype=np.uint8), 20, 20, 5, 5, 255)
    prepared = prepare(picture(pixels), background)
    assert prepared.pixels[14, 14] == row
    assert ("You say" in prepared.stages[1].caption) == (background != "auto")


def test_the_stages_say_with_which_numbers() -> None:
    pixels = on_canvas(np.full((40, 20), 55, dtype=np.uint8), 100, 80, 30, 16, 245)
    prepared = prepare(Picture(pixels, "GIF", (160, 200), ("Turned.",)))
    captions = {stage.title: stage.caption for stage in prepared.stages}
    assert list(captions) == ["In gray", "Bright on black", "Cropped", "Shrunk", "Centered"]
    assert captions["In gray"] == "GIF, 160 × 200. Here 80 × 100. Turned."
    assert "median is 245 of 255: light, so inverted." in captions["Bright on black"]
    assert "Up to 10 is background: made 0" in captions["Bright on black"]
    assert "To 20 × 40, from row 31, column 17: what is over 13." in captions["Cropped"]
    assert captions["Shrunk"].startswith("To 14 × 28:")
    assert [stage.pixels.shape for stage in prepared.stages] == [(100, 80), (100, 80), (40, 20), (28, 14), (28, 28)]
    assert prepared.pixels is prepared.stages[-1].pixels


def test_the_odd_pixel_stands_before_the_object() -> None:
    above, below, left, right = gaps(prepare(picture(on_canvas(np.full((28, 13), 255, dtype=np.uint8), 50, 50, 9, 9))).pixels)
    assert (above, below, left, right) == (0, 0, 8, 7)


@given(st.integers(0, 255), st.integers(1, 30), st.integers(1, 30), st.sampled_from(["auto", "light", "dark"]))
def test_one_color_is_refused(color: int, height: int, width: int, background: Background) -> None:
    pixels = np.full((height, width), color)
    if background != "auto" and (color > 127) != (background == "light"):
        return  # all of it is said to be the object
    with pytest.raises(PictureError, match="stands out from its background, found at most 0 % of difference"):
        prepare(picture(pixels), background)


def test_specks_alone_are_refused() -> None:
    pixels = np.zeros((400, 400))
    pixels[[3, 300], [200, 7]] = 255
    with pytest.raises(PictureError, match="a few specks"):
        prepare(picture(pixels))


def assert_framed(prepared: Prepared) -> None:
    assert prepared.pixels.shape == (SIDE, SIDE)
    assert prepared.pixels.dtype == np.uint8
    assert max(prepared.stages[-2].pixels.shape) == SIDE


@given(images_of_any_size, st.sampled_from(["auto", "light", "dark"]))
def test_any_pixels_are_framed_or_refused(pixels: Pixels, background: Background) -> None:
    try:
        assert_framed(prepare(picture(pixels), background))
    except PictureError:
        return


@pytest.mark.parametrize("shape", [(1, 560), (560, 1), (3, 3), (2, 500)])
def test_extreme_proportions_are_framed(shape: tuple[int, int]) -> None:
    pixels = np.zeros(shape)
    pixels[:, : max(1, shape[1] // 3)] = 255
    pixels[-1, -1] = 0
    try:
        assert_framed(prepare(picture(pixels), "dark"))
    except PictureError:
        assert shape == (560, 1)


@given(images_of_any_size, st.integers(1, 45), st.integers(1, 45))
def test_an_area_mean_is_the_mean_of_the_area(image: Pixels, height: int, width: int) -> None:
    """Oracle: every pixel of the old size as many of the new, so that each of the new size covers whole ones."""
    fine = np.repeat(np.repeat(image.astype(np.int64), height, axis=0), width, axis=1)
    means = fine.reshape(height, image.shape[0], width, image.shape[1]).mean(axis=(1, 3))
    np.testing.assert_allclose(area_mean(image, (height, width)), means, atol=0.5 + 1e-9)


def test_a_drawing_goes_straight() -> None:
    values = (np.arange(784) % 256).tolist()
    prepared = prepare_drawing(read_drawing(values))
    assert [stage.title for stage in prepared.stages] == ["As drawn"]
    np.testing.assert_array_equal(prepared.pixels.ravel(), values)


def test_a_drawing_is_fitted_as_pictures_are() -> None:
    drawn = on_canvas(np.full((14, 7), 200, dtype=np.uint8), 28, 28, 2, 3)
    fitted = prepare_drawing(drawn, fit=True)
    assert gaps(fitted.pixels) == (0, 0, 7, 7)
    assert set(np.unique(fitted.pixels)) == {0, 200}
    with pytest.raises(PictureError, match="stands out"):
        prepare_drawing(np.zeros((28, 28), dtype=np.uint8), fit=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "expected a drawing of 784 pixels, found none"),
        ("0" * 784, "found none"),
        ([0] * 783, "found 783"),
        ([0] * 1_000_000, "found 1,000,000"),
        ([0] * 783 + [256], "whole numbers from 0 to 255"),
        ([0] * 783 + [-1], "whole numbers from 0 to 255"),
        ([0] * 783 + [1.0], "whole numbers from 0 to 255"),
        ([0] * 783 + [True], "whole numbers from 0 to 255"),
        ([0] * 783 + ["1"], "whole numbers from 0 to 255"),
        ([0] * 783 + [10**30], "whole numbers from 0 to 255"),
        ((0,) * 784, "found none"),
    ],
)
def test_a_drawing_that_is_none_is_refused(values: object, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        read_drawing(values)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json | st.lists(st.integers(-1, 256), min_size=784, max_size=784), st.booleans())
def test_any_message_is_a_drawing_or_a_refusal(values: object, fit: bool) -> None:
    try:
        prepared = prepare_drawing(read_drawing(values), fit=fit)
    except PictureError:
        return
    assert prepared.pixels.shape == (SIDE, SIDE)
