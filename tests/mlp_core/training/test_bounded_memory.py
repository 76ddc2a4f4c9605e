"""A run of 10,000 steps, looked into all the while, holds no more than one of 5,000: every log and every cache has a bound."""

from __future__ import annotations

import gc
import tracemalloc

import torch

from mlp_core.data import Dataset
from mlp_core.jobs import TrainingJob
from mlp_core.jobs.scheduler import Scheduler
from mlp_core.records import StepLog
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from mlp_core.training.run import PROBED_EPOCHS

STEPS, EPOCHS = 40, 250  # an epoch; in all
CAPACITY = 2_000  # of the log of steps, instead of the 20,000 that it holds everywhere else
REPLACED_BYTES = 250_000  # logs and checkpoints that were there before are made anew; 5,000 records of 100 bytes would be 0.5 MB


def tiny_data() -> Dataset:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (STEPS + 2, 2, 2), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 2, (STEPS + 2,), generator=generator)
    labels[-2:] = torch.tensor([0, 1])
    return Dataset(images[:STEPS], labels[:STEPS], images[STEPS:], labels[STEPS:])


def test_ten_thousand_steps_hold_no_more_than_half_of_them() -> None:
    run = Run(RunSpec(hidden=(2,), batch_size=1, epochs=EPOCHS, lr=0.01), tiny_data())
    run.history.steps = StepLog(CAPACITY)
    job = TrainingJob(run, Scheduler())  # which never gets a turn: the run is advanced here
    run.advance(steps=5_000)
    tracemalloc.start()
    try:
        while not run.finished:
            run.inspections.look()
            run.advance(steps=1_000)
            job.snapshot()
        gc.collect()
        held_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert run.step == STEPS * EPOCHS == 10_000
    assert held_bytes < REPLACED_BYTES
    assert len(run.history.steps) <= CAPACITY
    assert len(run.history.epochs) == EPOCHS  # one record an epoch, which the spec bounds
    assert len(run.history.probes) <= PROBED_EPOCHS + 3
    assert len(run.checkpoints.steps) <= 32
    assert 0 < len(run.inspections.entries) <= 240
