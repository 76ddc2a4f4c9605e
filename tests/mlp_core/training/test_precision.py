"""With bfloat16 products a run learns what it learns in float32, to three digits; weights and tests stay float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from tests.support.engine import SPEC, all_implementations, clouds, finished, network_of, record_of, record_of_all

ROUNDED = replace(SPEC, hidden=(8, 8), precision="bfloat16", lr=0.03, epochs=3)
LARGEST_DIFFERENCE = 0.05  # of a loss: ten times what is seen; each factor is off by 0.2 % at the most


@all_implementations
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("activation", ["relu", "prelu", "=x*sigmoid(1.7*x)"])
def test_losses_are_those_of_float32_up_to_its_rounding(activation: str, seed: int, implementation: str) -> None:
    spec = replace(ROUNDED, activation=activation, seed=seed, implementation=implementation, dropout=(0.2, 0.0))
    rounded, exact = (finished(replace(spec, precision=precision)) for precision in ("bfloat16", "float32"))
    losses, expected = (np.array(run.history.snapshot().losses) for run in (rounded, exact))
    assert not np.array_equal(losses, expected)
    np.testing.assert_allclose(losses, expected, atol=LARGEST_DIFFERENCE)
    assert {parameter.dtype for parameter in network_of(rounded).parameters()} == {torch.float32}


@all_implementations
def test_the_test_is_in_float32(implementation: str) -> None:
    run, data = finished(replace(ROUNDED, implementation=implementation)), clouds()
    x = data.test_images.flatten(1).double() / 255
    for layer, (weight, bias) in enumerate(network_of(run).weights()):
        x = x @ weight.double().T + bias.double()
        x = x if layer == len(ROUNDED.hidden) else x.clamp(min=0)
    expected = torch.nn.functional.cross_entropy(x, data.test_labels).item()
    assert run.history.epochs[-1].test_loss == pytest.approx(expected, rel=1e-5)


@all_implementations
def test_runs_of_both_precisions_that_take_turns_are_as_alone(implementation: str) -> None:
    specs = [replace(ROUNDED, precision=precision, implementation=implementation) for precision in ("bfloat16", "float32")]
    runs = [Run(spec, clouds()) for spec in specs]
    while not all(run.finished for run in runs):
        for run in runs:
            run.advance(steps=3)
            assert not torch.is_autocast_enabled("cpu")
    assert [record_of(run) for run in runs] == [record_of(finished(spec)) for spec in specs]


@all_implementations
def test_several_seeds_at_once_round_too(implementation: str) -> None:
    made = {}
    for precision in ("bfloat16", "float32"):
        made[precision] = Replicates(replace(ROUNDED, precision=precision, implementation=implementation), clouds(), seeds=3)
        made[precision].advance()
    assert record_of_all(made["bfloat16"]) != record_of_all(made["float32"])
    for rounded, exact in zip(made["bfloat16"].members, made["float32"].members, strict=True):
        np.testing.assert_allclose(rounded.losses, exact.losses, atol=LARGEST_DIFFERENCE)
