"""A callback that takes a second, at any moment of which another click may come."""

from __future__ import annotations

import time

import streamlit as st

from pages.ui.unbroken import button


def climb() -> None:
    """Twenty steps, which are one more climb when all are done."""
    climbs = st.session_state.get("climbs", 0)
    for step in range(20):
        st.session_state["step"] = step
        time.sleep(0.05)
    st.session_state["climbs"] = climbs + 1


def count() -> None:
    st.session_state["counted"] = st.session_state.get("counted", 0) + 1


button("Climb", "climb", "hiking", climb)
button("Count", "count", "add", count)
st.text(f"climbs: {st.session_state.get('climbs', 0)}, counted: {st.session_state.get('counted', 0)}")
