"""All lessons, in the order of the book."""

from itertools import cycle

import streamlit as st

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from mlp_core.labs.lessons.lesson import Lesson
from pages.ui.lessons.catalog import lessons
from pages.ui.lessons.class_panels import join_form
from pages.ui.lessons.progress import progress_in
from pages.ui.link import link_to
from pages.ui.text import plain

page_header("lessons")
st.markdown("Each step asks what will happen. **Bet, run it, and compare**: every outcome is measured on the spot.")
join_form()
found = lessons()
for name, column in zip(found, cycle(st.columns(2)), strict=False):
    lesson = found[name]
    if not isinstance(lesson, Lesson):
        column.error(f"**{plain(name)}** cannot be shown: {plain(lesson, 400)}", icon=":material/error:")
        continue
    with column.container(border=True, key=f"card_of_lesson_{name}"):
        progress, count = progress_in(lesson), len(lesson.steps)
        started = bool(progress.bets or progress.ran or progress.at > 1)
        at = {"step": str(progress.at)} if progress.at > 1 else {}
        link_to("lesson", f"**{lesson.title}**", {"name": name} | at, ":material/arrow_forward:")
        st.markdown(lesson.summary)
        steps = f"at step {progress.at} of {count}" if started else f"{count} step{'s' if count > 1 else ''}"
        st.caption(f"{lesson.minutes} minutes, {steps}. Needs: {lesson.needs}")
        st.caption(f"d2l {'; '.join(lesson.sections)}  \n《动手学深度学习》 {'; '.join(lesson.sections_zh)}")
