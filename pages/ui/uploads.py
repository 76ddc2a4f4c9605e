"""What a visitor handed to a file uploader."""

from io import BytesIO
from typing import NamedTuple

import streamlit as st


def uploaded(key: str) -> bytes | None:
    """The content of the uploader's file; None where there is none, or it was taken away while this run began."""
    file = st.session_state.get(key)  # of a file that is gone by now Streamlit keeps a value here that holds no content
    return file.getvalue() if isinstance(file, BytesIO) else None


class NamedFile(NamedTuple):
    """A file as it came: its name is its visitor's own text, and no path here."""

    name: str
    content: bytes


def all_uploaded(key: str) -> list[NamedFile]:
    """The files of an uploader that takes several, as far as they are there."""
    files = st.session_state.get(key) or []
    return [NamedFile(str(getattr(file, "name", "")), file.getvalue()) for file in files if isinstance(file, BytesIO)]
