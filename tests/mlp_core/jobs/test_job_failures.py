"""A job whose run breaks: it ends with a sentence, the log has the rest, and its thread and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.training import Run
from tests.support.engine import LONG, SPEC, finished, job_of, kind_of, network_of, record_of, rest


def broken(run: Run, part: str, error: Exception) -> None:
    """Have a part of the network raise from now on."""

    def fail(*_: Tensor) -> Tensor:
        raise error

    run.prepare()
    setattr(network_of(run), part, fail)


class TestFailure:
    """What goes wrong in one job is said, and is no other's business."""

    def test_of_a_training_step(self, scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
        job, other = job_of(scheduler), job_of(scheduler)
        job.step(2)
        rest(job)
        broken(job.run, "loss", ValueError("a defect"))
        with caplog.at_level(logging.ERROR):
            job.play()
            other.play()
            rest(job)
            rest(other)
        assert (job.state, kind_of(job.run)) == ("finished", "failed")
        assert job.run.stop_reason is not None
        assert job.run.stop_reason.detail == "Stopped at step 2 by a defect (ValueError); the curves up to there are kept."
        assert len(job.snapshot().history.steps) == 2
        assert record_of(other.run) == record_of(finished())
        assert "a defect" in caplog.text

    @pytest.mark.parametrize("action", [TrainingJob.pause, TrainingJob.stop])
    def test_of_a_test_at_rest(self, scheduler: Scheduler, action: Callable[[TrainingJob], None]) -> None:
        job = job_of(scheduler, LONG)
        job.run.prepare()
        broken(job.run, "logits", ValueError("a defect"))
        job.step(2)
        action(job)
        rest(job)
        assert job.ended
        assert kind_of(job.run) == "failed"

    def test_of_memory(self, scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
        job = job_of(scheduler)
        broken(job.run, "loss", torch.OutOfMemoryError("CUDA out of memory."))
        job.play()
        rest(job)
        assert (job.state, kind_of(job.run)) == ("finished", "out_of_memory")
        assert not caplog.records, "an outcome, not a defect"

    def test_of_a_loss_that_is_not_finite(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, replace(SPEC, activation="=exp(x*x)", lr=10.0, epochs=50))
        job.play()
        rest(job)
        assert (job.state, kind_of(job.run)) == ("finished", "diverged")

    def test_of_a_change(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler)
        job.change(lambda run: run.set_weight(9, 0, 0, 0.0))
        rest(job)
        assert (job.state, kind_of(job.run)) == ("finished", "failed")
