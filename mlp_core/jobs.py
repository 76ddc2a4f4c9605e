"""Runs that go on while nobody calls them: `TrainingJob`, and the one `Scheduler` that advances all of them in short turns.

One worker thread serves every job of the process. A thread a job would hold the same total throughput but make the server answer late
(ten sessions: 911 ms against 55 ms at the 95th percentile), so the jobs take turns of about 30 ms, the one that has had the least time
first. Knows nothing of pages and sessions.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakSet

import torch

from mlp_core.evaluation import Evaluation
from mlp_core.model import count
from mlp_core.records import HistorySnapshot, StopReason
from mlp_core.spec import RunSpec
from mlp_core.training import Run

TURN_SECONDS = 0.03  # turns of 100 ms made pages answer later and trained no faster
PARKED_SECONDS = 15.0  # a page refresh takes about one, a blip of bad Wi-Fi up to ten
UNWATCHED_SECONDS = 300.0  # a job that plays on while nobody has looked for so long is paused
IDLE_SECONDS = 2.0  # a worker with nothing to do for so long ends; the next job starts another
RATE_WINDOW = 100  # turns over which images a second are averaged: about 3 s

CLOSING_SECONDS = 5.0  # more than the longest step
DISCARDED = -math.inf

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job at one moment, safe to keep: later training does not change it.

    `state` is "ready", "playing", "paused", "finished" or "stopped"; `note` says why where nobody asked for that state;
    `sharing` counts the playing jobs that take turns, this one included.
    """

    spec: RunSpec
    state: str
    step: int
    total_steps: int
    steps_per_epoch: int
    history: HistorySnapshot
    evaluation: Evaluation | None
    stop_reason: StopReason | None
    note: str
    sharing: int
    images_per_second: float
    elapsed_seconds: float
    remaining_seconds: float | None

    @property
    def fraction_done(self) -> float:
        return self.step / self.total_steps


class MemoryBudgetError(RuntimeError):
    """A network that does not fit into the memory that is left for networks. `str()` is a sentence for the person who wants it."""


class TrainingJob:
    """A run under a scheduler: play, pause, step, stop. Every call returns at once and takes effect between two steps.

    Raises:
        MemoryBudgetError: the scheduler has no room for the network.
    """

    def __init__(self, run: Run, scheduler: Scheduler) -> None:
        self.run = run
        self._counts = count(run.spec, run.sizes)
        self.used_seconds = 0.0  # of the worker's time; decides whose turn is next
        self._scheduler = scheduler
        self._state = "ready"
        self._goal: int | None = None  # the step at which to pause
        self._note = ""
        self._seen = time.monotonic()
        self._holders: set[int] = set()
        self._parked_until: float | None = None
        self._rate: deque[tuple[float, int]] = deque(maxlen=RATE_WINDOW)
        self._changes: deque[Callable[[Run], None]] = deque()
        self._played_seconds = 0.0
        scheduler.admit(self)

    @property
    def memory_bytes(self) -> int:
        """What the job holds, or will once it plays: all that training needs; once it has ended, the weights alone."""
        if self._parked_until == DISCARDED:
            return 0
        if not self.run.finished:
            return self._counts.training_bytes
        return self._counts.weight_bytes if self.run.network is not None else 0

    @property
    def state(self) -> str:
        return self._state

    @property
    def ended(self) -> bool:
        """Whether it can not go on: its run has ended or it was stopped."""
        return self._state in ("finished", "stopped")

    @property
    def moving(self) -> bool:
        """Whether there is work for a worker: it plays, is to be changed, or rests with predictions that are older than its weights."""
        resting = self._state in ("paused", "stopped") and not self.run.evaluated
        return self._state == "playing" or resting or bool(self._changes)

    def play(self) -> None:
        """Train on, until told otherwise or to the end."""
        self._start(goal=None)

    def step(self, steps: int = 1) -> None:
        """Train exactly `steps` more steps, then pause.

        Raises:
            ValueError: `steps` is below 1.
        """
        if steps < 1:
            raise ValueError(f"steps: must be at least 1, got {steps}")
        self._start(goal=self.run.step + steps)

    def step_epoch(self) -> None:
        """Train to the end of the present epoch, then pause."""
        self.step(self.run.steps_per_epoch - self.run.step % self.run.steps_per_epoch)

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

    def change(self, change: Callable[[Run], None]) -> None:
        """Have `change` done to the run between two steps, whether it plays or rests: a weight set by hand, say."""
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

    def discard(self) -> None:
        """Nobody wants the job any more: abandon it at once."""
        with self._scheduler.changed:
            self._parked_until = DISCARDED
            self._scheduler.keep(self)

    def snapshot(self) -> JobSnapshot:
        """The job as it stands; also tells it that somebody is looking."""
        self._seen = time.monotonic()
        run = self.run
        with run.lock:
            history = run.history.snapshot()
            step, evaluation, stop_reason = run.step, run.evaluation, run.stop_reason
        images_per_second = self._images_per_second()
        remaining = run.train_count * run.spec.epochs * (1 - step / run.total_steps)
        return JobSnapshot(
            spec=run.spec,
            state=self._state,
            step=step,
            total_steps=run.total_steps,
            steps_per_epoch=run.steps_per_epoch,
            history=history,
            evaluation=evaluation,
            stop_reason=stop_reason,
            note=self._note,
            sharing=self._scheduler.playing_count if self._state == "playing" else 0,
            images_per_second=images_per_second,
            elapsed_seconds=self._played_seconds,
            remaining_seconds=remaining / images_per_second if images_per_second else None,
        )

    def _start(self, goal: int | None) -> None:
        with self._scheduler.changed:
            if self.ended:
                return
            self._goal, self._state, self._note = goal, "playing", ""
            self._seen = time.monotonic()
            self._rate.clear()
            self._scheduler.keep(self)

    def _images_per_second(self) -> float:
        turns = tuple(self._rate)
        if len(turns) < 2 or self._state != "playing":
            return 0.0
        (start, first), (end, last) = turns[0], turns[-1]
        return (last - first) / (end - start) if end > start else 0.0

    # What follows is called by the scheduler alone.

    @property
    def parked(self) -> bool:
        return self._parked_until is not None

    def expire(self) -> None:
        """Abandon what nobody claimed; pause what nobody watches."""
        now = time.monotonic()
        if self._parked_until is not None and now > self._parked_until:
            self._parked_until = None
            self._state = "stopped"
            self.run.abandon()
        elif self._state == "playing" and now - self._seen > UNWATCHED_SECONDS:
            self._state, self._note = "paused", f"Paused, because nobody looked for {UNWATCHED_SECONDS / 60:.0f} minutes."

    def take_turn(self) -> None:
        """Work for one turn: train, or, at rest, test the network as it stands."""
        run, started = self.run, time.perf_counter()
        try:
            while self._changes:
                self._changes.popleft()(run)
            if self._state == "playing":
                run.advance(steps=None if self._goal is None else self._goal - run.step, seconds=TURN_SECONDS)
            else:
                run.evaluate(seconds=TURN_SECONDS)
        except Exception as error:  # a defect: this job ends with an explanation, the others go on
            _log.exception("A training step failed")
            run.stop("failed", f"Stopped at step {run.step} by a defect ({type(error).__name__}); the curves up to there are kept.")
        now = time.perf_counter()
        self.used_seconds += now - started
        self._played_seconds += now - started
        self._rate.append((now, run.images_seen))

    def settle(self) -> None:
        """Take the state that the last turn led to."""
        if self._state == "playing" and self.run.finished:
            self._state = "finished"
        elif self._state == "playing" and self._goal is not None and self.run.step >= self._goal and not self.run.testing:
            self._state = "paused"
        elif self._state == "stopped" and self.run.evaluated:
            self.run.stop("stopped", f"Stopped at step {self.run.step}.")


class Scheduler:
    """Advances all playing jobs of a process in turn. Fair by time: the job that has had the least of it goes next.

    Its threads start with the first job and end when there is nothing left to do.

    Args:
        workers: threads; one keeps pages quickest, two train more where cores are idle.
        memory_bytes: how much the networks of all jobs may hold together; None for no limit.
    """

    def __init__(self, workers: int = 1, memory_bytes: int | None = None) -> None:
        self.memory_bytes = memory_bytes
        self.changed = threading.Condition(threading.RLock())
        self._workers = workers
        self._jobs: list[TrainingJob] = []
        self._in_turn: list[TrainingJob] = []
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._admitted: WeakSet[TrainingJob] = WeakSet()

    @property
    def playing_count(self) -> int:
        return sum(job.state == "playing" for job in tuple(self._jobs))

    @property
    def thread_count(self) -> int:
        return len(self._threads)

    def admit(self, job: TrainingJob) -> None:
        """Make room for a new job.

        Raises:
            MemoryBudgetError: there is none.
        """
        with self.changed:
            if self.memory_bytes is not None:
                left = max(0, self.memory_bytes - sum(other.memory_bytes for other in self._admitted))
                if job.memory_bytes > left:
                    raise MemoryBudgetError(
                        f"Training this network takes {job.memory_bytes / 1e6:,.0f} MB; of the {self.memory_bytes / 1e6:,.0f} MB that this "
                        f"server has for all networks, {left / 1e6:,.0f} MB are free. Choose narrower layers or a smaller batch"
                    )
            self._admitted.add(job)

    def keep(self, job: TrainingJob) -> None:
        """Take care of a job from now on, until it rests: give it turns while it plays, abandon it if it stays parked."""
        with self.changed:
            if job not in self._jobs:
                shares = [other.used_seconds for other in self._jobs if other.moving]
                job.used_seconds = max(job.used_seconds, min(shares, default=0.0))  # a newcomer claims no time from before it came
                self._jobs.append(job)
            while len(self._threads) < self._workers and not self._closed:
                thread = threading.Thread(target=self._work, name=f"training-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self.changed.notify_all()

    def close(self) -> None:
        """End the threads after the turns that they are in, and give no more. Called before the process ends: a thread that is inside
        torch at that moment would take it down with an abort.
        """
        with self.changed:
            self._closed = True
            self.changed.notify_all()
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(timeout=CLOSING_SECONDS)

    def _work(self) -> None:
        torch.set_num_threads(1)
        while (job := self._next_turn()) is not None:
            job.take_turn()
            with self.changed:
                self._in_turn.remove(job)
                job.settle()
                self.changed.notify_all()

    def _next_turn(self) -> TrainingJob | None:
        """Wait for the next job to advance; None once there has been none to care for."""
        with self.changed:
            while not self._closed:
                for job in self._jobs:
                    if job not in self._in_turn:
                        job.expire()
                self._jobs = [job for job in self._jobs if job.moving or job.parked or job in self._in_turn]
                waiting = [job for job in self._jobs if job.moving and job not in self._in_turn]
                if waiting:
                    job = min(waiting, key=lambda job: job.used_seconds)
                    self._in_turn.append(job)
                    return job
                timed_out = not self.changed.wait(IDLE_SECONDS)
                if timed_out and not self._jobs:
                    break
            self._threads.remove(threading.current_thread())
            return None
