"""A link that a teacher hands out, in a real browser: what it locks and hides, and the way out of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser


def test_what_is_locked_is_seen_and_says_why_what_is_hidden_is_not_and_there_is_a_way_out(open_page: OpenPage) -> None:
    page = open_page("/train?lr=0.5&lock=lr&hide=optimizer,hidden")
    lr, optimizer = page.get_by_label("lr", exact=True), page.get_by_label("Optimizer", exact=True)
    expect(lr).to_be_disabled()
    expect(lr).to_have_value("0.5")
    expect(optimizer).to_be_hidden()
    expect(page.get_by_label("Units 1", exact=True)).to_be_hidden()
    expect(page.get_by_text("The link locks: learning rate.")).to_be_visible()
    page.get_by_test_id("stSidebar").locator(".st-key-lr").get_by_test_id("stTooltipIcon").hover()
    expect(page.get_by_text("Locked by the link that led here. The exact learning rate.")).to_be_visible()
    page.get_by_text("Data and time", exact=True).click()
    seed = page.get_by_label("Seed", exact=True)
    seed.fill("3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"lock=lr.*seed=3|seed=3.*lock=lr"))
    settle(page)
    expect(lr).to_be_disabled()
    for name in ("Tensors", "Train"):  # as the page says
        page.get_by_test_id("stTopNavLink").get_by_text(name, exact=True).click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(lr).to_be_enabled()
    expect(optimizer).to_be_visible()
    expect(lr).to_have_value("0.5")
    expect(page).not_to_have_url(re.compile("lock"))


def test_a_link_that_a_teacher_makes_begins_by_itself_where_it_says_and_once(open_page: OpenPage) -> None:
    page = open_page("/train?hidden=16&train_size=512&epochs=2&pace=full")
    page.get_by_text("Copy link for a class").click()
    page.get_by_test_id("stMultiSelect").first.click()
    page.get_by_role("option", name="learning rate").click()
    page.keyboard.press("Escape")
    page.get_by_text("Begins by itself, once").click()
    made = page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")
    expect(made).to_contain_text("run=yes")
    expect(made).to_contain_text("lock=lr")
    page.goto(made.inner_text().strip().replace("\n", "") + "&panel=inside")
    expect(page.locator(".st-key-run_reset button")).to_be_enabled()
    expect(page.get_by_text(re.compile("^Epoch 2 of 2"))).to_be_visible()
    expect(page).not_to_have_url(re.compile("run=yes"))
    expect(page.get_by_role("radio", name="Look inside")).to_be_checked()
    page.locator(".st-key-run_reset button").click()
    expect(page.get_by_text("Press Train: the curves grow here.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("The link locks: learning rate.")).to_be_visible()
    settle(page)
    expect(page.locator(".st-key-run_reset button")).to_be_disabled()
