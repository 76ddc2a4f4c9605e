"""Value and slope of a function on any number of points, in little memory whatever the function keeps of its parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mlp_core.expression import resolve
from mlp_core.labs.stability.gradient_map import VarianceMap, gradient_map_log10
from mlp_core.theory.expectations import PIECE, value_and_slope
from tests.support.allocations import peak_bytes

PRODUCTS = "=" + "*".join(["tanh(x)"] * 20)  # keeps 38 tensors
KEPT = 40 * 8 * PIECE


@pytest.mark.parametrize("shape", [(), (0,), (3, 4), (PIECE + 1,), (2, PIECE)])
def test_value_and_slope_are_those_of_the_whole(shape: tuple[int, ...]) -> None:
    x = torch.linspace(-3, 3, int(np.prod(shape)), dtype=torch.float64).reshape(shape)
    value, slope = value_and_slope(lambda x: x**3, x)
    assert value.shape == slope.shape == shape
    assert np.allclose(value, x.numpy() ** 3, rtol=1e-12, atol=0)
    assert np.allclose(slope, 3 * x.numpy() ** 2, rtol=1e-12, atol=0)
    assert not value.requires_grad


def test_a_function_without_a_slope_has_slope_0() -> None:
    value, slope = value_and_slope(lambda x: (x.detach() > 0).double(), torch.tensor([-1.0, 1.0], dtype=torch.float64))
    assert (value.tolist(), slope.tolist()) == ([0.0, 1.0], [0.0, 0.0])


def test_many_points_take_hardly_more_memory_than_few(tmp_path: Path) -> None:
    function, points = resolve(PRODUCTS), torch.zeros(6 * PIECE, dtype=torch.float64)
    assert peak_bytes(lambda: value_and_slope(function, points), tmp_path) < 1.3 * KEPT + 4 * points.nbytes  # both results, twice


def test_maps_of_an_expression_take_little_memory(tmp_path: Path) -> None:
    function, sigma = resolve("=x*tanh(x)*tanh(x)"), np.linspace(0.1, 3.0, 400)
    assert peak_bytes(lambda: VarianceMap(function), tmp_path) < 1.3 * KEPT + 6 * 8 * 481 * 4096
    layers = 8 * 400 * 4 * 64  # bytes
    peak = peak_bytes(lambda: gradient_map_log10(PRODUCTS, sigma, sigma, 2), tmp_path)
    assert peak < 1.3 * KEPT + 10 * layers
