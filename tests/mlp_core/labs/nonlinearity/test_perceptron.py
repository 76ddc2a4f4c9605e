"""The perceptron against a plain oracle and Novikoff's bound; γ against brute force and scipy; cycles where no line separates."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from mlp_core.labs.nonlinearity.perceptron import Floats, Perceptron, augmented, nearest_to_origin, on_grid, separation

XOR = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]])
XOR_LABELS = np.array([1.0, 1, -1, -1])
EIGHTHS = st.integers(-40, 40).map(lambda k: k / 8)
CLOUDS = st.lists(st.tuples(EIGHTHS, EIGHTHS, st.sampled_from([-1.0, 1.0])), min_size=2, max_size=25)


def halves(n: int, seed: int, gap: float = 0.5) -> tuple[Floats, Floats]:
    """Points on both sides of a line, none nearer to it than `gap`."""
    rng = np.random.default_rng(seed)
    points = on_grid(rng.uniform(-5, 5, (20 * n, 2)))
    normal = rng.normal(size=2)
    distance = points @ normal / np.linalg.norm(normal) - 0.7
    points, distance = points[np.abs(distance) > gap][:n], distance[np.abs(distance) > gap][:n]
    return points, np.sign(distance)


def plain(points: Floats, labels: Floats, samples: int) -> tuple[list[float], float, int]:
    """The rule as a textbook's loop writes it: w and b apart, no numpy."""
    w, b, mistakes = [0.0, 0.0], 0.0, 0
    for i in range(samples):
        (x1, x2), y = points[i % len(points)].tolist(), float(labels[i % len(points)])
        if y * (w[0] * x1 + w[1] * x2 + b) <= 0:
            w, b, mistakes = [w[0] + y * x1, w[1] + y * x2], b + y, mistakes + 1
    return w, b, mistakes


@settings(max_examples=50, deadline=None)
@given(cloud=CLOUDS, samples=st.integers(1, 120))
def test_it_is_the_textbooks_loop(cloud: list[tuple[float, float, float]], samples: int) -> None:
    points, labels = np.array([c[:2] for c in cloud]), np.array([c[2] for c in cloud])
    machine = Perceptron(points, labels)
    for _ in range(samples):
        machine.step()
    w, b, mistakes = plain(points, labels, samples)
    assert machine.weights.tolist() == [*w, b]
    assert machine.mistakes == mistakes
    assert machine.mistake_counts[-1] == mistakes
    assert len(machine.mistake_counts) == samples + 1


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 40), seed=st.integers(0, 10_000))
def test_on_separable_points_it_stops_within_the_bound(n: int, seed: int) -> None:
    points, labels = halves(n, seed)
    assume(len(set(labels)) == 2)
    apart = separation(points, labels)
    assert apart.margin > 0
    machine = Perceptron(points, labels)
    for _ in range(math.floor(apart.bound + 1) * n + n):  # at least one mistake a pass until there is none
        if machine.converged:
            break
        machine.step()
    assert machine.converged
    assert machine.errors == 0
    assert machine.mistakes <= apart.bound * (1 + 1e-9)
    assert machine.cycle is None


def test_on_xor_it_cycles() -> None:
    machine = Perceptron(XOR, XOR_LABELS)
    while machine.cycle is None:
        machine.step()
        assert machine.samples < 100
    now, earlier = machine.cycle
    again = Perceptron(XOR, XOR_LABELS)
    starts = []
    for _ in range(4 * now + 1):
        if again.samples % 4 == 0:
            starts.append(again.weights.copy())
        again.step()
    np.testing.assert_array_equal(starts[now], starts[earlier])
    assert not machine.converged
    assert separation(XOR, XOR_LABELS).bound == math.inf


def test_a_cloud_of_xor_cycles_too() -> None:
    rng = np.random.default_rng(0)
    points = on_grid(rng.uniform(-3, 3, (30, 2)))
    labels = np.where(points[:, 0] * points[:, 1] > 0, 1.0, -1.0)
    machine = Perceptron(points, labels)
    for _ in range(200_000):
        machine.step()
        if machine.finished:
            break
    assert machine.cycle is not None
    assert separation(points, labels).margin == 0


@settings(max_examples=60, deadline=None)
@given(cloud=CLOUDS)
def test_separable_is_what_a_linear_program_says(cloud: list[tuple[float, float, float]]) -> None:
    points, labels = np.array([c[:2] for c in cloud]), np.array([c[2] for c in cloud])
    signed = labels[:, None] * augmented(points)
    feasible = linprog(np.zeros(3), A_ub=-signed, b_ub=-np.ones(len(signed)), bounds=[(None, None)] * 3).status == 0
    assert (separation(points, labels).margin > 0) == feasible


@pytest.mark.parametrize("seed", range(6))
def test_the_margin_is_that_of_a_quadratic_program(seed: int) -> None:
    points, labels = halves(12, seed)
    signed = labels[:, None] * augmented(points)
    rows = [{"type": "ineq", "fun": lambda v, row=row: row @ v - 1, "jac": lambda v, row=row: row} for row in signed]
    start = linprog(np.zeros(3), A_ub=-signed, b_ub=-np.ones(len(signed)), bounds=[(None, None)] * 3).x
    best = minimize(lambda v: v @ v / 2, start, jac=lambda v: v, constraints=rows, method="SLSQP", options={"ftol": 1e-14, "maxiter": 500})
    apart = separation(points, labels)
    assert apart.margin == pytest.approx(1 / np.linalg.norm(best.x), rel=1e-6)
    assert apart.radius == pytest.approx(np.sqrt((points**2).sum(axis=1) + 1).max())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=1, max_size=12))
def test_the_nearest_point_of_a_hull_in_the_plane(corners: list[tuple[float, float]]) -> None:
    """In the plane it is the origin itself, or it lies on a segment between two points: brute force."""
    points = np.array(corners)
    found = nearest_to_origin(points)
    best = min(np.linalg.norm(_on_segment(points[i], points[j])) for i, j in itertools.product(range(len(points)), repeat=2))
    normals = [found] if np.linalg.norm(found) > 1e-6 else []
    for normal in normals:  # all points lie beyond the line through it: nothing of the hull is nearer
        assert (points @ normal).min() >= normal @ normal - 1e-6
        assert np.linalg.norm(found) == pytest.approx(best, abs=1e-6)


def _on_segment(a: Floats, b: Floats) -> Floats:
    along = b - a
    t = 0.0 if not along.any() else float(np.clip(-(a @ along) / (along @ along), 0, 1))
    nearest: Floats = a + t * along
    return nearest
