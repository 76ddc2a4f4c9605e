"""The tensor warm-up in a real browser: cells that are typed and clicked, a point set on the map, links, and all widths."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

LABEL_WIDTH, CELL_WIDTH, ROW_HEIGHT = 70, 64, 37  # px of the tables' canvas


def type_into(page: Page, name: str, row: int, column: int, text: str) -> None:
    """Type into a cell of an operand's table, as a person does: double click, type, Enter."""
    settle(page)
    canvas = page.locator(f"[class*='st-key-tensors_table_{name}_'] canvas").first
    canvas.evaluate("(canvas) => canvas.scrollIntoView({block: 'center'})")
    box = canvas.bounding_box()
    assert box
    page.mouse.dblclick(box["x"] + LABEL_WIDTH + CELL_WIDTH * (column + 0.5), box["y"] + ROW_HEIGHT * (row + 1.5))
    editor = page.locator(".gdg-input")
    editor.fill(text)
    editor.press("Enter")


def drawn_at(page: Page, chart: str, x: str, y: str) -> tuple[float, float]:
    """Where on the screen a place of a chart's axes is; `x` and `y` are JavaScript over the chart's element `chart`."""
    px, py = page.evaluate(
        f"""() => {{ const chart = document.querySelector('.st-key-{chart} .live-chart'); chart.scrollIntoView({{block: 'center'}});
            const box = chart.getBoundingClientRect(), {{xaxis, yaxis}} = chart._fullLayout;
            return [box.left + xaxis._offset + xaxis.d2p({x}), box.top + yaxis._offset + yaxis.d2p({y})]; }}"""
    )
    return float(px), float(py)


def test_a_typed_cell_changes_the_result_and_the_link(open_page: OpenPage) -> None:
    page = open_page("/tensors")
    type_into(page, "a", 0, 1, "-2")
    expect(page.get_by_text("1·5 + (−2)·7 = −9")).to_be_visible()
    expect(page.locator("[class*='st-key-tensors_a'] input")).to_have_value("1 -2; 3 4; 5 6")
    type_into(page, "a", 2, 0, "0.5")
    expect(page).to_have_url(re.compile(r"a=1\+-2%3B\+3\+4%3B\+0\.5\+6"))
    settle(page)
    expect(page.get_by_text("1·5 + (−2)·7 = −9")).to_be_visible()


def test_text_in_a_cell_gets_a_message_and_goes_when_it_is_mended(open_page: OpenPage) -> None:
    page = open_page("/tensors")
    type_into(page, "b", 1, 2, "abc")
    expect(page.get_by_text("row 1, column 2: abc is not a number.")).to_be_visible()
    expect(page.locator(".st-key-tensors_cells")).to_have_count(0)
    type_into(page, "b", 1, 2, "3")
    expect(page.get_by_text("is not a number")).to_have_count(0)
    expect(page.locator(".st-key-tensors_cells")).to_be_visible()


def test_a_click_on_the_result_shows_what_made_it(open_page: OpenPage) -> None:
    page = open_page("/tensors")
    result = "chart.data.filter((trace) => (trace.name || '').startsWith('result')).at(-1)"
    page.mouse.click(*drawn_at(page, "tensors_cells", f"{result}.x[9]", f"{result}.y[9]"))
    expect(page.get_by_text("result[2, 1] = 5·6 + 6·8 = 78")).to_be_visible()
    expect(page).to_have_url(re.compile(r"cell=9"))


def test_a_clash_is_told_by_torch_and_in_words_and_is_mended_by_an_example(open_page: OpenPage) -> None:
    page = open_page("/tensors")
    page.get_by_role("button", name="One that clashes").click()
    expect(page.get_by_text("axis 1 of A (size 3) must equal axis 0 of B (size 2)")).to_be_visible()
    expect(page.get_by_test_id("stCode").nth(1)).to_contain_text("shapes cannot be multiplied (2x3 and 2x3)")
    page.get_by_role("button", name="One that fits").click()
    expect(page.get_by_text("1·5 + 2·7 = 19")).to_be_visible()


def test_another_operation_brings_its_tensors(open_page: OpenPage) -> None:
    page = open_page("/tensors")
    page.get_by_role("radio", name="mul, broadcast").click()
    expect(page.get_by_text("result[0, 0] = 1·1 = 1")).to_be_visible()
    page.get_by_role("button", name="Next cell").click()
    expect(page.get_by_text("result[0, 1] = 1·2 = 2")).to_be_visible()


def test_the_point_is_set_by_a_click_and_by_a_slider(open_page: OpenPage) -> None:
    page = open_page("/tensors?act=contour&f=bowl")
    page.mouse.click(*drawn_at(page, "tensors_contour", "-1.5", "2"))
    expect(page).to_have_url(re.compile(r"x=-1\.5&y=2$"))
    expect(page.get_by_text("(−3, 4)")).to_be_visible()
    expect(page.get_by_text("90.0000°")).to_be_visible()
    page.locator("[class*='st-key-tensors_x'] input[type=range]").first.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"x=-1&y=2$"))
    expect(page.get_by_text("(−2, 4)")).to_be_visible()


def test_the_right_angle_is_one_on_the_screen(open_page: OpenPage) -> None:
    """One unit is as many pixels on either axis."""
    page = open_page("/tensors?act=contour")
    left, bottom = drawn_at(page, "tensors_contour", "-2", "-2")
    right, top = drawn_at(page, "tensors_contour", "2", "2")
    assert right - left == pytest.approx(bottom - top, rel=0.01)


def test_leaving_and_coming_back_keeps_the_tensors(open_page: OpenPage) -> None:
    page = open_page("/tensors")
    type_into(page, "a", 0, 0, "10")
    expect(page.get_by_text("10·5 + 2·7 = 64")).to_be_visible()
    page.get_by_role("link", name="Activations").first.click()
    expect(page.get_by_text("The exponential is expensive")).to_be_visible()  # a page that has not begun to change is at rest too
    settle(page)
    page.get_by_role("link", name="Tensors").first.click()
    expect(page.get_by_text("10·5 + 2·7 = 64")).to_be_visible()
    type_into(page, "a", 0, 1, "0")
    expect(page.get_by_text("10·5 + 0·7 = 50")).to_be_visible()
