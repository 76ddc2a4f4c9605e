"""What the live chart's tests share: where its charts are on the page of `apps/live_charts.py`, and how to look at one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

APPS = Path(__file__).parents[2] / "browser" / "apps"
APP = APPS / "live_charts.py"
MOVING, STILL, CELLS, POINTS = (f".st-key-{key} .live-chart" for key in ("moving", "still", "cells", "points"))


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


def look(page: Page, selector: str) -> tuple[str, str]:
    """Color and font of a label beside an axis."""
    fill, font = page.eval_on_selector(
        f"{selector} .xtick text", "(tick) => { const { fill, fontFamily } = getComputedStyle(tick); return [fill, fontFamily]; }"
    )
    return fill, font


def text_color(page: Page) -> str:
    color: str = page.eval_on_selector(".stApp", "(app) => getComputedStyle(app).color")
    return color
