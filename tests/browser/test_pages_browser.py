"""What holds on every page: its name, its card, its sidebar; what the first window shows."""

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
    expect(sidebar).to_be_hidden()
    expect(page.get_by_test_id("stExpandSidebarButton")).to_have_count(0)
    page.get_by_text("XOR and friends", exact=True).click()
    expect(sidebar.get_by_text("Hidden layers", exact=True)).to_be_visible()
    page.get_by_text("Collapse", exact=True).click()
    expect(page.get_by_text("Layers without a nonlinearity")).to_be_visible()
    settle(page)
    expect(sidebar).to_be_hidden()


# What the controls of a page or section change first, and where
FIRST_CHARTS = {
    "/activations": "activation_curves",
    "/stability?act=depth": "depth",
    "/stability?act=chain": "chain_product",
    "/stability?act=matrices&trials=20": "growth",
    "/nonlinearity?act=collapse": "collapse_unexplained",
    "/nonlinearity?act=perceptron": "perceptron_plane",
    "/nonlinearity?act=playground": "plane",
    "/generalization": "polynomial_fit",
    "/generalization?part=images": "sweep_images_chart",
    "/generalization?part=labels": "label_accuracy",
    "/generalization?act=decay": "decay_losses",
    "/generalization?act=dropout": "dropout_cells",
    "/tensors": "tensors_lineup",
    "/tensors?act=contour": "tensors_contour",
}


def test_the_first_window_of_a_projector_holds_the_controls_and_the_whole_chart_that_they_change(open_page: OpenPage) -> None:
    page = open_page("/", width=1280, height=720)
    for path, key in FIRST_CHARTS.items():
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + path)
        chart = page.locator(f".st-key-{key} .live-chart")
        expect(chart).to_be_visible()
        settle(page)
        box = chart.bounding_box()
        assert box is not None
        assert 60 < box["y"] < box["y"] + box["height"] <= 720, (path, box)
        controls = page.locator("[data-testid=stSlider], [data-testid=stButton] button, [data-testid=stSelectbox]").all()
        tops = [place["y"] for control in controls if (place := control.bounding_box()) is not None and place["width"]]
        assert min(tops) < 720, path


def test_controls_stay_in_the_window_while_one_scrolls_through_what_they_change(open_page: OpenPage) -> None:
    page = open_page("/generalization?act=decay", width=1280, height=720)
    last = page.locator(".st-key-decay_weights .live-chart")
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    expect(page.locator("[class*='st-key-generalization_decay']").get_by_text("λ", exact=True).first).to_be_in_viewport()
