"""What was bet and what was measured, in words, in the language of who looks."""

from collections.abc import Sequence
from functools import reduce

from mlp_core.labs.lessons.condition import Condition, Reference, Sum, Values
from mlp_core.labs.lessons.lesson import Lesson, Question, Step
from mlp_core.words import Message, count, counted, exactly, from_log10, percent, significant
from pages.language import _
from pages.ui.lessons import experiments
from pages.ui.lessons.progress import bet_value
from pages.ui.measures import Kind, Measure

SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "!=": "≠"}
NONE_FITS = -1  # in the place of a choice


def outcome(question: Question, values: Values) -> float | None:
    """What came out: the index of the choice, `NONE_FITS`, or the number; None where it was not measured."""
    if question.answer is not None:
        return question.answer
    if question.measure is not None:
        return question.measure.value(values)
    for index, choice in enumerate(question.choices):
        holds = choice.when is None or choice.when.holds(values)
        if holds is not False:
            return index if holds else None
    return NONE_FITS


def number_shown(question: Question, value: float, kind: Kind) -> str:
    """A number that was bet on or measured, with its unit."""
    if question.unit == "%":
        return _(percent(value))
    return with_unit(value_text(value, kind), question.unit)


def with_unit(number: str, unit: str) -> str:
    """A number and a question's unit, if it has one."""
    return _("{number} {unit}", number=number, unit=Message(unit)) if unit else number


def kind_of(lesson: Lesson, step: int, asked: Sum) -> Kind:
    """How the number is written that a question asks for."""
    return "number" if asked.single is None else measure_of(lesson, step, asked.single).kind


def bet_shown(lesson: Lesson, step: int, question: Question, bet: str) -> str:
    """A bet as a person reads it."""
    value = bet_value(question, bet)
    if question.measure is None:
        return _(question.choices[int(value)].text)
    return number_shown(question, value, kind_of(lesson, step, question.measure))


def references_shown(lesson: Lesson, step: int, references: Sequence[Reference], values: Values) -> list[str]:
    """What was measured, each with its value: "Test accuracy after 5 epochs: 84.2 %"."""
    texts = []
    for reference in dict.fromkeys(references):
        value = values(reference)
        shown = _("not measured") if value is None else value_text(value, measure_of(lesson, step, reference).kind)
        texts.append(_("{measure}: **{value}**", measure=reference_text(lesson, step, reference), value=shown))
    return texts


def condition_text(lesson: Lesson, step: int, condition: Condition) -> str:
    """A condition as a person reads it: "test accuracy after 5 epochs < 15 %"."""
    texts = []
    for left, sign, right in condition.comparisons:
        kinds = [measure_of(lesson, step, one).kind for one in (*left.references, *right.references)]
        kind = kinds[0] if kinds and len(left.terms) == len(right.terms) == 1 else "number"
        texts.append(f"{_sum_text(lesson, step, left, kind)} {SIGNS[sign]} {_sum_text(lesson, step, right, kind)}")
    return reduce(lambda conditions, one: _("{conditions} and {condition}", conditions=conditions, condition=one), texts)


def reference_text(lesson: Lesson, step: int, reference: Reference) -> str:
    """What is measured, of which run, when, and in which step."""
    measure = measure_of(lesson, step, reference)
    text = measure.label
    if reference.run:
        run = next((label for label in measure.runs if label == reference.run), reference.run)  # which knows of what it was made
        text = Message("{measure} of {run}", measure=text, run=run)
    if reference.after is not None:
        text = Message("{measure} after {epochs}", measure=text, epochs=counted(reference.after, "{n} epoch", "{n} epochs"))
    return _(text if reference.step is None else Message("{measure} in step {number}", measure=text, number=reference.step))


def measure_of(lesson: Lesson, step: int, reference: Reference) -> Measure:
    """What a reference in step number `step` names."""
    known: Step = lesson.steps[(reference.step or step) - 1]
    return experiments.experiment_of(known.experiment).measures[reference.name]


def value_text(value: float, kind: Kind) -> str:
    """A measured value as a person reads it."""
    if kind == "fraction":
        return _(percent(value))
    if kind == "log10":
        return from_log10(value)
    return count(value) if kind == "count" else significant(value)


def parted(texts: Sequence[str]) -> str:
    """ "a; b; c", where a text may have commas of its own."""
    if len(texts) < 2:
        return "".join(texts)
    return _("{texts}; {last_text}", texts=parted(texts[:-1]), last_text=texts[-1])


def _sum_text(lesson: Lesson, step: int, asked: Sum, kind: Kind) -> str:
    """A sum as a person reads it; of another kind than a plain number only if it is a single term."""
    if kind != "number" and asked.references == ():
        number = asked.terms[0][0]
        return _("{number} %", number=significant(100 * number, 6)) if kind == "fraction" else value_text(number, kind)
    parts = []
    for number, (factor, reference) in enumerate(asked.terms):
        sign = ("−" if factor < 0 else "") if number == 0 else (" − " if factor < 0 else " + ")
        text = "" if reference is not None and abs(factor) == 1 else exactly(abs(factor))
        if reference is not None:
            named = reference_text(lesson, step, reference)
            if kind == "number" and measure_of(lesson, step, reference).kind == "log10":
                named = f"log₁₀({named})"
            text = f"{text} · {named}" if text else named
        parts.append(sign + text)
    return "".join(parts)
