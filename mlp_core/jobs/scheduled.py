"""`Job`: what a scheduler gives turns to, and its `Lifetime`, which ends when nobody holds it. `ScheduledRun`: a run as such a job."""

from __future__ import annotations

import logging
import math
import time
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from mlp_core.jobs.scheduler import Scheduler
from mlp_core.training import ends
from mlp_core.training.run import Run
from mlp_core.training.state import KeptStep
from mlp_core.words import Message, count

TURN_SECONDS = 0.03  # turns of 100 ms made pages answer later and trained no faster
PARKED_SECONDS = 15.0  # a page refresh takes about one, a blip of bad Wi-Fi up to ten
UNWATCHED_SECONDS = 300.0  # a job that plays on while nobody has looked for so long is paused
RATE_WINDOW = 100  # turns over which images a second are averaged: about 3 s
DISCARDED = -math.inf

_log = logging.getLogger(__name__)


class Lifetime:
    """How long a job lives: as long as somebody holds it, and `PARKED_SECONDS` more for who comes back. Then it is abandoned."""

    def __init__(self, job: Job, scheduler: Scheduler) -> None:
        self._job, self._scheduler = weakref.ref(job), scheduler  # weak, so that a job that nobody holds goes at once
        self._holders: set[int] = set()
        self.ends: float | None = None  # by `time.monotonic`; None while somebody holds the job, or nobody has yet

    def claim(self, holder: object) -> None:
        """`holder` holds the job (again); what is held is not abandoned."""
        with self._scheduler.changed:
            self._holders.add(id(holder))
            self.ends = None

    def park(self, holder: object) -> None:
        """`holder` lets go. Unless somebody holds the job or claims it within `PARKED_SECONDS`, it is abandoned."""
        self._let_go(holder, time.monotonic() + PARKED_SECONDS)

    def give_up(self, holder: object) -> None:
        """`holder` wants the job no more: it is abandoned at once, unless somebody else holds it too."""
        self._let_go(holder, DISCARDED)

    def over(self) -> bool:
        """Whether nobody claimed the job in time; said once."""
        if self.ends is None or time.monotonic() <= self.ends:
            return False
        self.ends = None
        return True

    def _let_go(self, holder: object, ends: float) -> None:
        with self._scheduler.changed:
            self._holders.discard(id(holder))
            if not self._holders:
                self.ends = ends
                if (job := self._job()) is not None:
                    self._scheduler.keep(job)


class Job(ABC):
    """What takes turns. Its scheduler calls `take_turn` without its lock, and holds it for all else.

    Attributes:
        lifetime: who holds it; `claim` it and `park` it there.
        state: "playing" while it wants turns for training.
        used_seconds: of a worker's time, after the turn that builds its network; decides whose turn is next.
    """

    state: str

    def __init__(self, scheduler: Scheduler) -> None:
        self.lifetime, self.used_seconds = Lifetime(self, scheduler), 0.0
        self._scheduler = scheduler

    @property
    def memory_bytes(self) -> int:
        """What it holds, or will once it plays."""
        return 0

    @property
    def turn_bytes(self) -> int:
        """How much of that it holds in its turns alone."""
        return 0

    @property
    @abstractmethod
    def moving(self) -> bool:
        """Whether it wants turns."""

    @property
    def due(self) -> float:
        """When it wants its next turn, by `time.monotonic`; in the past where it waits for one."""
        return -math.inf

    @property
    def parked(self) -> bool:
        """Whether it waits to be abandoned, and so has to be looked after although it may rest."""
        return self.lifetime.ends is not None

    @abstractmethod
    def expire(self) -> bool:
        """Give up what nobody claimed or watched in time. Returns whether that has freed memory."""

    @abstractmethod
    def take_turn(self) -> None:
        """Work for a short time, add it to `used_seconds`, and take the state that it led to."""

    def await_rest(self, seconds: float) -> bool:
        """Wait until no worker has to do with it, but not longer than this. Returns whether it rests."""
        with self._scheduler.changed:
            return self._scheduler.changed.wait_for(lambda: not self.moving, seconds)


class ScheduledRun(Job):
    """A run as a scheduler sees it, and nothing that a person does to it, which is `TrainingJob`.

    Attributes:
        run: what is trained.
        state: "ready", "playing", "paused", "finished" or "stopped".
        pace: steps a second while it plays on; None for as many as it can.
    """

    def __init__(self, run: Run, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self.run = run
        self.state, self._note = "ready", ""
        self.pace: float | None = None
        self._next_step = 0.0  # when the next one is due by that, by `time.monotonic`
        self._goal: int | None = None  # the step at which to pause
        self._aim: Callable[[], int] | None = None  # the goal, once the turn under way has ended
        self._changes: list[Callable[[Run], None]] = []
        self._in_turn = False
        self._seen = time.monotonic()  # when somebody looked last
        self._played_seconds = 0.0
        self._rate: deque[tuple[float, int]] = deque(maxlen=RATE_WINDOW)
        self._kept_steps: dict[int, KeptStep] = {}

    @property
    def memory_bytes(self) -> int:
        """What the job holds, or will once it plays: what training needs, and checkpoints; once it has ended, weights and checkpoints."""
        if self.lifetime.ends == DISCARDED:
            return 0
        run, weights = self.run, self.run.counts.weight_bytes
        kept = len(self._kept_steps) * weights
        if not run.finished:
            return run.networks * run.counts.state_bytes + self.turn_bytes + run.checkpoints.planned_bytes + kept
        trained = run.networks * weights if run.network is not None else 0
        return trained + run.checkpoints.memory_bytes + kept

    @property
    def turn_bytes(self) -> int:
        if self.run.finished or self.lifetime.ends == DISCARDED:
            return 0
        return self.run.networks * self.run.counts.activation_bytes + self.run.counts.working_bytes

    @property
    def ended(self) -> bool:
        """Whether it can not go on: its run has ended or it was stopped."""
        return self.state in ("finished", "stopped")

    @property
    def stepping(self) -> bool:
        """Whether it plays only as far as was asked for."""
        return self.state == "playing" and (self._goal is not None or self._aim is not None)

    @property
    def moving(self) -> bool:
        """Whether a worker has to do with it: it plays, is to be changed or to end, or rests with predictions older than its weights."""
        if self.state == "playing" or self._in_turn or self._changes:
            return True
        return (self.state == "paused" and not self.run.evaluated) or (self.state == "stopped" and not self.run.finished)

    @property
    def due(self) -> float:
        """When it wants its next turn, by `time.monotonic`: at once, unless it plays on at a pace. Tests and changes keep none."""
        paced = self.state == "playing" and self.pace is not None and not self.stepping
        return self._next_step if paced and not self._changes and not self.run.testing else -math.inf

    def expire(self) -> bool:
        """Abandon what nobody claimed; pause what nobody watches. Returns whether it was abandoned, which frees its memory."""
        if self.lifetime.over():
            self.state = "finished" if self.state == "finished" else "stopped"
            self.run.abandon()
            self._kept_steps = {}
            return True
        if self.state == "playing" and time.monotonic() - self._seen > UNWATCHED_SECONDS:
            self.state = "paused"
            self._note = Message("Paused, because nobody looked for {minutes} minutes.", minutes=count(UNWATCHED_SECONDS / 60))
        return False

    def take_turn(self) -> None:
        """Work for one turn: train, or, at rest, test the network as it stands."""
        run, started, first = self.run, time.perf_counter(), self.run.step
        try:
            for work in self._next_work():
                work(run)
        except Exception as error:  # a defect: this job ends with an explanation, the others go on
            _log.exception("A training step failed")
            run.stop("failed", ends.failed(run.step, error))
        now = time.perf_counter()
        with self._scheduler.changed:
            self.used_seconds += now - started if first else 0.0  # a turn that builds the network, the process's first its kernels too
            self._played_seconds += now - started
            self._rate.append((now, run.images_seen))
            if self.pace is not None:  # what is late stays late: no burst makes up for it
                self._next_step = max(self._next_step + (run.step - first) / self.pace, time.monotonic())
            self._in_turn = False
            self._settle()

    def _somebody_looks(self) -> None:
        self._seen = time.monotonic()

    def _next_work(self) -> list[Callable[[Run], None]]:
        """What a turn has to do, decided at its beginning: a call that comes during the turn takes effect after it."""
        with self._scheduler.changed:
            self._in_turn = True
            changes, self._changes = self._changes, []
            if self.state != "playing":
                return [*changes, lambda run: run.evaluate(seconds=TURN_SECONDS)]
            if self._aim is not None:
                self._goal, self._aim = self._aim(), None
            steps = self._steps_due() if self._goal is None else self._goal - self.run.step
            return [*changes, lambda run: run.advance(steps=steps, seconds=TURN_SECONDS)]

    def _steps_due(self) -> int | None:
        """How many steps the pace asks for by now; None for as many as it can."""
        if self.pace is None:
            return None
        return max(0, math.floor((time.monotonic() - self._next_step) * self.pace) + 1)

    def _settle(self) -> None:
        """Take the state that the turn led to."""
        run = self.run
        if self.state == "stopped" and run.evaluated:
            run.stop("stopped", ends.stopped(run.step))
        elif run.finished and not self.ended:
            self.state = "finished"
        elif self.state == "playing" and self._goal is not None and run.step >= self._goal and not run.testing:
            self.state = "paused"
