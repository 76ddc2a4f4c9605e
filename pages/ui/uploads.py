"""What a visitor handed to a file uploader."""

from io import BytesIO

import streamlit as st


def uploaded(key: str) -> bytes | None:
    """The content of the uploader's file; None where there is none, or it was taken away while this run began."""
    file = st.session_state.get(key)  # of a file that is gone by now Streamlit keeps a value here that holds no content
    return file.getvalue() if isinstance(file, BytesIO) else None
