"""The state of a page in its link: declared once, read from the address, kept through page switches, written back.

link = LinkState("distribution", (number("mean", 0.0, Bounds(-5, 5)), choice("bins", "60", ("30", "60"))))
link.show_errors()
st.slider("Mean", **link.value("mean"))                # limits, value and key
st.selectbox("Bins", **link.index("bins"))             # options, index and key
link["mean"]                                           # what the widget says, or would say if it were drawn
link["mean"] = 2.0                                     # from outside: by a preset, say
link.write()                                           # last: what is not at its default goes into the address
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from mlp_core.spec import Bounds, SpecError
from pages.ui.address import Address
from pages.ui.text import plain
from pages.ui.widget_values import WidgetValues


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a link can set. `read` turns its text into a value or raises `SpecError`; `write` is its inverse.

    `limits` are the arguments of its widget that say the same: `min_value`, `max_value` and `step`, `options`, or `max_chars`. A widget
    takes them from here, so that no link asks for what its widget cannot show.
    """

    name: str
    default: Any
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    limits: Mapping[str, Any] = field(default_factory=dict)


def number(name: str, default: float, bounds: Bounds, step: float | None = None) -> Field:
    """A number within bounds; `step` is that of its widget, which takes what lies between two steps too. Streamlit's own by default."""
    kind = int if bounds.whole else float
    return Field(name, kind(default), lambda text: bounds.read(name, text), _number_text, _ends(bounds, step))


def stop(name: str, default: float, stops: Sequence[float], which: str) -> Field:
    """One of a slider's stops; `which` they are, in words."""
    bounds = Bounds(min(stops), max(stops))

    def read(text: str) -> float:
        value = bounds.read(name, text)
        if value not in stops:
            raise SpecError(name, f"must be one of the slider's: {which}", text)
        return value

    return Field(name, default, read, _number_text, {"options": tuple(stops)})


def span(name: str, default: tuple[float, float], bounds: Bounds, step: float | None = None) -> Field:
    """Two numbers within bounds, the first below the second: `-8,8`."""

    def read(text: str) -> tuple[float, float]:
        parts = text.split(",")
        if len(parts) != 2:
            raise SpecError(name, "must be two numbers with a comma between them", text)
        low, high = (bounds.read(name, part) for part in parts)
        if low >= high:
            raise SpecError(name, "must begin below its end", text)
        return low, high

    return Field(name, default, read, lambda pair: ",".join(map(_number_text, pair)), _ends(bounds, step))


def choice(name: str, default: str, options: Sequence[str]) -> Field:
    """One of several names."""

    def read(text: str) -> str:
        if text not in options:
            raise SpecError(name, f"must be one of {', '.join(options)}", text)
        return text

    return Field(name, default, read, limits={"options": tuple(options)})


def choices(name: str, default: Sequence[str], options: Sequence[str]) -> Field:
    """Any of several names, none twice: `relu,tanh`; `none` for none of them."""

    def read(text: str) -> list[str]:
        names = [] if text == "none" else text.split(",")
        if len(set(names)) != len(names) or not set(names) <= set(options):
            raise SpecError(name, f"must be some of {', '.join(options)}, each once", text)
        return names

    return Field(name, list(default), read, lambda names: ",".join(names) or "none", {"options": tuple(options)})


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

    return Field(name, default, read, limits={"max_chars": longest})


@dataclass(slots=True)
class _Refused:
    """What was wrong with the last link, and the values at the end of the first run after it, None before that end."""

    errors: tuple[SpecError, ...] = ()
    at: dict[str, Any] | None = None


class LinkState(WidgetValues):
    """A page's fields, between its link, its widgets and the session. Make it first, call `write` last.

    Args:
        page: a name of its own for the page.
        fields: what the widgets set.
        parameters: what the link sets, where that is not one parameter a field.
        prefix: what the widgets' keys begin with; the page and a line by default.
    """

    def __init__(self, page: str, fields: Sequence[Field], *, parameters: Sequence[str] | None = None, prefix: str | None = None) -> None:
        self._fields = {field.name: field for field in fields}
        super().__init__(page, {field.name: field.default for field in fields}, f"{page}_" if prefix is None else prefix)
        name = f"_link_{page}"
        if name not in st.session_state:
            st.session_state[name] = _Refused()
        self._refused: _Refused = st.session_state[name]
        self._address = Address(page, tuple(self._fields) if parameters is None else parameters)
        if (query := self._address.arrived(entering=self.entering, chosen=self.query)) is not None:
            values, errors = self.read(query)
            self.update(values)
            self._refused.errors, self._refused.at = errors, None
            self._address.followed(query)

    @property
    def errors(self) -> tuple[SpecError, ...]:
        """What was wrong with the link, until the person at the page changes something."""
        return self._refused.errors

    def show_errors(self) -> None:
        """Say which part of the link is not used, and why."""
        for error in self.errors:
            instead = f"The default, {plain(self.default_text(error.field))}, stands in its place."
            st.warning(f"The link asks for something that cannot be: **{error.field}** {error.rule}, got {plain(error.value)}. {instead}")

    def read(self, query: Mapping[str, str]) -> tuple[dict[str, Any], tuple[SpecError, ...]]:
        """What a link sets every field to; one that is absent or breaks its rule takes its default, and is reported."""
        values, errors = {name: field.default for name, field in self._fields.items()}, []
        for name, known in self._fields.items():
            try:
                values[name] = known.read(query[name]) if name in query else known.default
            except SpecError as error:
                errors.append(SpecError(name, error.rule, error.value))  # a field may be read by the rule of another
        return values, tuple(errors)

    def query(self) -> dict[str, str] | None:
        """What is not at its default, as the address says it; None where that cannot be said."""
        return {name: field.write(self[name]) for name, field in self._fields.items() if self[name] != field.default}

    def default_text(self, parameter: str) -> object:
        """What stands in the place of a parameter that is refused."""
        field = self._fields[parameter]
        return field.write(field.default)

    def write(self) -> None:
        """Remember every value, and put those that are not at their default into the address."""
        self.keep()
        refused, values = self._refused, dict(self._kept.values)
        if refused.at is None:
            refused.at = values
        elif refused.at != values:
            refused.errors = ()
        if (query := self.query()) is not None:
            self._address.write(query)

    def value(self, name: str, **limits: Any) -> dict[str, Any]:
        """As of `WidgetValues`, with the field's own limits where no others are given."""
        return super().value(name, **{**self._fields[name].limits, **limits})

    def index(self, name: str, options: Sequence[Any] | None = None) -> dict[str, Any]:
        """As of `WidgetValues`, with the field's own options where no others are given."""
        return super().index(name, self._fields[name].limits["options"] if options is None else options)

    def default(self, name: str, options: Sequence[Any] | None = None) -> dict[str, Any]:
        """As of `WidgetValues`, with the field's own options where no others are given."""
        return super().default(name, self._fields[name].limits["options"] if options is None else options)


def link_to(page: str, label: str, query: Mapping[str, str], icon: str | None = None) -> bool:
    """Show a link to `pages/<page>.py` with its parameters; nothing, and False, while the app has no such page."""
    try:
        st.page_link(Path(__file__).parents[1] / f"{page}.py", label=label, icon=icon, query_params=dict(query))
    except StreamlitPageNotFoundError:
        return False
    return True


def _ends(bounds: Bounds, step: float | None) -> dict[str, float]:
    kind = int if bounds.whole else float
    ends = {"min_value": kind(bounds.low), "max_value": kind(bounds.high)}
    return ends if step is None else ends | {"step": kind(step)}


def _number_text(value: float) -> str:
    return f"{value:.10g}"
