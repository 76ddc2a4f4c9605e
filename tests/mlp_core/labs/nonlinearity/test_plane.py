"""Points in the plane: what the shapes promise, what the split keeps, what the inputs are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.labs.nonlinearity.plane import FEATURES, PLANE_EXTENT, SHAPES, Points, dataset, inputs, points_of, split
from mlp_core.losses import LOSSES

NAMES = st.sampled_from(sorted(SHAPES))


@given(name=NAMES, n=st.integers(6, 120), noise=st.floats(0, 1), seed=st.integers(0, 99))
def test_every_shape_keeps_to_the_plane_and_to_its_seed(name: str, n: int, noise: float, seed: int) -> None:
    points, again = points_of(name, n, noise, seed), points_of(name, n, noise, seed)
    assert points.xy.shape == (n, 2)
    assert np.abs(points.xy).max() <= PLANE_EXTENT
    assert points.classes == SHAPES[name].classes
    if points.classes:
        assert set(points.labels.tolist()) <= set(range(points.classes))
    np.testing.assert_array_equal(points.xy, again.xy)
    np.testing.assert_array_equal(points.labels, again.labels)


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.classes])
def test_every_class_is_there(name: str) -> None:
    counts = np.bincount(points_of(name, 300, 0.0, 3).labels.astype(int))
    assert len(counts) == SHAPES[name].classes
    assert counts.min() > 90 * 2 / len(counts)


RULES = {
    "xor": lambda x, y: x * y > 0,
    "circle": lambda x, y: x**2 + y**2 < 9,
    "gaussians": lambda x, y: x + y > 0,
    "checkerboard": lambda x, y: ((x // 2.5) + (y // 2.5)) % 2 == 1,
}


@pytest.mark.parametrize("name", RULES)
def test_without_noise_the_label_is_a_rule_of_x_and_y(name: str) -> None:
    points = points_of(name, 400, 0.0, 1)
    np.testing.assert_array_equal(points.labels == 1, RULES[name](*points.xy.T))


def test_the_regressions_are_what_they_say() -> None:
    plane, bumps = points_of("plane", 200, 0.0, 0), points_of("bumps", 400, 0.0, 0)
    np.testing.assert_allclose(plane.labels, plane.xy @ [0.1, 0.1])
    hill = bumps.labels[np.argmin(((bumps.xy - [0.0, -2.5]) ** 2).sum(axis=1))]
    assert hill == pytest.approx(1.0, abs=0.2)


def test_the_arms_of_a_spiral_are_one_turned_by_half() -> None:
    points = points_of("spiral", 200, 0.0, 0)
    np.testing.assert_allclose(points.xy[points.labels == 1], -points.xy[points.labels == 0], atol=1e-12)
    assert points_of("arms", 90, 0.0, 0).classes == 3


def test_noise_moves_points_and_not_labels() -> None:
    still, moved = points_of("circle", 4000, 0.0, 5), points_of("circle", 4000, 0.1, 5)
    np.testing.assert_array_equal(still.labels, moved.labels)
    assert (moved.xy - still.xy).std() == pytest.approx(SHAPES["circle"].displacement * 0.1, rel=0.05)


@given(n=st.integers(2, 200), share=st.floats(0, 0.9), seed=st.integers(0, 99))
def test_a_split_loses_nothing_and_shares_nothing(n: int, share: float, seed: int) -> None:
    points = Points(np.arange(2 * n, dtype=np.float64).reshape(n, 2), np.arange(n), n)
    train, test = split(points, share, seed)
    if round(n * share) == 0:
        assert sorted(train.labels) == sorted(test.labels) == list(range(n))
    else:
        assert len(test) == round(n * share)
        assert sorted([*train.labels, *test.labels]) == list(range(n))
    np.testing.assert_array_equal(train.xy[:, 0], 2 * train.labels)


def test_the_inputs_are_functions_of_x_and_y() -> None:
    x, y = np.array([1.5, -2.0]), np.array([-0.5, 3.0])
    expected = [x, y, x * x, y * y, x * y, np.sin(x), np.sin(y)]
    np.testing.assert_allclose(inputs(np.column_stack([x, y]), list(FEATURES)).numpy().T, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "loss", "shape"), [("xor", "logistic", (140,)), ("arms", "cross_entropy", (140,)), ("bumps", "squared", (140, 1))]
)
def test_a_dataset_suits_its_loss(name: str, loss: str, shape: tuple[int, ...]) -> None:
    data = dataset(*split(points_of(name, 200, 0.1, 0), 0.3, 0), ["x", "y", "xy"])
    assert data.train_images.shape == (140, 3)
    assert data.test_images.dtype == torch.float32
    assert data.train_labels.shape == shape
    assert data.train_labels.dtype == (torch.float32 if loss == "squared" else torch.int64)
    assert LOSSES[loss].outputs(data.train_labels, data.test_labels) == (3 if loss == "cross_entropy" else 1)
