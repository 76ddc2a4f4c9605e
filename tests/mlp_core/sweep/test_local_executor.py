"""Processes of this machine: they train what this process would, share its data, and break alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import torch

from mlp_core.data import Dataset
from mlp_core.sweep import executors
from mlp_core.sweep.carry_out import Progress, carry_out
from mlp_core.sweep.executors import ExecutorLostError, LocalExecutor, local_executor, name_of
from mlp_core.sweep.plan import Axis, Plan
from mlp_core.sweep.store import Store
from tests.mlp_core.sweep.test_carry_out import Here, Results, nobody, results
from tests.support.engine import SPEC, clouds
from tests.support.processes import until

DATA = clouds(train=2_000_000)  # of 28 MB; what is trained takes 50 of its images
PLAN = Plan(replace(SPEC, train_size=50, epochs=20), (Axis("hidden", tuple((width,) for width in range(5, 15))),), seeds=2)  # 10 tasks


def process_number(data: Dataset) -> int:
    return os.getpid()


def private_bytes_of_a_look_at_all(data: Dataset) -> int:
    """How much memory a process has for itself once it has read the whole data set, beside what it had before."""
    process = psutil.Process()
    before = process.memory_full_info().uss
    assert torch.equal(data.train_images.amax(dim=0), data.train_images.max(dim=0).values)
    assert int(data.train_labels.max()) == 2
    return int(process.memory_full_info().uss - before)


def name_of_data(data: Dataset) -> str:
    return name_of(data)


@pytest.fixture(scope="module")
def two() -> Iterator[LocalExecutor]:
    with local_executor(2, DATA) as executor:
        yield executor


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Results:
    with Store.create(tmp_path_factory.mktemp("here") / "sweep.sqlite", PLAN) as store:
        executor = Here()
        executor.data, executor.data_name = DATA, name_of(DATA)
        carry_out(PLAN, store, executor, nobody)
        return results(store.outcomes())


def test_a_worker_has_the_very_data_and_no_copy_of_them(two: LocalExecutor) -> None:
    assert two.submit(name_of_data).result() == two.data_name == name_of(DATA)
    used = two.submit(private_bytes_of_a_look_at_all).result()
    assert used < sum(getattr(DATA, name).nbytes for name in executors.COLUMNS) / 3


def test_two_workers_one_and_none_give_the_same_bit_for_bit(two: LocalExecutor, here: Results, tmp_path: Path) -> None:
    with Store.create(tmp_path / "two.sqlite", PLAN) as store:
        carry_out(PLAN, store, two, nobody)
        assert results(store.outcomes()) == here
    with local_executor(1, DATA) as one, Store.create(tmp_path / "one.sqlite", PLAN) as store:
        carry_out(PLAN, store, one, nobody)
        assert results(store.outcomes()) == here


def test_a_worker_that_is_killed_in_the_middle_costs_its_own_task_alone(two: LocalExecutor, here: Results, tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        said.append(progress)
        if progress.runs and not killed:
            killed.append(children[0])
            os.kill(killed[0], signal.SIGKILL)

    children = sorted({future.result() for future in [two.submit(process_number) for _ in range(8)]})
    said: list[Progress] = []
    with Store.create(tmp_path / "sweep.sqlite", PLAN) as store:
        carry_out(PLAN, store, two, kill_one)
        assert results(store.outcomes()) == here
    assert said[-1].lost == 1
    assert killed[0] not in {future.result() for future in [two.submit(process_number) for _ in range(8)]}


def test_workers_that_are_given_up_stop_at_once(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if children:
            raise KeyboardInterrupt
        children.extend({future.result() for future in [executor.submit(process_number) for _ in range(8)]})

    plan, children = Plan(replace(SPEC, epochs=2000), (Axis("hidden", ((2000, 2000), (1999, 1999))),)), list[int]()
    with Store.create(tmp_path / "sweep.sqlite", plan) as store, suppress(KeyboardInterrupt), local_executor(2, DATA) as executor:
        carry_out(plan, store, executor, interrupt)
    assert children
    assert until(lambda: not any(psutil.pid_exists(child) for child in children))


def test_too_little_shared_memory_is_said_before_it_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "SHARED_FOLDER", tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 5_000_000}))
    with pytest.raises(ExecutorLostError, match=rf"The data take \d+ MB of shared memory, of which {tmp_path} has 5\."):
        local_executor(1, DATA)
