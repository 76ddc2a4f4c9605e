"""Verdicts on histories made by hand, up to the edge of each rule: what counts as seen, and what only might be."""

from __future__ import annotations

from dataclasses import replace

from mlp_core.records import SettingChange, StopReason
from mlp_core.reports.diagnosis.diagnosis import ENOUGH_STEPS, diagnose
from mlp_core.spec import RunSpec
from tests.support.histories import epoch_of, history_of, looks_of, numbers

BOOK = RunSpec(device="cpu")
SMALL = replace(BOOK, hidden=(64,))
DEEP = replace(BOOK, hidden=(64,) * 5)
COMPLETED = StopReason("completed", 0, "Completed.")


def test_a_loss_above_that_of_guessing_is_unstable_at_any_accuracy() -> None:
    verdict = diagnose(BOOK, history_of([2.3] + [4.789e6] * 199, [0.5] * 200))
    assert verdict.kind == "unstable"
    assert numbers(verdict.sentence) == [4.79e6, 2.3026]
    assert numbers(verdict.evidence) == [2.3]
    assert verdict.fix is not None
    assert verdict.fix.spec.lr == 0.01
    loud = diagnose(replace(BOOK, init_std=5.0), history_of([50.0] * 200, [0.5] * 200))
    assert loud.fix is not None
    assert loud.fix.spec.init == "he_normal", "it started as loud as it is"
    accuracies = [0.4] * 200
    at_the_edge = [diagnose(BOOK, history_of([loss] * 200, accuracies)).kind for loss in (3.4, 3.5)]  # 1.5 ln 10 = 3.45
    assert at_the_edge == ["early", "unstable"]
    assert diagnose(BOOK, history_of([9.0] * (ENOUGH_STEPS - 1), [0.4] * (ENOUGH_STEPS - 1))).kind == "early", "patience"


def test_slow_is_only_what_was_seen_to_be() -> None:
    slow, accuracies = history_of([1.9] * 200, [0.3] * 200), [0.3] * 200
    tiny, usual = looks_of([1e-4, 2e-4]), looks_of([1e-3, 1e-2])
    verdict = diagnose(replace(BOOK, lr=1e-3), slow, None, tiny)
    assert verdict.kind == "slow"
    assert numbers(verdict.sentence) == [200, 1.90]
    assert numbers(verdict.evidence)[0] == 1.5e-4
    assert verdict.fix is not None
    assert verdict.fix.spec == BOOK
    assert diagnose(BOOK, slow, None, usual).kind == "early"
    assert diagnose(BOOK, slow).kind == "early"
    assert diagnose(BOOK, history_of([0.9] * 200, accuracies), None, tiny).kind == "early", "it may just have arrived"


def test_a_large_step_that_was_seen_is_evidence() -> None:
    epochs = [epoch_of(1, 0.7, 0.7), epoch_of(2, 0.6, 0.65)]
    jump = history_of([0.65] * 20 + [1.0, 1.5] * 15, [0.6] * 50, epochs)
    seen = diagnose(BOOK, jump, None, looks_of([0.4, 0.02]))
    assert seen.kind == "unstable"
    assert "layer 1 by 40 %" in seen.evidence
    assert "%" not in diagnose(BOOK, jump, None, looks_of([0.04, 0.02])).evidence


def test_the_lr_in_force_is_the_one_that_is_made_smaller() -> None:
    accuracies = [0.1] * 20 + [0.6] * 100 + [0.1] * 80
    collapsed = history_of([1.0] * 200, accuracies)
    calm = diagnose(BOOK, collapsed).fix
    assert calm is not None
    assert calm.spec.lr == 0.01
    early = replace(collapsed, changes=(SettingChange(5, "lr", 5.0),))  # before it had learned: no going back
    verdict = diagnose(replace(BOOK, lr=0.05), early)
    assert verdict.fix is not None
    assert (verdict.fix.spec.lr, verdict.fix.step) == (0.1, None)
