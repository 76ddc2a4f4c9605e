"""A person at the training page, played by a real browser: opens it, presses Train, waits for the first point, changes the design.

Knows the page's buttons and the browser's clock; knows no speed to expect.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, sync_playwright

from mlp_core.spec import PRESETS
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.support.browser.driving import PATIENCE_MS, settle, streamlit

TRAIN, RESET = ".st-key-run_play button", ".st-key-run_reset button"
PRESET_BUTTONS = '[data-testid="stButtonGroup"] button'
PRESET_PAIR = ("softmax", "mlp")
MEGABYTE = 1e6

# Milliseconds from the press to the frame in which the loss chart has a curve.
FIRST_POINT = """(train) => new Promise((done, fail) => {
  setTimeout(() => fail(new Error("no first point within 60 s")), 60000);
  const start = performance.now();
  document.querySelector(train).click();
  const look = () => document.querySelector(":is(.live-run .loss, .st-key-loss) .scatterlayer .trace path[d]")
    ? done(performance.now() - start) : requestAnimationFrame(look);
  requestAnimationFrame(look);
})"""

# Milliseconds from a click on a preset until the page names that network, its script has ended and all has been painted.
RERUN = """([presets, name, sizes]) => new Promise((done, fail) => {
  setTimeout(() => fail(new Error(`no ${sizes} within 60 s`)), 60000);
  const app = document.querySelector('[data-testid="stApp"]');
  const start = performance.now();
  const shown = () => app.dataset.testScriptState === "notRunning" && app.textContent.includes(`${sizes} ·`);
  const look = () => shown()
    ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start))) : setTimeout(look, 1);
  [...document.querySelectorAll(presets)].find((button) => button.innerText.includes(name)).click();
  look();
})"""


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


def visit(browser: Browser, url: str, query: str = "") -> Page:
    """The training page of the app at `url`, at rest, in a new session, where runs go as fast as they can."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{url}/train?pace=full&{query}")
    page.wait_for_selector(TRAIN)
    settle(page)
    return page


def press_train(page: Page) -> float:
    """Press Train; seconds until the loss chart has its first point."""
    milliseconds: float = page.evaluate(FIRST_POINT, TRAIN)
    return milliseconds / 1000


def reset(page: Page) -> None:
    """End the run, and let the page forget it: a run that is kept would be drawn beside the next."""
    page.click(RESET)
    page.wait_for_selector(f"{RESET}:disabled")
    page.evaluate("sessionStorage.clear()")  # the browser keeps it too
    page.reload()
    page.wait_for_selector(TRAIN)
    settle(page)


def rerun_seconds(page: Page, times: int) -> list[float]:
    """Seconds from a click on another preset until the page shows that network: everything between a person and the answer."""
    seconds = []
    for turn in range(times):
        settle(page)
        preset = PRESETS[PRESET_PAIR[turn % 2]]
        sizes = " → ".join(map(str, preset.spec.sizes))
        seconds.append(page.evaluate(RERUN, [PRESET_BUTTONS, preset.title, sizes]) / 1000)
    return seconds


@contextmanager
def fresh_server(script: Path, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The app in a process that does nothing else: its address and its process."""
    known = set(psutil.Process().children())
    with streamlit(script, folder) as url:
        (process,) = set(psutil.Process().children()) - known
        yield url, process


def resident_megabytes(process: psutil.Process) -> float:
    resident: int = process.memory_info().rss
    return resident / MEGABYTE
