"""The file of a sweep: exact, whole after a kill, and refused in words where it is not what it must be."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlp_core.records import EpochRecord, StopReason
from mlp_core.spec import RunSpec
from mlp_core.sweep.plan import Axis, Plan, Task, tasks
from mlp_core.sweep.store import APPLICATION, VERSION, Outcome, Store, StoreError, cells_of
from mlp_core.training import ends
from mlp_core.words import Message, counted

PLAN = Plan(RunSpec(epochs=2, seed=7), (Axis.parse("lr=0.1,1"), Axis.parse("hidden=64;2048,64;none")), seeds=3)
EPOCHS = (EpochRecord(1, 10, 0.1 + 0.2, 1 / 3, 5e-324, 0.8), EpochRecord(2, 20, 1e300, 0.7, math.nan, 0.1))


def outcomes_of(task: Task, stop: StopReason | None = None, epochs: Sequence[EpochRecord] = EPOCHS) -> list[Outcome]:
    end = stop or StopReason("completed", 20, ends.completed(2))
    return [Outcome(spec, task.rung, cell, tuple(epochs), end, 0.25, "here") for cell, spec in zip(task.cells, task.specs, strict=True)]


def all_tasks(plan: Plan = PLAN) -> tuple[Task, ...]:
    return tasks(plan, 0, range(len(plan.cells)))


def full(path: Path, plan: Plan = PLAN) -> Store:
    store = Store.create(path, plan)
    for task in all_tasks(plan):
        store.add(task, outcomes_of(task))
    return store


def test_what_was_added_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    parts = all_tasks()
    assert len(parts) > 1
    with Store.create(tmp_path / "a.sqlite", PLAN) as store:
        assert store.done() == set()
        store.add(parts[0], outcomes_of(parts[0]))
        assert store.done() == set(parts[0].keys)
    with Store.open(tmp_path / "a.sqlite", PLAN) as store:
        assert store.plan == PLAN
        assert store.plan.cells == PLAN.cells
        assert store.done() == set(parts[0].keys)
        store.add(parts[1], outcomes_of(parts[1]))
    with Store.open(tmp_path / "a.sqlite") as store:
        assert store.done() == {*parts[0].keys, *parts[1].keys}
        wanted = sorted(outcomes_of(parts[0]) + outcomes_of(parts[1]), key=lambda outcome: outcome.key)
        assert repr(store.outcomes()) == repr(tuple(wanted))


@settings(max_examples=15)  # each makes a file
@given(st.lists(st.tuples(*[st.floats()] * 4), max_size=20))
def test_numbers_are_kept_bit_for_bit(numbers: list[tuple[float, float, float, float]]) -> None:
    epochs = tuple(EpochRecord(index, 235 * index, *four) for index, four in enumerate(numbers, start=1))
    (task,) = all_tasks(plan := Plan())
    with TemporaryDirectory() as folder:
        with Store.create(f"{folder}/a.sqlite", plan) as store:
            store.add(task, outcomes_of(task, epochs=epochs))
        with Store.open(f"{folder}/a.sqlite") as store:
            assert repr(store.outcomes()[0].epochs) == repr(epochs)


@pytest.mark.parametrize(
    "stop",
    [
        StopReason("diverged", 3, ends.diverged(3, math.nan, tested=False)),
        StopReason("diverged", 3, ends.diverged(3, math.inf, tested=True)),
        StopReason("out_of_memory", 0, ends.out_of_memory(0)),
        StopReason("failed", 0, ends.failed(0, ValueError())),
        StopReason("failed", 0, counted(3, "Its worker broke {n} time: {why}", "Its worker broke {n} times: {why}", why=ends.stopped(4))),
    ],
)
def test_how_a_run_ended_can_be_said_in_any_language_after_reading(stop: StopReason, tmp_path: Path) -> None:
    task = all_tasks()[0]
    with Store.create(tmp_path / "a.sqlite", PLAN) as store:
        store.add(task, outcomes_of(task, stop, []))
    with Store.open(tmp_path / "a.sqlite") as store:
        found = store.outcomes()[0]
    assert found.stop == stop
    assert isinstance(found.stop.detail, Message)
    assert isinstance(stop.detail, Message)
    for name in ("template", "plural", "amount", "values"):
        assert getattr(found.stop.detail, name) == getattr(stop.detail, name)
    assert [type(value) for value in found.stop.detail.values.values()] == [type(value) for value in stop.detail.values.values()]
    assert not found.completed
    assert found.score == 0.0


def test_the_first_outcome_of_a_run_stays(tmp_path: Path) -> None:
    task = all_tasks()[0]
    with Store.create(tmp_path / "a.sqlite", PLAN) as store:
        store.add(task, outcomes_of(task))
        store.add(task, outcomes_of(task, epochs=EPOCHS[:1]))
        before = store.outcomes()
    with Store.open(tmp_path / "a.sqlite") as store:
        assert repr(store.outcomes()) == repr(before)
        assert len(before[0].epochs) == 2


def test_reading_takes_each_run_the_same_however_many_seeds_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, checked, check = tmp_path / "a.sqlite", list[RunSpec](), RunSpec.__post_init__
    full(path, Plan(seeds=100)).close()

    def noted(spec: RunSpec) -> None:
        checked.append(spec)
        check(spec)

    monkeypatch.setattr(RunSpec, "__post_init__", noted)
    with Store.open(path) as store:
        assert len(store.done()) == 100
    assert len(checked) < 300  # one that is read and one of the plan each, not all seeds of its cell


def test_outcomes_of_something_else_are_refused(tmp_path: Path) -> None:
    first, second, *_ = all_tasks()
    with Store.create(tmp_path / "a.sqlite", PLAN) as store:
        for wrong in (outcomes_of(second), outcomes_of(first)[:-1], []):
            with pytest.raises(ValueError, match="must be of"):
                store.add(first, wrong)
        assert store.done() == set()


KILLED = """
import sys
from tests.mlp_core.sweep.test_store import PLAN, Store, all_tasks, outcomes_of
with Store.create(sys.argv[1], PLAN) as store:
    while True:
        for task in all_tasks():
            store.add(task, outcomes_of(task))
            print(len(store.done()), flush=True)
"""


def test_a_process_that_is_killed_leaves_all_that_it_had_added(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    added = int(process.stdout.readline())
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    sizes = [0, *(len(task.specs) for task in all_tasks())]
    with Store.open(path, PLAN) as store:
        found = len(store.done())
        assert found >= added
        assert found in [sum(sizes[: n + 1]) for n in range(len(sizes))]  # whole tasks
        for task in all_tasks():
            store.add(task, outcomes_of(task))
        assert len(store.outcomes()) == 18


def test_threads_may_share_a_store(tmp_path: Path) -> None:
    with Store.create(tmp_path / "a.sqlite", PLAN) as store:
        threads = [threading.Thread(target=store.add, args=(task, outcomes_of(task))) for task in all_tasks() for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.done()) == len(store.outcomes()) == 18
    with Store.open(tmp_path / "a.sqlite") as store:
        assert len(store.done()) == 18


def test_another_plan_is_refused(tmp_path: Path) -> None:
    full(tmp_path / "a.sqlite").close()
    for other in (replace(PLAN, seeds=4), replace(PLAN, base=RunSpec(epochs=3, seed=7)), Plan()):
        with pytest.raises(StoreError, match="another sweep"):
            Store.open(tmp_path / "a.sqlite", other)


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        Store.create(tmp_path / "a.sqlite", PLAN)
    assert (tmp_path / "a.sqlite").read_text() == "mine"


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE sweep (plan TEXT)")
    connection.close()


def changed(path: Path, statement: str) -> None:
    full(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def cut(path: Path, share: float) -> None:
    full(path).close()
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "absent": (lambda path: None, "is not there"),
    "a folder": (lambda path: path.mkdir(), "is not a file"),
    "empty": (lambda path: path.write_bytes(b""), "is not the file of a sweep"),
    "text": (lambda path: path.write_text("rung,cell\n" * 100), "is not the file of a sweep"),
    "another database": (other_database, "is not the file of a sweep"),
    "a newer version": (lambda path: changed(path, f"PRAGMA user_version = {VERSION + 1}"), f"is of version {VERSION + 1}"),
    "cut to half": (lambda path: cut(path, 0.5), "damaged"),
    "cut in its first page": (lambda path: cut(path, 0.05), "is not the file of a sweep|damaged"),
    "without its plan": (lambda path: changed(path, "DELETE FROM sweep"), "damaged"),
    "without a table": (lambda path: changed(path, "DROP TABLE outcomes"), "cannot be read"),
    "a plan that is none": (lambda path: changed(path, "UPDATE sweep SET plan = '{\"seeds\": 0}'"), "damaged"),
    "a number as plan": (lambda path: changed(path, "UPDATE sweep SET plan = 3"), "damaged"),
    "a cell that is none": (lambda path: changed(path, "UPDATE outcomes SET cell = 99 WHERE cell = 1"), "damaged"),
    "a negative cell": (lambda path: changed(path, "UPDATE outcomes SET cell = -1 WHERE cell = 5"), "damaged"),
    "a seed that is none": (lambda path: changed(path, "UPDATE outcomes SET seed = 6 WHERE seed = 9"), "damaged"),
    "a round that is none": (lambda path: changed(path, "UPDATE outcomes SET rung = 1 WHERE cell = 1"), "damaged"),
    "another experiment": (lambda path: changed(path, "UPDATE outcomes SET spec = '{}' WHERE cell = 1"), "damaged"),
    "epochs that are none": (lambda path: changed(path, "UPDATE outcomes SET epochs = '[[1]]' WHERE cell = 1"), "damaged"),
    "epochs that are no JSON": (lambda path: changed(path, "UPDATE outcomes SET epochs = x'ff00' WHERE cell = 1"), "damaged"),
    "a reason that is none": (lambda path: changed(path, "UPDATE outcomes SET detail = '{\"template\": 3}' WHERE cell = 1"), "damaged"),
    "values without a place": (
        lambda path: changed(
            path, """UPDATE outcomes SET detail = '{"template": "a", "plural": "", "amount": 1, "values": {"b": 1}}' WHERE cell = 1"""
        ),
        "damaged",
    ),
    "an end that is none": (lambda path: changed(path, "UPDATE outcomes SET kind = 'won' WHERE cell = 1"), "damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_sweeps_is_refused_in_words(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    make, said = BROKEN[name]
    make(path)
    with pytest.raises(StoreError, match=said) as raised:
        Store.open(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert isinstance(raised.value.args[0], Message)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole file."""
    with full(tmp_path_factory.mktemp("whole") / "a.sqlite") as store:
        return store.to_sqlite()


@settings(max_examples=60)
@example(spoiled=[(0.12109375, 128)])  # SQLite tells of it in bytes that are no text
@given(spoiled=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5))
def test_a_spoiled_file_is_read_or_refused_never_a_crash(content: bytes, spoiled: list[tuple[float, int]]) -> None:
    changed = bytearray(content)
    for place, byte in spoiled:
        changed[int(place * len(changed))] = byte
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.sqlite")
        path.write_bytes(changed)
        with suppress(StoreError), Store.open(path) as store:
            assert store.done() <= {key for task in all_tasks() for key in task.keys}


def test_the_file_can_be_taken_home_while_it_is_added_to(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "a.sqlite", PLAN)
    store.add(all_tasks()[0], outcomes_of(all_tasks()[0]))
    (tmp_path / "b.sqlite").write_bytes(store.to_sqlite())
    with Store.open(tmp_path / "b.sqlite", PLAN) as copy:
        assert copy.done() == store.done()
        for task in all_tasks()[1:]:
            copy.add(task, outcomes_of(task))
        assert len(copy.done()) == 18
    assert len(store.done()) < 18
    store.close()


def test_the_tables_hold_every_run_with_the_values_of_its_cell(tmp_path: Path) -> None:
    with full(tmp_path / "a.sqlite") as store:
        table, text, parquet, whole = store.table(), store.to_csv(), store.to_parquet(), json.loads(store.to_json())
    assert len(table) == 18
    for row, outcome in zip(table, outcomes_in(tmp_path), strict=True):
        assert (row["lr"], row["hidden"], row["seed"]) == (outcome.spec.lr, outcome.spec.hidden, outcome.spec.seed)
        assert (row["epochs"], row["train_loss"], row["end"]) == (2, 1e300, "completed")
        assert math.isnan(row["test_loss"])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["hidden"] for row in rows[::3]] == ["64", "2048,64", "none"] * 2
    assert [float(row["lr"]) for row in rows] == [row["lr"] for row in table]
    frame = pd.read_parquet(io.BytesIO(parquet))
    assert list(frame.columns) == list(table[0]) == list(rows[0])
    assert list(frame["train_loss"]) == [1e300] * 18
    assert list(frame["hidden"]) == [row["hidden"] for row in rows]
    assert Plan.from_json(json.dumps(whole["plan"])) == PLAN
    assert [run["epochs"][0]["train_loss"] for run in whole["runs"]] == [0.1 + 0.2] * 18
    assert whole["runs"][0]["epochs"][1]["test_loss"] is None
    assert [RunSpec.from_json(json.dumps(run["spec"])) for run in whole["runs"]] == [outcome.spec for outcome in outcomes_in(tmp_path)]


def outcomes_in(folder: Path) -> tuple[Outcome, ...]:
    with Store.open(folder / "a.sqlite") as store:
        return store.outcomes()


def test_a_sweep_over_epochs_has_one_column_of_them(tmp_path: Path) -> None:
    plan = Plan(axes=(Axis.parse("epochs=2,3"),))
    with full(tmp_path / "a.sqlite", plan) as store:
        assert [(row["epochs"], row["cell"]) for row in store.table()] == [(2, 0), (2, 1)]
        assert store.to_csv().startswith("rung,cell,seed,epochs,train_loss,")


def test_a_setting_that_some_cells_leave_to_its_default_is_a_column_of_every_file(tmp_path: Path) -> None:
    plan = Plan(axes=(Axis.parse("train_size=default,500"),))
    with full(tmp_path / "a.sqlite", plan) as store:
        assert list(pd.read_parquet(io.BytesIO(store.to_parquet()))["train_size"]) == ["default", "500"]
        assert [row["train_size"] for row in csv.DictReader(io.StringIO(store.to_csv()))] == ["default", "500"]
        assert [row["train_size"] for row in store.table()] == [None, 500]
    plan = Plan(RunSpec(activation="leaky_relu"), (Axis.parse("activation_parameter=0.01,0.2"),))  # the first of which is the default
    with full(tmp_path / "b.sqlite", plan) as store:
        assert list(pd.read_parquet(io.BytesIO(store.to_parquet()))["activation_parameter"]) == [0.01, 0.2]


def test_an_empty_store_has_its_columns(tmp_path: Path) -> None:
    with Store.create(tmp_path / "a.sqlite", PLAN) as store:
        assert store.table() == []
        assert (
            store.to_csv()
            == "rung,cell,seed,lr,hidden,epochs,train_loss,train_accuracy,test_loss,test_accuracy,end,detail,seconds,machine\n"
        )
        assert list(pd.read_parquet(io.BytesIO(store.to_parquet())).columns)[:5] == ["rung", "cell", "seed", "lr", "hidden"]


def test_the_best_cells_of_a_round_go_on_to_the_next(tmp_path: Path) -> None:
    plan = Plan(RunSpec(epochs=9), (Axis.parse("lr=0.01..1"),), "halving", seeds=2, samples=9)
    accuracies = [0.5, 0.9, 0.7, 0.9, 0.1, 0.8, 0.2, 0.3, 0.99]
    results = []
    for cell in plan.cells:
        for spec in cell.specs(2, plan.rungs[0].epochs):
            broken = cell.index == 8 and spec.seed == 1  # 0.99 and a run that broke: a mean of 0.495
            stop = StopReason("diverged", 5, "") if broken else StopReason("completed", 5, "")
            results.append(Outcome(spec, 0, cell.index, (EpochRecord(1, 5, 1.0, 0.5, 1.0, accuracies[cell.index]),), stop, 0.1, ""))
    assert cells_of(plan, 0, []) == tuple(range(9))
    assert cells_of(plan, 1, results) == (1, 3, 5)
    third = [replace(one, rung=1) for one in results if one.cell in (1, 3, 5)]
    assert cells_of(plan, 2, [*results, *third]) == (1,)


def test_a_file_says_whose_it_is(tmp_path: Path) -> None:
    full(tmp_path / "a.sqlite").close()
    assert (tmp_path / "a.sqlite").read_bytes()[68:72] == APPLICATION.to_bytes(4, "big") == b"MLPs"
    assert [path.name for path in tmp_path.iterdir()] == ["a.sqlite"]
