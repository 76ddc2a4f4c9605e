"""A sweep in a real browser: it begins by its link, its map can be clicked, and a cell leads to its training."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

PLACE = """([x, y]) => {
  const chart = document.querySelector(".st-key-sweep_map .live-chart");
  chart.scrollIntoView({ block: "center" });
  const box = chart.getBoundingClientRect(), { xaxis, yaxis } = chart._fullLayout;
  return [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)];
}"""


def test_a_click_on_the_map_shows_a_cells_curves_and_leads_to_its_training(open_page: OpenPage) -> None:
    page = open_page("/sweep?axis_1=lr%3D0.1%2C1.0&axis_2=hidden%3D8%3B16&seeds=2&epochs=2&train_size=500&run=yes")
    expect(page.get_by_text("Finished: 8 runs")).to_be_visible(timeout=60_000)
    settle(page)
    x, y = page.evaluate(PLACE, [1, 0])  # the second learning rate, the first width
    page.mouse.click(x, y)
    expect(page.get_by_text("Learning curves of the chosen cells")).to_be_visible()
    expect(page).to_have_url(re.compile(r"cells="))
    page.get_by_role("link", name="Train lr 1.0, hidden 8").click()
    expect(page).to_have_url(re.compile(r"/train\?.*hidden=8.*lr=1\.0"))
    expect(page.get_by_role("spinbutton", name="Units 1")).to_have_value("8")
