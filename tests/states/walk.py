"""States of the pages: links drawn at random from the limits of every field, and buttons pressed."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.expression import ExpressionError
from mlp_core.spec import SpecError
from pages.ui.link import Field, LinkState
from pages.ui.train.controls import spec_of
from tests.states.patterns import faults
from tests.states.seen import texts
from tests.support.pages.visit import visit_with_jobs

PAGES = ("train", "activations", "stability", "nonlinearity", "generalization", "tensors")
SECTIONS = ("act", "part", "op", "f")  # fields that decide what is on the page: drawn every time
CHANGED = 0.25  # of the other fields, in one state
PRESSED = 0.4  # of the states: a button, if there is one
MOST_SECONDS = 600.0  # for one look at a page, on a machine that does other things too
LOOKS, LOOK_SECONDS = 3, 0.3  # at what a button began
TEXTS = {  # of fields whose rule is no limit of a widget
    "own": ("", "x^2", "x", "0*x", "1/x", "log(x)", "-x", "(10^6)^2*x", "0.0000001*x^3", "x^3 - x", "1e30*x", "exp(x)", "sin(100*x)"),
    "expression": ("x*sigmoid(1.702*x)", "x^2", "0*x", "x", "max(x, 0)^2", "sin(x)", "x/(1 + abs(x))"),
    "a": ("1 2; 3 4", "1", "0 0; 0 0", "-0 1e-9", "1e38 1e38; 1 1", "nan inf", "0.1 0.2 0.3", "1 2 | 3 4"),
    "b": ("5 6; 7 8", "1", "-1 0; 0 -1", "1e-30; 1e30", "1e38; 1e38", "0.333333333 2"),
    "shape": ("3 -1", "1", "2 2", "-1"),
    "activation": ("relu", "sigmoid", "=x^2", "=0*x", "identity", "selu"),
    "x": ("0", "0,0,0", "8", "-8,8", "0.5,-0.5,1,2"),
    "shown": ("0.0", "1.1", "0.1"),
    "drawn": ("",),
}  # fmt: skip
UNPRESSED = ("preset", "copy", "present")  # begins of keys: what these do is what a link does
QUICK = {"pace": "full"}
SMALL = {"train": {"train_size": "256"}}  # so that a run comes to an end while one looks


@dataclass(frozen=True, slots=True)
class State:
    """A page, its link, and the buttons that were pressed."""

    page: str
    query: dict[str, str]
    pressed: tuple[str, ...] = ()

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.page}?{query}" + "".join(f" [{key}]" for key in self.pressed)


@dataclass(frozen=True, slots=True)
class Fault:
    """What a page said and must not."""

    state: State
    pattern: str
    where: str

    def __str__(self) -> str:
        return f"{self.state}: {self.pattern}: {self.where!r}"


def fields_of(page: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Field, ...]:
    """All that the page's link sets."""
    found: list[Sequence[Field]] = []
    kept = LinkState.__init__

    def noting(self: LinkState, name: str, fields: Sequence[Field], **others: Any) -> None:
        found.append(fields)
        kept(self, name, fields, **others)

    with monkeypatch.context() as patch, visit_with_jobs(f"pages/{page}.py", patch) as opened:
        patch.setattr(LinkState, "__init__", noting)
        opened.run()
    return max(map(tuple, found), key=len)


def random_query(page: str, fields: Sequence[Field], chance: random.Random) -> dict[str, str]:
    """A link to the page."""
    values = {field.name: field.default for field in fields}
    query = {}
    for field in fields:
        if field.name in SECTIONS or chance.random() < CHANGED:
            text = _text(field, chance)
            with suppress(SpecError):
                values[field.name] = field.read(text)
            query[field.name] = text
    if page == "train":
        query = {}
        with suppress(SpecError, ExpressionError):
            query = spec_of(values).to_query()
    return query | SMALL.get(page, {}) | (QUICK if chance.random() < 0.8 else {})


def _text(field: Field, chance: random.Random) -> str:
    limits, kind = field.limits, type(field.default)
    value = field.default
    if field.name in TEXTS and (not limits or "max_chars" in limits):
        return chance.choice(TEXTS[field.name])
    if "options" in limits:
        options = limits["options"]
        value = chance.sample(options, chance.randint(0, min(3, len(options)))) if kind is list else chance.choice(options)
    elif kind is bool:
        value = chance.random() < 0.5
    elif "min_value" in limits:
        low, high = limits["min_value"], limits["max_value"]
        places = [low, low / 3, (low + high) / 2, high / 7, high]
        number = _number(low, high, low if kind is tuple else field.default, chance)
        chosen = min(max(float(f"{number:.3g}"), low), high)  # rounded as a person would
        value = tuple(sorted(chance.sample(places, 2))) if kind is tuple else kind(chosen)
    return field.write(value)


def _number(low: float, high: float, default: float, chance: random.Random) -> float:
    near = [value for value in (0, 1, 2, default, default / 10, 3 * default) if low <= value <= high]
    kind = chance.randrange(4)
    if kind == 0:
        return chance.choice([low, high])
    if kind == 1 and near:
        return chance.choice(near)
    if kind == 2 and low >= 0:
        least = max(low, min(1e-6, high), default / 1000)
        return min(high, max(low, math.exp(chance.uniform(math.log(least), math.log(high))))) if high > least else high
    return chance.uniform(low, min(high, low + 40) if isinstance(default, int) else high)


def look(page: AppTest, state: State) -> Iterator[Fault]:
    """What is wrong with what the page says now, its boxes with exceptions included."""
    for exception in page.exception:
        yield Fault(state, "an exception", f"{exception.message[:200]}")
    for text in texts(page):
        for pattern, where in faults(text, state.query.values()):
            yield Fault(state, pattern, where)


def visited(state: State, monkeypatch: pytest.MonkeyPatch, chance: random.Random | None = None) -> Iterator[Fault]:
    """Open the state and look at it; then press its buttons, or one by chance, and look at what that does while it does it."""
    with monkeypatch.context() as patch, visit_with_jobs(f"pages/{state.page}.py", patch) as page:
        page.default_timeout = MOST_SECONDS
        page.query_params.update(state.query)
        page.run()
        yield from look(page, state)
        keys = state.pressed
        if chance is not None and chance.random() < PRESSED:
            buttons = [str(one.key) for one in page.button if one.key and not one.disabled and not str(one.key).startswith(UNPRESSED)]
            keys = (chance.choice(buttons),) if buttons else ()
        for key in pressed(page, keys):
            yield from look(page, State(state.page, state.query, (*state.pressed, key)))


def pressed(page: AppTest, keys: Sequence[str]) -> Iterator[str]:
    """Press buttons one after the other; their keys, at every look at what that does."""
    for key in keys:
        if page.exception:
            break
        page.button(key=key).click().run()
        yield key
        for _ in range(LOOKS):
            time.sleep(LOOK_SECONDS)
            page.run()
            yield key
