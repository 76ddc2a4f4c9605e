"""A session's place in a class: who the browser is there, what it may see, and how it hears of something new.

The code of the class stands in the address, which a projector may show and which gives no rights; who is who tells the browser's secret
(`session.browser_secret`). A browser follows by asking beside the pages (static/class_news.js): it is answered with words, and has its page
run only where that has something else to show.
"""

import json
import math
import threading
import time
from collections.abc import Callable

from mlp_core.labs.classes.classes import ClassStatus, View, classes
from mlp_core.labs.classes.classroom import NoClassError
from mlp_core.labs.classes.store import ClassStoreError
from mlp_core.words import Message, counted
from pages.language import _, current, spoken
from pages.ui.served_component import served_component
from pages.ui.unbroken import unbroken
from pages.ui.updates import new_address

TEACHER_SECONDS, STUDENT_SECONDS = 0.6, 1.0  # between two questions of a browser: bets are to be seen within a second
LARGE = 60  # students from which on each asks less often, in proportion
AWAY_SECONDS, WAIT_SECONDS = 3.0, 0.3  # until it asks again: a store that does not answer; for its turn to run the page
RUNS_A_SECOND = 25  # of students' pages: a step of the teacher's is a run for each, and others train meanwhile


class _Turns:
    """So many turns a second, evenly spread, by a clock."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = 1 / per_second, clock
        self._lock, self._next = threading.Lock(), -math.inf

    def take(self) -> bool:
        """Whether there is one now."""
        with self._lock:
            if (now := self._clock()) < self._next:
                return False
            self._next = now + self._seconds
            return True


_turns = _Turns(RUNS_A_SECOND)


class ClassWatch:
    """What the browser of a session may ask about its class. Asked from any thread, so it touches no session.

    Args:
        typed: the code as the address has it.
        code: of the class.
        secret: of the browser.

    Attributes:
        step: the one that its page shows; 0 before it has shown one.
        asks: whether there is a bet in that step.
        every_change: whether the page shows what changes with every bet and every run.
        language: in which the page has said its words.
        handed_in: what the runs of its steps have measured, as the class knows it.
    """

    def __init__(self, typed: str, code: str, secret: str) -> None:
        self.typed, self.code, self.secret = typed, code, secret
        self.handed_in: dict[int, list[float]] = {}
        self.step, self.asks, self.every_change, self.language = 0, False, False, current()
        self.address = new_address(self)

    def look(self, step: int | None = None) -> View:
        """The class as this browser may see it, by itself at the step that the teacher is at.

        Raises:
            NoClassError: it has ended, or this browser is not in it.
            ClassStoreError: its store does not answer.
        """
        return classes().look(self.code, self.secret, step)

    def answer(self, have: int) -> bytes | None:
        """How the class stands, in words; None where the page has to run."""
        with spoken(self.language):
            return self._answer(have)

    def _answer(self, have: int) -> bytes | None:
        try:
            status = classes().status(self.code, self.secret, self.step)
        except NoClassError:
            return None
        except ClassStoreError as error:
            return json.dumps(_told(_(error), AWAY_SECONDS)).encode()
        if have == self.version(status):
            return json.dumps(self.told(status)).encode()
        if status.is_teacher or _turns.take():
            return None
        return json.dumps(_told(self.words(status), WAIT_SECONDS)).encode()

    def version(self, seen: ClassStatus | View) -> int:
        """A number that grows where the page has something else to show."""
        return seen.version if self.every_change else seen.classroom.changes

    def told(self, status: ClassStatus) -> dict[str, object]:
        """What the browser is told, and when it may ask again."""
        student = STUDENT_SECONDS * max(1.0, status.students / LARGE)
        return _told(self.words(status), TEACHER_SECONDS if status.is_teacher else student)

    def words(self, status: ClassStatus) -> str:
        students = counted(status.students, "{n} student", "{n} students")
        if not self.asks:
            return _("{students} joined.", students=students)
        return _(counted(status.voted, "{students} joined, {n} has bet.", "{students} joined, {n} have bet.", students=students))

    def follow(self, seen: View) -> None:
        """Have the browser say how the class stands, and ask for what is new. To be drawn by what is to run again then."""
        self.language = current()
        try:
            told = self.told(classes().status(self.code, self.secret, self.step))
        except NoClassError:
            told = _told("", STUDENT_SECONDS)  # the next answer has the page run
        except ClassStoreError as error:
            told = _told(_(error), AWAY_SECONDS)
        data = {"updates": self.address, "have": self.version(seen)} | told
        served_component("class_news", Message("This class"))(key="class_news", data=data, on_news_change=unbroken(_nothing))


def _nothing() -> None:
    """That a callback is given is what makes Streamlit report the event."""


def _told(words: str, seconds: float) -> dict[str, object]:
    return {"words": words, "period": round(1000 * seconds)}
