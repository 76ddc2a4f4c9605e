"""The drawing of a network in a real browser: a strip that opens above the page, and lives."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

STRIP, DIALOG = ".st-key-network .strip", ".st-key-network dialog"
HIGHEST = 64  # px of a folded drawing

# How many pixels of a canvas are more of a red than of a blue, and the other way round.
COLORS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let red = 0, blue = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3]) { red += data[i] > data[i + 2] + 20; blue += data[i + 2] > data[i] + 20; }
  return [red, blue];
}"""
# A state in which all weights are equal, of the network that is drawn.
STATE = """([of, level, units]) => window.dispatchEvent(new CustomEvent("network-state", { detail: { of, step: 99, image: null,
  edges: btoa(String.fromCharCode(level).repeat(600)), units: btoa(String.fromCharCode(...units)) } }))"""
BELOW = "document.querySelector('[data-testid=\"stText\"]').getBoundingClientRect().top"


@pytest.fixture
def page(open_page: OpenPage, small_apps_url: str) -> Page:
    return open_page(f"{small_apps_url}/network")


def fills(page: Page) -> list[str]:
    """Of every unit on the strip."""
    found: list[str] = page.eval_on_selector_all(f"{STRIP} svg g > :last-child", "(units) => units.map((unit) => unit.style.fill)")
    return found


def edge_colors(page: Page, place: str) -> list[int]:
    found: list[int] = page.eval_on_selector(f"{place} canvas", COLORS)
    return found


def unit(page: Page, name: str) -> Locator:
    return page.locator(DIALOG).get_by_role("button", name=name)


def test_the_strip_is_low_and_shows_weights_of_both_signs(page: Page) -> None:
    box = page.locator(STRIP).bounding_box()
    assert box
    assert box["height"] <= HIGHEST
    assert box["width"] > 1000  # of a page of 1440
    expect(page.locator(STRIP)).to_contain_text("784 → 16 → 10 ·")
    red, blue = edge_colors(page, STRIP)
    assert red > 100
    assert blue > 100


def test_a_state_that_arrives_by_itself_is_shown(page: Page) -> None:
    of = "(784, 16, 10) ReLU"
    before = fills(page)
    page.evaluate(STATE, [of, 100, [64] * len(before)])
    red, blue = edge_colors(page, STRIP)
    assert red > 100
    assert blue == 0
    assert fills(page) != before
    page.evaluate(STATE, [of, 256 - 100, [0] * len(before)])
    red, blue = edge_colors(page, STRIP)
    assert red == 0
    assert blue > 100


def test_a_state_of_another_network_is_not_shown(page: Page) -> None:
    page.evaluate(STATE, ["(784, 16, 10) tanh", 100, [64] * 34])
    assert edge_colors(page, STRIP)[0] == 0  # gray lines: the weights of this network are not known any more


def test_it_opens_above_the_page_and_answers(page: Page) -> None:
    below = page.evaluate(BELOW)
    page.locator(STRIP).click()
    expect(page.locator(DIALOG)).to_be_visible()
    expect(page.locator(f"{DIALOG} svg image")).to_have_count(1 + 12)  # the input, and the weights of the units drawn
    page.get_by_role("button", name="Next image", exact=True).click()
    expect(page.locator(f"{DIALOG} h4")).to_have_text("Test image 0: ankle boot")
    expect(page.locator(f"{DIALOG} .bar")).to_have_count(10)
    page.get_by_label("Test image").fill("17")
    page.keyboard.press("Enter")
    expect(page.locator(f"{DIALOG} h4")).to_contain_text("Test image 17")
    unit(page, "hidden layer 1, unit 2 of 16").click()
    expect(page.locator(f"{DIALOG} h4").last).to_have_text("Hidden layer 1: unit 2 of 16")
    expect(page.locator(f"{DIALOG} table").last.locator("tr")).to_have_count(1 + 10)
    expect(unit(page, "hidden layer 1, unit 2 of 16")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(BELOW) == below
    page.keyboard.press("Escape")
    expect(page.locator(DIALOG)).to_be_hidden()
    assert page.evaluate(BELOW) == below


def test_a_unit_can_be_chosen_by_the_keyboard(page: Page) -> None:
    page.locator(STRIP).press("Enter")
    expect(page.locator(DIALOG)).to_be_visible()
    unit(page, "output, unit 3 of 10").press("Enter")
    expect(page.locator(f"{DIALOG} h4").last).to_have_text("Output: pullover")
    settle(page)
    expect(unit(page, "output, unit 3 of 10")).to_be_focused()  # though the answer has drawn all units anew


def test_on_a_phone_the_open_drawing_stays_inside(open_page: OpenPage, small_apps_url: str) -> None:
    page = open_page(f"{small_apps_url}/network", width=390, height=844, scheme="dark")
    box = page.locator(STRIP).bounding_box()
    assert box
    assert box["height"] <= HIGHEST
    page.locator(STRIP).click()
    expect(page.locator(f"{DIALOG} svg text").first).to_be_visible()
    settle(page)
    assert page.evaluate(f"""() => {{ const dialog = document.querySelector({json.dumps(DIALOG)}), box = dialog.getBoundingClientRect();
      return dialog.scrollWidth <= dialog.clientWidth && box.left >= 0 && box.right <= window.innerWidth; }}""")
