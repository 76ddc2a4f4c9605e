"""The page on nonlinearity in a real browser: points drawn by hand, a weight set by hand, a boundary that moves without blinking."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mlp_core.labs.nonlinearity.plane_points import from_text
from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

BARE, SHADED = ".st-key-plane .js-plotly-plot", ".js-plotly-plot:has(.heatmaplayer image)"  # the plane before and after there is a network


def click_plane(page: Page, selector: str, x: float, y: float) -> None:
    """Click a place of the plane, given in its own coordinates."""
    place = page.evaluate(
        """([selector, x, y]) => {
            const chart = document.querySelector(selector), layout = chart._fullLayout, box = chart.getBoundingClientRect();
            return [box.left + layout.xaxis._offset + layout.xaxis.d2p(x), box.top + layout.yaxis._offset + layout.yaxis.d2p(y)];
        }""",
        [selector, x, y],
    )
    page.mouse.click(*place)


def drawn(page: Page) -> list[tuple[float, float, int]]:
    found = re.search(r"drawn=([A-Za-z0-9_-]+)", page.url)
    points = from_text(found.group(1) if found else "")
    return [(round(x, 1), round(y, 1), int(label)) for (x, y), label in zip(points.xy, points.labels, strict=True)]


def test_points_are_drawn_undone_and_learned(open_page: OpenPage) -> None:
    page = open_page("/nonlinearity?act=playground&data=own&batch=1&pace=full&epochs=300")
    expect(page.locator(BARE).first).to_be_visible()
    for count, (x, y) in enumerate([(3.0, 3.0), (-3.0, -3.0)], start=1):
        click_plane(page, BARE, x, y)
        expect(page.get_by_text(re.compile(rf"^{count} points?\. Click"))).to_be_visible()
        settle(page)
    page.get_by_role("radio", name="orange").click()
    settle(page)
    click_plane(page, BARE, 3.0, -3.0)
    expect(page.get_by_text("3 points. Click")).to_be_visible()
    settle(page)
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    assert [label for _, _, label in drawn(page)] == [0, 0, 1]
    assert drawn(page)[0][:2] == pytest.approx((3.0, 3.0), abs=0.15)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 points. Click")).to_be_visible()
    settle(page)
    for count, place in enumerate([(3.0, -3.0), (-3.0, 3.0)], start=3):
        click_plane(page, BARE if count == 3 else SHADED, *place)
        expect(page.get_by_text(re.compile(rf"^{count} points?\. Click"))).to_be_visible()
        settle(page)
    assert [label for _, _, label in drawn(page)] == [0, 0, 1, 1]
    page.get_by_role("button", name="Play").click()
    learned = re.compile(r"Training accuracy\s*100\.0 %")
    expect(page.get_by_test_id("stMetric").filter(has_text=learned)).to_be_visible()  # while the page makes room there are two


def test_the_plane_stays_where_it_is_when_the_network_appears(open_page: OpenPage) -> None:
    """Eight clicks at fixed places of a projector's window are eight points at these places."""
    page = open_page("/nonlinearity?act=playground&data=own", width=1280, height=720)
    expect(page.locator(BARE).first).to_be_visible()
    plane = page.evaluate(
        """(selector) => {
            const chart = document.querySelector(selector), {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
            chart.dataset.mine = "yes";
            return [-4, -2, 2, 4].flatMap((x) => [-3, 3].map((y) =>
                [x, y, box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)]));
        }""",
        ".st-key-plane .js-plotly-plot",
    )
    for count, (_, _, left, top) in enumerate(plane, start=1):
        if count == 2:  # the second class brings the network
            page.get_by_role("radio", name="orange").click()
            settle(page)
        page.mouse.move(left, top)
        page.wait_for_timeout(200)  # ms, for Plotly to look up what lies below the pointer, which is what a click reports
        page.mouse.down()
        page.mouse.up()
        expect(page.get_by_text(re.compile(rf"^{count} points?\. Click"))).to_be_visible()
        settle(page)
    assert [point[:2] for point in drawn(page)] == [pytest.approx((x, y), abs=0.15) for x, y, _, _ in plane]
    assert page.eval_on_selector(".st-key-plane .js-plotly-plot", "(chart) => chart.dataset.mine") == "yes"


def test_the_boundary_moves_in_place(open_page: OpenPage) -> None:
    """The same chart from the first frame to the last, and never without its shading."""
    page = open_page("/nonlinearity?act=playground&data=spiral&size=400&deep=2&lr=0.01&pace=medium&epochs=2000")
    page.evaluate(
        """(selector) => {
            const chart = document.querySelector(selector);
            chart.dataset.mine = "yes";
            window.seen = { frames: 0, blank: 0, changes: 0 };
            let last = "";
            const look = () => {
                const image = document.querySelector(selector)?.querySelector(".heatmaplayer image");
                const source = image?.getAttribute("xlink:href") ?? image?.getAttribute("href") ?? "";
                window.seen.frames += 1;
                if (!source) window.seen.blank += 1;
                else if (source !== last) { window.seen.changes += 1; last = source; }
                requestAnimationFrame(look);
            };
            look();
        }""",
        SHADED,
    )
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => window.seen.changes >= 12")
    seen = page.evaluate("() => window.seen")
    assert seen["blank"] == 0
    assert page.evaluate("(selector) => document.querySelector(selector).dataset.mine", SHADED) == "yes"
    page.get_by_role("button", name="Pause").click()


def shading(page: Page) -> str:
    """The picture that shades the plane."""
    source: str = page.evaluate(
        """(selector) => {
            const image = document.querySelector(selector).querySelector(".heatmaplayer image");
            return image.getAttribute("xlink:href") ?? image.getAttribute("href");
        }""",
        SHADED,
    )
    return source


def test_looking_back_bends_the_plane_again_in_place(open_page: OpenPage) -> None:
    page = open_page("/nonlinearity?act=playground&epochs=30&pace=full")
    beginning = shading(page)
    page.evaluate("(selector) => { document.querySelector(selector).dataset.mine = 'yes'; }", SHADED)
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("30 of 30", exact=True)).to_be_visible()
    slider = page.get_by_role("slider", name="Look back")
    expect(slider).to_be_visible()
    settle(page)
    end = shading(page)
    assert end != beginning
    slider.focus()
    page.keyboard.press("Home")
    expect(page.get_by_text("0 of 30", exact=True)).to_be_visible()
    settle(page)
    assert shading(page) == beginning
    page.get_by_role("slider", name="Look back").focus()
    page.keyboard.press("End")
    expect(page.get_by_text("30 of 30", exact=True)).to_be_visible()
    settle(page)
    assert shading(page) == end
    assert page.evaluate("(selector) => document.querySelector(selector).dataset.mine", SHADED) == "yes"


def test_a_weight_is_set_by_hand(open_page: OpenPage) -> None:
    page = open_page("/nonlinearity?act=playground")
    handle = page.evaluate(
        """() => {
            const edges = (chart) => chart.calcdata.find((points) => points[0].trace?.customdata?.[0]?.length === 3);
            const chart = [...document.querySelectorAll(".js-plotly-plot")].find(edges), [first] = edges(chart);
            const { xaxis, yaxis } = chart._fullLayout, box = chart.getBoundingClientRect();
            return [box.left + xaxis._offset + xaxis.d2p(first.x), box.top + yaxis._offset + yaxis.d2p(first.y)];
        }"""
    )
    page.mouse.move(*handle)
    expect(page.locator(".hoverlayer").filter(has_text="click to set it")).to_be_attached()
    page.mouse.click(*handle)
    editor = page.get_by_role("spinbutton", name="Weight from x to unit 1 of hidden layer 1")
    expect(editor).to_be_visible()
    editor.fill("7.5")
    editor.press("Enter")
    page.wait_for_function(
        """() => [...document.querySelectorAll(".js-plotly-plot")].some(
            (one) => one.data?.some((trace) => trace.hovertext?.[0] === "weight 7.5; click to set it"))"""
    )


def test_a_bad_file_is_named_by_line_column_and_rule_and_columns_are_chosen(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/nonlinearity?act=playground&data=own")
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text("x,y,label\n1,2,0\nspam,2,1\n")
    good.write_text("id,height,weight,sex,smokes\n0,1,2,f,no\n1,3,2,m,no\n2,3,5,m,yes\n")
    page.locator("input[type=file]").set_input_files(bad)
    expect(page.get_by_text("Line 3, column 'x': x must be a number, got 'spam'.")).to_be_visible()
    page.locator("input[type=file]").set_input_files(good)
    expect(page.get_by_text("3 points. Click")).to_be_visible()
    expect(page.get_by_text("x must be a number")).to_have_count(0)
    expect(page.get_by_text("Classes of the points: ● no, ■ yes.")).to_be_visible()
    settle(page)
    assert [label for _, _, label in drawn(page)] == [0, 0, 1]
    page.get_by_role("combobox", name="Label").click()
    page.get_by_role("option", name="sex").click()
    expect(page.get_by_text("Classes of the points: ● f, ■ m.")).to_be_visible()
    settle(page)
    assert [label for _, _, label in drawn(page)] == [0, 1, 1]
