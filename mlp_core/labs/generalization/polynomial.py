"""The book's cubic: samples of it, features xⁱ/i!, polynomials fitted to them, and how far they are off elsewhere."""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from mlp_core.data import Dataset
from mlp_core.labs.generalization.least_squares import LeastSquares
from mlp_core.labs.generalization.linear_fit import Floats, LinearFit
from mlp_core.spec import Bounds

TRUE_COEFFICIENTS = (5.0, 1.2, -3.4, 5.6)  # of 1, x, x²/2!, x³/3!; d2l, Chinese edition, section 4.4.4
TRUE_DEGREE = len(TRUE_COEFFICIENTS) - 1
DEGREE_BOUNDS = Bounds(1, 30, whole=True)
SAMPLE_BOUNDS = Bounds(5, 500, whole=True)
NOISE_BOUNDS = Bounds(0.0, 2.0)
SPREAD_BOUNDS = Bounds(0.1, 10.0)
TEST_SAMPLES = 100  # as in the book


@dataclass(frozen=True, eq=False)
class Sample:
    """Points (n,) of the noisy cubic."""

    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.x)


def cubic(x: Floats) -> Floats:
    """y = 5 + 1.2x − 3.4x²/2! + 5.6x³/3!, without noise."""
    return polynomial(np.array(TRUE_COEFFICIENTS), x)


def features(x: Floats, degree: int) -> Floats:
    """xⁱ/i! for i = 0 .. degree, (n, degree + 1): the factorial keeps high powers from drowning the low ones."""
    factorials = np.array([math.factorial(power) for power in range(degree + 1)], dtype=np.float64)
    raised: Floats = x[:, None] ** np.arange(degree + 1) / factorials
    return raised


def draw(count: int, noise: float, seed: int, spread: float = 1.0) -> tuple[Sample, Sample]:
    """Training points, and `TEST_SAMPLES` others for the test: x ~ N(0, spread²), noise N(0, noise²).

    The test points of a seed do not depend on `count`, and fewer training points are the first of the more.

    Raises:
        SpecError: naming what is out of its bounds.
    """
    SAMPLE_BOUNDS.check("samples", count)
    NOISE_BOUNDS.check("noise", noise)
    SPREAD_BOUNDS.check("spread", spread)
    return _points(count, noise, [seed, 0], spread), _points(TEST_SAMPLES, noise, [seed, 1], spread)


def _points(count: int, noise: float, seed: list[int], spread: float) -> Sample:
    drawn = np.random.default_rng(seed).normal(size=(count, 2))
    x = spread * drawn[:, 0]
    return Sample(x, cubic(x) + noise * drawn[:, 1])


@dataclass(frozen=True, slots=True)
class Solver:
    """How polynomials are fitted: least squares, or with `steps` gradient descent (all samples a step) at a rate, from 0."""

    steps: int | None = None
    rate: float = 0.0

    def predictions(self, degree: int, train: Sample, elsewhere: Floats) -> tuple[Floats, Floats]:
        """ŷ at the training points (n,) and at x elsewhere (m,), of the polynomial that is fitted to the first."""
        if self.steps is None:
            exact = LeastSquares.of(train.x, train.y, degree)
            return exact.fitted, exact.values(elsewhere)
        learned = LinearFit.of(features(train.x, degree)).gradient_descent(train.y, self.rate, self.steps)
        return polynomial(learned, train.x), polynomial(learned, elsewhere)


def polynomial(coefficients: Floats, x: Floats) -> Floats:
    """Σ wᵢ xⁱ/i! for coefficients w (degree + 1,), at x (n,): (n,). Infinite or NaN where it leaves float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        values: Floats = features(x, len(coefficients) - 1) @ coefficients
    return values


def mean_squared_error(predicted: npt.ArrayLike, sample: Sample) -> float:
    """Mean of (ŷ − y)² for ŷ (n,) at the sample's points; infinite where ŷ has left float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.mean((np.asarray(predicted, dtype=np.float64) - sample.y) ** 2))
    return math.inf if math.isnan(error) else error


@dataclass(frozen=True, eq=False)
class Sweep:
    """Errors against something: `train` and `test` are (seeds, places)."""

    places: tuple[int, ...]
    train: Floats
    test: Floats


def errors_by_degree(
    degrees: Sequence[int], count: int, noise: float, seeds: Sequence[int], solver: Solver, spread: float = 1.0
) -> Generator[float, None, Sweep]:
    """Errors of every degree on the same samples, seed by seed; yields how much is done, from 0 to 1."""
    return _sweep(degrees, seeds, solver, [(degree, count) for degree in degrees], noise, spread)


def errors_by_samples(
    counts: Sequence[int], degree: int, noise: float, seeds: Sequence[int], solver: Solver, spread: float = 1.0
) -> Generator[float, None, Sweep]:
    """Errors of one degree on more and more samples, likewise."""
    return _sweep(counts, seeds, solver, [(degree, count) for count in counts], noise, spread)


def _sweep(
    places: Sequence[int], seeds: Sequence[int], solver: Solver, settings: list[tuple[int, int]], noise: float, spread: float
) -> Generator[float, None, Sweep]:
    errors = np.empty((2, len(seeds), len(places)))
    for row, seed in enumerate(seeds):
        for column, (degree, count) in enumerate(settings):
            train, test = draw(count, noise, seed, spread)
            fitted, elsewhere = solver.predictions(degree, train, test.x)
            errors[:, row, column] = mean_squared_error(fitted, train), mean_squared_error(elsewhere, test)
        yield (row + 1) / len(seeds)
    return Sweep(tuple(places), errors[0], errors[1])


def dataset(train: Sample, test: Sample, degree: int) -> Dataset:
    """Both samples as a run takes them, float32: features xⁱ/i! for i = 1 .. degree (i = 0 is the network's bias), targets (n, 1)."""

    def inputs(sample: Sample) -> torch.Tensor:
        return torch.from_numpy(features(sample.x, degree)[:, 1:]).float()

    def targets(sample: Sample) -> torch.Tensor:
        return torch.from_numpy(sample.y).float()[:, None]

    return Dataset(inputs(train), targets(train), inputs(test), targets(test), source="points of a cubic")
