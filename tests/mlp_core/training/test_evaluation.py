"""The test set as it was gathered in parts, against one full pass in numpy; the confusion matrix against counting one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mlp_core.data import load_sample
from mlp_core.network import network as networks
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from mlp_core.training.state import Evaluation, EvaluationInProgress
from tests.support.engine import SPEC, clouds, cross_entropy, finished, network_of


def evaluation_of(logits: NDArray[np.float32], labels: NDArray[np.int64], pieces: list[int]) -> Evaluation:
    """The evaluation gathered in pieces that end at these rows."""
    gathering = EvaluationInProgress(7)
    for rows in np.split(np.arange(len(labels)), sorted(pieces)):
        if len(rows):
            gathering.add(torch.from_numpy(logits[rows]), torch.from_numpy(labels[rows]))
    assert gathering.seen == len(labels)
    return gathering.result()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(data=st.data(), n=st.integers(1, 30), classes=st.integers(1, 10))
def test_gathered_in_any_pieces_it_is_what_numpy_says(data: st.DataObject, n: int, classes: int) -> None:
    logits = data.draw(arrays(np.float32, (n, classes), elements=st.floats(-50, 50, width=32), unique=True))
    labels = data.draw(arrays(np.int64, n, elements=st.integers(0, classes - 1)))
    evaluation = evaluation_of(logits, labels, data.draw(st.lists(st.integers(0, n), max_size=4)))
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    assert evaluation.step == 7
    assert evaluation.loss == pytest.approx(cross_entropy(logits, labels).mean(), rel=1e-5, abs=1e-6)
    assert evaluation.accuracy == (logits.argmax(axis=1) == labels).mean()
    np.testing.assert_array_equal(evaluation.labels, labels)
    np.testing.assert_array_equal(evaluation.predicted, logits.argmax(axis=1))
    np.testing.assert_allclose(
        evaluation.probabilities.astype(np.float64), probabilities, atol=2.5e-4
    )  # half of a float16's last place below 1
    counts = np.zeros((classes, classes), dtype=int)
    for label, predicted in zip(labels, logits.argmax(axis=1), strict=True):
        counts[label, predicted] += 1
    np.testing.assert_array_equal(evaluation.confusion(), counts)


def test_it_is_kept_small() -> None:
    evaluation = evaluation_of(np.zeros((50, 10), np.float32), np.zeros(50, np.int64), [])
    assert evaluation.labels.nbytes + evaluation.predicted.nbytes + evaluation.probabilities.nbytes == 50 * (1 + 1 + 20)


def test_a_certain_mistake_is_a_large_loss_and_not_an_infinite_one() -> None:
    logits = np.array([[0.0, 5000.0]], np.float32)
    assert evaluation_of(logits, np.array([0]), []).loss == 5000.0


@pytest.mark.parametrize("piece", [1, 7, 30, 1000])
def test_an_epochs_test_is_one_full_pass(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "TEST_PIECE_IMAGES", piece)
    run, data = finished(replace(SPEC, dropout=(0.5,))), clouds()
    (W1, b1), (W2, b2) = ((weight.double().numpy(), bias.double().numpy()) for weight, bias in network_of(run).weights())
    logits = np.maximum(data.test_images.flatten(1).numpy() / 255 @ W1.T + b1, 0) @ W2.T + b2
    evaluation, epoch = run.evaluation, run.history.epochs[-1]
    assert evaluation is not None
    np.testing.assert_array_equal(evaluation.predicted, logits.argmax(axis=1))
    assert evaluation.loss == epoch.test_loss == pytest.approx(cross_entropy(logits, data.test_labels.numpy()).mean(), rel=1e-5)
    assert evaluation.accuracy == epoch.test_accuracy == (logits.argmax(axis=1) == data.test_labels.numpy()).mean()


def test_pieces_of_a_large_network_are_few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """2 operations a weight and image; 83 weights of a network 6-8-3."""
    monkeypatch.setattr(networks, "TEST_PIECE_FLOPS", 2 * 83 * 4 + 1)
    run = Run(SPEC, clouds())
    calls = 0
    while not run.evaluated:
        run.evaluate(seconds=0.0)
        calls += 1
    assert calls == 8  # 30 images, 4 at a time


def test_the_matrix_of_the_sample_has_as_many_of_each_class() -> None:
    run = Run(RunSpec(hidden=(), train_size=512, epochs=1, device="cpu"), load_sample())
    run.advance()
    assert run.evaluation is not None
    confusion = run.evaluation.confusion()
    assert confusion.sum(axis=1).tolist() == [100] * 10
    assert confusion.trace() / 1000 == run.evaluation.accuracy > 0.2  # two steps of three seeds: 0.36 and more
