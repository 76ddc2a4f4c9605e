"""What widgets begin with, and how to set them from outside without losing a value on the way. Knows no widget's meaning.

A value put into `st.session_state` reaches the browser with one message; if a click interrupts the run at that moment, the message is
dropped, the browser shows the widget's own default, and sends that back with the next click. A widget that begins with its value can
not lose it: so a value set from outside goes into a widget with a new key, which begins with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st


@dataclass(slots=True)
class _Kept:
    """Per widget: the value it begins with, or had when it was last drawn; and how often it was set from outside. And the keys of the
    widgets that were drawn last."""

    values: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    drawn: frozenset[str] = frozenset()


class Seeds(Mapping[str, Any]):
    """The values of a page's widgets by name, drawn or not.

    Draw a widget with `key=seeds.key(name)` and its beginning (`value=` or the like) from `seeds[name]`; call `keep` at the end of a
    run, so that a widget that is not drawn for a while comes back as it was.

    Args:
        page: a name of its own for the page.
    """

    def __init__(self, page: str) -> None:
        name = f"_seeds_{page}"
        if name not in st.session_state:
            st.session_state[name] = _Kept()
        self._kept: _Kept = st.session_state[name]

    def key(self, name: str) -> str:
        """The widget's key: its name, until it has been set from outside."""
        version = self._kept.versions.get(name, 0)
        return f"{name}.{version}" if version else name

    def plant(self, values: Mapping[str, Any]) -> None:
        """Set widgets from outside. A widget that already has the value is left as it is."""
        for name, value in values.items():
            if name in self._kept.values and self[name] != value:
                self._kept.versions[name] = self._kept.versions.get(name, 0) + 1
            self._kept.values[name] = value

    def keep(self) -> None:
        """Remember every widget's value."""
        self._kept.values.update({name: self[name] for name in self._kept.values})
        self._kept.drawn = frozenset(key for name in self._kept.values if (key := self.key(name)) in st.session_state)

    @property
    def entering(self) -> bool:
        """Whether the page was just opened, for the first time or again: Streamlit forgets the widgets of a page that is left."""
        return not any(key in st.session_state for key in self._kept.drawn)

    def __getitem__(self, name: str) -> Any:
        return st.session_state.get(self.key(name), self._kept.values[name])

    def __iter__(self) -> Any:
        return iter(self._kept.values)

    def __len__(self) -> int:
        return len(self._kept.values)
