"""A lesson file: all that it may say is read, and every fault of it is named with file, step, rule and value."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.bounds import SpecError
from mlp_core.labs.lessons.condition import Reference
from mlp_core.labs.lessons.lesson import Choice, Lesson, LessonError, read_lesson, unwrapped

HEAD = """
title = "Vanishing gradients"
minutes = 20
needs = "What a gradient is."
summary = "How a gradient changes on its way through many layers."
sections = ["5.4.1 Vanishing and exploding gradients"]
sections_zh = ["4.8.1 梯度消失和梯度爆炸"]
"""
READ = """
[[steps]]
title = "A product"
text = '''The gradient is a product, $\\prod_l W_l$.
It costs 5 \\$.'''
"""
TRAIN = """
[[steps]]
title = "Train it"
text = "Five sigmoid layers."
experiment = "train?hidden=64,64"
look = "The loss."
explanation = "It stays."
book = "test_accuracy after 5 epochs < 0.15"
book_source = "d2l 5.2"
"""
CHOOSE = """
[steps.question]
ask = "How far does it come?"
choices = [{text = "Nowhere", when = "test_accuracy < 0.15"}, {text = "Far", when = 'gradient of "ReLU" >= 0.15'}]
"""
NUMBER = """
[steps.question]
ask = "How far does it come?"
measure = "test_accuracy after 5 epochs"
low = 0
high = 1
unit = "%"
"""
ANSWER = """
[steps.question]
ask = "How far does it come?"
choices = ["Nowhere", "Far"]
answer = "Far"
"""


class Experiment:
    """Of it an accuracy can be measured after each epoch, and a gradient of two runs."""

    def check(self, name: str, run: str = "", after: int | None = None) -> None:
        if name not in ("test_accuracy", "gradient"):
            raise SpecError("measure", "must be one of test_accuracy, gradient", name)
        if run not in {"test_accuracy": ("",), "gradient": ("ReLU", "Sigmoid")}[name]:
            raise SpecError(name, "must be of one of its runs", run)
        if after is not None and name == "gradient":
            raise SpecError(name, "must be measured at the end", after)


def experiment_of(link: str) -> Experiment:
    if not link.startswith("train?hidden="):
        raise SpecError("hidden", "must be there", link)
    return Experiment()


def read(text: str, file: str = "vanishing.toml") -> Lesson:
    return read_lesson(text, file, experiment_of)


def refused(text: str, file: str = "vanishing.toml") -> LessonError:
    with pytest.raises(LessonError) as error:
        read(text, file)
    assert str(error.value).startswith(f"{file}")
    return error.value


def test_a_lesson_is_all_that_its_file_says() -> None:
    lesson = read(HEAD + READ + TRAIN + NUMBER + TRAIN + CHOOSE.replace(">=", "in step 2 >="))
    assert (lesson.name, lesson.title, lesson.minutes, lesson.needs) == ("vanishing", "Vanishing gradients", 20, "What a gradient is.")
    assert lesson.sections_zh == ("4.8.1 梯度消失和梯度爆炸",)
    first, second, third = lesson.steps
    assert first.text == "The gradient is a product, $\\prod_l W_l$. It costs 5 \\$."
    assert (first.question, first.experiment, first.book, first.references) == (None, "", None, ())
    assert (second.experiment, second.look, second.explanation) == ("train?hidden=64,64", "The loss.", "It stays.")
    assert second.question is not None
    assert (second.question.low, second.question.high, second.question.unit, second.question.measured) == (0, 1, "%", True)
    assert second.references == (Reference("test_accuracy", after=5),) * 2  # of the question, and of the book
    assert third.question is not None
    assert [choice.text for choice in third.question.choices] == ["Nowhere", "Far"]
    assert third.question.references == (Reference("test_accuracy"), Reference("gradient", "ReLU", step=2))


def test_a_paragraph_is_one_line_and_what_markdown_sets_in_lines_stays() -> None:
    assert unwrapped("\nOne\ntwo,\n100 three.\n\n$$x$$\n\nFour \n  five.\n") == "One two, 100 three.\n\n$$x$$\n\nFour five."
    for lines in ("- a\n- b", "Two:\n1. a\n2) b", "a  \nb", "|a|b|\n|-|-|", "a\n## b", "> a\n> b", "```\na\nb\n```"):
        assert unwrapped(lines) == lines


def test_an_answer_that_cannot_be_measured_stands_in_the_file() -> None:
    question = read(HEAD + READ + 'explanation = "So."' + ANSWER).steps[0].question
    assert question is not None
    assert (question.choices, question.answer, question.measured) == ((Choice("Nowhere"), Choice("Far")), 1, False)


HEAD_FAULTS = {
    "no TOML": ("title = ", "must be TOML"),
    "unknown field": ('author = "x"\n' + HEAD + READ, "a field must be one of title, minutes"),
    "no title": (HEAD.replace("title =", "summary2 =").replace("summary2", "#") + READ, "title is missing, and must be a text"),
    "empty": (HEAD.replace("What a gradient is.", " ") + READ, "needs must be a text"),
    "too long": (HEAD.replace("Vanishing gradients", "x" * 81, 1) + READ, "title must have at most 80 characters"),
    "wrong type": (HEAD.replace("20", '"20"') + READ, "minutes must be a whole number from 1 to 180"),
    "too short": (HEAD.replace("20", "0") + READ, "minutes must be a whole number from 1 to 180"),
    "text for a list": (HEAD.replace('["5.4.1 Vanishing and exploding gradients"]', '"5.4.1"') + READ, "sections must be a list"),
    "no section": (HEAD.replace('["4.8.1 梯度消失和梯度爆炸"]', "[]") + READ, "sections_zh must be a list of 1 to 8 texts"),
    "number in a list": (HEAD.replace('"4.8.1 梯度消失和梯度爆炸"', "4.8") + READ, "sections_zh must be a text"),
    "no steps": (HEAD, "there must be 1 to 15 [[steps]]"),
    "many steps": (HEAD + READ * 16, "there must be 1 to 15 [[steps]]"),
    "one step": (HEAD + READ.replace("[[steps]]", "[steps]"), "steps must be written as [[steps]]"),
}
STEP_FAULTS = {
    "unknown field": (TRAIN + 'picture = "x"', "a field must be one of title, text, experiment"),
    "no text": (TRAIN.replace("text =", "#"), "text is missing"),
    "backslash eaten": (READ.replace("'''", '"""').replace("\\prod_l W_l", "\\tanh").replace("\\$", "$"), "LaTeX stands in ''' quotes"),
    "open formula": (TRAIN.replace("It stays.", "It is $x."), "explanation must close every $"),
    "broken link": (TRAIN.replace("train?hidden=64,64", "trian"), "experiment: hidden must be there"),
    "nothing to look at": (
        TRAIN.replace("experiment =", "#").replace("book =", "#").replace("book_source =", "#"),
        "look must stand beside",
    ),
    "no source": (TRAIN.replace("book_source =", "#"), "book and book_source must stand together"),
    "book without an experiment": (
        READ + 'book = "loss < 1"\nbook_source = "d2l"',
        "book: step 2 has no experiment",
    ),
    "no condition": (TRAIN.replace("< 0.15", "= 0.15"), "book: at character 30: '=' is not allowed here"),
    "nothing measured": (TRAIN.replace("test_accuracy after 5 epochs < 0.15", "0 < 1"), "book must name what is measured"),
    "condition of no text": (TRAIN.replace('"test_accuracy after 5 epochs < 0.15"', "true"), "book must be a text"),
    "no such measure": (TRAIN.replace("test_accuracy", "accuracy"), "book: measure must be one of test_accuracy, gradient"),
    "no such run": (TRAIN + CHOOSE.replace('"ReLU"', '"Tanh"'), "question.choices.when: gradient must be of one of its runs"),
    "which run": (TRAIN + CHOOSE.replace(' of "ReLU"', ""), "question.choices.when: gradient must be of one of its runs"),
    "run without a name": (
        TRAIN.replace("test_accuracy", "test_accuracy of 'x'".replace("'", '\\"')),
        "test_accuracy must be of one of",
    ),
    "not each epoch": (TRAIN + CHOOSE.replace('"ReLU"', '"ReLU" after 2 epochs'), "gradient must be measured at the end"),
    "later step": (TRAIN + CHOOSE.replace(">=", "in step 3 >="), "'in step' must name a step before this one"),
    "this step": (TRAIN.replace(" < 0.15", " in step 2 < 0.15"), "'in step' must name a step before this one"),
    "step without": (TRAIN.replace(" < 0.15", " in step 1 < 0.15"), "step 1 has no experiment, which test_accuracy is to be measured of"),
    "question is a text": (TRAIN + 'question = "x"', "question must be written as [steps.question]"),
    "no explanation": (TRAIN.replace("explanation =", "#") + NUMBER, "explanation is missing"),
    "no ask": (TRAIN + NUMBER.replace("ask =", "#"), "question.ask is missing"),
    "unknown in the question": (TRAIN + NUMBER + "step = 1", "question.field must be one of ask, measure, low, high, unit"),
    "answer and measure": (TRAIN + NUMBER + 'answer = "x"', "question.field must be one of ask, measure"),
    "neither answer nor measure": (TRAIN + ANSWER.replace("answer =", "#"), "question.answer is missing"),
    "no choices": (TRAIN + ANSWER.replace("choices =", "#"), "question.choices must be a list of 2 to 6, or measure"),
    "one choice": (TRAIN + ANSWER.replace('"Nowhere", ', ""), "question.choices must be a list of 2 to 6"),
    "equal choices": (TRAIN + ANSWER.replace("Nowhere", "Far"), "question.choices must differ"),
    "no such answer": (
        TRAIN + ANSWER.replace('answer = "Far"', 'answer = "far"'),
        "question.answer must be one of the choices, Nowhere, Far",
    ),
    "answer beside when": (TRAIN + CHOOSE + 'answer = "Far"', "question.answer must be left out where every choice says when"),
    "mixed choices": (TRAIN + ANSWER.replace('"Nowhere"', '{text = "x", when = "test_accuracy < 1"}'), "must all be texts, or all be"),
    "choice without when": (TRAIN + CHOOSE.replace(', when = "test_accuracy < 0.15"', ""), "must all be texts, or all be"),
    "ends turned around": (TRAIN + NUMBER.replace("low = 0", "low = 1"), "question.low must be below high"),
    "no end": (TRAIN + NUMBER.replace("high = 1", ""), "question.high must be a number"),
    "bet on a word": (TRAIN + NUMBER.replace("low = 0", 'low = "0"'), "question.low must be a number"),
    "long unit": (TRAIN + NUMBER.replace("%", "%" * 13), "question.unit must have at most 12 characters"),
}


@pytest.mark.parametrize(("text", "rule"), HEAD_FAULTS.values(), ids=HEAD_FAULTS)
def test_a_fault_in_the_head_is_named(text: str, rule: str) -> None:
    error = refused(text)
    assert error.step is None
    assert rule in error.rule


@pytest.mark.parametrize(("step", "rule"), STEP_FAULTS.values(), ids=STEP_FAULTS)
def test_a_fault_in_a_step_is_named_with_its_number(step: str, rule: str) -> None:
    error = refused(HEAD + READ + step)
    assert error.step == 2
    assert rule in error.rule
    assert str(error).startswith("vanishing.toml, step 2: ")


@pytest.mark.parametrize("file", ["Vanishing.toml", "a b.toml", "x" * 41 + ".toml", ".toml"])
def test_a_file_s_name_can_stand_in_an_address(file: str) -> None:
    assert "the file's name must be" in refused(HEAD + READ, file).rule


def test_an_error_survives_pickling() -> None:
    error = refused(HEAD)
    again = pickle.loads(pickle.dumps(error))
    assert (again.file, again.step, again.rule, again.value) == (error.file, error.step, error.rule, error.value)


OTHERS = ("", "x = 1", 'title = "x"', "text = 3", "[[steps]]", "[steps]", "[steps.question]", "steps = [1]")
LINES = (HEAD + READ + TRAIN + NUMBER + TRAIN + CHOOSE + TRAIN + ANSWER).splitlines()


@given(st.integers(0, len(LINES) - 1), st.sampled_from(OTHERS))
def test_a_line_that_is_lost_or_replaced_is_a_lesson_or_a_named_fault(number: int, line: str) -> None:
    text = "\n".join([*LINES[:number], line, *LINES[number + 1 :]])
    try:
        assert read(text).steps
    except LessonError as error:
        assert error.file == "vanishing.toml"  # noqa: PT017
