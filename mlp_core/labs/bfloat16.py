"""What matrix products in bfloat16 gain and cost on this processor, beside those in float32."""

import time
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from mlp_core.runtime.devices import LAYERS, Product, largest_error, step_operands

TIMINGS = 15  # of which the fastest counts: whatever else the machine does only adds


@dataclass(frozen=True, slots=True)
class Bfloat16:
    """What `RunSpec.precision` "bfloat16" does to the products of the book's first layer on this processor.

    `time_ratio` is their time over that in float32, the rounding of the factors included: below 1 where the processor has units for
    them. `largest_error` is relative to the largest entry of a product.
    """

    time_ratio: float
    largest_error: float


@cache
def bfloat16_here() -> Bfloat16:
    """Measured at the first call, which takes some hundredths of a second; nothing that a run computes hangs on it."""
    times: dict[Product, float] = {_rounded: 0.0, torch.matmul: 0.0}
    for operands in step_operands(torch.Generator().manual_seed(0), LAYERS[:1]):
        for product in times:
            times[product] += min(_seconds(product, *operands) for _ in range(TIMINGS))
    return Bfloat16(times[_rounded] / times[torch.matmul], largest_error((_rounded,), LAYERS[:1]))


def _seconds(product: Product, a: Tensor, b: Tensor) -> float:
    start = time.perf_counter()
    product(a, b)
    return time.perf_counter() - start


def _rounded(a: Tensor, b: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return a @ b
