"""The page "Stability" in a real browser: clicks on the sigmoid, the play button, links, training side by side."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser

ADDRESS = "/stability"
ACTS = ("depth", "chain", "matrices", "training", "symmetry")


def chart(key: str) -> str:
    return f".st-key-{key} .live-chart"


def box_of(page: Page, selector: str) -> dict[str, float]:
    """Where the axes' area of a chart lies on the screen."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(f"{selector} .nsewdrag").first.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def slider(page: Page, name: str) -> Locator:
    return page.locator(f"[class*='st-key-stability_{name}'] input[type=range]").first


def test_a_click_on_the_sigmoid_places_a_layer_and_goes_on_to_the_next(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}?act=chain&x=0,0,0")
    expect(page.get_by_text("After 3 layers the gradient is multiplied by 0.016")).to_be_visible()
    settle(page)
    box = box_of(page, chart("sigmoid_chain"))
    # x = 4 of the grid from -8 to 7.9, where the sigmoid is 0.98 of a frame from -0.03 to 1.03
    page.mouse.click(box["x"] + box["width"] * 12 / 15.9, box["y"] + box["height"] * (1.03 - 0.982) / 1.06)
    expect(page).to_have_url(re.compile(r"x=4(\.0)?%2C0%2C0|x=4,0,0"))
    expect(page.get_by_text("x of layer 2")).to_be_visible()
    expect(page.get_by_text("Layer 1 takes the most")).to_be_visible()


def test_the_scale_that_neither_grows_nor_dies_is_one_click_away(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}?act=matrices&trials=50")
    page.get_by_role("button", name="Find the σ that neither grows nor dies").click()
    settle(page)
    expect(page.locator("[class*='st-key-stability_sigma'] input")).to_have_value(re.compile(r"^0\.57237222408"))  # exp(−λ₁), to ten digits
    expect(page).to_have_url(re.compile(r"sigma=0\.57237"))


def test_the_play_button_moves_k_and_the_charts_stay(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}?act=matrices&trials=20&k=1")
    for key in ("growth", "matrix_after", "singular_values"):
        page.evaluate("(selector) => { document.querySelector(selector).dataset.mine = 'yes'; }", chart(key))
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_function("() => Number(document.querySelector('[class*=st-key-stability_k] input[type=range]').value) > 8")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    settle(page)
    k = int(slider(page, "k").input_value())
    expect(page.get_by_text(f"After {k}, times")).to_be_visible()
    for key in ("growth", "matrix_after", "singular_values"):
        assert page.eval_on_selector(chart(key), "(chart) => chart.dataset.mine") == "yes"


def test_a_preset_of_designs_redraws_the_picture_in_place(open_page: OpenPage) -> None:
    shown = "activation=relu&init=normal&activation2=tanh&init2=normal&activation3=sigmoid&init3=normal"
    measured = open_page(f"{ADDRESS}?{shown}")  # once: what takes longer than a second is shown with its progress, and then anew
    expect(measured.locator(f"{chart('depth')} .legend")).to_contain_text("ReLU, N(0, 0.01²)")
    page = open_page(ADDRESS)
    page.evaluate("(selector) => { document.querySelector(selector).dataset.mine = 'yes'; }", chart("depth"))
    page.locator("[class*='st-key-stability_preset']").get_by_text("Too small").click()
    expect(page.locator(f"{chart('depth')} .legend")).to_contain_text("ReLU, N(0, 0.01²)")
    expect(page.get_by_text("holds the gradient, but not its square")).to_be_visible()
    assert page.eval_on_selector(chart("depth"), "(chart) => chart.dataset.mine") == "yes"
    expect(page).to_have_url(re.compile("init=normal"))


def test_a_link_restores_the_laboratory(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}?activation=tanh&init=normal&std=1&activation2=none&activation3=none&depth=8&show=saturated")
    expect(page.locator(f"{chart('depth')} .ytitle")).to_have_text("saturated outputs (%)")
    assert slider(page, "depth").input_value() == "8"


def test_an_activation_can_be_typed(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}?depth=3&batch=16")
    field = page.locator("[class*='st-key-stability_activation4'] input")
    field.click()
    field.fill("x*sigmoid(2*x)")
    field.press("Enter")
    expect(page.locator(f"{chart('depth')} .legend")).to_contain_text("x*sigmoid(2*x), He normal")
    field.click()
    field.fill("x.real")
    field.press("Enter")
    expect(page.get_by_text("must be one that can be computed").first).to_be_visible()


def test_training_side_by_side_ends_with_a_verdict_each(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}?act=training&activation=relu&init=normal&activation2=none&epochs=1")
    page.get_by_role("button", name="Train side by side").click()
    expect(page.get_by_role("button", name="Stop")).to_be_enabled()
    expect(page.get_by_text("Stuck at")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    expect(page.locator(f"{chart('designs_accuracy')} .legend")).to_contain_text("ReLU, He normal")
    expect(page.get_by_text("of the test images correct")).to_be_visible()
