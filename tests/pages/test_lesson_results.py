"""What was bet and measured, in the words that a person reads."""

from __future__ import annotations

from typing import ClassVar

import pytest

from mlp_core.labs.lessons.condition import Reference, Sum, parse_condition, parse_sum
from mlp_core.labs.lessons.lesson import Choice, Lesson, Question, Step
from pages.ui.lessons import experiments
from pages.ui.lessons.results import NONE_FITS, bet_shown, condition_text, kind_of, number_shown, outcome, reference_text, references_shown
from pages.ui.measures import Kind, Measure

KINDS: dict[str, Kind] = {"accuracy": "fraction", "loss": "number", "gradient": "log10", "units": "count"}
VALUES = {"accuracy": 0.8444, "loss": 0.38342, "gradient": -6.65, "units": 12.0}
STEPS = (Step("One", "Text", "link"), Step("Two", "Text", "link"))
LESSON = Lesson("name", "Title", 5, "Nothing.", "Summary.", ("5.1",), ("4.1",), STEPS)


class Experiment:
    measures: ClassVar = {name: Measure(name.capitalize(), "", kind, lambda _run, _after: None) for name, kind in KINDS.items()}


@pytest.fixture(autouse=True)
def _links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "experiment_of", lambda _link: Experiment())


def values(reference: Reference) -> float | None:
    return VALUES[reference.name] if reference.after is None else None


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("accuracy after 5 epochs < 0.15", "Accuracy after 5 epochs < 15 %"),
        ("accuracy after 1 epoch >= 0.07", "Accuracy after 1 epoch ≥ 7 %"),
        ("gradient < -6 and gradient > -400", "Gradient < 1.0 × 10⁻⁶ and Gradient > 1.0 × 10⁻⁴⁰⁰"),
        ("units == 1", "Units = 1"),
        ("loss <= 0.5", "Loss ≤ 0.5"),
        ('accuracy of "ReLU, He" > accuracy of "Sigmoid" + 0.1', "Accuracy of ReLU, He > Accuracy of Sigmoid + 0.1"),
        ('gradient of "A" - gradient of "B" > 3', "log₁₀(Gradient of A) − log₁₀(Gradient of B) > 3"),
        ("loss > 2 * loss in step 1", "Loss > 2 · Loss in step 1"),
        ("-loss != -2.5", "−Loss ≠ -2.5".replace("-", "−")),
    ],
)
def test_a_condition_is_said_in_words(condition: str, text: str) -> None:
    assert condition_text(LESSON, 2, parse_condition(condition)) == text


@pytest.mark.parametrize(
    ("measure", "unit", "shown"),
    [
        ("accuracy", "%", "84.4 %"),
        ("accuracy", "", "84.4 %"),
        ("loss", "nats", "0.383 nats"),
        ("gradient", "", "2.2 × 10⁻⁷"),
        ("units", "units", "12 units"),
        ("2 * loss", "", "0.767"),
    ],
)
def test_a_number_is_shown_as_what_it_is(measure: str, unit: str, shown: str) -> None:
    asked = parse_sum(measure)
    question = Question("How much?", measure=asked, low=-10, high=100, unit=unit)
    came_out = outcome(question, values)
    assert came_out is not None
    assert number_shown(question, came_out, kind_of(LESSON, 1, asked)) == shown
    assert bet_shown(LESSON, 1, question, repr(came_out)) == shown


def test_every_measured_value_is_listed_once() -> None:
    asked: Sum = parse_sum('accuracy of "A" - accuracy of "A" + loss after 2 epochs')
    assert references_shown(LESSON, 1, asked.references, values) == ["Accuracy of A: **84.4 %**", "Loss after 2 epochs: **not measured**"]
    assert reference_text(LESSON, 2, Reference("loss", step=1)) == "Loss in step 1"


def test_the_first_condition_that_holds_is_what_came_out() -> None:
    def asked(*conditions: str) -> float | None:
        return outcome(Question("?", tuple(Choice(text, parse_condition(text)) for text in conditions)), values)

    assert asked("loss < 0", "loss < 1", "loss < 2") == 1
    assert asked("loss < 0", "loss > 1") == NONE_FITS
    assert asked("loss after 2 epochs < 1", "loss < 1") is None  # the first might hold
    assert asked("loss < 1", "loss after 2 epochs < 1") == 0
    assert outcome(Question("?", (Choice("a"), Choice("b")), answer=1), values) == 1
