"""A case reads what was recorded: the newest layers, the lr in force, means over the last steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlp_core.records import EpochRecord, ProbeRecord, SettingChange
from mlp_core.reports.diagnosis.verdict import Case, Verdict
from mlp_core.spec import RunSpec
from tests.support.histories import history_of, layer_of, looks_of

HISTORY = history_of([9.0] * 100 + [1.0, 2.0] * 25, [0.0] * 100 + [0.2, 0.4] * 25)


def test_means_are_of_the_last_steps_alone() -> None:
    case = Case(RunSpec(), HISTORY)
    assert (case.loss, case.accuracy) == pytest.approx((1.5, 0.3))
    small = Case(RunSpec(batch_size=10), HISTORY)  # a thousand images are 100 steps
    assert (small.loss, small.accuracy) == pytest.approx((5.25, 0.15))
    assert (small.shown_loss, small.shown_accuracy) == ("1.5000", "30.0 % of the training images")


def test_after_an_epoch_its_test_is_what_counts() -> None:
    tested = replace(HISTORY, epochs=(EpochRecord(1, 150, 1.0, 0.5, 1.0, 0.7),))
    assert (Case(RunSpec(), tested).accuracy, Case(RunSpec(), tested).shown_accuracy) == (0.7, "70.0 % of the test images")
    assert Case(RunSpec(), replace(tested, epochs=(EpochRecord(1, 149, 1.0, 0.5, 1.0, 0.7),))).accuracy == pytest.approx(0.3)


def test_the_settings_in_force() -> None:
    changed = replace(HISTORY, changes=(SettingChange(10, "lr", 0.5), SettingChange(20, "lr", 0.05)))
    assert (Case(RunSpec(lr=0.3), HISTORY).settings.lr, Case(RunSpec(lr=0.3), changed).settings.lr) == (0.3, 0.05)


def test_layers_are_the_newest_and_the_start_the_oldest() -> None:
    first, later, seen = [layer_of(1, 3)], [layer_of(1, 4)], [layer_of(1, 5)]
    history = replace(HISTORY, probes=(ProbeRecord(0, tuple(first)), ProbeRecord(100, tuple(later))))
    case = Case(RunSpec(), history)
    assert (list(case.start), list(case.layers)) == (first, later)
    assert list(replace(case, inspections=looks_of([None], seen, first=120)).layers) == seen
    assert list(replace(case, inspections=looks_of([None], seen, count=1, first=99)).layers) == later
    assert list(Case(RunSpec(), HISTORY, looks_of([None], seen)).layers) == seen
    assert (list(Case(RunSpec(), HISTORY).start), list(Case(RunSpec(), HISTORY).layers)) == ([], [])


@pytest.mark.parametrize("kind", ["waiting", "early", "short", "learning", "learned"])
def test_what_is_well_is_no_fault(kind: str) -> None:
    assert not Verdict(kind, "").is_fault
    assert Verdict("slow", "").is_fault
