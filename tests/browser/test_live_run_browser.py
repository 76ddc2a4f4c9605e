"""The live panel in a real browser: its curves keep their place, and all of it is in the window."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_train_browser import LONG, LOSS, button, press
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

ACCURACY = ".live-run .accuracy .live-chart"
BOOK = "/train?epochs=2&pace=full"  # the book's own design: it gets a badge
SIZES = {"laptop": (1440, 900), "projector": (1280, 720)}

# In every frame: where both curves and their axes lie in the document, so that scrolling does not count. Each new answer is kept.
RECORD = """([loss, accuracy]) => {
  window.places = [];
  const look = () => {
    const page = document.querySelector('[data-testid="stMainBlockContainer"]').getBoundingClientRect();
    const boxes = [loss, `${loss} .nsewdrag`, accuracy, `${accuracy} .nsewdrag`].map((selector) => {
      const box = document.querySelector(selector)?.getBoundingClientRect();
      return box && [box.left - page.left, box.top - page.top, box.width, box.height].map((length) => Math.round(length));
    });
    const text = JSON.stringify(boxes);
    if (text !== window.places.at(-1)) window.places.push(text);
    window.looking = requestAnimationFrame(look);
  };
  look();
}"""
# Of some elements those that are not whole in the window, with where they are.
OUTSIDE = """(selectors) => selectors.flatMap((selector) => {
  const found = [...document.querySelectorAll(selector)].filter((element) => element.getClientRects().length);
  if (!found.length) return [`${selector} is not there`];
  const boxes = found.map((element) => element.getBoundingClientRect());
  const out = boxes.filter((box) => box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth);
  return out.map(({ top, bottom, left, right }) => `${selector}: y ${top} to ${bottom}, x ${left} to ${right}`);
})"""
CONTROLS = (".st-key-headline", ".st-key-run_buttons", ".live-run .progress")
CURVES = (LOSS, ACCURACY)
WORDS = (".live-run .reading", ".live-run .said")
# The columns of all traces of both charts; JSON has no NaN, which becomes null.
COLUMNS = """([loss, accuracy]) => JSON.stringify([loss, accuracy].map((selector) =>
  document.querySelector(selector).data.map(({ name, x, y, customdata }) => ({ name, x, y, customdata: customdata ?? [] }))))"""


def sized(open_page: OpenPage, path: str, size: str) -> Page:
    width, height = SIZES[size]
    return open_page(path, width=width, height=height)


@pytest.mark.parametrize("size", ["projector"])
def test_the_curves_stay_where_they_are_from_the_click_to_the_end(open_page: OpenPage, size: str) -> None:
    page = sized(open_page, BOOK, size)
    places: dict[str, list[str]] = {}
    press(page, "play")  # the network's drawing folds to a strip
    expect(button(page, "play")).to_contain_text("Pause")
    page.wait_for_selector(f"{LOSS} .js-line")
    for scheme in ("light", "dark"):
        page.evaluate(RECORD, CURVES)
        if scheme == "dark":
            press(page, "play")
            expect(button(page, "play")).to_contain_text("Pause")
        expect(button(page, "play")).to_contain_text("Train", timeout=60_000)
        settle(page)
        places[scheme] = page.evaluate("() => { cancelAnimationFrame(window.looking); return window.places; }")
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(300)  # ms, for the charts to take their new colors
    assert {scheme: len(seen) for scheme, seen in places.items()} == {"light": 1, "dark": 1}, places
    assert None not in json.loads(places["light"][0])


@pytest.mark.parametrize("size", SIZES)
def test_all_of_a_run_is_in_the_window_without_scrolling(open_page: OpenPage, size: str) -> None:
    page = sized(open_page, LONG, size)
    wanted = [*CONTROLS, *CURVES, *WORDS]
    press(page, "play")
    page.wait_for_selector(f"{LOSS} .js-line")
    expect(page.locator(".st-key-run_buttons button").first).to_contain_text("Pause")
    outside = {"while it trains": page.evaluate(OUTSIDE, wanted)}
    press(page, "stop")
    expect(button(page, "stop")).to_be_disabled()
    settle(page)
    outside["at its end"] = page.evaluate(OUTSIDE, wanted)
    assert outside == {"while it trains": [], "at its end": []}


def test_before_the_first_run_network_button_and_the_curves_place_are_in_the_window(open_page: OpenPage) -> None:
    page = sized(open_page, "/train", "projector")
    assert page.evaluate(OUTSIDE, [".st-key-network", ".st-key-run_play button"]) == []
    assert page.locator(LOSS).evaluate("(chart) => chart.getBoundingClientRect().top < innerHeight")
