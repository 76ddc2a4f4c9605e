"""What is said of runs that are over before a network usually leaves chance: nobody has learned who only guesses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlp_core.data import load_sample
from mlp_core.records import EpochRecord, StopReason
from mlp_core.reports.diagnosis.diagnosis import ENOUGH_STEPS, Verdict, diagnose
from mlp_core.spec import RunSpec
from tests.support.engine import finished
from tests.support.histories import history_of

BOOK = RunSpec(device="cpu")
EPOCH_STEPS = 20


def verdict_of(losses: list[float], accuracy: float, spec: RunSpec = BOOK) -> Verdict:
    """Of a run that is completed after these epochs, each at its loss throughout."""
    epochs = [EpochRecord(epoch, EPOCH_STEPS * epoch, loss, accuracy, loss, accuracy) for epoch, loss in enumerate(losses, start=1)]
    steps = [2.3, *[loss for loss in losses for _ in range(EPOCH_STEPS)][1:]]
    assert len(steps) < ENOUGH_STEPS
    return diagnose(spec, history_of(steps, [accuracy] * len(steps), epochs), StopReason("completed", 0, "Completed."))


def test_losses_far_above_guessing_call_for_shorter_steps() -> None:
    verdict = verdict_of([1853.0, 55.0], 0.1, replace(BOOK, lr=20.0))
    assert (verdict.kind, verdict.sentence) == ("unstable", "Unstable: the training loss is 55.0000, and guessing costs 2.3026.")
    assert verdict.fix is not None
    assert verdict.fix.spec.lr < 20


def test_such_a_run_that_was_trained_is_not_called_learned() -> None:
    run = finished(replace(BOOK, lr=20.0, epochs=2, train_size=1000), load_sample())
    assert run.step < ENOUGH_STEPS
    verdict = diagnose(run.spec, run.history.snapshot(), run.stop_reason, run.inspections.entries)
    assert verdict.is_fault, verdict.sentence


def test_an_accuracy_of_chance_is_too_short_to_tell() -> None:
    verdict = verdict_of([2.6, 2.4], 0.1)
    assert verdict.kind == "short"
    assert verdict.sentence == "Too short to tell: 40 steps, 10.0 % of the test images right."
    assert verdict.fix is not None
    assert verdict.fix.spec == replace(BOOK, epochs=20)


@pytest.mark.parametrize("accuracy", [0.4, 0.6])
def test_a_short_run_that_got_somewhere_has_learned(accuracy: float) -> None:
    assert verdict_of([2.2, 1.5], accuracy).kind == "learned"
