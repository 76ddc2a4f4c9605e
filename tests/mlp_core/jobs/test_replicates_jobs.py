"""Several seeds as one job: it plays, steps, pauses, stops, and gives all networks back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlp_core.jobs import Scheduler, TrainingJob, scheduled
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from tests.support.engine import SPEC, clouds, kind_of, record_of_all, rest, until


def test_a_job_plays_them_to_the_end(scheduler: Scheduler) -> None:
    run, untouched = Replicates(SPEC, clouds()), Replicates(SPEC, clouds())
    untouched.advance()
    job = TrainingJob(run, scheduler)
    job.look_inside()
    job.play()
    rest(job)
    snapshot = job.snapshot()
    assert (snapshot.state, snapshot.step, snapshot.fraction_done) == ("finished", 8, 1.0)
    assert record_of_all(run) == record_of_all(untouched)
    assert snapshot.members == run.members
    assert snapshot.history == run.members[0]
    assert (snapshot.checkpoint_steps, snapshot.lr) == ((), 0.1)
    assert snapshot.inspections[-1].step == 8  # of the first seed
    (ours, *_), (theirs, *_) = snapshot.inspections[-1].layers, run.history.probes[-1].layers
    assert ours.stats == theirs


def test_a_job_steps_pauses_and_stops_them(scheduler: Scheduler) -> None:
    run = Replicates(replace(SPEC, epochs=2000), clouds())
    job = TrainingJob(run, scheduler)
    job.step(3)
    rest(job)
    assert (job.state, run.step, [len(member.steps) for member in job.snapshot().members]) == ("paused", 3, [3] * 5)
    assert run.evaluation is not None
    assert run.evaluation.step == 3
    job.change(lambda run: run.change(lr=0.05))
    job.step_epoch()
    rest(job)
    assert (job.state, run.step, run.epoch, job.snapshot().lr) == ("paused", 4, 1, 0.05)
    job.play()
    until(lambda: run.step > 8)
    job.pause()
    rest(job)
    job.stop()
    rest(job)
    assert (job.state, kind_of(run)) == ("stopped", "stopped")
    assert len(run.replicas) == 5


def test_an_abandoned_job_gives_all_networks_back(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled, "PARKED_SECONDS", 0.01)
    run, holder = Replicates(replace(SPEC, epochs=2000), clouds()), object()
    job, one = TrainingJob(run, scheduler), TrainingJob(Run(SPEC, clouds()), scheduler)
    counts = one.run.counts
    assert job.memory_bytes == 5 * (counts.training_bytes - counts.working_bytes) + counts.working_bytes
    job.lifetime.claim(holder)
    job.step(1)
    rest(job)
    job.lifetime.park(holder)
    until(lambda: not run.replicas)  # the last that it gives back, after it has said that it ended
    assert (kind_of(run), run.network, run.replicas) == ("abandoned", None, ())
    assert [len(member.steps) for member in run.members] == [1] * 5
