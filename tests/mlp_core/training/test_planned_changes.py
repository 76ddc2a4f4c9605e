"""Settings that a run changes by itself at its steps: bit for bit as by hand, however it is sliced, in branches, with several seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.records import SettingChange
from mlp_core.spec import RunSpec, SpecError
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from tests.support.engine import RICH, clouds, record_of, weights_of

VALUES: dict[str, list[Any]] = {
    "lr": [0.01, 0.3],
    "weight_decay": [0.0, 0.5],
    "dropout": [(), (0.5,) * len(RICH.hidden)],
    "batch_size": [5, 7, 50],
}
CHANGES = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda name: st.builds(SettingChange, st.integers(0, 30), st.just(name), st.sampled_from(VALUES[name]))
    ),
    max_size=6,
).map(lambda changes: sorted(changes, key=lambda change: change.step))


def by_hand(spec: RunSpec, changes: list[SettingChange], make: Callable[..., Run] = Run) -> Run:
    """A whole run that somebody steers at the steps of `changes`."""
    run = make(spec, clouds())
    for change in changes:
        run.advance(steps=change.step - run.step)
        run.change(**{change.field: change.value})
    run.advance()
    return run


@settings(max_examples=15)
@given(CHANGES, st.integers(1, 9), st.sampled_from([Run, Replicates]))
def test_planned_changes_give_the_very_run_of_the_same_changes_by_hand(
    changes: list[SettingChange], slice_: int, make: Callable[..., Run]
) -> None:
    planned, hand = make(RICH, clouds(), changes=changes), by_hand(RICH, changes, make)
    while not planned.finished:
        planned.advance(steps=slice_)
    assert record_of(planned) == record_of(hand)
    assert weights_of(planned) == weights_of(hand)
    assert (planned.epoch, planned.step) == (RICH.epochs, planned.total_steps)


def test_one_call_brings_a_run_to_its_end_that_makes_its_batches_smaller_on_the_way() -> None:
    run = Run(RICH, clouds(), changes=[SettingChange(3, "batch_size", 5)])
    before = run.total_steps
    run.advance()
    assert run.finished
    assert run.step > before


def test_a_hand_steers_between_planned_changes_and_these_come_all_the_same() -> None:
    run = Run(RICH, clouds(), changes=[SettingChange(2, "lr", 0.05), SettingChange(6, "lr", 0.01)])
    run.advance(steps=2)
    assert run.settings.lr == 0.05  # as soon as its step is there, where a hand can still take it back
    run.change(lr=0.2)
    run.advance(steps=4)
    assert run.history.changes == [SettingChange(2, "lr", 0.2), SettingChange(6, "lr", 0.01)]


def test_a_branch_keeps_what_is_still_planned() -> None:
    planned = [SettingChange(2, "lr", 0.05), SettingChange(8, "lr", 0.01)]
    parent = Run(RICH, clouds(), changes=planned)
    parent.advance()
    branch = parent.branch(2, lr=0.3)
    branch.advance()
    hand = by_hand(RICH, [SettingChange(2, "lr", 0.3), planned[1]])
    assert record_of(branch) == record_of(hand)
    assert branch.history.changes == [SettingChange(2, "lr", 0.3), planned[1]]


@pytest.mark.parametrize(
    ("change", "name", "rule"),
    [
        (SettingChange(5, "momentum", 0.5), "momentum", "cannot be changed in mid-run"),
        (SettingChange(5, "lr", -1.0), "lr", "must be a number from"),
        (SettingChange(5, "dropout", (0.1,) * 9), "dropout", "must have one probability a hidden layer"),
        (SettingChange(5, "batch_size", 4096), "batch_size", "must be at most"),
    ],
)
def test_what_cannot_be_changed_is_refused_before_anything_is_trained(change: SettingChange, name: str, rule: str) -> None:
    spec = replace(RICH, hidden=(2048,) * 8, dropout=(), batch_size=64) if change.field == "batch_size" else RICH
    with pytest.raises(SpecError, match=rule) as refused:
        Run(spec, clouds(), changes=[SettingChange(1, "lr", 0.2), change])
    assert refused.value.field == name
