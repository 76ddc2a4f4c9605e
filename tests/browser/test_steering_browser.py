"""Steering a run in a real browser: looking back, branching, five seeds, a change of lr, runs beside each other, a picture of one's own."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from mlp_core.data import load_fashion_mnist
from tests.browser.conftest import OpenPage
from tests.browser.test_train_browser import LONG, LOSS, button, points, press, until
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

SHORT = "/train?hidden=32&epochs=3&train_size=2000&pace=full"
FINISH_MS = 40_000


def finished(open_page: OpenPage, path: str = SHORT, start: str = "play") -> Page:
    page = open_page(path)
    button(page, start).first.click()  # one with a help text is there twice
    page.wait_for_selector(f"{LOSS} .js-line")
    expect(button(page, "play")).to_contain_text("Train", timeout=FINISH_MS)
    settle(page)
    return page


def shown(page: Page, expression: str) -> Any:
    """What a JavaScript expression over the loss chart's element `chart` gives."""
    return page.eval_on_selector(LOSS, f"(chart) => {expression}")


def panel(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
    settle(page)


def look_back(page: Page, presses: int) -> None:
    page.locator(".st-key-rewind_row input[type=range]").focus()
    for _ in range(presses):
        page.keyboard.press("ArrowLeft")
    settle(page)


def test_looking_back_moves_every_panel_and_the_chart_stays(open_page: OpenPage) -> None:
    page = finished(open_page)
    before = page.get_by_text(re.compile(r"After step 24: ")).inner_text()
    page.eval_on_selector(LOSS, "(chart) => { chart.dataset.mine = 'yes'; }")
    look_back(page, 2)
    expect(page.get_by_text(before)).to_have_count(0)
    expect(page.get_by_text(re.compile(r"After step \d+: "))).to_be_visible()
    words = shown(page, "chart.layout.annotations.map((note) => note.text)")
    assert any(re.fullmatch(r"step \d+", text) for text in words)
    assert shown(page, "chart.dataset.mine") == "yes"
    panel(page, "Look inside")
    expect(page.locator(".st-key-inside_over_time .live-chart, [class*=st-key-inside] .live-chart").first).to_be_visible()
    page.locator(".st-key-rewind_row input[type=range]").focus()
    page.keyboard.press("End")
    settle(page)
    panel(page, "Predictions")
    expect(page.get_by_text(before)).to_be_visible()


def test_a_branch_is_drawn_beside_its_run(open_page: OpenPage) -> None:
    page = finished(open_page)
    look_back(page, 2)
    page.get_by_role("textbox", name="lr of the branch").fill("0.5")
    page.get_by_role("textbox", name="lr of the branch").press("Enter")
    settle(page)
    page.get_by_role("button", name=re.compile("Branch from step")).click()
    page.wait_for_function(f"() => document.querySelector('{LOSS}')?.layout.annotations.some((note) => note.text === 'lr 0.5')")
    expect(button(page, "play")).to_contain_text("Train", timeout=FINISH_MS)
    settle(page)
    groups = shown(page, "[...new Set(chart.data.map((trace) => trace.legendgroup).filter(Boolean))]")
    assert groups == ["run 0", "run 1"]
    panel(page, "Runs side by side")
    expect(page.get_by_text(re.compile("You changed exactly one thing"))).to_be_visible()


def test_a_fix_is_one_click_from_the_same_seed_and_is_drawn_beside_the_fault(open_page: OpenPage) -> None:
    page = finished(open_page, "/train?hidden=32&train_size=2000&batch_size=64&epochs=5&lr=30&pace=full")
    fix = page.locator(".live-run .said button")
    expect(fix).to_contain_text("Try lr ")
    fix.click()
    expect(page).not_to_have_url(re.compile("lr=30"))
    expect(button(page, "play")).to_contain_text("Train", timeout=FINISH_MS)
    settle(page)
    assert shown(page, "[...new Set(chart.data.map((trace) => trace.legendgroup).filter(Boolean))]") == ["run 0", "run 1"]


def test_five_seeds_draw_a_band(open_page: OpenPage) -> None:
    page = finished(open_page, start="seeds")
    assert shown(page, "chart.data.filter((trace) => trace.fill === 'tonexty').length") == 2
    expect(page.get_by_text(re.compile(r"5 seeds at once"))).to_be_visible()


def test_the_lr_is_changed_without_losing_the_run(open_page: OpenPage) -> None:
    page = open_page(LONG)
    press(page, "play")
    page.wait_for_selector(f"{LOSS} .js-line")
    page.locator(".st-key-run_lr button").first.click()
    page.get_by_role("button", name="÷ 10").click()
    expect(page.get_by_text("The learning rate of this run is 0.01.")).to_be_visible()
    page.wait_for_function(f"() => document.querySelector('{LOSS}').layout.annotations.some((note) => note.text === 'lr 0.01')")
    page.wait_for_timeout(1500)  # ticks go by
    expect(page.get_by_text("The learning rate of this run is 0.01.")).to_be_visible()  # and leave the popover open
    page.keyboard.press("Escape")
    before = points(page)
    until(lambda: points(page) > before, "the run goes on")


def test_a_slow_run_is_steered_from_the_sidebar_and_sent_on_at_full_speed(open_page: OpenPage) -> None:
    page = open_page(SHORT.replace("&pace=full", "").replace("epochs=3", "epochs=30"))
    press(page, "play")
    page.wait_for_selector(f"{LOSS} .js-line")
    lr = page.get_by_role("spinbutton", name="lr", exact=True)
    lr.fill("0.02")
    lr.press("Enter")
    page.wait_for_function(f"() => document.querySelector('{LOSS}').layout.annotations.some((note) => note.text === 'lr 0.02')")
    expect(page.get_by_text("lr of this run: 0.02").first).to_be_visible()  # one with a help text is there twice
    expect(button(page, "play")).to_contain_text("Pause")  # a minute is long
    page.get_by_text("Full speed", exact=True).click()
    expect(button(page, "play")).to_contain_text("Train", timeout=FINISH_MS)


def test_a_picture_of_ones_own_is_recognized_by_the_run_on_screen(open_page: OpenPage) -> None:
    page = finished(open_page, "/train?hidden=64&epochs=2&train_size=20000&lr=0.3&pace=full")
    panel(page, "Your own picture")
    image = 255 - np.kron(load_fashion_mnist().test_images[2].numpy(), np.ones((8, 8), dtype=np.uint8))  # trousers, black on white
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    page.locator("input[type=file]").set_input_files({"name": "trousers.png", "mimeType": "image/png", "buffer": file.getvalue()})
    expect(
        page.get_by_text(re.compile(r"^The network says trouser"))
    ).to_be_visible()  # not the file's name, which is there while it is sent
    page.locator("input[type=file]").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"not a picture"})
    expect(page.get_by_test_id("stAlert").filter(has_text="This cannot be used")).to_be_visible()


def test_the_chart_is_the_same_one_from_the_first_step_to_the_end(open_page: OpenPage) -> None:
    page = open_page(SHORT)
    press(page, "step")
    page.wait_for_selector(LOSS)
    until(lambda: points(page) == 1, "the first point")
    page.eval_on_selector(LOSS, "(chart) => { chart.dataset.mine = 'yes'; }")
    press(page, "play")
    expect(button(page, "play")).to_contain_text("Train", timeout=FINISH_MS)
    settle(page)
    assert shown(page, "chart.dataset.mine") == "yes"
