"""The state of a page in its link: declared once, read from the address, kept through page switches, written back. Knows no page.

link = LinkState("distribution", (number("mean", 0.0, Bounds(-5, 5)), choice("bins", "60", ("30", "60"))))
link.show_errors()
st.slider("Mean", -5.0, 5.0, key=link.key("mean"))     # no value= : the link gives it
link["mean"]                                           # what the widget says, or would say if it were drawn
link.write()                                           # last: what is not at its default goes into the address
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from mlp_core.spec import Bounds, SpecError
from pages.ui.address import Address
from pages.ui.text import plain


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a link can set. `read` turns its text into a value or raises `SpecError`; `write` is its inverse."""

    name: str
    default: Any
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def number(name: str, default: float, bounds: Bounds) -> Field:
    """A number within bounds."""
    return Field(name, default, lambda text: bounds.read(name, text), _number_text)


def span(name: str, default: tuple[float, float], bounds: Bounds) -> Field:
    """Two numbers within bounds, the first below the second: `-8,8`."""

    def read(text: str) -> tuple[float, float]:
        parts = text.split(",")
        if len(parts) != 2:
            raise SpecError(name, "must be two numbers with a comma between them", text)
        low, high = (bounds.read(name, part) for part in parts)
        if low >= high:
            raise SpecError(name, "must begin below its end", text)
        return low, high

    return Field(name, default, read, lambda pair: ",".join(map(_number_text, pair)))


def choice(name: str, default: str, options: Sequence[str]) -> Field:
    """One of several names."""

    def read(text: str) -> str:
        if text not in options:
            raise SpecError(name, f"must be one of {', '.join(options)}", text)
        return text

    return Field(name, default, read)


def choices(name: str, default: Sequence[str], options: Sequence[str]) -> Field:
    """Any of several names, none twice: `relu,tanh`; `none` for none of them."""

    def read(text: str) -> list[str]:
        names = [] if text == "none" else text.split(",")
        if len(set(names)) != len(names) or not set(names) <= set(options):
            raise SpecError(name, f"must be some of {', '.join(options)}, each once", text)
        return names

    return Field(name, list(default), read, lambda names: ",".join(names) or "none")


def flag(name: str, default: bool) -> Field:
    """`yes` or `no`."""

    def read(text: str) -> bool:
        if text not in ("yes", "no"):
            raise SpecError(name, "must be yes or no", text)
        return text == "yes"

    return Field(name, default, read, lambda value: "yes" if value else "no")


def text(name: str, default: str, longest: int) -> Field:
    """Any text up to a length."""

    def read(given: str) -> str:
        if len(given) > longest:
            raise SpecError(name, f"must be at most {longest} characters", f"{len(given):,} characters")
        return given

    return Field(name, default, read)


@dataclass(slots=True)
class _Record:
    """What the session remembers of a page: its values, and what was wrong with the link that led there."""

    values: dict[str, Any]
    shapes: dict[str, tuple[object, ...]] = field(default_factory=dict)
    errors: tuple[SpecError, ...] = ()
    said: dict[str, Any] = field(default_factory=dict)  # what a run gave to a widget, until a run has come to its end


class LinkState:
    """A page's fields, between its link, its widgets and the session. Make it first, call `write` last.

    Args:
        page: a name of its own for the page; the widgets' keys begin with it.
        fields: what the link can set.
    """

    def __init__(self, page: str, fields: Sequence[Field]) -> None:
        self._page, self._fields = page, {field.name: field for field in fields}
        name = f"_link_{page}"
        if name not in st.session_state:
            st.session_state[name] = _Record({field.name: field.default for field in fields})
        self._record: _Record = st.session_state[name]
        # The message that gives a widget its value is dropped with a run that a click cuts short: then it has to be said again. Only
        # then: a value said to a slider under the hand takes it back to where it was a moment ago.
        self._unheard = {name for name, value in self._record.said.items() if self[name] == value}
        self._address = Address(page, tuple(self._fields))
        entering = not any(self._key(name) in st.session_state for name in self._fields)
        if (query := self._address.arrived(entering=entering, chosen=self._query())) is not None:
            self._follow(query)
            self._address.followed(query)

    @property
    def errors(self) -> tuple[SpecError, ...]:
        """What was wrong with the link, until the person at the page changes something."""
        return self._record.errors

    def show_errors(self) -> None:
        """Say which part of the link is not used, and why."""
        for error in self.errors:
            default = self._fields[error.field]
            instead = f"The default, {plain(default.write(default.default))}, stands in its place."
            st.warning(f"The link asks for something that cannot be: **{error.field}** {error.rule}, got {plain(error.value)}. {instead}")

    def key(self, name: str, *shape: object) -> str:
        """The key of a field's widget. To be called where the widget is drawn: a widget that begins takes its value from here.

        Args:
            name: the field's.
            shape: bounds and step of a slider for which they change: Streamlit builds such a slider anew and forgets its value.
        """
        key = self._key(name)
        if key not in st.session_state or name in self._unheard or self._record.shapes.get(name, shape) != shape:
            st.session_state[key] = self._record.said[name] = self[name]
        self._record.shapes[name] = shape
        return key

    def __getitem__(self, name: str) -> Any:
        return st.session_state.get(self._key(name), self._record.values[name])

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a field whose widget has not been drawn yet in this run."""
        if value == self[name]:
            return  # setting a widget to what it shows would still move a slider back under the hand that drags it
        self._record.values[name] = value
        if self._key(name) in st.session_state:
            st.session_state[self._key(name)] = self._record.said[name] = value

    def write(self) -> None:
        """Remember every value, and put those that are not at their default into the address."""
        record, values = self._record, {name: self[name] for name in self._fields}
        if values != record.values:
            record.values, record.errors = values, ()
        record.said.clear()
        self._address.write(self._query())

    def _key(self, name: str) -> str:
        return f"{self._page}_{name}"

    def _query(self) -> dict[str, str]:
        """What is not at its default, as the address says it."""
        return {name: field.write(self[name]) for name, field in self._fields.items() if self[name] != field.default}

    def _follow(self, query: Mapping[str, str]) -> None:
        """Take every field from the link; one that is absent or breaks its rule goes to its default."""
        errors = []
        for name, known in self._fields.items():
            value = known.default
            try:
                value = known.read(query[name]) if name in query else known.default
            except SpecError as error:
                errors.append(error)
            self[name] = value
        self._record.errors = tuple(errors)


def link_to(page: str, label: str, query: Mapping[str, str], icon: str | None = None) -> bool:
    """Show a link to `pages/<page>.py` with its parameters; nothing, and False, while the app has no such page."""
    try:
        st.page_link(Path(__file__).parents[1] / f"{page}.py", label=label, icon=icon, query_params=dict(query))
    except StreamlitPageNotFoundError:
        return False
    return True


def _number_text(value: float) -> str:
    return f"{value:.10g}"
