"""Runs that go on while nobody calls them: `TrainingJob`, driven by a person and advanced by a `Scheduler` in short turns.

Knows nothing of pages and sessions.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from mlp_core.jobs.scheduler import MemoryBudgetError, Scheduler
from mlp_core.jobs.snapshot import JobSnapshot, Rewound, lr_after, rewound
from mlp_core.training.checkpoints import KeptStep
from mlp_core.training.run import Run

__all__ = ["JobSnapshot", "MemoryBudgetError", "Rewound", "Scheduler", "TrainingJob"]

TURN_SECONDS = 0.03  # turns of 100 ms made pages answer later and trained no faster
PARKED_SECONDS = 15.0  # a page refresh takes about one, a blip of bad Wi-Fi up to ten
UNWATCHED_SECONDS = 300.0  # a job that plays on while nobody has looked for so long is paused
RATE_WINDOW = 100  # turns over which images a second are averaged: about 3 s
CHECKPOINT_SHARE = 0.1  # of the memory that is left when a job comes; what it does not need to train stays for others
CHECKPOINT_POOL = 64_000_000  # bytes for the checkpoints of all jobs, in equal parts: of a class of thirty each has few
KEPT_READY = 2  # steps that were gone back to last

DISCARDED = -math.inf

_log = logging.getLogger(__name__)


class TrainingJob:
    """A run under a scheduler: play, pause, step, stop. Every call returns at once and takes effect between two steps.

    Raises:
        MemoryBudgetError: the scheduler has no room for the network.
    """

    def __init__(self, run: Run, scheduler: Scheduler) -> None:
        self.run = run
        self.used_seconds = 0.0  # of the worker's time; decides whose turn is next
        self._scheduler = scheduler
        self._state = "ready"
        self._goal: int | None = None  # the step at which to pause
        self._aim: Callable[[], int] | None = None  # the goal, once the turn under way has ended
        self._note = ""
        self._seen = time.monotonic()
        self._holders: set[int] = set()
        self._parked_until: float | None = None
        self._rate: deque[tuple[float, int]] = deque(maxlen=RATE_WINDOW)
        self._changes: list[Callable[[Any], None]] = []
        self._in_turn = False
        self._played_seconds = 0.0
        self._kept_steps: dict[int, KeptStep] = {}
        with scheduler.changed:
            run.checkpoints.allow(0)
            left = scheduler.admit(self)
            fair = max(CHECKPOINT_POOL / scheduler.holder_count, run.checkpoints.least_bytes)
            run.checkpoints.allow(min(CHECKPOINT_SHARE * left, fair))

    @property
    def memory_bytes(self) -> int:
        """What the job holds, or will once it plays: what training needs, and checkpoints; once it has ended, weights and checkpoints."""
        if self._parked_until == DISCARDED:
            return 0
        run, weights = self.run, self.run.counts.weight_bytes
        kept = len(self._kept_steps) * weights
        if not run.finished:
            return run.networks * run.counts.training_bytes + run.checkpoints.planned_bytes + kept
        trained = run.networks * weights if run.network is not None else 0
        return trained + run.checkpoints.memory_bytes + kept

    @property
    def state(self) -> str:
        return self._state

    @property
    def ended(self) -> bool:
        """Whether it can not go on: its run has ended or it was stopped."""
        return self._state in ("finished", "stopped")

    @property
    def moving(self) -> bool:
        """Whether a worker has to do with it: it plays, is to be changed or to end, or rests with predictions older than its weights."""
        if self._state == "playing" or self._in_turn or self._changes:
            return True
        return (self._state == "paused" and not self.run.evaluated) or (self._state == "stopped" and not self.run.finished)

    def play(self) -> None:
        """Train on, until told otherwise or to the end."""
        self._start(None)

    def step(self, steps: int = 1) -> None:
        """Train exactly `steps` more steps, then pause. While it plays they count from the end of the turn under way.

        Raises:
            ValueError: `steps` is below 1.
        """
        if steps < 1:
            raise ValueError(f"steps: must be at least 1, got {steps}")
        run = self.run
        self._start(lambda: run.step + steps)

    def step_epoch(self) -> None:
        """Train to the end of the present epoch, then pause."""
        run, length = self.run, self.run.steps_per_epoch
        self._start(lambda: (run.step // length + 1) * length)

    def await_rest(self, seconds: float) -> bool:
        """Wait until no worker has to do with it, but not longer than this. Returns whether it rests."""
        with self._scheduler.changed:
            return self._scheduler.changed.wait_for(lambda: not self.moving, seconds)

    def await_step(self, seconds: float) -> bool:
        """Wait until it has come further or rests, but not longer than this. Returns whether it has come further."""
        before = self.run.step
        with self._scheduler.changed:
            self._scheduler.changed.wait_for(lambda: self.run.step > before or not self.moving, seconds)
        return self.run.step > before

    def pause(self) -> None:
        with self._scheduler.changed:
            if self._state == "playing":
                self._state = "paused"
                self._scheduler.keep(self)

    def stop(self) -> None:
        """End for good. Curves, weights and predictions stay; what only training needs is given back."""
        with self._scheduler.changed:
            if not self.ended:
                self._state = "stopped"
                self._scheduler.keep(self)

    def change(self, change: Callable[[Any], None]) -> None:
        """Have `change` done to the run, of whatever kind it is, between two steps, whether it plays or rests: a weight set by hand, say.

        What `change` raises ends the run as a defect: check first what a person chose.
        """
        with self._scheduler.changed:
            if not self.ended:
                self._changes.append(change)
                self._scheduler.keep(self)

    def claim(self, holder: object) -> None:
        """`holder` holds the job (again); what is held is not abandoned."""
        with self._scheduler.changed:
            self._holders.add(id(holder))
            self._parked_until = None

    def park(self, holder: object) -> None:
        """`holder` lets go. Unless somebody holds the job or claims it within `PARKED_SECONDS`, it is abandoned."""
        with self._scheduler.changed:
            self._holders.discard(id(holder))
            if not self._holders:
                self._parked_until = time.monotonic() + PARKED_SECONDS
                self._scheduler.keep(self)

    def give_up(self, holder: object) -> None:
        """`holder` wants the job no more: it is abandoned at once, unless somebody else holds it too."""
        with self._scheduler.changed:
            self._holders.discard(id(holder))
            if not self._holders:
                self.discard()

    def discard(self) -> None:
        """Nobody wants the job any more: abandon it at once."""
        with self._scheduler.changed:
            self._parked_until = DISCARDED
            self._scheduler.keep(self)

    def look_inside(self) -> None:
        """Somebody looks inside: for some seconds from now on the run is inspected now and then, and at rest once."""
        with self._scheduler.changed:
            self.run.inspections.look()
            if self._state == "paused":
                self._scheduler.keep(self)

    def rewound(self, step: int) -> Rewound:
        """The job as it stood at a kept step. The first time this takes up to a second of the caller's.

        Raises:
            ValueError: `step` is not one of `JobSnapshot.checkpoint_steps`.
        """
        kept = self._kept_steps.get(step) or self.run.kept_step(step)
        with self._scheduler.changed:
            self._kept_steps = dict([*self._kept_steps.items(), (step, kept)][-KEPT_READY:])
        return rewound(self.snapshot(), kept, step)

    def snapshot(self) -> JobSnapshot:
        """The job as it stands; also tells it that somebody is looking."""
        run = self.run
        with self._scheduler.changed:
            self._seen = time.monotonic()
            state, note, elapsed_seconds, images_per_second = self._state, self._note, self._played_seconds, self._images_per_second()
            sharing = len(self._scheduler.line) if state == "playing" else 0
            place = self._scheduler.place_of(self) if sharing > 1 else 0
        with run.lock:  # second, so that a job that has finished shows all it did
            history = run.history.snapshot()
            step, evaluation, stop_reason = run.step, run.evaluation, run.stop_reason
            inspections, checkpoint_steps, members = run.inspections.entries, run.checkpoints.steps, run.members
        remaining = run.networks * run.train_count * run.spec.epochs * (1 - step / run.total_steps)  # images
        return JobSnapshot(
            spec=run.spec,
            state=state,
            step=step,
            total_steps=run.total_steps,
            steps_per_epoch=run.steps_per_epoch,
            history=history,
            evaluation=evaluation,
            stop_reason=stop_reason,
            note=note,
            sharing=sharing,
            place=place,
            images_per_second=images_per_second,
            elapsed_seconds=elapsed_seconds,
            remaining_seconds=remaining / images_per_second if images_per_second else None,
            lr=lr_after(run.spec, history),
            inspections=inspections,
            checkpoint_steps=checkpoint_steps,
            members=members,
        )

    def _start(self, aim: Callable[[], int] | None) -> None:
        with self._scheduler.changed:
            if self.ended:
                return
            self._goal, self._aim, self._state, self._note = None, aim, "playing", ""
            self._seen = time.monotonic()
            self._rate.clear()
            self._scheduler.keep(self)

    def _images_per_second(self) -> float:
        if len(self._rate) < 2 or self._state != "playing":
            return 0.0
        (start, first), (end, last) = self._rate[0], self._rate[-1]
        return (last - first) / (end - start) if end > start else 0.0

    # What follows is called by the scheduler alone.

    @property
    def parked(self) -> bool:
        return self._parked_until is not None

    def expire(self) -> bool:
        """Abandon what nobody claimed; pause what nobody watches. Returns whether it was abandoned, which frees its memory."""
        now = time.monotonic()
        if self._parked_until is not None and now > self._parked_until:
            self._parked_until = None
            self._state = "finished" if self._state == "finished" else "stopped"
            self.run.abandon()
            self._kept_steps = {}
            return True
        if self._state == "playing" and now - self._seen > UNWATCHED_SECONDS:
            self._state, self._note = "paused", f"Paused, because nobody looked for {UNWATCHED_SECONDS / 60:.0f} minutes."
        return False

    def take_turn(self) -> None:
        """Work for one turn: train, or, at rest, test the network as it stands."""
        run, started = self.run, time.perf_counter()
        try:
            for work in self._next_work():
                work(run)
        except Exception as error:  # a defect: this job ends with an explanation, the others go on
            _log.exception("A training step failed")
            run.stop("failed", f"Stopped at step {run.step} by a defect ({type(error).__name__}); the curves up to there are kept.")
        now = time.perf_counter()
        with self._scheduler.changed:
            self.used_seconds += now - started
            self._played_seconds += now - started
            self._rate.append((now, run.images_seen))
            self._in_turn = False
            self._settle()

    def _next_work(self) -> list[Callable[[Any], None]]:
        """What a turn has to do, decided at its beginning: a call that comes during the turn takes effect after it."""
        with self._scheduler.changed:
            self._in_turn = True
            changes, self._changes = self._changes, []
            if self._state != "playing":
                return [*changes, lambda run: run.evaluate(seconds=TURN_SECONDS)]
            if self._aim is not None:
                self._goal, self._aim = self._aim(), None
            steps = None if self._goal is None else self._goal - self.run.step
            return [*changes, lambda run: run.advance(steps=steps, seconds=TURN_SECONDS)]

    def _settle(self) -> None:
        """Take the state that the turn led to."""
        run = self.run
        if self._state == "stopped" and run.evaluated:
            run.stop("stopped", f"Stopped at step {run.step}.")
        elif run.finished and not self.ended:
            self._state = "finished"
        elif self._state == "playing" and self._goal is not None and run.step >= self._goal and not run.testing:
            self._state = "paused"
