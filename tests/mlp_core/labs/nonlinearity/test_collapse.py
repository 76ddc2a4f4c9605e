"""A stack of affine layers is one affine layer, to rounding; a bent one is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.labs.nonlinearity.collapse import (
    Affine,
    BestAffine,
    bending,
    collapsed,
    largest_difference,
    random_stack,
    rank,
    shapes,
    singular_values,
    stacked,
)

WIDTHS = st.lists(st.integers(1, 12), min_size=2, max_size=8)


def images(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_two_layers_as_in_the_book() -> None:
    """O = X(W₁W₂) + (b₁W₂ + b₂), in whole numbers."""
    first = Affine(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([5.0, 6.0]))
    second = Affine(torch.tensor([[1.0], [-1.0]]), torch.tensor([7.0]))
    one = collapsed([first, second])
    assert one.weight.tolist() == [[-1.0], [-1.0]]
    assert one.bias.tolist() == [6.0]
    assert stacked([first, second], torch.tensor([[2.0, 1.0]])).tolist() == [[3.0]]


@settings(max_examples=40, deadline=None)
@given(sizes=WIDTHS, seed=st.integers(0, 1000))
def test_the_stack_is_its_product_to_float64_rounding(sizes: list[int], seed: int) -> None:
    layers = [layer.to(torch.float64) for layer in random_stack(sizes, seed)]
    X = images(20, sizes[0], seed)
    W, b = np.eye(sizes[0]), np.zeros(sizes[0])
    for layer in layers:
        W, b = W @ layer.weight.numpy(), b @ layer.weight.numpy() + layer.bias.numpy()
    one = collapsed(layers)
    np.testing.assert_allclose(one.weight.numpy(), W, atol=1e-13)
    np.testing.assert_allclose(one.bias.numpy(), b, atol=1e-13)
    assert largest_difference(layers, X) < 1e-13 * max(1.0, float(stacked(layers, X).abs().max()))


def test_float32_differs_by_its_own_rounding() -> None:
    layers = random_stack((784, 64, 64, 10), 0)
    X = images(100, 784)
    assert largest_difference(layers, X) < 1e-13
    assert 1e-9 < largest_difference(layers, X.float()) < 1e-4


@settings(max_examples=40, deadline=None)
@given(sizes=WIDTHS, seed=st.integers(0, 1000))
def test_the_narrowest_layer_bounds_the_rank(sizes: list[int], seed: int) -> None:
    one = collapsed([layer.to(torch.float64) for layer in random_stack(sizes, seed)])
    assert rank(one.weight) == np.linalg.matrix_rank(one.weight.numpy())
    assert rank(one.weight) <= min(sizes)
    np.testing.assert_allclose(singular_values(one.weight), np.linalg.svd(one.weight.numpy(), compute_uv=False), atol=1e-12)


@pytest.mark.parametrize("narrow", [1, 3, 7])
def test_a_narrow_layer_lowers_the_rank_to_its_width(narrow: int) -> None:
    assert rank(collapsed([layer.to(torch.float64) for layer in random_stack((784, 64, narrow, 64, 10), 4)]).weight) == narrow


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_a_bent_stack_is_leaky_relus(slope: float) -> None:
    layers = random_stack((6, 5, 4, 3), 2)
    X = images(30, 6).float() - 0.5
    H = X.numpy()
    for layer in layers[:-1]:
        H = H @ layer.weight.numpy() + layer.bias.numpy()
        H = np.maximum(H, 0) + slope * np.minimum(H, 0)
    H = H @ layers[-1].weight.numpy() + layers[-1].bias.numpy()
    np.testing.assert_allclose(stacked(layers, X, slope).numpy(), H, atol=1e-6)


def test_what_the_best_affine_map_misses_is_least_squares() -> None:
    fitted, judged = images(200, 5), images(50, 5, seed=1)
    target = torch.sin(3 * fitted[:, :2]), torch.sin(3 * judged[:, :2])
    best = BestAffine(fitted, judged)
    solution = np.linalg.lstsq(np.column_stack([fitted.numpy(), np.ones(200)]), target[0].numpy(), rcond=None)[0]
    missed = target[1].numpy() - np.column_stack([judged.numpy(), np.ones(50)]) @ solution
    expected = (missed**2).sum() / ((target[1].numpy() - target[1].numpy().mean(axis=0)) ** 2).sum()
    assert best.unexplained(*target) == pytest.approx(expected, rel=1e-8)


def test_pixels_that_are_always_black_do_no_harm() -> None:
    fitted, judged = images(100, 4), images(30, 4, seed=1)
    fitted[:, 2] = judged[:, 2] = 0.0
    W = images(4, 2, seed=2)
    assert BestAffine(fitted, judged).unexplained(fitted @ W + 1, judged @ W + 1) < 1e-20


def test_bending_begins_at_one_matrix_and_leaves_it() -> None:
    layers = random_stack((20, 16, 16, 5), 3)
    bent = bending(layers, BestAffine(images(300, 20), images(100, 20, seed=1)), (1.0, 0.75, 0.5, 0.25, 0.0))
    assert bent.difference[0] < 1e-13
    assert bent.unexplained[0] < 1e-20
    assert (np.diff(bent.difference) > 0).all()
    assert (np.diff(bent.unexplained) > 0).all()


def test_the_shapes_are_written_out() -> None:
    assert shapes((784, 64, 10)) == "(784 × 64) (64 × 10) = (784 × 10)"
