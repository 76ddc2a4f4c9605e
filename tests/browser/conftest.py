"""The running app and a browser for every test of this folder; a page that logged an error fails its test."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, ViewportSize, expect, sync_playwright

from tests.support.browser.charting import APP, APPS
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
def problems() -> list[str]:
    """What the browser's log says that it should not, since the last test began."""
    return []


@pytest.fixture(scope="session")
def new_window(browser: Browser, problems: list[str]) -> Callable[..., BrowserContext]:
    """`new_window(**options)` opens a window whose tabs are listened to."""

    def noted(message: ConsoleMessage) -> None:
        # Streamlit looks for its own addresses below the page's path first: that is its way to find out where it is served.
        if message.type == "error" and not ("404" in message.text and "/_stcore/" in message.location["url"]):
            problems.append(f"console: {message.text}")

    def new(**options: Any) -> BrowserContext:
        window = browser.new_context(**options)
        window.set_default_timeout(PATIENCE_MS)
        window.add_init_script(LISTEN)
        window.on("console", noted)
        window.on("weberror", lambda error: problems.append(f"page error: {error.error}"))
        return window

    return new


@pytest.fixture(scope="session")
def desktop(new_window: Callable[..., BrowserContext]) -> BrowserContext:
    """One window for all tests: in a new one, every page would load Streamlit and plotly anew."""
    return new_window()


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of this repository's app, started from a foreign directory, as its settings must not depend on that."""
    with streamlit(ROOT / "app.py", tmp_path_factory.mktemp("app")) as url:
        yield url


@pytest.fixture(scope="session")
def small_apps_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the apps of `tests/browser/apps`, with the repository's settings; each is at its own name."""
    script = project(APPS / "all.py", tmp_path_factory.mktemp("small_apps"))
    with streamlit(script, tmp_path_factory.mktemp("elsewhere")) as url:
        yield url


@pytest.fixture
def tolerated() -> list[str]:
    """Parts of messages that this test expects in the browser's log: append to it."""
    return []


@pytest.fixture
def open_page(
    request: pytest.FixtureRequest,
    new_window: Callable[..., BrowserContext],
    desktop: BrowserContext,
    problems: list[str],
    tolerated: list[str],
) -> Iterator[OpenPage]:
    """`open_page(path)` opens a path of the app, or any address, in a new session, and lets it settle; `alone` in a window of its own."""
    pages: list[Page] = []

    def open_(
        path: str = "/", *, width: int = 1440, height: int = 900, scheme: Scheme = "light", touch: bool = False, alone: bool = False
    ) -> Page:
        size: ViewportSize = {"width": width, "height": height}
        if touch or alone:
            page = new_window(viewport=size, color_scheme=scheme, has_touch=touch, is_mobile=touch).new_page()
        else:
            left = [tab for tab in desktop.pages if tab.url == "about:blank"]  # by the test before; it has compiled the scripts already
            page = left[0] if left else desktop.new_page()
            page.set_viewport_size(size)
            page.emulate_media(media="null", color_scheme=scheme)
        pages.append(page)
        page.goto(path if path.startswith("http") else request.getfixturevalue("app_url") + path)
        settle(page)
        return page

    problems.clear()
    yield open_
    for page in pages:
        problems += [f"exception on the page: {text}" for text in page.get_by_test_id("stException").all_inner_texts()]
        _stop_what_runs(page)
    desktop.set_offline(False)
    unexpected = [problem for problem in problems if not any(part in problem for part in tolerated)]
    for page in pages:
        if page.context is not desktop:
            page.context.close()
    for tab in desktop.pages:
        if tab is desktop.pages[0] and tab.url.startswith("http"):
            _leave(tab)
        else:
            tab.close()
    desktop.clear_cookies()
    assert not unexpected, "\n".join(unexpected)


def _leave(tab: Page) -> None:
    """End the session, and have the tab forget it."""
    tab.unroute_all()
    tab.mouse.move(0, 0)
    tab.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")  # the latter holds that a sidebar was collapsed, of any page
    tab.goto("about:blank")


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
def charts_url(small_apps_url: str) -> str:
    """The address of the small app that shows live charts and nothing else."""
    return f"{small_apps_url}/{APP.stem}"


@pytest.fixture
def charts(open_page: OpenPage, charts_url: str) -> Page:
    """That app's page."""
    return open_page(charts_url)
