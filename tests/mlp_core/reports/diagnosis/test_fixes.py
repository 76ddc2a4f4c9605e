"""Every fix is one valid change from the same seed; and, trained for real, broken designs learn once it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.activations import trainable_activations
from mlp_core.data import load_sample
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.reports.diagnosis import fixes
from mlp_core.reports.diagnosis.diagnosis import diagnose
from mlp_core.reports.diagnosis.fixes import Fix, usual_lr
from mlp_core.reports.diagnosis.verdict import Verdict
from mlp_core.spec import BOUNDS, RunSpec
from tests.support.engine import finished

SMALL = RunSpec(hidden=(64,), batch_size=64, epochs=6, train_size=2000, device="cpu")  # 192 steps
DEEP = replace(SMALL, hidden=(64,) * 5)
VERY_DEEP = replace(SMALL, hidden=(32,) * 10)

numbers = st.floats(0, 2) | st.sampled_from([0.0, 1e-3, 0.1, 1.0])


@st.composite
def specs(draw: st.DrawFn) -> RunSpec:
    hidden = draw(st.lists(st.integers(1, 64), max_size=12).map(tuple))
    optimizer = draw(st.sampled_from(list(OPTIMIZERS)))
    return RunSpec(
        hidden=hidden,
        activation=draw(st.sampled_from([*trainable_activations(), "=x*sigmoid(x)"])),
        init=draw(st.sampled_from(list(INITIALIZERS))),
        dropout=draw(st.just(()) | st.lists(st.floats(0, 1), min_size=len(hidden), max_size=len(hidden)).map(tuple)),
        optimizer=optimizer,
        lr=draw(st.floats(1e-5, 100) | st.sampled_from([1e-5, 0.1, 100.0])),
        momentum=draw(st.floats(0, 0.999)),
        divide_by_batch=draw(st.booleans()) and optimizer == "sgd",
        weight_decay=draw(numbers),
        l1=draw(numbers),
        seed=draw(st.integers(0, 100)),
        train_size=draw(st.none() | st.just(500)),
    )


@given(specs(), st.none() | st.floats(1e-5, 100))
def test_a_fix_is_another_valid_experiment_on_the_same_data_from_the_same_seed(spec: RunSpec, lr: float | None) -> None:
    of_spec: list[Callable[[RunSpec], Fix | None]] = [
        fixes.random_start, fixes.better_start, fixes.fewer_layers, fixes.less_overfitting, fixes.lighter_penalty,
    ]  # fmt: skip
    of_lr: list[Callable[[RunSpec, float | None], Fix | None]] = [
        fixes.smaller_lr, fixes.larger_lr, fixes.living_units, fixes.any_movement,
    ]  # fmt: skip
    for fix in (*(make(spec) for make in of_spec), *(make(spec, lr) for make in of_lr)):
        if fix is None:
            continue
        changed = set(fix.spec.differences(spec))
        along = {"activation_parameter"} | ({"dropout"} if "hidden" in changed else set())  # what the activation or the layers take along
        assert 1 <= len(changed - along) <= 2
        assert not changed & {"seed", "train_size", "epochs", "batch_size", "optimizer"}
        assert RunSpec.from_json(fix.spec.to_json()) == fix.spec
        assert fix.label.startswith("Try ")
        assert fix.why.endswith((".", ")."))


@given(specs(), st.none() | st.floats(1e-5, 100))
def test_a_smaller_lr_is_smaller_and_a_larger_one_larger(spec: RunSpec, lr: float | None) -> None:
    now = spec.lr if lr is None else lr
    smaller, larger = fixes.smaller_lr(spec, lr), fixes.larger_lr(spec, lr)
    assert smaller is None or smaller.spec.lr <= max(now / 9, BOUNDS["lr"].low)
    assert larger is None or larger.spec.lr >= min(9 * now, BOUNDS["lr"].high)


@pytest.mark.parametrize(
    ("spec", "lr"),
    [
        (RunSpec(), 0.1),
        (RunSpec(momentum=0.9), 0.01),
        (RunSpec(divide_by_batch=True, batch_size=100), 10.0),
        (RunSpec(divide_by_batch=True, batch_size=4096), 100.0),  # the upper bound
        (RunSpec(optimizer="adam"), 1e-3),
        (RunSpec(optimizer="rmsprop", momentum=0.5), 5e-4),
        (RunSpec(optimizer="adagrad"), 1e-2),
    ],
)
def test_the_usual_lr(spec: RunSpec, lr: float) -> None:
    assert usual_lr(spec) == pytest.approx(lr)


@pytest.mark.parametrize(
    ("fix", "changes"),
    [
        (fixes.smaller_lr(RunSpec(lr=2.0)), {"lr": 0.1}),
        (fixes.smaller_lr(RunSpec(lr=0.3)), {"lr": 0.03}),
        (fixes.smaller_lr(RunSpec(lr=0.1), 1.0), {"lr": 0.033}),
        (fixes.smaller_lr(RunSpec(lr=1e-5)), None),
        (fixes.larger_lr(RunSpec(lr=1e-5)), {"lr": 0.1}),
        (fixes.larger_lr(RunSpec(lr=0.05)), {"lr": 0.5}),
        (fixes.larger_lr(RunSpec(lr=100.0)), None),
        (fixes.random_start(RunSpec(activation="gelu")), {"init": "he_normal"}),
        (fixes.random_start(RunSpec(activation="selu")), {"init": "xavier_normal"}),
        (fixes.random_start(RunSpec(activation="tanh", init="orthogonal")), None),
        (fixes.better_start(RunSpec(activation="sigmoid", init="he_uniform")), {"activation": "tanh"}),
        (fixes.better_start(RunSpec(activation="hard_sigmoid")), {"activation": "tanh", "init": "xavier_normal"}),
        (fixes.better_start(RunSpec(hidden=(4, 3, 2), init="he_normal", dropout=(0.1, 0.2, 0.3))), {"hidden": (4,), "dropout": (0.1,)}),
        (fixes.better_start(RunSpec(init="he_normal")), None),
        (fixes.better_start(RunSpec(hidden=(9,) * 7)), {"init": "he_normal", "hidden": (9,) * 7}),
        (fixes.better_start(RunSpec(hidden=(9,) * 8)), {"init": "he_normal", "hidden": (9,) * 5}),
        (fixes.better_start(RunSpec(hidden=(9,) * 8, dropout=(0.1,) * 8)), {"init": "he_normal", "dropout": (0.1,) * 5}),
        (fixes.better_start(RunSpec(hidden=(9,) * 8, activation="tanh")), {"init": "xavier_normal", "hidden": (9,) * 8}),
        (fixes.living_units(RunSpec(lr=0.2)), {"lr": 0.02}),
        (fixes.living_units(RunSpec(activation="elu", activation_parameter=0.0)), {"activation": "leaky_relu"}),
        (fixes.living_units(RunSpec(activation="leaky_relu", activation_parameter=0.0)), {"lr": 0.01}),
        (fixes.less_overfitting(RunSpec(hidden=(64, 32))), {"dropout": (0.5, 0.5)}),
        (fixes.less_overfitting(RunSpec(hidden=(31,))), {"weight_decay": 0.01}),
        (fixes.less_overfitting(RunSpec(dropout=(0.2,), weight_decay=0.01)), {"weight_decay": 0.1}),
        (fixes.less_overfitting(RunSpec(hidden=(), weight_decay=100.0)), None),
        (fixes.lighter_penalty(RunSpec(dropout=(0.8,))), {"dropout": ()}),
        (fixes.lighter_penalty(RunSpec(dropout=(0.7,), weight_decay=0.2, l1=0.009)), None),
        (fixes.any_movement(RunSpec(init="he_normal")), {"lr": 1.0}),
    ],
)  # fmt: skip
def test_what_is_changed(fix: Fix | None, changes: dict[str, object] | None) -> None:
    """Every field named here differs from the default or from what the spec above sets."""
    if changes is None:
        assert fix is None
    else:
        assert fix is not None
        assert {name: getattr(fix.spec, name) for name in changes} == changes


@cache
def outcome(spec: RunSpec) -> tuple[Verdict, float]:
    """The verdict on a finished run of the bundled sample, and its accuracy; 0 where it diverged in its first epoch.

    The accuracy is the last epoch's on the training images, a mean over 32 steps: after a single one it swings by a quarter.
    """
    run = finished(spec, load_sample())
    accuracies = [epoch.train_accuracy for epoch in run.history.epochs]
    return diagnose(spec, run.history.snapshot(), run.stop_reason), accuracies[-1] if accuracies else 0.0


BROKEN = {
    "lr too high": (replace(SMALL, lr=2.0), "dead"),
    "lr far too high": (replace(SMALL, activation="leaky_relu", lr=5.0), "diverged"),
    "adam too high": (replace(SMALL, optimizer="adam", lr=1.0), "dead"),
    "tanh pushed flat": (replace(SMALL, activation="tanh", lr=10.0), "saturated"),
    "deep tanh pushed flat": (replace(DEEP, activation="tanh", init="xavier_normal", lr=1.0), "saturated"),
    "lr too low": (replace(SMALL, lr=1e-5), "stuck"),
    "older edition, book's lr": (replace(SMALL, lr=0.1, divide_by_batch=True), "stuck"),
    "deep, small weights": (DEEP, "vanishing"),
    "deep tanh, small weights": (replace(DEEP, activation="tanh"), "vanishing"),
    "deep sigmoid": (replace(DEEP, activation="sigmoid", init="xavier_uniform"), "vanishing"),
    "deeper sigmoid": (replace(VERY_DEEP, activation="sigmoid", init="torch_default"), "vanishing"),
    "deeper relu, torch's weights": (replace(VERY_DEEP, init="torch_default"), "vanishing"),
    "deeper tanh, torch's weights": (replace(VERY_DEEP, activation="tanh", init="torch_default"), None),
    "zeros": (replace(SMALL, init="zeros"), "vanishing"),
    "all units alike": (replace(SMALL, init="constant"), "symmetric"),
    "saturated from the start": (replace(SMALL, activation="sigmoid", init_std=10.0), "saturated"),
    "huge weights": (replace(DEEP, init_std=1.0), "diverged"),
    "huge weights and steps": (replace(SMALL, activation="identity", init_std=1.0, lr=100.0), "diverged"),
    "everything dropped": (replace(SMALL, dropout=(1.0,)), "stuck"),
    "decayed away": (replace(SMALL, weight_decay=1.0), None),
    "decayed beyond zero": (replace(SMALL, weight_decay=100.0), "diverged"),
    "L1 too strong": (replace(SMALL, l1=0.1), "stuck"),
}
SEEDS = range(3)
# Chance is 0.1. Over six seeds of every design, and with other kernels, other products and torch 2.13 to 2.15 over three, a broken design
# reached at most 0.29 and a mended or healthy one at least 0.66.
FAILS, LEARNS = 0.38, 0.56


@pytest.mark.parametrize(("spec", "kind"), BROKEN.values(), ids=BROKEN)
def test_a_broken_design_learns_after_one_fix_or_two(spec: RunSpec, kind: str | None) -> None:
    for seed in SEEDS:
        verdict, accuracy = outcome(replace(spec, seed=seed))
        assert verdict.is_fault
        assert kind in (None, verdict.kind)
        assert accuracy < FAILS
        for _ in range(2):
            if verdict.fix is not None:
                verdict, accuracy = outcome(verdict.fix.spec)
        assert accuracy > LEARNS, f"seed {seed}, {verdict.kind}: {verdict.sentence}"
        assert verdict.fix is None


@pytest.mark.parametrize("spec", [SMALL, replace(SMALL, hidden=()), replace(DEEP, init="he_normal")], ids=["book", "softmax", "he"])
def test_what_works_is_not_fixed(spec: RunSpec) -> None:
    for seed in SEEDS:
        verdict, accuracy = outcome(replace(spec, seed=seed))
        assert accuracy > LEARNS
        assert verdict.fix is None


def test_dropout_really_lowers_the_test_loss_of_a_run_that_overfits() -> None:
    adam = {"optimizer": "adam", "lr": 3e-3, "init": "he_normal"}
    for seed in SEEDS:
        spec = replace(SMALL, hidden=(128,), train_size=300, batch_size=50, epochs=60, seed=seed, **adam)  # type: ignore[arg-type]
        losses = []
        for _ in range(2):
            run = finished(spec, load_sample())
            losses.append(run.history.epochs[-1].test_loss)
            verdict = diagnose(spec, run.history.snapshot(), run.stop_reason)
            assert verdict.fix is not None
            assert verdict.kind == "overfitting"
            spec = verdict.fix.spec
        assert losses[1] < losses[0] - 0.04  # over four seeds by 0.08 to 0.14
        assert spec.dropout == (0.5,)
        assert spec.weight_decay == 0.01, "the second fix, where dropout is not enough"
