"""The scheduler shares time fairly, ends its threads, holds nothing that nobody wants, and keeps networks within their memory."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate, combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.jobs import TrainingJob, scheduled
from mlp_core.jobs.scheduler import MemoryBudgetError, Scheduler
from mlp_core.network import count
from mlp_core.training import Run
from tests.support.clockwork import Clockwork, played
from tests.support.engine import SPEC, Gate, clouds, discard, finished, record_of, until

pytestmark = pytest.mark.usefixtures("impatient_workers")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(costs=st.lists(st.floats(0.001, 1.0), min_size=2, max_size=5))
def test_jobs_have_had_the_same_time_to_within_one_turn(costs: list[float]) -> None:
    order: list[str] = []
    pool = [Clockwork(str(i), cost, 20, order) for i, cost in enumerate(costs)]
    played(Scheduler(), *pool)
    used = {job.name: list(accumulate((job.cost if name == job.name else 0.0 for name in order), initial=0.0)) for job in pool}
    last = {job.name: len(order) - order[::-1].index(job.name) for job in pool}  # a job that has ended no longer takes part
    for a, b in combinations(pool, 2):
        for moment in range(min(last[a.name], last[b.name])):
            assert abs(used[a.name][moment] - used[b.name][moment]) <= max(a.cost, b.cost) + 1e-9


def test_a_newcomer_claims_no_time_from_before_it_came() -> None:
    order: list[str] = []
    one = Scheduler()
    new = Clockwork("new", 1.0, 50, order)
    old = Clockwork("old", 1.0, 150, order, lambda: one.keep(new) if len(order) == 100 else None)
    one.keep(old)
    until(lambda: len(one._threads) == 0)
    together = order[100:200]
    assert abs(together.count("old") - together.count("new")) <= 2


def test_who_comes_back_does_not_pay_for_time_used_alone() -> None:
    order: list[str] = []
    one = Scheduler()
    old = Clockwork("old", 1.0, 100, order)
    one.keep(old)
    until(lambda: len(one._threads) == 0)

    def return_old() -> None:
        if len(order) == 110:
            old.turns = 50
            one.keep(old)

    one.keep(Clockwork("new", 1.0, 60, order, return_old))
    until(lambda: len(one._threads) == 0)
    together = Counter(order[110:200])
    assert abs(together["old"] - together["new"]) <= 2


def test_who_rests_while_looked_after_saves_no_time() -> None:
    order: list[str] = []
    one = Scheduler()
    resting = Clockwork("resting", 1.0, 1, order)
    resting.parked = True

    def wake() -> None:
        if len(order) == 100:
            resting.turns = 50
            one.keep(resting)

    busy = Clockwork("busy", 1.0, 150, order, wake)
    with one.changed:
        one.keep(resting)
        one.keep(busy)
    until(lambda: len(order) == 201)
    one.close()
    together = Counter(order[100:190])
    assert abs(together["busy"] - together["resting"]) <= 2


@pytest.mark.parametrize("workers", [1, 2])
def test_equal_jobs_advance_together(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled, "TURN_SECONDS", 0.002)
    many = Scheduler(workers)
    pool = [TrainingJob(Run(replace(SPEC, epochs=100), clouds()), many) for _ in range(4)]
    with many.changed:
        for job in pool:
            job.play()
    assert pool[0].snapshot().sharing == 4
    until(lambda: any(job.ended for job in pool))
    steps = [job.run.step for job in pool]
    until(lambda: all(job.ended for job in pool))
    assert max(steps) == 400
    assert min(steps) > 100, "a job had less than a quarter of another's time"
    assert pool[0].snapshot().sharing == 0
    whole = finished(replace(SPEC, epochs=100))
    assert all(record_of(job.run) == record_of(whole) for job in pool)


def test_two_workers_advance_two_jobs_at_once_and_never_one_twice() -> None:
    two = Scheduler(workers=2)
    pool = [TrainingJob(Run(SPEC, clouds()), two) for _ in range(2)]
    gates = [Gate(job.run) for job in pool]
    for job in pool:
        job.play()
    for gate in gates:
        gate.await_step()  # both are inside a step
    assert len(two._threads) == 2
    for gate in gates:
        gate.let()
    until(lambda: all(job.ended for job in pool))
    assert all(record_of(job.run) == record_of(finished()) for job in pool)
    two.close()


def test_threads_end_with_the_work_and_start_with_the_next() -> None:
    one, before = Scheduler(), threading.enumerate()
    assert len(one._threads) == 0
    for _ in range(2):
        job = TrainingJob(Run(SPEC, clouds()), one)
        job.play()
        until(lambda job=job: job.ended)  # type: ignore[misc]
        until(lambda: len(one._threads) == 0)
    until(lambda: set(threading.enumerate()) <= set(before))


def test_a_thread_that_cannot_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    one = Scheduler()
    job = TrainingJob(Run(SPEC, clouds()), one)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            job.play()
    job.play()
    until(lambda: job.ended)


def test_closing_ends_the_threads_after_their_turn() -> None:
    one = Scheduler()
    job = TrainingJob(Run(replace(SPEC, epochs=2000), clouds()), one)
    job.play()
    until(lambda: job.run.step > 0)
    one.close()
    assert len(one._threads) == 0
    step = job.run.step
    job.play()
    assert len(one._threads) == 0
    assert job.run.step == step < 8000


def test_a_waiting_worker_holds_no_job() -> None:
    one = Scheduler()
    parked = TrainingJob(Run(SPEC, clouds()), one)
    parked.lifetime.park(object())  # keeps the worker waiting

    def forgotten() -> weakref.ref[TrainingJob]:
        job = TrainingJob(Run(SPEC, clouds()), one)
        job.play()
        until(lambda: job.ended)
        return weakref.ref(job)

    job = forgotten()
    until(lambda: job() is None)
    assert len(one._threads) == 1
    one.close()


class TestMemory:
    """Of a network 6-8-3 with SGD on batches of 16: 83 parameters and their gradients are held, all else in its turns alone."""

    HELD, TURN = 4 * 2 * 83, count(SPEC, (6, 8, 3)).training_bytes - 4 * 2 * 83
    BYTES = HELD + TURN

    def job(self, budget: Scheduler) -> TrainingJob:
        return TrainingJob(Run(SPEC, clouds()), budget)

    def test_is_given_until_there_is_none(self) -> None:
        budget = Scheduler(memory_bytes=2 * self.HELD + self.TURN)
        first, second = self.job(budget), self.job(budget)
        assert first.memory_bytes == second.memory_bytes == self.BYTES
        with pytest.raises(MemoryBudgetError, match="0 MB are free"):
            self.job(budget)

    def test_of_a_turn_is_counted_for_every_worker(self) -> None:
        budget = Scheduler(workers=2, memory_bytes=2 * self.BYTES)
        first, second = self.job(budget), self.job(budget)
        assert first.turn_bytes == second.turn_bytes == self.TURN
        with pytest.raises(MemoryBudgetError):
            self.job(budget)

    def test_comes_back_from_a_job_that_was_discarded_or_forgotten(self) -> None:
        budget = Scheduler(memory_bytes=self.BYTES)
        first = self.job(budget)
        with budget.changed:  # so that no worker gets to it
            discard(first)
            second = self.job(budget)
        del second
        gc.collect()
        self.job(budget)
        budget.close()

    @pytest.mark.parametrize("end", [TrainingJob.play, TrainingJob.stop])
    def test_comes_back_but_for_the_weights_from_a_job_that_ended(self, end: Callable[[TrainingJob], None]) -> None:
        budget = Scheduler(memory_bytes=self.BYTES + 4 * 83)
        first = self.job(budget)
        first.step()
        until(lambda: not first.moving)
        with pytest.raises(MemoryBudgetError):
            self.job(budget)
        end(first)
        until(lambda: not first.moving)
        assert first.memory_bytes == 4 * 83
        self.job(budget)
        budget.close()


def test_jobs_need_no_screen() -> None:
    code = "import sys, mlp_core.jobs.job; sys.exit(any(name.split('.')[0] in ('streamlit', 'pages', 'plotly') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False).returncode == 0
