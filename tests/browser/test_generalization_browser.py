"""The page on generalization in a real browser: its three acts by hand, live curves that stay in place, a phone, the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle
from tests.support.reading import read

pytestmark = pytest.mark.browser


DESCENT = """[...document.querySelectorAll(".js-plotly-plot")].find((one) => one._fullLayout.xaxis.title.text === "epoch")"""


def metric(page: Page, label: str) -> str:
    tile = page.get_by_test_id("stMetric").filter(has_text=label).first
    return tile.get_by_test_id("stMetricValue").inner_text()


def pick(page: Page, preset: str) -> None:
    page.get_by_role("button", name=preset, exact=True).or_(page.get_by_role("radio", name=preset, exact=True)).first.click()
    settle(page)


def test_a_preset_takes_the_overfit_away(open_page: OpenPage) -> None:
    page = open_page("/generalization")
    assert read(metric(page, "Test error")) > 1e3
    pick(page, "Just right")
    expect(page.get_by_text("Degree 3 through 100 points")).to_be_visible()
    settle(page)
    assert read(metric(page, "Test error")) < 0.1
    assert "degree=3" in page.url


def test_gradient_descent_is_watched_in_the_same_chart(open_page: OpenPage) -> None:
    page = open_page("/generalization?solver=descent&degree=3&samples=500&epochs=1500")  # five times as long as it takes to look twice
    page.get_by_role("button", name="Train by gradient descent").click()
    page.wait_for_function(f"() => ({DESCENT})?.calcdata[0].length > 3")
    page.evaluate(f"() => {{ ({DESCENT}).dataset.mine = 'yes'; }}")
    before = page.evaluate(f"() => ({DESCENT}).calcdata[0].length")
    page.wait_for_function(f"(count) => ({DESCENT}).calcdata[0].length > count", arg=before)
    assert page.evaluate(f"() => ({DESCENT}).dataset.mine") == "yes"
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()


def test_lambda_moves_by_the_keyboard_and_trains_anew(open_page: OpenPage) -> None:
    page = open_page("/generalization?act=decay")
    before = read(metric(page, "‖w‖"))
    page.get_by_role("slider").first.press("Home")
    expect(page.get_by_text("Losses, λ = 0", exact=True)).to_be_visible()
    settle(page)
    assert read(metric(page, "‖w‖")) > 10 * before
    expect(page.get_by_text("The training points are learned by heart.")).to_be_visible()


def test_dropout_trains_and_its_copies_vote(open_page: OpenPage) -> None:
    page = open_page("/generalization?act=dropout")
    page.get_by_role("button", name="Next mask").click()
    expect(page.get_by_text("h′ under mask 21")).to_be_visible()
    page.get_by_role("button", name="Train with and without dropout").click()
    expect(page.get_by_text("After 1 epoch:").or_(page.get_by_text("epochs:")).first).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("copies say")).to_be_visible()
