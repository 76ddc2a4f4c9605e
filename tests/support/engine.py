"""Small experiments for the tests of the engine, and patience with its threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlp_core.data import Dataset
from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.jobs.scheduled import ScheduledRun
from mlp_core.network import Network
from mlp_core.spec import IMPLEMENTATIONS, RunSpec
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates

PATIENCE_SECONDS = 60.0  # how long to wait before saying that a thing does not happen; a test that passes waits for none of it
SPEC = RunSpec(hidden=(8,), init="he_normal", batch_size=16, epochs=2, device="cpu")  # of `clouds()`: 4 steps an epoch, the last of 2
LONG = replace(SPEC, epochs=2000)  # does not end while a test looks on
RICH = replace(SPEC, dropout=(0.4,), epochs=5)  # 20 steps, and something drawn in each

all_implementations = pytest.mark.parametrize("implementation", IMPLEMENTATIONS)


def clouds(train: int = 50, test: int = 30, classes: int = 3, seed: int = 0) -> Dataset:
    """Images (n, 2, 3) as uint8: a gray level of its own for each class, and noise."""
    generator = torch.Generator().manual_seed(seed)
    centers = torch.randint(40, 216, (classes, 2, 3), generator=generator)

    def draw(n: int) -> tuple[Tensor, Tensor]:
        labels = torch.arange(n) % classes
        return (centers[labels] + torch.randint(-40, 40, (n, 2, 3), generator=generator)).to(torch.uint8), labels

    return Dataset(*draw(train), *draw(test))


def network_of(run: Run) -> Network:
    assert run.network is not None
    return run.network


def kind_of(run: Run) -> str | None:
    return run.stop_reason.kind if run.stop_reason is not None else None


def record_of(run: Run) -> tuple[object, ...]:
    """All that a run recorded, bit for bit: comparable, also where a loss is NaN."""
    history = run.history
    return (
        [column.tobytes() for column in history.steps.columns],
        repr(history.epochs),
        repr(history.probes),
        repr(history.changes),
        run.stop_reason,
    )


def record_of_all(run: Replicates) -> tuple[object, ...]:
    """All that every seed recorded and learned, bit for bit."""
    weights = [parameter.detach().numpy().tobytes() for network in run.replicas for parameter in network.parameters()]
    return [(m.losses.tobytes(), m.accuracies.tobytes(), repr(m.epochs), repr(m.probes)) for m in run.members], weights, run.stop_reason


def weights_of(run: Run) -> list[bytes]:
    """All that is learned, bit for bit."""
    return [parameter.detach().numpy().tobytes() for parameter in network_of(run).parameters()]


def finished(spec: RunSpec = SPEC, data: Dataset | None = None) -> Run:
    """A run of `spec` that nobody interrupted."""
    run = Run(spec, data or clouds())
    run.advance()
    return run


def cross_entropy(logits: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """log Σ exp(o) − o_y of every row, in float64."""
    logits = logits.astype(np.float64)
    largest = logits.max(axis=1)
    log_sum = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=1))
    return np.asarray(log_sum - logits[np.arange(len(labels)), labels])


def until(condition: Callable[[], object]) -> None:
    """Wait for what a thread is about to bring about."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.001)


def job_of(scheduler: Scheduler, spec: RunSpec = SPEC) -> TrainingJob:
    """A job of a run of `spec` on `clouds()`, at rest before its first step."""
    return TrainingJob(Run(spec, clouds()), scheduler)


def rest(job: TrainingJob) -> None:
    """Wait until a job does nothing any more."""
    until(lambda: not job.moving)


def predictions(run: Run) -> list[int]:
    """The class of every test image of `clouds()`."""
    labels: list[int] = network_of(run).logits(clouds().test_images.flatten(1) / 255).argmax(dim=1).tolist()
    return labels


class Gate:
    """Holds a run's training steps up, each until `let` allows it."""

    def __init__(self, run: Run) -> None:
        run.prepare()
        network = network_of(run)
        self._loss = network.loss
        self._waiting, self._allowed = threading.Semaphore(0), threading.Semaphore(0)
        network.loss = self._held_up  # type: ignore[method-assign]

    def _held_up(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        self._waiting.release()
        assert self._allowed.acquire(timeout=PATIENCE_SECONDS)
        return self._loss(x, labels)

    def await_step(self) -> None:
        """Return once a step is being held up."""
        assert self._waiting.acquire(timeout=PATIENCE_SECONDS)

    def let(self, steps: int = 10_000) -> None:
        """Let the next `steps` steps through; by default more than any test takes."""
        self._allowed.release(steps)


def checkpoint_bytes(run: Run) -> int:
    """What the tensors of all its checkpoints take."""
    kept = [run.checkpoints.at(step) for step in run.checkpoints.steps]
    tensors = [
        tensor for one in kept for tensor in (*one.network.parameters, one.network.dropout, one.order, *chain(*one.optimizer.buffers))
    ]
    return sum(tensor.nbytes for tensor in tensors)


def discard(job: ScheduledRun) -> None:
    """Have a job abandoned at once, whoever holds it."""
    job.lifetime._holders.clear()
    job.lifetime.give_up(None)
