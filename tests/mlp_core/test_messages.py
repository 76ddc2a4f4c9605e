"""A message is its English text, whatever is done with it, and keeps what it was made of."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.words import Message, counted, duration, joined, listed, percent


def _said_with(parts: tuple[str, object]) -> Message:
    return Message(parts[0].replace("{", "(") + " {inner}", inner=parts[1])


names = st.text("abcdefgh_", min_size=1, max_size=6)
plain = st.text(max_size=12)
values = st.recursive(plain | st.integers(), lambda inside: st.tuples(plain, inside).map(_said_with), max_leaves=4)


@given(st.lists(st.tuples(plain.map(lambda text: text.replace("{", "(")), names), max_size=4), st.data())
def test_a_message_is_its_text(parts: list[tuple[str, str]], data: st.DataObject) -> None:
    filling: dict[str, Any] = {name: data.draw(values) for _text, name in parts}
    message = Message("".join(f"{text}{{{name}}}" for text, name in parts), **filling)
    text = "".join(f"{text}{filling[name]}" for text, name in parts)
    assert message == text
    assert hash(message) == hash(text)
    assert json.loads(json.dumps(message)) == text
    for twin in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert type(twin) is Message
        assert (twin, twin.template, dict(twin.values)) == (text, message.template, filling)


def test_braces_of_a_formula_stay() -> None:
    assert Message(r"$\frac{x}{n}$ of {number} \\frac{a_1}{2}", number=3) == r"$\frac{x}{n}$ of 3 \\frac{a_1}{2}"


def test_a_value_without_a_place_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="step has no place in 'It diverged"):
        Message("It diverged.", step=3)


@given(st.integers(0, 10**6), names.filter(lambda name: name != "n"))
def test_a_counted_thing_is_one_or_many(amount: int, name: str) -> None:
    said = counted(amount, f"{{n}} run of {{{name}}}", f"{{n}} runs of {{{name}}}", **{name: "relu"})
    assert said == f"{amount:,} {'run' if amount == 1 else 'runs'} of relu"
    assert pickle.loads(pickle.dumps(said)).plural == said.plural


@given(st.lists(st.text("xyz", min_size=1), max_size=5), st.sampled_from(["", "and", "or"]))
def test_a_list_names_every_item_in_its_order(items: list[str], last: str) -> None:
    head, tail = items[:-1], items[-1:]
    assert listed(items, last) == (f" {last} " if last else ", ").join([*filter(None, [", ".join(head)]), *tail])


@given(st.lists(st.sampled_from(["", "It is so.", "Not now."]), max_size=4))
def test_sentences_follow_each_other(sentences: list[str]) -> None:
    assert joined(*sentences) == " ".join(filter(None, sentences))


def test_units_are_messages_too() -> None:
    assert isinstance(percent(0.5), Message)
    assert isinstance(duration(75), Message)
