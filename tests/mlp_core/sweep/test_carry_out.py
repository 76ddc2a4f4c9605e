"""What a task gives hangs on nothing but the task; what is done is not done again, whatever breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import mlp_core.sweep.carry_out as module
from mlp_core.data import Dataset
from mlp_core.records import EpochRecord, StopReason
from mlp_core.spec import RunSpec
from mlp_core.sweep import cost
from mlp_core.sweep.carry_out import MOST_TRIES, Progress, carry_out, pieces, train
from mlp_core.sweep.executors import ExecutorLostError, WorkersExecutor, name_of
from mlp_core.sweep.plan import Axis, Plan, Task, tasks
from mlp_core.sweep.store import Outcome, Store, StoreError
from mlp_core.training import Run
from mlp_core.training.state import TrainingState
from tests.support.engine import SPEC, clouds

Results = dict[tuple[int, int, int], tuple[str, StopReason]]
PLAN = Plan(  # of 12 cells and 24 runs in 6 tasks
    SPEC, (Axis("hidden", tuple((width,) for width in range(5, 11))), Axis("lr", (0.05, 0.2))), seeds=2
)


class Here(WorkersExecutor):
    """Does everything at once, in this thread, and remembers it; `breaks` may raise instead."""

    workers = 2

    def __init__(self, breaks: Callable[[Task], None] = lambda task: None) -> None:
        self.data, self.breaks, self.asked = clouds(), breaks, list[Task]()
        self.data_name = name_of(self.data)

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.asked.append(args[0])
        future: Future[Any] = Future()
        try:
            self.breaks(args[0])
            future.set_result(work(*args, self.data, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def results(outcomes: tuple[Outcome, ...]) -> Results:
    """Everything that must be the same, bit for bit, wherever it was trained."""
    return {outcome.key: (repr(outcome.epochs), outcome.stop) for outcome in outcomes}


def nobody(progress: Progress) -> None:
    pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "sweep.sqlite", PLAN) as store:
        yield store


@pytest.fixture(scope="module")
def undisturbed() -> Results:
    data = clouds()
    return results(tuple(outcome for task in tasks(PLAN, 0, range(12)) for outcome in train(task, data)))


def test_a_run_alone_is_the_run_itself() -> None:
    (outcome,) = train(Task(0, (3,), (SPEC,)), clouds())
    run = Run(SPEC, clouds())
    run.advance()
    assert (outcome.key, outcome.epochs, outcome.stop) == ((0, 3, 0), tuple(run.history.epochs), run.stop_reason)
    assert outcome.seconds > 0


def test_runs_trained_at_once_are_the_single_ones_to_rounding() -> None:
    specs = tuple(replace(SPEC, seed=seed, lr=lr) for seed in (0, 1) for lr in (0.05, 0.2))
    for together, spec in zip(train(Task(0, (0, 1, 0, 1), specs), clouds()), specs, strict=True):
        (alone,) = train(Task(0, (together.cell,), (spec,)), clouds())
        assert [one.test_loss for one in together.epochs] == pytest.approx([one.test_loss for one in alone.epochs], rel=1e-4)
        assert (together.spec, together.stop) == (spec, alone.stop)


def test_pieces_give_what_train_gives_and_say_how_far_they_are() -> None:
    for task in tasks(PLAN, 0, (0, 1)):
        work, said = pieces(task, clouds()), list[float]()
        while True:
            try:
                said.append(next(work))
            except StopIteration as end:
                outcomes = end.value
                break
        assert results(outcomes) == results(train(task, clouds()))
        assert said == sorted(said)
        assert 0 < said[0] < 0.5
        assert said[-1] == 1


def test_one_that_diverges_is_an_outcome_with_its_reason() -> None:
    specs = tuple(replace(SPEC, lr=lr, activation="=x^3", hidden=(8, 8)) for lr in (0.001, 100.0))
    for broken in (train(Task(0, (0, 1), specs), clouds())[1], *train(Task(0, (1,), specs[1:]), clouds())):
        assert broken.stop.kind == "diverged"
        assert broken.stop.detail.startswith(f"Diverged at step {broken.stop.step}: the ")
    well, _ = train(Task(0, (0, 1), specs), clouds())
    assert (well.stop.kind, well.stop.detail, len(well.epochs)) == ("completed", "Completed 2 epochs.", 2)


def test_memory_that_does_not_suffice_for_all_at_once_may_do_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise MemoryError

    specs = tuple(replace(SPEC, seed=seed) for seed in (0, 1, 2))
    alone = [train(Task(0, (0,), (spec,)), clouds())[0] for spec in specs]
    monkeypatch.setattr("mlp_core.training.replicates.Batched", none_left)
    assert results(train(Task(0, (0, 0, 0), specs), clouds())) == results(tuple(alone))
    monkeypatch.setattr(TrainingState, "next_batch", none_left)
    (outcome,) = train(Task(0, (0,), specs[:1]), clouds())
    assert (outcome.stop.kind, outcome.epochs) == ("out_of_memory", ())


def test_a_defect_is_an_outcome_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def defective(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(TrainingState, "next_batch", defective)
    (outcome,) = train(Task(0, (0,), (SPEC,)), clouds())
    assert outcome.stop.kind == "failed"
    assert "ZeroDivisionError" in outcome.stop.detail


def test_what_is_done_is_not_done_again_and_the_numbers_are_those_of_a_sweep_that_was_not_interrupted(
    store: Store, undisturbed: Results
) -> None:
    first, stop = Here(), threading.Event()

    def stop_after_some(progress: Progress) -> None:
        if progress.runs >= 4:
            stop.set()

    carry_out(PLAN, store, first, stop_after_some, stop)
    done = store.done()
    assert 4 <= len(done) < 24
    with Store.open(store.path, PLAN) as again:
        second = Here()
        carry_out(PLAN, again, second, nobody)
        asked = [key for task in second.asked for key in task.keys]
        assert sorted(asked) == sorted(set(undisturbed) - done)
        assert results(again.outcomes()) == undisturbed
        third = Here()
        carry_out(PLAN, again, third, nobody)
        assert third.asked == []


def test_a_task_whose_worker_broke_is_done_again(store: Store, undisturbed: Results) -> None:
    broken = set[Task]()

    def breaks_once(task: Task) -> None:
        if task not in broken:
            broken.add(task)
            raise BrokenExecutor

    said: list[Progress] = []
    carry_out(PLAN, store, Here(breaks_once), said.append)
    assert results(store.outcomes()) == undisturbed
    assert said[-1] == Progress(24, 24, said[-1].fraction, said[-1].left_seconds, workers=2, lost=len(broken))


def test_a_task_that_breaks_every_worker_is_given_up_and_the_others_are_done(store: Store, undisturbed: Results) -> None:
    def breaks(task: Task) -> None:
        if task.specs[0].hidden == (6,):
            raise BrokenExecutor

    executor = Here(breaks)
    carry_out(PLAN, store, executor, nobody)
    assert [task.specs[0].hidden for task in executor.asked].count((6,)) == MOST_TRIES
    for outcome in store.outcomes():
        if outcome.spec.hidden == (6,):
            assert (outcome.stop.kind, outcome.epochs) == ("failed", ())
            assert outcome.stop.detail.startswith("Its worker broke each of 3 times")
        else:
            assert results((outcome,)).items() <= undisturbed.items()


def test_a_run_that_cannot_begin_says_why(store: Store) -> None:
    def refuses(task: Task) -> None:
        raise ValueError("no such device")

    carry_out(PLAN, store, Here(refuses), nobody)
    assert {outcome.stop.detail for outcome in store.outcomes()} == {"It could not begin (ValueError: no such device)."}


def test_what_was_finished_is_kept_when_nobody_is_left_to_train(store: Store, undisturbed: Results) -> None:
    asked: list[Task] = []

    def leaves(task: Task) -> None:
        asked.append(task)
        if len(asked) == 3:
            raise ExecutorLostError("The scheduler is gone.")

    with pytest.raises(ExecutorLostError, match="gone"):
        carry_out(PLAN, store, Here(leaves), nobody)
    assert 0 < len(store.done()) < 24
    carry_out(PLAN, store, Here(), nobody)
    assert results(store.outcomes()) == undisturbed


def test_a_sweep_does_not_go_on_with_other_data(store: Store) -> None:
    executor = Here()
    carry_out(PLAN, store, executor, nobody)
    executor.data_name = name_of(clouds(seed=1))
    with pytest.raises(StoreError, match=r"was begun with other data \(50 images \w{8}\) than are here \(50 images \w{8}\)"):
        carry_out(PLAN, store, executor, nobody)


def test_of_halving_the_best_go_on_for_more_epochs(tmp_path: Path) -> None:
    plan = Plan(replace(SPEC, epochs=4), (Axis("lr", (1e-5, 0.1, 0.2, 2e-5)),), "halving", seeds=2, eta=2)
    with Store.create(tmp_path / "sweep.sqlite", plan) as store:
        said: list[Progress] = []
        carry_out(plan, store, Here(), said.append)
        outcomes = store.outcomes()
        assert [sum(one.rung == rung for one in outcomes) for rung in range(3)] == [8, 4, 2]
        first = [[one.epochs[-1].test_accuracy for one in outcomes if (one.rung, one.cell) == (0, cell)] for cell in range(4)]
        went_on = {one.cell for one in outcomes if one.rung == 1}
        assert min(sum(first[cell]) for cell in went_on) >= max(sum(first[cell]) for cell in set(range(4)) - went_on)
        assert {len(one.epochs) for one in outcomes if one.rung == 2} == {4}
        assert (said[-1].runs, said[-1].of_runs, said[0].left_seconds) == (14, 14, None)


@pytest.mark.parametrize("method", ["grid", "halving"])
def test_the_time_left_is_right_though_the_cells_take_unlike_times(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widths, clock = (16, 32, 64, 128, 256, 512, 1024, 1536, 2048), [100.0]

    def trained(task: Task, data: Dataset) -> tuple[Outcome, ...]:
        """Nothing is, but the clock goes on as products would have it; the widest do best."""
        clock[0] += sum(1e-10 * spec.epochs * (784 + 10) * spec.hidden[0] for spec in task.specs)
        scores = [spec.hidden[0] / widths[-1] for spec in task.specs]
        ends = [((EpochRecord(1, 1, 1.0, score, 1.0, score),), StopReason("completed", 1, "")) for score in scores]
        return tuple(Outcome(spec, task.rung, cell, *end, 1.0, "") for spec, cell, end in zip(task.specs, task.cells, ends, strict=True))

    monkeypatch.setattr(module, "train", trained)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(cost, "flops_per_second", lambda: 1.0)  # so slow that the products are all
    plan = Plan(RunSpec(epochs=9), (Axis("hidden", tuple((width,) for width in widths)),), method, seeds=2)
    told: list[tuple[float, Progress]] = []
    with Store.create(tmp_path / "sweep.sqlite", plan) as store:
        carry_out(plan, store, Here(), lambda progress: told.append((clock[0], progress)))
    known = [one for one in told if one[1].left_seconds is not None and (method == "grid" or one[1].runs >= 24)]
    for now, progress in known[method == "halving" :]:  # from the beginning of the last round on: whose it is, is not known before
        assert progress.left_seconds == pytest.approx(clock[0] - now, rel=0.05, abs=1e-9)
        assert 0 <= progress.fraction <= 1
    assert min(progress.left_seconds or 0.0 for _, progress in told) >= 0
    assert told[-1][1].fraction == pytest.approx(1)


def test_the_name_of_data_tells_them_apart() -> None:
    assert name_of(clouds()) == name_of(clouds())
    assert len({name_of(clouds()), name_of(clouds(seed=1)), name_of(clouds(train=49)), name_of(clouds(test=29))}) == 4
