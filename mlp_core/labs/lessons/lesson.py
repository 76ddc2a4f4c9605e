"""A lesson as it stands in its file: steps that ask, run an experiment, and explain. Read from TOML, every fault of it named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol, TypeVar

from mlp_core.bounds import Bounds, SpecError, shown
from mlp_core.labs.lessons.condition import MOST_STEPS, Condition, ConditionError, Reference, Sum, parse_condition, parse_sum
from mlp_core.words import Message

MINUTES = Bounds(1, 180, whole=True)
MOST_CHOICES, MOST_SECTIONS = 6, 8
MOST_BET = 1e12
LONGEST = {  # characters of a text, by its field
    "title": 80,
    "needs": 200,
    "summary": 200,
    "sections": 120,
    "sections_zh": 120,
    "text": 1500,
    "experiment": 4000,
    "look": 400,
    "explanation": 2000,
    "book_source": 120,
    "ask": 300,
    "choices": 200,
    "answer": 200,
    "unit": 12,
}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_WRAPPED = re.compile(r"(?<=\S) ?\n[ \t]*(?=\S)(?!(?:[-*+>]|#+|\d+[.)])\s|\||```)")  # where the next line begins nothing of its own
_HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")  # what \t of "\tanh" becomes in double quotes


class Experiment(Protocol):
    """What the link of an experiment says can be measured of it."""

    def check(self, name: str, run: str = "", after: int | None = None) -> None:
        """Raise a `SpecError` where there is no such measure, or not of this run, or not after so many epochs."""


Asked = TypeVar("Asked", Condition, Sum)
ReadLink = Callable[[str], Experiment]  # raises a `SpecError` for a link that is broken


class LessonError(ValueError):
    """A lesson file that breaks a rule: file, number of the step from 1 (None: the file's head), rule with its field, and value."""

    def __init__(self, file: str, step: int | None, rule: str, value: object) -> None:
        self.file, self.step, self.rule, self.value = file, step, rule, value
        if step is None:
            super().__init__(Message("{file}: {rule}, got {value}", file=file, rule=rule, value=shown(value)))
        else:
            super().__init__(Message("{file}, step {step}: {rule}, got {value}", file=file, step=step, rule=rule, value=shown(value)))

    def __reduce__(self) -> tuple[type[LessonError], tuple[str, int | None, str, object]]:
        return LessonError, (self.file, self.step, self.rule, self.value)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer; `when` it is the right one, None where nothing is measured."""

    text: str
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a learner bets on before the run: one of the choices, or a number.

    Args:
        ask: the question.
        choices: two or more; none where the bet is a number.
        answer: the index of the right choice where that cannot be measured.
        measure: what a number is compared with.
        low, high: the ends of what can be bet on.
        unit: stands behind a number; "%" shows a fraction in percent.
    """

    ask: str
    choices: tuple[Choice, ...] = ()
    answer: int | None = None
    measure: Sum | None = None
    low: float = 0.0
    high: float = 1.0
    unit: str = ""

    @property
    def measured(self) -> bool:
        """Whether the outcome comes from a run, and not from the file."""
        return self.answer is None

    @property
    def references(self) -> tuple[Reference, ...]:
        """All that has to be measured to know the outcome."""
        if self.measure is not None:
            return self.measure.references
        return tuple(one for choice in self.choices if choice.when is not None for one in choice.when.references)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is read, what is bet on, what is run, what is explained after.

    Args:
        text: a few sentences.
        experiment: page and query, as in a link of the app; empty where nothing is run.
        look: what to look at in it.
        explanation: shown after the bet and the run.
        book: what the book finds; None where it says nothing.
        book_source: where it says so.
    """

    title: str
    text: str
    experiment: str = ""
    look: str = ""
    explanation: str = ""
    book: Condition | None = None
    book_source: str = ""
    question: Question | None = None

    @property
    def references(self) -> tuple[Reference, ...]:
        """All that has to be measured for what the step says after its run."""
        asked = () if self.question is None else self.question.references
        return asked if self.book is None else (*asked, *self.book.references)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson.

    Args:
        name: of its file, without the ending; in its address.
        title: a few words.
        minutes: how long it takes.
        needs: what one has to know before, in a sentence.
        summary: what it is about, in a sentence that gives no outcome away.
        sections: of *Dive into Deep Learning*, number and title.
        sections_zh: the same in the Chinese edition.
        steps: in their order.
    """

    name: str
    title: str
    minutes: int
    needs: str
    summary: str
    sections: tuple[str, ...]
    sections_zh: tuple[str, ...]
    steps: tuple[Step, ...]


def unwrapped(text: str) -> str:
    """A text of a file with one line a paragraph: a language without spaces between words has no use for line ends."""
    return text.strip() if "```" in text else _WRAPPED.sub(" ", text.strip())


def read_lesson(text: str, file: str, read_link: ReadLink) -> Lesson:
    """The lesson that a file's text states.

    Args:
        text: TOML.
        file: the file's name, which gives the lesson its own.
        read_link: gives the experiment that a link of the app describes.

    Raises:
        LessonError: no TOML, a field that is unknown, missing, of the wrong type or too long, no step or too many, a question that is none,
            a link that is broken, a condition that does not parse, or one that asks for what is not measured or comes later.
    """
    name = PurePath(file).stem
    if not _NAME.fullmatch(name):
        raise LessonError(file, None, Message("the file's name must be at most 40 of a to z, 0 to 9, - and _"), name)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LessonError(file, None, Message("must be TOML"), str(error)) from error
    head = _Table(table, file, None)
    head.only("title", "minutes", "needs", "summary", "sections", "sections_zh", "steps")
    steps = head.values.get("steps", [])
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise head.error(Message("{field} must be written as {form}", field="steps", form="[[steps]]"), steps)
    if not 1 <= len(steps) <= MOST_STEPS:
        raise head.error(Message("there must be 1 to {most} [[steps]]", most=MOST_STEPS), len(steps))
    experiments: list[Experiment | None] = []  # of each step so far
    return Lesson(
        name=name,
        title=head.text("title"),
        minutes=int(head.number("minutes", MINUTES)),
        needs=head.text("needs"),
        summary=head.text("summary"),
        sections=head.texts("sections"),
        sections_zh=head.texts("sections_zh"),
        steps=tuple(_step(_Table(step, file, number), experiments, read_link) for number, step in enumerate(steps, 1)),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of a file, which knows where in the file it stands.

    Args:
        step: the number of the step that it belongs to, from 1.
        place: what is said before the name of a field.
    """

    values: Mapping[str, Any]
    file: str
    step: int | None
    place: str = ""

    def error(self, rule: str, value: object) -> LessonError:
        return LessonError(self.file, self.step, rule, value)

    def named(self, field: str) -> str:
        """How an error names a field."""
        return self.place + field

    def only(self, *fields: str) -> None:
        for name in self.values:
            if name not in fields:
                known = ", ".join(fields)
                if self.place:
                    raise self.error(Message("{field} must be one of {fields}", field=self.named("field"), fields=known), name)
                raise self.error(Message("a field must be one of {fields}", fields=known), name)

    def text(self, field: str) -> str:
        if field not in self.values:
            raise self.error(Message("{field} is missing, and must be a text", field=self.named(field)), None)
        return self.checked(field, self.values[field])

    def optional(self, field: str) -> str:
        return self.text(field) if field in self.values else ""

    def texts(self, field: str) -> tuple[str, ...]:
        values = self.values.get(field)
        if not isinstance(values, list) or not 1 <= len(values) <= MOST_SECTIONS:
            raise self.error(Message("{field} must be a list of 1 to {most} texts", field=self.named(field), most=MOST_SECTIONS), values)
        return tuple(self.checked(field, value) for value in values)

    def checked(self, field: str, value: object) -> str:
        """A text that can be shown: with words in it, not too long, and with the backslashes that were meant."""
        named = self.named(field)
        if not isinstance(value, str) or not value.strip():
            raise self.error(Message("{field} must be a text", field=named), value)
        if len(value) > LONGEST[field]:
            rule = Message("{field} must have at most {most} characters", field=named, most=f"{LONGEST[field]:,}")
            raise self.error(rule, len(value))
        if hidden := _HIDDEN.search(value):
            rule = Message("{field} must have no control characters: LaTeX stands in ''' quotes, which keep backslashes", field=named)
            raise self.error(rule, hidden[0])
        if len(re.findall(r"(?<!\\)\$", value)) % 2:
            raise self.error(Message("{field} must close every $ that it opens", field=named), value)
        return unwrapped(value)

    def broken(self, field: str, error: SpecError) -> LessonError:
        """That a field asks for something that breaks a rule."""
        rule = Message("{field}: {part} {rule}", field=self.named(field), part=error.field, rule=error.rule)
        return self.error(rule, error.value)

    def number(self, field: str, bounds: Bounds) -> float:
        try:
            return bounds.check(field, self.values.get(field))
        except SpecError as error:
            raise self.error(Message("{field} {rule}", field=self.named(field), rule=error.rule), error.value) from error

    def asked(self, field: str, parse: Callable[[str], Asked], experiments: Sequence[Experiment | None]) -> Asked:
        """What a field asks of the run, if that can be measured.

        Args:
            experiments: of all steps up to this one.
        """
        text, named = self.values[field], self.named(field)
        if not isinstance(text, str):
            raise self.error(Message("{field} must be a text", field=named), text)
        try:
            asked = parse(text)
        except ConditionError as error:
            at, broken = error.position + 1, error.rule
            raise self.error(Message("{field}: at character {position}: {rule}", field=named, position=at, rule=broken), text) from error
        if not asked.references:
            raise self.error(Message("{field} must name what is measured", field=named), text)
        for one in asked.references:
            if one.step is not None and one.step >= len(experiments):
                raise self.error(Message("{field}: 'in step' must name a step before this one", field=named), text)
            number = one.step or len(experiments)
            experiment = experiments[number - 1]
            if experiment is None:
                rule = Message(
                    "{field}: step {number} has no experiment, which {measure} is to be measured of",
                    field=named, number=number, measure=one.name,
                )  # fmt: skip
                raise self.error(rule, text)
            try:
                experiment.check(one.name, one.run, one.after)
            except SpecError as error:
                raise self.broken(field, error) from error
        return asked


def _step(table: _Table, experiments: list[Experiment | None], read_link: ReadLink) -> Step:
    """One step; its experiment is added to `experiments`."""
    table.only("title", "text", "experiment", "look", "explanation", "book", "book_source", "question")
    experiment = table.optional("experiment")
    try:
        experiments.append(read_link(experiment) if experiment else None)
    except SpecError as error:
        raise table.broken("experiment", error) from error
    if not experiment and "look" in table.values:
        raise table.error(Message("look must stand beside an experiment"), table.values["look"])
    if ("book" in table.values) != ("book_source" in table.values):
        rule = Message("book and book_source must stand together")
        raise table.error(rule, table.values.get("book", table.values.get("book_source")))
    asked = table.values.get("question")
    if asked is not None and not isinstance(asked, dict):
        raise table.error(Message("{field} must be written as {form}", field="question", form="[steps.question]"), asked)
    return Step(
        title=table.text("title"),
        text=table.text("text"),
        experiment=experiment,
        look=table.optional("look"),
        explanation=table.optional("explanation") if asked is None else table.text("explanation"),
        book=table.asked("book", parse_condition, experiments) if "book" in table.values else None,
        book_source=table.optional("book_source"),
        question=None if asked is None else _question(_Table(asked, table.file, table.step, "question."), experiments),
    )


def _question(table: _Table, experiments: Sequence[Experiment | None]) -> Question:
    ask = table.text("ask")
    if "measure" in table.values:
        return _number_question(table, ask, experiments)
    table.only("ask", "choices", "answer")
    choices = table.values.get("choices")
    if not isinstance(choices, list) or not 2 <= len(choices) <= MOST_CHOICES:
        rule = Message(
            "{field} must be a list of 2 to {most}, or measure must say what number to bet on",
            field=table.named("choices"), most=MOST_CHOICES,
        )  # fmt: skip
        raise table.error(rule, choices)
    if measured := any(isinstance(choice, dict) for choice in choices):
        read = tuple(_choice(table, choice, experiments) for choice in choices)
    else:
        read = tuple(Choice(table.checked("choices", choice)) for choice in choices)
    texts = [choice.text for choice in read]
    if len(set(texts)) != len(texts):
        raise table.error(Message("{field} must differ", field=table.named("choices")), texts)
    if measured:
        if "answer" in table.values:
            rule = Message("{field} must be left out where every choice says when it is right", field=table.named("answer"))
            raise table.error(rule, table.values["answer"])
        return Question(ask, read)
    if (answer := table.text("answer")) not in texts:
        rule = Message("{field} must be one of the choices, {choices}", field=table.named("answer"), choices=", ".join(texts))
        raise table.error(rule, answer)
    return Question(ask, read, texts.index(answer))


def _choice(table: _Table, choice: object, experiments: Sequence[Experiment | None]) -> Choice:
    if not isinstance(choice, dict) or choice.keys() != {"text", "when"}:
        rule = Message("{field} must all be texts, or all be {form}", field=table.named("choices"), form="{text = …, when = …}")
        raise table.error(rule, choice)
    when = _Table({"choices.when": choice["when"]}, table.file, table.step, table.place)
    return Choice(table.checked("choices", choice["text"]), when.asked("choices.when", parse_condition, experiments))


def _number_question(table: _Table, ask: str, experiments: Sequence[Experiment | None]) -> Question:
    table.only("ask", "measure", "low", "high", "unit")
    low, high = (table.number(end, Bounds(-MOST_BET, MOST_BET)) for end in ("low", "high"))
    if low >= high:
        raise table.error(Message("{field} must be below high", field=table.named("low")), low)
    measure = table.asked("measure", parse_sum, experiments)
    return Question(ask, measure=measure, low=low, high=high, unit=table.optional("unit"))
