"""The live chart in a real browser: what it keeps through updates, how it looks, what it reports, and what happens when it cannot load."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.driving import project, settle, streamlit

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "live_charts.py"
MOVING, STILL, CELLS, POINTS = (f".st-key-{key} .live-chart" for key in ("moving", "still", "cells", "points"))

# Looks at a chart in every frame: is the element the same, and what of `expected` does it lack?
WATCH = """([selector, expected, milliseconds]) => new Promise((done) => {
  const first = document.querySelector(selector);
  const seen = { frames: 0, remounts: 0, lacking: 0, removed: 0 };
  const removals = new MutationObserver((changes) => {
    for (const { removedNodes } of changes) seen.removed += [...removedNodes].filter((node) => node.contains(first)).length;
  });
  removals.observe(document.body, { childList: true, subtree: true });
  const end = performance.now() + milliseconds;
  const look = (now) => {
    const chart = document.querySelector(selector);
    seen.frames += 1;
    seen.remounts += chart !== first;
    const shows = (part) => [...(chart?.querySelectorAll(part) ?? [])].some((found) => found.getBoundingClientRect().width > 0);
    seen.lacking += !expected.every(shows);
    if (now < end) return requestAnimationFrame(look);
    removals.disconnect();
    done(seen);
  };
  requestAnimationFrame(look);
})"""


@pytest.fixture(scope="module")
def url(serve: Callable[[Path], str]) -> str:
    return serve(APP)


@pytest.fixture
def charts(open_page: OpenPage, url: str) -> Page:
    return open_page(url)


@pytest.fixture
def prefixed_url(tmp_path: Path) -> Iterator[str]:
    with streamlit(project(APP, tmp_path), tmp_path, prefix="/lab/mlp") as url:
        yield url


def updates(page: Page) -> int:
    return int(page.get_by_text("Update ").inner_text().split()[-1])


def wait_for_updates(page: Page, count: int) -> None:
    last = updates(page) + count
    page.wait_for_function("(last) => Number(/Update (\\d+)/.exec(document.body.innerText)[1]) >= last", arg=last)


def shown(page: Page, selector: str, path: str) -> Any:
    """A value of plotly's own state of a chart, as `layout.xaxis.range`."""
    return page.eval_on_selector(selector, f"(chart) => chart.{path}")


def plot_box(page: Page, selector: str) -> dict[str, float]:
    """Where the axes' area lies on the screen: x, y, width and height."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(f"{selector} .nsewdrag").first.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def curves(page: Page, selector: str) -> list[str]:
    paths: list[str] = page.eval_on_selector_all(
        f"{selector} .scatterlayer .js-line", "(lines) => lines.map((line) => line.getAttribute('d'))"
    )
    return paths


def click_cell(page: Page, row: int, column: int) -> None:
    """Click the middle of one of the 4 × 5 cells; rows count from below."""
    box = plot_box(page, CELLS)
    page.mouse.click(box["x"] + (column + 0.5) / 5 * box["width"], box["y"] + (3.5 - row) / 4 * box["height"])


def test_settings_and_static_files_are_found_from_a_foreign_directory(charts: Page, url: str) -> None:
    assert charts.get_by_text("Garbage collection after a run: False").is_visible()
    with urlopen(f"{url}/app/static/plotly.min.js") as answer:
        assert answer.headers["Content-Type"].endswith("javascript")


def test_nothing_blinks_for_ten_seconds_of_updates(charts: Page) -> None:
    before, shapes = updates(charts), curves(charts, MOVING)
    seen = charts.evaluate(WATCH, [MOVING, [".main-svg", ".scatterlayer .js-line", ".xtick", ".legendtext"], 10_000])
    assert updates(charts) - before >= 10
    assert set(curves(charts, MOVING)).isdisjoint(shapes)
    assert seen["frames"] > 50
    assert (seen["remounts"], seen["removed"], seen["lacking"]) == (0, 0, 0)


def test_a_zoom_survives_updates_also_those_that_come_while_it_is_drawn(charts: Page) -> None:
    box = plot_box(charts, MOVING)
    charts.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    charts.mouse.down()
    charts.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    wait_for_updates(charts, 4)
    charts.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    charts.mouse.up()
    charts.wait_for_function(f"() => Math.abs(document.querySelector('{MOVING}').layout.xaxis.range[0] - 399 / 4) < 4")
    zoomed, shapes = shown(charts, MOVING, "layout.xaxis.range"), curves(charts, MOVING)
    wait_for_updates(charts, 4)
    assert shown(charts, MOVING, "layout.xaxis.range") == zoomed == pytest.approx([399 / 4, 3 * 399 / 4], abs=4)
    assert set(curves(charts, MOVING)).isdisjoint(shapes)


def test_a_hover_label_stays_in_every_frame_and_follows_the_data(charts: Page) -> None:
    box = plot_box(charts, MOVING)
    charts.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=3)
    label = charts.locator(f"{MOVING} .hoverlayer .legend")
    expect(label).to_be_visible()
    text = label.text_content()
    seen = charts.evaluate(WATCH, [MOVING, [".hoverlayer .legend"], 3_000])
    assert seen["lacking"] == 0
    assert label.text_content() != text
    charts.mouse.move(box["x"] + 0.5 * box["width"], box["y"] - 150)
    expect(label).to_have_count(0)
    wait_for_updates(charts, 3)
    expect(label).to_have_count(0)


def test_a_curve_hidden_in_the_legend_stays_hidden(charts: Page) -> None:
    assert len(curves(charts, MOVING)) == 2
    charts.locator(f"{MOVING} .legendtoggle").first.click()
    charts.wait_for_function(f"() => document.querySelectorAll('{MOVING} .scatterlayer .js-line').length === 1")
    wait_for_updates(charts, 4)
    assert len(curves(charts, MOVING)) == 1


def test_an_unchanged_figure_is_not_drawn_again(charts: Page) -> None:
    for selector in (MOVING, STILL):
        charts.eval_on_selector(selector, "(chart) => { chart.drawn = 0; chart.on('plotly_afterplot', () => (chart.drawn += 1)); }")
    wait_for_updates(charts, 4)
    click_cell(charts, 0, 0)  # runs the whole page again
    expect(charts.get_by_text("cells: 1 clicks")).to_be_visible()
    wait_for_updates(charts, 2)
    assert shown(charts, MOVING, "drawn") >= 3
    assert shown(charts, STILL, "drawn") == 0


def look(page: Page, selector: str) -> tuple[str, str]:
    """Color and font of a label beside an axis."""
    fill, font = page.eval_on_selector(
        f"{selector} .xtick text", "(tick) => { const { fill, fontFamily } = getComputedStyle(tick); return [fill, fontFamily]; }"
    )
    return fill, font


def text_color(page: Page) -> str:
    color: str = page.eval_on_selector(".stApp", "(app) => getComputedStyle(app).color")
    return color


def test_colors_and_font_follow_the_theme_without_a_reload(charts: Page) -> None:
    light, font = look(charts, STILL)
    assert light == text_color(charts)
    assert "Source Sans" in font
    element = charts.query_selector(STILL)
    charts.emulate_media(color_scheme="dark")
    charts.wait_for_function(f"(light) => getComputedStyle(document.querySelector('{STILL} .xtick text')).fill !== light", arg=light)
    assert look(charts, STILL) == (text_color(charts), font)
    assert charts.evaluate("([element, selector]) => element === document.querySelector(selector)", [element, STILL])


def test_a_chart_that_was_hidden_shows_the_newest_figure(charts: Page) -> None:
    display = "(chart, value) => { chart.parentElement.style.display = value; }"
    light = text_color(charts)
    charts.eval_on_selector(STILL, display, "none")
    charts.emulate_media(color_scheme="dark")
    charts.wait_for_function("(light) => getComputedStyle(document.querySelector('.stApp')).color !== light", arg=light)
    wait_for_updates(charts, 2)
    assert look(charts, STILL)[0] == light
    charts.eval_on_selector(STILL, display, "")
    charts.wait_for_function(f"(light) => getComputedStyle(document.querySelector('{STILL} .xtick text')).fill !== light", arg=light)


def test_the_chart_is_as_wide_as_its_place_and_keeps_its_height(open_page: OpenPage, url: str) -> None:
    page = open_page(url, width=390, height=844)
    widths = "(chart) => [chart.clientWidth, chart.querySelector('.main-svg').getBoundingClientRect().width]"
    place, drawn = page.eval_on_selector(MOVING, widths)
    assert place == drawn
    assert 300 < place < 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 800, "height": 844})
    page.wait_for_function(f"() => document.querySelector('{MOVING} .main-svg').getBoundingClientRect().width > 600")
    place, drawn = page.eval_on_selector(MOVING, widths)
    assert place == drawn
    assert [shown(page, selector, "clientHeight") for selector in (MOVING, STILL, CELLS)] == [320, 200, 300]


def test_a_finger_on_a_chart_scrolls_the_page(open_page: OpenPage, url: str) -> None:
    page = open_page(url, width=390, height=844, touch=True)
    before, fingers = plot_box(page, MOVING), page.context.new_cdp_session(page)
    x, y = before["x"] + 100, before["y"] + 150
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for up in range(15, 150, 15):
        fingers.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - up}]})
        page.wait_for_timeout(30)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function(f"(y) => document.querySelector('{MOVING} .nsewdrag').getBoundingClientRect().y < y - 60", arg=before["y"])
    assert page.locator(STILL).get_by_role("button").count() == 1


def test_the_alternative_text_names_the_picture(charts: Page) -> None:
    assert charts.get_by_role("img", name="Two waves", exact=True).bounding_box() == charts.locator(MOVING).bounding_box()


def test_the_picture_can_be_saved_from_a_bar_that_shows_on_hover(charts: Page) -> None:
    save = charts.locator(STILL).get_by_role("button", name="Download plot as a PNG")
    buttons = charts.locator(f"{STILL} .modebar-group").first
    expect(buttons).to_have_css("opacity", "0")
    charts.locator(STILL).hover()
    expect(buttons).to_have_css("opacity", "1")
    with charts.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == "still.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    names = charts.locator(STILL).get_by_role("button").evaluate_all("(buttons) => buttons.map((button) => button.ariaLabel)")
    assert names == ["Download plot as a PNG", "Zoom", "Pan", "Reset axes"]


def test_a_click_on_a_cell_is_reported_once(charts: Page) -> None:
    click_cell(charts, 1, 3)
    expect(charts.get_by_text("cells: 1 clicks; trace 0 point (1, 3) x 3 y 1 data None")).to_be_visible()
    charts.get_by_text("Show the moving chart").click()
    settle(charts)
    expect(charts.get_by_text("cells: 1 clicks;")).to_be_visible()
    click_cell(charts, 3, 0)
    expect(charts.get_by_text("cells: 2 clicks; trace 0 point (3, 0) x 0 y 3 data None")).to_be_visible()


def test_a_click_is_the_nearest_points_even_where_the_label_names_all(charts: Page) -> None:
    plot_box(charts, POINTS)
    for trace, expected in enumerate(("point 1 x 2 y 20 data b", "point 1 x 2 y 2 data f")):
        charts.locator(f"{POINTS} .trace").nth(trace).locator(".point").nth(1).click(force=True)
        expect(charts.get_by_text(f"points: {trace + 1} clicks; trace {trace} {expected}")).to_be_visible()


def test_a_chart_that_leaves_the_page_is_purged_and_comes_back(charts: Page) -> None:
    element = charts.query_selector(MOVING)
    charts.get_by_text("Show the moving chart").click()
    expect(charts.locator(MOVING)).to_have_count(0)
    charts.wait_for_function("(chart) => !chart.isConnected && chart._fullLayout === undefined", arg=element)
    charts.get_by_text("Show the moving chart").click()
    expect(charts.locator(f"{MOVING} .scatterlayer .js-line")).to_have_count(2)


COUNT_MOUNTS = """
window.mounts = 0;
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) window.mounts += [...addedNodes].filter((node) => node.classList?.contains("live-chart")).length;
}).observe(document, { childList: true, subtree: true });
"""


def test_updates_that_arrive_before_the_script_does_take_no_chart_away(charts: Page) -> None:
    """Streamlit ends a call that a newer one overtakes by running its cleanup, although the chart is still there."""

    def late(route: Route) -> None:
        time.sleep(2)
        route.continue_()

    charts.add_init_script(COUNT_MOUNTS)
    charts.route("**/plotly.min.js*", late)
    charts.reload()
    charts.wait_for_selector(f"{MOVING} .scatterlayer .js-line")
    wait_for_updates(charts, 3)
    settle(charts)
    assert charts.evaluate("window.mounts") == 4
    assert len(curves(charts, MOVING)) == 2


@pytest.mark.parametrize("script", ["plotly.min.js", "live_chart.js"])
def test_a_script_that_does_not_arrive_is_said_in_words(charts: Page, tolerated: list[str], script: str) -> None:
    tolerated.append("net::ERR_FAILED")
    charts.route(f"**/{script}*", lambda route: route.abort())
    charts.reload()
    message = charts.locator(".st-key-still").get_by_text("This chart cannot be drawn")
    expect(message).to_be_visible()
    expect(message).to_contain_text(script)
    assert charts.locator(".st-key-still").evaluate("(place) => place.clientHeight") == 200  # nothing jumps when it does arrive


def test_it_works_below_a_prefix(prefixed_url: str, open_page: OpenPage) -> None:
    expect(open_page(prefixed_url).locator(f"{MOVING} .scatterlayer .js-line")).to_have_count(2)
