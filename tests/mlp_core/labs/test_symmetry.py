"""Equal units stay equal in a real run as long as they are equal to the last bit, and part with dropout, with noise, or by a rounding."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mlp_core.data import load_sample
from mlp_core.labs.symmetry import distinct_units, kinds_in_words, one_of_each_kind, variants
from mlp_core.spec import RunSpec
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


@pytest.mark.parametrize("seed", range(3))
def test_the_last_bit_of_one_unit_is_enough_to_part_it(seed: int) -> None:
    run = Run(variants(16, epochs=10, seed=seed)[0].spec, load_sample())
    run.advance(steps=1)
    assert run.network is not None
    with torch.no_grad():
        unit = run.network.weights()[0][0][0]
        unit.copy_(torch.nextafter(unit, torch.full_like(unit, 1.0)))
    run.advance()
    steps, counts = distinct_units(run.history.snapshot())
    assert counts[0] == counts[1] == 1, "rounding alone is no other kind"
    assert counts[-1] > 1
    assert f"seen first at step {steps[counts.index(2)]}" in kinds_in_words(run.spec, steps, counts)


def test_kinds_are_counted_and_the_cause_is_named() -> None:
    equal, dropout, noise = (variant.spec for variant in variants(50, 3, 0))
    assert "**1 kind** of 50 units at step 235: equal so far" in kinds_in_words(equal, [0, 235], [1, 1])
    assert "**3 kinds** of 50 units at step 1,175: seen first at step 470" in kinds_in_words(equal, [0, 470, 1175], [1, 2, 3])
    for spec, counts in ((dropout, [1, 40]), (noise, [50, 40]), (RunSpec(hidden=(50,)), [50, 40])):
        assert kinds_in_words(spec, [0, 10], counts) == "**40 kinds** of 50 units at step 10."


def test_one_of_each_kind_comes_first() -> None:
    rows = torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0 + 1e-6], [3.0, 2.0], [1.0, 2.0], [0.0, 0.0]])
    assert one_of_each_kind(rows, 4).tolist() == [[1.0, 2.0], [3.0, 2.0], [0.0, 0.0], [1.0, 2.0]]
    assert one_of_each_kind(rows, 2).tolist() == [[1.0, 2.0], [3.0, 2.0]]
    assert len(one_of_each_kind(rows[:3], 8)) == 3
