"""What holds on every page: its name, its card, its sidebar; what the first window shows, a lecture hall sees, and paper gets."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from pages.figures.palette import GRADIENT, VALUE
from pages.ui.navigation import NAMES
from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser


def test_the_network_on_its_card_has_its_lines_where_its_units_are(open_page: OpenPage) -> None:
    page = open_page("/", width=1280, height=720)
    view, *layers = (page.locator(f".st-key-card_of_train {part}").bounding_box() for part in (".network-view", "canvas", "svg"))
    assert view
    assert layers == [view, view]


def test_a_card_leads_to_its_page_wherever_it_is_clicked_and_by_the_keyboard(page: Page) -> None:
    page.get_by_text("Products of random matrices").click(force=True)  # the link lies over it
    expect(page).to_have_title("Stability · MLP playground")
    expect(page.get_by_role("heading", name="Stability", exact=True)).to_be_visible()
    page.get_by_role("link", name="MLP playground").first.click()
    expect(page).to_have_title("MLP playground")
    chart = page.locator(".st-key-card_of_tensors .live-chart")
    expect(chart).to_be_visible()
    settle(page)
    chart.click(force=True)
    expect(page).to_have_title("Tensors · MLP playground")
    page.get_by_role("link", name="MLP playground").first.click()
    expect(chart).to_be_visible()
    settle(page)
    page.locator(".st-key-card_of_activations a").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_title("Activations · MLP playground")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_sidebar_opens_only_where_it_holds_something(open_page: OpenPage, width: int) -> None:
    """On a phone the menu of the pages is in it, wide windows have that on top."""
    page = open_page("/nonlinearity", width=width, height=720)
    sidebar = page.get_by_test_id("stSidebar")
    if width < 768:
        page.get_by_test_id("stExpandSidebarButton").click()
        for name in NAMES.values():
            expect(sidebar.get_by_role("link", name=name, exact=True)).to_be_visible()
        return
    expect(sidebar).to_be_hidden()
    expect(page.get_by_test_id("stExpandSidebarButton")).to_have_count(0)
    page.get_by_text("XOR and friends", exact=True).click()
    expect(sidebar.get_by_text("Hidden layers", exact=True)).to_be_visible()
    page.get_by_text("Collapse", exact=True).click()
    expect(page.get_by_text("Layers without a nonlinearity")).to_be_visible()
    settle(page)
    expect(sidebar).to_be_hidden()


# What the controls of a page or section change first, and where
FIRST_CHARTS = {
    "/activations": "activation_curves",
    "/stability?act=depth": "depth",
    "/stability?act=chain": "chain_product",
    "/stability?act=matrices&trials=20": "growth",
    "/nonlinearity?act=collapse": "collapse_missed",
    "/nonlinearity?act=perceptron": "perceptron_plane",
    "/nonlinearity?act=playground": "plane",
    "/generalization": "polynomial_fit",
    "/generalization?part=images": "sweep_images_chart",
    "/generalization?part=labels": "label_accuracy",
    "/generalization?act=decay": "decay_losses",
    "/generalization?act=dropout": "dropout_cells",
    "/tensors": "tensors_lineup",
    "/tensors?act=contour": "tensors_contour",
}


def test_the_first_window_of_a_projector_holds_the_controls_and_the_whole_chart_that_they_change(open_page: OpenPage) -> None:
    page = open_page("/", width=1280, height=720)
    for path, key in FIRST_CHARTS.items():
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + path)
        chart = page.locator(f".st-key-{key} .live-chart")
        expect(chart).to_be_visible()
        settle(page)
        box = chart.bounding_box()
        assert box is not None
        assert 60 < box["y"] < box["y"] + box["height"] <= 720, (path, box)
        controls = page.locator("[data-testid=stSlider], [data-testid=stButton] button, [data-testid=stSelectbox]").all()
        tops = [place["y"] for control in controls if (place := control.bounding_box()) is not None and place["width"]]
        assert min(tops) < 720, path


def test_controls_stay_in_the_window_while_one_scrolls_through_what_they_change(open_page: OpenPage) -> None:
    page = open_page("/generalization?act=decay", width=1280, height=720)
    last = page.locator(".st-key-decay_weights .live-chart")
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    expect(page.locator("[class*='st-key-generalization_decay']").get_by_text("λ", exact=True).first).to_be_in_viewport()


def test_presenter_mode_has_large_type_and_charts_across_the_screen_on_every_page_until_it_is_left(open_page: OpenPage) -> None:
    page = open_page("/activations?present=1", width=1280, height=720)
    box = page.locator(".st-key-activation_curves .main-svg").first.bounding_box()
    assert box is not None
    assert box["width"] > 0.9 * 1280
    assert box["height"] > 0.55 * 720
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    assert type_size(page) > 20
    page.get_by_role("link", name="Stability").first.click()
    expect(page.get_by_role("heading", name="Stability", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("present=1"))
    assert type_size(page) > 20
    settle(page)
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Leave")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("present"))
    settle(page)
    assert type_size(page) < 20
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Leave")).to_be_visible()
    expect(page).to_have_url(re.compile("present=1"))


def type_size(page: Page) -> float:
    size: float = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    return size


def test_a_click_beside_all_controls_frames_nothing_and_lets_keys_scroll(open_page: OpenPage) -> None:
    page = open_page("/tensors", width=1280, height=720)
    page.get_by_role("heading", name="Tensors", exact=True).click()
    page.keyboard.press("Shift")  # the first key would show where the focus is
    assert page.locator("[data-testid=stMain]:focus-visible").count() == 0
    page.keyboard.press("PageDown")
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollTop > 100")
    page.locator("[data-testid=stMain]").focus()  # as by Tab, since a key was pressed last
    assert page.locator("[data-testid=stMain]:focus-visible").count() == 1


PAPER = """() => {
  const chart = document.querySelector(".st-key-depth .js-plotly-plot")._fullLayout;
  const text = getComputedStyle(document.querySelector("[data-testid=stCaptionContainer] p"));
  const app = getComputedStyle(document.querySelector(".stApp"));
  return [chart.paper_bgcolor, chart.font.color, text.color, app.backgroundColor].map((color) => color.toLowerCase());
}"""
INK, WHITE = ("#1b2430", "rgb(27, 36, 48)"), ("#ffffff", "rgb(255, 255, 255)")


def test_a_dark_page_is_printed_whole_in_light_colors_without_what_is_to_be_clicked(open_page: OpenPage) -> None:
    page = open_page("/stability?act=depth", width=1280, height=720, scheme="dark", alone=True)  # a tab that has been printed stays odd
    screen = page.evaluate(PAPER)
    assert screen[0] not in WHITE
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("() => document.querySelector('.st-key-depth .js-plotly-plot')._fullLayout.paper_bgcolor === '#ffffff'")
    background, ink, text, app = page.evaluate(PAPER)
    assert {background, app} <= set(WHITE)
    assert {ink, text} <= set(INK)
    page.emulate_media(media="null", color_scheme="dark")
    as_before = "([paper, screen]) => JSON.stringify(eval(paper)()) === JSON.stringify(screen)"
    page.wait_for_function(as_before, arg=[PAPER, screen])
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) >= 2  # no longer one window of it
    page.wait_for_function(as_before, arg=[PAPER, screen])


# Of every text that is seen, the first words of those with less contrast to white than 4.5 (WCAG 2.2, 1.4.3); a bullet is none. Each with
# its color, as the palette's own name the curves that they are beside.
FAINT = """() => {
  const part = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const found = [], texts = document.createTreeWalker(document.querySelector(".stApp"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim(), parent = texts.currentNode.parentElement;
    if (!/[^●]/.test(text) || parent.closest("style, .katex-mathml") || !parent.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(parent), drawn = parent instanceof SVGElement;
    const [red, green, blue, alpha = 1] = (drawn ? style.fill : style.color).match(/[\\d.]+/g).map(Number);
    let opacity = alpha * (drawn ? parseFloat(style.fillOpacity) : 1);
    for (let at = parent; at; at = at.parentElement) opacity *= parseFloat(getComputedStyle(at).opacity);
    if (!opacity) continue;
    const [r, g, b] = [red, green, blue].map((value) => part((255 + (value - 255) * opacity) / 255));
    const hex = "#" + [red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("").toUpperCase();
    if (1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) < 4.5) found.push([text.slice(0, 30), hex]);
  }
  return found;
}"""
CONTROLS = """() => [...document.querySelectorAll("button, input[type=radio], [data-testid=stHeader], .modebar-container")].filter((one) =>
  one.checkVisibility({ visibilityProperty: true }) && one.dataset.selected !== "true" && one.closest("[data-selected=true]") === null)
  .map((one) => one.textContent.trim() || one.outerHTML.slice(0, 80))"""
PAPER_PX = 703  # A4 within its margins


def test_on_paper_every_page_is_dark_on_white_without_controls_and_its_charts_are_across(open_page: OpenPage) -> None:
    page = open_page("/", width=1280, height=720, scheme="dark", alone=True)
    for path in ("/", "/train?hidden=64", "/activations", *(f"/{stem}" for stem in NAMES if stem not in ("start", "train", "activations"))):
        page.emulate_media(media="null", color_scheme="dark")
        page.set_viewport_size({"width": 1280, "height": 720})
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + path)
        settle(page)
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")  # comes while the page is still laid out for the screen
        widths = "[...document.querySelectorAll('.live-chart > .plot-container .main-svg:first-child')].map((one) => one.clientWidth)"
        page.wait_for_function(f"() => {widths}.every((width) => width >= 600 && width <= {PAPER_PX})")
        page.emulate_media(media="print", color_scheme="dark")
        page.set_viewport_size({"width": PAPER_PX, "height": 1000})
        settle(page)
        assert [text for text, color in page.evaluate(FAINT) if color not in {VALUE, GRADIENT}] == [], path
        assert page.evaluate(CONTROLS) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        outside = "(chart) => chart.getBoundingClientRect().right > window.innerWidth"
        assert not page.evaluate(f"[...document.querySelectorAll('.live-chart .main-svg, .network-view')].some({outside})"), path
