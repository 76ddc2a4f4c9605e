"""A sweep on a real Dask cluster, whose workers and whose scheduler die in the middle."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace as with_fields
from pathlib import Path

import pytest

from mlp_core.sweep.carry_out import Progress, carry_out
from mlp_core.sweep.executors import ExecutorLostError, dask_executor, local_executor, name_of
from mlp_core.sweep.plan import Axis, Plan
from mlp_core.sweep.store import Store
from tests.mlp_core.sweep.test_carry_out import Here, Results, nobody, results
from tests.support.clusters import Cluster, cluster_of_two
from tests.support.engine import SPEC, clouds
from tests.support.processes import until

pytest.importorskip("distributed")

DATA = clouds(seed=7)  # which no worker has
PLAN = Plan(with_fields(SPEC, epochs=60), (Axis("hidden", tuple((width,) for width in range(5, 17))),))  # 12 tasks


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_of_two(tmp_path_factory.mktemp("cluster")) as cluster:
        with dask_executor(cluster.address, DATA) as executor:
            assert until(lambda: executor.workers == 2)
        yield cluster


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Results:
    with Store.create(tmp_path_factory.mktemp("here") / "sweep.sqlite", PLAN) as store:
        executor = Here()
        executor.data, executor.data_name = DATA, name_of(DATA)
        carry_out(PLAN, store, executor, nobody)
        return results(store.outcomes())


def test_a_worker_that_is_killed_costs_its_run_alone_and_the_numbers_are_those_of_this_process(
    cluster: Cluster, here: Results, tmp_path: Path
) -> None:
    workers: list[int] = []

    def kill_one(progress: Progress) -> None:
        workers.append(progress.workers)
        if progress.runs >= 2 and cluster.workers[0].is_running():
            cluster.workers[0].kill()
            cluster.workers[0].wait()

    with dask_executor(cluster.address, DATA) as executor, Store.create(tmp_path / "sweep.sqlite", PLAN) as store:
        carry_out(PLAN, store, executor, kill_one)
        assert results(store.outcomes()) == here
        assert until(lambda: executor.workers == 1)
    assert workers[0] == 2


def test_what_was_finished_is_kept_when_the_scheduler_is_gone_and_the_rest_goes_on_here(
    cluster: Cluster, here: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlp_core.sweep.executors.LOST_SECONDS", 1)

    def kill_the_scheduler(progress: Progress) -> None:
        if progress.runs >= 2 and cluster.scheduler.is_running():
            cluster.scheduler.kill()
            cluster.scheduler.wait()

    with Store.create(tmp_path / "sweep.sqlite", PLAN) as store:
        with (
            pytest.raises(ExecutorLostError, match=f"The scheduler at {cluster.address} does not answer any more"),
            dask_executor(cluster.address, DATA) as executor,
        ):
            carry_out(PLAN, store, executor, kill_the_scheduler)
        assert 2 <= len(store.done()) < 12
        with local_executor(1, DATA) as executor_here:
            carry_out(PLAN, store, executor_here, nobody)
        assert results(store.outcomes()) == here


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlp_core.sweep.executors.CONNECT_SECONDS", 0.5)
    with pytest.raises(ExecutorLostError, match=r"No scheduler answers at tcp://127\.0\.0\.1:9 \("):
        dask_executor("tcp://127.0.0.1:9", DATA)
    monkeypatch.setattr("distributed.Client", None)  # one that fails by such an address goes on trying to end for 20 seconds
    for address in ("nonsense://here", "here", "tcp://10.0.0.1", "tcp://10.0.0.1:port"):
        with pytest.raises(ExecutorLostError, match=rf"No scheduler answers at {address} \("):
            dask_executor(address, DATA)


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExecutorLostError, match=r"pip install -r requirements-cluster\.txt"):
        dask_executor("tcp://127.0.0.1:9", DATA)
