"""What a curve shows of its activation: range, slopes, kinks, flat stretches, gaps; three identities; and what it costs in nanoseconds.

Every number here comes from computing the function, none from the registry's formulas.
"""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlp_core.activations import Activation, Curve, evaluate
from mlp_core.theory.expectations import gaussian_moments
from mlp_core.words import Message

FLAT_FRACTION = 0.01  # flat: a slope below this share of the steepest one
ZERO_CENTERED = 1e-7  # a mean output below this is 0 but for the integration's rounding
NEAR = 1e-6  # how far from x the slopes beside it are taken
KINK_TOLERANCE = 1e-9  # a smaller difference of slopes is rounding


Stretch = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Probe:
    """One point of a function. `gradient` is what autograd says there; the slopes are those just beside it."""

    x: float
    value: float
    gradient: float
    left_slope: float
    right_slope: float
    kink: bool
    jump: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Where on a grid the value or the gradient is not finite: `count` points from `first` to `last`, `kind` NaN, ∞ or −∞."""

    quantity: str
    kind: str
    first: float
    last: float
    count: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a curve shows. Points that are not finite do not count; with none left, numbers are NaN.

    `steepest` is the largest |φ'| and `steepest_at` the stretches of the grid, as (first x, last x), that reach it, whatever its sign;
    `flat` are those where |φ'| is below `FLAT_FRACTION` of it, without single points between others; a stretch ends where a point is
    not finite. `mean_output` is E[φ(z)] for z ~ N(0, 1), NaN where there is none.
    """

    smallest: float
    largest: float
    steepest: float
    steepest_at: tuple[Stretch, ...]
    flat: tuple[Stretch, ...]
    kinks: tuple[float, ...]
    jumps: tuple[float, ...]
    mean_output: float

    @property
    def zero_centered(self) -> bool:
        return abs(self.mean_output) < ZERO_CENTERED


def grid(low: float, high: float, step: float) -> Tensor:
    """The multiples of `step` from `low` to `high` -> (n,) float64, in which 0 is exactly 0 and 0.3 the float nearest to 0.3."""
    first, last = math.ceil(low / step - KINK_TOLERANCE), math.floor(high / step + KINK_TOLERANCE)
    return torch.tensor([round(index * step, 10) for index in range(first, last + 1)], dtype=torch.float64)


def measure(activation: Activation, curve: Curve, **parameters: float) -> Facts:
    """The facts of an activation, given its curve on a grid."""
    finite = torch.isfinite(curve.value) & torch.isfinite(curve.gradient)
    x, value, magnitude = curve.x[finite], curve.value[finite], curve.gradient.abs()
    mean = float(gaussian_moments(lambda z: activation(z, *parameters.values()), np.zeros(1)).mean[0])
    if not len(x):
        return Facts(math.nan, math.nan, math.nan, (), (), (), (), mean)
    top = magnitude[finite].max()
    flat = _stretches(curve.x, finite & ((magnitude < FLAT_FRACTION * top) | (magnitude == 0)))
    _, _, kink, jump = _beside(activation, curve.x, parameters)
    return Facts(
        smallest=float(value.min()),
        largest=float(value.max()),
        steepest=float(top),
        steepest_at=_stretches(curve.x, finite & (magnitude >= top * (1 - KINK_TOLERANCE))),
        flat=tuple((first, last) for first, last in flat if first < last or first == x[0] or last == x[-1]),
        kinks=tuple(curve.x[kink & ~jump].tolist()),
        jumps=tuple(curve.x[jump].tolist()),
        mean_output=mean,
    )


def probe(activation: Activation, x: float, **parameters: float) -> Probe:
    """Value and slopes at one point, computed in float64."""
    at = torch.tensor([x], dtype=torch.float64)
    curve = evaluate(activation, at, **parameters)
    left, right, kink, jump = _beside(activation, at, parameters)
    return Probe(x, float(curve.value), float(curve.gradient), float(left), float(right), bool(kink), bool(jump))


def gaps(curve: Curve) -> tuple[Gap, ...]:
    """Every stretch of the grid on which value or gradient is not finite, named."""
    kinds: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (("NaN", torch.isnan), ("∞", torch.isposinf), ("−∞", torch.isneginf))
    found = []
    for quantity, values in ((Message("value"), curve.value), (Message("gradient"), curve.gradient)):
        for kind, test in kinds:
            if points := curve.x[test(values)].tolist():
                found.append(Gap(quantity, kind, points[0], points[-1], len(points)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Identity:
    """An equation between activations: `difference` gives left side minus right side at every x."""

    latex: str
    difference: Callable[[Tensor], Tensor]

    def largest_difference(self, x: Tensor) -> float:
        """The largest |left − right| over a grid, computed in x's dtype."""
        return float(self.difference(x).abs().max())


def _gradient_minus(name: str, formula: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def difference(x: Tensor) -> Tensor:
        curve = evaluate(name, x)
        return curve.gradient - formula(curve.value)

    return difference


IDENTITIES = (
    Identity(r"\tanh(x) + 1 = 2\,\sigma(2x)", lambda x: torch.tanh(x) + 1 - 2 * torch.sigmoid(2 * x)),
    Identity(r"\sigma'(x) = \sigma(x)\,(1 - \sigma(x))", _gradient_minus("sigmoid", lambda value: value * (1 - value))),
    Identity(r"\tanh'(x) = 1 - \tanh^2(x)", _gradient_minus("tanh", lambda value: 1 - value**2)),
)


def _beside(activation: Activation, x: Tensor, parameters: dict[str, float]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Left slope, right slope, whether there is a kink, whether a jump -> four tensors of x's shape.

    Across a smooth point both slopes and values draw together as the points beside it do; across a kink or a jump they stay apart.
    Where the function has no finite value there is neither.
    """
    there = torch.isfinite(evaluate(activation, x, **parameters).value)
    near_left, near_right = (evaluate(activation, x + sign * NEAR, **parameters) for sign in (-1, 1))
    far_left, far_right = (evaluate(activation, x + sign * 10 * NEAR, **parameters) for sign in (-1, 1))
    bend, wider_bend = (near_right.gradient - near_left.gradient).abs(), (far_right.gradient - far_left.gradient).abs()
    rise, wider_rise = (near_right.value - near_left.value).abs(), (far_right.value - far_left.value).abs()
    kink = there & (bend > wider_bend / 2) & (bend > KINK_TOLERANCE * (1 + near_left.gradient.abs()))
    jump = there & (rise > wider_rise / 2) & (rise > KINK_TOLERANCE * (1 + near_left.value.abs()))
    return near_left.gradient, near_right.gradient, kink | jump, jump


def _stretches(x: Tensor, mask: Tensor) -> tuple[Stretch, ...]:
    """The runs of True in a mask, as (first x, last x)."""
    points, flags = x.tolist(), [False, *mask.tolist(), False]  # flags[i + 1] belongs to points[i]
    starts = [point for point, before, flag in zip(points, flags, flags[1:], strict=False) if flag and not before]
    ends = [point for point, flag, after in zip(points, flags[1:], flags[2:], strict=False) if flag and not after]
    return tuple(zip(starts, ends, strict=True))


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
