"""The page "Sweep" without a browser: what it takes, refuses and costs, how it goes on, what its link and its files say."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.data import Dataset, load_fashion_mnist
from mlp_core.jobs import Computation
from mlp_core.spec import RunSpec
from mlp_core.sweep import executors
from mlp_core.sweep.carry_out import pieces, train
from mlp_core.sweep.executors import ExecutorLostError
from mlp_core.sweep.plan import FIELDS, METHODS, Axis, Plan, Task, tasks
from mlp_core.sweep.store import Outcome, Store, StoreError
from pages.figures import sweep as figures
from pages.figures.figure import Figure
from pages.figures.sweep import SweptCell
from pages.ui import session
from pages.ui.session import SessionJobs
from pages.ui.sweep import controls, panel, running
from tests.support import processes
from tests.support.clusters import cluster_of_two
from tests.support.pages.visit import address, again, opened, press, until, visit_with_jobs, widget, words

SMALL = {"axis_1": "lr=0.1,1.0", "axis_2": "none", "seeds": "2", "epochs": "1", "train_size": "500", "hidden": "8"}
PLAN = Plan(RunSpec(hidden=(8,), epochs=1, train_size=500), (Axis("lr", (0.1, 1.0)),), seeds=2)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    monkeypatch.setenv(running.FOLDER, str(tmp_path))
    monkeypatch.delenv(running.CLUSTER, raising=False)
    with visit_with_jobs("pages/sweep.py", monkeypatch) as page:
        yield page
    session.jobs().leave(panel.JOB)


def rests(page: AppTest) -> bool:
    return bool(page.button(key="sweep_stop").disabled)


def trained(page: AppTest, **query: str) -> AppTest:
    """Press Start and wait for the end."""
    return until(press(opened(page, **SMALL | query), "sweep_start"), rests)


def cells(page: AppTest) -> list[str]:
    """The test accuracies of the table."""
    return list(page.dataframe[0].value["Test accuracy"])


def test_it_says_before_the_start_what_it_will_take(page: AppTest) -> None:
    opened(page)
    assert "**6 cells × 3 seeds: 18 runs, 270,000 training images.** About" in words(page)
    opened(page, method="halving", epochs="9", train_size="1000", seeds="1")  # 6 cells for 3 epochs, 2 for 9
    assert "**6 cells × 1 seed: 8 runs, 36,000 training images.**" in words(page)
    opened(page, train_size="60000", epochs="100", seeds="10")
    assert "A sweep on this page may use" in words(page)
    assert page.button(key="sweep_start").disabled
    opened(page, axis_1="lr=" + ",".join(f"{n / 100}" for n in range(1, 60)), seeds="3")
    assert "These are 354 runs; a sweep on this page has at most 300" in words(page)


def test_too_many_cells_are_refused_before_any_is_made(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controls, "Plan", None)
    values = ",".join(str(n / 100) for n in range(1, 61))
    for method, runs in (("grid", "10,800"), ("halving", "14,400")):  # of halving 3,600 cells for an epoch, 1,200 for three
        opened(page, axis_1=f"lr={values}", axis_2=f"init_std={values}", method=method, seeds="3", epochs="3")
        assert f"These are {runs} runs; a sweep on this page has at most 300" in words(page)


def test_its_numbers_are_those_of_the_plan_trained_elsewhere(page: AppTest) -> None:
    trained(page)
    data = load_fashion_mnist()
    expected = {outcome.key: outcome.epochs for task in tasks(PLAN, 0, (0, 1)) for outcome in train(task, data)}
    sweep = running.sweep_of(PLAN, data)
    assert sweep is not None
    assert {outcome.key: outcome.epochs for outcome in sweep.store.outcomes()} == expected
    assert "Finished: 4 runs" in words(page)
    assert "over 2 seeds" in words(page)
    assert "bands reach from the lowest to the highest seed" in words(page)
    assert "± their standard deviation" not in words(page)  # which the picture of one setting does not say
    assert page.button(key="sweep_start").disabled


def test_what_is_done_is_there_for_whoever_opens_the_link_and_after_a_restart(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(page)
    before = cells(page)
    monkeypatch.setattr(running, "_sweeps", {})  # as in a new process
    monkeypatch.setattr(session, "jobs", SessionJobs)
    assert cells(opened(again(page), **SMALL)) == before
    assert "Finished: 4 runs" in words(page)


def test_stop_keeps_what_is_done_and_go_on_repeats_nothing(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Task] = []

    def noted(task: Task, data: Dataset) -> Generator[float, None, tuple[Outcome, ...]]:
        begun.append(task)
        return pieces(task, data)

    monkeypatch.setattr(running, "pieces", noted)
    query = SMALL | {"axis_1": "hidden=8;16;24;32", "train_size": "5000", "epochs": "3"}  # no two of a shape: a task each seed or cell
    press(opened(page, **query), "sweep_start")
    until(page, lambda _: "Highest" in words(page))
    press(page, "sweep_stop")
    assert "are finished, and kept" in words(page)
    plan = Plan(RunSpec(hidden=(8,), epochs=3, train_size=5000), (Axis.parse("hidden=8;16;24;32"),), seeds=2)
    sweep = running.sweep_of(plan, load_fashion_mnist())
    assert sweep is not None
    assert not sweep.moving
    done = sweep.store.done()
    assert 0 < len(done) < 8
    assert (progress := sweep.progress) is not None
    assert progress.runs == len(done)
    assert 0 < progress.fraction < 1
    assert (progress.left_seconds or 0) > 0
    begun.clear()
    until(press(page, "sweep_start"), rests)
    assert sweep.finished
    assert done.isdisjoint(key for task in begun for key in task.keys)


def test_a_reload_finds_the_sweep_that_goes_on(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    query = SMALL | {"train_size": "20000", "epochs": "20"}
    press(opened(page, **query), "sweep_start")
    job = session.jobs().work[panel.JOB]
    assert isinstance(job, Computation)
    after = SessionJobs()
    session.jobs().release()  # which parks it
    monkeypatch.setattr(session, "jobs", lambda: after)
    again(page)
    assert after.work[panel.JOB] is job
    assert job.lifetime.ends is None
    assert not rests(page)
    press(page, "sweep_stop")
    assert job.state == "stopped"


def test_a_sweep_goes_on_while_somebody_else_looks_at_it(page: AppTest) -> None:
    press(opened(page, **SMALL | {"train_size": "20000", "epochs": "20"}), "sweep_start")
    job, other = session.jobs().work[panel.JOB], SessionJobs()
    other.share(panel.JOB, job)
    press(page, "sweep_stop")
    assert rests(page)
    assert "It goes on for somebody else who looks at it" in words(page)
    assert job.state == "playing"
    other.leave(panel.JOB)
    assert job.await_rest(60)
    assert "goes on for somebody else" not in words(again(page))


def test_another_sweep_of_the_session_is_named_and_ends_with_the_next_start(page: AppTest) -> None:
    press(opened(page, **SMALL | {"train_size": "20000", "epochs": "20"}), "sweep_start")
    first = session.jobs().work[panel.JOB]
    opened(page, **SMALL)
    assert "The sweep that you began before goes on, 0 of 4 runs" in words(page)
    until(press(page, "sweep_start"), rests)
    assert first.await_rest(60)
    assert first.state == "stopped"
    assert "Finished: 4 runs" in words(page)


@pytest.mark.parametrize(
    ("axis", "refusal"),
    [
        ("lr=0.1,0", "**lr** must be a number from 0.00001 to 100, got `0.0`"),
        ("lr=0.1,x,0", "**lr** must be a number from 0.00001 to 100, got `x`.\n\n**lr** must be a number from 0.00001 to 100, got `0.0`"),
        ("lr=0.1,0.1", "**lr** must not have a value twice"),
        ("hidden=64;5000", "**hidden** must be"),
        ("activation=relu,rello", "**activation** must be"),
        ("lr=0.1..1", "an interval is to draw from"),
    ],
)
def test_a_bad_value_is_refused_where_it_is_typed(page: AppTest, axis: str, refusal: str) -> None:
    opened(page)
    name, _, values = axis.partition("=")
    if name != "lr":
        widget(page, "sweep_field_1").select(name)
        again(page)
    widget(page, "sweep_values_1").input(values)
    again(page)
    (error,) = page.error
    assert refusal in error.value
    assert not [button for button in page.button if button.key == "sweep_start"]


def test_every_cell_that_cannot_be_is_named(page: AppTest) -> None:
    opened(page, axis_1="hidden=2048;2048,2048", axis_2="batch_size=256,4096")
    (error,) = page.error
    assert "hidden 2048,2048" in error.value
    assert "batch size" in error.value or "batch_size" in error.value
    opened(page, axis_1="device=cpu,cuda,mps", axis_2="none")  # no machine has both
    (error,) = page.error
    assert "must be one this machine has" in error.value


def test_every_method_can_begin_with_what_the_page_begins_with(page: AppTest) -> None:
    for method in METHODS:
        opened(page, method=method)
        assert not page.error
        assert not page.button(key="sweep_start").disabled


def test_a_link_carries_the_whole_plan(page: AppTest) -> None:
    query = {
        "axis_1": "lr=0.001..1.0", "axis_2": "activation=relu,tanh", "axis_3": "weight_decay=0.0,0.01", "method": "random", "seeds": "2",
        "samples": "5", "draw_seed": "7", "epochs": "4", "train_size": "default", "seed": "3", "optimizer": "adam", "batch_size": "64",
        "cells": "1,4",
    }  # fmt: skip
    opened(page, **query)
    assert not page.warning
    assert address(page) == query
    assert "**5 cells × 2 seeds: 10 runs, " in words(page)


@pytest.mark.parametrize(
    "spec",
    [
        RunSpec(),
        RunSpec(hidden=(64, 32), dropout=(0.5, 0.2), epochs=200, train_size=100, seed=9),
        RunSpec(activation="=x*sigmoid(2*x)", optimizer="adam", lr=0.001, batch_size=32, init="constant", init_value=0.1, epochs=1),
    ],
)
def test_a_design_of_the_training_page_comes_along_and_can_be_swept_at_once(page: AppTest, spec: RunSpec) -> None:
    opened(page, **controls.query_with_design(spec))
    assert not page.warning
    assert not page.error
    shared = page.session_state["_values_sweep"].values[controls.DESIGN]
    own = {name: getattr(controls.BEGIN, name) for name in controls.SHARED}
    assert shared == replace(spec, **own)


@pytest.mark.parametrize(
    ("name", "value", "stands"),
    [
        ("axis_1", "lr=0", "lr=0.01,0.1,1"),
        ("axis_2", "seed=1,2", "hidden=64;256"),
        ("axis_1", "nonsense", "lr=0.01,0.1,1"),
        ("method", "best", "grid"),
        ("seeds", "0", "3"),
        ("epochs", "1000", "3"),
        ("optimizer", "magic", "sgd"),
        ("cells", "1,1", "left out"),
        ("cells", "77", "left out"),
    ],
)
def test_what_a_link_cannot_ask_for_is_named(page: AppTest, name: str, value: str, stands: str) -> None:
    opened(page, **{name: value})
    (warning,) = page.warning
    assert f"**{name}**" in warning.value
    assert stands in warning.value
    assert "18 runs" in words(page)


def test_another_setting_begins_with_values_of_its_own_that_can_be(page: AppTest) -> None:
    assert set(controls.VALUES) == set(FIELDS)
    for name, values in controls.VALUES.items():
        assert Axis.parse(f"{name}={values}").field == name
    opened(page)
    widget(page, "sweep_field_2").select("activation")
    again(page)
    assert address(page)["axis_2"] == "activation=relu,tanh,sigmoid"
    assert "9 cells" in words(page)
    assert [page.selectbox[1].options[0], page.selectbox[1].format_func("batch_size")] == ["(none)", "batch size"]
    assert widget(page, "sweep_values_2").label == "Values of `activation`"


def test_marks_of_a_map_are_explained_and_that_halving_gave_some_cells_fewer_epochs(page: AppTest) -> None:
    trained(page, axis_2="init_std=0.01,0.1", method="halving", epochs="3")
    assert "± their standard deviation" in words(page)
    assert "Cells that halving left out are shown as they were after fewer epochs" in words(page)


def test_clicked_cells_are_chosen_and_lead_to_the_training_page(page: AppTest) -> None:
    trained(page, cells="1")
    assert widget(page, "sweep_cells").value == [1]
    query = PLAN.cells[1].spec.to_query()
    assert urlencode(query) in page.dataframe[0].value["Train"].iloc[1]
    assert address(page)["cells"] == "1"


def test_a_cell_has_one_name_in_each_language(page: AppTest) -> None:
    trained(page, axis_1="lr=0.1", axis_2="momentum=0.5", seeds="1", cells="0")
    assert widget(page, "sweep_cells").options == ["lr 0.1, momentum 0.5"]
    page.session_state["_language"] = "zh"
    assert widget(again(page), "sweep_cells").options == ["lr 0.1、momentum 0.5"]
    assert "lr 0.1、momentum 0.5" in words(page).replace("\\", "")  # in the answer


def test_pictures_are_made_anew_only_where_there_is_news(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Counter[str]()

    def counted(name: str, draw: Callable[..., Figure], cells: Sequence[SweptCell]) -> Figure:
        made[name] += 1
        return draw(cells)

    for name in ("parallel_coordinates", "sweep_curves"):
        monkeypatch.setattr(figures, name, partial(counted, name, getattr(figures, name)))
    trained(page)
    before = made.copy()
    assert set(before) == {"parallel_coordinates", "sweep_curves"}
    again(page)
    assert made == before
    widget(page, "sweep_cells").set_value([1])
    again(page)
    assert made == before + Counter(["sweep_curves"])


def test_the_files_hold_what_the_table_says(page: AppTest, tmp_path: Path) -> None:
    trained(page)
    sweep = running.sweep_of(PLAN, load_fashion_mnist())
    assert sweep is not None
    rows = sweep.store.to_csv().splitlines()
    assert len(rows) == 1 + 4
    assert len(json.loads(sweep.store.to_json())["runs"]) == 4
    (tmp_path / "copy").write_bytes(sweep.store.to_sqlite())
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("SELECT COUNT(*) FROM outcomes").fetchone() == (4,)


def test_a_cluster_that_is_lost_is_said_and_the_rest_goes_on_here(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(address: str, data: object) -> object:
        raise ExecutorLostError(f"No scheduler answers at {address}.")

    monkeypatch.setenv(running.CLUSTER, "tcp://127.0.0.1:1")
    monkeypatch.setattr(running, "dask_executor", gone)
    trained(page)
    assert "The cluster is lost: `No scheduler answers at tcp://127.0.0.1:1.` What is finished is kept." in words(page)
    until(press(page, "sweep_here"), lambda _: "Finished: 4 runs" in words(page))


def test_a_real_cluster_trains_it_and_its_end_is_said_and_costs_nothing_that_was_finished(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "LOST_SECONDS", 1)
    widths = Axis.parse("hidden=8;16;24;32;40;48;56;64")  # no two of a shape
    plan, data = Plan(RunSpec(epochs=10, train_size=5000), (widths,)), load_fashion_mnist()
    with cluster_of_two(tmp_path) as cluster:
        monkeypatch.setenv(running.CLUSTER, cluster.address)
        press(opened(page, axis_1=widths.text, axis_2="none", seeds="1", epochs="10"), "sweep_start")
        sweep = running.sweep_of(plan, data)
        assert sweep is not None
        until(page, lambda _: "On 2 workers of the cluster" in words(page))
        assert processes.until(lambda: len(sweep.store.done()) > 0)
        for worker in cluster.workers:
            worker.kill()
        until(page, lambda _: "The cluster has no workers now: the sweep waits for one" in words(page))
        cluster.scheduler.kill()
        until(page, lambda _: "The cluster is lost: `The scheduler at" in words(page))
    before = {outcome.key: outcome for outcome in sweep.store.outcomes()}
    assert 0 < len(before) < 8
    until(press(page, "sweep_here"), lambda _: "Finished: 8 runs" in words(page))
    after = {outcome.key: outcome for outcome in sweep.store.outcomes()}
    assert after | before == after
    expected = {outcome.key: outcome.epochs for task in tasks(plan, 0, tuple(range(8))) for outcome in train(task, data)}
    assert {key: outcome.epochs for key, outcome in after.items()} == expected


def test_what_is_not_the_fault_of_the_cluster_is_not_said_to_be(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: object) -> None:
        raise StoreError("sweep.sqlite", "cannot be written")

    monkeypatch.setenv(running.CLUSTER, "tcp://127.0.0.1:1")
    monkeypatch.setattr(running, "dask_executor", lambda _address, _data: nullcontext())
    monkeypatch.setattr(running, "carry_out", full)
    trained(page)
    assert "sweep.sqlite: cannot be written." in words(page)
    assert "The cluster is lost" not in words(page)


def test_a_cluster_that_is_lost_after_stop_is_no_error_of_the_next_go(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    go, ended = threading.Event(), threading.Event()

    def gone_late(*_given: object) -> None:
        assert go.wait(60)
        ended.set()
        raise ExecutorLostError("gone")

    monkeypatch.setattr(running, "dask_executor", lambda _address, _data: nullcontext())
    monkeypatch.setattr(running, "carry_out", gone_late)
    sweep = running.new_sweep(PLAN, load_fashion_mnist())
    sweep.go_on(session.engine()[0], "tcp://127.0.0.1:1")
    job, (thread,) = sweep.job, [one for one in threading.enumerate() if one.name == "sweep"]
    assert isinstance(job, running.OnCluster)
    job.stop()
    go.set()
    thread.join(60)
    assert ended.is_set()
    assert (job.state, sweep.error, sweep.lost) == ("stopped", "", False)


def test_a_folder_that_cannot_be_used_is_said(page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(running.FOLDER, str(tmp_path / "file" / "sweeps"))
    opened(page)
    (error,) = page.error
    assert "cannot be read or written" in error.value


def test_a_diverged_run_is_a_result_with_its_reason(page: AppTest) -> None:
    trained(page, axis_1="lr=0.1,100.0", init_std="10.0", optimizer="sgd", train_size="5000", hidden="64,64,64")
    assert "diverged" in words(page)


def test_an_expression_keeps_its_stars_wherever_it_is_named(page: AppTest) -> None:
    shown, query = r"x\*sigmoid\(x\)\*2", {"axis_1": "activation==x*sigmoid(x)*2", "seeds": "1", "activation": "=x*sigmoid(x)*2"}
    trained(page, **query | {"axis_1": "activation==x*sigmoid(x)*2;relu", "seeds": "2"})
    assert f"\\={shown}" in words(page)  # in the answer
    assert f", {shown}, SGD" in words(page)  # in the design
    opened(page, **SMALL | query | {"axis_2": "activation_parameter=0.2"})
    assert r"**activation =x\*sigmoid(x)\*2, activation_parameter 0.2: activation_parameter** must be absent" in words(page)


def test_the_oldest_files_make_room(page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(running, "MOST_FILES", 2)
    data = load_fashion_mnist()
    plans = [Plan(replace(PLAN.base, seed=seed)) for seed in (1, 2, 3)]
    for plan in plans:
        running.new_sweep(plan, data)
    assert [running.sweep_of(plan, data) is not None for plan in plans] == [False, True, True]
    assert len(list(tmp_path.glob("*.sqlite"))) == 2


def test_what_another_server_adds_to_now_is_not_what_makes_room(page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(running, "MOST_FILES", 2)
    data, plans = load_fashion_mnist(), [Plan(replace(PLAN.base, seed=seed)) for seed in (1, 2, 3)]
    for age, plan in zip((9000, 5000), plans, strict=False):  # the older file is the one that is being added to
        path = running.new_sweep(plan, data).store.path
        os.utime(path, (time.time() - age,) * 2)
    monkeypatch.setattr(running, "_sweeps", {})
    (first, *_) = plans
    with Store.open(running._path(first, data), first) as elsewhere:
        (task,) = tasks(first, 0, (0,))
        elsewhere.add(task, train(task, data))
        running.new_sweep(plans[2], data)
        assert [running.sweep_of(plan, data) is not None for plan in plans] == [True, False, True]


def test_a_sweep_that_made_room_can_be_read_on_where_it_is_shown(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(page)
    monkeypatch.setattr(running, "MOST_FILES", 1)
    shown = running.sweep_of(PLAN, load_fashion_mnist())
    assert shown is not None
    running.new_sweep(Plan(replace(PLAN.base, seed=5)), load_fashion_mnist())
    assert not shown.store.path.exists()
    assert shown.store.to_sqlite().startswith(b"SQLite format 3")
