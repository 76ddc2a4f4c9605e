"""Buttons pressed in the middle of a step: each does exactly what it says, at the next boundary."""

from __future__ import annotations

import pytest

from mlp_core.jobs import Scheduler, scheduled
from mlp_core.network import network as networks
from tests.support.engine import LONG, Gate, discard, job_of, kind_of, predictions, rest, until


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step a turn, or one of the five pieces of a test."""
    monkeypatch.setattr(scheduled, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(networks, "TEST_PIECE_IMAGES", 7)


@pytest.mark.usefixtures("short_turns")
class TestDuringAStep:
    """What is asked for while a step is under way happens after it; asking never waits for it."""

    def test_pause(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, LONG)
        gate = Gate(job.run)
        job.play()
        gate.await_step()
        job.pause()
        assert (job.state, job.run.step) == ("paused", 0)
        gate.let()
        rest(job)
        assert (job.state, job.run.step) == ("paused", 1)

    def test_pause_and_step(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, LONG)
        gate = Gate(job.run)
        job.play()
        gate.await_step()
        job.pause()
        job.step(2)
        assert job.state == "playing"
        gate.let()
        rest(job)
        assert (job.state, job.run.step) == ("paused", 3)

    def test_five_steps_one_after_the_other(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, LONG)
        gate = Gate(job.run)
        for _ in range(2):
            job.step()
        gate.await_step()
        for _ in range(2):
            job.step()
        gate.let(1)
        gate.await_step()
        job.step()
        gate.let()
        rest(job)
        assert (job.state, job.run.step) == ("paused", 5)
        job.step()
        job.pause()
        rest(job)
        here = job.run.step
        job.step()
        rest(job)
        assert job.run.step == here + 1, "what was given up by a pause is not asked for any more"

    def test_two_epochs_and_a_step(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, LONG)
        gate = Gate(job.run)
        job.step_epoch()
        gate.await_step()
        job.step_epoch()
        job.step()
        gate.let()
        rest(job)
        assert (job.state, job.run.step) == ("paused", 9)

    def test_step_epoch_and_then_play(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler)
        gate = Gate(job.run)
        job.step_epoch()
        gate.await_step()
        job.play()
        gate.let()
        rest(job)
        assert (job.state, job.run.step) == ("finished", 8)

    def test_step_epoch_alone_waits_for_the_epochs_test(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler)
        job.step_epoch()
        until(lambda: job.state != "playing")
        assert (job.state, job.run.step, job.run.epoch) == ("paused", 4, 1)

    def test_the_rate_is_of_this_play_alone(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, LONG)
        job.step(5)
        rest(job)
        gate = Gate(job.run)
        job.play()
        gate.await_step()
        assert job.snapshot().images_per_second == 0.0
        job.stop()
        gate.let()

    def test_stop(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, LONG)
        gate = Gate(job.run)
        job.step(5)
        gate.await_step()
        gate.let(1)
        gate.await_step()
        job.stop()
        assert (job.state, job.run.finished) == ("stopped", False)
        gate.let()
        rest(job)
        assert (job.state, job.run.step, kind_of(job.run)) == ("stopped", 2, "stopped")
        assert job.run.evaluation is not None
        assert job.run.evaluation.step == 2
        assert job.run.evaluation.predicted.tolist() == predictions(job.run)

    def test_pause_in_the_last_step_of_all(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler)
        gate = Gate(job.run)
        job.play()
        gate.let(7)
        for _ in range(8):
            gate.await_step()
        job.pause()
        gate.let()
        rest(job)
        assert (job.state, kind_of(job.run)) == ("finished", "completed")

    def test_discard(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, LONG)
        gate = Gate(job.run)
        job.play()
        gate.await_step()
        discard(job)
        gate.let()
        rest(job)
        assert (job.state, job.run.step, kind_of(job.run)) == ("stopped", 1, "abandoned")

    def test_snapshot(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, LONG)
        gate = Gate(job.run)
        job.play()
        gate.let(2)
        for _ in range(3):
            gate.await_step()
        snapshot = job.snapshot()
        assert (snapshot.state, snapshot.step, list(snapshot.history.steps)) == ("playing", 2, [1, 2])
        job.pause()
        gate.let()
        rest(job)
        assert (snapshot.step, list(snapshot.history.steps)) == (2, [1, 2])
