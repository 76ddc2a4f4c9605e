"""A long computation in a real browser, where a click in its panel runs that panel alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


def test_what_was_stopped_is_computed_again_at_a_click_and_can_be_stopped_once_more(open_page: OpenPage, small_apps_url: str) -> None:
    page = open_page(f"{small_apps_url}/slow_computation")
    main = page.get_by_test_id("stMain")  # Streamlit has a Stop of its own above it
    for _ in range(2):
        expect(main.get_by_text("Counting: 0%")).to_be_visible()
        main.get_by_role("button", name="Stop").click()
        expect(main.get_by_text("Stopped.")).to_be_visible()
        expect(main.get_by_text("Counting: 0%")).to_have_count(0)
        main.get_by_role("button", name="Compute again").click()
    expect(main.get_by_text("Counting: 0%")).to_be_visible()
    main.get_by_role("button", name="Stop").click()
    expect(main.get_by_text("Stopped.")).to_be_visible()
