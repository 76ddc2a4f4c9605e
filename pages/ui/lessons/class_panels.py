"""What is seen of a class: how to join it, its teacher's controls, bets as they come in, and what its runs measured."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from urllib.parse import urlencode, urlsplit, urlunsplit

import segno
import streamlit as st

from mlp_core.labs.classes.classes import Classes, View
from mlp_core.labs.classes.classroom import ROUNDS, ClassError
from mlp_core.labs.classes.store import ClassStoreError
from mlp_core.labs.lessons.condition import Reference
from mlp_core.labs.lessons.lesson import Lesson, Question
from mlp_core.words import Message, counted
from pages.figures.votes import ClassResult, guesses_chart, results_chart, votes_chart
from pages.language import _
from pages.ui import session
from pages.ui.lessons.classes import CLASS, REFUSED, Member, compared, open_class
from pages.ui.lessons.experiments import Experiment
from pages.ui.lessons.results import parted
from pages.ui.link import LinkState
from pages.ui.live_chart import live_chart
from pages.ui.navigation import ROOT
from pages.ui.text import escaped
from pages.ui.unbroken import button, unbroken
from pages.ui.visitor_language import in_link

QR_PX = 280  # of a projector's 1280: a phone reads it from the back row
MOST_PICTURES = 50  # that are kept


def teach_button(link: LinkState, lesson: Lesson) -> None:
    """Offers to open a class for a lesson."""
    help = _("Opens a class: students join by a code and see the step that you are at, and their bets arrive here.")
    known = session.browser_secret() is not None
    button(_("Teach this"), "teach", "co_present", open_class, link, lesson, enabled=known, type="tertiary", help=help)


def join_form() -> None:
    """Where a student types the code of a class."""
    with st.form("join", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(_("Join a class"), max_chars=20, placeholder=_("Its code"), width=320)
        pressed = st.form_submit_button(_("Join"), icon=":material/groups:")
    if pressed and typed:
        st.session_state.pop(REFUSED, None)
        st.switch_page(ROOT / "pages" / "lesson.py", query_params={CLASS.name: typed} | in_link())


def show_class(member: Member, experiment: Experiment | None, outcome: float | None) -> None:
    """How a class stands: for its teacher with all controls, for a student what is revealed.

    Args:
        experiment: of the step that is shown.
        outcome: the choice that was measured, or the number, where this page knows it.
    """
    if member.is_teacher:
        st.fragment(_teach)(member, experiment, outcome)
        return
    with st.container(border=True, key="class"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_("**Class {code}**", code=spaced(member.watch.code)), width="content")
            member.watch.follow(member.view)
            button(_("Leave the class"), "class_leave", "logout", member.leave, type="tertiary")
        if member.waits and member.bet is not None:
            st.success(_("Your bet is in. Your teacher reveals what comes out."), icon=":material/how_to_vote:")
        _shown(member, member.view, experiment, outcome, bets=member.is_revealed)


def _teach(member: Member, experiment: Experiment | None, outcome: float | None) -> None:
    """The teacher's panel, which runs again by itself."""
    watch, room, view = member.watch, member.view.classroom, member.view
    try:
        view = watch.look(watch.step)
    except ClassError:
        st.rerun()  # it has ended, which the whole page says
    except ClassStoreError:
        pass  # which the browser is told
    if view.classroom != room:
        st.rerun()
    with st.container(border=True, key="class"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_("**Class {code}**", code=spaced(watch.code)), width="content")
            st.session_state.setdefault(shown := f"class_invitation_{watch.code}", view.students == 0)  # open until the teacher closes it
            st.toggle(_("How to join"), key=shown)
            st.toggle(
                _("Students follow me"), room.together, f"class_together_{room.together}",
                on_change=unbroken(member.do), args=(Classes.pace,), kwargs={"together": not room.together},
                help=_("Otherwise they go on by themselves: whoever has bet may run the experiment."),
            )  # fmt: skip
            with st.popover(_("End"), icon=":material/stop_circle:", type="tertiary"):
                st.markdown(_("The students go on by themselves; all bets are forgotten."))
                button(_("End the class"), "class_end", "stop_circle", member.end)
        if st.session_state[shown]:
            _invitation(watch.code)
        with st.container(horizontal=True, vertical_alignment="center", key="class_vote"):
            shows = watch.asks and (member.is_revealed or _vote_controls(member))
            watch.every_change = shows or not watch.asks
            watch.follow(view)
        _shown(member, view, experiment, outcome, bets=shows)


def _vote_controls(member: Member) -> bool:
    """The teacher's buttons for the vote that is on; whether its bets are to be shown."""
    step, turn = member.view.step, member.turn
    help = _("Ends the vote, shows its bets to all, and lets the experiment be run.")
    button(_("Reveal"), "class_reveal", "visibility", member.do, Classes.reveal, step, type="primary", help=help)
    help = _("After a discussion: a second vote, shown beside the first.")
    button(_("Vote again"), "class_again", "replay", member.do, Classes.vote_again, step, enabled=turn < ROUNDS, help=help)
    help = _("Who sees them before the vote is closed bets with the others.")
    return st.toggle(_("Show bets"), key=f"class_bets_{step}_{turn}", help=help)


def _shown(member: Member, view: View, experiment: Experiment | None, outcome: float | None, *, bets: bool) -> None:
    """The bets, where they are to be shown, and what the runs measured, where there are any: beside each other."""
    panels: list[Callable[[], None]] = []
    step = member.step
    if bets and step is not None and step.question is not None:
        panels.append(partial(_bets, step.question, view, experiment, outcome))
    if step is not None and experiment is not None and view.results and (series := compared(step, experiment)):
        panels.append(partial(_results, series, view, experiment))
    for column, panel in zip(st.columns(len(panels), gap="medium") if panels else (), panels, strict=True):
        with column:
            panel()


def _bets(question: Question, view: View, experiment: Experiment | None, outcome: float | None) -> None:
    """The bets of each vote, beside each other."""
    st.markdown(f"**{_('Bets')}**")
    if question.choices:
        texts = [_in_words(_(choice.text)) for choice in question.choices]
        counts = [[sum(vote == place for vote in turn) for place in range(len(texts))] for turn in view.votes]
        figure = votes_chart(texts, counts, None if outcome is None or outcome < 0 else int(outcome))
        alt = parted([_("{choice}: {bets}", choice=text, bets=_then(turns)) for text, *turns in zip(texts, *counts, strict=True)])
    else:
        scale, unit = (100, "%") if question.unit == "%" else (1, question.unit)
        rounds = [[scale * vote for vote in turn] for turn in view.votes]
        asked = question.measure.single if question.measure is not None else None
        measure = experiment.measures.get(asked.name) if experiment is not None and asked is not None and asked.step is None else None
        powers = not unit and measure is not None and measure.kind == "log10"
        title = _("bet ({unit})", unit=Message(unit)) if unit else _("bet")
        measured = None if outcome is None else scale * outcome
        figure = guesses_chart(rounds, scale * question.low, scale * question.high, title, measured, powers=powers)
        alt = _("how many bet on which number")
    live_chart(figure, key="class_votes", alt=_("The bets of the class: {bets}", bets=alt))


def _results(series: Sequence[Reference], view: View, experiment: Experiment) -> None:
    """What the runs of the class measured, in one figure."""
    measure = experiment.measures[series[0].name]
    scale = 100.0 if measure.kind == "fraction" else 1.0
    results, labels = [], {label: _(label) for label in (*measure.runs, measure.label)}
    for number, one in enumerate(series):
        parts = [row[number * (length := len(row) // len(series)) : (number + 1) * length] for row in view.results]
        results.append(ClassResult(labels[one.run or measure.label], [[scale * value for value in part] for part in parts]))
    title, powers = _("{measure} (%)", measure=measure.label) if measure.kind == "fraction" else _(measure.label), measure.kind == "log10"
    runs = counted(len(view.results), "{n} run", "{n} runs")
    if experiment.trains:
        st.markdown(_("**{runs} of this class**, each from a seed of its own", runs=runs))
    else:
        st.markdown(_("**{runs} of this class**", runs=runs))
    alt = _("{measure} of all runs of the class", measure=measure.label)
    live_chart(results_chart(results, title, powers=powers), key="class_results", alt=alt)


def _invitation(code: str) -> None:
    """How to come in, to be read from the back row."""
    address = join_address(code, st.context.url, in_link())
    picture, words = st.columns([1, 2.2], vertical_alignment="center")
    if address is not None:
        picture.image(qr_picture(address), width=QR_PX, alt=_("A QR code of the address"))
    with words, st.container(key="class_code"):
        if address is not None:
            st.markdown(_("Open **{address}**", address=escaped(address.partition("://")[2])))
        st.markdown(_("or choose *Lessons* and type the code"))
        st.markdown(f"##### {spaced(code)}")


def join_address(code: str, page: str | None, also: Mapping[str, str] | None = None) -> str | None:
    """The address at which a browser joins a class.

    Args:
        also: what else it says.
        page: that of the lesson's page as the browser shows it, below whatever prefix a proxy serves it; None where it has not told.
    """
    if not page:
        return None
    parts = urlsplit(page)
    folder = parts.path.rstrip("/").rpartition("/")[0]
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}/lesson", urlencode({CLASS.name: code, **(also or {})}), ""))


@lru_cache(MOST_PICTURES)
def qr_picture(address: str) -> str:
    """An address as a QR code in SVG, black on white in either theme, as cameras need it."""
    return segno.make(address, error="m", micro=False).svg_inline(border=4, light="#ffffff", omitsize=True)


def spaced(code: str) -> str:
    """A code as it is read aloud, in two halves; it may be typed so too."""
    return f"{code[:3]} {code[3:]}"


def _then(votes: Sequence[int]) -> str:
    """How many bet so in the first vote, and in the second if there was one."""
    return str(votes[0]) if len(votes) == 1 else _("{first} and then {second}", first=votes[0], second=votes[1])


def _in_words(text: str) -> str:
    """A choice's text without the marks of LaTeX and Markdown, for a figure."""
    return re.sub(r"[$*`\\{}]", "", text)
