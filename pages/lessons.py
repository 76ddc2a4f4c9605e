"""All lessons, in the order of the book."""

from itertools import cycle

import streamlit as st

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from mlp_core.labs.lessons.lesson import Lesson
from mlp_core.words import Message, counted
from pages.language import _
from pages.ui.lessons.catalog import lessons
from pages.ui.lessons.class_panels import join_form
from pages.ui.lessons.progress import progress_in
from pages.ui.lessons.results import parted
from pages.ui.link import link_to
from pages.ui.text import plain, refused

page_header("lessons")
st.markdown(_("Each step asks what will happen. **Bet, run it, and compare**: every outcome is measured on the spot."))
join_form()
found = lessons()
for name, column in zip(found, cycle(st.columns(2)), strict=False):
    lesson = found[name]
    if not isinstance(lesson, Lesson):
        column.error(_("**{lesson}** cannot be shown: {why}", lesson=plain(name), why=refused(lesson)), icon=":material/error:")
        continue
    with column.container(border=True, key=f"card_of_lesson_{name}"):
        progress, count = progress_in(lesson), len(lesson.steps)
        started = bool(progress.bets or progress.ran or progress.at > 1)
        at = {"step": str(progress.at)} if progress.at > 1 else {}
        link_to("lesson", f"**{_(lesson.title)}**", {"name": name} | at, ":material/arrow_forward:")
        st.markdown(_(lesson.summary))
        minutes, needs = counted(lesson.minutes, "{n} minute", "{n} minutes"), Message(lesson.needs)
        if started:
            st.caption(
                _("{minutes}, at step {number} of {count}. Needs: {needs}", minutes=minutes, number=progress.at, count=count, needs=needs)
            )
        else:
            st.caption(_("{minutes}, {steps}. Needs: {needs}", minutes=minutes, steps=counted(count, "{n} step", "{n} steps"), needs=needs))
        english, chinese = parted(lesson.sections), parted(lesson.sections_zh)
        st.caption(_("d2l {english}  \n《动手学深度学习》 {chinese}", english=english, chinese=chinese))
