"""The panel of kept runs while the page around it runs again and again: what is typed and opened stays, and what is clicked is done."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

COUNT_NEW_TABLES = """() => {
  window.newTables = 0;
  const isTable = (node) => node.querySelector && node.querySelector('[data-testid="stDataFrame"]');
  const look = (change) => change.addedNodes.forEach((node) => { window.newTables += !!isTable(node); });
  new MutationObserver((changes) => changes.forEach(look)).observe(document.body, { subtree: true, childList: true });
}"""


@pytest.fixture
def panel(open_page: OpenPage, small_apps_url: str) -> Page:
    return open_page(f"{small_apps_url}/ticking_kept_runs")


def wait_ticks(panel: Page, ticks: int) -> None:
    now = int(re.sub(r"\D", "", panel.get_by_text(re.compile(r"^tick \d+$")).inner_text()))
    panel.wait_for_function(f"() => Number(document.body.innerText.match(/tick (\\d+)/)[1]) >= {now + ticks}")


def test_a_name_typed_slowly_is_not_disturbed(panel: Page) -> None:
    panel.get_by_role("button", name="Rename, pin, remove").click()
    box = panel.get_by_label("Name", exact=True)
    box.fill("")
    box.press_sequentially("my own name", delay=150)
    expect(box).to_have_value("my own name")
    box.evaluate("(box) => { box.isTheSame = true; }")
    box.press("Enter")
    curves = panel.get_by_test_id("stButtonGroup")
    expect(curves).to_contain_text("my own name")
    wait_ticks(panel, 1)
    assert box.evaluate("(box) => box.isTheSame"), "the box was put in the place of another while somebody was in it"
    expect(box).to_have_value("my own name")
    panel.get_by_role("button", name="Pin", exact=True).click()
    expect(panel.get_by_role("button", name="Unpin")).to_be_visible()
    panel.get_by_role("button", name="Remove", exact=True).click()
    expect(curves.filter(has_text="my own name")).to_have_count(0)


def test_hiding_a_run_changes_the_comparison_and_the_tables_stay_where_they_are(panel: Page) -> None:
    expect(panel.get_by_text("Exactly one thing varies among these three runs: lr (0.1, 0.5, 0.01).")).to_be_visible()
    panel.evaluate(COUNT_NEW_TABLES)
    panel.get_by_test_id("stButtonGroup").get_by_text("ReLU 256, lr 0.5", exact=True).click()
    expect(panel.get_by_text("You changed exactly one thing: lr (0.1 → 0.01).")).to_be_visible()
    wait_ticks(panel, 5)
    assert panel.evaluate("window.newTables") == 0
