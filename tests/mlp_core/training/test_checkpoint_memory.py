"""What a job keeps to go back to is counted, and asked for only out of what is left."""

from __future__ import annotations

import pytest

from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.jobs import job as jobs
from mlp_core.jobs.job import CHECKPOINT_SHARE, KEPT_READY
from mlp_core.network import count
from mlp_core.training import Run
from mlp_core.training.checkpoints import MIN_CHECKPOINTS, Checkpoints
from tests.support.engine import RICH, checkpoint_bytes, clouds, discard, job_of, rest, until


class TestMemory:
    """What is kept to go back to is counted, and asked for only out of what is left."""

    def test_counts_what_will_be_kept_and_then_what_is(self) -> None:
        scheduler, counts = Scheduler(memory_bytes=100_000_000), count(RICH, (6, 8, 3))
        job = job_of(scheduler, RICH)
        planned = job.run.checkpoints.planned_bytes
        assert planned > 10 * counts.weight_bytes
        assert job.memory_bytes == counts.training_bytes + planned
        job.step(5)
        rest(job)
        job.rewound(1)
        assert job.memory_bytes == counts.training_bytes + planned + counts.weight_bytes
        job.play()
        rest(job)
        kept = checkpoint_bytes(job.run)
        assert job.memory_bytes == 2 * counts.weight_bytes + kept
        for step in (4, 5, 8):
            job.rewound(step)
        assert job.memory_bytes == (1 + KEPT_READY) * counts.weight_bytes + kept
        scheduler.close()

    def test_is_never_a_reason_to_refuse_a_network(self) -> None:
        training = count(RICH, (6, 8, 3)).training_bytes
        scheduler = Scheduler(memory_bytes=training)
        job = job_of(scheduler, RICH)
        assert job.memory_bytes == training
        job.play()
        rest(job)
        assert job.snapshot().checkpoint_steps == ()
        scheduler.close()

    def test_takes_a_share_of_what_is_left(self) -> None:
        counts = count(RICH, (6, 8, 3))
        scheduler = Scheduler(memory_bytes=1_000_000)
        held = [job_of(scheduler, RICH) for _ in range(5)]
        left = 1_000_000.0 - (counts.training_bytes - counts.state_bytes)  # which one has at a time
        for job in held:
            left -= counts.state_bytes
            planned = job.run.checkpoints.planned_bytes
            assert 0.8 * CHECKPOINT_SHARE * left < planned <= CHECKPOINT_SHARE * left
            left -= planned
        scheduler.close()

    def test_is_shared_with_a_class_down_to_the_fewest_worth_keeping(self, monkeypatch: pytest.MonkeyPatch) -> None:
        scheduler = Scheduler(memory_bytes=100_000_000)
        one = job_of(Scheduler()).run.checkpoints.least_bytes / MIN_CHECKPOINTS
        monkeypatch.setattr(jobs, "CHECKPOINT_POOL", 24 * one)
        held = [job_of(scheduler, RICH) for _ in range(30)]
        planned = [job.run.checkpoints.planned_bytes for job in held]
        for number, size in enumerate(planned, start=1):
            assert size <= max(24 * one / number, MIN_CHECKPOINTS * one)
        assert planned == sorted(planned, reverse=True)
        assert planned[0] > 3 * planned[-1]
        assert planned[-1] == MIN_CHECKPOINTS * one
        discard(held[0])
        until(lambda: held[0].memory_bytes == 0)
        assert scheduler.holder_count == 29
        scheduler.close()

    def test_of_several_networks_at_once_is_several_times_as_much(self) -> None:
        scheduler = Scheduler(memory_bytes=10_000_000)
        run = Run(RICH, clouds())
        run.networks = 5
        run.checkpoints = Checkpoints()
        job = TrainingJob(run, scheduler)
        counts = count(RICH, (6, 8, 3))
        assert job.memory_bytes == 5 * (counts.training_bytes - counts.working_bytes) + counts.working_bytes
        scheduler.close()
