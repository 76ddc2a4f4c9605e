"""Widgets that begin with their value: whatever happens to them, each shows what was last chosen, by hand or from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui import widget_values as module
from pages.ui.widget_values import WidgetValues

NAMES = ("a", "b", "c")
VALUES = st.integers(0, 2)


class Page:
    """A page of three widgets as Streamlit keeps them: a widget begins with its value, and is forgotten by a run that does not draw it."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.shown: dict[str, Any] = {}

    @contextmanager
    def values(self) -> Iterator[WidgetValues]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "st", SimpleNamespace(session_state=self.state))
            yield WidgetValues("page", dict.fromkeys(NAMES, 0))

    def run(self, drawn: tuple[str, ...] = NAMES, outside: dict[str, int] | None = None) -> None:
        """A run of the script: values set from outside, then the widgets, then all is kept."""
        with self.values() as values:
            values.update(outside or {})
            keys = {}
            for name in drawn:
                given = values.value(name)
                self.state.setdefault(given["key"], given["value"])
                keys[given["key"]] = name
            values.keep()
            self.shown = {name: self.state[key] for key, name in keys.items()}
            self.leave(keep=keys)

    def leave(self, keep: Collection[str] = ()) -> None:
        """Another page is drawn, or of this one only some widgets."""
        for key in [key for key in self.state if not key.startswith("_values") and key not in keep]:
            del self.state[key]

    def look(self) -> tuple[dict[str, str], dict[str, Any], bool]:
        """Every widget's key and value, and whether the page looks just opened."""
        with self.values() as values:
            return {name: values.key(name) for name in values}, dict(values), values.entering

    def choose(self, name: str, value: int) -> None:
        """A person moves a widget that is drawn."""
        self.state[self.look()[0][name]] = value


@pytest.fixture
def page() -> Page:
    page = Page()
    page.run()
    return page


def test_a_widget_keeps_its_name_until_it_is_set_from_outside(page: Page) -> None:
    assert page.look()[0] == {name: name for name in NAMES}
    page.choose("a", 1)
    page.run()
    assert page.look()[0]["a"] == "a"
    page.run(outside={"a": 2})
    keys, values, _ = page.look()
    assert keys["a"] not in NAMES
    assert values == {"a": 2, "b": 0, "c": 0}


def test_a_widget_that_already_shows_the_value_is_left_alone(page: Page) -> None:
    page.choose("a", 1)
    page.run(outside={"a": 1, "b": 0})
    assert page.look()[0] == {name: name for name in NAMES}


def test_a_widget_that_was_not_drawn_for_a_while_comes_back_as_it_was(page: Page) -> None:
    page.choose("b", 2)
    page.run()
    page.run(drawn=("a",))
    page.run(drawn=("a",))
    page.run()
    assert page.shown == {"a": 0, "b": 2, "c": 0}


def test_a_page_is_entered_first_and_after_it_was_left_and_not_when_widgets_get_new_keys(page: Page) -> None:
    assert Page().look()[2]
    assert not page.look()[2]
    page.run(outside=dict.fromkeys(NAMES, 1))
    assert not page.look()[2]
    page.leave()
    assert page.look()[2]


def test_a_widget_that_was_never_drawn_keeps_its_name(page: Page) -> None:
    fresh = Page()
    with fresh.values() as values:
        values["a"] = 2
        assert values.value("a") == {"value": 2, "key": "a"}


def test_new_keys_before_they_are_drawn_do_not_look_like_entering(page: Page) -> None:
    """A callback sets every widget from outside; the run that follows asks whether the page was just opened."""
    with page.values() as values:
        values.update(dict.fromkeys(NAMES, 1))
    assert not page.look()[2]


STEPS = st.one_of(
    st.tuples(st.just("choose"), st.sampled_from(NAMES), VALUES),
    st.tuples(st.just("set"), st.dictionaries(st.sampled_from(NAMES), VALUES), st.sampled_from([NAMES, ("a",), ("b", "c")])),
    st.tuples(st.just("leave"), st.none(), st.none()),
)


@given(st.lists(STEPS, max_size=12))
def test_what_was_chosen_last_is_what_is_shown(steps: list[tuple[str, Any, Any]]) -> None:
    page, expected = Page(), dict.fromkeys(NAMES, 0)
    page.run()
    for kind, first, second in steps:
        if kind == "choose":
            if first in page.shown:
                page.choose(first, second)
                expected[first] = second
            page.run(drawn=tuple(page.shown))
        elif kind == "set":
            expected |= first
            page.run(drawn=second, outside=first)
        else:
            page.leave()
            page.run()
        assert page.look()[1] == expected
        assert page.shown == {name: expected[name] for name in page.shown}


def test_after_its_last_step_the_widget_begins_anew_with_its_value(page: Page) -> None:
    page.choose("a", 2)
    with page.values() as values:
        values.renew("a")
        begun = values.value("a")
        assert begun == {"value": 2, "key": begun["key"]}
        assert begun["key"] not in NAMES


def test_a_step_of_an_animation_moves_the_widget_that_is_there(page: Page) -> None:
    with page.values() as values:
        values.move("a", 2)
        assert (page.state["a"], values["a"], values.value("a")) == (2, 2, {"key": "a"})
        assert values.value("a") == {"value": 2, "key": "a"}


def test_only_what_is_set_from_outside_counts_drawn_or_not() -> None:
    page = Page()
    page.run(("a",))
    with page.values() as values:
        assert values.times_set(("a", "b")) == 0
        values.update({"a": 1, "b": 2, "c": 1})
        values.update({"a": 1, "b": 1})
        assert values.times_set(("a", "b")) == 3
        assert values.times_set(("c",)) == 0
