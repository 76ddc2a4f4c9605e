"""The one `Scheduler` of a process: worker threads that give every job its turns.

One worker thread serves every job of the process. A thread a job would hold the same total throughput but make the server answer late
(ten sessions: 911 ms against 55 ms at the 95th percentile), so the jobs take turns, the one that has had the least time first.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import TYPE_CHECKING
from weakref import WeakSet

import torch

from mlp_core.runtime.memory import give_back
from mlp_core.words import Message, count

if TYPE_CHECKING:
    from mlp_core.jobs.scheduled import Job

IDLE_SECONDS = 2.0  # a worker with nothing to do for so long ends; the next job starts another
TIDY_SECONDS = 5.0  # between two times that freed memory is given back to the operating system
CLOSING_SECONDS = 5.0  # more than the longest step

_log = logging.getLogger(__name__)


class MemoryBudgetError(RuntimeError):
    """A network that does not fit into the memory that is left for networks. `str()` is a sentence for the person who wants it."""


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
        self._jobs: list[Job] = []
        self._in_turn: list[Job] = []
        self._least_seconds = 0.0  # that the job had used which was given the last turn
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._freed, self._tidied = False, -math.inf  # whether there is memory to give back; when that was done last
        self._admitted: WeakSet[Job] = WeakSet()

    @property
    def playing_count(self) -> int:
        return sum(job.state == "playing" for job in tuple(self._jobs))

    @property
    def holder_count(self) -> int:
        """How many jobs hold memory."""
        with self.changed:
            return sum(job.memory_bytes > 0 for job in self._admitted)

    @property
    def line(self) -> list[Job]:
        """All jobs that want turns, in the order in which each has its next one, by the rule that gives the turns.

        A turn under way comes first. A job that has had less time than another may have several turns before it.
        """
        with self.changed:
            now = time.monotonic()
            return [*self._in_turn, *sorted(self._waiting(), key=lambda job: _turn(job, now))]

    def place_of(self, job: Job) -> int:
        """The job's place in the line, counted from 1; 0 where it wants no turn."""
        line = self.line
        return line.index(job) + 1 if job in line else 0

    def admit(self, job: Job) -> float:
        """Make room for a new job. Returns the bytes that are left then, infinitely many without a limit.

        What jobs hold in their turns alone counts for as many of them as can have one at a time.

        Raises:
            MemoryBudgetError: there is none.
        """
        with self.changed:
            left = math.inf
            if self.memory_bytes is not None:
                held = sum(other.memory_bytes - other.turn_bytes for other in self._admitted)
                turns = sorted([job.turn_bytes, *(other.turn_bytes for other in self._admitted)])[-self._workers :]
                left = max(0, self.memory_bytes - held - sum(turns) + job.turn_bytes)
                if job.memory_bytes > left:
                    raise MemoryBudgetError(
                        Message(
                            "Training this network takes {needed} MB; of the {all} MB that this server has for all networks, {free} MB are "
                            "free. Choose narrower layers or a smaller batch",
                            needed=count(job.memory_bytes / 1e6), all=count(self.memory_bytes / 1e6), free=count(left / 1e6),
                        )
                    )  # fmt: skip
            self._admitted.add(job)
            return left - job.memory_bytes

    def keep(self, job: Job) -> None:
        """Take care of a job from now on, until it rests: give it turns while it moves, abandon it if it stays parked."""
        with self.changed:
            job.used_seconds = max(job.used_seconds, self._least_seconds)  # who comes, or comes back, claims no time from before
            if job not in self._jobs:
                self._jobs.append(job)
            while len(self._threads) < self._workers and not self._closed:
                thread = threading.Thread(target=self._work, name=f"training-{len(self._threads)}", daemon=True)
                thread.start()
                self._threads.append(thread)
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
        while self._give_turn():
            self._tidy(TIDY_SECONDS)
        self._tidy(0.0)

    def _give_turn(self) -> bool:
        """Give the next job its turn; False once there has been none to care for. Between turns no frame of ours holds a job."""
        job = self._next_job()
        if job is None:
            return False
        try:
            job.take_turn()
        except Exception:  # against its contract; the worker is everybody's and goes on without this job
            _log.exception("A job's turn failed")
            with self.changed:
                self._jobs.remove(job)
        finally:
            with self.changed:
                self._in_turn.remove(job)
                self.changed.notify_all()
        return True

    def _tidy(self, since: float) -> None:
        """Give freed memory back, unless that was done less than `since` seconds ago."""
        with self.changed:
            now = time.monotonic()
            due = self._freed and now - self._tidied >= since
            if due:
                self._freed, self._tidied = False, now
        if due:
            give_back()

    def _next_job(self) -> Job | None:
        with self.changed:
            while not self._closed:
                self._look_after()
                now, waiting = time.monotonic(), self._waiting()
                for resting in waiting:
                    if resting.due > now:  # it claims no time for what it let pass
                        resting.used_seconds = max(resting.used_seconds, self._least_seconds)
                job = min(waiting, key=lambda job: _turn(job, now), default=None)
                if job is not None and job.due <= now:
                    self._least_seconds = max(self._least_seconds, job.used_seconds)
                    self._in_turn.append(job)
                    return job
                timed_out = not self.changed.wait(IDLE_SECONDS if job is None else min(IDLE_SECONDS, job.due - now))
                if timed_out and not self._jobs:
                    break
            self._threads.remove(threading.current_thread())
            return None

    def _waiting(self) -> list[Job]:
        return [job for job in self._jobs if job.moving and job not in self._in_turn]

    def _look_after(self) -> None:
        for job in self._jobs:
            if job not in self._in_turn and job.expire():
                self._freed = True
        self._jobs = [job for job in self._jobs if job.moving or job.parked or job in self._in_turn]


def _turn(job: Job, now: float) -> tuple[float, float]:
    """What the jobs' turns are ordered by: when they are due, and among those that are due already, the time that they have had."""
    return max(job.due, now), job.used_seconds
