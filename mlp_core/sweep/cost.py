"""How long a sweep would take on one core: an estimate before anything has run."""

import functools
import math
import time

import torch

from mlp_core.spec import RunSpec, step_flops
from mlp_core.sweep.plan import Plan, tasks

STEP_SECONDS = 0.0005  # of a training step beside its products, however small the network
NETWORK_SECONDS = 0.00002  # of that, for each network more that is trained at once
OVERHEAD = 1.4  # times the bare products of a step; 1.26 to 1.47 at 784-256-10
ROWS, INNER, COLUMNS = 256, 784, 256  # of the product that is timed: the first layer's of the book's network
TIMED = 7


def seconds(plan: Plan, train_count: int, test_count: int, flops_per_second: float) -> float:
    """About how long all runs of a plan take one core, tests included; of successive halving as if the cells that go on were like all.

    Args:
        train_count, test_count: images of the data set.
        flops_per_second: of products on this machine.
    """
    first = sum(_task_seconds(task.specs, train_count, test_count, flops_per_second) for task in tasks(plan, 0, range(len(plan.cells))))
    if len(plan.rungs) == 1:
        return first
    begun = plan.rungs[0]
    work = sum((rung.epochs or 0) * rung.cells for rung in plan.rungs)
    return first * work / ((begun.epochs or 1) * begun.cells)


def _task_seconds(specs: tuple[RunSpec, ...], train_count: int, test_count: int, flops_per_second: float) -> float:
    spec = specs[0]
    images = min(spec.train_size or train_count, train_count)
    steps = math.ceil(images / spec.batch_size)
    flops = OVERHEAD * len(specs) * (images * step_flops(spec.sizes, 1) + test_count * step_flops(spec.sizes, 1) / 3)
    return spec.epochs * (steps * (STEP_SECONDS + len(specs) * NETWORK_SECONDS) + flops / flops_per_second)


@functools.cache
def flops_per_second() -> float:
    """Of products on this machine and thread, measured once, in some milliseconds; the quickest of a few counts."""
    a, b = torch.zeros(ROWS, INNER), torch.zeros(INNER, COLUMNS)
    times = []
    for _ in range(TIMED):
        started = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - started)
    return 2 * ROWS * INNER * COLUMNS / max(min(times), 1e-9)
