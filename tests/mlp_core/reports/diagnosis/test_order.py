"""Which rule is asked first: patience before stuck, what was lost before what is, the cause in the design before the layers' symptoms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlp_core.data import load_sample
from mlp_core.records import EpochRecord, HistorySnapshot, ProbeRecord, SettingChange, StopReason
from mlp_core.reports.diagnosis.diagnosis import ENOUGH_STEPS, diagnose
from mlp_core.spec import RunSpec
from tests.support.engine import finished
from tests.support.histories import history_of, layer_of, numbers

BOOK = RunSpec(device="cpu")
COMPLETED = StopReason("completed", 0, "Completed.")


def epochs_of(steps: int, *ends: tuple[float, float]) -> list[EpochRecord]:
    """Epochs of so many steps with these training losses and accuracies."""
    return [EpochRecord(epoch, steps * epoch, loss, accuracy, loss, accuracy) for epoch, (loss, accuracy) in enumerate(ends, start=1)]


def raised(step: int = 150, after: float = 0.11, lr: float = 1.0) -> HistorySnapshot:
    """Five good epochs of 30 steps, then an lr that ruins it."""
    ends = [(0.6, 0.84)] * 5 + [(2.4, after)] * 3
    losses = [0.6] * step + [2.4] * (240 - step)
    accuracies = [0.84] * step + [after] * (240 - step)
    return replace(history_of(losses, accuracies, epochs_of(30, *ends)), changes=(SettingChange(step, "lr", lr),))


def test_four_steps_are_too_short_to_tell_anything() -> None:
    run = finished(replace(BOOK, epochs=1, train_size=1000), load_sample())
    verdict = diagnose(run.spec, run.history.snapshot(), run.stop_reason)
    assert (run.step, verdict.kind) == (4, "short")
    assert verdict.sentence.startswith("Too short to tell: 4 steps, ")
    assert not verdict.is_fault
    assert verdict.fix is not None
    assert verdict.fix.spec == replace(run.spec, epochs=75), "300 steps"


def test_what_would_hold_a_longer_run_back_too_is_mended_first() -> None:
    few = history_of([2.3] * 4, [0.1] * 4, epochs_of(4, (2.3, 0.1)))
    verdict = diagnose(replace(BOOK, weight_decay=25.0, lr=1e-3), few, COMPLETED)
    assert verdict.fix is not None
    assert set(verdict.fix.spec.differences(BOOK)) == set(), "weight decay and lr are back at the book's"


def test_a_short_run_that_exploded_is_not_called_too_short() -> None:
    losses = [2.3, 8e8, 3e32, 9e20] + [2.31] * 114
    verdict = diagnose(replace(BOOK, lr=3.0), history_of(losses, [0.1] * 118, epochs_of(59, (5e30, 0.1), (2.31, 0.1))), COMPLETED)
    assert len(losses) < ENOUGH_STEPS
    assert verdict.kind == "unstable"
    assert numbers(verdict.sentence) == [3e32, 3, 2.3026]


@pytest.mark.parametrize(("accuracy", "kind"), [(0.199, "unstable"), (0.45, "learned")])
def test_nobody_has_learned_who_gets_a_fifth_right(accuracy: float, kind: str) -> None:
    losses = [2452.0] * 40 + [2.1] * 200
    history = history_of(losses, [accuracy] * 240, epochs_of(40, (2452.0, accuracy), *[(2.1, accuracy)] * 5))
    assert diagnose(BOOK, history, COMPLETED).kind == kind
    calm = history_of([2.1] * 240, [accuracy] * 240, epochs_of(40, *[(2.1, accuracy)] * 6))
    assert diagnose(BOOK, calm, COMPLETED).kind == ("slow" if kind == "unstable" else kind)


def test_what_was_learned_and_lost_has_collapsed_and_the_cure_is_to_go_back() -> None:
    verdict = diagnose(BOOK, raised(), COMPLETED, (), [0, 30, 120, 147, 180, 240])
    assert verdict.kind == "collapsed"
    assert verdict.sentence == "Collapsed to 11.0 % of the test images."
    assert verdict.evidence == "After epoch 1 it had 84.0 %. It had learned until lr 1 came after step 150."
    assert verdict.advice.startswith("Go back to step 147, before the change.")
    assert verdict.fix is not None
    assert (verdict.fix.step, verdict.fix.spec) == (147, BOOK)


def test_where_nothing_is_kept_it_is_trained_again_without_the_change() -> None:
    fix = diagnose(BOOK, raised(), COMPLETED).fix
    assert fix is not None
    assert (fix.label, fix.step, fix.spec) == ("Train again without lr 1", None, BOOK)


def test_of_several_changes_the_first_that_a_fault_followed_is_taken_back() -> None:
    past = raised(after=0.11)
    good = replace(past, changes=(SettingChange(60, "lr", 0.05), *past.changes, SettingChange(200, "lr", 5.0)))
    fix = diagnose(BOOK, good, COMPLETED, (), [0, 120]).fix
    assert fix is not None
    assert (fix.step, fix.spec) == (120, replace(BOOK, lr=0.05))


def test_a_change_before_anything_was_learned_is_not_blamed() -> None:
    never = replace(history_of([2.3] * 240, [0.1] * 240, epochs_of(30, *[(2.3, 0.1)] * 8)), changes=(SettingChange(30, "lr", 3.0),))
    verdict = diagnose(BOOK, never, COMPLETED, (), [0, 30])
    assert verdict.kind == "stuck"
    assert verdict.fix is not None
    assert (verdict.fix.step, verdict.fix.spec) == (None, BOOK), "the lr in force is what is mended"


def test_one_test_of_bad_luck_is_no_collapse() -> None:
    dip = history_of([0.6] * 240, [0.84] * 240, epochs_of(120, (0.6, 0.84), (0.6, 0.3)))
    assert diagnose(BOOK, dip).kind == "learning"
    dropout = history_of([1.9] * 240, [0.3] * 240, epochs_of(120, (1.9, 0.8), (1.9, 0.8)))  # the training images are met with it
    assert diagnose(BOOK, dropout).kind == "learning"


def test_a_heavy_penalty_is_named_before_the_dead_units_that_it_left() -> None:
    spec = replace(BOOK, hidden=(64, 64), dropout=(0.95, 0.95))
    probes = [ProbeRecord(0, (layer_of(1, dead_units=64), layer_of(2, dead_units=64), layer_of(3, 10)))]
    history = history_of([2.3] * 240, [0.1] * 240, epochs_of(30, *[(2.3, 0.1)] * 8), probes)
    verdict = diagnose(spec, history, COMPLETED)
    assert verdict.kind == "stuck"
    assert "Dropout leaves 0.3 % of the paths" in verdict.advice  # 0.05² = 0.0025
    assert verdict.fix is not None
    assert verdict.fix.spec.dropout == ()
    assert diagnose(BOOK, history, COMPLETED).kind == "dead"


@pytest.mark.parametrize(("train", "test", "kind"), [(0.999, 0.7, "overfitting"), (0.95, 0.86, "learned"), (0.8, 0.6, "learned")])
def test_learned_by_heart_is_nearly_all_of_the_training_images_and_clearly_fewer_others(train: float, test: float, kind: str) -> None:
    ends = [EpochRecord(epoch, 30 * epoch, 0.1, train, 0.8, test) for epoch in range(1, 9)]
    verdict = diagnose(replace(BOOK, train_size=100), history_of([0.1] * 240, [train] * 240, ends), COMPLETED)
    assert verdict.kind == kind
    if kind == "overfitting":
        assert verdict.sentence.startswith("Learned by heart: 99.9 % of the training images correct in the last epoch, and 70.0 %")
        assert verdict.fix is not None
        assert verdict.fix.spec.train_size == 1000
