"""One's own picture in a real browser: drawn by mouse, finger and keyboard, uploaded, kept through ticks and pages, removed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from mlp_core.data import load_fashion_mnist
from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

CANVAS = ".drawing canvas"
ANSWER, KIN = ".st-key-own_bars .live-chart .main-svg", ".st-key-own_kin .live-chart .main-svg"


@pytest.fixture
def url(small_apps_url: str) -> str:
    return f"{small_apps_url}/own_picture"


@pytest.fixture
def shoe(tmp_path: Path) -> Path:
    """A training image, ten times as large, black on white."""
    file = tmp_path / "shoe.png"
    Image.fromarray(np.kron(255 - load_fashion_mnist().train_images[0].numpy(), np.ones((10, 10), dtype=np.uint8))).save(file)
    return file


def board(page: Page) -> Page:
    """Turn to the drawing board."""
    page.get_by_role("radio", name="Draw one").click()
    expect(page.locator(CANVAS)).to_be_visible()
    settle(page)
    return page


def place(page: Page, column: float, row: float) -> tuple[float, float]:
    """Where a pixel of the drawing lies on the screen."""
    box = page.locator(CANVAS).bounding_box()
    assert box is not None
    return box["x"] + (column + 0.5) / 28 * box["width"], box["y"] + (row + 0.5) / 28 * box["height"]


def stroke(page: Page, *through: tuple[float, float]) -> None:
    page.mouse.move(*place(page, *through[0]))
    page.mouse.down()
    for point in through[1:]:
        page.mouse.move(*place(page, *point), steps=5)
    page.mouse.up()


def bright(page: Page, column: int, row: int) -> int:
    """The green of a pixel on the screen: 27 is black, 246 white."""
    script = "(canvas, [x, y]) => canvas.getContext('2d').getImageData(x, y, 1, 1).data[1]"
    return int(page.eval_on_selector(CANVAS, script, [column, row]))


def ticks(page: Page) -> int:
    return int(page.get_by_text("Tick ").inner_text().split()[-1])


def wait_for_ticks(page: Page, count: int) -> None:
    page.wait_for_function("(last) => Number(/Tick (\\d+)/.exec(document.body.innerText)[1]) >= last", arg=ticks(page) + count)


def test_strokes_are_drawn_answered_undone_and_cleared(open_page: OpenPage, url: str) -> None:
    page = board(open_page(url))
    expect(page.locator(ANSWER).first).to_have_count(0)
    stroke(page, (8, 4), (8, 20))
    assert [bright(page, *at) for at in ((8, 4), (8, 12), (20, 12))] == [246, 246, 27]
    expect(page.locator(ANSWER).first).to_be_visible()
    expect(page.locator(KIN).first).to_be_visible()
    page.get_by_role("button", name="Broad").click()
    page.get_by_role("button", name="Gray").click()
    stroke(page, (20, 4), (20, 20))
    assert 27 < bright(page, 22, 12) < 246
    page.get_by_role("button", name="Eraser").click()
    stroke(page, (8, 10), (8, 14))
    assert [bright(page, 8, row) for row in (4, 12)] == [246, 27]
    page.get_by_role("button", name="Undo").click()
    assert bright(page, 8, 12) == 246
    page.get_by_role("button", name="Clear").focus()
    page.keyboard.press("Enter")
    assert bright(page, 8, 12) == 27
    expect(page.locator(ANSWER).first).to_have_count(0)


def test_a_tick_within_a_stroke_tears_nothing(open_page: OpenPage, url: str) -> None:
    page = board(open_page(f"{url}?tick=1"))
    stroke(page, (3, 3), (10, 3))
    page.evaluate("(selector) => { document.querySelector(selector).dataset.mine = 'yes'; }", CANVAS)
    page.mouse.move(*place(page, 3, 20))
    page.mouse.down()
    page.mouse.move(*place(page, 10, 20), steps=4)
    wait_for_ticks(page, 3)
    page.mouse.move(*place(page, 20, 20), steps=4)
    page.mouse.up()
    wait_for_ticks(page, 3)
    assert [bright(page, *at) for at in ((5, 3), (5, 20), (15, 20))] == [246, 246, 246]
    assert page.locator(CANVAS).get_attribute("data-mine") == "yes"


def test_a_drawing_is_there_again_when_its_board_is(open_page: OpenPage, url: str) -> None:
    page = board(open_page(url))
    stroke(page, (8, 4), (8, 20))
    expect(page.locator(ANSWER).first).to_be_visible()
    page.get_by_text("Show the panel").click()
    expect(page.locator(CANVAS)).to_have_count(0)
    page.get_by_text("Show the panel").click()
    expect(page.locator(ANSWER).first).to_be_visible()
    assert bright(page, 8, 12) == 246


def test_a_finger_draws_and_does_not_scroll(open_page: OpenPage, url: str) -> None:
    page = board(open_page(url, width=390, height=700, touch=True))
    page.locator(CANVAS).scroll_into_view_if_needed()
    fingers = page.context.new_cdp_session(page)
    before = page.locator(CANVAS).bounding_box()
    for kind, row in (("touchStart", 5), *(("touchMove", row) for row in range(7, 24, 2)), ("touchEnd", 0)):
        x, y = place(page, 14, row)
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [] if kind == "touchEnd" else [{"x": x, "y": y}]})
    expect(page.locator(ANSWER).first).to_be_attached()
    assert [bright(page, 14, row) for row in (5, 14, 23)] == [246, 246, 246]
    assert page.locator(CANVAS).bounding_box() == before
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tools_are_legible_in_either_theme(open_page: OpenPage, url: str, scheme: str) -> None:
    page = board(open_page(url, scheme="dark" if scheme == "dark" else "light"))
    color = "(element) => getComputedStyle(element).color"
    assert page.get_by_role("button", name="Fine").evaluate(color) == page.eval_on_selector(".stApp", color)
    pressed = page.locator(".drawing [aria-pressed=true]")
    assert pressed.all_inner_texts() == ["Medium", "White"]
    assert page.get_by_role("img", name="Your drawing, 28 by 28 pixels, bright on black").is_visible()


def test_a_picture_survives_ticks_and_the_board_and_is_removed(open_page: OpenPage, url: str, shoe: Path) -> None:
    page = open_page(f"{url}?tick=1")
    page.locator("input[type=file]").set_input_files(shoe)
    stages = page.locator("[class*=st-key-own_stage_] .live-chart .main-svg:first-child")
    expect(stages).to_have_count(5)
    expect(page.get_by_text("The nearest is the very same image")).to_be_visible()
    wait_for_ticks(page, 3)
    board(page)
    page.get_by_role("radio", name="Upload a picture").click()
    expect(page.get_by_text("The nearest is the very same image")).to_be_visible()
    expect(stages).to_have_count(5)
    page.locator(".st-key-own_remove button").click()  # the uploader has one of that name, too
    expect(stages).to_have_count(0)
    wait_for_ticks(page, 3)
    expect(stages).to_have_count(0)


def test_what_is_no_picture_is_refused_in_words(open_page: OpenPage, url: str, tmp_path: Path) -> None:
    page = open_page(url)
    fake, large = tmp_path / "fake.png", tmp_path / "large.png"
    fake.write_bytes(b"hello")
    large.write_bytes(bytes(6_000_000))
    page.locator("input[type=file]").set_input_files(fake)
    expect(page.get_by_text("This cannot be used: expected a picture (PNG, JPEG, GIF, WEBP, BMP, AVIF, TIFF)")).to_be_visible()
    page.locator(".st-key-own_remove button").click()  # the uploader has one of that name, too
    expect(page.get_by_text("This cannot be used")).to_have_count(0)
    settle(page)  # with another uploader in the place of the first
    page.locator("input[type=file]").set_input_files(large)
    expect(page.get_by_text("File must be 5.0MB or smaller.")).to_be_visible()


def test_a_board_whose_script_does_not_arrive_says_so(open_page: OpenPage, url: str, tolerated: list[str]) -> None:
    tolerated.append("net::ERR_FAILED")
    page = open_page(url)
    page.route("**/drawing.js*", lambda route: route.abort())
    page.get_by_role("radio", name="Draw one").click()
    expect(page.get_by_text("The drawing board cannot be shown")).to_be_visible()
