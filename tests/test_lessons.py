"""The ten lessons: all can be read, in the chapter's order; their answers cover what can come out; training gives what they explain."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from mlp_core.data import load_sample
from mlp_core.labs.generalization import polynomial
from mlp_core.labs.lessons.condition import Reference, Sum
from mlp_core.labs.lessons.lesson import Lesson, LessonError, Question, Step, read_lesson
from mlp_core.training import Run
from pages.ui.lessons import catalog
from pages.ui.lessons.experiments import experiment_of
from pages.ui.lessons.results import NONE_FITS, measure_of, outcome
from pages.ui.nonlinearity.playground import PlaneRun
from pages.ui.nonlinearity.settings import settings_of
from pages.ui.train.elsewhere import TabRun
from scripts.translations import sentences
from tests.support.architecture import ROOT
from tests.support.lesson_outcomes import OUTCOMES

DRAWS = 4000
DEAR = ("nonlinearity", "first_network")  # whose runs take seconds each, and which the browser tests try with one seed
LESSONS = {name: read for name, read in catalog.lessons().items() if isinstance(read, Lesson)}
STEPS = [(lesson, number) for lesson in LESSONS.values() for number in range(1, len(lesson.steps) + 1)]
CHOSEN = [(lesson, number) for lesson, number in STEPS if (asked := lesson.steps[number - 1].question) and asked.choices and asked.measured]
TRAINED = [
    (lesson, number)
    for lesson, number in CHOSEN
    if lesson.name not in DEAR
    and isinstance(experiment_of(lesson.steps[number - 1].experiment).subject, TabRun | PlaneRun)
    and OUTCOMES[lesson.name][number]
]


def named(case: tuple[Lesson, int]) -> str:
    return f"{case[0].name}-{case[1]}"


def asked_in(lesson: Lesson, number: int) -> tuple[Step, Question]:
    step = lesson.steps[number - 1]
    assert step.question is not None
    return step, step.question


def test_there_are_ten_lessons_in_the_order_of_the_chapter() -> None:
    errors = [str(read) for read in catalog.lessons().values() if isinstance(read, LessonError)]
    assert not errors
    assert list(LESSONS) == list(OUTCOMES)
    assert len(LESSONS) == 10


def test_the_lesson_of_the_documentation_can_be_read() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "lessons.md").read_text(), re.DOTALL)
    assert len(read_lesson(text, "example.toml", experiment_of).steps) == 2


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_lesson_has_three_to_six_short_steps_and_cites_both_editions(lesson: Lesson) -> None:
    assert 10 <= lesson.minutes <= 25
    assert 3 <= len(lesson.steps) <= 6
    assert all(section[0] in "35" for section in lesson.sections)  # linear regression, and the chapter
    assert all(section.startswith("4.") for section in lesson.sections_zh)
    assert all(step.question is not None and len(step.text) < 400 for step in lesson.steps)


def test_translators_are_given_what_a_person_reads_of_the_lessons_and_no_more() -> None:
    read: set[str] = set()
    for lesson in LESSONS.values():
        read |= {lesson.title, lesson.needs, lesson.summary}
        for step in lesson.steps:
            assert step.question is not None
            read |= {step.title, step.text, step.look, step.explanation, step.book_source, step.question.ask, step.question.unit}
            read |= {choice.text for choice in step.question.choices}
    assert {message[0] for message, places in sentences().items() if any(place.startswith("lessons/") for place in places)} == read - {""}


def values_of(question: Question) -> list[float]:
    """All numbers that stand in the conditions, without their sign."""
    sums = [side for choice in question.choices if choice.when for left, _, right in choice.when.comparisons for side in (left, right)]
    return [abs(factor) for one in sums for factor, _ in one.terms if factor]


def draws(lesson: Lesson, number: int, question: Question) -> Iterator[dict[Reference, float]]:
    """What could be measured, most of it near the numbers that the answers name."""
    rng, constants = random.Random(number), values_of(question)
    kinds = {reference: measure_of(lesson, number, reference).kind for reference in dict.fromkeys(question.references)}
    for _ in range(DRAWS):
        drawn = {}
        for reference, kind in kinds.items():
            if kind == "fraction":
                value = rng.random()
            elif reference.name in ("converged", "diverged"):
                value = rng.randint(0, 1)
            elif kind == "count":
                value = rng.choice([1, 2, 3, 5, 10, 20, 32, 33, 64])
            elif kind == "log10":
                value = rng.uniform(-20, 20)
            else:
                value = rng.choice([0.0, rng.choice(constants) * rng.uniform(0.5, 1.5), 10 ** rng.uniform(-9, 9)])
            drawn[reference] = value
        yield drawn


@pytest.mark.parametrize("case", CHOSEN, ids=named)
def test_some_answer_fits_whatever_is_measured_and_each_can_be_the_one(case: tuple[Lesson, int]) -> None:
    _, question = asked_in(*case)
    reached = {outcome(question, drawn.get) for drawn in draws(*case, question)}
    assert NONE_FITS not in reached
    assert None not in reached
    assert reached == set(range(len(question.choices)))


@functools.cache
def trained(link: str, seed: int) -> Run:
    """The experiment of a link on the bundled sample, or on its points, from another seed."""
    subject = experiment_of(link).subject
    if isinstance(subject, TabRun):
        spec, changes = subject.experiment.spec, subject.experiment.changes
        run = Run(replace(spec, seed=seed), load_sample(), changes=changes)
    else:
        assert isinstance(subject, PlaneRun)
        run = settings_of({**subject.values, "seed": seed}).run()
    run.advance()
    return run


def measured(run: Run, name: str) -> float:
    """A number of a run, from its records."""
    last, layers = run.history.epochs[-1], run.history.probes[-1].layers
    assert run.stop_reason is not None
    found = {"diverged": run.stop_reason.kind == "diverged", "distinct_units": layers[0].distinct_units}
    return float(found[name]) if name in found else getattr(last, name)


@pytest.mark.parametrize("case", TRAINED, ids=named)
def test_training_from_other_seeds_comes_out_as_the_lesson_explains(case: tuple[Lesson, int]) -> None:
    (lesson, number), (_, question) = case, asked_in(*case)
    for seed in (1, 2, 3):

        def value(reference: Reference, seed: int = seed) -> float:
            assert not reference.run
            return measured(trained(lesson.steps[(reference.step or number) - 1].experiment, seed), reference.name)

        came_out = outcome(question, value)
        assert came_out is not None
        assert question.choices[int(came_out)].text.startswith(OUTCOMES[lesson.name][number]), (
            seed,
            [value(r) for r in question.references],
        )


def computed_measure(step: Step, asked: Sum) -> float:
    experiment = experiment_of(step.experiment)
    value = asked.value(lambda reference: experiment.measure(reference.name, reference.run, reference.after))
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("name", "number", "low", "high"),
    [
        ("gradients", 5, 0.67, 0.68),  # P(|z| > 2.0923 / 5), z ~ N(0, 1)
        ("vanishing", 1, -6.03, -6.01),  # 10 log10 ¼
        ("exploding", 1, 23.0, 26.0),  # 0.558 · 100 / ln 10 = 24.2
        ("exploding", 3, 0.5723, 0.5725),  # Newman 1986
    ],
)
def test_a_number_to_bet_on_is_what_theory_says_and_not_where_the_slider_begins(name: str, number: int, low: float, high: float) -> None:
    step, question = asked_in(LESSONS[name], number)
    assert question.measure is not None
    value = computed_measure(step, question.measure)
    assert low < value < high
    assert question.low < value < question.high
    assert abs(value - (question.low + question.high) / 2) > (question.high - question.low) / 20  # where the slider begins


def test_500_points_hold_a_polynomial_but_for_the_third_of_the_sets_where_a_new_one_lies_beyond_them() -> None:
    errors: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(1000, 1100):
        train, test = polynomial.draw(500, 0.1, seed)
        coefficients, *_ = np.linalg.lstsq(polynomial.features(train.x, 19), train.y)
        error = np.mean((polynomial.features(test.x, 19) @ coefficients - test.y) ** 2)
        errors[bool(test.x.min() < train.x.min() or test.x.max() > train.x.max())].append(float(error))
    assert 20 <= len(errors[True]) <= 45
    assert np.mean(np.array(errors[False]) < 0.1) > 0.9
    assert np.mean(np.array(errors[True]) > 0.1) > 0.6


@pytest.mark.parametrize("case", [("gradients", 1), ("gradients", 3), ("gradients", 4), ("exploding", 2), ("exploding", 4)], ids=str)
def test_what_is_computed_at_once_comes_out_as_the_lesson_explains(case: tuple[str, int]) -> None:
    name, number = case
    step, question = asked_in(LESSONS[name], number)
    experiment = experiment_of(step.experiment)
    came_out = outcome(question, lambda reference: experiment.measure(reference.name, reference.run, reference.after))
    assert came_out is not None
    assert question.choices[int(came_out)].text.startswith(OUTCOMES[name][number])
