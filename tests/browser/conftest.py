"""The running app and a browser for every test of this folder; a page that logged an error fails its test."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Literal, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize, expect, sync_playwright

from tests.support.browser.charting import APP
from tests.support.browser.driving import LISTEN, PATIENCE_MS, ROOT, project, settle, streamlit

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# The last three keep Chromium from calling home, the first two let it run in a container.
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"

expect.set_options(timeout=20_000)  # ms; the machines that run this are small and shared, and a wrong page stays wrong

Scheme = Literal["light", "dark"]


class OpenPage(Protocol):
    """See the fixture `open_page`."""

    def __call__(
        self, path: str = "/", *, width: int = 1440, height: int = 900, scheme: Scheme = "light", touch: bool = False, alone: bool = False
    ) -> Page: ...


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Where there is none the test is skipped, except in CI, where a test that did not run must not look like one that passed."""
    if not Path(CHROMIUM).exists():
        message = f"no browser at {CHROMIUM}; name one in the environment variable CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def desktop(browser: Browser) -> BrowserContext:
    """One window of the browser for all tests: in a new one, every page would load and compile Streamlit and plotly anew."""
    window = browser.new_context()
    window.add_init_script(LISTEN)
    return window


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of this repository's app, started from a foreign directory, as its settings must not depend on that."""
    with streamlit(ROOT / "app.py", tmp_path_factory.mktemp("app")) as url:
        yield url


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], str]]:
    """`serve(script)` runs a small app with the repository's settings, once, and returns its address."""
    with ExitStack() as servers:

        @functools.cache
        def start(script: Path) -> str:
            folder = tmp_path_factory.mktemp(script.stem)
            return servers.enter_context(streamlit(project(script, folder), tmp_path_factory.mktemp("elsewhere")))

        yield start


@pytest.fixture
def tolerated() -> list[str]:
    """Parts of messages that this test expects in the browser's log: append to it."""
    return []


@pytest.fixture
def open_page(request: pytest.FixtureRequest, browser: Browser, desktop: BrowserContext, tolerated: list[str]) -> Iterator[OpenPage]:
    """`open_page(path)` opens a path of the app, or any address, in a new session, and lets it settle; `alone` in a window of its own."""
    problems: list[str] = []
    pages: list[Page] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: problems.append(f"page error: {error}"))
        page.on("console", lambda message: problems.append(f"console: {message.text}") if message.type == "error" else None)

    def open_(
        path: str = "/", *, width: int = 1440, height: int = 900, scheme: Scheme = "light", touch: bool = False, alone: bool = False
    ) -> Page:
        size: ViewportSize = {"width": width, "height": height}
        if touch or alone:
            window = browser.new_context(viewport=size, color_scheme=scheme, has_touch=touch, is_mobile=touch)
            window.add_init_script(LISTEN)
            page = window.new_page()
        else:
            page = desktop.new_page()
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
        page.set_default_timeout(PATIENCE_MS)
        watch(page)
        pages.append(page)
        page.goto(path if path.startswith("http") else request.getfixturevalue("app_url") + path)
        settle(page)
        return page

    yield open_
    for page in pages:
        problems += [f"exception on the page: {text}" for text in page.get_by_test_id("stException").all_inner_texts()]
        _stop_what_runs(page)
    for page in pages:
        if page.context is not desktop:
            page.context.close()
    for tab in desktop.pages:
        tab.close()
    desktop.set_offline(False)
    desktop.clear_cookies()
    unexpected = [problem for problem in problems if not any(part in problem for part in tolerated)]
    assert not unexpected, "\n".join(unexpected)


def _stop_what_runs(page: Page) -> None:
    """Press Stop where it can be: a run whose tab has gone trains on for a while, and slows the tests that follow."""
    for tab in page.context.pages:
        with suppress(Error):
            for button in tab.get_by_role("button", name=re.compile("Stop$"), disabled=False).all():
                button.click(timeout=2_000)


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """The app's front page at 1440 × 900, light."""
    return open_page()


@pytest.fixture
def charts_url(serve: Callable[[Path], str]) -> str:
    """The address of the small app that shows live charts and nothing else."""
    return serve(APP)


@pytest.fixture
def charts(open_page: OpenPage, charts_url: str) -> Page:
    """That app's page."""
    return open_page(charts_url)
