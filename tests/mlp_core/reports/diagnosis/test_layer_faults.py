"""Faults of single layers: each told from its neighbors at the edge of its rule, with the cause that its cure depends on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from mlp_core.records import LayerStats, ProbeRecord
from mlp_core.reports.diagnosis.diagnosis import dead, large_update, saturated, small_updates
from mlp_core.reports.diagnosis.verdict import Case
from mlp_core.spec import RunSpec
from tests.support.histories import history_of, layer_of, looks_of, numbers

TANH = RunSpec(hidden=(64, 64), activation="tanh", init_std=1.0, lr=3.0)


def case_of(now: Sequence[LayerStats], start: Sequence[LayerStats] = (), accuracy: float = 0.1, spec: RunSpec = TANH) -> Case:
    probes = [ProbeRecord(0, tuple(start or now)), ProbeRecord(200, tuple(now))]
    return Case(spec, history_of([2.3] * 200, [accuracy] * 200, (), probes))


def layers(*fractions: float) -> list[LayerStats]:
    hidden = [layer_of(number, saturated_fraction=fraction) for number, fraction in enumerate(fractions, start=1)]
    return [*hidden, layer_of(len(fractions) + 1, 10)]


@pytest.mark.parametrize("accuracy", [0.1, 0.6])
def test_a_layer_that_was_saturated_from_the_start_needs_another_start(accuracy: float) -> None:
    verdict = saturated(case_of(layers(0.6, 0.93), layers(0.1, 0.85), accuracy))
    assert verdict is not None
    assert numbers(verdict.sentence) == [100 * accuracy, 2]
    assert numbers(verdict.evidence) == [93, 85]
    assert verdict.fix is not None
    assert verdict.fix.spec == replace(TANH, init="xavier_normal", lr=0.1)


def test_a_layer_that_training_saturated_needs_a_smaller_lr_if_it_learns_nothing() -> None:
    now, start = layers(0.6, 0.93), layers(0.1, 0.0)
    verdict = saturated(case_of(now, start, 0.1))
    assert verdict is not None
    assert verdict.fix is not None
    assert verdict.fix.spec == replace(TANH, lr=0.1)
    assert saturated(case_of(now, start, 0.6)) is None, "sure of itself is no fault"


def test_half_of_the_outputs_is_the_edge_and_the_output_layer_has_none() -> None:
    assert saturated(case_of(layers(0.5))) is not None
    assert saturated(case_of(layers(0.499))) is None
    output = [layer_of(1), layer_of(2, 10, saturated_fraction=1.0)]
    assert saturated(case_of(output)) is None
    assert saturated(Case(TANH, history_of([2.3], [0.1]))) is None


def test_dead_units_are_counted_in_the_newest_measurement() -> None:
    spec = RunSpec(hidden=(64,))
    early = case_of([layer_of(1), layer_of(2, 10)], spec=spec)
    assert dead(early) is None
    newer = looks_of([0.0, 0.0], [layer_of(1, dead_units=60), layer_of(2, 10)], first=250)
    verdict = dead(replace(early, inspections=newer))
    assert verdict is not None
    assert numbers(verdict.evidence) == [60, 64, 0]
    older = looks_of([0.0, 0.0], [layer_of(1, dead_units=60), layer_of(2, 10)], first=100)
    assert dead(replace(early, inspections=older)) is None


@pytest.mark.parametrize(("units", "words"), [(60, "Worth 4 units"), (63, "Worth 1 unit:")])
def test_what_lives_of_a_layer_is_what_the_network_is_worth(units: int, words: str) -> None:
    verdict = dead(case_of([layer_of(1, dead_units=units), layer_of(2, 10)], accuracy=0.6))
    assert verdict is not None
    assert verdict.sentence.startswith(words)


def test_small_updates_are_the_median_of_the_last_five_looks() -> None:
    case = case_of(layers(0.0))
    assert small_updates(case) == ""
    long_ago, now = looks_of([0.1, 0.1], count=20), looks_of([1e-5, None], count=5, first=30)
    assert numbers(small_updates(replace(case, inspections=[*long_ago, *now])))[0] == 1e-5
    assert small_updates(replace(case, inspections=[*now, *long_ago])) == ""
    assert small_updates(replace(case, inspections=looks_of([3.2e-4, 3.2e-4]))) == ""
    assert "exactly 0" in small_updates(replace(case, inspections=looks_of([0.0, math.nan])))


def test_the_largest_update_is_found_wherever_it_was() -> None:
    case = case_of(layers(0.0))
    looks = [*looks_of([0.01, 0.02], count=4), *looks_of([0.2, 2.5], count=1, first=7), *looks_of([0.01, math.inf], first=8)]
    found = large_update(replace(case, spec=RunSpec(hidden=(64,)), inspections=looks))
    assert numbers(found)[:2] == [7, 2.5]
    assert "the output layer by 2.5 times" in found
    assert large_update(replace(case, inspections=looks[:4])) == ""
    assert large_update(case) == ""
