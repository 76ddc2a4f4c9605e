"""A run does what its spec says and nothing else: the same numbers however it is moved on, and those of a loop written in numpy."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from mlp_core.data import Dataset, load_sample
from mlp_core.records import StepLog
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from tests.support.drawn import specs
from tests.support.engine import SPEC, all_implementations, clouds, cross_entropy, finished, kind_of, network_of, record_of, weights_of
from tests.support.moving import MOVES, make

pytestmark = pytest.mark.usefixtures("small_test_pieces")


SAME_LOSS = 1e-5  # relative, after 20 steps; measured: at most 1.3e-6


@settings(max_examples=60, deadline=None, derandomize=True)
@given(spec=specs(), moves=st.lists(MOVES, max_size=12))
def test_a_history_does_not_depend_on_how_the_run_was_moved_on(spec: RunSpec, moves: list[tuple[str, int]]) -> None:
    data = clouds()
    whole, sliced = finished(spec, data), Run(spec, data)
    for move in moves:
        make(sliced, *move)
    sliced.advance()
    assert record_of(sliced) == record_of(whole)
    assert weights_of(sliced) == weights_of(whole)


@given(slices=st.lists(st.integers(0, 5), max_size=6))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_steps_are_exact(slices: list[int]) -> None:
    run = Run(SPEC, clouds())
    for steps in slices:
        before = run.step
        run.advance(steps=steps)
        assert run.step == min(before + steps, 8) == len(run.history.steps)
        assert run.epoch == run.step // 4
        assert run.finished == (run.step == 8)
        assert not run.testing


def test_three_steps_and_four_are_seven() -> None:
    parts, whole = (Run(SPEC, clouds()) for _ in range(2))
    parts.advance(steps=3)
    parts.advance(steps=4)
    whole.advance(steps=7)
    assert parts.history == whole.history
    assert weights_of(parts) == weights_of(whole)


def test_the_seed_matters_and_the_rest_of_the_process_does_not() -> None:
    torch.manual_seed(1)
    first = finished(replace(SPEC, dropout=(0.5,)))
    torch.manual_seed(2)
    assert finished(replace(SPEC, dropout=(0.5,))).history == first.history
    assert finished(replace(SPEC, dropout=(0.5,), seed=1)).history != first.history


class Watched(Run):
    """A run that shows every training batch it takes: images (n, d) as numbers 0..255, and labels."""

    def __init__(self, spec: RunSpec, data: Dataset) -> None:
        super().__init__(spec, data)
        self.batches: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self.prepare()
        network = network_of(self)
        loss = network.loss

        def seen(x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            self.batches.append(((x * 255).round().int().numpy(), labels.numpy()))
            return loss(x, labels)

        network.loss = seen  # type: ignore[method-assign]


@given(train_size=st.one_of(st.none(), st.integers(1, 60)), batch_size=st.integers(1, 60))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_an_epoch_takes_every_chosen_image_once_in_an_order_of_its_own(train_size: int | None, batch_size: int) -> None:
    data = clouds()
    count = min(train_size or 50, 50)
    run = Watched(replace(SPEC, train_size=train_size, batch_size=batch_size), data)
    run.advance()
    chosen = zip(data.train_images[:count].flatten(1).tolist(), data.train_labels[:count].tolist(), strict=True)
    expected = sorted((*image, label) for image, label in chosen)
    full, rest = divmod(count, batch_size)
    sizes = [batch_size] * full + [rest] * (rest > 0)
    assert [len(labels) for _, labels in run.batches] == 2 * sizes
    orders = []
    for epoch in (run.batches[: len(sizes)], run.batches[len(sizes) :]):
        images, labels = (np.concatenate(column) for column in zip(*epoch, strict=True))
        orders.append([(*image, label) for image, label in zip(images.tolist(), labels.tolist(), strict=True)])
        assert sorted(orders[-1]) == expected
    assert count < 5 or orders[0] != orders[1] != expected
    assert run.images_seen == 2 * count


def test_images_seen_counts_the_smaller_last_batch() -> None:
    run = Run(SPEC, clouds())
    seen = [0]
    for _ in range(8):
        run.advance(steps=1)
        seen.append(run.images_seen)
    assert seen == [0, 16, 32, 48, 50, 66, 82, 98, 100]


def test_softmax_regression_is_the_one_written_in_numpy() -> None:
    data = clouds()
    run = Watched(replace(SPEC, hidden=(), lr=0.5), data)
    (W, b), *_ = [(weight.double().numpy().copy(), bias.double().numpy().copy()) for weight, bias in network_of(run).weights()]
    run.advance()
    test_x, test_y = data.test_images.flatten(1).numpy() / 255, data.test_labels.numpy()
    for epoch, record in enumerate(run.history.epochs):
        loss_sum, hits = 0.0, 0
        for index, (images, y) in enumerate(run.batches[4 * epoch : 4 * epoch + 4], start=4 * epoch):
            x, n = images / 255, len(y)
            logits = x @ W.T + b
            loss, right = cross_entropy(logits, y), logits.argmax(axis=1) == y
            step = run.history.steps[index]
            assert step.step == index + 1
            assert step.loss == pytest.approx(loss.mean(), rel=1e-5)
            assert step.accuracy == right.mean()
            loss_sum, hits = loss_sum + loss.sum(), hits + right.sum()
            delta = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) - np.eye(3)[y]
            W, b = W - 0.5 * delta.T @ x / n, b - 0.5 * delta.mean(axis=0)
        logits = test_x @ W.T + b
        assert (record.epoch, record.step) == (epoch + 1, 4 * epoch + 4)
        assert record.train_loss == pytest.approx(loss_sum / 50, rel=1e-5)
        assert record.train_accuracy == hits / 50
        assert record.test_loss == pytest.approx(cross_entropy(logits, test_y).mean(), rel=1e-5)
        assert record.test_accuracy == (logits.argmax(axis=1) == test_y).mean()
    np.testing.assert_allclose(network_of(run).weights()[0][0].numpy(), W, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hidden": (32, 16), "activation": "tanh", "init": "xavier_normal", "dropout": (0.2, 0.5)},
        {"activation": "prelu", "optimizer": "adam", "lr": 1e-3},
        {"activation": "=x*sigmoid(1.7*x)", "optimizer": "rmsprop", "lr": 1e-3, "weight_decay": 1e-3},
        {"lr": 10.0, "divide_by_batch": True, "momentum": 0.5, "nesterov": True},
    ],
)
def test_from_scratch_and_concise_print_the_same_losses(changes: dict[str, Any]) -> None:
    spec = replace(RunSpec(hidden=(32,), init="he_normal", epochs=2, train_size=2560, device="cpu"), **changes)
    concise, scratch = (finished(replace(spec, implementation=name), load_sample()) for name in ("concise", "scratch"))
    losses = [run.history.snapshot().losses for run in (concise, scratch)]
    assert len(losses[0]) == 20
    np.testing.assert_allclose(losses[0], losses[1], rtol=SAME_LOSS)
    assert concise.history.epochs[-1].test_loss == pytest.approx(scratch.history.epochs[-1].test_loss, rel=SAME_LOSS)


def test_training_learns() -> None:
    run = finished(replace(SPEC, epochs=40, lr=0.5))
    assert run.history.epochs[-1].test_accuracy > 0.9
    assert run.history.epochs[0].test_accuracy < 0.9


def test_making_a_run_builds_nothing_and_preparing_it_takes_no_step() -> None:
    run = Run(SPEC, clouds())
    assert run.network is None
    run.prepare()
    assert run.network is not None
    assert (run.step, run.epoch, run.images_seen, run.sizes) == (0, 0, 0, (6, 8, 3))
    assert [probe.step for probe in run.history.probes] == [0]


@all_implementations
def test_a_run_that_ended_stays_as_it_is(implementation: str) -> None:
    run = finished(replace(SPEC, implementation=implementation))
    network, record, weights, evaluation = run.network, record_of(run), weights_of(run), run.evaluation
    for move in ("steps", "moment", "evaluate", "prepare"):
        make(run, move, 3)
    run.set_weight(0, 0, 0, 7.0)
    run.stop("stopped", "Too late.")
    assert run.network is network
    assert record_of(run) == record
    assert weights_of(run) == weights
    assert run.evaluation is evaluation is not None


def test_layers_are_measured_at_the_steps_promised() -> None:
    run = finished(replace(SPEC, batch_size=1, epochs=3))
    assert [probe.step for probe in run.history.probes] == [0, 10, 50, 100, 150]
    thinned = finished(replace(SPEC, hidden=(2,), batch_size=50, epochs=250, train_size=2), clouds(2, 3))
    assert len(thinned.history.epochs) == 250
    assert [probe.step for probe in thinned.history.probes] == sorted({0, 10, 100} | set(range(3, 250, 3)))


def test_memory_is_bounded_over_a_long_run() -> None:
    run = Run(replace(SPEC, hidden=(), batch_size=1, epochs=2000), clouds(4, 1))
    run.history.steps = StepLog(capacity=50)
    for _ in range(80):
        run.advance(steps=100)
        assert len(run.history.steps) <= 50
        assert run.history.steps[-1].step == run.step
    assert run.step == 8000
    assert len(run.history.probes) <= 103
    assert kind_of(run) == "completed"


def test_nobody_sees_a_half_recorded_step() -> None:
    run = Run(replace(SPEC, epochs=150), clouds())
    worker = threading.Thread(target=run.advance)
    worker.start()
    looks = 0
    while worker.is_alive():
        with run.lock:
            step, snapshot, evaluation = run.step, run.history.snapshot(), run.evaluation
        assert len(snapshot.steps) == step
        assert step == 0 or snapshot.steps[-1] == step
        assert (evaluation.step if evaluation else 0) == 4 * len(snapshot.epochs)
        looks += 1
        time.sleep(0.0002)  # whoever takes a lock again at once may keep others from it for minutes
    worker.join()
    assert run.step == 600
    assert looks > 1


def checksums(data: Dataset) -> list[str]:
    parts = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    return [hashlib.sha256(part.numpy().tobytes()).hexdigest() for part in parts]


def in_floats(data: Dataset) -> Dataset:
    """The same images from 0 to 1, which a run uses as they are."""
    return replace(data, train_images=data.train_images / 255, test_images=data.test_images / 255)


@all_implementations
@pytest.mark.parametrize("make", [Run, Replicates])
@pytest.mark.parametrize("data", [clouds(), in_floats(clouds()), load_sample()], ids=["clouds", "floats", "the shared sample"])
def test_a_run_leaves_its_data_alone(data: Dataset, make: type[Run], implementation: str) -> None:
    before = checksums(data)
    run = make(RunSpec(hidden=(8,), dropout=(0.5,), epochs=2, train_size=600, implementation=implementation, device="cpu"), data)
    run.inspections.look()
    run.advance(steps=1)
    run.set_weight(0, 0, 0, 3.0)
    run.evaluate()
    run.advance()
    if run.checkpoints.steps:
        run.kept_step(run.checkpoints.steps[-1])
    assert checksums(data) == before
