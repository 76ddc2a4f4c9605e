"""A board of 28 × 28 pixels to draw on, by mouse or finger."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.ui.served_component import served_component
from pages.ui.unbroken import unbroken


def drawing_board(*, key: str, pixels: Sequence[int] | None, on_stroke: Callable[[object], None]) -> None:
    """Show the board.

    Args:
        pixels: the drawing that a board begins with, after a page switch, say; None for an empty one. A board that is already there
            keeps to its own: what is sent to it may be older than its last stroke.
        on_stroke: called with what the browser sent after a stroke, or an undo, or a clear: 784 integers, or whatever else somebody
            made of it.
    """

    def take() -> None:
        on_stroke((st.session_state.get(key) or {}).get("pixels"))

    data = {"pixels": pixels, "alt": "Your drawing, 28 by 28 pixels, bright on black"}
    served_component("drawing", "The drawing board")(key=key, data=data, on_pixels_change=unbroken(take))
