"""What counts as one change: every setting that plays a part, and nothing that does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.reports.comparison.changes import THINGS, differences, instead, short_name
from mlp_core.reports.comparison.kept_runs import MAX_NAME
from mlp_core.spec import PRESETS, RunSpec
from tests.support.kept import kept

BOOK = RunSpec()
ADAM = RunSpec(optimizer="adam")
TWO = RunSpec(hidden=(256, 128))


def changed(one: RunSpec, other: RunSpec) -> dict[str, tuple[str | None, ...]]:
    """Name of every thing that differs -> its values."""
    return {difference.thing.name: difference.values for difference in differences((kept(one), kept(other)))}


@pytest.mark.parametrize(
    ("base", "change", "thing", "values"),
    [
        (BOOK, {"activation": "sigmoid"}, "activation", ("ReLU", "Sigmoid")),
        (BOOK, {"activation": "=x*x"}, "activation", ("ReLU", "x*x")),
        (RunSpec(activation="elu"), {"activation_parameter": 2.0}, "activation", ("ELU", "ELU (α = 2)")),
        (BOOK, {"init_std": 0.1}, "initial weights", ("N(0, 0.01²)", "N(0, 0.1²)")),
        (BOOK, {"init": "he_normal"}, "initial weights", ("N(0, 0.01²)", "He normal")),
        (RunSpec(init="constant"), {"init_noise": 0.001}, "initial weights", ("constant 0.01", "constant 0.01 ± 0.001")),
        (BOOK, {"hidden": (128,)}, "hidden units", ("256", "128")),
        (BOOK, {"hidden": (256, 128)}, "number of hidden layers", ("1", "2")),
        (BOOK, {"hidden": ()}, "number of hidden layers", ("1", "0")),
        (TWO, {"hidden": (256, 64)}, "hidden units", ("256-128", "256-64")),
        (BOOK, {"dropout": (0.5,)}, "dropout", ("none", "0.5")),
        (TWO, {"dropout": (0.2, 0.5)}, "dropout", ("none", "0.2, 0.5")),
        (BOOK, {"optimizer": "adam"}, "optimizer", ("SGD", "Adam")),
        (BOOK, {"momentum": 0.9}, "optimizer", ("SGD", "SGD momentum 0.9")),
        (RunSpec(momentum=0.9), {"nesterov": True}, "optimizer", ("SGD momentum 0.9", "SGD Nesterov momentum 0.9")),
        (RunSpec(optimizer="rmsprop"), {"momentum": 0.5}, "optimizer", ("RMSprop", "RMSprop momentum 0.5")),
        (ADAM, {"beta1": 0.8}, "optimizer", ("Adam", "Adam β₁ 0.8")),
        (ADAM, {"eps": 1e-5}, "optimizer", ("Adam", "Adam ε 0.00001")),
        (BOOK, {"lr": 0.5}, "lr", ("0.1", "0.5")),
        (BOOK, {"lr": 100.0, "divide_by_batch": True}, "lr", ("0.1", "100 / batch size")),
        (BOOK, {"weight_decay": 1e-5}, "weight decay", ("0", "0.00001")),
        (BOOK, {"l1": 0.001}, "L1 penalty", ("0", "0.001")),
        (BOOK, {"batch_size": 64}, "batch size", ("256", "64")),
        (BOOK, {"train_size": 1000}, "number of training images", ("all", "1,000")),
        (BOOK, {"precision": "bfloat16"}, "precision of the products", ("float32", "bfloat16")),
        (BOOK, {"epochs": 5}, "number of epochs", ("10", "5")),
        (BOOK, {"seed": 7}, "seed", ("0", "7")),
    ],
)
def test_one_decision_is_one_thing(base: RunSpec, change: dict[str, Any], thing: str, values: tuple[str, str]) -> None:
    assert changed(base, replace(base, **change)) == {thing: values}


@pytest.mark.parametrize(
    ("base", "change"),
    [
        (BOOK, {"device": "cpu"}),
        (BOOK, {"implementation": "scratch"}),
        (BOOK, {"beta1": 0.5, "beta2": 0.5, "rho": 0.5, "eps": 0.1}),  # of optimizers that are not at work
        (BOOK, {"init_value": 1.0, "init_noise": 1.0}),
        (BOOK, {"dropout": (0.0,)}),
        (BOOK, {"train_size": 60_000}),
        (ADAM, {"momentum": 0.9}),
        (RunSpec(init="he_normal"), {"init_std": 1.0}),
        (RunSpec(hidden=()), {"activation": "tanh"}),
    ],
)
def test_what_plays_no_part_is_no_difference(base: RunSpec, change: dict[str, Any]) -> None:
    assert changed(base, replace(base, **change)) == {}


def test_another_depth_and_other_widths_are_two_things() -> None:
    assert changed(BOOK, replace(BOOK, hidden=(64, 64))) == {"number of hidden layers": ("1", "2"), "hidden units": ("256", "2×64")}


def test_a_dropout_that_a_further_layer_shares_is_no_second_thing() -> None:
    one, two = RunSpec(dropout=(0.5,)), RunSpec(hidden=(256, 256), dropout=(0.5, 0.5))
    assert list(changed(one, two)) == ["number of hidden layers"]


def test_among_three_runs_it_is_enough_that_two_differ() -> None:
    runs = [kept(replace(BOOK, hidden=hidden)) for hidden in ((), (256,), (128,))]
    assert {difference.thing.name: difference.values for difference in differences(runs)} == {
        "number of hidden layers": ("0", "1", "1"),
        "hidden units": (None, "256", "128"),
    }


def test_a_learning_rate_changed_on_the_way_counts_from_the_step_it_was_used_at() -> None:
    plain, changed = kept(BOOK, steps=500), kept(BOOK, steps=501, changes=[(300, 0.05), (500, 0.01)])
    (difference,) = differences((plain, changed))
    assert difference.values == ("none", "lr 0.05 after step 300, lr 0.01 after step 500")
    assert differences((plain, kept(BOOK, steps=500, changes=[(500, 0.01)]))) == ()


def test_a_name_tells_few_changes_in_mid_run_one_by_one_and_counts_many() -> None:
    none, one = kept(BOOK, steps=900), kept(BOOK, steps=900, changes=[(300, 0.05)])
    many = kept(BOOK, steps=900, changes=[(300, 0.05), (400, 0.04), (500, 0.03)])
    assert instead(one, none) == "lr 0.05 after step 300"
    assert instead(none, one) == "no change in mid-run instead of lr 0.05 after step 300"
    assert instead(many, none) == "3 changes in mid-run"
    assert instead(one, many) == "lr 0.05 after step 300 instead of 3 changes in mid-run"


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        (BOOK, "ReLU 256, lr 0.1"),
        (PRESETS["softmax"].spec, "softmax regression, lr 0.1"),
        (PRESETS["dropout"].spec, "ReLU 2×256, lr 0.5, dropout 0.2, 0.5"),
        (PRESETS["older_edition"].spec, "ReLU 256, lr 100 / batch size, 5 epochs"),
        (replace(BOOK, activation="sigmoid", hidden=(128, 64), seed=3), "Sigmoid 128-64, lr 0.1, seed 3"),
        (replace(BOOK, optimizer="adam", lr=0.001, batch_size=64), "ReLU 256, lr 0.001, Adam, batch 64"),
        (replace(PRESETS["deep_sigmoid"].spec, lr=0.5), "Sigmoid 5×64, lr 0.5, Xavier uniform, 5 epochs"),
    ],
)
def test_a_run_is_named_by_what_is_special_about_it(spec: RunSpec, name: str) -> None:
    assert short_name(kept(spec), MAX_NAME) == name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"device": "cpu"}, ""),
        ({"momentum": 0.9}, "momentum 0.9 instead of 0"),
        ({"momentum": 0.9, "nesterov": True}, "Nesterov momentum 0.9 instead of momentum 0"),
        ({"optimizer": "adam", "lr": 0.001}, "Adam instead of SGD, lr 0.001 instead of 0.1"),
        ({"activation": "sigmoid", "hidden": (64, 64)}, "depth 2 instead of 1, units 2×64 instead of 256, Sigmoid instead of ReLU"),
        ({"dropout": (0.5,)}, "dropout 0.5 instead of none"),
    ],
)
def test_a_run_beside_another_is_named_by_what_it_has_instead(change: dict[str, Any], words: str) -> None:
    assert instead(kept(replace(BOOK, **change)), kept(BOOK)) == words


def test_settings_of_one_optimizer_are_told_apart_one_by_one() -> None:
    run, other = replace(ADAM, beta1=0.8, eps=1e-5), replace(ADAM, eps=1e-6)
    assert instead(kept(run), kept(other)) == "β₁ 0.8 instead of 0.9, ε 0.00001 instead of 0.000001"


@given(st.text("x*+sin()", min_size=1, max_size=200), st.integers(0, 5))
def test_no_name_is_too_long(expression: str, layers: int) -> None:
    spec = RunSpec(hidden=(2048, 3) * layers, activation=f"={expression}", dropout=(0.25, 0.5) * layers, optimizer="adagrad")
    assert 0 < len(short_name(kept(spec), MAX_NAME)) <= MAX_NAME


def test_no_two_things_have_the_same_name() -> None:
    assert len({thing.name for thing in THINGS}) == len(THINGS)
