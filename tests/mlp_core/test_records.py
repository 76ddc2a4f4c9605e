"""The log of steps keeps what it says it keeps, against the plain list of all of them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlp_core.records import STEP_CAPACITY, EpochRecord, History, ProbeRecord, Schedule, SettingChange, StepLog, StepRecord, StopReason

NAN = float("nan")


def record(step: int) -> StepRecord:
    return StepRecord(step, math.sin(7.0 * step) + 1 / step, step % 7 / 7)


def filled(steps: int, capacity: int) -> StepLog:
    log = StepLog(capacity)
    for step in range(1, steps + 1):
        log.append(record(step))
    return log


def check(log: StepLog, steps: int, capacity: int) -> None:
    """All that a log promises, against the list of all records."""
    every, kept = [record(step) for step in range(1, steps + 1)], list(log)
    assert len(log) == len(kept) <= capacity
    assert kept == [every[item.step - 1] for item in kept]
    assert all(a.step < b.step for a, b in pairwise(kept))
    assert kept[:1] == every[:1]
    ends, losses, accuracies = log.pieces
    assert [item for item in kept if item.step > log.pieces.end] == every[log.pieces.end :]
    assert steps - log.pieces.end >= min(steps, capacity // 20)
    for start, end, loss, accuracy in zip([0, *ends], ends, losses, accuracies, strict=False):
        piece, left = every[start:end], [item for item in kept if start < item.step <= end]
        assert 0 < len(piece) <= log.stride
        assert left
        for of in ("loss", "accuracy"):
            assert max(getattr(item, of) for item in left) == max(getattr(item, of) for item in piece)
            assert min(getattr(item, of) for item in left) == min(getattr(item, of) for item in piece)
        assert loss == pytest.approx(sum(item.loss for item in piece) / len(piece), abs=1e-12)
        assert accuracy == pytest.approx(sum(item.accuracy for item in piece) / len(piece), abs=1e-12)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(steps=st.integers(0, 700), capacity=st.integers(20, 90))
def test_a_full_log_keeps_the_newest_steps_and_of_older_ones_means_and_extremes(steps: int, capacity: int) -> None:
    check(filled(steps, capacity), steps, capacity)


@pytest.mark.parametrize("capacity", [20, 300, 2000])
def test_thirty_thousand_steps_stay_bounded_with_the_newest_last(capacity: int) -> None:
    log = StepLog(capacity)
    for step in range(1, 30_001):
        log.append(record(step))
        assert len(log) <= capacity
        assert log[-1].step == step
        if step % 9_973 == 0:
            check(log, step, capacity)
    check(log, 30_000, capacity)
    assert capacity < 2000 or log.stride <= 256


def test_a_spike_is_still_there_after_ten_times_as_many_steps() -> None:
    log = StepLog(2000)
    for step in range(1, 20_001):
        log.append(StepRecord(step, 50.0 if step == 1001 else 0.5, 0.5))
    assert StepRecord(1001, 50.0, 0.5) in list(log)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(gaps=st.lists(st.integers(1, 5), max_size=200), capacity=st.integers(20, 40))
@example(gaps=[1, 2, 2, 2], capacity=20)
def test_steps_with_gaps_stay_in_order_and_bounded(gaps: list[int], capacity: int) -> None:
    log, step = StepLog(capacity), 0
    for gap in gaps:
        step += gap
        log.append(record(step))
        assert log[-1] == record(step)
        assert len(log) <= capacity
        assert all(a.step < b.step for a, b in pairwise(log))


def test_nothing_is_let_go_before_it_is_full() -> None:
    log = filled(STEP_CAPACITY, STEP_CAPACITY)
    assert (log.stride, len(log), log[0].step, log.pieces.end) == (1, STEP_CAPACITY, 1, 0)
    log.append(record(STEP_CAPACITY + 1))
    assert log.stride == 8
    assert log.pieces.end == STEP_CAPACITY * 19 // 20
    assert [item.step for item in log[-1001:]] == list(range(STEP_CAPACITY - 999, STEP_CAPACITY + 2))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(steps=st.integers(1, 900), capacity=st.integers(20, 200), count=st.integers(1, 60))
def test_the_mean_of_the_newest_steps_is_theirs(steps: int, capacity: int, count: int) -> None:
    loss, accuracy, of = History(steps=filled(steps, capacity)).snapshot().recent(count)
    newest = [record(step) for step in range(steps - of + 1, steps + 1)]
    assert of >= min(steps, count)
    assert of == min(steps, count) or of > capacity // 20
    assert loss == pytest.approx(sum(item.loss for item in newest) / of, abs=1e-12)
    assert accuracy == pytest.approx(sum(item.accuracy for item in newest) / of, abs=1e-12)


def test_a_history_thinned_later_is_as_good_as_one_that_had_less_room() -> None:
    whole = History(steps=filled(900, 1000)).snapshot()
    thin = whole.thinned(100)
    check(StepLog.of(thin, 100), 900, 100)
    assert thin.thinned(100) == thin
    assert whole.thinned(900) == whole
    check(StepLog.of(thin.thinned(40), 40), 900, 40)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(steps=st.integers(0, 50), index=st.integers(-60, 60), cut=st.slices(60))
def test_it_reads_like_a_list(steps: int, index: int, cut: slice) -> None:
    log = filled(steps, 20)
    plain = list(log)
    assert log[cut] == plain[cut]
    assert list(reversed(log)) == plain[::-1]
    if -len(plain) <= index < len(plain):
        assert log[index] == plain[index]
        assert log[index] in log
    else:
        with pytest.raises(IndexError):
            log[index]


def test_columns_are_copies_of_equal_length() -> None:
    log = filled(25, 30)
    steps, losses, accuracies = log.columns
    assert [StepRecord(*row) for row in zip(steps, losses, accuracies, strict=True)] == list(log)
    losses[0] = 42.0
    log.append(record(26))
    assert log[0] == record(1)
    assert list(steps) == list(range(1, 26))
    assert log[-1].step == 26


def test_equality_is_bit_for_bit() -> None:
    assert filled(50, 30) == filled(50, 30)
    assert filled(50, 30) != filled(49, 30)
    assert filled(50, 30) != filled(50, 60)  # same steps written, fewer kept
    assert filled(3, 10) != [record(1), record(2), record(3)]
    one, same, other = StepLog(), StepLog(), StepLog()
    one.append(StepRecord(1, NAN, 0.5))
    same.append(StepRecord(1, NAN, 0.5))
    other.append(StepRecord(1, math.nextafter(0.1, 1), 0.5))
    assert one == same
    assert one != other
    with pytest.raises(TypeError):
        hash(one)


def test_infinite_and_missing_losses_are_kept_as_they_are() -> None:
    log = StepLog()
    for step, loss in enumerate((math.inf, -math.inf, NAN, 5e-324), start=1):
        log.append(StepRecord(step, loss, 0.0))
    assert str([item.loss for item in log]) == "[inf, -inf, nan, 5e-324]"


def test_a_snapshot_does_not_follow_the_training() -> None:
    history = History(steps=filled(5, 10), epochs=[EpochRecord(1, 5, 1.0, 0.5, 1.1, 0.4)], probes=[ProbeRecord(0, ())])
    snapshot = history.snapshot()
    history.steps.append(record(6))
    history.epochs.append(EpochRecord(2, 6, 0.9, 0.6, 1.0, 0.5))
    history.probes.clear()
    assert list(snapshot.steps) == [1, 2, 3, 4, 5]
    assert [StepRecord(*row) for row in zip(snapshot.steps, snapshot.losses, snapshot.accuracies, strict=True)] == list(filled(5, 10))
    assert (snapshot.stride, len(snapshot.epochs), len(snapshot.probes)) == (1, 1, 1)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(steps=st.integers(0, 300), capacity=st.integers(20, 400), cut=st.integers(0, 320))
def test_a_log_cut_short_holds_what_there_is_up_to_there_and_goes_on(steps: int, capacity: int, cut: int) -> None:
    log = filled(steps, capacity)
    past = History(log).until(cut).steps
    assert list(past) == [item for item in log if item.step <= cut]
    for step in range(cut + 1, steps + 1):
        past.append(record(step))
    if cut < steps <= capacity:
        assert past == log
    assert len(past) <= capacity
    assert log == filled(steps, capacity), "the log itself stays"


def long_history() -> History:
    return History(
        steps=filled(12, 20),
        epochs=[EpochRecord(epoch, 4 * epoch, 1.0, 0.5, 1.1, 0.4) for epoch in (1, 2, 3)],
        probes=[ProbeRecord(step, ()) for step in (0, 4, 8, 10, 12)],
        changes=[SettingChange(3, "lr", 0.2), SettingChange(8, "lr", 0.05)],
    )


@pytest.mark.parametrize("cut", [0, 3, 4, 7, 8, 11, 12, 99])
def test_a_history_up_to_a_step_has_all_of_that_step_and_nothing_later(cut: int) -> None:
    history = long_history()
    snapshot = history.snapshot().until(cut)
    assert snapshot == history.until(cut).snapshot()
    assert list(snapshot.steps) == list(range(1, min(cut, 12) + 1))
    assert len(snapshot.losses) == len(snapshot.accuracies) == len(snapshot.steps)
    assert [item.step for item in snapshot.epochs] == [step for step in (4, 8, 12) if step <= cut]
    assert [item.step for item in snapshot.probes] == [step for step in (0, 4, 8, 10, 12) if step <= cut]
    assert [item.step for item in snapshot.changes] == [step for step in (3, 8) if step <= cut]
    assert snapshot.stride == history.steps.stride


def test_a_history_cut_short_is_one_of_its_own() -> None:
    history = long_history()
    past = history.until(8)
    past.steps.append(record(9))
    past.epochs.clear()
    past.changes.pop()
    assert past.changes == [SettingChange(3, "lr", 0.2)]
    assert history == long_history()


def test_two_histories_of_the_same_run_are_equal() -> None:
    assert History(steps=filled(5, 10)) == History(steps=filled(5, 10))
    assert History(steps=filled(5, 10)) != History(steps=filled(6, 10))


def test_a_reason_to_stop_speaks_for_itself() -> None:
    assert str(StopReason("diverged", 7, "Diverged at step 7: the loss is NaN.")) == "Diverged at step 7: the loss is NaN."


changed_batches = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=4).map(sorted)


def counted(images: int, batch_size: int, changes: list[tuple[int, int]], steps: int) -> list[tuple[int, int]]:
    """Epochs complete and images done of the next, after 0, 1, … steps, image by image."""
    places = [(0, 0)]
    for step in range(steps):
        batch_size = dict(changes).get(step, batch_size)
        epoch, done = places[-1]
        done = min(done + batch_size, images)
        places.append((epoch + 1, 0) if done == images else (epoch, done))
    return places


@given(st.integers(1, 40), st.integers(1, 30), changed_batches)
def test_every_epoch_is_one_pass_whatever_the_batch_size_is_changed_to(images: int, first: int, changes: list[tuple[int, int]]) -> None:
    schedule = Schedule(images, first, tuple(SettingChange(step, "batch_size", size) for step, size in dict(changes).items()))
    places = counted(images, first, changes, 200)
    assert [schedule.place(step) for step in range(201)] == places
    for epochs in range(places[-1][0] + 1):
        assert schedule.steps(epochs) == places.index((epochs, 0))


@given(st.integers(1, 40), st.integers(1, 30), changed_batches.filter(bool))
def test_the_knots_rise_from_epoch_to_epoch(images: int, first: int, changes: list[tuple[int, int]]) -> None:
    schedule = Schedule(images, first, tuple(SettingChange(step, "batch_size", size) for step, size in dict(changes).items()))
    epochs = schedule.place(61)[0] + 2
    knots = schedule.knots(epochs)
    assert (knots[0], knots[-1]) == ((0, 0.0), (schedule.steps(epochs), epochs))
    for (step, done), (later, more) in pairwise(knots):
        assert (step < later and done < more) or (step, done) == (later, more)
    steps, places = zip(*knots, strict=True)
    for epoch in range(epochs + 1):
        assert np.interp(schedule.steps(epoch), steps, places) == pytest.approx(epoch)


def test_without_a_change_of_the_batch_size_all_steps_are_equally_long() -> None:
    schedule = Schedule(50, 16, (SettingChange(3, "lr", 0.5),))
    assert (schedule.steps_per_epoch, schedule.steps(3), schedule.place(6), schedule.knots(3)) == (4, 12, (1, 32), ())
