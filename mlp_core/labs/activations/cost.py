"""What an activation costs on this machine: nanoseconds per element, forward and backward, by the clock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from mlp_core.activations import Activation

SHAPE = (256, 256)  # one hidden layer of d2l's MLP: batch 256, 256 units
SECONDS = 0.04  # spent on either direction; long enough for a steady median
WARM_UP = 3  # calls that do not count


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians in nanoseconds per element, on so many threads. `backward` is the gradient's share alone."""

    forward: float
    backward: float
    threads: int


def measure_cost(activation: Activation, **parameters: float) -> Cost:
    """Time an activation on float32 of `SHAPE`, drawn from N(0, 1), with as many threads as torch has now."""
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)).requires_grad_()
    values = tuple(parameters.values())
    value = activation(x, *values)
    ones = torch.ones_like(value)

    def forward() -> None:
        with torch.no_grad():
            activation(x, *values)

    def backward() -> None:
        torch.autograd.grad(value, x, ones, retain_graph=True)

    return Cost(_nanoseconds(forward) / x.numel(), _nanoseconds(backward) / x.numel(), torch.get_num_threads())


def _nanoseconds(function: Callable[[], None]) -> float:
    for _ in range(WARM_UP):
        function()
    durations: list[int] = []
    end = time.perf_counter() + SECONDS
    while not durations or time.perf_counter() < end:
        start = time.perf_counter_ns()
        function()
        durations.append(time.perf_counter_ns() - start)
    return statistics.median(durations)
