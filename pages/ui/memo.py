"""Keep the last value of something that is dear to build, one a name and session; in another language it is built anew, for its words."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

import streamlit as st

from pages.language import current

Value = TypeVar("Value")


def remembered(name: str, key: Hashable) -> Any:
    """The value that was built for `key`, if it is the last one; else None."""
    kept = st.session_state.get(f"_memo_{name}")
    return kept[1] if kept is not None and kept[0] == (key, current().short) else None


def forget(name: str) -> None:
    """Have it built anew."""
    st.session_state.pop(f"_memo_{name}", None)


def memo(name: str, key: Hashable, build: Callable[[], Value]) -> Value:
    """The value built for `key`; built anew, in the place of the old one, when the key has changed."""
    kept = st.session_state.get(f"_memo_{name}")
    said_for = key, current().short
    if kept is None or kept[0] != said_for:
        kept = st.session_state[f"_memo_{name}"] = (said_for, build())
    return cast(Value, kept[1])
