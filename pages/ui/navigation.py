"""What stands around every page: frame, navigation, title. Imports nothing heavy: the first page needs no torch."""

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.pages_manager import PagesManager

from mlp_core.runtime.memory import keep_few_kernels, share_heaps

ROOT = Path(__file__).parents[2]

# file stem, which is also the address; title; icon
PAGES = (
    ("start", "Start here", ":material/home:"),
    ("train", "Train an MLP", ":material/play_circle:"),
    ("activations", "Activations", ":material/show_chart:"),
    ("stability", "Stability", ":material/stacked_line_chart:"),
    ("nonlinearity", "Nonlinearity", ":material/call_split:"),
    ("generalization", "Generalization", ":material/query_stats:"),
    ("tensors", "Tensors", ":material/grid_on:"),
)


def run_app() -> None:
    """Show the navigation and run the page that is open."""
    share_heaps()  # before the threads that would each get one of their own
    keep_few_kernels()  # before any page has multiplied
    st.set_page_config(page_title="MLP playground", page_icon=ROOT / "static" / "icon.svg", layout="wide")
    pages = [
        st.Page(ROOT / "pages" / f"{stem}.py", title=title, icon=icon, url_path=stem, default=stem == "start")
        for stem, title, icon in PAGES
    ]
    st.navigation(pages, position="top").run()


def page_header(title: str, introduction: str = "") -> DeltaGenerator:
    """Begin a page; returns the line of its title. To be called first on every page.

    Until some session has come through app.py, Streamlit takes a link to /train for its older kind of multipage app, in which
    pages/train.py stands alone. The page then runs the whole app, itself in it, and ends here.
    """
    if PagesManager.uses_pages_directory:
        run_app()
        st.stop()
    headline = st.container(horizontal=True, key="headline", vertical_alignment="center")
    headline.title(title)
    if introduction:
        st.markdown(introduction)
    return headline
