"""The healthy ranges hold for networks that learn, and each is left by a network that does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlp_core.data import load_sample
from mlp_core.reports.diagnosis import verdict as healthy
from mlp_core.reports.diagnosis.verdict import Range
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from mlp_core.training.inspection import Inspection

BOOK = RunSpec(device="cpu", epochs=10)
DEEP = replace(BOOK, hidden=(64,) * 5)


def looks(spec: RunSpec, first: int = 100, last: int = 200) -> list[Inspection]:
    """What somebody sees who looks on from step `first` to step `last`."""
    run = Run(spec, load_sample())
    run.advance(steps=first)
    while run.step < last and not run.finished:
        run.inspections.look()
        run.advance(steps=5)
    return list(run.inspections.entries)


def inside(value: float | None, within: Range) -> bool:
    return value is None or within[0] <= value <= within[1]


@pytest.mark.parametrize(
    "spec",
    [
        BOOK,
        replace(DEEP, init="he_normal"),
        replace(DEEP, activation="tanh", init="xavier_normal"),
        replace(BOOK, optimizer="adam", lr=1e-3),
    ],
    ids=["book", "he", "xavier", "adam"],
)
def test_networks_that_learn_stay_inside(spec: RunSpec) -> None:
    seen = looks(spec)
    assert seen
    assert any(layer.update_ratio is not None for look in seen for layer in look.layers)
    for look in seen:
        for layer in look.layers:
            assert inside(layer.stats.gradient_norm, healthy.GRADIENT)
            assert inside(layer.update_ratio, healthy.UPDATE)
        for layer in look.layers[:-1]:
            assert inside(layer.stats.activation_mean, healthy.MEAN)
            assert inside(layer.stats.activation_std, healthy.STD)
            assert inside(layer.stats.dead_units / layer.stats.units, healthy.FLAT)
            assert inside(layer.stats.saturated_fraction, healthy.FLAT)


def test_networks_that_do_not_learn_leave_them() -> None:
    vanishing = looks(DEEP)[-1].layers
    assert not inside(vanishing[0].stats.gradient_norm, healthy.GRADIENT)
    assert not inside(vanishing[4].stats.activation_std, healthy.STD)
    slow = [layer.update_ratio for look in looks(replace(BOOK, lr=1e-4)) for layer in look.layers]
    assert not any(inside(ratio, healthy.UPDATE) for ratio in slow if ratio is not None)
    dead = looks(replace(BOOK, lr=5.0))[-1].layers[0].stats
    assert not inside(dead.dead_units / dead.units, healthy.FLAT)
    saturated = looks(replace(DEEP, activation="tanh", init_std=1.0))[-1].layers[0].stats
    assert not inside(saturated.saturated_fraction, healthy.FLAT)


def test_the_rule_of_thumb_is_healthy() -> None:
    assert inside(healthy.UPDATE_RULE, healthy.UPDATE)
