"""A student who does anything: random pages, buttons, values in and out of range, texts that nobody should type."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.load.student import Student

TEXTS = (
    "", " ", "0.1", "1e-9", "1e400", "nan", "-1", "x*sigmoid(x)", "x**x**x**x", "__import__('os')", "<script>alert(1)</script>",
    "[link](javascript:alert(1))", "$$\\frac{1}{0}$$", "1 2; 3 4", "1 2; 3", "汉字", "\u202e\u0000", "a" * 5000,
)  # fmt: skip
QUERIES = (
    "", "", "", "hidden=64", "hidden=1,2,3", "hidden=none", "hidden=9999999999", "lr=nan", "lr=1e400", "activation=%3Dx*x",
    "activation=step", "activation=%3Dx.__class__", "epochs=-1", "seed=%00", "dropout=0.5", "depth=30", "x=1e9", "show=relu,relu,relu",
    "page=../../etc/passwd",
)  # fmt: skip


class Monkey:
    """Random actions of one tab, the same for the same seed as long as the pages are.

    Args:
        pages: where it may go.
    """

    def __init__(self, student: Student, pages: tuple[str, ...], seed: int) -> None:
        self.student, self._pages, self._random = student, pages, random.Random(seed)
        self.done: list[str] = []

    async def act(self) -> None:
        """Do one thing."""
        controls = [(kind, element) for kind, element in self.student.controls if kind in _VALUES]
        if not controls or self._random.random() < 0.1:
            page, query = self._random.choice(self._pages), self._random.choice(QUERIES)
            self._note(f"open {page}?{query}")
            await self.student.open(page, query)
            return
        kind, element = self._random.choice(controls)
        state = WidgetState(id=element.id)
        _VALUES[kind](self._random, element, state)
        self._note(f"{kind} {getattr(element, 'label', '')!r} <- {str(state)[len(element.id) + 8 :]!r:.200}")
        await self.student.send(state)

    def _note(self, what: str) -> None:
        self.done = [*self.done[-19:], what]


def _press(_: random.Random, __: Any, state: WidgetState) -> None:
    state.trigger_value = True


def _number(chance: random.Random, element: Any, state: WidgetState) -> None:
    low = element.min if element.has_min else -1e6
    high = element.max if element.has_max else 1e6
    value = chance.choice((low, high, chance.uniform(low, high)))
    state.double_value = float(round(value)) if element.data_type == element.INT else value


def _slider(chance: random.Random, element: Any, state: WidgetState) -> None:
    values = [
        element.min + element.step * round(chance.random() * (element.max - element.min) / (element.step or 1)) for _ in element.default
    ]
    if element.options:  # a select slider sends the option's text
        state.string_array_value.data.extend(chance.choice(element.options) for _ in element.default)
    else:
        state.double_array_value.data.extend(sorted(min(value, element.max) for value in values))


def _choice(chance: random.Random, element: Any, state: WidgetState) -> None:
    if element.options:
        state.string_value = chance.choice(element.options)


def _check(chance: random.Random, _: Any, state: WidgetState) -> None:
    state.bool_value = chance.random() < 0.5


def _text(chance: random.Random, element: Any, state: WidgetState) -> None:
    text = chance.choice(TEXTS)
    state.string_value = text[: element.max_chars] if element.max_chars else text


def _pills(chance: random.Random, element: Any, state: WidgetState) -> None:
    contents = [option.content for option in element.options]
    if contents:
        state.string_array_value.data.append(chance.choice(contents))


def _several(chance: random.Random, element: Any, state: WidgetState) -> None:
    state.string_array_value.data.extend(chance.sample(list(element.options), k=min(len(element.options), chance.randint(0, 3))))


_VALUES: dict[str, Callable[[random.Random, Any, WidgetState], None]] = {
    "button": _press,
    "number_input": _number,
    "slider": _slider,
    "selectbox": _choice,
    "checkbox": _check,
    "text_input": _text,
    "text_area": _text,
    "button_group": _pills,
    "multiselect": _several,
}
