"""The switch to another language: the page stays as it is, with its run, and every link from there leads on in that language."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from pages.language import languages
from pages.ui.navigation import NAMES
from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser


def in_chinese(text: str) -> str:
    catalogue = languages()["zh"].catalogue
    assert catalogue is not None
    return catalogue.gettext(text)


def switch(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    settle(page)


def test_a_switch_keeps_choices_the_open_panel_and_the_run(open_page: OpenPage) -> None:
    page = open_page("/train?pace=slow&lr=0.3", width=1280, height=720)
    page.locator(".st-key-activation input").click()
    page.get_by_role("option", name="Tanh", exact=True).click()
    settle(page)
    page.locator(".st-key-run_play button").click()
    page.get_by_text("Take it home", exact=True).click()
    steps = page.locator(".live-run .progress")
    expect(steps).to_contain_text(re.compile("step [1-9]"))
    switch(page, "中文")
    expect(page).to_have_title(f"{in_chinese('Train')} · {in_chinese('MLP playground')}")
    expect(page).to_have_url(re.compile(r"lang=zh"))
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    before = steps.inner_text()
    expect(steps).not_to_have_text(before)  # it trains on
    for _ in range(2):  # what was chosen in English is known to every later click
        expect(page).to_have_url(re.compile(r"activation=tanh.*lr=0\.3.*panel=export"))
        page.get_by_text(in_chinese("Medium"), exact=True).click()
        settle(page)
    expect(page.get_by_text(in_chinese("Take it home"), exact=True)).to_be_visible()
    switch(page, "English")
    expect(page.locator("[class*=st-key-activation] input").first).to_have_value("Tanh")


def test_links_cards_and_the_menu_keep_the_language_and_back_leads_back(open_page: OpenPage) -> None:
    page = open_page("/", width=390, height=844)
    switch(page, "中文")
    page.locator(".st-key-card_of_stability a").click()
    expect(page).to_have_title(re.compile(f"^{in_chinese('Stability')}"))
    expect(page).to_have_url(re.compile(r"/stability\?(.*&)?lang=zh"))
    settle(page)
    page.get_by_test_id("stExpandSidebarButton").click()
    menu = page.get_by_test_id("stSidebar")
    for name in NAMES.values():
        expect(menu.get_by_role("link", name=in_chinese(name), exact=True)).to_be_visible()
    menu.get_by_role("link", name=in_chinese("Lessons"), exact=True).click()
    expect(page).to_have_url(re.compile(r"/lessons\?lang=zh"))
    settle(page)
    lesson = page.get_by_test_id("stMain").locator("a[href*='lesson?']").first
    assert "lang=zh" in str(lesson.get_attribute("href"))
    for path in ("/stability", "/"):
        page.go_back()
        settle(page)
        if (
            "/lessons" in page.url
        ):  # the menu leads to the bare address, and the language is written into it: that may be an entry of its own
            page.go_back()
        expect(page).to_have_url(re.compile(rf"{path}\?.*lang=zh"))
        settle(page)


def test_a_language_that_is_not_here_is_said_and_the_rest_of_the_link_is_taken(open_page: OpenPage) -> None:
    page = open_page("/stability?act=chain&lang=xx", width=1280, height=720)
    expect(page.get_by_text("lang must be one of en, zh")).to_be_visible()
    expect(page.get_by_role("heading", name="Stability", exact=True)).to_be_visible()
    switch(page, "中文")
    expect(page).to_have_url(re.compile(r"act=chain.*lang=zh"))
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
