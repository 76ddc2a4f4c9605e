"""What a live chart keeps through updates, in a real browser: its element, every frame's picture, zoom, hover label, hidden curves."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser.charting import MOVING, STILL, click_cell, curves, look, plot_box, shown, text_color, updates, wait_for_updates
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

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


def test_nothing_blinks_through_many_updates(charts: Page) -> None:
    before, shapes = updates(charts), curves(charts, MOVING)
    seen = charts.evaluate(WATCH, [MOVING, [".main-svg", ".scatterlayer .js-line", ".xtick", ".legendtext"], 5_000])
    assert updates(charts) - before >= 5
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


def test_a_chart_that_leaves_the_page_is_purged_and_comes_back(charts: Page) -> None:
    element = charts.query_selector(MOVING)
    charts.get_by_text("Show the moving chart").click()
    expect(charts.locator(MOVING)).to_have_count(0)
    charts.wait_for_function("(chart) => !chart.isConnected && chart._fullLayout === undefined", arg=element)
    charts.get_by_text("Show the moving chart").click()
    expect(charts.locator(f"{MOVING} .scatterlayer .js-line")).to_have_count(2)


# Draws a chart of its own: the same curve with a range, then without. Returns the ends of its axis each time.
LOSE_THE_RANGE = """async () => {
  const module = [...document.querySelectorAll("script")].map(({ src }) => src).find((src) => src.includes("plotly.min.js"));
  const { Chart, loadPlotly } = await import(new URL("app/static/live_chart.js", document.baseURI).href);
  const place = document.body.appendChild(document.createElement("div"));
  const chart = new Chart(await loadPlotly(module), place);
  Object.assign(chart.div.style, { width: "600px", height: "300px" });
  const ends = [];
  for (const yaxis of [{}, { range: [0, 9] }, {}]) {
    const figure = { data: [{ x: [0, 1, 2], y: [0, 2, 1] }], layout: { yaxis: { ...yaxis, rangemode: "tozero", uirevision: "one" } } };
    chart.show(() => structuredClone(figure), { name: "own", alt: "" });
    while (chart.drawing) await new Promise(requestAnimationFrame);
    ends.push(chart.div._fullLayout.yaxis.range);
  }
  chart.discard();
  place.remove();
  return ends;
}"""


def test_an_axis_that_loses_its_range_looks_for_one_again(charts: Page) -> None:
    before, ranged, after = charts.evaluate(LOSE_THE_RANGE)
    assert ranged == [0, 9]
    assert after == before
    assert 2 < after[1] < 2.5


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

    charts.route("**/plotly.min.js*", late)
    with charts.add_init_script(COUNT_MOUNTS):
        charts.reload()
    charts.wait_for_selector(f"{MOVING} .scatterlayer .js-line")
    wait_for_updates(charts, 3)
    settle(charts)
    assert charts.evaluate("window.mounts") == 4
    assert len(curves(charts, MOVING)) == 2
