"""The lesson that the load is measured with is one that the app takes."""

from __future__ import annotations

from mlp_core.labs.lessons.lesson import read_lesson
from pages.ui.lessons.experiments import experiment_of
from tests.load.taught import COUNTS, LESSON


def test_every_step_of_the_lesson_asks_and_trains() -> None:
    lesson = read_lesson(LESSON.read_text(), LESSON.name, experiment_of)
    assert len(lesson.steps) == 2
    assert all(step.question is not None and experiment_of(step.experiment).trains for step in lesson.steps)


def test_bets_are_counted_in_the_words_of_the_chart() -> None:
    assert COUNTS.findall("The bets of the class: Low: at 10 %: 12 and then 3; Middle: 0") == ["12", "0"]
