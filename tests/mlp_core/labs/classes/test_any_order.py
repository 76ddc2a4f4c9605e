"""Whatever teachers and students do in whatever order, every class is what a model in plain Python says, in both stores."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule, run_state_machine_as_test

from mlp_core.labs.classes.classes import Classes, Opened
from mlp_core.labs.classes.classroom import ClassError, NoClassError
from tests.support.class_stores import Place

STEPS = 2
HOUR = 3600
browsers = st.sampled_from([f"the browser of student {number}" for number in range(3)])
steps = st.integers(1, STEPS)
numbers = st.floats(-1e12, 1e12)


@dataclass
class Model:
    """One class, written down as simply as can be."""

    opened: Opened
    teacher_was_there: float
    students: set[str] = field(default_factory=set)
    votes: dict[tuple[int, int, str], float] = field(default_factory=dict)
    results: dict[tuple[int, str], tuple[float, ...]] = field(default_factory=dict)
    second: set[int] = field(default_factory=set)
    revealed: set[int] = field(default_factory=set)
    at: int = 1
    together: bool = True


class AnyOrder(RuleBasedStateMachine):
    opened = Bundle("opened")
    place: ClassVar[Place]

    def __init__(self) -> None:
        super().__init__()
        self.place.let_pass(3 * HOUR)  # what the example before has opened
        self.classes, self.now = Classes(self.place.store), 0.0
        self.models: list[Model] = []

    def alive(self, model: Model) -> bool:
        return self.now - model.teacher_was_there < 2 * HOUR

    @contextlib.contextmanager
    def refused(self, error: type[Exception] | None) -> Iterator[None]:
        with contextlib.nullcontext() if error is None else pytest.raises(error):
            yield

    @initialize(target=opened)
    def begin(self) -> object:
        return self.open_one()

    @rule(target=opened)
    def open(self) -> object:
        return multiple() if sum(map(self.alive, self.models)) >= 2 else self.open_one()

    def open_one(self) -> Model:
        model = Model(self.classes.open("vanishing", STEPS), self.now)
        self.models.append(model)
        return model

    @rule(model=opened, who=browsers)
    def join(self, model: Model, who: str) -> None:
        if not self.alive(model):
            return  # a wrong code: limits have tests of their own
        self.classes.join(model.opened.code, who)
        model.students.add(who)

    @rule(model=opened, who=browsers, step=steps, value=numbers)
    def vote(self, model: Model, who: str, step: int, value: float) -> None:
        member = self.alive(model) and who in model.students
        with self.refused(NoClassError if not member else ClassError if step in model.revealed else None):
            self.classes.vote(model.opened.code, who, step, value)
        if member and step not in model.revealed:
            model.votes[step, 2 if step in model.second else 1, who] = value

    @rule(model=opened, who=browsers, step=steps, history=st.lists(numbers, min_size=1, max_size=3))
    def hand_in(self, model: Model, who: str, step: int, history: list[float]) -> None:
        member = self.alive(model) and who in model.students
        with self.refused(None if member else NoClassError):
            self.classes.hand_in(model.opened.code, who, step, history)
        if member:
            model.results[step, who] = tuple(history)

    @rule(model=opened, step=steps)
    def move(self, model: Model, step: int) -> None:
        with self.teaching(model):
            self.classes.move(model.opened.code, model.opened.secret, step)
            model.at = step

    @rule(model=opened, together=st.booleans())
    def pace(self, model: Model, together: bool) -> None:
        with self.teaching(model):
            self.classes.pace(model.opened.code, model.opened.secret, together=together)
            model.together = together

    @rule(model=opened, step=steps)
    def reveal(self, model: Model, step: int) -> None:
        with self.teaching(model):
            self.classes.reveal(model.opened.code, model.opened.secret, step)
            model.revealed.add(step)

    @rule(model=opened, step=steps)
    def vote_again(self, model: Model, step: int) -> None:
        with self.teaching(model):
            with self.refused(ClassError if step in model.revealed and self.alive(model) else None):
                self.classes.vote_again(model.opened.code, model.opened.secret, step)
            model.second |= {step} - model.revealed

    @rule(model=opened)
    def end(self, model: Model) -> None:
        with self.teaching(model):
            self.classes.end(model.opened.code, model.opened.secret)
            model.teacher_was_there = -2 * HOUR

    @contextlib.contextmanager
    def teaching(self, model: Model) -> Iterator[None]:
        """What a teacher does keeps the class; after its end it is refused."""
        if self.alive(model):
            model.teacher_was_there = self.now
            yield
        else:
            with pytest.raises(NoClassError):
                yield

    @rule(minutes=st.sampled_from([10, 30, 119]))
    def let_pass(self, minutes: int) -> None:
        self.place.let_pass(minutes * 60)
        self.now += minutes * 60

    @rule(model=opened)
    def look_as_teacher(self, model: Model) -> None:
        with self.teaching(model):
            for step in range(1, STEPS + 1):
                view = self.classes.look(model.opened.code, model.opened.secret, step)
                rounds = (1, 2) if step in model.second else (1,)
                assert view.votes == tuple(
                    tuple(sorted(vote for (at, turn, _), vote in model.votes.items() if (at, turn) == (step, one))) for one in rounds
                )
                assert sorted(view.results) == sorted(result for (at, _), result in model.results.items() if at == step)
                assert view.students == len(model.students)

    @invariant()
    def students_see_what_they_may(self) -> None:
        for model in self.models:
            code = model.opened.code
            if not self.alive(model) or not model.students:
                continue
            who = min(model.students)
            view = self.classes.look(code, who)
            assert (view.step, view.classroom.together, set(view.classroom.revealed)) == (model.at, model.together, model.revealed)
            assert view.own == tuple(model.votes.get((model.at, turn, who)) for turn in (1, 2))
            first = sorted(vote for (at, turn, _), vote in model.votes.items() if (at, turn) == (model.at, 1))
            assert (tuple(first) in view.votes) if model.at in model.revealed else view.votes == ()

    @invariant()
    def what_has_ended_weighs_nothing(self) -> None:
        if not any(map(self.alive, self.models)):
            self.place.store.get("CFG234")  # memory lets go at the next question
            assert self.place.weighs_nothing


def test_in_any_order_a_class_is_what_the_model_says(place: Place) -> None:
    machine = type("InThisStore", (AnyOrder,), {"place": place})
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
