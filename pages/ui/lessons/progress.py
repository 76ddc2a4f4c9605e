"""How far a learner has come in a lesson: bets and runs, which the address has too, and what was measured."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from mlp_core.labs.lessons.condition import MOST_STEPS, Reference
from mlp_core.labs.lessons.lesson import Lesson, Question
from mlp_core.spec import Bounds, SpecError
from mlp_core.words import Message
from pages.ui.lessons import experiments
from pages.ui.lessons.classes import CLASS, Member
from pages.ui.link import Field, LinkState, choice, flag, number, number_text, text

LETTERS = "abcdef"  # of choices, in the address
VIEWS = ("steps", "handout")

Bets = Mapping[int, str]  # number of a step -> letter of a choice, or a number


def _read_bets(given: str) -> Bets:
    bets: dict[int, str] = {}
    for entry in given.split(","):
        step, _, bet = entry.partition(":")
        if not re.fullmatch(r"[1-9]\d?", step, re.ASCII) or int(step) in bets:
            raise SpecError("bets", Message("must be a step and a bet for each, as in 1:b,3:0.85"), given)
        bets[int(step)] = bet if bet in LETTERS and len(bet) == 1 else number_text(Bounds(-1e12, 1e12).read("bets", bet))
    return bets


def _read_ran(given: str) -> tuple[int, ...]:
    steps = given.split(",")
    if not all(re.fullmatch(r"[1-9]\d?", step, re.ASCII) for step in steps) or len(set(steps)) != len(steps):
        raise SpecError("ran", Message("must be numbers of steps, each once, as in 1,3"), given)
    return tuple(sorted(map(int, steps)))


BETS = Field("bets", {}, _read_bets, lambda bets: ",".join(f"{step}:{bet}" for step, bet in sorted(bets.items())))
RAN = Field("ran", (), _read_ran, lambda ran: ",".join(map(str, ran)))


@dataclass(slots=True)
class Progress:
    """What a learner has done in one lesson.

    Args:
        bets: those that stand.
        ran: numbers of the steps whose experiment was run.
        measured: link of an experiment, and what was asked of it -> the value.
        at: the number of the step that was seen last.
        times_begun: how often the lesson was begun anew.
    """

    bets: dict[int, str] = field(default_factory=dict)
    ran: set[int] = field(default_factory=set)
    measured: dict[tuple[str, Reference], float] = field(default_factory=dict)
    at: int = 1
    times_begun: int = 0

    def begin_anew(self) -> None:
        self.times_begun += 1
        self.at = 1
        for kept in (self.bets, self.ran, self.measured):
            kept.clear()

    def value(self, lesson: Lesson, step: int, reference: Reference) -> float | None:
        """What was measured, for step number `step`; None where there is nothing yet."""
        return self.measured.get(_measured_key(lesson, step, reference))

    def measure(self, lesson: Lesson) -> None:
        """Remember what can be measured now of all that was run."""
        for step, known in enumerate(lesson.steps, 1):
            for reference in known.references:
                of = reference.step or step
                if of in self.ran and (experiment := experiments.experiment_of(lesson.steps[of - 1].experiment)).state() == "done":
                    value = experiment.measure(reference.name, reference.run, reference.after)
                    if value is not None:
                        self.measured[_measured_key(lesson, step, reference)] = value


def progress_in(lesson: Lesson) -> Progress:
    """What this session has done in a lesson."""
    if "_lessons" not in st.session_state:
        st.session_state["_lessons"] = {}
    known: dict[str, Progress] = st.session_state["_lessons"]
    return known.setdefault(lesson.name, Progress())


def lesson_link() -> LinkState:
    """The link of the page of a lesson."""
    return LinkState(
        "lesson",
        (
            text("name", "", 40),
            number("step", 1, Bounds(1, MOST_STEPS, whole=True)),
            BETS,
            RAN,
            choice("view", "steps", VIEWS),
            flag("answers", False),
            CLASS,
        ),
    )


def follow_link(link: LinkState, lesson: Lesson) -> Progress:
    """Take over what the link says was bet and run. A bet that was made in this session stands."""
    count = len(lesson.steps)
    link["step"] = link.fitted("step", min(link["step"], count), Message("must be a step of this lesson, which has {count}", count=count))
    bets = {step: bet for step, bet in link["bets"].items() if step <= count and _possible(lesson.steps[step - 1].question, bet)}
    link["bets"] = link.fitted("bets", bets, Message("must be bets that this lesson asks for"))
    ran = tuple(step for step in link["ran"] if step <= count and lesson.steps[step - 1].experiment)
    link["ran"] = link.fitted("ran", ran, Message("must be steps of this lesson that run something"))
    progress = progress_in(lesson)
    progress.bets.update({step: bet for step, bet in link["bets"].items() if step not in progress.bets})
    progress.ran.update(link["ran"])
    progress.at = link["step"]
    link.update({"bets": dict(progress.bets), "ran": tuple(sorted(progress.ran))})
    return progress


def follow_class(member: Member, lesson: Lesson, progress: Progress) -> None:
    """Go to the step that a member of a class sees, with the bet that the class has of him."""
    link, number = member.link, member.go_to(member.link["step"], lesson)
    if (question := lesson.steps[number - 1].question) is not None:
        progress.bets.pop(number, None)
        if member.bet is not None:
            progress.bets[number] = bet_text(question, member.bet)
    progress.at = number
    link.update({"step": number, "bets": dict(progress.bets)})


def bet_value(question: Question, bet: str) -> float:
    """A bet as a number: of a choice its index from 0, of a number itself."""
    return LETTERS.index(bet) if question.choices else float(bet)


def bet_text(question: Question, value: float) -> str:
    """A bet as the address says it."""
    return LETTERS[int(value)] if question.choices else number_text(value)


def _possible(question: Question | None, bet: str) -> bool:
    if question is None:
        return False
    if question.choices:
        return bet in LETTERS[: len(question.choices)]
    return bet not in LETTERS and question.low <= float(bet) <= question.high


def _measured_key(lesson: Lesson, step: int, reference: Reference) -> tuple[str, Reference]:
    link = lesson.steps[(reference.step or step) - 1].experiment
    return link, Reference(reference.name, reference.run, reference.after)
