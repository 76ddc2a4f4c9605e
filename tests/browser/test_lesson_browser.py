"""A lesson in the browser: a bet, a run and a result that move nothing, found again after a reload and by Back; two pages on paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from mlp_core.labs.lessons.lesson import Lesson, Question
from pages.ui.lessons.catalog import lessons
from pages.ui.lessons.experiments import experiment_of
from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle

pytestmark = pytest.mark.browser


def known() -> list[Lesson]:
    """All lessons, the longest first."""
    read = list(lessons().values())
    whole = [lesson for lesson in read if isinstance(lesson, Lesson)]
    assert len(whole) == len(read), [str(lesson) for lesson in read]
    return sorted(whole, key=lambda lesson: -sum(len(step.text) + len(step.explanation) for step in lesson.steps))


def a_step_that_trains() -> tuple[Lesson, int, Question]:
    """The shortest training that a choice is asked of, in words without formulas; no first step, so that one can go back.

    Its outcome hangs on no other step.
    """
    found = []
    for lesson in known():
        for number, step in enumerate(lesson.steps[1:], 2):
            if step.question is None or not step.question.choices or not step.experiment.startswith("train"):
                continue
            texts = (step.question.ask, *(choice.text for choice in step.question.choices))
            of_itself = all(reference.step is None for reference in step.references)
            if of_itself and not any(sign in text for text in texts for sign in "$*\\"):
                found.append((experiment_of(step.experiment).epochs, lesson.name, lesson, number, step.question))
    return min(found)[2:]


def bet(page: Page, number: int, lesson: Lesson, text: str) -> None:
    expect(page.get_by_text(f"Step {number} of {len(lesson.steps)}")).to_be_visible()
    page.get_by_test_id("stRadioOption").filter(has_text=text).click()
    settle(page)
    page.get_by_role("button", name="Bet", exact=True).click()
    settle(page)


def test_a_bet_and_its_result_move_nothing_and_are_found_again_after_a_reload_and_by_back(open_page: OpenPage) -> None:
    lesson, number, question = a_step_that_trains()
    page = open_page(f"/lesson?name={lesson.name}&step={number}", width=1280, height=720)
    story, curves = page.locator(".st-key-beside_lesson .stColumn").first, page.locator(".live-run")
    asked = page.locator("strong", has_text=question.ask)
    expect(curves).to_have_count(0)
    before = asked.bounding_box()
    bet(page, number, lesson, question.choices[-1].text)
    assert asked.bounding_box() == before
    page.get_by_role("button", name="Run", exact=True).click()
    expect(curves).to_be_visible()
    settle(page)
    places = asked.bounding_box(), curves.bounding_box()
    expect(story.get_by_text("what came out")).to_be_visible(timeout=120_000)
    settle(page)
    assert asked.bounding_box() == places[0]
    assert curves.bounding_box() == places[1]
    expect(page.get_by_role("link", name="Open in the laboratory")).to_be_visible()
    came_out = story.locator("p", has_text="your bet").inner_text()
    page.reload()
    expect(story.get_by_text("what came out")).to_be_visible()
    assert story.locator("p", has_text="your bet").inner_text() == came_out
    page.get_by_role("button", name=re.compile("Back$")).click()
    expect(page.get_by_text(f"Step {number - 1} of")).to_be_visible()
    settle(page)
    page.go_back()
    expect(page.get_by_text(f"Step {number} of")).to_be_visible()
    expect(story.get_by_text("what came out")).to_be_visible()


def test_a_lesson_is_two_pages_on_paper_with_its_answers_and_without(open_page: OpenPage) -> None:
    first, second, *_ = known()
    page = open_page("/lessons")
    for lesson, query in ((first, "&answers=yes"), (second, "&answers=yes"), (first, "")):
        page.goto(re.sub(r"/lessons?\b.*", f"/lesson?name={lesson.name}&view=handout{query}", page.url))
        expect(page.get_by_text(f"{len(lesson.steps)}. {lesson.steps[-1].title}")).to_be_visible()
        settle(page)
        assert len(re.findall(rb"/Type /Page\b", page.pdf(format="A4"))) == 2, lesson.name
