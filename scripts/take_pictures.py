"""Photograph the running app for the README: real runs, as a person sees them on a laptop.

python scripts/take_pictures.py
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.support.browser.driving import PATIENCE_MS, ROOT, settle, streamlit

PICTURES = ROOT / "docs" / "pictures"
WIDTH = 1440
MAX_BYTES = 300_000


def training(page: Page) -> None:
    """d2l's network in its seventh epoch, while it trains."""
    page.click(".st-key-run_play button")
    page.get_by_text("Epoch 7 of 10").wait_for()


def training_in_chinese(page: Page) -> None:
    """The same in Chinese."""
    page.click(".st-key-run_play button")
    page.get_by_text("迭代周期7/10").wait_for()


def swept(page: Page) -> None:
    """A sweep that has come to its end."""
    page.get_by_text("Finished: 18 runs").wait_for()


def inside(page: Page) -> None:
    """Five layers of ReLU under He's initialization, looked into while they train."""
    page.click(".st-key-run_play button")
    page.get_by_test_id("stButtonGroup").get_by_text("Look inside", exact=True).click()
    page.get_by_text("Epoch 4 of 5").wait_for()
    scroll_to(page, ".st-key-below")


def depth(page: Page) -> None:
    """The gradients of three designs, layer by layer."""
    scroll_to(page, ".st-key-stability_show")


def xor(page: Page) -> None:
    """XOR, when the network has learned it."""
    page.click(".st-key-plane_play button")
    page.get_by_test_id("stMetric").filter(has_text="Training accuracy").get_by_text("100.0 %").wait_for()
    scroll_to(page, ".st-key-plane_play")


def lesson(page: Page) -> None:
    """A step of the lesson on vanishing gradients: a bet on ReLU, and what was measured beside it."""
    page.get_by_test_id("stRadioOption").first.click()
    settle(page)
    for name in ("Bet", "Run"):
        page.get_by_role("button", name=name, exact=True).click()
        settle(page)
    page.get_by_text("what came out").wait_for()


def scroll_to(page: Page, selector: str) -> None:
    """Bring an element to the upper edge, just below the navigation."""
    page.locator(selector).evaluate("(element) => { element.style.scrollMarginTop = '80px'; element.scrollIntoView(); }")


# file name -> path of the page, height of the window, what to do there
SCENES: dict[str, tuple[str, int, Callable[[Page], None] | None]] = {
    "train": ("/train?pace=medium", 900, training),
    "train_zh": ("/train?pace=medium&lang=zh", 900, training_in_chinese),
    "sweep": ("/sweep?run=yes", 900, swept),
    "inside": ("/train?hidden=64,64,64,64,64&init=he_normal&epochs=5&pace=medium", 900, inside),
    "activations": ("/activations", 900, None),
    "stability": ("/stability", 900, depth),
    "nonlinearity": ("/nonlinearity?act=playground", 900, xor),
    "generalization": ("/generalization", 900, None),
    "tensors": ("/tensors", 900, None),
    "lesson": ("/lesson?name=vanishing&step=3", 900, lesson),
}


def save(name: str, screenshot: bytes) -> None:
    """Write a picture in 256 colors, which a page of text and curves has no need to exceed.

    Raises:
        ValueError: it is too large for a README.
    """
    path = PICTURES / f"{name}.png"
    Image.open(BytesIO(screenshot)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name}: {path.stat().st_size:,} bytes, and at most {MAX_BYTES:,} fit a README")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, streamlit(ROOT / "app.py", Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        for name, (path, height, act) in SCENES.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme="light")
            page.set_default_timeout(PATIENCE_MS)
            page.goto(url + path)
            settle(page)
            if act is not None:
                act(page)
                settle(page)
            page.mouse.move(0, 0)
            save(name, page.screenshot())
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
