"""The live chart on its page, in a real browser: how it is served, how it looks, what it reports, and what it says when it cannot load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browser.charting import APP, CELLS, MOVING, POINTS, STILL, click_cell, look, plot_box, shown, text_color
from tests.support.browser.driving import project, settle, streamlit

pytestmark = pytest.mark.browser


@pytest.fixture
def prefixed_url(tmp_path: Path) -> Iterator[str]:
    with streamlit(project(APP, tmp_path), tmp_path, prefix="/lab/mlp") as url:
        yield url


def test_settings_and_static_files_are_found_from_a_foreign_directory(charts: Page, small_apps_url: str) -> None:
    assert charts.get_by_text("Garbage collection after a run: False").is_visible()
    with urlopen(f"{small_apps_url}/app/static/plotly.min.js") as answer:
        assert answer.headers["Content-Type"].endswith("javascript")


def test_colors_and_font_follow_the_theme_without_a_reload(charts: Page) -> None:
    light, font = look(charts, STILL)
    assert light == text_color(charts)
    assert "Source Sans" in font
    element = charts.query_selector(STILL)
    charts.emulate_media(color_scheme="dark")
    charts.wait_for_function(f"(light) => getComputedStyle(document.querySelector('{STILL} .xtick text')).fill !== light", arg=light)
    assert look(charts, STILL) == (text_color(charts), font)
    assert charts.evaluate("([element, selector]) => element === document.querySelector(selector)", [element, STILL])


def test_the_chart_is_as_wide_as_its_place_and_keeps_its_height(open_page: OpenPage, charts_url: str) -> None:
    page = open_page(charts_url, width=390, height=844)
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


def test_a_finger_on_a_chart_scrolls_the_page(open_page: OpenPage, charts_url: str) -> None:
    page = open_page(charts_url, width=390, height=844, touch=True)
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
    expect(charts.get_by_text("cells: 1 clicks; Click(x=3, y=1, data=None)")).to_be_visible()
    charts.get_by_text("Show the moving chart").click()
    settle(charts)
    expect(charts.get_by_text("cells: 1 clicks;")).to_be_visible()
    click_cell(charts, 3, 0)
    expect(charts.get_by_text("cells: 2 clicks; Click(x=0, y=3, data=None)")).to_be_visible()


def test_clicks_in_quick_succession_all_count(open_page: OpenPage, charts_url: str) -> None:
    """Those that come while the server is busy reach it as one request, which the last of them makes."""
    page = open_page(f"{charts_url}?slow=0.5")
    box = plot_box(page, CELLS)
    for column in range(5):
        page.mouse.move(box["x"] + (column + 0.5) / 5 * box["width"], box["y"] + box["height"] / 8)
        page.wait_for_timeout(100)  # ms, for Plotly to look up what lies below the pointer, which is what a click reports
        page.mouse.down()
        page.mouse.up()
    expect(page.get_by_text("cells: 5 clicks; Click(x=4, y=3, data=None)")).to_be_visible()


def test_a_click_is_the_nearest_points_even_where_the_label_names_all(charts: Page) -> None:
    plot_box(charts, POINTS)
    for trace, expected in enumerate(("x=2, y=20, data='b'", "x=2, y=2, data='f'")):
        charts.locator(f"{POINTS} .trace").nth(trace).locator(".point").nth(1).click(force=True)
        expect(charts.get_by_text(f"points: {trace + 1} clicks; Click({expected})")).to_be_visible()


@pytest.mark.parametrize("script", ["plotly.min.js", "live_chart.js"])
def test_a_script_that_does_not_arrive_is_said_in_words(charts: Page, tolerated: list[str], script: str) -> None:
    tolerated.append("net::ERR_FAILED")
    charts.route(f"**/{script}*", lambda route: route.abort())
    charts.reload()
    message = charts.locator(".st-key-still").get_by_text("This chart cannot be shown")
    expect(message).to_be_visible()
    expect(message).to_contain_text(script)
    assert charts.locator(".st-key-still").evaluate("(place) => place.clientHeight") == 200  # nothing jumps when it does arrive


def test_it_works_below_a_prefix(prefixed_url: str, open_page: OpenPage) -> None:
    expect(open_page(prefixed_url).locator(f"{MOVING} .scatterlayer .js-line")).to_have_count(2)
