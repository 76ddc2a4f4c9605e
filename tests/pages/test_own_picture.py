"""The panel of one's own picture: it answers for what it can read, refuses the rest in words, and does no work twice."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from mlp_core.data import CLASS_NAMES, load_fashion_mnist
from mlp_core.labs.images.neighbors import Neighbors, NeighborSearch, TypicalDistance
from mlp_core.network import Concise
from mlp_core.spec import RunSpec
from pages.ui.run import own_picture
from pages.ui.run.own_picture import KEPT, Kept, kinship, probabilities_of, strangeness, takes_pictures
from tests.support.pages.training import charts
from tests.support.pages.visit import again, numbers, opened, sent, visit, words

APP = "tests/browser/apps/own_picture.py"
GARMENT = 600  # a training image whose longest edge fills its frame
ANSWER = {"own_bars", "own_kin"}
STAGES = {f"own_stage_{number}" for number in range(1, 6)}

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning", "ignore::UserWarning")  # Pillow's, on damaged files


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit(APP) as page:
        yield again(page)


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def garment(index: int = GARMENT) -> bytes:
    """A training image, five times as large, black on white."""
    return png(np.kron(255 - load_fashion_mnist().train_images[index].numpy(), np.ones((5, 5), dtype=np.uint8)))


def upload(page: AppTest, data: bytes) -> AppTest:
    page.file_uploader[0].set_value(("picture.png", data, "image/png"))
    return again(page)


def test_nothing_is_answered_before_something_is_asked(page: AppTest) -> None:
    assert not charts(page)
    assert not page.error


def test_an_uploaded_garment_is_shown_in_stages_judged_and_found_again(page: AppTest) -> None:
    upload(page, garment())
    assert charts(page) == STAGES | ANSWER
    bars = sent(page, "own_bars")
    assert bars is not None
    percents = numbers(bars["data"][0]["x"])
    assert sum(percents) == pytest.approx(100)
    assert f"The network says **{CLASS_NAMES[int(np.argmax(percents))]}**, with probability {max(percents):.1f} %." in words(page)
    assert "The nearest is the very same image" in words(page)
    kin = sent(page, "own_kin")
    assert kin is not None
    assert kin["data"][1]["text"][0] == f"{CLASS_NAMES[int(load_fashion_mnist().train_labels[GARMENT])]}<br>0.00"


def test_only_the_images_that_the_run_trains_on_are_searched(page: AppTest) -> None:
    upload(opened(page, images=str(GARMENT)), garment())
    assert "the very same image" not in words(page)
    upload(opened(page, images=str(GARMENT + 1)), garment())
    assert "the very same image" in words(page)


def test_a_run_on_a_single_image_has_one_neighbor(page: AppTest) -> None:
    upload(opened(page, images="1"), garment())
    kin = sent(page, "own_kin")
    assert kin is not None
    assert len(kin["data"][1]["text"]) == 1
    assert "within" not in words(page)


def test_a_tick_does_no_work_twice_and_loses_nothing(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[object] = []
    nearest = NeighborSearch.nearest

    def counted(search: NeighborSearch, *args: Any) -> Neighbors:
        searched.append(args)
        return nearest(search, *args)

    monkeypatch.setattr(NeighborSearch, "nearest", counted)
    upload(page, garment())
    before = words(page)
    for _ in range(3):
        again(page)
        assert words(page) == before
    assert len(searched) == 1
    upload(page, garment(GARMENT + 1))
    assert len(searched) == 2


@pytest.mark.parametrize("data", [b"", b"hello", garment()[:200], png(np.full((30, 30), 77, dtype=np.uint8))])
def test_what_cannot_be_used_is_refused_until_it_is_removed(page: AppTest, data: bytes) -> None:
    upload(page, data)
    for _ in range(2):
        (error,) = again(page).error
        assert error.value.startswith("This cannot be used: expected ")
        assert not charts(page)
    page.button(key="own_remove").click()
    again(page)
    assert not page.error
    assert not page.file_uploader[0].value


def test_a_good_picture_follows_a_bad_one(page: AppTest) -> None:
    upload(upload(page, b"hello"), garment())
    assert not page.error
    assert charts(page) == STAGES | ANSWER


def test_the_picture_outlives_its_uploader_and_is_removed(page: AppTest) -> None:
    upload(page, garment())
    page.toggle[0].set_value(False)
    assert not charts(again(page))
    page.toggle[0].set_value(True)
    assert charts(again(page)) == STAGES | ANSWER
    page.button(key="own_remove").click()
    assert not charts(again(page))


def test_the_background_can_be_set_by_hand(page: AppTest) -> None:
    upload(page, garment())
    by_itself = sent(page, "own_stage_5")
    page.session_state["own_background"] = "dark"
    assert "You say so: dark, so kept." in words(again(page))
    assert sent(page, "own_stage_5") != by_itself
    page.session_state["own_background"] = "light"
    assert "You say so: light, so inverted." in words(again(page))
    assert sent(page, "own_stage_5") == by_itself


def test_a_dark_garment_that_reaches_the_border_is_asked_about_and_not_guessed(page: AppTest) -> None:
    pixels = np.full((60, 60), 250, dtype=np.uint8)
    pixels[:, 10:50] = pixels[10:30] = 20  # a shirt that fills a picture with a white background
    upload(page, png(pixels))
    (warning,) = page.warning
    assert warning.value.startswith("**Garment or background?** 49.2 % of the picture's border is light and the rest dark")
    assert charts(page) == STAGES
    assert "The network says" not in words(page)
    page.session_state["own_background"] = "light"
    assert "The network says" in words(again(page))
    assert not any("Garment or background" in warning.value for warning in page.warning)
    assert charts(page) == STAGES | ANSWER


def test_a_drawing_goes_straight_or_by_stages(page: AppTest) -> None:
    drawing = np.zeros((28, 28), dtype=np.uint8)
    drawing[4:20, 6:10] = 200
    page.session_state[KEPT] = Kept(drawing=drawing)
    page.session_state["own_source"] = "Draw one"
    assert charts(again(page)) == ANSWER | {"own_board"}
    page.toggle(key="own_fit").set_value(True)
    assert charts(again(page)) == ANSWER | {"own_board", *sorted(STAGES)[:4]}


def test_without_a_network_there_are_still_neighbors(page: AppTest) -> None:
    upload(opened(page, untrained="1"), garment())
    assert charts(page) == STAGES | {"own_kin"}
    assert any("no network yet" in box.value for box in page.info)


def test_a_diverged_network_is_named_as_such(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_picture, "probabilities_of", lambda *_: np.full(10, np.nan))
    upload(page, garment())
    assert charts(page) == STAGES | {"own_kin"}
    assert any("diverged" in box.value for box in page.warning)


@pytest.mark.parametrize(("sizes", "fits"), [((784, 4, 10), True), ((2, 4, 10), False), ((784, 4, 2), False), ((784, 10), True)])
def test_only_a_network_of_garments_is_asked(sizes: tuple[int, ...], fits: bool) -> None:
    assert takes_pictures(Concise(RunSpec(hidden=sizes[1:-1], device="cpu"), sizes)) == fits


def test_the_probabilities_are_those_of_the_network() -> None:
    network = Concise(RunSpec(hidden=(6,), init="he_normal", dropout=(0.5,), device="cpu"), (784, 6, 10))
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    (first, first_bias), (last, last_bias) = ((weight.double().numpy(), bias.double().numpy()) for weight, bias in network.weights())
    outputs = last @ np.maximum(first @ (pixels.ravel() / 255) + first_bias, 0) + last_bias
    np.testing.assert_allclose(probabilities_of(network, pixels), np.exp(outputs) / np.exp(outputs).sum(), rtol=1e-5)
    assert torch.is_grad_enabled()


def test_the_classes_of_the_nearest_are_counted() -> None:
    found = Neighbors(np.arange(4), np.array([7, 5, 5, 5]), np.arange(4.0))
    assert kinship(found) == "The 4 training images nearest to it: 3 **sandal**, 1 **sneaker**."


@pytest.mark.parametrize(
    ("distance", "start", "unseen"),
    [
        (0.0, "The nearest is the very same image; of 100 training images", False),
        (5.0, "The nearest is 5.00 away", False),
        (5.01, "**Unlike what", True),
    ],
)
def test_a_distance_is_judged_by_the_typical_one(distance: float, start: str, unseen: bool) -> None:
    sentence, said_unseen = strangeness(distance, TypicalDistance(3.0, 5.0, 100))
    assert sentence.startswith(start)
    assert said_unseen == unseen
    assert "3.00" in sentence
    assert "5.00" in sentence


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.tuples(st.integers(0, 300), st.binary(min_size=1, max_size=3)))
def test_no_upload_breaks_the_page(page: AppTest, change: bytes | tuple[int, bytes]) -> None:
    data = bytearray(garment())
    if isinstance(change, bytes):
        data = bytearray(change)
    else:
        at, new = change
        data[at : at + len(new)] = new
    upload(page, bytes(data))  # which looks for exceptions
    assert bool(page.error) != bool(charts(page))
