"""The training page in a real browser: a run is started, watched, paused, left and found again, and ends with its tab."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from safetensors import safe_open

from tests.browser.conftest import OpenPage
from tests.browser.test_live_chart_updates import WATCH
from tests.support.browser.driving import ROOT, settle, streamlit

pytestmark = pytest.mark.browser

LOSS = ".live-run .loss .live-chart"
LONG = "/train?hidden=64&epochs=100&pace=full"  # goes on for as long as a test looks
SHORT = "/train?hidden=32&epochs=2&train_size=1000&pace=full"
PATIENCE_SECONDS = 40.0
NAMES = ("0.weight", "0.bias", "2.weight", "2.bias")


def button(page: Page, key: str) -> Locator:
    """One of the buttons of a run: play (also pause and resume), step, epoch, stop, reset."""
    return page.locator(f".st-key-run_{key} button")


def press(page: Page, key: str) -> None:
    button(page, key).click()


def points(page: Page) -> int:
    """How many points the loss chart draws."""
    return int(page.eval_on_selector(LOSS, "(chart) => Math.max(0, ...(chart.calcdata ?? []).map((trace) => trace.length))"))


def step_of(page: Page) -> int:
    """Steps done, as the words above the bar say: "Epoch 2 of 10 · step 7 of 235 · …"; 0 where no run is shown."""
    texts = page.locator(".live-run .progress").all_inner_texts()
    found = re.search(r"Epoch (\d+) of \d+ · step ([\d,]+) of ([\d,]+)", texts[0] if texts else "")
    if not found:
        return 0
    epoch, step, length = (int(part.replace(",", "")) for part in found.groups())
    return max(0, epoch - 1) * length + step


def later(page: Page, read: Callable[[Page], int]) -> int:
    """What is read after at least one tick."""
    page.wait_for_timeout(700)
    return read(page)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.1)


def started(open_page: OpenPage, path: str = LONG, **options: int) -> Page:
    page = open_page(path, **options)  # type: ignore[arg-type]
    press(page, "play")
    page.wait_for_selector(f"{LOSS} .js-line")
    return page


def test_the_curve_grows_stands_still_while_paused_and_goes_on(open_page: OpenPage) -> None:
    page = started(open_page)
    before = points(page)
    until(lambda: points(page) > before, "the curve grows")
    expect(button(page, "play")).to_contain_text("Pause")
    press(page, "play")
    expect(button(page, "play")).to_contain_text("Resume")
    until(lambda: step_of(page) == later(page, step_of), "it rests, after the turn that was under way")
    at_rest = step_of(page)
    page.wait_for_timeout(1500)
    assert step_of(page) == at_rest
    press(page, "step")
    until(lambda: step_of(page) == at_rest + 1, "one more step")
    press(page, "play")
    until(lambda: step_of(page) > at_rest + 20, "it goes on")
    press(page, "stop")
    expect(button(page, "play")).to_contain_text("Train")
    expect(button(page, "stop")).to_be_disabled()
    press(page, "reset")
    expect(page.locator(".live-run .progress")).to_contain_text("Press Train")


def test_keys_drive_a_run(open_page: OpenPage) -> None:
    page = open_page(LONG)
    page.get_by_role("heading", name="Train", exact=True).click()  # a key counts where no text box has the focus
    page.keyboard.press("b")
    until(lambda: step_of(page) == 1, "B takes one step")
    page.keyboard.press("t")
    until(lambda: step_of(page) > 5, "T goes on")
    page.keyboard.press("t")
    expect(button(page, "play")).to_contain_text("Resume")
    page.keyboard.press("x")
    expect(page.locator(".live-run .progress")).to_contain_text("Press Train")


def test_keys_drive_a_run_while_a_slider_or_a_toggle_has_the_focus_but_are_letters_in_a_box(open_page: OpenPage) -> None:
    page = open_page(LONG)
    page.get_by_role("slider").first.focus()
    page.keyboard.press("b")
    until(lambda: step_of(page) == 1, "B takes one step")
    page.locator("input[type=checkbox]").first.focus()
    page.keyboard.press("b")
    until(lambda: step_of(page) == 2, "B takes one step more")
    page.get_by_label("Seed", exact=True).focus()
    page.keyboard.press("b")
    page.keyboard.press("x")
    settle(page)
    assert later(page, step_of) == 2


def test_a_control_changed_during_a_run_leaves_the_run_alone(open_page: OpenPage) -> None:
    page = started(open_page)
    before = step_of(page)
    page.get_by_label("Seed", exact=True).fill("7")  # in a group that is open, as the link sets the epochs
    page.keyboard.press("Enter")
    expect(page.get_by_text("A new design is waiting:")).to_be_visible()
    expect(page.get_by_text("The run goes on undisturbed")).to_be_visible()
    until(lambda: step_of(page) > before + 20, "the run goes on")
    page.get_by_role("button", name="Train the new design").click()
    expect(page.get_by_text("A new design is waiting:")).to_have_count(0)
    expect(page).to_have_url(re.compile("seed=7"))


def test_back_takes_a_change_back_at_once_also_during_a_run(open_page: OpenPage) -> None:
    page = started(open_page)
    seed = page.get_by_label("Seed", exact=True)
    seed.fill("7")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("seed=7"))
    page.go_back()
    settle(page)  # until then there are two: that of the state before is a new one
    expect(seed).to_have_value("0")
    expect(page).not_to_have_url(re.compile("seed=7"))
    expect(page.get_by_text("A new design is waiting:")).to_have_count(0)
    expect(button(page, "play")).to_contain_text("Pause")


def test_another_page_and_back_finds_the_run_further_on(open_page: OpenPage) -> None:
    page = started(open_page)
    before = step_of(page)
    page.get_by_role("link", name="Activations").first.click()
    expect(page.get_by_role("heading", name="Activations")).to_be_visible()
    page.get_by_role("link", name="Train", exact=True).first.click()
    page.wait_for_selector(f"{LOSS} .js-line")
    assert step_of(page) > before
    expect(page).to_have_url(re.compile(r"hidden=64"))
    expect(button(page, "play")).to_contain_text("Pause")


def test_a_refresh_finds_the_run_again(open_page: OpenPage) -> None:
    page = started(open_page)
    until(lambda: step_of(page) > 50, "some steps")
    before = step_of(page)
    page.reload()
    page.wait_for_selector(f"{LOSS} .js-line")
    assert step_of(page) >= before
    expect(button(page, "play")).to_contain_text("Pause")


def test_the_thread_ends_some_time_after_the_tab(open_page: OpenPage, small_apps_url: str) -> None:
    """The run is parked first, as a refresh looks just the same; see `PARKED_SECONDS`."""
    url = f"{small_apps_url}/watched_training"
    page = open_page(f"{url}?hidden=64&epochs=100")
    press(page, "play")
    page.wait_for_selector(f"{LOSS} .js-line")
    witness = open_page(f"{url}?threads=1")
    expect(witness.get_by_text("training-0")).to_be_visible()
    page.goto("about:blank")

    def ended() -> bool:
        witness.reload()
        settle(witness)
        return witness.get_by_text("none", exact=True).count() > 0

    until(ended, "the training thread ends")


def test_two_tabs_train_two_networks(open_page: OpenPage) -> None:
    first = started(open_page)
    second = started(open_page, f"{LONG}&seed=5")
    until(lambda: points(first) > 0 and points(second) > 0, "both train")
    press(second, "stop")
    before = step_of(first)
    until(lambda: step_of(first) > before, "the first goes on")
    expect(first.get_by_text("A new design is waiting:")).to_have_count(0)


def test_nothing_blinks_while_it_trains_and_zoom_and_hidden_curves_stay(open_page: OpenPage) -> None:
    page = started(open_page)
    page.locator(f"{LOSS} .legendtoggle").first.click()  # hides one curve after the time of a double click
    page.wait_for_function(f"() => document.querySelector('{LOSS}').data.some((trace) => trace.visible === 'legendonly')")
    box = page.locator(f"{LOSS} .nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    page.wait_for_function(f"() => document.querySelector('{LOSS}').layout.xaxis.range[0] > 1")
    zoomed = page.eval_on_selector(LOSS, "(chart) => chart.layout.xaxis.range")
    before = step_of(page)
    seen = page.evaluate(WATCH, [LOSS, [".main-svg", ".xtick", ".legendtext"], 8_000])
    assert step_of(page) > before
    assert (seen["remounts"], seen["removed"], seen["lacking"]) == (0, 0, 0)
    assert page.eval_on_selector(LOSS, "(chart) => chart.layout.xaxis.range") == zoomed
    assert page.eval_on_selector(LOSS, "(chart) => chart.data.filter((trace) => trace.visible === 'legendonly').length") == 1


def test_a_phone_has_all_of_it_without_scrolling_sideways(open_page: OpenPage) -> None:
    page = started(open_page, width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    chart = page.locator(LOSS).bounding_box()
    assert chart
    assert 300 < chart["width"] <= 390


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900)])
def test_a_lecture_hall_sees_curves_up_to_100_percent_and_the_verdict_in_one_window(open_page: OpenPage, width: int, height: int) -> None:
    page = started(open_page, f"{SHORT}&present=1", width=width, height=height)
    expect(button(page, "play")).to_contain_text("Train", timeout=PATIENCE_SECONDS * 1000)
    settle(page)
    expect(page.locator(".live-run .said strong")).not_to_be_empty()
    said = page.locator(".live-run .said").bounding_box()
    assert said
    assert said["y"] + said["height"] <= height
    top = page.locator(".live-run .accuracy .ytick text", has_text=re.compile("^100$")).bounding_box()
    assert top
    assert top["y"] >= page.evaluate("document.querySelector('.live-run .accuracy .live-chart').getBoundingClientRect().top")
    assert page.evaluate("document.querySelector('.live-run .accuracy .live-chart').clientHeight") >= 235
    assert page.evaluate(CUT) == []


# Of the words and buttons above the curves, those that are wider or higher than their place.
CUT = """() => [...document.querySelectorAll(".network .strip .words, .live-run :is(.words, .reading dd), .st-key-run_buttons")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || (one.matches(".words") && one.scrollHeight > one.clientHeight + 2))
  .map((one) => one.textContent)"""


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900), (390, 844)])
def test_no_words_of_a_run_are_cut(open_page: OpenPage, width: int, height: int) -> None:
    page = started(open_page, "/train?epochs=1&train_size=2560&pace=full", width=width, height=height)
    expect(button(page, "play")).to_contain_text("Train", timeout=PATIENCE_SECONDS * 1000)
    settle(page)
    expect(page.locator(".network .strip")).to_contain_text("784 → 256 → 10 · 203,530 parameters")
    assert page.evaluate(CUT) == []
    if width < 640:
        page.locator(".network .strip").click()
        dialog = page.locator(".network dialog")
        for each in dialog.get_by_role("button").all():
            box, around = each.bounding_box(), dialog.bounding_box()
            if box and around:
                assert box["x"] + box["width"] <= around["x"] + around["width"]


def test_no_button_lies_over_a_curve_where_there_is_only_a_finger(open_page: OpenPage) -> None:
    page = open_page("/train", width=390, height=844, touch=True)
    camera = page.locator(f"{LOSS} .modebar-btn").first.bounding_box()
    plot = page.locator(f"{LOSS} .nsewdrag").first.bounding_box()
    assert camera
    assert plot
    assert camera["y"] >= plot["y"] + plot["height"]


def test_words_can_be_read_in_the_dark(open_page: OpenPage) -> None:
    page = open_page(SHORT, scheme="dark")
    text, ground = page.evaluate(
        """() => [getComputedStyle(document.querySelector('.st-key-network text')).fill,
                  getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor]"""
    )
    bright, dark = (sum(int(part) for part in re.findall(r"\d+", color)[:3]) / 3 for color in (text, ground))
    assert bright > 180
    assert dark < 40


def test_a_cell_shows_its_images_and_an_image_its_probabilities(open_page: OpenPage) -> None:
    page = started(open_page, SHORT)
    expect(button(page, "play")).to_contain_text("Train", timeout=PATIENCE_SECONDS * 1000)
    page.locator(".st-key-grid .live-chart").scroll_into_view_if_needed()
    settle(page)
    place = page.eval_on_selector(
        ".st-key-grid .live-chart",
        """(chart) => { const last = chart._fullData.at(-1), { xaxis, yaxis } = chart._fullLayout, box = chart.getBoundingClientRect();
             return [box.x + xaxis._offset + xaxis.d2p(last.x[0]), box.y + yaxis._offset + yaxis.d2p(last.y[0])]; }""",
    )
    page.mouse.click(*place)
    expect(page.get_by_text(re.compile("the network says"))).to_be_visible()
    expect(page.locator(".st-key-probabilities .live-chart")).to_be_visible()


def test_curves_and_weights_can_be_exported(open_page: OpenPage, tmp_path: Path) -> None:
    page = started(open_page, SHORT)
    expect(button(page, "play")).to_contain_text("Train", timeout=PATIENCE_SECONDS * 1000)
    page.get_by_text("Take it home", exact=True).click()
    with page.expect_download() as steps:
        page.get_by_role("button", name="Steps (CSV)").click()
    rows = list(csv.DictReader(steps.value.path().open()))
    assert [int(row["step"]) for row in rows] == list(range(1, 9))
    with page.expect_download() as weights:
        page.get_by_role("button", name="Weights (safetensors)").click()
    target = tmp_path / "weights.safetensors"
    weights.value.save_as(target)
    with safe_open(target, "pt") as file:
        assert {name: tuple(file.get_tensor(name).shape) for name in NAMES} == {
            "0.weight": (32, 784), "0.bias": (32,), "2.weight": (10, 32), "2.bias": (10,)
        }  # fmt: skip


def test_a_link_to_a_page_opens_the_whole_house_on_a_fresh_server(open_page: OpenPage, tmp_path: Path) -> None:
    with streamlit(ROOT / "app.py", tmp_path) as url:
        page = open_page(f"{url}/train?lr=0.5")
        expect(page.get_by_text("Page not found")).to_have_count(0)
        expect(page.get_by_role("link", name="MLP playground").first).to_be_visible()
        expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
        expect(page.get_by_label("lr", exact=True)).to_have_value("0.5")
        assert urlsplit(page.url).path == "/train"
        page.goto("about:blank")  # before its server ends
