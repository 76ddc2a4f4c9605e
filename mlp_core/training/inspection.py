"""A look inside a network: what its layers put out, weigh and learn, as norms and histograms; and a log of such looks.

Leaves nothing behind in the network: no hook, no gradient, no random number drawn.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from mlp_core.network import Layer, Network
from mlp_core.records import LayerStats

SAME_UNIT = 2e-6  # relative; equal units differ by float32 rounding, in whatever order a matrix product adds
COST_FRACTION = 0.02  # of the time of training: what looking inside may cost
PAUSE_SECONDS = 0.25  # of training between two inspections, however cheap they are: nobody sees more
LOOK_SECONDS = 3.0  # for how long a look lasts: several ticks of a page
MAX_INSPECTIONS = 240
MAX_LOGGED_LAYERS = 1200  # in all inspections of a log together, about 4 MB
BINS = 40
NORM_ROWS = 64
SAMPLED = 20_000  # values a histogram: each of 40 equal bars is then known to about 4 %


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie in each of `len(counts)` equal bins from `low` to `high`. Finite values only; without any, all counts are 0."""

    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LayerInspection:
    """One layer at one moment. `activations` and `gradients` are of the probe batch; `gradients` are those of the loss by the weights.

    `update_ratio` is |W_after − W_before| / |W_before| of the step just done, None where no step was taken between.
    """

    stats: LayerStats
    update_ratio: float | None
    activations: Histogram
    weights: Histogram
    gradients: Histogram


@dataclass(frozen=True, slots=True)
class Inspection:
    """All layers after `step` steps: first hidden layer first, output layer last."""

    step: int
    layers: tuple[LayerInspection, ...]


def measure(network: Network, inputs: Tensor, labels: Tensor) -> tuple[LayerStats, ...]:
    """Statistics of every layer for the loss on `inputs` (n, d) and `labels` (n,), dropout off; first hidden layer first.

    Norms and moments are accumulated in float64, since a float32 norm is 0 for gradients of 1e-26.
    """
    return _statistics(network, *_passes(network, inputs, labels))


def inspect(network: Network, inputs: Tensor, labels: Tensor, *, step: int, ratios: Sequence[float | None] | None = None) -> Inspection:
    """Look at every layer for the loss on `inputs` (n, d) and `labels` (n,), dropout off.

    Args:
        step: how many steps the network has learned.
        ratios: the `update_ratios` of the last of them.
    """
    layers, gradients = _passes(network, inputs, labels)
    stats = _statistics(network, layers, gradients)
    ratios = ratios or [None] * len(layers)
    return Inspection(
        step,
        tuple(
            LayerInspection(of_layer, ratio, histogram(layer.activation), histogram(layer.weight), histogram(gradient))
            for of_layer, ratio, layer, gradient in zip(stats, ratios, layers, gradients, strict=True)
        ),
    )


def _passes(network: Network, inputs: Tensor, labels: Tensor) -> tuple[list[Layer], tuple[Tensor, ...]]:
    """A forward pass without dropout, layer by layer, and what the backward pass says of it: dL/dW of every layer."""
    with torch.enable_grad():
        layers = network.layers(inputs)
        loss = network.loss_of(layers[-1].activation, labels)
        return layers, torch.autograd.grad(loss, [layer.weight for layer in layers])


@torch.no_grad()
def _statistics(network: Network, layers: Sequence[Layer], gradients: Sequence[Tensor]) -> tuple[LayerStats, ...]:
    stats = []
    for number, (layer, gradient) in enumerate(zip(layers, gradients, strict=True), start=1):
        hidden, outputs = number < len(layers), layer.activation.double()  # (n, units)
        saturated = network.activation.saturated(layer.activation, network.activation_parameter)
        deviation, mean = torch.std_mean(outputs, correction=0)
        stats.append(
            LayerStats(
                layer=number,
                units=outputs.shape[1],
                activation_mean=mean.item(),
                activation_std=deviation.item(),
                saturated_fraction=saturated.double().mean().item() if hidden else 0.0,
                dead_units=int((outputs == 0).all(dim=0).sum().item()) if hidden else 0,
                distinct_units=_distinct_units(outputs),
                weight_norm=_norm(layer.weight),
                gradient_norm=_norm(gradient),
            )
        )
    return tuple(stats)


def _distinct_units(outputs: Tensor) -> int:
    """Units (columns of (n, units) float64) that differ from each other on the probe images.

    Sorts the units by one random projection of their outputs, which brings equal ones together, and compares neighbors: not every pair.
    """
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(len(outputs), generator=generator, dtype=torch.float64).to(outputs.device)
    ordered = outputs[:, (direction @ outputs).argsort()]
    apart = torch.linalg.vector_norm(ordered.diff(dim=1), dim=0)
    scale = torch.linalg.vector_norm(outputs, dim=0).max()
    return 1 + int((apart > SAME_UNIT * scale).sum().item())


@torch.no_grad()
def histogram(values: Tensor) -> Histogram:
    """Count `values` (n, units) in `BINS` equal bins; of more than about `SAMPLED` an evenly spaced part, with some of every unit."""
    stride = max(1, values.numel() // SAMPLED)
    while math.gcd(stride, values.shape[-1]) > 1:  # or some units would never be met
        stride += 1
    sample = values.detach().reshape(-1)[::stride].double()
    finite = sample[sample.isfinite()]
    if finite.numel() == 0:
        return Histogram(0.0, 1.0, (0,) * BINS)
    low, high = finite.min().item(), finite.max().item()
    if low == high:
        margin = abs(low) / 2 or 0.5
        low, high = low - margin, high + margin
    return Histogram(low, high, tuple(map(int, torch.histc(finite, BINS, low, high).tolist())))


@torch.no_grad()
def update_ratios(before: Sequence[Tensor], after: Sequence[Tensor]) -> list[float | None]:
    """|W_after − W_before| / |W_before| of every weight, in float64; None where that is no finite number."""
    ratios = [_norm(new - old) / (_norm(old) or math.nan) for old, new in zip(before, after, strict=True)]
    return [ratio if math.isfinite(ratio) else None for ratio in ratios]


def _norm(values: Tensor) -> float:
    """In pieces, since torch makes a copy in float64."""
    parts = [torch.linalg.vector_norm(part, dtype=torch.float64) for part in torch.split(values, NORM_ROWS)]
    return float(torch.linalg.vector_norm(torch.stack(parts)))


class InspectionLog:
    """Inspections of one run, made now and then while somebody looks, in bounded time and memory.

    An inspection that took t seconds is followed by t / `COST_FRACTION` seconds of training without one. A full log lets go of every
    second of its inspections, so that the past grows sparser with age; the first and the newest stay.
    """

    def __init__(self) -> None:
        self._entries: list[Inspection] = []
        self._looked_until = -math.inf
        self._owed_seconds = 0.0  # of training before the next inspection

    def look(self) -> None:
        """Somebody looks, for the next `LOOK_SECONDS`."""
        self._looked_until = time.monotonic() + LOOK_SECONDS

    @property
    def looked_at(self) -> bool:
        return time.monotonic() < self._looked_until

    @property
    def due(self) -> bool:
        """Whether the next training step is to be inspected."""
        return self._owed_seconds <= 0 and self.looked_at

    def lacks(self, step: int) -> bool:
        """Whether somebody looks at a network of `step` steps that was not inspected since the last of them."""
        return self.looked_at and not (self._entries and self._entries[-1].step == step)

    def trained(self, seconds: float) -> None:
        """So much training was done."""
        self._owed_seconds = max(0.0, self._owed_seconds - seconds)

    @contextmanager
    def charged(self) -> Iterator[None]:
        """What is done inside is paid for with training that follows."""
        started = time.perf_counter()
        yield
        self._owed_seconds = max((time.perf_counter() - started) / COST_FRACTION, PAUSE_SECONDS)

    def add(self, inspection: Inspection) -> None:
        if len(self._entries) >= max(2, min(MAX_INSPECTIONS, MAX_LOGGED_LAYERS // len(inspection.layers))):
            del self._entries[1::2]
        self._entries.append(inspection)

    @property
    def entries(self) -> tuple[Inspection, ...]:
        """Oldest first."""
        return tuple(self._entries)
