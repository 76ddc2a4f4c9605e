"""The activations page in a real browser: shared hover and zoom, curves that move in place, links, history and downloads."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

CURVES = ".st-key-activation_curves .live-chart"


@pytest.fixture
def activations(open_page: OpenPage) -> Page:
    return open_page("/activations")


def slider(page: Page, name: str) -> Locator:
    return page.locator(f"[class*='st-key-activations_{name}'] input[type=range]").first


def press(page: Page, name: str, key: str, times: int = 1, pause_ms: int = 0) -> None:
    slider(page, name).focus()
    for _ in range(times):
        page.keyboard.press(key)
        page.wait_for_timeout(pause_ms)


def chart(page: Page, expression: str) -> Any:
    """What a JavaScript expression over the chart's element `chart` gives."""
    return page.evaluate(f"(selector) => {{ const chart = document.querySelector(selector); return {expression}; }}", CURVES)


def test_hovering_one_panel_reads_both(activations: Page) -> None:
    box = activations.locator(f"{CURVES} .draglayer .xy .nsewdrag").bounding_box()
    assert box
    activations.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    label = activations.locator(f"{CURVES} .hoverlayer .legend")
    expect(label).to_contain_text("Sigmoid ′")
    for name in ("ReLU", "ReLU ′", "Sigmoid", "Tanh ′"):
        expect(label).to_contain_text(name)


def test_zooming_one_panel_zooms_both_and_outlives_a_change(activations: Page) -> None:
    box = activations.locator(f"{CURVES} .draglayer .xy .nsewdrag").bounding_box()
    assert box
    height = box["y"] + box["height"] / 2
    activations.mouse.move(box["x"] + 0.4 * box["width"], height)
    activations.mouse.down()
    activations.mouse.move(box["x"] + 0.6 * box["width"], height, steps=8)
    activations.mouse.up()
    activations.wait_for_function(f"() => document.querySelector('{CURVES}').layout.xaxis.range[0] > -4")
    zoomed = chart(activations, "chart.layout.xaxis.range")
    assert chart(activations, "Object.keys(chart.layout).filter((name) => /^xaxis/.test(name))") == ["xaxis"]
    press(activations, "x", "ArrowRight")
    settle(activations)
    assert chart(activations, "chart.layout.xaxis.range") == zoomed


def test_a_slider_moves_the_tangent_and_the_chart_stays(activations: Page) -> None:
    activations.evaluate("(selector) => { document.querySelector(selector).dataset.mine = 'yes'; }", CURVES)
    press(activations, "x", "ArrowRight", times=5)
    expect(activations.get_by_text("value 1.5, gradient 1")).to_be_visible()
    expect(activations).to_have_url(re.compile(r"\?x=1\.5$"))
    assert chart(activations, "chart.dataset.mine") == "yes"


def test_numbers_of_a_link_between_the_steps_of_a_slider_survive_a_click_elsewhere(open_page: OpenPage) -> None:
    asked = {"x": "0.123456789", "range": "-7.3,4.25", "step": "0.03", "mean": "1.23456789", "std": "0.6180339887498949"}
    page = open_page("/activations?" + urlencode(asked))
    for name, shown in (("mean", "1.23456789"), ("range", "-7.3"), ("range", "4.25")):
        expect(page.locator(f"[class*='st-key-activations_{name}']")).to_contain_text(shown)
    press(page, "depth", "ArrowRight")
    expect(page).to_have_url(re.compile("depth=21"))
    assert dict(parse_qsl(urlsplit(page.url).query)) == asked | {"depth": "21"}
    expect(page.locator("[class*='st-key-activations_step']")).to_contain_text("0.03")
    press(page, "step", "ArrowRight")
    expect(page).to_have_url(re.compile(r"step=0\.05"))
    press(page, "step", "ArrowLeft")
    expect(page).to_have_url(re.compile(r"step=0\.03"))


def test_quick_clicks_are_all_counted(activations: Page) -> None:
    """Each click is sent with the address of the moment, which lags behind the last write."""
    press(activations, "x", "ArrowRight", times=12, pause_ms=70)
    expect(activations).to_have_url(re.compile(r"\?x=2\.2$"))
    settle(activations)
    assert slider(activations, "x").input_value() == "2.2"


def test_back_and_forward_lead_there_at_once(page: Page) -> None:
    page.get_by_role("link", name="Activations").first.click()
    expect(page.get_by_text("value 1, gradient 1")).to_be_visible()
    settle(page)
    press(page, "x", "ArrowRight")  # once: several presses may be one entry of the browser's history, or more than one
    expect(page).to_have_url(re.compile(r"\?x=1\.1$"))
    page.go_back()
    expect(page.get_by_text("value 1, gradient 1")).to_be_visible()
    settle(page)
    expect(page).to_have_url(re.compile("/activations$"))
    page.go_forward()
    expect(page.get_by_text("value 1.1, gradient 1")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("value 1, gradient 1")).to_be_visible()
    page.go_back()
    expect(page).to_have_title("MLP playground")
    expect(page.get_by_role("heading", name="MLP playground", exact=True)).to_be_visible()


def test_leaving_and_coming_back_keeps_the_choice(activations: Page) -> None:
    press(activations, "x", "ArrowRight", times=5)
    expect(activations).to_have_url(re.compile(r"\?x=1\.5$"))
    activations.get_by_role("link", name="MLP playground").first.click()
    settle(activations)
    expect(slider(activations, "x")).to_have_count(0)
    activations.get_by_role("link", name="Activations").first.click()
    expect(activations.get_by_text("value 1.5, gradient 1")).to_be_visible()
    expect(activations).to_have_url(re.compile(r"\?x=1\.5$"))


def test_an_expression_is_drawn_at_once_and_refused_with_a_caret(activations: Page) -> None:
    own = activations.get_by_label("Your own, in x")
    own.fill("sin(x)")
    own.press("Enter")
    expect(activations.locator(f"{CURVES} .legend")).to_contain_text("sin(x)")
    own.fill("sin(x).real")
    own.press("Enter")
    expect(activations.get_by_text("character 7: '.' is allowed in numbers only")).to_be_visible()
    assert activations.get_by_test_id("stCode").inner_text().rstrip() == "sin(x).real\n      ^"


def test_training_with_an_expression_is_one_click(activations: Page) -> None:
    own = activations.get_by_label("Your own, in x")
    own.fill("x*sigmoid(1.702*x)")
    own.press("Enter")
    link = activations.get_by_role("link", name="Train with x*sigmoid(1.702*x)")
    expect(link).to_be_visible()
    link.click()
    expect(activations).to_have_url(re.compile(r"activation=%3Dx"))
    expect(activations.locator("input[value='x*sigmoid(1.702*x)']")).to_be_visible()


def test_the_depth_laboratory_opens_with_this_activation_and_depth(open_page: OpenPage) -> None:
    page = open_page("/activations?show=elu&elu_alpha=2&depth=30")
    link = page.get_by_role("link", name="Measure it in a real network of 30 layers, with α = 1")
    assert link.get_attribute("href") == "stability?activation=elu&depth=30"


def test_the_numbers_can_be_downloaded(activations: Page, tmp_path: Path) -> None:
    with activations.expect_download() as download:
        activations.get_by_role("button", name="Curves (CSV)").click()
    target = tmp_path / "curves.csv"
    download.value.save_as(target)
    rows = list(csv.DictReader(target.open()))
    assert len(rows) == 161
    middle = rows[80]
    assert {name: float(value) for name, value in middle.items()} == {
        "x": 0, "ReLU value": 0, "ReLU gradient": 0, "Sigmoid value": 0.5, "Sigmoid gradient": 0.25, "Tanh value": 0, "Tanh gradient": 1,
    }  # fmt: skip
    with activations.expect_download() as download:
        activations.get_by_role("button", name="Histograms (CSV)").click()
    download.value.save_as(target)
    shares = [sum(float(row[f"input {part}"]) for part in ("active", "saturated", "dead")) for row in csv.DictReader(target.open())]
    assert sum(shares) == pytest.approx(1)
