"""Equal units stay equal in a real run, and part with dropout or noise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlp_core.data import load_sample
from mlp_core.labs.symmetry import distinct_units, variants
from mlp_core.training import Run

UNITS = 32


@pytest.fixture(scope="module")
def runs() -> tuple[Run, Run, Run]:
    """The three variants after two epochs of 1280 images."""
    started = [Run(replace(variant.spec, train_size=1280), load_sample()) for variant in variants(UNITS, epochs=2, seed=1)]
    for run in started:
        run.advance()
    equal, dropout, noise = started
    return equal, dropout, noise


def test_equal_units_stay_one_while_the_loss_moves(runs: tuple[Run, Run, Run]) -> None:
    history = runs[0].history.snapshot()
    steps, counts = distinct_units(history)
    assert steps == [0, 5, 10]
    assert counts == [1, 1, 1]
    assert max(history.losses) - min(history.losses) > 0.1
    network = runs[0].network
    assert network is not None
    weights = network.weights()[0][0]
    assert (weights - weights[0]).abs().max() < 1e-5
    assert (weights[0] - 0.01).abs().max() > 1e-3


def test_dropout_parts_what_starts_equal(runs: tuple[Run, Run, Run]) -> None:
    _, counts = distinct_units(runs[1].history.snapshot())
    assert counts[0] == 1
    assert counts[-1] > UNITS / 2


def test_a_little_noise_parts_them_from_the_start(runs: tuple[Run, Run, Run]) -> None:
    _, counts = distinct_units(runs[2].history.snapshot())
    assert min(counts) > UNITS / 2


def test_a_little_noise_is_enough_to_learn_with_more_than_one_unit() -> None:
    equal, _, noisy = (Run(variant.spec, load_sample()) for variant in variants(UNITS, epochs=25, seed=0))
    equal.advance()
    noisy.advance()
    assert noisy.history.epochs[-1].train_accuracy > equal.history.epochs[-1].train_accuracy + 0.1
