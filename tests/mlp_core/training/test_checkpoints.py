"""Checkpoints are kept at the steps promised and no more of them than there is room for; to go on from one is to have gone on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.network.network import NetworkState
from mlp_core.optimizers import OptimizerState
from mlp_core.spec import RunSpec
from mlp_core.training import Run, checkpoints
from mlp_core.training.checkpoints import MAX_CHECKPOINT_BYTES, MAX_CHECKPOINTS, MIN_CHECKPOINTS, Checkpoint, Checkpoints, marks
from tests.support.engine import SPEC, checkpoint_bytes, clouds, finished

BOOK = (0, 1, 2, 5, 10, 20, 50, 100, 200, 235, 470, 500, 705, 940, 1000, 1175, 1410, 1645, 1880, 2000, 2115, 2350)


@pytest.mark.parametrize(
    ("steps_per_epoch", "epochs", "expected"),
    [
        (235, 10, BOOK),
        (4, 3, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
        (1, 1, (0, 1)),
        (1, 30, (0, 1, 2, 3, 5, 6, 9, 10, 12, 15, 18, 20, 21, 24, 27, 30)),
        (100, 1, (0, 1, 2, 5, 8, 10, 17, 20, 25, 33, 42, 50, 58, 67, 75, 83, 92, 100)),
    ],
)
def test_marks_are_close_at_first_and_then_cover_the_run(steps_per_epoch: int, epochs: int, expected: tuple[int, ...]) -> None:
    assert marks(steps_per_epoch, epochs) == expected


@given(steps_per_epoch=st.integers(1, 60_000), epochs=st.integers(1, 2000))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_stretch_of_a_run_is_without_marks(steps_per_epoch: int, epochs: int) -> None:
    found, total = marks(steps_per_epoch, epochs), steps_per_epoch * epochs
    assert found == tuple(sorted(set(found)))
    assert (found[0], found[-1]) == (0, total)
    assert len(found) <= 45
    assert max(after - before for before, after in pairwise(found)) <= total / 6 + 1
    ends = {step for step in found if step % steps_per_epoch == 0}
    assert len(ends) >= min(epochs, 6)


def checkpoint(step: int) -> Checkpoint:
    nothing = torch.zeros(0)
    return Checkpoint(step, NetworkState((), nothing), OptimizerState(step, 0.1, ()), nothing, 0, 0.0, 0.0, None)


@given(bytes_each=st.integers(1, 40_000_000), count=st.integers(0, 60), limit=st.integers(0, 100_000_000))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_plans_stay_within_bounds(bytes_each: int, count: int, limit: int) -> None:
    kept = Checkpoints(range(0, 10 * count, 10), bytes_each)
    kept.allow(limit)
    taken = [step for step in range(10 * count) if kept.due(step)]
    assert set(taken) <= set(range(0, 10 * count, 10))
    assert kept.planned_bytes == bytes_each * len(taken) <= min(limit, MAX_CHECKPOINT_BYTES)
    assert len(taken) <= MAX_CHECKPOINTS
    room = min(limit, MAX_CHECKPOINT_BYTES) // bytes_each
    assert len(taken) == (count if count <= min(room, MAX_CHECKPOINTS) else min(room, MAX_CHECKPOINTS) if room >= MIN_CHECKPOINTS else 0)
    if taken:
        assert (taken[0], taken[-1]) == (0, 10 * (count - 1))
        gaps = {after - before for before, after in pairwise(taken)}
        assert not gaps or max(gaps) - min(gaps) <= 10, "those left out are left out evenly"


def test_what_is_kept_is_found_again_and_what_is_not_is_named() -> None:
    kept = Checkpoints([0, 2, 5], 100)
    with pytest.raises(ValueError, match=r"step: must be one that is kept \(none\), got 0"):
        kept.at(0)
    for step in (0, 2, 5):
        kept.keep(checkpoint(step))
    assert kept.steps == (0, 2, 5)
    assert kept.at(2).step == 2
    assert kept.memory_bytes == 300
    with pytest.raises(ValueError, match=r"\(0, 2, 5\), got 3"):
        kept.at(3)


def test_what_is_kept_stays_where_there_is_no_room_for_more() -> None:
    kept = Checkpoints([0, 2, 5, 10], 100)
    kept.keep(checkpoint(2))
    kept.allow(0)
    assert not kept.due(5)
    assert list(kept.steps) == [2]
    assert kept.planned_bytes == kept.memory_bytes == 100
    kept.clear()
    assert list(kept.steps) == []
    assert kept.planned_bytes == 0


def test_heirs_share_the_past_and_nothing_later() -> None:
    kept, heir = (Checkpoints([0, 2, 5, 10], 100) for _ in range(2))
    for step in (0, 2, 5):
        kept.keep(checkpoint(step))
    heir.inherit(kept, 2)
    assert heir.steps == (0, 2)
    assert heir.at(2) is kept.at(2)
    heir.clear()
    assert kept.steps == (0, 2, 5)


@pytest.mark.parametrize(
    "changes", [{}, {"optimizer": "adam", "dropout": (0.5,)}, {"momentum": 0.9, "implementation": "scratch"}, {"activation": "prelu"}]
)
def test_a_run_keeps_what_it_plans_and_says_how_large_that_is(changes: dict[str, object]) -> None:
    run = Run(replace(SPEC, epochs=40, **changes), clouds())  # type: ignore[arg-type]
    planned = run.checkpoints.planned_bytes
    run.advance()
    assert run.checkpoints.steps == marks(4, 40)
    assert run.checkpoints.memory_bytes == run.checkpoints.planned_bytes == planned
    assert checkpoint_bytes(run) == planned


def test_the_largest_network_keeps_none_and_trains_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MAX_CHECKPOINT_BYTES", 1000)
    run = finished()
    assert run.checkpoints.steps == ()
    assert run.step == 8


def test_the_end_of_an_epoch_is_kept_after_its_test() -> None:
    run = Run(SPEC, clouds())
    run.advance(steps=3)
    run.advance(steps=1, seconds=0.0)
    assert run.testing
    assert 4 not in run.checkpoints.steps
    run.advance(steps=0)
    assert 4 in run.checkpoints.steps
    assert run.checkpoints.at(4).position == 0, "where the next epoch begins"


def test_a_run_that_diverged_keeps_nothing_that_is_not_finite() -> None:
    run = finished(RunSpec(hidden=(8,), activation="=exp(x*x)", lr=10.0, batch_size=16, epochs=50, device="cpu"))
    assert run.stop_reason is not None
    assert run.stop_reason.kind == "diverged"
    assert run.step not in run.checkpoints.steps
    for step in run.checkpoints.steps:
        assert all(w.isfinite().all() for w in run.checkpoints.at(step).network.parameters)


def test_abandoning_gives_them_back_and_stopping_keeps_them() -> None:
    run = Run(SPEC, clouds())
    run.advance(steps=3)
    run.stop("stopped", "Stopped by hand.")
    assert list(run.checkpoints.steps) == [0, 1, 2, 3]
    run.abandon()
    assert list(run.checkpoints.steps) == []
    assert run.checkpoints.planned_bytes == 0
