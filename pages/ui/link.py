"""The state of a page in its link: declared once, read from the address, kept through page switches, written back.

link = LinkState("distribution", (number("mean", 0.0, Bounds(-5, 5)), choice("bins", "60", ("30", "60"))))
link.show_errors()
st.slider("Mean", **link.value("mean"))                # limits, value and key
st.selectbox("Bins", **link.index("bins"))             # options, index and key
link["mean"]                                           # what the widget says, or would say if it were drawn
link["mean"] = 2.0                                     # from outside: by a preset, say
k = link.fitted("k", min(link["k"], most), "must be …")  # where one field bounds another: a link that asks for more is told
st.slider("k", **link.value("k", help="…"))            # help goes through here: a link that locks the widget says so in it
link.write()                                           # last: what is not at its default goes into the address
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitPageNotFoundError

from mlp_core.spec import Bounds, SpecError
from mlp_core.words import Message, counted, exactly, joined, listed
from pages.language import _
from pages.ui.address import Address
from pages.ui.begun_by_link import RUN, drop_run, heed_run
from pages.ui.navigation import PRESENT
from pages.ui.parameter_names import parameter_name
from pages.ui.text import plain, refused
from pages.ui.visitor_language import LANGUAGE, in_link
from pages.ui.widget_values import WidgetValues

LOCK, HIDE = "lock", "hide"  # parameters that are to stay as the link sets them, shown or not: `lock=lr,hidden`
EVERYWHERE = (PRESENT, LANGUAGE, LOCK, HIDE, RUN)  # parameters of the app; Streamlit keeps its own to itself
WHY_LOCKED = Message(":material/lock: Locked by the link that led here.")
NO_CLASS = re.compile(r"[^\w-]", re.ASCII)  # what Streamlit writes as - where a widget's key becomes a class of the browser's element
TEN_DIGITS = "%.10g"  # in a widget; its own format would show 1.2345 as 1.23
MOST_NAMED = 5  # parameters, of those that the page does not have


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a link can set. `read` turns its text into a value or raises `SpecError`; `write` is its inverse.

    `limits` are the arguments of its widget that say the same: `min_value`, `max_value`, `step` and `format`, `options`, or `max_chars`. A
    widget takes them from here, so that no link asks for what its widget cannot show.

    Args:
        between: whether its value may lie between two options, which are numbers then; in a slider it stands as one more.
    """

    name: str
    default: Any
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    limits: Mapping[str, Any] = field(default_factory=dict)
    between: bool = False


def number(name: str, default: float, bounds: Bounds, step: float | None = None) -> Field:
    """A number within bounds; `step` is that of its widget, which takes what lies between two steps too. Streamlit's own by default."""
    kind = int if bounds.whole else float
    return Field(name, kind(default), lambda text: bounds.read(name, text), number_text, _ends(bounds, step))


def stop(name: str, default: Any, stops: Sequence[Any], least: float | None = None) -> Field:
    """A number for a slider that has stops: any from the lowest to the highest of them. As texts, if these are.

    Args:
        least: the smallest number between two stops; one below it is a stop or nothing.
    """
    numbers, kind = {float(one): one for one in stops}, type(default)
    whole = all(str(one).isdecimal() for one in stops)
    bounds, between = (Bounds(low, max(numbers), whole) for low in (min(numbers), min(numbers) if least is None else least))
    apart = [exactly(one) for one in numbers if one < between.low]
    rule, low, high = between.rule, exactly(between.low), exactly(between.high)
    if apart and whole:
        rule = Message("must be {values} or a whole number from {low} to {high}", values=listed(apart, "or"), low=low, high=high)
    elif apart:
        rule = Message("must be {values} or a number from {low} to {high}", values=listed(apart, "or"), low=low, high=high)

    def read(text: str) -> Any:
        try:
            value = bounds.read(name, text)
            return numbers[value] if value in numbers else kind(number_text(between.check(name, value)))
        except SpecError as error:
            raise SpecError(name, rule, error.value) from error

    return Field(name, default, read, number_text, {"options": tuple(stops)}, between=True)


def span(name: str, default: tuple[float, float], bounds: Bounds, step: float | None = None) -> Field:
    """Two numbers within bounds, the first below the second: `-8,8`."""

    def read(text: str) -> tuple[float, float]:
        parts = text.split(",")
        if len(parts) != 2:
            raise SpecError(name, Message("must be two numbers with a comma between them"), text)
        low, high = (bounds.read(name, part) for part in parts)
        if low >= high:
            raise SpecError(name, Message("must begin below its end"), text)
        return low, high

    return Field(name, default, read, lambda pair: ",".join(map(number_text, pair)), _ends(bounds, step))


def choice(name: str, default: str, options: Sequence[str]) -> Field:
    """One of several names."""

    def read(text: str) -> str:
        if text not in options:
            raise SpecError(name, Message("must be one of {options}", options=", ".join(options)), text)
        return text

    return Field(name, default, read, limits={"options": tuple(options)})


def choices(name: str, default: Sequence[str], options: Sequence[str]) -> Field:
    """Any of several names, none twice: `relu,tanh`; `none` for none of them."""

    def read(text: str) -> list[str]:
        names = [] if text == "none" else text.split(",")
        if len(set(names)) != len(names) or not set(names) <= set(options):
            raise SpecError(name, Message("must be some of {options}, each once", options=", ".join(options)), text)
        return names

    return Field(name, list(default), read, lambda names: ",".join(names) or "none", {"options": tuple(options)})


def flag(name: str, default: bool) -> Field:
    """`yes` or `no`."""

    def read(text: str) -> bool:
        if text not in ("yes", "no"):
            raise SpecError(name, Message("must be yes or no"), text)
        return text == "yes"

    return Field(name, default, read, lambda value: "yes" if value else "no")


def text(name: str, default: str, longest: int) -> Field:
    """Any text up to a length."""

    def read(given: str) -> str:
        if len(given) > longest:
            given_length = counted(len(given), "{n} character", "{n} characters")
            raise SpecError(name, counted(longest, "must be at most {n} character", "must be at most {n} characters"), given_length)
        return given

    return Field(name, default, read, limits={"max_chars": longest})


@dataclass(slots=True)
class _Followed:
    """What the last link asked for, and what became of that.

    Args:
        asked: the values of the fields that it named, until they are `fitted`.
        beside: values that lie between two options.
        errors: what cannot be.
        instead: of the fields in `errors` that do not take their default, what they take.
        unknown: parameters that the page does not have; None until they were looked for.
        at: the values at the end of the first run after it, None before that end.
        query: all that it says, where it is not the page's address.
    """

    asked: dict[str, Any] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)
    errors: tuple[SpecError, ...] = ()
    instead: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] | None = None
    at: dict[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)


class LinkState(WidgetValues):
    """A page's fields, between its link, its widgets and the session. Make it first, call `write` last.

    Args:
        page: a name of its own for the page.
        fields: what the widgets set.
        parameters: what the link sets, where that is not one parameter a field.
        prefix: what the widgets' keys begin with; the page and a line by default.
        address: whether the link is the page's own address; where it is not, `follow` says what the link asks for, and none is written.
    """

    def __init__(
        self,
        page: str,
        fields: Sequence[Field],
        *,
        parameters: Sequence[str] | None = None,
        prefix: str | None = None,
        address: bool = True,
    ) -> None:
        self._fields = {field.name: field for field in fields}
        super().__init__(page, {field.name: field.default for field in fields}, f"{page}_" if prefix is None else prefix)
        name = f"_link_{page}"
        if name not in st.session_state:
            st.session_state[name] = _Followed()
        self._followed: _Followed = st.session_state[name]
        self._followed_name = name
        self._errors: DeltaGenerator | None = None  # where they are shown
        self._page, self._names = page, tuple(self._fields) if parameters is None else parameters
        self._address = Address(page, self._names) if address else None
        if self._address is not None and (query := self._address.arrived(entering=self.entering, chosen=self.query)) is not None:
            self.follow(query, self._address.repeated)
            self._address.followed(query)

    def follow(self, query: Mapping[str, str], repeated: Mapping[str, Sequence[str]] | None = None) -> None:
        """Set every field to what a link says, and remember what of it cannot be.

        Args:
            repeated: parameters that stand in it with more than one value, of which `query` has the last.
        """
        values, errors = self.read(query)
        refused = {error.field for error in errors}
        repeated = {name: texts for name, texts in (repeated or {}).items() if name not in refused}
        again = [SpecError(name, Message("must stand in a link once"), ", ".join(texts)) for name, texts in repeated.items()]
        super().update(values)
        self._followed = st.session_state[self._followed_name] = _Followed(
            asked={one: values[one] for one in query if one in values and one not in refused},
            beside={
                one: values[one] for one, known in self._fields.items() if known.between and values[one] not in known.limits["options"]
            },
            errors=(*errors, *again),
            instead={one: query[one] for one in repeated},
            query=query,
        )

    @property
    def in_address(self) -> bool:
        """Whether it is the page's own address: then this is the page, and not an experiment that is shown on another."""
        return self._address is not None

    @property
    def fixed(self) -> frozenset[str]:
        """The fields that stay as the link sets them, locked or hidden: neither a hand nor a preset changes them."""
        return frozenset(self.fields_of(LOCK) + self.fields_of(HIDE))

    def fields_of(self, restriction: str) -> list[str]:
        """The fields that `LOCK` or `HIDE` names."""
        return [name for parameter in self.listed(restriction) if parameter in self._names for name in self.widgets(parameter)]

    def listed(self, restriction: str) -> list[str]:
        """The parameters that `LOCK` or `HIDE` names, the page's or not, each once."""
        texts = st.query_params.get_all(restriction) if self.in_address else [self._followed.query.get(restriction, "")]
        return list(dict.fromkeys(filter(None, ",".join(texts).split(","))))

    def widgets(self, parameter: str) -> Sequence[str]:
        """The fields that a parameter sets."""
        return (parameter,)

    @property
    def errors(self) -> tuple[SpecError, ...]:
        """What was wrong with the link, until the person at the page changes something."""
        return self._followed.errors

    def show_errors(self, *others: "LinkState") -> None:
        """Say which part of the link is not used, and why.

        Args:
            others: what else of the page is in its link.
        """
        self._errors = st.container()
        with self._errors:
            if self.in_address:
                self._find_unknown(known := [name for link in (self, *others) for name in link._names])
                broken = bool(self._followed.unknown) or any(link.errors for link in (self, *others))
                if (text := heed_run(self._page, sound=not broken)) is not None:
                    self._followed.unknown = (*(self._followed.unknown or ()), f"{RUN}={text}")
                self._say_unknown()
                if locked := [parameter_name(name) for name in self.listed(LOCK) if name in known]:
                    words = Message(
                        "The link locks: {parameters}. To set these too, go to another page and come back by the menu.",
                        parameters=listed(locked),
                    )
                    st.caption(f":material/lock: {_(words)}")
            for link in (self, *others):
                link._hide()
            for link in (self, *others):
                for error in link.errors:
                    link._say(error)

    def _find_unknown(self, known: Sequence[str]) -> None:
        followed = self._followed
        if followed.unknown is None:
            unknown = [name for name in st.query_params if name not in known and name not in EVERYWHERE]
            unknown += [f"{restriction}={name}" for restriction in (LOCK, HIDE) for name in self.listed(restriction) if name not in known]
            followed.unknown = tuple(unknown)

    def _say_unknown(self) -> None:
        followed = self._followed
        if followed.unknown:
            named, more = listed([plain(name, 40) for name in followed.unknown[:MOST_NAMED]]), len(followed.unknown) - MOST_NAMED
            if more > 0:
                named = Message("{parameters} and {number} more", parameters=named, number=more)
            st.warning(_("The link sets what this page does not have, which changes nothing: {parameters}.", parameters=named))

    def _hide(self) -> None:
        """Have the browser show nothing of the widgets that the link hides, whatever their version."""
        if keys := [f"st-key-{NO_CLASS.sub('-', self._prefix + name)}" for name in self.fields_of(HIDE)]:
            st.html(f"<style>{', '.join(f'.{key}, [class*={key}-]' for key in keys)} {{ display: none; }}</style>")

    def _say(self, error: SpecError) -> None:
        name, default = error.field, self.default_text(error.field)
        text = self._followed.instead.get(name, default)
        instead = Message("It is left out.")
        if text != "" and text == default:
            instead = Message("The default, {value}, stands in its place.", value=plain(text))
        elif text != "":
            instead = Message("{value} stands in its place.", value=plain(text))
        wrong = Message("The link asks for something that cannot be: {error}.", error=refused(error))
        st.warning(_(joined(wrong, instead)))

    def fitted(self, name: str, value: Any, rule: str) -> Any:
        """`value`, which is a field's own where the rest of the page allows that; a link that asks for another is told what it breaks.

        Said once: from then on it is the person at the page who changes what the field depends on.

        Args:
            rule: "must be …".
        """
        followed, now = self._followed, self[name]
        asked = followed.asked.pop(name, None)
        if asked is not None and asked == now != value:
            write = self._fields[name].write
            error = SpecError(name, rule, write(now))
            followed.errors, followed.at = (*followed.errors, error), None
            drop_run()
            followed.instead[name] = write(value)
            if self._errors is not None:
                with self._errors:
                    self._say(error)
        return value

    def fit(self, name: str, value: Any, rule: str) -> None:
        """Set a field to what is `fitted`, also one that is locked."""
        super().update({name: self.fitted(name, value, rule)})

    def update(self, values: Mapping[str, Any]) -> None:
        """As of `WidgetValues`, but what the link locks or hides stays as it is."""
        fixed = self.fixed
        super().update({name: value for name, value in values.items() if name not in fixed})

    def may_take(self, values: Mapping[str, Any]) -> bool:
        """Whether to set these would leave all that the link locks or hides as it is."""
        return all(self[name] == values[name] for name in self.fixed if name in values)

    def read(self, query: Mapping[str, str]) -> tuple[dict[str, Any], tuple[SpecError, ...]]:
        """What a link sets every field to; one that is absent or breaks its rule takes its default, and is reported."""
        return read_link(tuple(self._fields.values()), query)

    def query(self) -> dict[str, str] | None:
        """What is not at its default, as the address says it; None where that cannot be said."""
        return write_link(tuple(self._fields.values()), self)

    def default_text(self, parameter: str) -> object:
        """What stands in the place of a parameter that is refused."""
        field = self._fields[parameter]
        return field.write(field.default)

    def write(self) -> None:
        """Remember every value, and put those that are not at their default into the address."""
        self.keep()
        followed, values = self._followed, dict(self._kept.values)
        if followed.at is None:
            followed.at = values
        elif followed.at != values:
            followed.errors, followed.unknown = (), ()
        if self._address is not None and (query := self.query()) is not None:
            self._address.write(query)

    def value(self, name: str, **limits: Any) -> dict[str, Any]:
        """As of `WidgetValues`, with the field's own limits where no others are given."""
        own = self._fields[name].limits
        if own.get("format") == TEN_DIGITS and isinstance(self[name], float):
            own = {**own, "format": f"%.{max(10, _digits(self[name]))}g"}
        options = {"options": self.options(name)} if "options" in own else {}
        return super().value(name, **{**own, **options, **self._restricted(name, limits)})

    def index(self, name: str, options: Sequence[Any] | None = None, **look: Any) -> dict[str, Any]:
        """As of `WidgetValues`, with the field's own options where no others are given."""
        return super().index(name, self.options(name) if options is None else options, **self._restricted(name, look))

    def default(self, name: str, options: Sequence[Any] | None = None, **look: Any) -> dict[str, Any]:
        """As of `WidgetValues`, with the field's own options where no others are given."""
        return super().default(name, self.options(name) if options is None else options, **self._restricted(name, look))

    def _restricted(self, name: str, look: dict[str, Any]) -> dict[str, Any]:
        """A widget's arguments, of which `help` and `disabled` say whether it is locked."""
        if name not in self.fixed:
            return look
        return look | {"disabled": True, "help": _(joined(WHY_LOCKED, look.get("help", "")))}

    def options(self, name: str) -> tuple[Any, ...]:
        """A field's options, and the value that the last link set it to between two of them."""
        options: tuple[Any, ...] = self._fields[name].limits["options"]
        if name not in self._followed.beside:
            return options
        return tuple(sorted((*options, self._followed.beside[name]), key=float, reverse=float(options[0]) > float(options[-1])))


def read_link(fields: Sequence[Field], query: Mapping[str, str]) -> tuple[dict[str, Any], tuple[SpecError, ...]]:
    """What a link sets every field to; one that is absent or breaks its rule takes its default, and is reported."""
    values, errors = {known.name: known.default for known in fields}, []
    for known in fields:
        try:
            values[known.name] = known.read(query[known.name]) if known.name in query else known.default
        except SpecError as error:
            errors.append(SpecError(known.name, error.rule, error.value))  # a field may be read by the rule of another
    return values, tuple(errors)


def write_link(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, str]:
    """What a link says of these values: those that are not at their default."""
    return {known.name: known.write(values[known.name]) for known in fields if values[known.name] != known.default}


def link_to(page: str, label: str, query: Mapping[str, str], icon: str | None = None) -> bool:
    """Show a link to `pages/<page>.py` with its parameters; nothing, and False, while the app has no such page."""
    try:
        st.page_link(Path(__file__).parents[1] / f"{page}.py", label=label, icon=icon, query_params={**query, **in_link()})
    except StreamlitPageNotFoundError:
        return False
    return True


def _ends(bounds: Bounds, step: float | None) -> dict[str, Any]:
    kind = int if bounds.whole else float
    ends = {"min_value": kind(bounds.low), "max_value": kind(bounds.high)}
    return ends | ({} if step is None else {"step": kind(step)}) | ({} if bounds.whole else {"format": TEN_DIGITS})


def _digits(value: float) -> int:
    """How many significant digits the shortest text has that is read as this number again."""
    return len(Decimal(repr(value)).normalize().as_tuple().digits)


def number_text(value: float | str) -> str:
    """The shortest text that is read as this number again: `1`, `0.1`, `1e-05`."""
    return repr(float(value)).removesuffix(".0") if isinstance(value, float) else str(value)
