"""Keep the last value of something that is dear to build, one a name and session; in another language it is built anew, for its words."""

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

import streamlit as st

from pages.language import current

Value = TypeVar("Value")


def memo(name: str, key: Hashable, build: Callable[[], Value]) -> Value:
    """The value built for `key`; built anew, in the place of the old one, when the key has changed."""
    kept = st.session_state.get(f"_memo_{name}")
    said_for = key, current().short
    if kept is None or kept[0] != said_for:
        kept = st.session_state[f"_memo_{name}"] = (said_for, build())
    return cast(Value, kept[1])
