"""How long a sweep, or a part of it, takes one core: an estimate before anything has run."""

import functools
import math
import time

import torch

from mlp_core.spec import MAX_TRAIN_SIZE, step_flops
from mlp_core.sweep.plan import Plan, Task, tasks

STEP_SECONDS = 0.00026  # of a training step beside its products, however small the network
LAYER_SECONDS = 0.00004  # the same, for each layer: 0.36 ms a step with one hidden layer, 2.0 with forty
NETWORK_SECONDS = 0.000013  # for each layer of each network more that is trained at once: 0.9 ms for 16 with one hidden layer, 9 with forty
OVERHEAD = 1.4  # times the bare products of a step; 1.26 to 1.47 at 784-256-10
ROWS, INNER, COLUMNS = 256, 784, 256  # of the product that is timed: the first layer's of the book's network
TIMED = 7
TEST_IMAGES = 10_000  # of Fashion-MNIST


def of_rounds(plan: Plan, train_count: int = MAX_TRAIN_SIZE, test_count: int = TEST_IMAGES) -> list[float]:
    """About how many seconds each round takes one core, tests included; of later rounds as if the cells that go on were like all.

    Args:
        train_count, test_count: images of the data set.
    """
    first = sum(of_task(task, train_count, test_count) for task in tasks(plan, 0, range(len(plan.cells))))
    work = [(rung.epochs or 1) * rung.cells for rung in plan.rungs]
    return [first * each / work[0] for each in work]


def of_task(task: Task, train_count: int = MAX_TRAIN_SIZE, test_count: int = TEST_IMAGES) -> float:
    """About how many seconds a task takes one core."""
    spec, networks = task.specs[0], len(task.specs)
    images = min(spec.train_size or train_count, train_count)
    steps = math.ceil(images / spec.batch_size)
    layers = len(spec.sizes) - 1
    step_seconds = STEP_SECONDS + layers * (LAYER_SECONDS + (networks - 1) * NETWORK_SECONDS)
    flops = OVERHEAD * networks * (images + test_count / 3) * step_flops(spec.sizes, 1)
    return spec.epochs * (steps * step_seconds + flops / flops_per_second())


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
