"""The other apps of this folder as pages of one, each at its own name: one server for all of them."""

from pathlib import Path

import streamlit as st

from tests.support.browser.driving import ROOT


def nothing() -> None:
    """What stands at `/`."""


apps = [path for path in sorted((ROOT / "tests" / "browser" / "apps").glob("*.py")) if path.name != Path(__file__).name]
st.navigation([st.Page(nothing, default=True), *(st.Page(path, url_path=path.stem) for path in apps)], position="hidden").run()
