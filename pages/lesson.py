"""One lesson, a step at a time, or as a handout for paper."""

import streamlit as st

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from mlp_core.labs.lessons.lesson import Lesson
from pages.language import _
from pages.ui import session
from pages.ui.lessons.catalog import lessons
from pages.ui.lessons.class_panels import join_form, teach_button
from pages.ui.lessons.classes import arrive
from pages.ui.lessons.handout import handout, handout_controls
from pages.ui.lessons.progress import follow_class, follow_link, lesson_link
from pages.ui.lessons.steps import lesson_controls, show_step
from pages.ui.link import link_to
from pages.ui.run.kept_in_browser import bring_back, memory_of_tab
from pages.ui.text import plain, refused

STYLE = """<style>
[data-testid=stMainBlockContainer] { padding: 3.9rem 1.5rem 2rem; }
@media (max-width: 640px) { [data-testid=stMainBlockContainer] { padding: 3.9rem 1rem 2rem; } }
.st-key-beside_lesson > [data-testid=stLayoutWrapper] > .stHorizontalBlock > .stColumn:first-child > .stVerticalBlock { gap: .6rem; }
</style>"""

header = page_header("lesson", titled=False)
st.html(STYLE)
link = lesson_link()
link.show_errors()
member = arrive(link)
if member is not None:
    link["name"] = member.view.classroom.lesson
lesson = lessons().get(link["name"])
if isinstance(lesson, Lesson):
    if member is not None:
        lesson = member.own(lesson)
    progress = follow_link(link, lesson)
    if member is not None:
        follow_class(member, lesson, progress)
    with header:
        st.title(_(lesson.title), anchor=False, width="content")
        if link["view"] == "handout":
            handout_controls(link)
        else:
            lesson_controls(link, lesson, progress, member)
            if member is None:
                teach_button(link, lesson)
    if link["view"] == "handout":
        handout(lesson, with_answers=link["answers"])
    else:
        show_step(link, lesson, progress, member)
else:
    header.title(_("Lesson"), anchor=False)
    if not link["name"] and link["class"]:
        join_form()
    elif lesson is None:
        gone = _("There is no lesson {lesson}.", lesson=plain(link["name"])) if link["name"] else _("The address names no lesson.")
        st.error(gone, icon=":material/error:")
    else:
        st.error(_("This lesson cannot be shown: {why}", why=refused(lesson)), icon=":material/error:")
    link_to("lessons", _("All lessons"), {}, ":material/school:")
link.write()
session.identify_tab(memory_of_tab(), bring_back, browser=True)  # last: its answer brings a rerun that cuts short what is not drawn yet
