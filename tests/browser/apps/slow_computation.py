"""A computation that takes longer than anybody waits."""

import time
from collections.abc import Generator

import streamlit as st

from pages.ui.computing import computed

PIECES = 100_000


def pieces() -> Generator[float, None, int]:
    for piece in range(PIECES):
        time.sleep(0.01)
        yield piece / PIECES
    return PIECES


computed("slow", "of this page", pieces, st.write, "Counting")
