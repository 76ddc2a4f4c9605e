"""Clicks in quick succession, in a real browser at a real server: none ends what the one before it does."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


def test_a_click_waits_until_the_one_before_it_is_carried_out(open_page: OpenPage, small_apps_url: str) -> None:
    page = open_page(f"{small_apps_url}/slow_callback")
    page.get_by_role("button", name="Climb").click()
    page.wait_for_timeout(300)  # ms, of the second that the climb takes
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("climbs: 1, counted: 1")).to_be_visible()
