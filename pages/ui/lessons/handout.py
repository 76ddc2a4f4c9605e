"""A lesson on paper: two pages with the questions, and on request what is answered and explained."""

from urllib.parse import urlencode

import streamlit as st

from mlp_core.labs.lessons.lesson import Lesson, Question
from mlp_core.words import Message, counted
from pages.language import _
from pages.ui.lessons.results import condition_text, kind_of, number_shown, parted, reference_text
from pages.ui.link import LinkState
from pages.ui.unbroken import button
from pages.ui.visitor_language import in_link

LINE = r"\_" * 18  # to write on


def handout_controls(link: LinkState) -> None:
    """The way back to the steps, and whether the answers are shown."""
    button(_("Back to the steps"), "lesson_steps", "arrow_back", link.update, {"view": "steps"})
    st.toggle(_("With answers"), **link.value("answers"))


def handout(lesson: Lesson, *, with_answers: bool) -> None:
    """The whole lesson, to be printed on two pages, each with about half of the text (see static/page.css)."""
    place, name = st.context.url, "handout_answers" if with_answers else "handout_questions"
    texts = [_step(lesson, number, with_answers=with_answers) for number in range(1, len(lesson.steps) + 1)]
    half = min(range(len(texts) + 1), key=lambda end: abs(sum(map(len, texts[:end])) - sum(map(len, texts[end:]))))
    with st.container(key=f"{name}_first"):
        minutes, needs = counted(lesson.minutes, "{n} minute", "{n} minutes"), Message(lesson.needs)
        english, chinese = parted(lesson.sections), parted(lesson.sections_zh)
        about = _("{minutes}. Needs: {needs}", minutes=minutes, needs=needs)
        book = _("d2l {english}; 《动手学深度学习》 {chinese}", english=english, chinese=chinese)
        address = f"{place}?{urlencode({'name': lesson.name} | in_link())}" if place else ""
        st.caption("  \n".join(filter(None, (about, book, address))))
        for text in texts[:half]:
            st.markdown(text)
    with st.container(key=f"{name}_second"):
        for text in texts[half:]:
            st.markdown(text)


def _step(lesson: Lesson, number: int, *, with_answers: bool) -> str:
    step = lesson.steps[number - 1]
    parts = [f"###### {number}. {_(step.title)}", _(step.text)]
    if step.question is not None:
        parts += _question(lesson, number, step.question, with_answers=with_answers)
    if with_answers:
        if step.book is not None:
            book = condition_text(lesson, number, step.book)
            parts.append(_("The book: {book} ({source}).", book=book, source=Message(step.book_source)))
        parts.append(_(step.explanation))
    return "\n\n".join(filter(None, parts))


def _question(lesson: Lesson, number: int, question: Question, *, with_answers: bool) -> list[str]:
    parts = [f"**{_(question.ask)}**"]
    if question.measure is None:
        parts.append("  \n".join(f"☐ {_(choice.text)}" for choice in question.choices))
    else:
        kind = kind_of(lesson, number, question.measure)
        low, high = (number_shown(question, end, kind) for end in (question.low, question.high))
        parts.append(_("My bet, from {low} to {high}: {line}", low=low, high=high, line=LINE))
    if question.measured:
        parts.append(_("What came out: {line}", line=LINE))
    if with_answers and question.answer is not None:
        parts.append(_("Answer: **{answer}**", answer=Message(question.choices[question.answer].text)))
    elif with_answers:
        asked = dict.fromkeys(reference_text(lesson, number, one) for one in question.references)
        parts.append(_("Measured: {measures}.", measures=parted(list(asked))))
    return parts
