"""A class in the browsers of a teacher and of two students: from the code to the runs of all in one picture."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browser.driving import ROOT, settle, streamlit

pytestmark = pytest.mark.browser

LESSON = """
title = "A small network"
minutes = 5
needs = "Nothing."
summary = "How much a small network learns."
sections = ["5.1 Multilayer perceptrons"]
sections_zh = ["4.1 多层感知机"]
[[steps]]
title = "How high"
text = "Sixteen hidden units are trained for two epochs."
experiment = "train?pace=full&hidden=16&init=he_normal&train_size=2000&batch_size=64&epochs=2"
explanation = "It has learned something."
  [steps.question]
  ask = "What test accuracy does it reach?"
  choices = [{text = "Below 15 %", when = "test_accuracy < 0.15"}, {text = "More", when = "test_accuracy >= 0.15"}]
[[steps]]
title = "The end"
text = "That was all."
"""
WITHIN_A_SECOND = 1_000


@pytest.fixture(scope="module")
def lesson_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app below a prefix, as behind a proxy, with one short lesson."""
    folder = tmp_path_factory.mktemp("lessons")
    for name in ("app.py", "pages", "mlp_core", "static", ".streamlit"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "lessons").mkdir()
    (folder / "lessons" / "short.toml").write_text(LESSON, "utf-8")
    with streamlit(folder / "app.py", tmp_path_factory.mktemp("elsewhere"), prefix="/school/mlp") as url:
        yield url


def words(page: Page) -> Locator:
    return page.locator(".class-words")


def bet(page: Page, choice: str) -> None:
    page.get_by_test_id("stRadio").get_by_text(choice).click()
    settle(page)
    page.get_by_role("button", name="Bet", exact=False).click()


def bars(page: Page) -> Locator:
    return page.locator(".st-key-class_votes .bars .point")


def test_a_class_bets_twice_and_its_runs_are_one_picture(open_page: OpenPage, lesson_url: str) -> None:
    teacher = open_page(f"{lesson_url}/lesson?name=short", width=1280, height=720, alone=True)
    teacher.get_by_role("button", name="Teach this").click()
    code = teacher.locator(".st-key-class_code h5")
    expect(code).to_be_in_viewport(ratio=1)
    height = code.evaluate("(code) => parseFloat(getComputedStyle(code).fontSize)")
    assert height >= 720 / 10, "the code is read from the back row"
    picture = teacher.get_by_alt_text("A QR code of the address")
    expect(picture).to_be_in_viewport(ratio=1)
    assert picture.evaluate("(picture) => picture.naturalWidth > 0 && picture.clientWidth >= 250")
    address = teacher.get_by_text(re.compile("^Open localhost")).inner_text().removeprefix("Open ")
    assert address == f"{lesson_url.removeprefix('http://')}/lesson?class={code.inner_text().replace(' ', '')}"

    scanned = open_page(f"http://{address}", width=390, height=844, touch=True)
    typed = open_page(f"{lesson_url}/lessons", alone=True)
    typed.get_by_label("Join a class").fill(code.inner_text().lower())
    typed.get_by_role("button", name="Join").click()
    expect(words(typed)).to_have_text("2 students joined, 0 have bet.")
    expect(words(teacher)).to_have_text("2 students joined, 0 have bet.", timeout=3 * WITHIN_A_SECOND)
    assert typed.evaluate("localStorage.getItem('mlp-browser')") not in typed.url

    bet(scanned, "Below 15 %")
    expect(words(teacher)).to_have_text("2 students joined, 1 has bet.", timeout=3 * WITHIN_A_SECOND)
    expect(bars(teacher)).to_have_count(0)
    teacher.get_by_text("How to join").click()
    teacher.get_by_text("Show bets").click()
    expect(bars(teacher)).to_have_count(2)
    chart = teacher.locator(".st-key-class_votes .live-chart")
    chart.evaluate("(chart) => { chart.isTheSame = true; }")
    bet(typed, "More")
    expect(teacher.locator(".st-key-class_votes .bartext").get_by_text("1 (50 %)")).to_have_count(2)
    assert chart.evaluate("(chart) => chart.isTheSame"), "bars grow in place, and nothing blinks"
    expect(typed.get_by_text("Your bet is in.")).to_be_visible()
    for student in (scanned, typed):
        expect(bars(student)).to_have_count(0)
        expect(student.get_by_role("button", name="Run")).to_have_count(0)

    teacher.get_by_role("button", name="Vote again").click()
    for student in (scanned, typed):
        bet(student, "More")
    expect(words(teacher)).to_have_text("2 students joined, 2 have bet.")
    scanned.reload()
    expect(scanned.get_by_text("Your bet is in.")).to_be_visible()
    teacher.get_by_role("button", name="Reveal").click()
    for page in (teacher, scanned, typed):
        expect(bars(page)).to_have_count(4)
        page.get_by_role("button", name="Run", exact=False).click()
    expect(teacher.get_by_text("2 runs of this class")).to_be_visible()
    curves = teacher.locator(".st-key-class_results .scatterlayer .trace")
    expect(curves).to_have_count(4)
    teacher.reload()
    settle(teacher)
    expect(curves).to_have_count(4)
    expect(bars(teacher)).to_have_count(4)

    teacher.get_by_role("button", name="Next").click()
    for student in (scanned, typed):
        expect(student.get_by_text("That was all.")).to_be_visible()
    teacher.get_by_role("button", name="End", exact=False).first.click()
    teacher.get_by_role("button", name="End the class").click()
    for student in (scanned, typed):
        expect(student.get_by_text("The class has ended.")).to_be_visible()
        expect(student.get_by_role("button", name="Back")).to_be_visible()
