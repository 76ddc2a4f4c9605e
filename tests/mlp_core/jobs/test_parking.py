"""A job whose page is closed waits a while, then is given up with its memory; one that nobody watches pauses. The clock is the test's."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from mlp_core.jobs import Scheduler, TrainingJob, scheduled, scheduler
from mlp_core.jobs.scheduled import PARKED_SECONDS, UNWATCHED_SECONDS
from mlp_core.training import Run
from tests.support.engine import LONG, SPEC, clouds, discard, finished, kind_of, network_of, record_of, until


class Clock:
    """Seconds that pass when told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(scheduled, "time", SimpleNamespace(monotonic=clock.monotonic, perf_counter=time.perf_counter))
    monkeypatch.setattr(scheduled, "TURN_SECONDS", 0.0)  # a step a turn: the worker looks at the clock before each
    monkeypatch.setattr(scheduler, "IDLE_SECONDS", 0.01)
    return clock


@pytest.fixture
def workers() -> Iterator[Scheduler]:
    workers = Scheduler()
    yield workers
    workers.close()


def playing(workers: Scheduler) -> TrainingJob:
    job = TrainingJob(Run(LONG, clouds()), workers)
    job.play()
    goes_on(job)
    return job


def goes_on(job: TrainingJob) -> None:
    """It still trains, although the worker has looked at the clock since."""
    step = job.run.step
    until(lambda: job.run.step > step + 2)
    assert job.state == "playing"


def abandoned(job: TrainingJob) -> bool:
    return job.run.finished and job.run.network is None and not job.parked


def pause(job: TrainingJob) -> None:
    job.pause()
    until(lambda: not job.moving)


@pytest.mark.parametrize("before", [lambda job: None, pause], ids=["playing", "paused"])
def test_a_parked_job_that_nobody_claims_is_given_up_with_its_memory(
    before: Callable[[TrainingJob], None], workers: Scheduler, clock: Clock
) -> None:
    job = playing(workers)
    holder = object()
    job.lifetime.claim(holder)
    before(job)
    network = weakref.ref(network_of(job.run))
    job.lifetime.park(holder)
    clock.now += PARKED_SECONDS - 0.1
    if job.state == "playing":
        goes_on(job)
    time.sleep(0.1)  # ten times as long as an idle worker waits before it ends
    assert len(workers._threads) == 1
    assert network() is not None
    clock.now += 0.2
    until(lambda: abandoned(job))
    until(lambda: network() is None)
    assert (job.state, kind_of(job.run)) == ("stopped", "abandoned")
    assert job.run.evaluation is None
    assert len(job.snapshot().history.steps) == job.run.step > 0
    assert job.memory_bytes == 0
    until(lambda: len(workers._threads) == 0)


def test_a_job_that_had_ended_gives_its_network_back_too(workers: Scheduler, clock: Clock) -> None:
    job = TrainingJob(Run(SPEC, clouds()), workers)
    job.play()
    until(lambda: job.ended)
    until(lambda: len(workers._threads) == 0)
    job.lifetime.park(object())
    clock.now += PARKED_SECONDS + 1
    until(lambda: abandoned(job))
    assert (job.state, kind_of(job.run)) == ("finished", "completed")
    assert job.snapshot().history == finished().history.snapshot()


def test_a_job_claimed_in_time_goes_on(workers: Scheduler, clock: Clock) -> None:
    job = TrainingJob(Run(SPEC, clouds()), workers)
    first, second = object(), object()
    job.lifetime.claim(first)
    job.step(2)
    until(lambda: not job.moving)
    job.lifetime.park(first)
    clock.now += PARKED_SECONDS - 1
    job.lifetime.claim(second)
    clock.now += 100 * PARKED_SECONDS
    job.play()
    until(lambda: job.ended)
    assert record_of(job.run) == record_of(finished())
    assert job.run.network is not None


def test_of_two_holders_only_the_last_to_let_go_counts(workers: Scheduler, clock: Clock) -> None:
    job = playing(workers)
    first, second = object(), object()
    job.lifetime.claim(first)
    job.lifetime.claim(second)
    job.lifetime.park(first)
    clock.now += PARKED_SECONDS + 1
    goes_on(job)
    job.lifetime.park(second)
    clock.now += PARKED_SECONDS - 1
    goes_on(job)
    clock.now += 2
    until(lambda: abandoned(job))


def test_a_discarded_job_is_given_up_at_once(workers: Scheduler, clock: Clock) -> None:
    job = playing(workers)
    job.lifetime.claim(object())
    discard(job)
    until(lambda: abandoned(job))
    assert (job.state, kind_of(job.run)) == ("stopped", "abandoned")


def test_a_job_that_nobody_watches_pauses_and_says_why(workers: Scheduler, clock: Clock) -> None:
    job = playing(workers)
    clock.now += UNWATCHED_SECONDS - 1
    goes_on(job)
    job.snapshot()
    clock.now += UNWATCHED_SECONDS - 1
    goes_on(job)
    clock.now += 2
    until(lambda: job.state == "paused" and not job.moving)
    snapshot = job.snapshot()
    assert snapshot.note == "Paused, because nobody looked for 5 minutes."
    assert snapshot.evaluation is not None
    assert snapshot.evaluation.step == snapshot.step
    assert job.run.network is not None
    job.play()
    goes_on(job)
    assert job.snapshot().note == ""
    discard(job)


def test_a_job_at_rest_waits_for_ever(workers: Scheduler, clock: Clock) -> None:
    job = playing(workers)
    pause(job)
    clock.now += 100 * UNWATCHED_SECONDS
    until(lambda: len(workers._threads) == 0)
    assert (job.state, job.snapshot().note) == ("paused", "")
    assert job.run.network is not None
    discard(job)
    until(lambda: abandoned(job))
