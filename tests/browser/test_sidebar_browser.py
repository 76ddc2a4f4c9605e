"""The training page's sidebar in a real browser: out of the way where the window is narrow, and what a person opens stays open."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser


def expect_sidebar(page: Page, *, collapsed: bool) -> None:
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", str(collapsed).lower())


def test_the_sidebar_starts_collapsed_in_a_narrow_window_and_opens_at_a_click(open_page: OpenPage) -> None:
    page = open_page("/train", width=1024, height=768, alone=True)
    expect_sidebar(page, collapsed=True)
    main = page.get_by_test_id("stMain").bounding_box()
    assert main
    assert main["width"] == 1024
    page.get_by_test_id("stExpandSidebarButton").click()
    expect_sidebar(page, collapsed=False)
    page.get_by_label("Units 1", exact=True).fill("8")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("hidden=8"))
    settle(page)
    expect_sidebar(page, collapsed=False)


def test_the_sidebar_is_open_and_280_pixels_wide_on_a_laptop(open_page: OpenPage) -> None:
    page = open_page("/train", width=1280, height=720, alone=True)
    expect_sidebar(page, collapsed=False)
    box = page.get_by_test_id("stSidebar").bounding_box()
    assert box
    assert (box["x"], box["width"]) == (0, 280)


def test_a_group_that_a_person_opens_stays_open_until_a_preset_sets_it(open_page: OpenPage) -> None:
    page = open_page("/train")
    decay, seed = page.get_by_label("Weight decay λ", exact=True), page.get_by_label("Seed", exact=True)
    expect(decay).to_be_hidden()
    page.get_by_text("Data and time", exact=True).click()
    seed.fill("3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("seed=3"))
    settle(page)
    expect(seed).to_be_visible()
    page.get_by_text("Dropout network", exact=True).click()  # which sets the seed back, too
    expect(decay).to_be_visible()
    expect(seed).to_be_hidden()
