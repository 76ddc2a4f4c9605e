"""A row of settings worth starting from, each with its lesson."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import streamlit as st

from mlp_core.words import Message
from pages.language import _
from pages.ui.link import LinkState
from pages.ui.unbroken import unbroken
from pages.ui.widget_values import WidgetValues


class Preset(NamedTuple):
    """What it sets the page's widgets to, and what there is to see."""

    settings: Mapping[str, Any]
    lesson: str


def preset_row(
    values: LinkState,
    key: str,
    presets: Mapping[str, Preset],
    *,
    at: Callable[[str], bool] | None = None,
    label: str = Message("Start from"),
    title: Callable[[str], str] = str,
    caption: bool = True,
    **look: Any,
) -> str:
    """The presets, one click each; the one that the widgets are at is marked, and says what it shows. Returns what it says, if any.

    Those that would change what the page's link locks are not there; none where an experiment is shown on another page, which they would
    give away.

    Args:
        values: the widgets that are set.
        key: of the row.
        at: whether the widgets are at a preset; where it is not given, that each setting is equal.
        title: what a preset is called on the page.
        caption: whether what it says stands below the row.
        look: other arguments of `st.pills`.
    """
    presets = {name: preset for name, preset in presets.items() if values.may_take(preset.settings)}
    if not (presets and values.in_address):
        return ""
    at = at or (lambda preset: all(values[name] == value for name, value in presets[preset].settings.items()))
    row = WidgetValues(key, {key: None})
    row[key] = here = next(filter(at, presets), None)

    def take() -> None:
        if (chosen := row[key]) is not None:
            values.update(presets[chosen].settings)

    st.pills(_(label), format_func=lambda name: _(title(name)), on_change=unbroken(take), **row.default(key, tuple(presets)), **look)
    row.keep()
    lesson = _(presets[here].lesson) if here is not None else ""
    if lesson and caption:
        st.caption(lesson)
    return lesson
