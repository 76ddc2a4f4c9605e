"""Functions of two variables round a point: the gradient by autograd, the direction of the contour without it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlp_core.words import Message

Floats = npt.NDArray[np.float64]
Kind = Literal["regular", "minimum", "maximum", "saddle", "flat", "undefined", "edge"]

CONTOUR_EXTENT = 3.0  # x and y reach so far
RADIUS = 1e-5  # of the circle on which the contour is looked for
AROUND = 720  # points on it to begin with
HALVINGS = 50  # of the angle between two of them: more than float64 can tell
LEVEL_TOLERANCE = 1e-15  # of the value: differences below are rounding


@dataclass(frozen=True, slots=True)
class Surface:
    """A function f(x, y), computed cell by cell on tensors of one shape, with a point worth starting from."""

    label: str
    latex: str
    function: Callable[[Tensor, Tensor], Tensor]
    start: tuple[float, float]
    remark: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What is found at a point.

    Args:
        gradient: (∂f/∂x, ∂f/∂y), by autograd.
        crossings: angles in radians at which the contour leaves a small circle round the point; found from values of f alone.
        kind: "regular" where one contour passes; "edge" at the rim of where f is defined.
        tangent: unit vector from one crossing of a regular point to the other; None elsewhere.
    """

    x: float
    y: float
    value: float
    gradient: tuple[float, float]
    crossings: tuple[float, ...]
    kind: Kind
    tangent: tuple[float, float] | None

    @property
    def steepness(self) -> float:
        """Length of the gradient."""
        return math.hypot(*self.gradient)

    @property
    def dot(self) -> float | None:
        """Gradient times tangent; 0 where they are orthogonal."""
        if self.tangent is None:
            return None
        return self.gradient[0] * self.tangent[0] + self.gradient[1] * self.tangent[1]

    @property
    def degrees(self) -> float | None:
        """Angle between gradient and tangent, from 0 to 180."""
        if self.tangent is None or self.steepness == 0:
            return None
        across = self.gradient[0] * self.tangent[1] - self.gradient[1] * self.tangent[0]
        return math.degrees(math.atan2(abs(across), self.dot or 0.0))


SURFACES: dict[str, Surface] = {
    "bowl": Surface(
        Message("round bowl"), "x^2 + y^2", lambda x, y: x**2 + y**2, (1.5, 1.0),
        Message("The contours are circles; the gradient points straight away from the middle."),
    ),
    "valley": Surface(
        Message("long valley"), "x^2 + 4y^2", lambda x, y: x**2 + 4 * y**2, (2.0, 0.5),
        Message("Against the gradient is not straight toward the minimum: in a long valley gradient descent zigzags."),
    ),
    "saddle": Surface(
        Message("saddle"), "x^2 - y^2", lambda x, y: x**2 - y**2, (1.0, 0.5),
        Message("Up along x, down along y: at (0, 0) the gradient is 0, and yet there is no minimum."),
    ),
    "banana": Surface(
        Message("curved valley"), r"(1 - x)^2 + 5\,(y - x^2)^2", lambda x, y: (1 - x) ** 2 + 5 * (y - x**2) ** 2, (-1.0, 1.5),
        Message("Rosenbrock's function (1960) with 5 in place of 100: the minimum, at (1, 1), lies on a bent floor."),
    ),
    "waves": Surface(
        Message("waves"), r"\sin(x)\cos(y)", lambda x, y: torch.sin(x) * torch.cos(y), (0.8, 0.6),
        Message("Minima, maxima and saddles side by side. A loss has many more variables, and far more saddles."),
    ),
    "plane": Surface(
        Message("plane"), "x + 2y", lambda x, y: x + 2 * y, (0.5, -0.5),
        Message("The gradient is (1, 2) everywhere and the contours are parallel: a unit before its activation bends it."),
    ),
    "unit": Surface(
        Message("one tanh unit"), r"\tanh(2x - y)", lambda x, y: torch.tanh(2 * x - y), (0.3, 0.4),
        Message("Far from the line y = 2x the unit saturates: its gradient keeps the direction and loses its length."),
    ),
}  # fmt: skip


def field(surface: Surface, side: int) -> Floats:
    """Values on a (side, side) grid over the square, from the lowest y; NaN where f has none."""
    places = torch.linspace(-CONTOUR_EXTENT, CONTOUR_EXTENT, side, dtype=torch.float64)
    y, x = torch.meshgrid(places, places, indexing="ij")
    values: Floats = surface.function(x, y).expand(side, side).detach().numpy()
    return np.where(np.isfinite(values), values, np.nan)


def read_point(surface: Surface, x: float, y: float) -> Reading:
    """Value, gradient and contour at a point."""
    point = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
    value = surface.function(point[0], point[1])
    (gradient,) = torch.autograd.grad(value, point)
    level, slope = float(value.detach()), (float(gradient[0]), float(gradient[1]))
    if not math.isfinite(level) or not all(map(math.isfinite, slope)):
        return Reading(x, y, level, slope, (), "undefined", None)
    angles = (np.arange(AROUND) + 0.5) * 2 * math.pi / AROUND  # none along an axis, where many functions are exactly level
    rise = _rise(surface, x, y, angles, level)
    if not np.isfinite(rise).all():
        return Reading(x, y, level, slope, (), "edge", None)
    crossings = _crossings(surface, x, y, angles, rise, level)
    kind = _kind(rise, len(crossings), LEVEL_TOLERANCE * abs(level))
    tangent = None
    if kind == "regular":
        first, second = crossings
        across, up = math.cos(second) - math.cos(first), math.sin(second) - math.sin(first)
        length = math.hypot(across, up)
        tangent = across / length, up / length
    return Reading(x, y, level, slope, tuple(crossings), kind, tangent)


def slopes(surface: Surface, x: float, y: float, angles: Floats) -> Floats:
    """How fast f rises in the direction of each angle (radians): a central difference over 2·`RADIUS`."""
    return (_rise(surface, x, y, angles) - _rise(surface, x, y, angles + math.pi)) / (2 * RADIUS)


def _rise(surface: Surface, x: float, y: float, angles: Floats, level: float = 0.0) -> Floats:
    """f on the circle round a point, less a level."""
    direction = torch.as_tensor(angles)
    values = surface.function(x + RADIUS * torch.cos(direction), y + RADIUS * torch.sin(direction))
    rise: Floats = values.expand(len(angles)).detach().numpy() - level
    return rise


def _crossings(surface: Surface, x: float, y: float, angles: Floats, rise: Floats, level: float) -> list[float]:
    """Angles at which f passes the level on the circle, by halving the angle between two points of unlike sign."""
    above = rise > 0
    starts = np.flatnonzero(above != np.roll(above, -1))
    low, high = angles[starts], angles[starts] + 2 * math.pi / AROUND
    for _ in range(HALVINGS if len(starts) else 0):
        middle = (low + high) / 2
        same = (_rise(surface, x, y, middle, level) > 0) == above[starts]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return [float(angle) for angle in (low + high) / 2]


def _kind(rise: Floats, crossings: int, rounding: float) -> Kind:
    """What the values round a point say of it; its gradient is not asked."""
    if np.abs(rise).max() <= rounding:
        return "flat"
    if crossings == 2:
        return "regular"
    if crossings > 2:
        return "saddle"
    return "minimum" if rise.max() > 0 else "maximum"
