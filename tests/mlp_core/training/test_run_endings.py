"""How a run can end, other than by its last step: each ending is recorded, explained, and keeps what there was."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mlp_core.data import load_sample
from mlp_core.expression import ExpressionError
from mlp_core.optimizers import Optimizer
from mlp_core.spec import RunSpec, SpecError
from mlp_core.training import Run, state
from tests.support.engine import SPEC, clouds, finished, kind_of, network_of, weights_of


class TestDivergence:
    """A loss that is not finite is an outcome: recorded, explained, and the curves are kept."""

    def test_of_an_expression_that_overflows(self) -> None:
        run = finished(replace(SPEC, activation="=exp(x*x)", lr=10.0, epochs=50))
        assert kind_of(run) == "diverged"
        assert run.stop_reason is not None
        last = run.history.steps[-1]
        assert run.stop_reason.step == run.step == last.step > 1
        assert not np.isfinite(last.loss)
        spoken = "NaN" if np.isnan(last.loss) else "infinite"
        assert run.stop_reason.detail == f"Diverged at step {last.step}: the loss is {spoken}."
        assert all(np.isfinite(record.loss) for record in run.history.steps[:-1])

    def test_of_a_learning_rate_of_100(self) -> None:
        run = finished(RunSpec(hidden=(16,), lr=100.0, init_std=1.0, activation="identity", train_size=1280, device="cpu"), load_sample())
        assert kind_of(run) == "diverged"
        assert run.step < 40
        assert len(run.history.steps) == run.step

    def test_the_weights_are_those_before_the_step_that_failed(self) -> None:
        spec = replace(SPEC, activation="=exp(x*x)", lr=10.0, epochs=50)
        run = finished(spec)
        before = Run(spec, clouds())
        before.advance(steps=run.step - 1)
        assert weights_of(run) == weights_of(before)

    def test_only_the_test_shows_it(self) -> None:
        data = clouds()
        run = finished(SPEC, replace(data, test_images=torch.full((30, 2, 3), float("inf"))))
        assert run.step == 4
        assert run.stop_reason is not None
        assert run.stop_reason.detail == "Diverged at step 4: the test loss is NaN."
        assert np.isnan(run.history.epochs[0].test_loss)
        assert np.isfinite(run.history.epochs[0].train_loss)


ERRORS: dict[str, list[Exception]] = {
    "out_of_memory": [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes."
        ),
        MemoryError(),
    ],
    "device_lost": [RuntimeError("CUDA error: an illegal memory access was encountered")],
}


@pytest.mark.parametrize(("kind", "error"), [(kind, error) for kind, errors in ERRORS.items() for error in errors])
def test_memory_and_devices_that_give_out_end_the_run(kind: str, error: Exception) -> None:
    run = Run(SPEC, clouds())
    run.advance(steps=2)
    fail(run, error)
    run.advance()
    assert kind_of(run) == kind
    assert run.stop_reason is not None
    assert "at step 2" in run.stop_reason.detail
    assert len(run.history.steps) == 2
    assert run.network is not None


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), TypeError("a defect")])
def test_any_other_error_is_the_callers(error: Exception) -> None:
    run = Run(SPEC, clouds())
    run.advance(steps=2)
    fail(run, error)
    with pytest.raises(type(error)) as raised:
        run.advance()
    assert raised.value is error
    assert not run.finished


def fail(run: Run, error: Exception) -> None:
    def loss(x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        raise error

    network_of(run).loss = loss  # type: ignore[method-assign]


def test_what_cannot_be_run_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SpecError, match=r"device.*'cuda'"):
        Run(replace(SPEC, device="cuda"), clouds())
    with pytest.raises(ExpressionError):
        Run(replace(SPEC, activation="=x+"), clouds())


def test_stopping_keeps_the_network_and_abandoning_keeps_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[Optimizer]] = []

    def kept(*arguments: Any) -> Optimizer:
        optimizer = Optimizer(*arguments)
        made.append(weakref.ref(optimizer))
        return optimizer

    monkeypatch.setattr(state, "Optimizer", kept)
    run = Run(SPEC, clouds())
    run.advance(steps=3)
    run.advance(steps=1, seconds=0.0)  # into an epoch's test
    network = weakref.ref(network_of(run))
    run.stop("stopped", "Stopped by hand.")
    assert made[0]() is None
    assert not run.testing
    assert network() is run.network is not None
    assert len(run.history.steps) == 4
    run.abandon()
    assert network() is None
    assert run.evaluation is None
    assert kind_of(run) == "stopped"
    assert len(run.history.steps) == 4
