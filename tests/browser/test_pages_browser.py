"""What holds on every page: its name, its card, its sidebar."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from pages.ui.navigation import NAMES
from tests.browser.conftest import OpenPage
from tests.browser.test_train_browser import STREAMLIT_SEARCHES
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def tolerate_the_search(tolerated: list[str]) -> None:
    tolerated.append(STREAMLIT_SEARCHES)


def test_a_card_leads_to_its_page_wherever_it_is_clicked_and_by_the_keyboard(page: Page) -> None:
    page.get_by_text("Products of random matrices").click(force=True)  # the link lies over it
    expect(page).to_have_title("Stability · MLP playground")
    expect(page.get_by_role("heading", name="Stability", exact=True)).to_be_visible()
    page.get_by_role("link", name="MLP playground").first.click()
    expect(page).to_have_title("MLP playground")
    chart = page.locator(".st-key-card_of_tensors .live-chart")
    expect(chart).to_be_visible()
    settle(page)
    chart.click(force=True)
    expect(page).to_have_title("Tensors · MLP playground")
    page.get_by_role("link", name="MLP playground").first.click()
    expect(chart).to_be_visible()
    settle(page)
    page.locator(".st-key-card_of_activations a").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_title("Activations · MLP playground")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_sidebar_opens_only_where_it_holds_something(open_page: OpenPage, width: int) -> None:
    """On a phone the menu of the pages is in it, wide windows have that on top."""
    page = open_page("/nonlinearity", width=width, height=720)
    sidebar = page.get_by_test_id("stSidebar")
    if width < 768:
        page.get_by_test_id("stExpandSidebarButton").click()
        for name in NAMES.values():
            expect(sidebar.get_by_role("link", name=name, exact=True)).to_be_visible()
        return
    expect(sidebar).to_have_count(0)
    expect(page.get_by_test_id("stExpandSidebarButton")).to_have_count(0)
    page.get_by_text("XOR and friends", exact=True).click()
    expect(sidebar.get_by_text("Hidden layers", exact=True)).to_be_visible()
    page.get_by_text("Collapse", exact=True).click()
    expect(page.get_by_text("Multiply them out")).to_be_visible()
    settle(page)
    expect(sidebar).to_have_count(0)
