"""Experiments that differ in their seed and in how they are moved, trained at once, are the single runs to rounding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from mlp_core.records import SettingChange
from mlp_core.spec import SpecError
from mlp_core.training import Run
from mlp_core.training.replicates import Together
from tests.mlp_core.training.test_replicates import assert_same
from tests.support.engine import SPEC, all_implementations, clouds, kind_of

pytestmark = pytest.mark.usefixtures("small_test_pieces")

GRIDS: dict[str, list[dict[str, Any]]] = {
    "lr × seed": [{"seed": seed, "lr": lr} for seed in (3, 4) for lr in (0.03, 0.1, 0.3)],
    "lr × seed, the other way round": [{"seed": seed, "lr": lr} for lr in (0.03, 0.1, 0.3) for seed in (3, 4)],
    "as many of no seed as of another": [{"seed": 3}, {"seed": 3, "lr": 0.3}, {"seed": 4}],
    "weight decay": [{"weight_decay": decay} for decay in (0.0, 0.01, 0.3)],
    "L1 penalty": [{"l1": penalty} for penalty in (0.0, 0.001, 0.01)],
    "initial σ": [{"init": "normal", "init_std": std} for std in (0.01, 0.1, 0.5)],
    "initializers": [{"init": init} for init in ("normal", "xavier_uniform", "he_normal")],
    "optimizers": [{"optimizer": "sgd"}, {"optimizer": "adam", "lr": 0.01}, {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.1}],
    "momentum": [{"momentum": 0.0}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "with dropout": [{"dropout": (0.5,), "seed": seed, "lr": lr} for seed in (1, 2) for lr in (0.1, 0.2)],
    "without a hidden layer": [{"hidden": (), "dropout": (), "seed": seed, "lr": lr} for seed in (1, 2) for lr in (0.1, 0.2)],
}


@all_implementations
@pytest.mark.parametrize("changes", GRIDS.values(), ids=GRIDS)
def test_each_is_the_single_run_of_it(changes: list[dict[str, Any]], implementation: str) -> None:
    specs, data = [replace(SPEC, **one, implementation=implementation) for one in changes], clouds()
    run, alone = Together(specs, data), [Run(spec, data) for spec in specs]
    for one in (run, *alone):
        one.advance()
    assert_same(run, alone)
    assert len({tuple(member.losses) for member in run.members}) == len(specs)


def test_the_same_together_is_the_same_bit_for_bit() -> None:
    specs, data = [replace(SPEC, seed=seed, lr=lr) for seed in (0, 1) for lr in (0.1, 0.2)], clouds()
    whole, sliced = Together(specs, data), Together(specs, data)
    whole.advance()
    while not sliced.finished:
        sliced.advance(steps=1)
    assert whole.members == sliced.members
    for mine, other in zip(whole.replicas, sliced.replicas, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), other.parameters(), strict=True))


def test_one_that_diverges_ends_alone() -> None:
    specs, data = [replace(SPEC, lr=lr, activation="=x^3") for lr in (0.001, 100.0, 0.002)], clouds()
    run, alone = Together(specs, data), [Run(spec, data) for spec in specs]
    for one in (run, *alone):
        one.advance()
    assert [kind_of(one) for one in alone] == ["completed", "diverged", "completed"]
    assert_same(run, alone)
    assert kind_of(run) == "completed"


def test_no_setting_changes_where_they_move_in_several_ways() -> None:
    specs = [SPEC, replace(SPEC, lr=2 * SPEC.lr)]
    with pytest.raises(SpecError, match="must be the same where settings change") as raised:
        Together(specs, clouds(), changes=(SettingChange(1, "batch_size", 5),))
    assert raised.value.field == "lr"
    run = Together(specs, clouds())
    with pytest.raises(SpecError, match="must be the same where settings change"):
        run.change(lr=0.5)


@pytest.mark.parametrize(
    ("field", "value"),
    [("hidden", (5,)), ("activation", "tanh"), ("batch_size", 7), ("epochs", 3), ("dropout", (0.5,)), ("implementation", "scratch")],
)
def test_what_changes_the_products_is_refused(field: str, value: object) -> None:
    changed: dict[str, Any] = {field: value}
    other = replace(SPEC, **changed)
    with pytest.raises(SpecError, match="must be the same in all experiments") as raised:
        Together([SPEC, other], clouds())
    assert raised.value.field == field
