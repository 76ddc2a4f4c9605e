"""A row of experiments worth starting from, each with its lesson: sets fields of the link, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.ui.link import Field, LinkState

Presets = Mapping[str, tuple[dict[str, Any], str]]


def preset_row(link: LinkState, name: str, presets: Presets, fields: Sequence[Field], kept: Sequence[str] = ()) -> None:
    """The presets, one click each; the one that the controls are at is marked, and says what it shows.

    Args:
        presets: title -> (fields that differ from their defaults, lesson).
        fields: what a preset sets …
        kept: … but these, which do not make another experiment.
    """
    key = f"_generalization_{name}_preset"
    values = {
        title: {field.name: changed.get(field.name, field.default) for field in fields if field.name not in kept}
        for title, (changed, _) in presets.items()
    }
    here = next((title for title, wanted in values.items() if all(link[field] == value for field, value in wanted.items())), None)
    st.session_state[key] = here

    def take() -> None:
        for field, value in values.get(st.session_state[key], {}).items():
            link[field] = value

    st.pills("Start from", tuple(presets), key=key, on_change=take)
    if here is not None:
        st.caption(presets[here][1])
