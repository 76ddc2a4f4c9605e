"""What a session watches of its run, as what is new since its browser asked last. Asked by the page, which draws it (`pages.ui.run.live`),
and by the browser beside the page, from other threads (`pages.ui.updates`): so it touches no session, and is told what counts of it.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, NamedTuple, cast

import streamlit as st

from mlp_core.jobs import JobSnapshot, Scheduler, TrainingJob
from mlp_core.reports.comparison.kept_runs import KeptRuns
from mlp_core.reports.diagnosis.diagnosis import diagnose
from mlp_core.reports.diagnosis.fixes import Fix
from mlp_core.reports.diagnosis.seeds import diagnose_seeds
from mlp_core.reports.export import Experiment
from mlp_core.spec import RunSpec
from pages.figures.figure import Figure
from pages.figures.series import CurveSeries
from pages.figures.training import CurveOptions, accuracy_curve, loss_curve
from pages.language import ENGLISH, Language, _, current, spoken
from pages.ui import session
from pages.ui.run import kept_runs
from pages.ui.run.curve_options import spike_words
from pages.ui.run.network_state import network_state
from pages.ui.run.readings import NO_BADGE, NO_WORDS, book_badge, progress, readings, reference, verdict_words
from pages.ui.run.run_controls import RunAtStep
from pages.ui.streaming import Stream
from pages.ui.ticking import stretched
from pages.ui.updates import new_address

CROWD = 9  # playing runs from which on updates come less often: they are small
TICK_SECONDS = 0.4  # more than two updates a second, with the time that each takes
NETWORK_SECONDS = 1.0  # between two states of the network that are sent, in a crowd more too


@dataclass(frozen=True, slots=True)
class Watched:
    """What a run of the page found.

    Args:
        job: the run on screen.
        experiment: what the controls describe; gives the frame where there is no run yet.
        lesson: what there is to see in it, said before it is trained.
        at: the moment that the page looks back to.
        fixed: parameters of the experiment that the page's link locks or hides.
        language: of the session.
    """

    job: TrainingJob | None = None
    experiment: Experiment | None = None
    lesson: str = ""
    at: RunAtStep | None = None
    options: CurveOptions = field(default_factory=CurveOptions)
    fixed: frozenset[str] = frozenset()
    language: Language = ENGLISH

    def may_take(self, spec: RunSpec) -> bool:
        """Whether the link leaves what sets the controls apart from `spec` to be changed."""
        mine = self.experiment
        return not self.fixed or (mine is not None and self.fixed.isdisjoint(mine.differences(Experiment(spec))))


class Look(NamedTuple):
    """What there is to see: `controls` is all of it that the controls of the page show, `fix` what the verdict offers."""

    figures: dict[str, Figure]
    parts: dict[str, Any]
    controls: tuple[object, ...]
    fix: Fix | None
    steps_per_epoch: int

    @property
    def outside(self) -> tuple[object, ...]:
        """All of it that only a run of the page brings to the browser: its controls, and what a click on the fix does."""
        return (*self.controls, *((self.fix.spec, self.fix.step) if self.fix is not None else ()))


class Watch:
    """A session's view of its run.

    Attributes:
        watched: what the page's last run found.
        kept: the runs beside it.
        question: what the drawing of the network asked last.
        steps_count: whether the panel below the curves shows something new with every step, and not only with every test.
        address: where the browser asks for what is new; gone with the session, since only that holds the view.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self.watched = Watched()
        self.kept = KeptRuns()
        self.question: Any = None
        self.steps_count = False
        self.address = new_address(self)
        self._scheduler = scheduler
        self._stream = Stream()
        self._lock = Lock()
        self._about: Mapping[str, Any] = {}
        self._drawn: tuple[object, ...] = ()
        self._network: tuple[float, dict[str, Any] | None] = (-math.inf, None)

    def look(self) -> Look:
        """The run as it is now."""
        job, at = self.watched.job, self.watched.at
        now = job.snapshot() if job is not None else None
        moving = job is not None and job.moving
        shown = at.snapshot if at is not None and at.cursor is not None else now
        newest = now.step if now is not None and shown is not now else None
        figures = self._curves(now)
        read = readings(shown)
        parts: dict[str, Any] = {
            "period": 1000 * stretched(TICK_SECONDS, self._scheduler, CROWD) if moving else 0,
            "progress": progress(shown, len(self.kept.shown()) if now is None else 0, newest),
            "labels": [{"label": reading.label, "help": reading.help} for reading in read],
            "readings": [(reading.value, reading.beside) for reading in read],
            "verdict": NO_WORDS | {"text": _(self.watched.lesson)},
            "badge": NO_BADGE,
            "spike": spike_words(figures["loss"], self.watched.options),
            "news": self.news(now),
            "network": self._network_state(job, moving),
        }
        fix = None
        if shown is not None and now is not None:
            if shown.members:
                verdict = diagnose_seeds(shown.spec, shown.members, shown.stop_reason)
            else:
                verdict = diagnose(shown.spec, shown.history, shown.stop_reason, shown.inspections, now.checkpoint_steps)
            if verdict.fix is not None and not self.watched.may_take(verdict.fix.spec):
                verdict = replace(verdict, fix=None)
            parts["verdict"] = verdict_words(verdict, now.note, several=bool(shown.members))
            parts["badge"] = book_badge(shown)
            fix = verdict.fix
        return Look(figures, parts, controls(now, moving), fix, now.steps_per_epoch if now is not None else 1)

    def draw(self, look: Look, have: int | None, about: Mapping[str, Any]) -> bytes:
        """The message that shows this in a browser which has version `have`, sent by the page.

        Args:
            about: what never changes but with the language (see `Stream.message`).
        """
        with self._lock:
            have = have if about == self._about else None
            self._about, self._drawn = about, look.outside
            return self._stream.message(have, look.figures, look.parts, about, look.steps_per_epoch)

    def answer(self, have: int) -> bytes | None:
        """The message that shows the run as it is now; None where the page has to run, since its controls show something else."""
        with spoken(self.watched.language):
            look = self.look()
        with self._lock:
            if self._drawn != look.outside:
                return None
            return self._stream.message(have, look.figures, look.parts, self._about, look.steps_per_epoch)

    def news(self, now: JobSnapshot | None) -> str:
        """Another text whenever there is something new in the panel below the curves."""
        if now is None:
            return ""
        tested = now.evaluation.step if now.evaluation is not None else -1
        return f"{now.state} {tested} {now.step if self.steps_count else len(now.history.epochs)}"

    def _network_state(self, job: TrainingJob | None, moving: bool) -> dict[str, Any] | None:
        """What the drawing of the network shows; of a run that moves that of the last second or so, as it is watched, not read."""
        if job is None:
            return None
        made, state = self._network
        if not moving or time.monotonic() - made > stretched(NETWORK_SECONDS, self._scheduler, CROWD):
            state = network_state(job, self.question)
            self._network = (time.monotonic(), state)
        return state

    def _curves(self, now: JobSnapshot | None) -> dict[str, Figure]:
        """Loss and accuracy over the epochs: of the run on screen, and of those that are kept beside it."""
        options, at = self.watched.options, self.watched.at
        cursor = at.cursor if at is not None else None
        beside = kept_runs.shown_series(self.kept, now) if self.kept.runs else []
        epochs = max([1, *(len(series.history.epochs) for series in beside)])
        shown: CurveSeries | Sequence[CurveSeries] = beside
        if now is not None:
            alone = CurveSeries(now.history, now.steps_per_epoch, members=now.members)
            shown = [kept_runs.series_of(self.kept, now), *beside] if beside else alone
            epochs = max(epochs, now.spec.epochs)
        elif self.watched.experiment is not None and not beside:
            epochs = self.watched.experiment.spec.epochs
        band = reference(now) if now is not None else None
        return {
            "loss": loss_curve(shown, epochs, options=options, cursor=cursor),
            "accuracy": accuracy_curve(shown, epochs, options=options, reference=band, cursor=cursor),
        }


def controls(now: JobSnapshot | None, moving: bool) -> tuple[object, ...]:
    """All of a run that the page's controls show, and in which language."""
    return (current().short, moving, now.spec, now.state, now.lr) if now is not None else (current().short, moving)


def of_session() -> Watch:
    """This session's."""
    if "_watch" not in st.session_state:
        st.session_state["_watch"] = Watch(session.engine()[0])
    return cast(Watch, st.session_state["_watch"])
