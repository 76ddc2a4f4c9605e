"""`TrainingJob`: a run that goes on while nobody calls it, steered by a person; and `JobSnapshot`, what a page sees of it."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mlp_core.jobs.scheduled import ScheduledRun
from mlp_core.jobs.scheduler import Scheduler
from mlp_core.network import Network
from mlp_core.records import HistorySnapshot, Schedule, SettingChange, StopReason, settings_after
from mlp_core.spec import RunSpec
from mlp_core.training.inspection import Inspection
from mlp_core.training.run import Run
from mlp_core.training.state import Evaluation

CHECKPOINT_SHARE = 0.1  # of the memory that is left when a job comes; what it does not need to train stays for others
CHECKPOINT_POOL = 64_000_000  # bytes for the checkpoints of all jobs, in equal parts: of a class of thirty each has few
KEPT_READY = 2  # steps that were gone back to last


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job at one moment, as plain data for a page: later training does not change it.

    `state` is "ready", "playing", "paused", "finished" or "stopped"; `note` says why where nobody asked for that state; `sharing` counts
    the jobs that take turns, this one included, and `place` is this one's in the line for the next turn, from 1; both are 0 at rest, and
    `place` is where nobody else wants a turn. `images_per_second` are of the last turns, waits between them included. `settings` is `spec`
    with what was changed in mid-run; `inspections` were made while somebody looked inside, oldest first; `checkpoint_steps` can be gone
    back to; `members` are the histories of several seeds, if there are several; `planned` are changes that the run makes by itself.
    """

    spec: RunSpec
    state: str
    step: int
    total_steps: int
    schedule: Schedule
    history: HistorySnapshot
    evaluation: Evaluation | None
    stop_reason: StopReason | None
    note: str
    sharing: int
    images_per_second: float
    elapsed_seconds: float
    remaining_seconds: float | None
    settings: RunSpec
    inspections: tuple[Inspection, ...] = ()
    checkpoint_steps: tuple[int, ...] = ()
    members: tuple[HistorySnapshot, ...] = ()
    place: int = 0
    planned: tuple[SettingChange, ...] = ()

    @property
    def steps_per_epoch(self) -> int:
        """Of an epoch at the spec's batch size."""
        return self.schedule.steps_per_epoch

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self.settings.lr

    @property
    def changes(self) -> tuple[SettingChange, ...]:
        """All changes of the experiment as it goes on: those that were made, and those still to come."""
        return (*self.history.changes, *(change for change in self.planned if change.step > self.step))

    @property
    def fraction_done(self) -> float:
        return self.step / self.total_steps


@dataclass(frozen=True, slots=True)
class Rewound:
    """A job as it stood at a kept step: resting there, with a network of its own. `snapshot.elapsed_seconds` alone is of now."""

    snapshot: JobSnapshot
    network: Network


class TrainingJob(ScheduledRun):
    """A run under a scheduler: play, pause, step, stop. Every call returns at once and takes effect between two steps.

    Raises:
        MemoryBudgetError: the scheduler has no room for the network.
    """

    def __init__(self, run: Run, scheduler: Scheduler) -> None:
        super().__init__(run, scheduler)
        with scheduler.changed:
            run.checkpoints.allow(0)
            left = scheduler.admit(self)
            fair = max(CHECKPOINT_POOL / scheduler.holder_count, run.checkpoints.least_bytes)
            run.checkpoints.allow(min(CHECKPOINT_SHARE * left, fair))

    def play(self) -> None:
        """Train on, until told otherwise or to the end."""
        self._start(None)

    def step(self, steps: int = 1) -> None:
        """Train exactly `steps` more steps, then pause. While it plays they count from the end of the turn under way.

        What was asked for before comes first: five calls are five steps, however long each takes.

        Raises:
            ValueError: `steps` is below 1.
        """
        if steps < 1:
            raise ValueError(f"steps: must be at least 1, got {steps}")
        with self._scheduler.changed:
            before = self._asked
            self._start(lambda: before() + steps)

    def step_epoch(self) -> None:
        """Train to the end of the present epoch, or of that in which what was asked for before ends, then pause."""
        run = self.run
        with self._scheduler.changed:
            before = self._asked
            self._start(lambda: run.schedule.steps(run.schedule.place(before())[0] + 1))

    def pause(self) -> None:
        with self._scheduler.changed:
            if self.state == "playing":
                self.state = "paused"
                self._scheduler.keep(self)

    def set_pace(self, steps_per_second: float | None) -> None:
        """From now on `play` does so many steps a second and no more, so that they can be watched; None: as many as it can.

        What a step computes does not change, nor how fast `step` and `step_epoch` are.

        Raises:
            ValueError: it is not a finite number above 0.
        """
        if steps_per_second is not None and not 0 < steps_per_second < math.inf:
            raise ValueError(f"steps_per_second: must be a finite number above 0, got {steps_per_second}")
        with self._scheduler.changed:
            if steps_per_second != self.pace:
                self.pace, self._next_step = steps_per_second, time.monotonic()
                self._rate.clear()
                if self.state == "playing":
                    self._scheduler.keep(self)

    def stop(self) -> None:
        """End for good. Curves, weights and predictions stay; what only training needs is given back."""
        with self._scheduler.changed:
            if not self.ended:
                self.state = "stopped"
                self._scheduler.keep(self)

    def change(self, change: Callable[[Run], None]) -> None:
        """Have `change` done to the run between two steps, whether it plays or rests: a weight set by hand, say.

        What `change` raises ends the run as a defect: check first what a person chose.
        """
        with self._scheduler.changed:
            if not self.ended:
                self._changes.append(change)
                self._scheduler.keep(self)

    def steer(self, **settings: Any) -> None:
        """Have the run go on with other settings from its next step on: `steer(lr=0.01)`.

        Raises:
            SpecError: what `Run.change` raises.
        """
        self.run.changed(**settings)
        self.change(lambda run: run.change(**settings))

    def look_inside(self) -> None:
        """Somebody looks inside: for some seconds from now on the run is inspected now and then, and at rest once."""
        with self._scheduler.changed:
            self.run.inspections.look()
            if self.state == "paused":
                self._scheduler.keep(self)

    def await_step(self, seconds: float) -> bool:
        """Wait until it has come further or rests, but not longer than this. Returns whether it has come further."""
        before = self.run.step
        with self._scheduler.changed:
            self._scheduler.changed.wait_for(lambda: self.run.step > before or not self.moving, seconds)
        return self.run.step > before

    def await_settings(self, seconds: float, **settings: Any) -> bool:
        """Wait until it goes on with these, but not longer than this. Returns whether it does."""
        with self._scheduler.changed:
            return self._scheduler.changed.wait_for(
                lambda: all(getattr(self.run.settings, name) == value for name, value in settings.items()), seconds
            )

    def snapshot(self) -> JobSnapshot:
        """The job as it stands; also tells it that somebody is looking."""
        run = self.run
        with self._scheduler.changed:
            self._somebody_looks()
            state, note, elapsed_seconds, images_per_second = self.state, self._note, self._played_seconds, self._images_per_second()
            sharing = len(self._scheduler.line) if state == "playing" else 0
            place = self._scheduler.place_of(self) if sharing > 1 else 0
        with run.lock:  # second, so that a job that has finished shows all it did
            history = run.history.snapshot()
            step, evaluation, stop_reason = run.step, run.evaluation, run.stop_reason
            inspections, checkpoint_steps, members = run.inspections.entries, run.checkpoints.steps, run.members
        epochs, images = run.schedule.place(step)
        remaining = run.networks * (run.train_count * (run.spec.epochs - epochs) - images)  # images
        return JobSnapshot(
            spec=run.spec,
            state=state,
            step=step,
            total_steps=run.total_steps,
            schedule=run.schedule,
            history=history,
            evaluation=evaluation,
            stop_reason=stop_reason,
            note=note,
            sharing=sharing,
            place=place,
            images_per_second=images_per_second,
            elapsed_seconds=elapsed_seconds,
            remaining_seconds=remaining / images_per_second if images_per_second else None,
            settings=replace(run.spec, **settings_after(history.changes)),
            inspections=inspections,
            checkpoint_steps=checkpoint_steps,
            members=members,
            planned=run.planned,
        )

    def rewound(self, step: int) -> Rewound:
        """The job as it stood at a kept step. The first time this takes up to a second of the caller's.

        Raises:
            ValueError: `step` is not one of `JobSnapshot.checkpoint_steps`.
        """
        kept = self._kept_steps.get(step) or self.run.kept_step(step)
        with self._scheduler.changed:
            self._kept_steps = dict([*self._kept_steps.items(), (step, kept)][-KEPT_READY:])
        now = self.snapshot()
        history = now.history.until(step)
        then = replace(
            now,
            state="paused",
            step=step,
            history=history,
            evaluation=kept.evaluation,
            stop_reason=None,
            note="",
            sharing=0,
            place=0,
            images_per_second=0.0,
            remaining_seconds=None,
            settings=replace(now.spec, **settings_after(history.changes)),
            inspections=(*(inspection for inspection in now.inspections if inspection.step < step), kept.inspection),
            checkpoint_steps=tuple(at for at in now.checkpoint_steps if at <= step),
        )
        return Rewound(then, kept.network)

    @property
    def _asked(self) -> Callable[[], int]:
        """The step after which it was asked to pause; where it was not, the one that it has come to."""
        run, goal = self.run, self._goal or 0
        if not self.stepping:
            return lambda: run.step
        return self._aim or (lambda: goal)

    def _start(self, aim: Callable[[], int] | None) -> None:
        with self._scheduler.changed:
            if self.ended:
                return
            self._goal, self._aim, self.state, self._note = None, aim, "playing", ""
            self._somebody_looks()
            self._rate.clear()
            self._next_step = time.monotonic()
            self._scheduler.keep(self)

    def _images_per_second(self) -> float:
        if len(self._rate) < 2 or self.state != "playing":
            return 0.0
        (start, first), (end, last) = self._rate[0], self._rate[-1]
        return (last - first) / (end - start) if end > start else 0.0
