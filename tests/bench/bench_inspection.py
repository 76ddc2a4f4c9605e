"""What it costs the training that somebody looks inside, and what a checkpoint costs. Prints; asserts no time.

python -m tests.bench.bench_inspection

Two runs of one spec take turns of the length that a scheduler gives them, one of them looked at, so that whatever else the machine does
meets both alike; what counts is how many steps each has done with its time.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace

import torch

from mlp_core.data import Dataset, load_fashion_mnist
from mlp_core.jobs.scheduled import TURN_SECONDS
from mlp_core.runtime.devices import choose_matmul
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from tests.bench.machine import machine_line

SPECS = {
    "784-256-10": RunSpec(epochs=2000, device="cpu"),
    "784-5x64-10": RunSpec(hidden=(64,) * 5, init="he_normal", epochs=2000, device="cpu"),
}
ROUNDS = 15
ROUND_SECONDS = 1.0  # of training, for each of the two


def ratios(spec: RunSpec, data: Dataset) -> tuple[list[float], int]:
    """How many times as long a step takes with somebody looking, one number a round; and how many inspections that gave."""
    seen, unseen = Run(replace(spec, seed=1), data), Run(spec, data)
    found, inspections = [], 0
    for _ in range(ROUNDS + 1):  # the first of everything is slow
        spent, steps = [0.0, 0.0], [0, 0]
        while min(spent) < ROUND_SECONDS:
            for index, run in enumerate((seen, unseen)):
                if run is seen:
                    run.inspections.look()
                before, count = run.step, len(run.inspections.entries)
                started = time.perf_counter()
                run.advance(seconds=TURN_SECONDS)
                spent[index] += time.perf_counter() - started
                steps[index] += run.step - before
                inspections += max(0, len(run.inspections.entries) - count)
        found.append((spent[0] / steps[0]) / (spent[1] / steps[1]))
    assert not unseen.inspections.entries
    return found[1:], inspections


def checkpoint_milliseconds(spec: RunSpec, data: Dataset) -> float:
    run = Run(spec, data)
    run.advance(steps=3)
    bench = run._build()
    times = []
    for _ in range(20):
        started = time.perf_counter()
        bench.checkpoint(run.step, None)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def main() -> None:
    torch.set_num_threads(1)
    choice, data = choose_matmul(), load_fashion_mnist()
    print(machine_line(choice.name))
    print(f"{ROUNDS} interleaved rounds of {ROUND_SECONDS:.0f} s each, with somebody looking and with nobody\n")
    for name, spec in SPECS.items():
        found, inspections = ratios(spec, data)
        low, middle, high = statistics.quantiles(found, n=4)
        print(
            f"{name:12} a step takes {middle:.3f} times as long when looked at (goal: below 1.03; quartiles {low:.3f} and {high:.3f}), "
            f"{inspections} inspections; a checkpoint takes {checkpoint_milliseconds(spec, data):.2f} ms"
        )
        print(f"{name}: {', '.join(f'{ratio:.3f}' for ratio in found)}", file=sys.stderr)


if __name__ == "__main__":
    main()
