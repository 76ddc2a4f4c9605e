"""Rosenblatt's perceptron on points of the plane, one sample at a time; when it must stop, and the proof that it never will.

Weights are w̃ = (w, b) and points x̃ = (x, 1), so that the bias needs no rule of its own.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

GRID = 8  # coordinates are multiples of 1/8: sums of them are exact in float64, so that equal weights are found equal
MOST_STATES = 20_000  # passes whose weights are remembered in the search for a repetition
SMALLEST_GAP = 1e-9  # between hull and origin: below it the classes count as not separable
MOST_ROUNDS = 1000


def on_grid(points: Floats) -> Floats:
    """Points moved to the nearest multiples of 1 / `GRID`."""
    rounded: Floats = np.round(np.asarray(points) * GRID) / GRID
    return rounded


def augmented(points: Floats) -> Floats:
    """(n, 2) -> (n, 3): x̃ = (x, 1)."""
    return np.column_stack([points, np.ones(len(points))])


@dataclass(frozen=True, slots=True)
class Seen:
    """One sample as the perceptron met it: its index, and whether it was a mistake, which moved the line."""

    index: int
    mistake: bool


@dataclass(slots=True)
class Perceptron:
    """The learning rule, one sample at a time and the samples in turn.

    Formula: o = sign(⟨w, x⟩ + b); where y (⟨w, x⟩ + b) ≤ 0, w ← w + y x and b ← b + y. That is a step of length 1 along the gradient of
    max(0, −y (⟨w, x⟩ + b)), except that a point on the line counts as a mistake.

    Args:
        points: (n, 2), on the grid.
        labels: (n,) of −1 and 1.

    Reference: Rosenblatt 1958; d2l's slides on the perceptron.
    """

    points: Floats
    labels: Floats
    weights: Floats = field(default_factory=lambda: np.zeros(3))
    samples: int = 0
    mistakes: int = 0
    mistake_counts: list[int] = field(default_factory=lambda: [0])  # after 0, 1, 2, … samples
    last: Seen | None = None
    before: Floats | None = None  # the weights before the last mistake
    cycle: tuple[int, int] | None = None  # (pass, an earlier pass) that began with the same weights
    converged: bool = False
    _starts: dict[bytes, int] = field(default_factory=dict)
    _right_in_a_row: int = 0

    @property
    def passes(self) -> int:
        """Whole passes over the samples."""
        return self.samples // len(self.points)

    @property
    def finished(self) -> bool:
        """Whether nothing new can come: every sample was right since the last mistake, or the weights began to repeat."""
        return self.converged or self.cycle is not None

    @property
    def errors(self) -> int:
        """Points that are wrong, or on the line, as it stands."""
        return int((self.labels * (augmented(self.points) @ self.weights) <= 0).sum())

    def step(self) -> Seen:
        """Meet the next sample."""
        index = self.samples % len(self.points)
        if index == 0:
            self._look_for_a_cycle()
        x, y = np.append(self.points[index], 1.0), self.labels[index]
        mistake = bool(y * (x @ self.weights) <= 0)
        if mistake:
            self.before = self.weights
            self.weights = self.weights + y * x
            self.mistakes += 1
        self.samples += 1
        self.mistake_counts.append(self.mistakes)
        self._right_in_a_row = 0 if mistake else self._right_in_a_row + 1
        self.converged = self._right_in_a_row >= len(self.points)
        self.last = Seen(index, mistake)
        return self.last

    def _look_for_a_cycle(self) -> None:
        """The rule has no memory but the weights: a pass that begins like an earlier one will go like it, and so will all that follow."""
        if self.finished or len(self._starts) >= MOST_STATES:
            return
        earlier = self._starts.setdefault((self.weights + 0.0).tobytes(), self.passes)  # + 0.0: −0 is 0
        if earlier != self.passes and self.mistake_counts[earlier * len(self.points)] < self.mistakes:
            self.cycle = (self.passes, earlier)


@dataclass(frozen=True, slots=True)
class Separation:
    """How far apart two classes are: `radius` R = max ‖x̃‖, `margin` γ of the best line through x̃-space, 0 where none separates."""

    radius: float
    margin: float

    @property
    def bound(self) -> float:
        """(R / γ)²: the most mistakes the rule can make, whatever the order; infinite where no line separates. Novikoff 1962."""
        return (self.radius / self.margin) ** 2 if self.margin else math.inf


def separation(points: Floats, labels: Floats) -> Separation:
    """R and γ = max over ‖w̃‖ = 1 of min y ⟨w̃, x̃⟩, which is the distance of the hull of all y x̃ from the origin."""
    signed = labels[:, None] * augmented(points)
    nearest = nearest_to_origin(signed)
    distance = float(np.linalg.norm(nearest))
    separates = distance > SMALLEST_GAP and (signed @ nearest).min() > 0
    return Separation(float(np.linalg.norm(signed, axis=1).max()), distance if separates else 0.0)


def nearest_to_origin(points: Floats) -> Floats:
    """The point of the convex hull of `points` (n, d) that is nearest to the origin.

    Keeps a small set of corners whose affine hull has its nearest point inside them; a point that lies nearer comes in, a corner whose
    share falls to 0 goes out.

    Reference: Wolfe 1976, Finding the nearest point in a polytope.
    """
    corners = [int(np.argmin(np.einsum("ij,ij->i", points, points)))]
    shares = np.ones(1)
    tolerance = 1e-12 * max(1.0, float(np.abs(points).max()) ** 2)
    for _ in range(MOST_ROUNDS):
        nearest: Floats = shares @ points[corners]
        candidate = int(np.argmin(points @ nearest))
        if points[candidate] @ nearest > nearest @ nearest - tolerance or candidate in corners:
            break
        corners, shares = [*corners, candidate], np.append(shares, 0.0)
        corners, shares = _inside(points, corners, shares)
    return shares @ points[corners]


def _inside(points: Floats, corners: list[int], shares: Floats) -> tuple[list[int], Floats]:
    """Move to the nearest point of the corners' affine hull, dropping corners on the way until it lies among them."""
    while True:
        wanted = _affine_shares(points[corners])
        if (wanted > 0).all():
            return corners, wanted
        falling = wanted <= 0
        step = min(1.0, float((shares[falling] / np.maximum(shares[falling] - wanted[falling], 1e-300)).min()))
        shares = shares + step * (wanted - shares)
        kept = shares > 1e-14
        if kept.all():
            kept[np.argmin(np.where(falling, shares, np.inf))] = False
        corners, shares = [corner for corner, keep in zip(corners, kept, strict=True) if keep], shares[kept] / shares[kept].sum()


def _affine_shares(corners: Floats) -> Floats:
    """Shares, of sum 1 and any sign, whose mix of the corners has the least norm."""
    k = len(corners)
    system = np.ones((k + 1, k + 1))
    system[1:, 1:] = corners @ corners.T
    system[0, 0] = 0.0
    solution: Floats = np.linalg.lstsq(system, np.eye(k + 1)[0], rcond=None)[0]
    return solution[1:]
