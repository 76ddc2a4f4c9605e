"""The values of a page's widgets by name: what each begins with, what it says now, and how it is set from outside.

A value put into `st.session_state` reaches the browser with one message. A click that interrupts the run at that moment drops the message;
the browser then still shows the old value and sends it back with its next click. A widget that begins with its value cannot lose it: so a
value set from outside is kept here, and its widget gets a new key. So does every widget when the language changes: a choice is sent back by
its words, and those of the language before would say nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.language import current


@dataclass(slots=True)
class _Kept:
    """What the session remembers of a page's widgets.

    Args:
        values: what each begins with, or had at the end of the last run.
        versions: of each that was ever drawn or asked after, how often it was set from outside since.
        drawn: the keys of the widgets that the last run drew.
        language: in which it drew them.
    """

    values: dict[str, Any]
    versions: dict[str, int] = field(default_factory=dict)
    drawn: frozenset[str] = frozenset()
    language: str = ""


class WidgetValues(Mapping[str, Any]):
    """The values of a page's widgets, drawn or not.

        panel = WidgetValues("inside", {"own": False})
        st.toggle("Own scale", **panel.value("own"))  # begins with its value, and has its key
        panel["own"]                                  # what the widget says, or would say if it were drawn
        panel["own"] = True                           # from outside: in the next run, if the widget is drawn already
        panel.keep()                                  # last: a widget that is not drawn for a while comes back as it was

    Args:
        page: a name of its own for the page, or for a part of it.
        defaults: what the widgets begin with.
        prefix: what the widgets' keys begin with.
        lasting: whether widgets that were not drawn for a while come back as they were; else they begin anew.
    """

    def __init__(self, page: str, defaults: Mapping[str, Any], prefix: str = "", *, lasting: bool = True) -> None:
        self._prefix = prefix
        name = f"_values_{page}"
        if name not in st.session_state:
            st.session_state[name] = _Kept({})
        self._kept: _Kept = st.session_state[name]
        self._kept.values = {**defaults, **self._kept.values} if lasting or not self.entering else dict(defaults)
        self.shown: list[str] = []  # names of the widgets that were drawn with these values since
        self._moved: set[str] = set()  # keys of widgets that have their value already
        if (language := current().short) != self._kept.language:
            for known in self._kept.versions:
                self.renew(known)
            self._kept.language = language

    def key(self, name: str) -> str:
        """The key of a widget that is about to be drawn."""
        self._kept.versions.setdefault(name, 0)
        self.shown.append(name)
        return self._key(name)

    def value(self, name: str, **limits: Any) -> dict[str, Any]:
        """The arguments of `st.slider`, `st.number_input`, `st.toggle`, `st.text_input` and the like: `value` and `key`.

        Args:
            limits: others that the widget takes, such as `min_value`.
        """
        if (key := self.key(name)) in self._moved:
            self._moved.remove(key)
            return limits | {"key": key}
        return limits | {"value": self[name], "key": key}

    def index(self, name: str, options: Sequence[Any], **look: Any) -> dict[str, Any]:
        """The arguments of `st.selectbox` and `st.radio`: `options`, `index` and `key`, and others as they are given."""
        index = None if self[name] is None else list(options).index(self[name])
        return look | {"options": options, "index": index, "key": self.key(name)}

    def default(self, name: str, options: Sequence[Any], **look: Any) -> dict[str, Any]:
        """The arguments of `st.pills`, `st.segmented_control` and `st.multiselect`: `options`, `default` and `key`, and others."""
        return look | {"options": options, "default": self[name], "key": self.key(name)}

    def update(self, values: Mapping[str, Any]) -> None:
        """Set widgets from outside. One that has its value already stays, for the hand that may be moving it."""
        changed = {name: value for name, value in values.items() if value != self[name]}
        for name, value in changed.items():  # reading may be cut short by a click, this not
            if name in self._kept.versions:
                self._kept.versions[name] += 1
            self._kept.values[name] = value

    def may_take(self, values: Mapping[str, Any]) -> bool:
        """Whether `update` would set them all."""
        return True

    def times_set(self, names: Iterable[str]) -> int:
        """How often any of these widgets was set from outside since this was first asked, or since it was drawn."""
        return sum(self._kept.versions.setdefault(name, 0) for name in names)

    def renew(self, name: str) -> None:
        """Have a widget that was drawn begin anew with the value that it has."""
        self._kept.values[name] = self[name]
        self._kept.versions[name] += 1

    def move(self, name: str, value: Any) -> None:
        """Set a slider that is about to be drawn in place, as an animation does: should the message be lost, the next step mends it.

        After the last step comes `renew`.
        """
        if (key := self._key(name)) in st.session_state:
            st.session_state[key] = value
            self._moved.add(key)
        self._kept.values[name] = value

    def keep(self) -> None:
        """Remember every widget's value."""
        self._kept.values.update((name, self[name]) for name in self._kept.versions)
        self._kept.drawn = frozenset(key for name in self._kept.versions if (key := self._key(name)) in st.session_state)

    @property
    def entering(self) -> bool:
        """Whether the page was just opened, for the first time or again: Streamlit forgets the widgets of a page that is left."""
        return not any(key in st.session_state for key in self._kept.drawn)

    def __getitem__(self, name: str) -> Any:
        value = self._kept.values[name]
        return st.session_state.get(self._key(name), value) if name in self._kept.versions else value

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept.values)

    def __len__(self) -> int:
        return len(self._kept.values)

    def _key(self, name: str) -> str:
        version = self._kept.versions.get(name, 0)
        return f"{self._prefix}{name}.{version}" if version else f"{self._prefix}{name}"
