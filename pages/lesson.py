"""One lesson, a step at a time, or as a handout for paper."""

import streamlit as st

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from mlp_core.labs.lessons.lesson import Lesson
from pages.ui.lessons.catalog import lessons
from pages.ui.lessons.handout import handout, handout_controls
from pages.ui.lessons.progress import follow_link, lesson_link
from pages.ui.lessons.steps import lesson_controls, show_step
from pages.ui.link import link_to
from pages.ui.text import plain

STYLE = """<style>
[data-testid=stMainBlockContainer] { padding: 3.9rem 1.5rem 2rem; }
@media (max-width: 640px) { [data-testid=stMainBlockContainer] { padding: 3.9rem 1rem 2rem; } }
.st-key-beside_lesson > [data-testid=stLayoutWrapper] > .stHorizontalBlock > .stColumn:first-child > .stVerticalBlock { gap: .6rem; }
</style>"""

header = page_header("lesson", titled=False)
st.html(STYLE)
link = lesson_link()
link.show_errors()
lesson = lessons().get(link["name"])
if isinstance(lesson, Lesson):
    progress = follow_link(link, lesson)
    with header:
        st.title(lesson.title, anchor=False, width="content")
        if link["view"] == "handout":
            handout_controls(link)
        else:
            lesson_controls(link, lesson, progress)
    if link["view"] == "handout":
        handout(lesson, with_answers=link["answers"])
    else:
        show_step(link, lesson, progress)
else:
    header.title("Lesson", anchor=False)
    if lesson is None:
        st.error(f"There is no lesson {plain(link['name'])}." if link["name"] else "The address names no lesson.", icon=":material/error:")
    else:
        st.error(f"This lesson cannot be shown: {plain(lesson, 400)}", icon=":material/error:")
    link_to("lessons", "All lessons", {}, ":material/school:")
link.write()
