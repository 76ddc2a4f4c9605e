"""What a sweep costs: small networks trained at once, a second worker, a worker's memory, a cluster's scheduler. Prints; asserts no time.

python -m tests.bench.bench_sweep [together] [workers] [memory] [cluster]

Each part is in processes of its own. `together` counts processor time of one thread, so that others on the machine count little;
`workers` counts the clock's, in turns, so there they do.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from statistics import median

import psutil  # type: ignore[import-untyped]
import torch

from mlp_core.data import Dataset, load_fashion_mnist, load_sample
from mlp_core.runtime.devices import choose_matmul
from mlp_core.spec import RunSpec
from mlp_core.sweep.carry_out import carry_out, train
from mlp_core.sweep.executors import COLUMNS, WorkersExecutor, dask_executor, local_executor
from mlp_core.sweep.plan import Axis, Plan, Task, tasks
from mlp_core.sweep.store import Outcome, Store
from tests.bench.bench_replicates import interleaved
from tests.bench.machine import machine_line
from tests.bench.watching import MEGABYTE

BATCH_SIZES = (32, 64, 256)
SMALL = RunSpec(hidden=(64,), device="cpu")
GRID = Axis("lr", (0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3))  # with eight seeds: 64 runs
SEEDS, ROUNDS, EPOCHS = 8, 3, 1
GOAL = 3.0
LARGER = Plan(RunSpec(epochs=1, device="cpu"), (Axis("lr", (0.03, 0.1)),), seeds=4, together=1)  # d2l's network
WORKER_ROUNDS = 3
EMPTY_TASKS = 300
CONNECT_SECONDS = 60
FRESH = """
import psutil
from mlp_core.sweep import carry_out
process = psutil.Process()
engine = process.memory_full_info().uss
from mlp_core.data import load_fashion_mnist
data = load_fashion_mnist()
print(engine, process.memory_full_info().uss)
"""


def parted(plan: Plan) -> tuple[list[Task], list[Task]]:
    """All runs of a plan one a task, and as a sweep parts them."""
    together = tasks(plan, 0, range(len(plan.cells)))
    alone = [Task(0, (cell,), (spec,)) for task in together for cell, spec in zip(task.cells, task.specs, strict=True)]
    return alone, list(together)


def furthest(one: dict[tuple[int, int, int], Outcome], other: dict[tuple[int, int, int], Outcome]) -> tuple[float, float]:
    """How far single runs and those at once are apart at most: test losses, as a share, and test accuracies."""
    pairs = [pair for key, run in one.items() for pair in zip(run.epochs, other[key].epochs, strict=True)]
    losses = max(abs(a.test_loss - b.test_loss) / a.test_loss for a, b in pairs)
    return losses, max(abs(a.test_accuracy - b.test_accuracy) for a, b in pairs)


def first_products(all_tasks: list[Task], images: int) -> Callable[[], None]:
    """Nothing but the first layer's two products of every step, on operands that lie ready: no way to train costs less."""
    ready = []
    for task in all_tasks:
        spec = task.specs[0]
        inputs, units = spec.sizes[:2]
        of_images, of_units = (torch.randn(len(task.specs), spec.batch_size, columns) for columns in (inputs, units))
        ready.append((spec.epochs * -(-images // spec.batch_size), of_images, of_units, torch.randn(len(task.specs), units, inputs)))

    def multiply() -> None:
        for steps, X, dZ, W in ready:
            for _ in range(steps):
                torch.bmm(X, W.mT)
                torch.bmm(dZ.mT, X)

    return multiply


def together_line(batch_size: int, data: Dataset, rounds: int = ROUNDS) -> str:
    plan = Plan(replace(SMALL, batch_size=batch_size, epochs=EPOCHS), (GRID,), seeds=SEEDS)
    alone, together = parted(plan)
    found: dict[str, dict[tuple[int, int, int], Outcome]] = {}

    def contestant(name: str, all_tasks: list[Task]) -> Callable[[], None]:
        def carry() -> None:
            found[name] = {run.key: run for run in chain.from_iterable(train(task, data) for task in all_tasks)}

        return carry

    contestants: dict[str, Callable[[], object]] = {"alone": contestant("alone", alone), "together": contestant("together", together)}
    seconds = interleaved(contestants | {"products": first_products(together, len(data.train_labels))}, rounds)
    times = median(a / b for a, b in zip(seconds["alone"], seconds["together"], strict=True))
    losses, accuracies = furthest(found["alone"], found["together"])
    shown = "".join(f"{median(seconds[name]):{width}.2f}" for name, width in (("alone", 8), ("together", 12), ("products", 13)))
    return f"batch {batch_size:<8}{shown}{len(together):8}{times:8.1f} x{losses:10.0e}{100 * accuracies:12.2f} %"


def together() -> None:
    data = load_sample()
    runs, images = SEEDS * len(GRID.values), len(data.train_labels)
    print(f"{runs} runs of 784-64-10, lr x seed, an epoch of {images:,} images each (goal: {GOAL:.0f} x as fast)")
    print(f"medians of {ROUNDS} interleaved rounds, seconds of the processor, one thread; how far results differ at most")
    print("products: the bare ones of the first layer, forward and of its gradient, which every way to train has to do\n")
    print(f"{'':14}{'alone, s':>8}{'at once, s':>12}{'products, s':>13}{'tasks':>8}{'faster':>10}{'losses':>10}{'accuracies':>14}")
    for batch_size in BATCH_SIZES:
        print(together_line(batch_size, data), flush=True)


def clocked(executor: WorkersExecutor, plan: Plan) -> tuple[float, float]:
    """Seconds by the clock that a sweep takes, and of the processor that its runs take."""
    with tempfile.TemporaryDirectory() as folder, Store.create(Path(folder) / "sweep.sqlite", plan) as store:
        started = time.perf_counter()
        carry_out(plan, store, executor, lambda progress: None)
        return time.perf_counter() - started, sum(outcome.seconds for outcome in store.outcomes())


def workers() -> None:
    data = load_fashion_mnist()
    runs, images = LARGER.seeds * len(LARGER.cells), len(data.train_labels)
    started = 0.0
    clock: dict[int, list[float]] = {1: [], 2: []}
    processor: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(WORKER_ROUNDS):
        for count in (1, 2) if turn % 2 == 0 else (2, 1):
            began = time.perf_counter()
            with local_executor(count, data) as executor:
                wait([executor.submit(_nothing) for _ in range(2 * count)])
                started = time.perf_counter() - began
                seconds, of_processor = clocked(executor, LARGER)
            clock[count].append(seconds)
            processor[count].append(of_processor)
    speed_up = median(one / two for one, two in zip(clock[1], clock[2], strict=True))
    more = median(two / one for one, two in zip(processor[1], processor[2], strict=True))
    print(f"{runs} runs of 784-256-10, one a task, an epoch of {images:,} images each; medians of {WORKER_ROUNDS} rounds in turns")
    print(f"one worker {median(clock[1]):.1f} s, two {median(clock[2]):.1f} s: {speed_up:.2f} x as fast (at most 2)")
    print(f"a run takes {more:.2f} x the time of a processor when two train; once the engine is there, workers are after {started:.1f} s")


def _nothing(data: Dataset) -> None:
    pass


def _private_bytes(data: Dataset) -> tuple[int, int]:
    """What this process has for itself, before and after it has looked at every image and label."""
    process = psutil.Process()
    before = process.memory_full_info().uss
    for column in COLUMNS:
        getattr(data, column).max()
    return before, process.memory_full_info().uss


def memory() -> None:
    data = load_fashion_mnist()
    engine, loaded = map(int, subprocess.run([sys.executable, "-c", FRESH], check=True, capture_output=True, text=True).stdout.split())
    with local_executor(1, data) as executor:
        idle, looked = executor.submit(_private_bytes).result()
        (task,) = tasks(Plan(RunSpec(epochs=1, device="cpu")), 0, [0])
        executor.submit(train, task).result()
        trained, _ = executor.submit(_private_bytes).result()
    of_data = loaded - engine
    print("Memory that a process has for itself, and what of it holds the data")
    print(f"a fresh process with engine and data    {loaded / MEGABYTE:4.0f} MB, data {of_data / MEGABYTE:.0f} MB")
    goal = f"data {(looked - idle) / MEGABYTE:.0f} MB (goal: at most {of_data / MEGABYTE / 3:.0f} MB)"
    print(f"a worker of a pool                      {looked / MEGABYTE:4.0f} MB, {goal}")
    print(f"  after a run of d2l's network          {trained / MEGABYTE:4.0f} MB")
    print(f"shared by all workers, the data         {sum(getattr(data, name).nbytes for name in COLUMNS) / MEGABYTE:4.0f} MB")


@contextmanager
def loopback_cluster(workers: int) -> Iterator[str]:
    """A scheduler and workers in processes of their own on this machine; its address."""
    with tempfile.TemporaryDirectory() as folder:
        file, processes = Path(folder) / "scheduler.json", []

        def begin(*arguments: str) -> None:
            command = [sys.executable, "-m", "dask", *arguments, "--host", "127.0.0.1", "--no-dashboard"]
            processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

        try:
            begin("scheduler", "--port", "0", "--scheduler-file", str(file))
            until = time.monotonic() + CONNECT_SECONDS
            while not (file.exists() and file.read_text().strip()):
                if time.monotonic() > until:
                    raise TimeoutError("no scheduler")
                time.sleep(0.1)
            address: str = json.loads(file.read_text())["address"]
            for _ in range(workers):
                begin("worker", address, "--nthreads", "1", "--no-nanny", "--local-directory", folder)
            yield address
        finally:
            for process in reversed(processes):
                process.kill()
                process.wait()


def cluster() -> None:
    data = load_fashion_mnist()
    plan = Plan(replace(SMALL, epochs=10), (GRID,), seeds=SEEDS)
    (small, *_), (large, *_) = tasks(plan, 0, range(len(plan.cells))), tasks(Plan(RunSpec()), 0, [0])
    with loopback_cluster(2) as address, dask_executor(address, data) as executor:
        until = time.monotonic() + CONNECT_SECONDS
        while executor.workers < 2:
            if time.monotonic() > until:
                raise TimeoutError("no workers")
            time.sleep(0.1)
        first = _seconds(lambda: executor.submit(_nothing).result())
        wait([executor.submit(time_asleep, 1.0) for _ in range(2)])  # so that both have the data
        single = median(_seconds(lambda: executor.submit(_nothing).result()) for _ in range(EMPTY_TASKS // 3))
        many = _seconds(lambda: wait([executor.submit(_nothing) for _ in range(EMPTY_TASKS)])) / EMPTY_TASKS
    print("A Dask cluster of two workers on this machine")
    print(f"an empty task, from submit to result   {1000 * single:6.1f} ms; of {EMPTY_TASKS} at a time {1000 * many:.1f} ms each")
    print(f"the first on a worker, which finds the data  {first:.1f} s")
    for task in (large, small):
        back = train(Task(0, task.cells, tuple(replace(spec, epochs=10, train_size=1000) for spec in task.specs)), load_sample())
        out, home = len(pickle.dumps((train, task))), len(pickle.dumps(back))
        name = "-".join(map(str, task.specs[0].sizes))
        print(f"{len(task.specs)} of {name}, 10 epochs: out {out:,} bytes, back {home:,}")


def time_asleep(seconds: float, data: Dataset) -> None:
    time.sleep(seconds)


def _seconds(what: Callable[[], object]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


PARTS = {"together": together, "workers": workers, "memory": memory, "cluster": cluster}


def main() -> None:
    asked = sys.argv[1:]
    if asked:
        for name in asked:
            PARTS[name]()
        return
    print(machine_line(choose_matmul().name), flush=True)
    for name in PARTS:
        print(flush=True)
        subprocess.run([sys.executable, "-m", f"tests.bench.{Path(__file__).stem}", name], check=True)


if __name__ == "__main__":
    main()
