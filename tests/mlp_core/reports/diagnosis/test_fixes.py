"""Every fix is a valid experiment from the same seed that changes what is unusual, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.activations import trainable_activations
from mlp_core.data import Dataset, load_sample
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.reports.diagnosis import fixes
from mlp_core.reports.diagnosis.diagnosis import diagnose
from mlp_core.reports.diagnosis.fixes import Fix, usual_lr
from mlp_core.spec import BOUNDS, RunSpec
from tests.support.engine import finished

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


def fixes_of(spec: RunSpec) -> list[Fix]:
    made = [fixes.cure(spec, loud=loud, explodes=explodes) for loud in (False, True) for explodes in (False, True)]
    rules: list[Callable[[RunSpec], Fix | None]] = [
        fixes.smaller_lr, fixes.larger_lr, fixes.random_start, fixes.fewer_layers, fixes.living_units, fixes.more_images,
        fixes.less_overfitting, lambda spec: fixes.more_epochs(spec, 4),
    ]  # fmt: skip
    return [fix for fix in (*made, *(rule(spec) for rule in rules)) if fix is not None]


@given(specs())
def test_a_fix_is_another_valid_experiment_from_the_same_seed(spec: RunSpec) -> None:
    for fix in fixes_of(spec):
        changed = set(fix.spec.differences(spec))
        assert changed
        assert not changed & {"seed", "batch_size", "optimizer", "implementation", "device"}
        assert RunSpec.from_json(fix.spec.to_json()) == fix.spec
        assert fix.label.startswith("Try ")
        assert fix.why.endswith((".", ")."))
        assert fix.step is None


@given(specs())
def test_once_cured_there_is_nothing_unusual_left(spec: RunSpec) -> None:
    for loud in (False, True):
        fix = fixes.cure(spec, loud=loud)
        assert fix is None or fixes.cure(fix.spec, loud=loud) is None


@given(specs())
def test_a_run_that_explodes_never_gets_longer_steps(spec: RunSpec) -> None:
    fix = fixes.cure(spec, loud=True, explodes=True)
    assert fix is None or fix.spec.lr <= spec.lr


@given(specs())
def test_a_smaller_lr_is_smaller_and_a_larger_one_larger(spec: RunSpec) -> None:
    smaller, larger = fixes.smaller_lr(spec), fixes.larger_lr(spec)
    assert smaller is None or smaller.spec.lr <= max(spec.lr / 9, BOUNDS["lr"].low)
    assert larger is None or larger.spec.lr >= min(9 * spec.lr, BOUNDS["lr"].high)


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


DEEP = RunSpec(hidden=(9,) * 5)


@pytest.mark.parametrize(
    ("fix", "changes"),
    [
        (fixes.cure(RunSpec()), {}),
        (fixes.cure(RunSpec(lr=0.29)), {}),
        (fixes.cure(RunSpec(lr=0.31)), {"lr": 0.1}),
        (fixes.cure(RunSpec(lr=0.03)), {"lr": 0.1}),
        (fixes.cure(RunSpec(lr=0.03), explodes=True), {}),
        (fixes.cure(RunSpec(optimizer="adam", lr=1.0)), {"lr": 0.001}),
        (fixes.cure(RunSpec(momentum=0.9, lr=0.1)), {"lr": 0.01}),
        (fixes.cure(RunSpec(momentum=0.99, lr=0.01)), {"momentum": 0.9}),
        (fixes.cure(RunSpec(momentum=0.99, lr=0.1)), {"momentum": 0.9, "lr": 0.01}),
        (fixes.cure(RunSpec(), loud=True), {"init": "he_normal"}),
        (fixes.cure(RunSpec(init="zeros")), {"init": "he_normal"}),
        (fixes.cure(RunSpec(init_std=0.0)), {"init": "he_normal"}),
        (fixes.cure(DEEP), {"init": "he_normal"}),
        (fixes.cure(replace(DEEP, init="he_uniform")), {}),
        (fixes.cure(replace(DEEP, activation="gelu")), {"init": "he_normal"}),
        (fixes.cure(replace(DEEP, activation="tanh", init="orthogonal")), {}),
        (fixes.cure(replace(DEEP, activation="selu", init="he_normal")), {"init": "lecun_normal"}),
        (fixes.cure(RunSpec(hidden=(9,) * 8, activation="selu", init="he_normal")), {"init": "lecun_normal", "lr": 0.01}),
        (fixes.cure(replace(DEEP, activation="selu", init="xavier_normal")), {"lr": 0.01}),
        (fixes.cure(replace(DEEP, activation="selu", init="xavier_normal", lr=0.01)), {}),
        (fixes.cure(replace(DEEP, activation="prelu", activation_parameter=-1.0, init="he_normal", lr=0.01)), {"init": "xavier_normal"}),
        (fixes.cure(replace(DEEP, activation="leaky_relu", activation_parameter=0.2, init="he_normal")), {}),
        (fixes.cure(replace(DEEP, activation="hard_sigmoid", init="he_normal")), {"activation": "tanh", "init": "xavier_normal"}),
        (fixes.cure(RunSpec(hidden=(9,) * 8)), {"init": "he_normal", "hidden": (9,) * 5}),
        (fixes.cure(RunSpec(hidden=(9,) * 8, activation="tanh", init="xavier_normal")), {}),
        (fixes.cure(RunSpec(hidden=(9,) * 8, activation="tanh", init="xavier_normal"), explodes=True), {"lr": 0.01}),
        (fixes.cure(RunSpec(dropout=(0.8,))), {"dropout": ()}),
        (fixes.cure(replace(DEEP, init="he_normal", dropout=(0.5,) * 5)), {"dropout": ()}),
        (fixes.cure(RunSpec(dropout=(0.7,), weight_decay=0.2, l1=0.009)), {}),
        (fixes.cure(RunSpec(dropout=(1.0,), weight_decay=25.0, l1=1.0)), {"dropout": (), "weight_decay": 0.0, "l1": 0.0}),
        (fixes.cure(RunSpec(optimizer="adamw", lr=1e-3, weight_decay=1.0)), {}),
        (fixes.cure(RunSpec(activation="=0*x", init_std=0.0, lr=9.0)), {"activation": "relu", "init": "he_normal", "lr": 0.1}),
        (fixes.cure(RunSpec(activation="=x*sigmoid(x)")), {}),
        (fixes.smaller_lr(RunSpec(lr=0.3)), {"lr": 0.03}),
        (fixes.smaller_lr(RunSpec(lr=1e-5)), {}),
        (fixes.larger_lr(RunSpec(lr=0.05)), {"lr": 0.5}),
        (fixes.larger_lr(RunSpec(lr=100.0)), {}),
        (fixes.random_start(RunSpec(activation="gelu")), {"init": "he_normal"}),
        (fixes.random_start(RunSpec(init="he_normal")), {}),
        (fixes.fewer_layers(RunSpec(hidden=(4, 3, 2), dropout=(0.1, 0.2, 0.3))), {"hidden": (4,), "dropout": (0.1,)}),
        (fixes.living_units(RunSpec(activation="elu", activation_parameter=0.0)), {"activation": "leaky_relu"}),
        (fixes.living_units(RunSpec(activation="leaky_relu", activation_parameter=0.0)), {"lr": 0.01}),
        (fixes.living_units(RunSpec(l1=0.003)), {"l1": 0.0}),
        (fixes.more_images(RunSpec(train_size=300)), {"train_size": 3000}),
        (fixes.more_images(RunSpec(train_size=600)), {"train_size": 6000}),
        (fixes.more_images(RunSpec(train_size=601)), {"train_size": None}),
        (fixes.more_images(RunSpec()), {}),
        (fixes.less_overfitting(RunSpec(train_size=10)), {"train_size": 100}),
        (fixes.less_overfitting(RunSpec(hidden=(64, 32))), {"dropout": (0.5, 0.5)}),
        (fixes.less_overfitting(RunSpec(hidden=(31,))), {"weight_decay": 0.01}),
        (fixes.less_overfitting(RunSpec(dropout=(0.2,), weight_decay=0.01)), {"weight_decay": 0.1}),
        (fixes.less_overfitting(RunSpec(hidden=(), weight_decay=100.0)), {}),
        (fixes.more_epochs(RunSpec(epochs=2), 4), {"epochs": 75}),
        (fixes.more_epochs(RunSpec(epochs=2), 200), {"epochs": 4}),
        (fixes.more_epochs(RunSpec(epochs=2000), 1), {}),
    ],
)  # fmt: skip
def test_what_is_changed_and_nothing_else(fix: Fix | None, changes: dict[str, object]) -> None:
    if not changes:
        assert fix is None
        return
    assert fix is not None
    assert {name: getattr(fix.spec, name) for name in changes} == changes
    for name in set(changes) & {"dropout", "lr", "momentum", "epochs"} - ({"dropout"} if "hidden" in changes else set()):
        assert name in fix.label


@pytest.mark.parametrize(
    ("activation", "words"),
    [
        ("=0*x", "flat"),
        ("=relu(x-10)", "slope is 7.62 × 10⁻²⁴"),  # P(z > 10)
        ("=log(x)", "not a number"),
        ("=sqrt(x)", "not a number"),
        ("=1/x", "slope is ∞"),
        ("=1000*x", "slope is 1 × 10⁶"),  # 1000²
        ("=0.01*x", "slope is 1 × 10⁻⁴"),
        ("=x^3", "slope is 27"),  # E[(3z²)²] = 9 · 3
        ("=x*x", "slope is 4"),  # E[(2z)²]
        ("=x+1000", "activation is 1 × 10⁶"),  # 1000² + 1
        ("=x", ""),
        ("=max(0,x)", ""),
        ("=tanh(x)", ""),
        ("=x*sigmoid(1.7*x)", ""),
        ("=sigmoid(x)", ""),
    ],
)
def test_the_fault_of_an_own_activation_is_measured(activation: str, words: str) -> None:
    said = fixes.fault_of(activation)
    assert words in said
    assert bool(said) == bool(words)


@pytest.mark.parametrize(
    ("spec", "factor"),
    [
        (RunSpec(lr=0.1, weight_decay=100.0), "−9"),
        (RunSpec(lr=0.1, weight_decay=25.0), "−1.5"),
        (RunSpec(lr=0.1, weight_decay=19.0), "−0.9"),
        (RunSpec(optimizer="adamw", lr=0.001, weight_decay=100.0), "0.9"),
    ],
)
def test_weight_decay_is_said_to_overshoot_only_where_it_does(spec: RunSpec, factor: str) -> None:
    fix = fixes.cure(spec)
    assert fix is not None
    assert f"1 − ηλ = {factor} in every step" in fix.why
    assert ("overshoots 0" in fix.why) == (spec.lr * spec.weight_decay > 2)


def test_where_there_are_no_more_images_dropout_lowers_the_test_loss() -> None:
    sample = load_sample()
    few = Dataset(sample.train_images[:300], sample.train_labels[:300], sample.test_images, sample.test_labels)
    for seed in range(3):
        spec = RunSpec(
            hidden=(128,), batch_size=50, epochs=60, seed=seed, optimizer="adam", lr=3e-3, init="he_normal", device="cpu"
        )  # fmt: skip
        losses = []
        for _ in range(2):
            run = finished(spec, few)
            losses.append(run.history.epochs[-1].test_loss)
            verdict = diagnose(spec, run.history.snapshot(), run.stop_reason)
            assert verdict.fix is not None
            assert verdict.kind == "overfitting"
            spec = verdict.fix.spec
        assert losses[1] < losses[0] - 0.04  # over four seeds by 0.08 to 0.14
        assert spec.dropout == (0.5,)
        assert spec.weight_decay == 0.01, "the second fix, where dropout is not enough"
