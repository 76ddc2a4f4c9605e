"""Every lesson in a real browser, from its first step to its last: a wrong bet, a run on real data, what was measured, and why."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from mlp_core.labs.lessons.lesson import Lesson, Question, Step
from pages.ui.lessons import catalog
from pages.ui.lessons.experiments import experiment_of
from tests.browser.conftest import OpenPage
from tests.support.browser.driving import PATIENCE_MS, settle
from tests.support.lesson_outcomes import OUTCOMES

pytestmark = [pytest.mark.browser, pytest.mark.full_data]

CAME_OUT = "what came out"


def lesson_named(name: str) -> Lesson:
    read = catalog.lessons()[name]
    assert isinstance(read, Lesson)
    return read


def words(page: Page) -> str:
    return " ".join(page.get_by_test_id("stMain").inner_text().split())


def plain_part(markdown: str) -> str:
    """The longest stretch of a text that stands on the page as it stands in the file."""
    return max((" ".join(part.split()) for part in re.split(r"[$*`\\]", markdown)), key=len)


def bet_wrong(page: Page, question: Question, expected: str) -> None:
    """Bet on an answer that does not come out; of a number on the middle, where the slider begins."""
    if question.choices:
        answers = page.get_by_test_id("stRadio").get_by_role("radio")
        expect(answers).to_have_count(len(question.choices))
        wrong = next(index for index, choice in enumerate(question.choices) if not expected or not choice.text.startswith(expected))
        answers.nth(wrong).click(force=True)
    page.get_by_role("button", name=re.compile("Bet$"), disabled=False).click()


def came_out(page: Page) -> str:
    """The answer that is marked as having come out."""
    return next(line for line in page.get_by_test_id("stMain").inner_text().splitlines() if CAME_OUT in line)


def work_through(page: Page, step: Step, expected: str) -> None:
    """Bet, run, and read what came out; before the run nothing of that is on the page."""
    question, why = step.question, plain_part(step.explanation)
    assert question is not None
    before = words(page)
    assert not any(said in before for said in (why, CAME_OUT, "Measured"))
    expect(page.locator(".live-chart")).to_have_count(0)
    bet_wrong(page, question, expected)
    if step.experiment:
        run = page.get_by_role("button", name=re.compile("Run$"))
        run.wait_for()
        expect(page.locator(".live-chart")).to_have_count(0)
        assert why not in words(page)
        run.click()
    expect(page.get_by_text(why)).to_be_visible(timeout=2 * PATIENCE_MS)  # the longest are ten networks, trained at once
    if question.choices:
        assert expected in came_out(page)
        right = not expected and "your bet" in came_out(page)
        expect(page.get_by_text(re.compile("It came out differently|The answer is another one"))).to_have_count(0 if right else 1)
    else:
        measured = page.get_by_test_id("stMetric").filter(has_text=re.compile("^Measured")).get_by_test_id("stMetricValue").first
        expect(measured).to_have_text(re.compile(r"\d"))
    assert "fits what this run" not in words(page)
    expect(page.locator(".katex-error")).to_have_count(0)


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_lesson_can_be_worked_through_to_its_end(open_page: OpenPage, name: str) -> None:
    lesson = lesson_named(name)
    page = open_page(f"/lesson?name={name}")
    for number, step in enumerate(lesson.steps, 1):
        expect(page.get_by_text(f"Step {number} of {len(lesson.steps)}")).to_be_visible()
        settle(page)
        work_through(page, step, OUTCOMES[name].get(number, ""))
        if number < len(lesson.steps):
            page.get_by_role("button", name=re.compile("Next$")).click()
    assert len(dict(parse_qsl(urlsplit(page.url).query))["bets"].split(",")) == len(lesson.steps)
    if name == "learning_rate":
        page.get_by_text("Open in the laboratory").click()
        expect(page).to_have_url(re.compile(r"/train\?"))
        settle(page)
        asked = experiment_of(lesson.steps[-1].experiment).query
        assert dict(parse_qsl(urlsplit(page.url).query)) == asked
        expect(page.get_by_test_id("stAlert").filter(has_text="The link")).to_have_count(0)
        page.go_back()
        expect(page.get_by_text(f"Step {len(lesson.steps)} of")).to_be_visible()
