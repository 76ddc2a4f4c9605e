"""A server that is started anew under an open tab: the page comes back by itself with its design, and trains. And tabs that are copies."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from pages.ui.navigation import PAGES
from tests.browser.conftest import OpenPage
from tests.browser.test_train_browser import LONG, SHORT, button, press, started, step_of, until
from tests.support.browser.driving import QUIET, ROOT, settle

pytestmark = pytest.mark.browser

RETURN_MS = 120_000  # Streamlit asks again after ever longer pauses
GONE = (
    "net::ERR_",
    "410 (Gone)",
    "WebSocket connection",
    "Cannot send rerun backMessage when disconnected from server",
)  # what a browser logs of it


@contextmanager
def serving(port: int, folder: Path) -> Iterator[None]:
    """The app at this port; in the end killed, as by a machine that goes down."""
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), f"--server.port={port}", *QUIET]
    with (folder / "streamlit.log").open("a") as log:
        server = subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=log, stderr=log)
    try:
        until(lambda: answers(port), "the server")
        yield
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://localhost:{port}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(autouse=True)
def tolerate_the_fall(tolerated: list[str]) -> None:
    tolerated += GONE


def test_a_restart_brings_the_page_back_with_its_design_and_its_kept_runs_and_names_the_run_that_is_lost(
    open_page: OpenPage, tmp_path: Path, port: int
) -> None:
    back = "Back from this browser: 1 run"
    with serving(port, tmp_path):
        page = open_page(f"http://localhost:{port}{SHORT}")
        assert kept_by_tab(page) is None
        press(page, "play")
        until(lambda: '"runs":[{' in (kept_by_tab(page) or "").replace("\\", ""), "the run is kept")
        press(page, "reset")  # or a reload within some seconds would find it
        expect(button(page, "reset")).to_be_disabled()
        page.goto(f"http://localhost:{port}{LONG}&lr=0.25")  # another session in the same tab
        settle(page)
        expect(page.get_by_text(back)).to_be_visible()
        press(page, "play")
        until(lambda: step_of(page) > 50, "some steps")
        button(page, "play").evaluate("(button) => { window.sameDocument = true; }")
    expect(page.get_by_test_id("stApp")).not_to_have_attribute("data-test-connection-state", "CONNECTED")
    expect(page).to_have_url(re.compile("hidden=64"))
    with serving(port, tmp_path):
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=RETURN_MS)
        settle(page)
        assert page.evaluate("window.sameDocument"), "nobody pressed reload"
        expect(page.get_by_text("784 → 64 → 10").first).to_be_visible()
        expect(page).to_have_url(re.compile(r"hidden=64.*lr=0\.25"))
        expect(button(page, "play")).to_contain_text("Train")
        expect(page.get_by_test_id("stTopNavLink")).to_have_count(len(PAGES))
        lost = page.get_by_test_id("stAlert").filter(has_text="is gone")
        expect(lost).to_contain_text("The run ReLU 64, lr 0.25, 100 epochs is gone: it ended with its server")
        expect(lost).to_contain_text(back)
        expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
        press(page, "play")
        expect(button(page, "play")).to_contain_text("Pause")
        expect(lost).to_have_count(0)
        until(lambda: step_of(page) > 50, "it trains")


def kept_by_tab(page: Page) -> str | None:
    kept: str | None = page.evaluate("sessionStorage.getItem('mlp-kept')")
    return kept


def test_a_reload_keeps_the_runs_side_by_side_as_they_were(open_page: OpenPage) -> None:
    page = open_page(SHORT)
    press(page, "play")
    expect(button(page, "reset")).to_be_enabled()
    until(lambda: kept_by_tab(page) is not None, "something is kept")
    expect(button(page, "play")).to_contain_text("Train")
    press(page, "reset")
    page.get_by_role("button", name="Rename, pin, remove").click()
    box = page.get_by_label("Name", exact=True)
    box.fill("my own name")
    box.press("Enter")
    until(lambda: "my own name" in (kept_by_tab(page) or ""), "the name is kept")
    page.reload()
    settle(page)
    expect(page.get_by_text("Back from this browser: 1 run")).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    page.get_by_role("button", name="Rename, pin, remove").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("my own name")
    page.get_by_role("button", name="Remove all").click()
    until(lambda: "my own name" not in (kept_by_tab(page) or ""), "what was removed is not kept")
    page.reload()
    settle(page)
    expect(button(page, "play")).to_be_enabled()
    expect(page.get_by_text("Back from this browser")).to_have_count(0)


def test_what_a_tab_holds_and_no_session_wrote_is_refused_in_words(open_page: OpenPage) -> None:
    page = open_page("/train")
    page.evaluate("sessionStorage.setItem('mlp-kept', '<img src=x onerror=alert(1)>'.repeat(100_000))")
    page.reload()
    settle(page)
    expect(page.get_by_test_id("stAlert")).to_contain_text("kept runs must be at most 200,000 characters, got 200,001 characters")
    press(page, "step")
    until(lambda: step_of(page) == 1, "the page works")


def duplicate(page: Page) -> Page:
    """What "Duplicate tab" does: the same address, and a copy of the tab's storage."""
    with page.expect_popup() as opened:
        page.evaluate("() => { window.open(location.href); }")
    copy = opened.value
    settle(copy)
    return copy


def tab_name(page: Page) -> str | None:
    name: str | None = page.evaluate("sessionStorage.getItem('mlp-tab')")
    return name


@pytest.mark.parametrize("secure", [True, False], ids=["https", "http"])
def test_a_duplicated_tab_has_a_name_of_its_own(open_page: OpenPage, secure: bool) -> None:
    first = open_page("/train", alone=not secure)
    if not secure:  # as a browser treats a page that came over http from another machine
        first.context.add_init_script("delete Navigator.prototype.locks")
        first.evaluate("sessionStorage.clear()")
        first.reload()
        settle(first)
    assert first.evaluate("'locks' in navigator") == secure
    until(lambda: tab_name(first) is not None, "a name")
    name = tab_name(first)
    copy = duplicate(first)
    until(lambda: tab_name(copy) not in (None, name), "a name of its own")
    first.reload()
    settle(first)
    assert tab_name(first) == name


def test_a_duplicated_tab_has_a_run_of_its_own(open_page: OpenPage) -> None:
    first = started(open_page)
    name = tab_name(first)
    copy = duplicate(first)
    until(lambda: tab_name(copy) not in (None, name), "a name of its own")
    expect(button(copy, "play")).to_contain_text("Train")
    press(copy, "play")
    until(lambda: step_of(copy) > 5, "the copy trains")
    press(copy, "reset")
    before = step_of(first)
    until(lambda: step_of(first) > before, "the first goes on")
    first.reload()
    settle(first)
    assert tab_name(first) == name
    until(lambda: step_of(first) > before, "the first finds its run again")
