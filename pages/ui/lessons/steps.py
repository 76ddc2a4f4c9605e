"""One step of a lesson: read, bet, run, compare, read on. What comes out stands nowhere before the bet."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal

import streamlit as st

from mlp_core.labs.lessons.condition import Reference, Values
from mlp_core.labs.lessons.lesson import Lesson, Question
from mlp_core.words import Message, joined, listed
from pages.language import _, said
from pages.ui.lessons import experiments
from pages.ui.lessons.class_panels import show_class
from pages.ui.lessons.classes import Member
from pages.ui.lessons.experiments import Experiment
from pages.ui.lessons.progress import Progress, bet_text, bet_value
from pages.ui.lessons.results import (
    NONE_FITS,
    bet_shown,
    condition_text,
    kind_of,
    number_shown,
    outcome,
    references_shown,
    with_unit,
)
from pages.ui.link import TEN_DIGITS, LinkState, link_to
from pages.ui.sections import beside
from pages.ui.ticking import follow
from pages.ui.unbroken import button
from pages.ui.widget_values import WidgetValues

TICK_SECONDS = 5.0  # an experiment that ends has the page run itself; asked more often here, a class would train by a fifth less
READABLE_PX = 760  # of lines that nothing stands beside
BET_STEPS = 50  # that a slider has at least

Stage = Literal["ask", "wait", "run", "moving", "over"]


def lesson_controls(link: LinkState, lesson: Lesson, progress: Progress, member: Member | None) -> None:
    """The way to every step, to the handout, and back to the start; in a class that follows its teacher, for that one."""
    numbers = tuple(range(1, len(lesson.steps) + 1))
    if member is None or not member.is_led:
        st.segmented_control(_("Step"), required=True, label_visibility="collapsed", width="content", **link.default("step", numbers))
    button(_("Handout"), "lesson_handout", "print", link.update, {"view": "handout"}, type="tertiary", help=_("Two pages of paper."))
    if member is None:
        begun, help = bool(progress.bets or progress.ran), _("Forget bets and results.")
        button(_("Start anew"), "lesson_anew", "restart_alt", _begin_anew, link, progress, type="tertiary", help=help, enabled=begun)


def _begin_anew(link: LinkState, progress: Progress) -> None:
    progress.begin_anew()
    link.update({"step": 1, "bets": {}, "ran": ()})


def show_step(link: LinkState, lesson: Lesson, progress: Progress, member: Member | None) -> None:
    """The step that the link names, and its experiment beside it; above them how the class stands in which it is seen."""
    number: int = link["step"]
    step = lesson.steps[number - 1]
    asked = progress.times_begun if member is None else f"{member.watch.code}_{member.turn}"
    place = f"lesson_{lesson.name}_{number}_{asked}"  # what is asked anew is asked by other widgets
    experiment = experiments.experiment_of(step.experiment) if step.experiment else None
    above = st.container()
    if experiment is None:
        story = st.container(width=READABLE_PX)
    else:
        story, shown = beside("lesson", 1.8)
    with story:
        st.caption(_("Step {number} of {count}", number=number, count=len(lesson.steps)))
        st.markdown(f"#### {_(step.title)}\n\n{_(step.text)}")
    if experiment is not None:
        with shown:
            _show_experiment(experiment, lesson, number, progress, place, member)
    progress.measure(lesson)
    stage = _stage(experiment, lesson, number, progress, member)
    with story:
        if step.question is not None:
            _question(lesson, number, step.question, progress, place, stage, member)
        if experiment is not None and stage not in ("ask", "wait"):
            _run_controls(experiment, number, progress, place, stage)
        if stage == "over":
            _explained(experiment, lesson, number, progress, led=member is not None and member.is_led)
            if member is not None and experiment is not None:
                member.hand_in(experiment)
        if member is None or not member.is_led:
            _turn(link, lesson, stage)
    if member is not None:
        values = partial(progress.value, lesson, number)
        with above:
            show_class(member, experiment, outcome(step.question, values) if step.question is not None and stage == "over" else None)


def _explained(experiment: Experiment | None, lesson: Lesson, number: int, progress: Progress, *, led: bool) -> None:
    """What came out, beside the bet and the book, and why.

    Args:
        led: whether the learner is where the teacher is, and cannot go back to a step that this one is compared with.
    """
    step, values = lesson.steps[number - 1], partial(progress.value, lesson, number)
    if step.question is not None:
        _result(lesson, number, step.question, progress.bets.get(number), values)
    if step.book is not None:
        _book(lesson, number, values)
    if step.explanation and (led or not _missing(step.references, values)):
        st.markdown(_(step.explanation))
    if experiment is not None:
        link_to(experiment.page, _("Open in the laboratory"), experiment.query, ":material/science:")


def _may_begin(lesson: Lesson, number: int, progress: Progress, member: Member | None) -> bool:
    """Whether the learner may see what comes out: after the bet, and in a class once its teacher has revealed it."""
    if member is not None and (member.waits or member.is_revealed):
        return not member.waits
    return lesson.steps[number - 1].question is None or number in progress.bets


def _stage(experiment: Experiment | None, lesson: Lesson, number: int, progress: Progress, member: Member | None) -> Stage:
    """How far the learner is in a step."""
    if not _may_begin(lesson, number, progress, member):
        return "wait" if number in progress.bets or (member is not None and member.is_teacher) else "ask"
    if experiment is None:
        return "over"
    if number not in progress.ran:
        return "run"
    if (state := experiment.state()) != "none":
        return "moving" if state == "moving" else "over"
    references = lesson.steps[number - 1].references
    measured = all(progress.value(lesson, number, one) is not None for one in references)
    return "over" if references and measured else "run"


def _show_experiment(experiment: Experiment, lesson: Lesson, number: int, progress: Progress, place: str, member: Member | None) -> None:
    """The panels of the experiment, once it was run."""
    step, ran, begun = lesson.steps[number - 1], number in progress.ran, _may_begin(lesson, number, progress, member)
    if not begun and member is not None and member.waits:
        then = _("Once the bets are revealed and Run is pressed, the experiment appears here.")
        st.markdown(f":material/visibility_off: {then}")
    elif not begun:
        st.markdown(f":material/visibility_off: {_('First bet, then press Run: the experiment appears here.')}")
    elif step.look or not ran:
        st.markdown(f":material/visibility: {_(step.look) or _('Press Run: the experiment appears here.')}")
    if begun and ran:
        experiment.draw(place)


def _question(lesson: Lesson, number: int, question: Question, progress: Progress, place: str, stage: Stage, member: Member | None) -> None:
    """The question with a way to bet, or with the bet that stands."""
    st.markdown(f"**{_(question.ask)}**")
    if stage == "ask":
        _ask(lesson, number, question, progress, place, member)
        return
    bet = progress.bets.get(number)
    if not question.choices:
        if bet is not None:
            st.markdown(_("You bet on **{bet}**.", bet=bet_shown(lesson, number, question, bet)))
        return
    mine, came_out = None if bet is None else bet_value(question, bet), None
    if stage == "over":
        came_out = outcome(question, partial(progress.value, lesson, number))
    lines = []
    for index, choice in enumerate(question.choices):
        mark = "radio_button_checked" if index == mine else "radio_button_unchecked"
        badges = f" :blue-badge[{_('your bet')}]" * (index == mine) + f" :green-badge[{_('what came out')}]" * (index == came_out)
        lines.append(f":material/{mark}: {_(choice.text)}{badges}")
    st.markdown("  \n".join(lines))


def _ask(lesson: Lesson, number: int, question: Question, progress: Progress, place: str, member: Member | None) -> None:
    key, ready, scale = f"{place}_bet", True, 1
    if question.choices:
        texts = {index: choice.text for index, choice in enumerate(question.choices)}
        chosen = WidgetValues(key, {"bet": None}, f"{place}_", lasting=False)
        drawn = chosen.index("bet", tuple(texts))
        ready = st.radio(_(question.ask), format_func=said(texts), label_visibility="collapsed", **drawn) is not None
        key = drawn["key"]
        chosen.keep()
    else:
        scale = 100 if question.unit == "%" else 1
        _bet_slider(lesson, number, question, key, scale)
    bet = (progress, number, question, key, scale, member)
    button(_("Bet"), f"{place}_place", "how_to_vote", _place, *bet, enabled=ready, type="primary")


def _bet_slider(lesson: Lesson, number: int, question: Question, key: str, scale: int) -> None:
    assert question.measure is not None
    kind, low, high = kind_of(lesson, number, question.measure), scale * question.low, scale * question.high
    step = 10.0 ** math.floor(math.log10((high - low) / BET_STEPS))
    if kind == "count":
        step = max(step, 1.0)
    shown = f"10^{TEN_DIGITS}" if kind == "log10" and not question.unit else with_unit(TEN_DIGITS, question.unit.replace("%", "%%"))
    middle = low + step * round((high - low) / 2 / step)
    st.slider(_(question.ask), low, high, middle, step, shown, key, label_visibility="collapsed")


def _place(progress: Progress, number: int, question: Question, key: str, scale: int, member: Member | None) -> None:
    """Bet what the widget says; the first bet stands, in a class the one that has arrived there."""
    value = st.session_state.get(key)
    if value is not None and (member is None or member.bet_on(value / scale)):
        progress.bets.setdefault(number, bet_text(question, value / scale))


def _run_controls(experiment: Experiment, number: int, progress: Progress, place: str, stage: Stage) -> None:
    if stage == "moving":

        def moving() -> bool:
            return experiment.state() == "moving"

        def waiting() -> None:
            if not moving():  # it has ended since the page looked
                st.rerun()
            st.caption(f":material/hourglass_top: {_('What it comes to appears here when the run has ended.')}")

        follow(waiting, TICK_SECONDS, moving)
    elif stage == "run":
        if number in progress.ran:
            why = experiment.unmeasured() or Message("It was lost with a reload, or another took its place.")
            st.caption(_(joined(Message("There is no run of this experiment to measure."), why)))
        button(_("Run"), f"{place}_run", "play_arrow", _run, experiment, progress, number, type="primary")
    elif experiment.state() == "none":
        button(_("Run again"), f"{place}_again", "replay", _run, experiment, progress, number, type="tertiary")


def _run(experiment: Experiment, progress: Progress, number: int) -> None:
    experiment.start()
    progress.ran.add(number)


def _result(lesson: Lesson, number: int, question: Question, bet: str | None, values: Values) -> None:
    """What was measured beside what was bet, which who comes late to a class has not done."""
    came_out, mine = outcome(question, values), None if bet is None else bet_value(question, bet)
    if question.measure is not None:
        kind = kind_of(lesson, number, question.measure)
        with st.container(horizontal=True):
            st.metric(_("Your bet"), "–" if mine is None else number_shown(question, mine, kind), border=True)
            st.metric(_("Measured"), "–" if came_out is None else number_shown(question, came_out, kind), border=True)
        if question.measure.single is not None and came_out is not None:
            return
    elif came_out is not None:
        (st.success if came_out == mine else st.info)(_verdict(question, mine, came_out))
    if came_out is None:
        if missing := _missing(question.references, values):
            steps = listed([Message("step {number}", number=step) for step in missing], "and")
            st.info(_("**This is not measured yet**: run {steps} first.", steps=steps))
        else:
            st.info(_("**This was not measured**: the run ended before."))
    st.markdown("  \n".join(references_shown(lesson, number, question.references, values)))


def _missing(references: Sequence[Reference], values: Values) -> list[int]:
    """The earlier steps that have to be run before this one can be compared with them."""
    return sorted({one.step for one in references if one.step is not None and values(one) is None})


def _verdict(question: Question, mine: float | None, came_out: float) -> str:
    if came_out == NONE_FITS:
        return _("**None of the answers fits** what this run has measured.")
    if came_out == mine:
        return _("**You bet right.**")
    answer = Message(question.choices[int(came_out)].text)
    if mine is None:
        return _("**It came out:** {answer}", answer=answer) if question.measured else _("**The answer is:** {answer}", answer=answer)
    if question.measured:
        return _("**It came out differently:** {answer}", answer=answer)
    return _("**The answer is another one:** {answer}", answer=answer)


def _book(lesson: Lesson, number: int, values: Values) -> None:
    """Whether this run finds what the book finds."""
    step = lesson.steps[number - 1]
    assert step.book is not None
    holds, book, source = step.book.holds(values), condition_text(lesson, number, step.book), Message(step.book_source)
    if holds:
        verdict = _("This is as in the book ({source}): {book}.", source=source, book=book)
    elif holds is None:
        verdict = _("The book finds: {book} ({source}). This run did not measure it.", source=source, book=book)
    else:
        found = listed(references_shown(lesson, number, step.book.references, values))
        verdict = _("The book finds something else: {book} ({source}). On this machine: {found}.", source=source, book=book, found=found)
    st.caption(f":material/menu_book: {verdict}")


def _turn(link: LinkState, lesson: Lesson, stage: Stage) -> None:
    """Back and on."""
    number, last = link["step"], len(lesson.steps)
    with st.container(horizontal=True, vertical_alignment="center"):
        button(_("Back"), "lesson_back", "arrow_back", _go, link, number - 1, enabled=number > 1)
        if number < last:
            button(_("Next"), "lesson_next", "arrow_forward", _go, link, number + 1, type="primary" if stage == "over" else "secondary")
        else:
            link_to("lessons", _("All lessons"), {}, ":material/school:")


def _go(link: LinkState, number: int) -> None:
    link["step"] = number
