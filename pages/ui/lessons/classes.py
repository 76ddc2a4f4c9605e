"""Who looks at a lesson in a class, and what that changes of the lesson.

member = arrive(link)                  # of the class that the link names; None where there is none
lesson = member.own(lesson)            # with a seed of its own in every experiment
number = member.go_to(number, lesson)  # the step that this member sees
member.bet, member.bet_on(value)       # the bet in the vote that is on
member.waits                           # whether the outcome has to wait until the teacher reveals it
member.hand_in(experiment)             # what its run has measured
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from mlp_core.labs.classes.classes import Classes, View, classes
from mlp_core.labs.classes.classroom import MAX_HISTORY, ClassError, NoClassError, TooManyTriesError, read_code
from mlp_core.labs.classes.store import ClassStoreError
from mlp_core.labs.lessons.condition import Reference
from mlp_core.labs.lessons.lesson import Lesson, Step
from mlp_core.spec import SpecError
from mlp_core.words import Message
from pages.language import _
from pages.ui import session
from pages.ui.lessons import experiments
from pages.ui.lessons.class_watch import ClassWatch
from pages.ui.lessons.experiments import Experiment
from pages.ui.link import Field, LinkState, text
from pages.ui.text import plain

CLASS: Field = text("class", "", 20)  # of the lesson's link: the code, as it was typed
MOST_SERIES = 4  # of one figure
SEEDS_APART = 100  # between two students: an experiment of several seeds takes them from its first on
MOST_LINKS = 4096  # that are kept, read
NAMES = {"classes": Message("classes"), "students": Message("students")}  # of what there may be too many
ENDED = Message("The class has ended. The lesson goes on without it.")
NOTE = "_class_note"  # in the session: what the last click could not do
REFUSED = "_class_refused"  # in the session: a code that was refused, and why
_WATCH = "_class_watch"


@dataclass
class Member:
    """Who looks at a lesson in a class, the class as it was when the page began, and the step that the page shows of it."""

    link: LinkState
    watch: ClassWatch
    view: View
    step: Step | None = None

    @property
    def is_teacher(self) -> bool:
        return self.view.is_teacher

    @property
    def is_led(self) -> bool:
        """Whether the teacher decides which step is seen."""
        return self.view.classroom.together and not self.is_teacher

    @property
    def is_revealed(self) -> bool:
        return self.view.classroom.is_revealed(self.view.step)

    @property
    def waits(self) -> bool:
        """Whether the outcome has to wait until the teacher reveals it."""
        return self.watch.asks and not self.is_revealed and (self.is_teacher or self.is_led)

    @property
    def turn(self) -> int:
        """Which vote is on at this step: 1, or 2."""
        return self.view.classroom.round_of(self.view.step)

    @property
    def bet(self) -> float | None:
        """A student's own bet in that vote."""
        return self.view.own[self.turn - 1] if self.view.own else None

    def own(self, lesson: Lesson) -> Lesson:
        """The lesson with a seed of this member's own in every experiment that has one, by the order in which the students joined."""
        return replace(lesson, steps=tuple(replace(step, experiment=_seeded(step.experiment, self.view.number)) for step in lesson.steps))

    def go_to(self, number: int, lesson: Lesson) -> int:
        """The step that is to be shown where the page would show this one. Where its teacher turns to another, the class goes there."""
        before = self.watch.step
        if self.is_teacher and before not in (0, number):
            self.do(Classes.move, number)
        elif self.is_teacher or self.view.classroom.together:  # a page that has just been opened, or another tab of the teacher's
            number = min(self.view.classroom.at, len(lesson.steps))  # of which a file that was changed meanwhile may have fewer
        try:
            self.view = self.watch.look(number)
        except (ClassError, ClassStoreError):
            number = self.view.step  # which the page says when it runs again
        self.step = lesson.steps[number - 1]
        self.watch.step, self.watch.asks = number, self.step.question is not None
        return number

    def bet_on(self, value: float) -> bool:
        """Bet in the vote that is on; whether the bet has arrived. To be called from a callback."""
        try:
            classes().vote(self.watch.code, self.watch.secret, self.view.step, value)
        except ClassStoreError as error:
            st.session_state[NOTE] = _("Your bet has not arrived. {why}", why=_(error))
        except ClassError:
            st.session_state[NOTE] = _("Your bet came too late.")
        else:
            return True
        return False

    def hand_in(self, experiment: Experiment) -> None:
        """Give the class what a student's run of this step has measured, once it has ended."""
        if self.is_teacher or self.step is None:
            return
        values = _measured(experiment, compared(self.step, experiment))
        if not values or self.watch.handed_in.get(self.view.step) == values:
            return
        try:
            classes().hand_in(self.watch.code, self.watch.secret, self.view.step, values)
        except (ClassError, ClassStoreError):
            return  # which the page says; tried again when it runs again
        self.watch.handed_in[self.view.step] = values

    def do(self, change: Callable[..., None], *values: int, **named: bool) -> None:
        """Change the class as its teacher, by this method of `Classes`."""
        try:
            change(classes(), self.watch.code, self.watch.secret, *values, **named)
        except ClassStoreError as error:
            st.session_state[NOTE] = _(error)
        except ClassError:
            pass  # it has ended, or another tab of the teacher's was quicker: the page shows which

    def leave(self) -> None:
        """Go on alone. To be called from a callback."""
        self.link.update({CLASS.name: ""})

    def end(self) -> None:
        """End the class as its teacher. To be called from a callback."""
        self.do(Classes.end)
        self.leave()


def arrive(link: LinkState) -> Member | None:
    """Whoever looks at the page, in the class that its link names. Where there is none, the reason is said; the lesson goes on alone."""
    if (note := st.session_state.pop(NOTE, None)) is not None:
        st.warning(note, icon=":material/groups:")
    if not (typed := link[CLASS.name]):
        st.session_state.pop(_WATCH, None)
        st.session_state.pop(REFUSED, None)
        return None
    if (secret := session.browser_secret()) is None:
        st.info(_("Joining the class …"), icon=":material/groups:")
        session.identify_tab(browser=True)
        st.stop()
    refused: tuple[str, str] = st.session_state.get(REFUSED, ("", ""))
    if refused[0] == typed:  # to try again with every run of the page would count as guessing
        st.warning(_(refused[1]), icon=":material/groups:")
        return None
    watch: ClassWatch | None = st.session_state.get(_WATCH)
    known = watch is not None and (watch.typed, watch.secret) == (typed, secret)
    try:
        if watch is None or not known:
            watch = st.session_state[_WATCH] = _admitted(typed, secret)
        return Member(link, watch, watch.look())
    except ClassStoreError as error:
        words, icon = _("{why} The lesson goes on without the class.", why=_(error)), ":material/cloud_off:"
    except ClassError as error:
        words, icon = ENDED if known else refusal(error), ":material/groups:"
        st.session_state[REFUSED] = (typed, words)
        st.session_state.pop(_WATCH, None)
    st.warning(_(words), icon=icon)
    return None


def open_class(link: LinkState, lesson: Lesson) -> None:
    """Open a class for a lesson, at the step that is shown. To be called from a callback."""
    secret = session.browser_secret()
    try:
        code = classes().open(lesson.name, len(lesson.steps), secret).code
        classes().move(code, secret or "", link["step"])
    except ClassError as error:
        many = NAMES.get(error.field, error.field)
        st.session_state[NOTE] = _("No class can be opened now: {field} {rule}.", field=many, rule=error.rule)
    except ClassStoreError as error:
        st.session_state[NOTE] = _("No class can be opened now. {why}", why=_(error))
    else:
        link.update({CLASS.name: code})


def refusal(error: ClassError) -> str:
    """Why nobody is let in, for a person."""
    if isinstance(error, TooManyTriesError):
        return Message("Too many wrong codes were tried. Wait ten minutes, and ask your teacher for the code.")
    if isinstance(error, NoClassError):
        code = plain(error.value, 20)
        return Message("No class is open under the code {code}. Was it typed right? Has the class ended?", code=code)
    if error.field == "code":
        return Message("{code} is not the code of a class, which {rule}.", code=plain(error.value, 20), rule=error.rule)
    return Message("You cannot join this class: {field} {rule}.", field=NAMES.get(error.field, error.field), rule=error.rule)


def compared(step: Step, experiment: Experiment) -> list[Reference]:
    """What a class compares of a step's run: the first thing that its question asks for, a curve if there is one, of all runs."""
    here = [one for one in step.references if one.step is None]
    first = next((one for one in here if experiment.measures[one.name].per_epoch), here[0] if here else None)
    return list(dict.fromkeys(Reference(one.name, one.run) for one in here if first is not None and one.name == first.name))[:MOST_SERIES]


def _admitted(typed: str, secret: str) -> ClassWatch:
    """The place of a browser in the class whose code was typed, where it may be new.

    Raises:
        ClassError: there is no such class, or too many wrong codes were tried.
        ClassStoreError: the store does not answer.
    """
    watch = ClassWatch(typed, read_code(typed), secret)
    try:
        watch.look()
    except NoClassError:
        classes().join(watch.code, secret)
    return watch


@functools.lru_cache(MOST_LINKS)
def _seeded(link: str, number: int) -> str:
    """The link of an experiment with a seed for the student of this number; as it is where its page takes none."""
    page, _mark, query = link.partition("?")
    fields = dict(parse_qsl(query, keep_blank_values=True))
    if not link or not number:
        return link
    try:
        own = f"{page}?{urlencode(fields | {'seed': int(fields.get('seed', '0')) + SEEDS_APART * number})}"
        experiments.experiment_of(own)
    except (SpecError, ValueError):
        return link
    return own


def _measured(experiment: Experiment, series: Sequence[Reference]) -> list[float]:
    """Of each of the series a value for every epoch, or one alone; NaN for what is missing. Nothing before the run has ended."""
    if not series or experiment.state() != "done":
        return []
    curve = experiment.measures[series[0].name].per_epoch and 0 < experiment.epochs * len(series) <= MAX_HISTORY
    epochs = range(1, experiment.epochs + 1) if curve else (None,)
    values = [experiment.measure(one.name, one.run, epoch) for one in series for epoch in epochs]
    return [math.nan if value is None else value for value in values] if any(value is not None for value in values) else []
