"""What stands around every page: frame, navigation, title. Imports nothing heavy: the first page needs no torch."""

from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.pages_manager import PagesManager

from mlp_core.runtime.memory import keep_few_kernels, share_heaps
from mlp_core.runtime.threads import keep_to_one_thread
from mlp_core.words import Message
from pages.language import _, current
from pages.ui.disconnected import note_session
from pages.ui.unbroken import unbroken
from pages.ui.visitor_language import keep_in_address, language_switch

keep_to_one_thread()  # before anything is imported that multiplies, which a page does that Streamlit runs without app.py

ROOT = Path(__file__).parents[2]

# file stem, which is also the address; name, which is the same in the menu, on the page, on its card and in the tab; icon
PAGES = (
    ("start", Message("MLP playground"), ":material/home:"),
    ("train", Message("Train"), ":material/play_circle:"),
    ("sweep", Message("Sweep"), ":material/grid_view:"),
    ("activations", Message("Activations"), ":material/show_chart:"),
    ("stability", Message("Stability"), ":material/stacked_line_chart:"),
    ("nonlinearity", Message("Nonlinearity"), ":material/call_split:"),
    ("generalization", Message("Generalization"), ":material/query_stats:"),
    ("tensors", Message("Tensors"), ":material/grid_on:"),
    ("lessons", Message("Lessons"), ":material/school:"),
)
UNLISTED = (("lesson", Message("Lesson"), ":material/school:"),)  # not in the menu: links lead there
PRESENT, PRESENTING = "present", "_presenting"  # in the address; in the session
NARROW = "_narrow_window"  # in the session, once the browser has told
NAMES = {stem: name for stem, name, _ in PAGES}

SIDEBAR_PX = 280
NARROW_PX = 1100  # a window below this has room for a page or its sidebar: the sidebar starts collapsed
# Only the browser knows how wide its window is. Until it has told, a narrow one shows no sidebar, so that none goes away again; should it
# never tell, the animation ends. Below 768 px Streamlit collapses the sidebar by itself.
HIDDEN_AT_FIRST = f"""
@keyframes hidden-sidebar {{ from, to {{ min-width: 0; max-width: 0; visibility: hidden; }} }}
@media (min-width: 768px) and (max-width: {NARROW_PX - 0.02}px) {{ [data-testid=stSidebar] {{ animation: hidden-sidebar 10s; }} }}
"""


def run_app() -> None:
    """Show the navigation and run the page that is open."""
    share_heaps()  # before the threads that would each get one of their own
    keep_few_kernels()  # before any page has multiplied
    note_session()
    sidebar: Literal["collapsed"] | int = "collapsed" if st.session_state.get(NARROW) else SIDEBAR_PX
    # Before the menu: without an icon of its own, the browser would fetch the page's from another company's server.
    st.set_page_config(page_icon=ROOT / "static" / "icon.svg", layout="wide", initial_sidebar_state=sidebar)
    kept = f"_pages_{current().short}"
    if kept not in st.session_state:  # making them looks every file up
        st.session_state[kept] = [
            st.Page(
                ROOT / "pages" / f"{stem}.py", title=_(name), icon=icon, url_path=stem, default=stem == "start",
                visibility="visible" if stem in NAMES else "hidden",
            )
            for stem, name, icon in (*PAGES, *UNLISTED)
        ]  # fmt: skip
    page = st.navigation(st.session_state[kept], position="top")
    app = _(NAMES["start"])
    tab = page.title if page.title == app else f"{page.title} · {app}"
    st.set_page_config(page_title=tab)
    st.html(ROOT / "static" / "page.css")
    if NARROW not in st.session_state:
        st.html(f"<style>{HIDDEN_AT_FIRST}</style>")
    _top()
    keep_in_address()
    page.run()


def tell_of_window(narrow: bool) -> None:
    """Have the sidebar start collapsed in a narrow window, on every page."""
    st.session_state[NARROW] = narrow


def _top() -> None:
    """What stands in the top bar of every page: the switch to another language, and the way into presenter mode and out of it: large type
    for a lecture hall, on every page until it is left (static/presenting.css).

    Only the address that a session begins with leads into it: later ones may be those that the browser had before the last click.
    """
    if PRESENTING not in st.session_state:
        st.session_state[PRESENTING] = st.query_params.get(PRESENT) == "1"
    presenting = st.session_state[PRESENTING]
    if presenting != (PRESENT in st.query_params):
        if presenting:
            st.query_params[PRESENT] = "1"
        else:
            del st.query_params[PRESENT]
    if presenting:
        st.html(ROOT / "static" / "presenting.css")
    with st.container(horizontal=True, key=f"top_{st.context.theme.type or 'light'}_{'presenting' if presenting else 'working'}"):
        language_switch()
        label, icon = (_("Leave"), ":material/close_fullscreen:") if presenting else ("", ":material/slideshow:")
        help = _("Back to all controls.") if presenting else _("Present: large type, and no sidebar.")
        st.button(label, "present", help, icon=icon, type="tertiary", shortcut="P", on_click=unbroken(_present), args=(not presenting,))


def _present(wanted: bool) -> None:
    st.session_state[PRESENTING] = wanted


def page_header(stem: str, introduction: str | None = None, *, titled: bool = True) -> DeltaGenerator:
    """Begin a page. To be called first on every page.

    Until some session has come through app.py, Streamlit takes a link to /train for its older kind of multipage app, in which
    pages/train.py stands alone. The page then runs the whole app, itself in it, and ends here.

    Args:
        stem: of the page's file.
        introduction: what the page is about, a click on the question mark away from its name.
        titled: whether it bears its own name; the page of a lesson bears the lesson's.

    Returns:
        The row that holds the page's name, with room for what else belongs to the whole page.
    """
    if PagesManager.uses_pages_directory:
        run_app()
        st.stop()
    row = st.container(horizontal=True, vertical_alignment="center", key="headline")
    if titled:
        row.title(_(NAMES[stem]), anchor=False, help=introduction, width="content")
    return row
