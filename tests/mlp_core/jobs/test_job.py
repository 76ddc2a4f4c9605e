"""A job does what its buttons say, between two steps, and its history is that of a run which nobody touched."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.spec import IMPLEMENTATIONS
from mlp_core.training import Run
from tests.support.engine import LONG, SPEC, Gate, clouds, finished, job_of, kind_of, predictions, record_of, rest, until, weights_of


def test_a_job_plays_to_the_end(scheduler: Scheduler) -> None:
    job = job_of(scheduler)
    assert (job.state, job.moving, job.ended) == ("ready", False, False)
    job.play()
    rest(job)
    assert (job.state, job.ended, kind_of(job.run)) == ("finished", True, "completed")
    whole = finished()
    assert record_of(job.run) == record_of(whole)
    assert weights_of(job.run) == weights_of(whole)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("workers", [1, 2])
def test_pauses_leave_no_trace_in_the_history(implementation: str, workers: int) -> None:
    spec = replace(SPEC, implementation=implementation, dropout=(0.3,), optimizer="adam", epochs=40)
    scheduler, chance = Scheduler(workers), random.Random(0)
    job, pauses = TrainingJob(Run(spec, clouds()), scheduler), 0
    while not job.ended:
        chance.choice([job.play, job.play, job.step, lambda: job.step(7), job.step_epoch])()
        time.sleep(chance.choice([0.0, 0.001, 0.005]))
        job.pause()
        pauses += job.state == "paused"
        if chance.random() < 0.3:
            rest(job)
    scheduler.close()
    whole = finished(spec)
    assert pauses > 2
    assert record_of(job.run) == record_of(whole)
    assert weights_of(job.run) == weights_of(whole)


def test_rest_is_awaited_but_not_for_ever(scheduler: Scheduler) -> None:
    job = job_of(scheduler)
    assert job.await_rest(0.0), "it has not begun"
    gate = Gate(job.run)
    job.step()
    gate.await_step()
    assert not job.await_rest(0.01), "the step is held up"
    gate.let()
    assert job.await_rest(60.0)
    assert (job.run.step, job.state, job.run.evaluated) == (1, "paused", True)


def test_the_next_step_is_awaited_but_not_for_ever(scheduler: Scheduler) -> None:
    job = job_of(scheduler)
    gate = Gate(job.run)
    job.play()
    gate.await_step()
    assert not job.await_step(0.01), "the first step is held up"
    gate.let()
    assert job.await_step(60.0) or job.ended
    rest(job)
    assert not job.await_step(60.0), "there is none after the last"


def test_steps_and_epochs_are_exact(scheduler: Scheduler) -> None:
    job = job_of(scheduler, replace(SPEC, epochs=5))
    reached = []
    moves: list[Callable[[], None]] = [lambda: job.step(3), job.step, job.step_epoch, job.step, job.step_epoch, lambda: job.step(99)]
    for move in moves:
        move()
        rest(job)
        reached.append((job.run.step, job.run.epoch, job.state))
        assert job.run.evaluation is not None
        assert job.run.evaluation.step == job.run.step
    assert reached == [(3, 0, "paused"), (4, 1, "paused"), (8, 2, "paused"), (9, 2, "paused"), (12, 3, "paused"), (20, 5, "finished")]
    for steps in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            job.step(steps)


def test_stop_at_rest_ends_the_run(scheduler: Scheduler) -> None:
    job = job_of(scheduler)
    job.step(3)
    rest(job)
    assert job.run.evaluated
    job.stop()
    rest(job)
    assert (job.state, kind_of(job.run)) == ("stopped", "stopped")
    assert job.run.evaluation is not None
    assert job.run.evaluation.predicted.tolist() == predictions(job.run)


def test_an_ended_job_stays_as_it_is(scheduler: Scheduler) -> None:
    job = job_of(scheduler)
    job.step(3)
    rest(job)
    job.stop()
    rest(job)
    before, weights = record_of(job.run), weights_of(job.run)
    job.change(lambda run: run.set_weight(0, 0, 0, 1.0))
    for action in (job.play, job.step, job.step_epoch, job.pause, job.stop):
        action()
        assert job.state == "stopped"
    rest(job)
    assert record_of(job.run) == before
    assert weights_of(job.run) == weights


def test_a_stop_finishes_the_changes_that_came_before_it(scheduler: Scheduler) -> None:
    job = job_of(scheduler)
    job.step(3)
    rest(job)
    job.change(lambda run: run.set_weight(1, 2, None, 50.0))
    job.stop()
    rest(job)
    assert job.run.evaluation is not None
    assert (job.run.evaluation.predicted == 2).all()
    assert kind_of(job.run) == "stopped"


def test_a_snapshot_tells_how_far_and_how_fast(scheduler: Scheduler) -> None:
    job = job_of(scheduler, LONG)
    job.play()
    until(lambda: job.snapshot().images_per_second > 0)
    job.pause()
    rest(job)
    snapshot = job.snapshot()
    assert snapshot.elapsed_seconds > 0
    assert (snapshot.images_per_second, snapshot.remaining_seconds, snapshot.sharing) == (0.0, None, 0)
    assert (snapshot.total_steps, snapshot.steps_per_epoch) == (8000, 4)
    assert snapshot.fraction_done == snapshot.step / 8000 > 0
    assert snapshot.step == len(snapshot.history.steps)
    assert snapshot.spec == LONG
    job.stop()


def test_remaining_time_is_remaining_images_at_the_present_rate(scheduler: Scheduler) -> None:
    job = job_of(scheduler, LONG)
    job.play()
    until(lambda: job.snapshot().remaining_seconds is not None)
    snapshot = job.snapshot()
    assert snapshot.remaining_seconds is not None
    images = snapshot.remaining_seconds * snapshot.images_per_second
    epochs, steps = divmod(snapshot.step, 4)
    assert images == pytest.approx((2000 - epochs) * 50 - steps * 16)
    job.stop()


def test_a_clock_set_back_does_not_matter(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: next(moments))
    job = job_of(scheduler)
    holder = object()
    job.lifetime.claim(holder)
    job.play()
    job.lifetime.park(holder)
    job.lifetime.claim(holder)
    rest(job)
    assert record_of(job.run) == record_of(finished())
    assert job.snapshot().elapsed_seconds >= 0


@pytest.mark.parametrize("workers", [1, 2])
def test_calls_from_many_threads_at_once_break_nothing(workers: int) -> None:
    scheduler = Scheduler(workers)
    spec = replace(SPEC, dropout=(0.3,), epochs=30)
    pool = [TrainingJob(Run(spec, clouds()), scheduler) for _ in range(3)]
    failures: list[BaseException] = []

    def press(seed: int) -> None:
        chance, holder = random.Random(seed), object()
        actions: list[Callable[[TrainingJob], object]] = [
            TrainingJob.play,
            TrainingJob.pause,
            TrainingJob.step,
            TrainingJob.step_epoch,
            lambda job: job.step(3),
            lambda job: job.lifetime.claim(holder),
            lambda job: job.lifetime.park(holder),
        ]
        try:
            for _ in range(150):
                job = chance.choice(pool)
                chance.choice(actions)(job)
                snapshot = job.snapshot()
                assert len(snapshot.history.steps) == snapshot.step
                assert snapshot.state != "finished" or snapshot.stop_reason is not None
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=press, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    whole = finished(spec)
    for job in pool:
        job.lifetime.claim(pool)
        job.play()
        rest(job)
        assert record_of(job.run) == record_of(whole)
        assert weights_of(job.run) == weights_of(whole)
    scheduler.close()
    assert np.isfinite([job.snapshot().elapsed_seconds for job in pool]).all()
